"""What `pyx doctor` reads, as plain values: facts, of which `diagnosis.py` makes findings."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

PathKind: TypeAlias = Literal["missing", "directory", "file", "link", "other", "unreadable"]


class PathFacts(NamedTuple):
    """What is at a path; a link is not followed."""

    path: str
    kind: PathKind
    owner: int = -1
    mode: int = 0
    """The bits of the permissions."""
    is_writable: bool = False
    """Of a missing path: its nearest directory takes new entries."""
    problem: str = ""
    """The system's words, where the path cannot be looked at."""


class PythonFacts(NamedTuple):
    """The interpreter and the packages of pyx."""

    version: str
    implementation: str
    pyx: str
    protocol: int
    has_fast_msgpack: bool
    """msgpack has its part in C."""
    has_tls: bool
    """The package that makes the certificates of long names is there."""


class TerminalFacts(NamedTuple):
    """The standard streams; `stdin` and `stdout` are True for a terminal."""

    stdin: bool
    stdout: bool
    term: str | None
    encoding: str
    columns: int
    lines: int


class LimitFacts(NamedTuple):
    """How many descriptors a process may have; None: no limit."""

    soft: int | None
    hard: int | None


class ClockFacts(NamedTuple):
    """The clock of the day beside the monotonic one, over `seconds`."""

    year: int
    seconds: float
    step: float
    """Seconds by which the clock of the day went further."""


class HostFacts(NamedTuple):
    """The names of this host; `address` is "" where the full name has none, and `problem` says why."""

    name: str
    qualified: str
    address: str
    is_own: bool
    """The address is one of this host's."""
    problem: str = ""


class RuntimeFacts(NamedTuple):
    """The directory of names and sockets; `unsafe` and `hint` say why nodes refuse it."""

    chosen_by: str
    """`$PYX_RUNTIME_DIR`, `$XDG_RUNTIME_DIR`, `/run/user` or `/tmp`."""
    status: PathFacts
    unsafe: str = ""
    hint: str = ""


class CookieFacts(NamedTuple):
    """A cookie, without its text."""

    path: str
    chosen_by: str
    """`--cookie-file`, `$PYX_COOKIE_FILE`, or "" for the file in the home directory."""
    state: Literal["missing", "read", "refused", "pipe"]
    length: int = 0
    is_made: bool = False
    """pyx has made it: 256 random bits."""
    directory_is_writable: bool = True
    """Of a missing one: it can be made."""
    problem: str = ""
    hint: str = ""


class ErlangFacts(NamedTuple):
    """What `--beam` needs."""

    cookie: CookieFacts
    weaknesses: tuple[str, ...]
    erl: str | None
    """The path of the command, if there is one."""


class EpmdFacts(NamedTuple):
    """The EPMD of this host, as it answers at 127.0.0.1."""

    port: int
    installed: str | None
    """The path of the command `epmd`, if there is one."""
    answers: bool = False
    problem: str = ""
    """Why what listens there is not an EPMD, or why the port is not one."""
    names: tuple[tuple[str, int, bool], ...] = ()
    """(name, port, is Erlang) of each node."""
    outside: str = ""
    """The address at which other hosts would ask; "" if this host has none but loopback."""
    outside_names: tuple[str, ...] | None = None
    """The names that are known at that address; None: nothing answers there."""


class RunningNode(NamedTuple):
    """A node of this user on this host."""

    name: str
    os_pid: int
    lowest: int = 0
    highest: int = 0
    """The versions of pyx's protocol that it speaks."""
    milliseconds: float = 0.0
    """Until it has said so."""
    problem: str = ""


class HistoryFacts(NamedTuple):
    """The file of the history; None: there is no home directory."""

    status: PathFacts | None
    chosen_by: str


class ProjectFacts(NamedTuple):
    """What pyx reads in a directory's pyproject.toml, in the user's config.toml, and of the start files."""

    directory: str
    settings: tuple[str, ...] = ()
    """The keys of `[tool.pyx]`."""
    warnings: tuple[str, ...] = ()
    """What a start would warn of."""
    refused: tuple[tuple[str, str, str], ...] = ()
    """(path, problem, hint) of each start file that does not run."""
    problem: str = ""
    hint: str = ""
