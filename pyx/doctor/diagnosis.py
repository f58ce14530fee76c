"""From the facts of this host and this user to findings: what would fail, and how to mend it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from pyx.doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.doctor.host_facts import (
        ClockFacts,
        CookieFacts,
        EpmdFacts,
        ErlangFacts,
        HistoryFacts,
        HostFacts,
        LimitFacts,
        PathFacts,
        ProjectFacts,
        PythonFacts,
        RunningNode,
        RuntimeFacts,
        TerminalFacts,
    )

FEW_DESCRIPTORS: Final = 512
"""A node takes one for each peer, a few more for each program that it starts, and some forty for itself."""

SHORT_COOKIE: Final = 20
"""Characters: a shorter one can be guessed; a node warns of it too."""

_NARROW_COLUMNS: Final = 40
_EARLIEST_YEAR: Final = 2024
"""pyx did not exist before: a host that believes so has lost its clock."""
_STEP_SECONDS: Final = 0.1
_SLOW_MILLISECONDS: Final = 500


def of_python(facts: PythonFacts) -> list[Finding]:
    """Checks the versions, and the packages that make a difference."""
    text = f"pyx {facts.pyx} (protocol {facts.protocol}) on {facts.implementation} {facts.version}"
    found = [Finding("python", "ok", text)]
    if not facts.has_fast_msgpack:
        found.append(
            Finding(
                "python",
                "warning",
                "msgpack is here without its part in C: messages are encoded many times more slowly",
                "pip install --force-reinstall msgpack",
            )
        )
    if not facts.has_tls:
        found.append(
            Finding(
                "python",
                "failed",
                "the package cryptography is missing: a node with --name would let no other node in",
                "pip install cryptography",
            )
        )
    return found


def of_host(facts: HostFacts, short_host: str) -> list[Finding]:
    """Checks the names that nodes get on this host."""
    found = [Finding("names", "ok", f"--sname NAME makes NAME@{short_host}, for nodes of this host")]
    if short_host == "localhost" and facts.name.partition(".")[0] != "localhost":
        text = f"the host name {facts.name!r} cannot stand in node names: they end in @localhost"
        found[0] = Finding("names", "warning", text, "give the host a name of letters, digits and -")
    if not facts.address:
        text = f"{facts.qualified} has no address ({facts.problem}): --name NAME needs one behind its @"
        mend = f"write NAME@ADDRESS, or add {facts.name} to /etc/hosts"
    elif not facts.is_own:
        text = f"{facts.qualified} stands for {facts.address}, which is not an address of this host"
        mend = "write NAME@ADDRESS with --name, or mend /etc/hosts"
    else:
        text = f"{facts.qualified} is {facts.address}: --name NAME@{facts.address} can be reached there"
        return [*found, Finding("names", "ok", text)]
    return [*found, Finding("names", "warning", text, mend)]


def of_runtime(facts: RuntimeFacts, uid: int) -> list[Finding]:
    """Checks the directory of names and sockets."""
    status = facts.status
    chosen = f"{status.path} ({facts.chosen_by})"
    if facts.unsafe:
        text = f"no node can start: {status.path} {facts.unsafe}"
        return [Finding("directory", "failed", text, facts.hint)]
    if status.kind == "unreadable":
        text = f"no node can start: {status.path} cannot be looked at: {status.problem}"
    elif not status.is_writable:
        missing = "cannot be made" if status.kind == "missing" else f"takes no files of user {uid}"
        text = f"no node can start: {chosen} {missing}"
    else:
        will = "is made at the first start" if status.kind == "missing" else "is this user's alone"
        return [Finding("directory", "ok", f"names and sockets are in {chosen}, which {will}")]
    return [Finding("directory", "failed", text, "set PYX_RUNTIME_DIR to a directory of your own, mode 0700")]


def of_cookie(facts: CookieFacts) -> list[Finding]:
    """Checks the cookie of pyx nodes."""
    path = f"{facts.path}{f' ({facts.chosen_by})' if facts.chosen_by else ''}"
    if facts.state == "refused":
        return [Finding("cookie", "failed", f"no node can start: {path} {facts.problem}", facts.hint)]
    if facts.state == "pipe":
        return [Finding("cookie", "ok", f"{path} is a pipe, read at the start of a node")]
    if facts.state == "missing":
        return [_missing_cookie(facts, path)]
    if facts.is_made:
        return [Finding("cookie", "ok", f"{path} holds 256 random bits, for this user alone")]
    if facts.length < SHORT_COOKIE:
        text = (
            f"the length of the cookie in {path} is {facts.length}: one under {SHORT_COOKIE} can be guessed"
        )
        return [Finding("cookie", "warning", text, "remove the file, and copy the one that pyx makes")]
    return [Finding("cookie", "ok", f"{path} holds {facts.length} characters, for this user alone")]


def _missing_cookie(facts: CookieFacts, path: str) -> Finding:
    if facts.chosen_by:
        text = f"no node can start: there is no {path}"
        return Finding("cookie", "failed", text, "write the cookie into it (mode 0400), or name another file")
    if not facts.directory_is_writable:
        text = f"no node can start: {path} is not there, and cannot be made"
        return Finding("cookie", "failed", text, "name a file that holds the cookie: PYX_COOKIE_FILE=F")
    return Finding("cookie", "ok", f"{path} is made at the first start of a node, with 256 random bits")


def of_erlang(facts: ErlangFacts) -> list[Finding]:
    """Checks what `--beam` needs."""
    cookie = facts.cookie
    if cookie.state == "refused":
        text = f"--beam would fail: {cookie.path} {cookie.problem}"
        return [Finding("beam", "failed", text, cookie.hint)]
    if cookie.state == "missing" and not cookie.directory_is_writable:
        text = f"--beam would fail: {cookie.path} is not there, and cannot be made"
        return [Finding("beam", "failed", text, "name a file that holds the cookie: --beam-cookie-file F")]
    if facts.weaknesses:
        mend = "make another one, for all Erlang nodes"
        return [Finding("beam", "warning", text, mend) for text in facts.weaknesses]
    state = "is made when --beam is used first" if cookie.state == "missing" else "can be used"
    erl = f"erl is {facts.erl}" if facts.erl else "Erlang is not installed here"
    return [Finding("beam", "ok", f"{cookie.path} {state}; {erl}")]


def of_epmd(facts: EpmdFacts) -> list[Finding]:
    """Checks the port mapper, which --name (without --port) and --beam need."""
    if facts.problem:
        mend = "stop what listens there, set ERL_EPMD_PORT on all hosts, or start nodes with --port N"
        return [Finding("epmd", "failed", f"--name and --beam would fail: {facts.problem}", mend)]
    at = f"127.0.0.1 port {facts.port}"
    if not facts.answers:
        starts = facts.installed or "pyx's own"
        found = [Finding("epmd", "ok", f"none runs at {at}; --name and --beam start one: {starts}")]
        if facts.outside_names is not None:
            found = [Finding("epmd", "warning", *_not_at_home(facts, at))]
        return found
    kinds = [f"{name} at {port}{' (Erlang)' * is_erlang}" for name, port, is_erlang in facts.names]
    found = [Finding("epmd", "ok", f"it answers at {at} and knows {', '.join(kinds) or 'no node'}")]
    own = {name for name, _, _ in facts.names}
    if facts.outside_names is not None and own != set(facts.outside_names):
        text = (
            f"another EPMD answers at {facts.outside}: it knows {', '.join(facts.outside_names) or 'no node'}"
        )
        found.append(Finding("epmd", "warning", text, "stop one of the two, so that all nodes use the other"))
    elif facts.outside and facts.outside_names is None:
        text = f"it answers this host alone, not at {facts.outside}: other hosts do not find nodes here"
        mend = "if they should, let it listen there (unset ERL_EPMD_ADDRESS), or start nodes with --port N"
        found.append(Finding("epmd", "warning", text, mend))
    return found


def _not_at_home(facts: EpmdFacts, at: str) -> tuple[str, str]:
    text = f"an EPMD answers at {facts.outside} and none at {at}, where nodes of this host register"
    return text, "let it listen at 127.0.0.1 too: ERL_EPMD_ADDRESS"


def of_nodes(nodes: Sequence[RunningNode], protocol: int) -> list[Finding]:
    """Checks the nodes that run on this host, against the *protocol* of this pyx."""
    if not nodes:
        return [Finding("nodes", "ok", "no node of this user runs on this host with a short name")]
    return [_of_node(node, protocol) for node in nodes]


def _of_node(node: RunningNode, protocol: int) -> Finding:
    who = f"{node.name} (pid {node.os_pid})"
    if node.problem:
        mend = f"is it stopped or overloaded? `ps -o stat,time {node.os_pid}`, and end it if need be"
        if "protocol" in node.problem:
            mend = "run the same release of pyx for all nodes"
        return Finding("nodes", "warning", f"{who}: {node.problem}", mend)
    spoken = f"{node.lowest}" if node.lowest == node.highest else f"{node.lowest} to {node.highest}"
    text = f"{who} speaks protocol {spoken}"
    if not node.lowest <= protocol <= node.highest:
        mend = "run the same release of pyx for all nodes"
        return Finding("nodes", "warning", f"{text}, and this pyx {protocol}: they do not connect", mend)
    if node.milliseconds > _SLOW_MILLISECONDS:
        text = f"{text}, and took {node.milliseconds:.0f} ms to say so"
        return Finding("nodes", "warning", text, "its host or its code keeps it from running")
    return Finding("nodes", "ok", text)


def of_clock(facts: ClockFacts) -> list[Finding]:
    """Checks the clock of the day, whose steps show in logs."""
    if abs(facts.step) > _STEP_SECONDS:
        text = f"the clock of the day was set by {facts.step:+.1f} s within {facts.seconds:.1f} s"
        mend = "nodes do not use it, but times in logs jump: let ntpd or chrony slew it"
        return [Finding("clock", "warning", text, mend)]
    if facts.year < _EARLIEST_YEAR:
        text = f"this host believes that it is the year {facts.year}: times in logs are wrong"
        return [Finding("clock", "warning", text, "set the clock")]
    return [
        Finding("clock", "ok", f"no step within {facts.seconds:.1f} s; nodes use the monotonic clock alone")
    ]


def of_terminal(facts: TerminalFacts) -> list[Finding]:
    """Checks the terminal of a prompt."""
    if not (facts.stdin and facts.stdout):
        name = "stdout" if facts.stdin else "stdin"
        return [Finding("terminal", "ok", f"{name} is not a terminal: input is read line by line")]
    found = []
    if not facts.term or facts.term == "dumb":
        text = f"TERM is {facts.term or 'not set'}: the prompt has no colours, no Tab and no history"
        found.append(Finding("terminal", "warning", text, "export TERM=xterm-256color"))
    if facts.encoding.lower().replace("-", "") != "utf8":
        text = f"the encoding of output is {facts.encoding or 'unknown'}: other characters become escapes"
        found.append(Finding("terminal", "warning", text, "export LC_ALL=C.UTF-8, or PYTHONUTF8=1"))
    if facts.columns < _NARROW_COLUMNS:
        text = f"the terminal is {facts.columns} columns wide"
        found.append(
            Finding("terminal", "warning", text, f"{_NARROW_COLUMNS} or more show values and help as meant")
        )
    size = f"{facts.term}, {facts.encoding}, {facts.columns} columns, {facts.lines} lines"
    return found or [Finding("terminal", "ok", size)]


def of_limits(facts: LimitFacts) -> list[Finding]:
    """Checks the number of descriptors that a process may have."""
    soft, hard = facts.soft, facts.hard
    if soft is not None and soft < FEW_DESCRIPTORS:
        text = f"a process may have {soft} descriptors: a node with many peers or programs runs out of them"
        mend = f"ulimit -n {min(4096, hard) if hard is not None else 4096}"
        if hard is not None and hard < FEW_DESCRIPTORS:
            mend = "raise the hard limit (/etc/security/limits.conf, LimitNOFILE of systemd)"
        return [Finding("limits", "warning", text, mend)]
    return [
        Finding("limits", "ok", f"a process may have {'any number of' if soft is None else soft} descriptors")
    ]


def of_history(facts: HistoryFacts, uid: int) -> list[Finding]:
    """Checks the file of the history."""
    status = facts.status
    if status is None:
        text = "there is no home directory: what is typed is not kept"
        return [Finding("history", "warning", text, "set HOME, or PYX_HISTORY to a file")]
    problem = _why_no_file(status, uid)
    if problem:
        text = f"what is typed is not kept: {status.path} {problem}"
        return [Finding("history", "warning", text, "set PYX_HISTORY to a file that this user can write")]
    if status.kind == "file" and status.mode & 0o077:
        text = f"others can read what was typed: {status.path} has the mode {status.mode:04o}"
        return [Finding("history", "warning", text, f"chmod 600 {shlex.quote(status.path)}")]
    return [Finding("history", "ok", f"what is typed is kept in {status.path}")]


def _why_no_file(status: PathFacts, uid: int) -> str:
    if status.kind == "unreadable":
        return f"cannot be looked at: {status.problem}"
    if status.kind == "missing":
        return "" if status.is_writable else "cannot be made"
    if status.kind == "directory":
        return "is a directory"
    if status.owner != uid and status.kind == "file":
        return f"belongs to user {status.owner}"
    return "" if status.is_writable or status.kind in {"link", "other"} else "cannot be written"


def of_project(facts: ProjectFacts) -> list[Finding]:
    """Checks the files of settings and the start files: the project's, and the user's own."""
    found = [
        Finding("project", "warning", f"{path} does not run before the prompt: {problem}", hint)
        for path, problem, hint in facts.refused
    ]
    if facts.problem:
        return [*found, Finding("project", "failed", f"pyx does not start here: {facts.problem}", facts.hint)]
    if facts.warnings:
        mend = "docs/shell.md lists what stands there"
        return [*found, *(Finding("project", "warning", text, mend) for text in facts.warnings)]
    where = "this directory" if facts.directory == "." else facts.directory
    says = f"[tool.pyx] of {where} sets {', '.join(facts.settings)}" if facts.settings else ""
    return [*found, Finding("project", "ok", says or f"{where} sets nothing")]
