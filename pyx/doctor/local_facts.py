"""Reads the facts of this host and this user: nothing is made or changed, and a cookie is only measured."""

from __future__ import annotations

import importlib.util
import os
import platform
import resource
import shutil
import socket
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyx
from pyx.doctor.host_facts import (
    ClockFacts,
    CookieFacts,
    ErlangFacts,
    HistoryFacts,
    HostFacts,
    LimitFacts,
    PathFacts,
    ProjectFacts,
    PythonFacts,
    RuntimeFacts,
    TerminalFacts,
)
from pyx.errors import CookieUnsafe, PyxError, RuntimeDirectoryUnsafe
from pyx.net.addresses import why_not_own
from pyx.net.cookie import given_cookie_file, home_cookie_path, read_given_cookie, read_private_file
from pyx.net.error_words import system_text
from pyx.net.runtime_directory import RuntimeDirectory, check_status
from pyx.wire.handshake.hello import PROTOCOL_VERSION
from pyx.wire.handshake.proof import MADE_COOKIE

if TYPE_CHECKING:
    from pyx.doctor.host_facts import PathKind
    from pyx.net.cookie import Cookie

_CLOCK_SECONDS: Final = 0.2


def python_facts() -> PythonFacts:
    """Returns the versions, and which packages there are; imports none of them."""
    return PythonFacts(
        version=platform.python_version(),
        implementation=platform.python_implementation(),
        pyx=pyx.__version__,
        protocol=PROTOCOL_VERSION,
        has_fast_msgpack=_is_there("msgpack._cmsgpack"),
        has_tls=_is_there("cryptography"),
    )


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def terminal_facts() -> TerminalFacts:
    """Returns what the standard streams are."""
    size = shutil.get_terminal_size()
    return TerminalFacts(
        stdin=os.isatty(0),
        stdout=os.isatty(1),
        term=os.environ.get("TERM"),
        encoding=getattr(sys.stdout, "encoding", None) or "",
        columns=size.columns,
        lines=size.lines,
    )


def limit_facts() -> LimitFacts:
    """Returns the limits of descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LimitFacts(
        None if soft == resource.RLIM_INFINITY else soft, None if hard == resource.RLIM_INFINITY else hard
    )


def clock_facts() -> ClockFacts:
    """Returns how both clocks went for a moment."""
    wall, steady = time.time(), time.monotonic()  # noqa: TID251 - the clock that is looked at
    time.sleep(_CLOCK_SECONDS)
    seconds = time.monotonic() - steady
    return ClockFacts(time.gmtime().tm_year, seconds, time.time() - wall - seconds)  # noqa: TID251 - as above


def host_facts() -> HostFacts:
    """Returns the names of this host; the resolver may take its time."""
    name = socket.gethostname()
    qualified = socket.getfqdn(name)
    try:
        address = str(socket.getaddrinfo(qualified, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        return HostFacts(name, qualified, "", is_own=False, problem=system_text(error))
    return HostFacts(name, qualified, address, is_own=not why_not_own(address))


def path_facts(path: Path) -> PathFacts:
    """Returns what is at *path*."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return PathFacts(str(path), "missing", is_writable=_takes_entries(path.parent))
    except (OSError, ValueError) as error:
        return PathFacts(str(path), "unreadable", problem=system_text(error))
    kinds: dict[int, PathKind] = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    return PathFacts(
        str(path), kind, status.st_uid, stat.S_IMODE(status.st_mode), is_writable=os.access(path, os.W_OK)
    )


def _takes_entries(directory: Path) -> bool:
    """Returns True if a file can be made below *directory*, with the directories that lack."""
    for one in (directory, *directory.parents):
        if one.exists():
            return one.is_dir() and os.access(one, os.W_OK | os.X_OK)
    return False


def runtime_facts() -> RuntimeFacts:
    """Returns the directory of names, which is not made."""
    path = RuntimeDirectory.of_environment().path()
    chosen_by = "/tmp"  # noqa: S108 - a word
    if os.environ.get("PYX_RUNTIME_DIR"):
        chosen_by = "$PYX_RUNTIME_DIR"
    elif (session := os.environ.get("XDG_RUNTIME_DIR")) and path.parent == Path(session):
        chosen_by = "$XDG_RUNTIME_DIR"
    elif path.parent != Path("/tmp"):  # noqa: S108 - compared
        chosen_by = "/run/user"
    status = path_facts(path)
    try:
        check_status(path, None if status.kind in {"missing", "unreadable"} else path.lstat())
    except RuntimeDirectoryUnsafe as error:
        return RuntimeFacts(chosen_by, status, unsafe=error.problem, hint=error.hint or "")
    return RuntimeFacts(chosen_by, status)


