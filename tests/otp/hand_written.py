"""Servers written by hand, with `receive` and `reply` alone: any process may speak the protocol of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx import Exit, Raised, aio, receive, send
from pyx.otp.protocol import raised_value, refused_value, undefined_value
from pyx.otp.server_calls import reply

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

RAISED = Raised("KeyError", "'eggs'", "Traceback (most recent call last):\n  shop.py\n")


def serve() -> None:
    """Serves until it is told to end."""
    kept: list[Any] = []
    while True:
        _handle(receive(), kept)


async def serve_async() -> None:
    """The same as a coroutine."""
    kept: list[Any] = []
    while True:
        _handle(await aio.receive(), kept)


def _handle(message: Any, kept: list[Any]) -> None:
    match message:
        case ("$gen_call", frm, ("echo", value)):
            reply(frm, value)
        case ("$gen_call", frm, ("by hand", value)):
            send(frm[1], (frm[1], value))
        case ("$gen_call", frm, ("garbage", value)):
            send(frm[1], value)
        case ("$gen_call", frm, ("twice", value)):
            reply(frm, value)
            reply(frm, "again")
        case ("$gen_call", frm, "who"):
            reply(frm, frm[0])
        case ("$gen_call", frm, "keep"):
            kept.append(frm)
        case ("$gen_call", frm, "kept"):
            for late in kept:
                reply(late, "late")
            reply(frm, len(kept))
            kept.clear()
        case ("$gen_call", _, ("exit", reason)):
            raise Exit(reason)
        case ("$gen_call", _, "crash"):
            raise ValueError("boom")
        case ("$gen_call", frm, ("bye", value)):
            reply(frm, value)
            raise Exit
        case ("$gen_call", frm, "raised"):
            reply(frm, raised_value(RAISED))
        case ("$gen_call", frm, ("raised", raised)):
            reply(frm, raised_value(raised))
        case ("$gen_call", frm, "refused"):
            reply(frm, refused_value("it runs with --rpc off"))
        case ("$gen_call", frm, _):
            reply(frm, undefined_value(["echo", "twice"]))
        case ("$gen_cast", ("tell", to, what)):
            send(to, what)
        case ("system", frm, ("terminate", reason)):
            reply(frm, "ok")
            raise Exit(reason)
        case ("system", frm, "get_state"):
            reply(frm, len(kept))


def started(node: LocalNode, name: str | None = None, body: Any = serve) -> Pid:
    """Starts one on *node*, under a name if it gets one."""
    pid, _ = node.processes.spawn(body, ())
    if name is not None:
        with node.kernel_call as kernel:
            kernel.registry.register(pid, name)
    return pid
