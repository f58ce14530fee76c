"""What every server answers to the requests of OTP's `sys`, in the shapes that OTP's own servers have.

A request of a peer that shows or changes what a server keeps passes the node's `--rpc` policy, by the origin
of the message.  See `server_sys.py` for the functions that ask.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from pyx.core.policy import allows
from pyx.erlang_terms import BeamFunction
from pyx.errors import EncodeError, RpcRefused
from pyx.execution import tracebacks
from pyx.execution.tasks import is_end_of_process
from pyx.otp.handler_results import Stop
from pyx.otp.protocol import TERMINATE, is_caller, raised_value, refused_value
from pyx.otp.remote_work import admitted, parts_of
from pyx.otp.server_replies import send_reply
from pyx.runtime.encoding import encoded
from pyx.runtime.local_node import this_node
from pyx.signals import Call
from pyx.terms import FunctionName, Pid

if TYPE_CHECKING:
    from pyx.otp.running_server import RunningServer
    from pyx.terms import Incarnation

_WHAT_RUNS: Final = (
    "a server of Python runs functions of Python, of one argument, by their names, as &:shop.emptied/1 "
    "(Sys.replace_state on a node of pyx takes any other)"
)
"""The end of a refusal that is read at iex."""


def answer_system_request(
    running: RunningServer, message: tuple[Any, Any, Any], origin: Incarnation | None
) -> Stop | None:
    """Answers a system message; returns the end of the server, if it asks for that.

    Args:
        running: the server.
        message: `("system", (pid, ref), request)`.
        origin: the node that encoded it; None for this one.
    """
    _, frm, request = message
    request = parts_of(request)
    if not is_caller(frm):  # there is no one to answer, and what came is not a request
        return None
    match request:
        case (str(word), reason) if word == TERMINATE:
            send_reply(running, frm, "ok")
            return Stop(reason)
        case str(word) if word in {"suspend", "resume"}:
            running.suspended = word == "suspend"
            send_reply(running, frm, "ok")
        case _:
            send_reply(running, frm, _refusal(origin) or _answer(running, request, origin))
    return None


def _refusal(origin: Incarnation | None) -> Any:
    """Returns the answer to a peer that may not see or change what servers keep here; else None."""
    tables = this_node().kernel.tables
    if origin is None or allows(tables.policy, Call, marked=False):
        return None
    return refused_value(f"{tables.name} runs with --rpc {tables.policy}, and this needs --rpc open")


def _answer(running: RunningServer, request: Any, origin: Incarnation | None) -> Any:
    try:
        match request:
            case "get_state":
                return "ok", as_data(running.server.__getstate__())
            case "get_status":
                return _status(running)
            case ("replace_state", FunctionName(module, name, 1)):  # `&:shop.emptied/1` of an Erlang node
                return _replaced(running, (module, name, [], {}, None), origin)
            case ("replace_state", BeamFunction()):
                return refused_value(f"a function made in Elixir or Erlang cannot run here: {_WHAT_RUNS}")
            case ("replace_state", FunctionName(arity=int()) as function):
                return refused_value(f"{function!r} cannot run here: {_WHAT_RUNS}")
            case ("replace_state", work):
                return _replaced(running, work, origin)
            case ("debug", ("trace", bool(is_on))):
                running.traced = running.runner.process.leader or Pid(0) if is_on else None
                return "ok"
            case ("debug", ("trace", bool(is_on), Pid() as leader)):
                running.traced = leader if is_on else None
                return "ok"
            case ("change_code", module, _, _) if module is None or running.suspended:
                change_class(running)  # the module is None for `Sys`; OTP's `sys` asks a suspended server
                return "ok"
    except RpcRefused as error:
        return refused_value(str(error))
    except BaseException as error:  # what the caller chose failed; the server goes on as it was
        if is_end_of_process(error, running.runner):
            raise
        return raised_value(tracebacks.as_value(error))
    return "error", ("unknown_system_msg", as_data(request))


def _replaced(running: RunningServer, work: Any, origin: Incarnation | None) -> Any:
    """Sets the state that *work* makes of it, and returns the answer; raises as `admitted`, and its call."""
    running.server.__setstate__(admitted(origin, work)(running.server.__getstate__()))
    return "ok", as_data(running.server.__getstate__())


def _status(running: RunningServer) -> Any:
    """Returns the status in OTP's shape."""
    process, server = running.runner.process, running.server
    cls = type(server)
    return (
        "status",
        process.pid,
        ("module", f"{cls.__module__}.{cls.__qualname__}"),
        [
            as_data(dict(process.dictionary)),
            "suspended" if running.suspended else "running",
            running.parent or process.pid,
            [("trace", True)] if running.traced is not None else [],
            {"name": process.name, "state": as_data(server.__getstate__())},
        ],
    )


def newest_class(cls: type) -> type:
    """Returns the class that has the name of *cls* in its module now, after a reload; else *cls*."""
    found: Any = sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, type) else cls


def change_class(running: RunningServer) -> None:
    """Makes the server one of the class that its module has now, and calls its `code_change`."""
    server = running.server
    before = type(server)
    after = newest_class(before)
    table = getattr(after, "__handlers__", None)
    if table is None:
        msg = f"{after.__module__}.{after.__qualname__} is not a server any more"
        raise TypeError(msg)
    if table.on_loop is not before.__handlers__.on_loop:
        msg = (
            f"{after.__qualname__} gained or lost its `async def`s, and a server stays on its thread, "
            "or on the process loop"
        )
        raise TypeError(msg)
    server.__class__ = after
    try:
        server.code_change()
    except BaseException:
        server.__class__ = before
        raise


def as_data(value: Any) -> Any:
    """Returns *value* if it is data; of a dict, the values that are, and how the others print."""
    limit = this_node().max_message_bytes
    try:
        encoded(value, limit)
    except EncodeError:
        if type(value) is dict:
            return {_or_repr(key, limit): _or_repr(item, limit) for key, item in value.items()}
        return _or_repr(value, limit)
    return value


def _or_repr(value: Any, limit: int) -> Any:
    try:
        encoded(value, limit)
    except EncodeError:
        return repr(value)
    return value