def cookie_facts(file: str | None) -> CookieFacts:
    """Returns the cookie that a node would have; *file* is that of `--cookie-file`."""
    return _cookie(file)[0]


def _cookie(file: str | None) -> tuple[CookieFacts, Cookie | None]:
    named = given_cookie_file(file)
    chosen_by = "" if named is None else "--cookie-file" if file else "$PYX_COOKIE_FILE"
    path = named if named is not None else home_cookie_path()
    try:
        if named is None:
            cookie = read_private_file(path)
        elif stat.S_ISFIFO(Path(path).stat().st_mode):  # its writer would be waited for
            return CookieFacts(path, chosen_by, "pipe"), None
        else:
            cookie = read_given_cookie(path)
    except FileNotFoundError:
        return _missing(path, chosen_by), None
    except (OSError, PyxError) as error:
        return _refused(path, chosen_by, error), None
    made = MADE_COOKIE.fullmatch(cookie.text) is not None
    return CookieFacts(path, chosen_by, "read", len(cookie.text), is_made=made), cookie


def _missing(path: str, chosen_by: str) -> CookieFacts:
    takes = _takes_entries(Path(path).parent)
    return CookieFacts(path, chosen_by, "missing", directory_is_writable=takes)


def _refused(path: str, chosen_by: str, error: OSError | PyxError) -> CookieFacts:
    if isinstance(error, CookieUnsafe):
        return CookieFacts(path, chosen_by, "refused", problem=error.problem, hint=error.hint or "")
    problem = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
    return CookieFacts(path, chosen_by, "refused", problem=problem, hint=getattr(error, "hint", None) or "")


def erlang_facts(file: str | None) -> ErlangFacts:
    """Returns what `--beam` would find; *file* is pyx's own cookie file, which has to differ."""
    from pyx.net.erlang_cookie import erlangs_file, weaknesses

    path = erlangs_file()
    erl = shutil.which("erl")
    try:
        cookie = read_private_file(path, "--beam-cookie-file")
    except FileNotFoundError:
        return ErlangFacts(_missing(path, ""), (), erl)
    except (OSError, PyxError) as error:
        return ErlangFacts(_refused(path, "", error), (), erl)
    own = _cookie(file)[1]
    weak = tuple(weaknesses(cookie, own, beyond=False)) if own is not None else ()
    return ErlangFacts(CookieFacts(path, "", "read", len(cookie.text)), weak, erl)


def history_facts() -> HistoryFacts:
    """Returns the file of the history."""
    from pyx.shell.history import history_path

    path = history_path()
    given = "$PYX_HISTORY" if os.environ.get("PYX_HISTORY") else ""
    return HistoryFacts(None if path is None else path_facts(path), given)


def project_facts(directory: str) -> ProjectFacts:
    """Returns what the files of settings say: the project's in *directory*, and the user's own."""
    from pyx.cluster.configuration import configured_seeds
    from pyx.options import NodeOptions
    from pyx.shell.declared_application import declared_application
    from pyx.shell.declared_cluster import with_declared_cluster
    from pyx.shell.prompt_settings import read_settings
    from pyx.shell.user_directories import config_directory

    if not Path(directory).is_dir():
        return ProjectFacts(directory, problem=f"there is no directory {directory}")
    config = config_directory()
    wrong: list[str] = []
    starts = [Path(directory, ".pyx.py"), *([config / "start.py"] if config else [])]
    facts = ProjectFacts(directory, refused=tuple(one for path in starts if (one := _refused_file(path))))
    try:
        table, _ = read_settings(directory, config / "config.toml" if config else None, wrong.append)
        if table is None:
            return facts._replace(warnings=tuple(wrong))
        declared_application(table)
        configured_seeds(with_declared_cluster(NodeOptions("doctor@host"), table).seeds, "doctor@host")
    except (PyxError, ValueError) as error:
        return facts._replace(problem=str(error), hint=getattr(error, "hint", None) or "")
    return facts._replace(settings=tuple(table.entries), warnings=tuple(wrong))


def _refused_file(path: Path) -> tuple[str, str, str] | None:
    from pyx.shell.own_file import FileNotOwn, read_own_file

    try:
        read_own_file(path)
    except FileNotFoundError:
        return None
    except FileNotOwn as error:
        return str(path), str(error), error.hint or ""
    except OSError as error:
        return str(path), f"it cannot be read: {error.strerror}", ""
    return None
