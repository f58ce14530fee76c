"""`Supervisor.tree`: a supervisor and all that is below it, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import EncodeError, NoConnection
from pyx.otp.call_errors import CallError
from pyx.otp.remote_work import meet_server
from pyx.otp.server_calls import call, placed
from pyx.printable import on_one_line
from pyx.runtime import process_requests
from pyx.runtime.local_node import this_node
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.otp.server_calls import Server

_ANSWER_SECONDS: Final = 5.0
"""For each supervisor: one that waits for a child answers late, and the rest of the tree is shown."""

_LONGEST: Final = 60


async def tree_text(supervisor: Server) -> str:
    """Returns the tree below a supervisor, a line for each process.

    Raises:
        CallError: the supervisor does not answer.
        EncodeError: it is one of an Erlang node.
    """
    settings, rows = await _level(supervisor)
    name = supervisor if isinstance(supervisor, str) else str(supervisor)
    lines = [f"{name} ({settings})"]
    await _add_branches(lines, rows, "")
    return "\n".join(lines)


async def _level(supervisor: Server) -> tuple[str, list[Any]]:
    """Returns the settings of a supervisor, and its children.

    One of an Erlang node is not asked: a request that it does not know ends it.
    """
    _, node = placed(supervisor)
    await meet_server(node)
    here = this_node()
    if here.speaks_with_erlang and here.is_erlang(node):
        hint = "Supervisor.which_children lists the children of a supervisor there"
        raise EncodeError("request", "tree", "is known to supervisors of pyx alone", hint=hint)
    level: tuple[str, list[Any]] = await call(supervisor, "tree", _ANSWER_SECONDS)
    return level


async def _add_branches(lines: list[str], rows: list[tuple[Any, Any, str, int]], indent: str) -> None:
    for number, (child, state, kind, restarts) in enumerate(rows, 1):
        is_last = number == len(rows)
        facts, below = await _facts(state, kind)
        again = f", {restarts} restart{'s' if restarts != 1 else ''}" if restarts else ""
        shown = on_one_line(child if isinstance(child, str) else repr(child), _LONGEST)
        lines.append(f"{indent}{'└── ' if is_last else '├── '}{shown} {facts}{again}")
        await _add_branches(lines, below, indent + ("    " if is_last else "│   "))


async def _facts(state: Any, kind: str) -> tuple[str, list[Any]]:
    """Returns what is said of a child, and what is below it."""
    if not isinstance(state, Pid):
        return ("is restarting" if state == "restarting" else "does not run"), []
    if kind == "supervisor":
        try:
            settings, rows = await _level(state)
        except (CallError, EncodeError) as error:
            return f"{state} (does not answer: {type(error).__name__})", []
        return f"{state} ({settings})", rows
    try:
        length = await process_requests.info(state, "message_queue_len")
    except NoConnection:
        return f"{state} (its node cannot be reached)", []
    if length is None:
        return f"{state} (has just ended)", []
    return f"{state}, {length[1]} in its mailbox" if length[1] else str(state), []
