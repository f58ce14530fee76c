"""What is asked of a supervisor, each once, as a coroutine; for threads by `wait`, for coroutines as it is.

The requests have no time limit, as OTP's: a supervisor answers when the child that it starts is ready, or the
one that it stops has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.atoms import Atom
from pyx.otp.call_errors import CallUndefined
from pyx.otp.child_errors import REFUSALS, ChildSpecInvalid
from pyx.otp.child_work import request_for
from pyx.otp.children import spec_of
from pyx.otp.remote_work import meet_server
from pyx.otp.server_calls import call, placed
from pyx.otp.start_errors import ServerAlreadyStarted, StartFailed
from pyx.runtime.local_node import this_node
from pyx.terms import Pid

if TYPE_CHECKING:
    from typing import TypeAlias

    from pyx.otp.server_calls import Server

    ChildRow: TypeAlias = tuple[Any, Pid | str | None, str]


async def which_children(supervisor: Server) -> list[ChildRow]:
    """Returns (id, pid | None | "restarting", type) of each child, the newest first."""
    rows = await call(supervisor, await _word(supervisor, "which_children"), None)
    return [(_or_none(child), _or_none(state), kind) for child, state, kind, _ in rows]


async def count_children(supervisor: Server) -> dict[str, int]:
    """Returns the numbers of specifications, of live children, of supervisors and of workers."""
    return dict(await call(supervisor, await _word(supervisor, "count_children"), None))


async def start_child(supervisor: Server, what: Any) -> Pid | None:
    """Has a supervisor start a child; returns its pid, or None if it was ignored."""
    spec = spec_of(what)
    server, node = placed(supervisor)
    await meet_server(node)
    try:
        return _pid_in(await call(server, request_for(node, spec), None), spec.id)
    except CallUndefined as error:  # it is not a supervisor; the request as it is sent cannot be read
        raise CallUndefined(error.server, ("start_child", spec.id), error.handlers) from None


async def restart_child(supervisor: Server, child: Any) -> Pid | None:
    """Has a supervisor start a child that does not run."""
    word = await _word(supervisor, "restart_child")
    return _pid_in(await call(supervisor, (word, child), None), child)


async def terminate_child(supervisor: Server, child: Any) -> str:
    """Has a supervisor stop a child."""
    word = await _word(supervisor, "terminate_child")
    return _word_in(await call(supervisor, (word, child), None), child)


async def delete_child(supervisor: Server, child: Any) -> str:
    """Has a supervisor forget a child that does not run."""
    word = await _word(supervisor, "delete_child")
    return _word_in(await call(supervisor, (word, child), None), child)


async def _word(supervisor: Server, word: str) -> str:
    """Returns the first word of a request: an atom for a supervisor of an Erlang node."""
    here = this_node()
    if not here.speaks_with_erlang:
        return word
    _, node = placed(supervisor)
    await meet_server(node)
    return Atom(word) if here.is_erlang(node) else word


def _or_none(value: Any) -> Any:
    return None if value == "undefined" else value


def _pid_in(reply: Any, child: Any) -> Pid | None:
    match reply:
        case ("ok", Pid() as pid, *_):
            return pid
        case ("ok", *_):
            return None
    raise refusal(reply, child)


def _word_in(reply: Any, child: Any) -> str:
    if reply == "ok":
        return "ok"
    raise refusal(reply, child)


def refusal(reply: Any, child: Any) -> Exception:
    """Returns the exception that a reply `("error", reason)` means."""
    match reply:
        case ("error", str(reason)) if reason in REFUSALS:
            return REFUSALS[reason](child)
        case ("error", ("already_started", Pid() as pid)):
            return ServerAlreadyStarted(child, pid)
        case ("error", ("start_spec", _) as reason):
            msg = f"the supervisor refused the child {child!r}: {reason[1]!r}"
            return ChildSpecInvalid(msg, reason)
        case ("error", reason):
            return StartFailed(f"the child {child!r}", reason)
    msg = f"a supervisor does not answer {reply!r}"
    return TypeError(msg)
