"""What OTP's `erpc` and `rex` do, for Erlang nodes that call functions here: processes that run a function.

A peer that spawns a process names a module and a function; `run` finds them, and is what the process runs.
`execute_call` ends with the result as its exit reason, which is how OTP answers: the caller monitors it.

The policy on peers' code (`--rpc`) is asked about the function that the peer has chosen: these functions are
exported, and ask again for it.  Follows OTP 25's erpc.erl and rpc.erl.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction
from pyx.errors import EncodeError, Exit, RpcRefused, UndefinedFunction
from pyx.execution import context, tracebacks
from pyx.runtime import rpc_functions
from pyx.runtime.chosen_functions import chosen_function
from pyx.runtime.erlang_payloads import erlang_result
from pyx.runtime.local_node import node_of
from pyx.terms import FunctionName, Pid, Raised
from pyx.wire.beam.modules import inward_module

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_RETURN, _ERROR, _EXIT, _UNDEF = Atom("return"), Atom("error"), Atom("exit"), Atom("undef")
_REX, _NO_NAME = Atom("rex"), Atom("nonexisting_name")
_OWN: Final = frozenset(("execute_call", "execute_cast"))


def run(module: str, function: str, args: list[Any]) -> Any:
    """Runs the function that an Erlang node has spawned a process with.

    Args:
        module: as Erlang writes it.
        function: its name.
        args: the arguments.

    Raises:
        Exit: there is no such function: the reason is `undef`, as in OTP.
        RpcRefused: the policy forbids it.
    """
    runner = context.require("erpc")
    runner.process.initial_call = module, function, len(args)
    module, function, args = _called(module, function, args)
    if module == "erpc" and function in _OWN:
        return globals()[function](*args)
    return _found(module, function, args)()


def execute_call(ref: Any, module: str, function: str, args: list[Any]) -> Any:
    """Runs a function for a caller that monitors this process, and ends with its result as the reason."""
    module, function, args = _called(module, function, args)
    try:
        value = _found(module, function, args)()
        if inspect.iscoroutine(value):
            return _execute_async(ref, module, function, args, value)
    except BaseException as error:
        raise _end(ref, module, function, args, error) from error
    raise _returned(ref, value)


async def _execute_async(
    ref: Any, module: str, function: str, args: list[Any], coroutine: Awaitable[Any]
) -> None:
    try:
        value = await coroutine
    except BaseException as error:
        raise _end(ref, module, function, args, error) from error
    raise _returned(ref, value)


def execute_cast(module: str, function: str, args: list[Any]) -> Any:
    """Runs a function whose result is not waited for."""
    return _found(module, function, args)()


rpc_functions.mark(run)


def _found(module: str, function: str, args: list[Any]) -> Callable[[], Any]:
    """The function that a peer has chosen, with its arguments, if the policy allows it."""
    runner = context.require("erpc")
    parent = runner.process.parent
    tables = node_of(runner).kernel.tables
    origin = parent.incarnation if parent is not None else None
    try:
        return chosen_function(tables, origin, inward_module(str(module)), str(function), args)
    except UndefinedFunction:
        raise Exit((_UNDEF, [(Atom(module), Atom(function), args, [])])) from None


def _returned(ref: Any, value: Any) -> Exit:
    """Returns the end of a process whose function has returned *value*.

    Its reason is encoded here, once for most calls; a value that Erlang cannot hold is an error of the call.
    """
    node = node_of(context.require("erpc"))
    try:
        payload = erlang_result(ref, value, node.kernel.tables.here, node.sending.max_message_bytes)
    except EncodeError as error:
        return Exit((ref, _ERROR, Raised("EncodeError", str(error)), []))
    return Exit(payload)


def _called(module: str, function: str, args: list[Any]) -> tuple[str, str, list[Any]]:
    """Returns module, function and arguments of a call; of `:erlang.apply` those that it is given.

    Code of Elixir's, which has no name, cannot run here.
    """
    if (module, function) == ("erlang", "apply"):
        match args:
            case [FunctionName() as named, list() as given]:
                return named.module, named.name, given
            case [Atom() as named, Atom() as name, list() as given]:
                return named, name, given
            case [BeamFunction(), _]:
                print("an Elixir closure cannot run here")  # noqa: T201 - at the caller's terminal
    return module, function, args


def _end(ref: Any, module: str, function: str, args: list[Any], error: BaseException) -> BaseException:
    """What a process that executes a call ends by, in OTP's words, for what the function raised."""
    if isinstance(error, RpcRefused):
        text = f"refused by --rpc {error.policy}"
        return Exit((ref, _ERROR, Raised("RpcRefused", text), []))
    if isinstance(error, Exit):
        match error.reason:
            case (Atom("undef"), [(name, called, given, _)]) if (name, called, given) == (
                module,
                function,
                args,
            ):
                return Exit((ref, _ERROR, _UNDEF, [(name, called, given, [])]))
        return Exit((ref, _EXIT, error.reason))
    if isinstance(error, SystemExit):
        return Exit((ref, _EXIT, "normal" if error.code in (None, 0) else error.code))
    if not isinstance(error, Exception):
        return error  # killed, or interrupted
    value = tracebacks.as_value(error)
    return Exit((ref, _ERROR, Raised(value.type, value.text), []))


# ---------------------------------------------------------------- rex


def rex(message: Any) -> None:
    """Answers a request for the server `rex`: of `erl_call`, of C nodes, and of `:rpc.block_call`.

    `message` is what came: a call for `GenServer.call`, a cast, or `(caller, request)`.
    """
    match message:
        case (Atom("$gen_call"), (Pid() as caller, tag), (Atom(), module, function, list() as args, _)):
            _send(caller, (tag, _result(module, function, args)))
        case (Atom("$gen_cast"), (Atom("cast"), module, function, list() as args, _)):
            _result(module, function, args)
        case (Pid() as caller, (Atom("call"), module, function, list() as args, _)):
            _send(caller, (_REX, _result(module, function, args)))
        case (Pid() as caller, Atom("features_request")):
            _send(caller, (Atom("features_reply"), _here(), [Atom("erpc")]))
        case (Pid() as caller, (Atom("sbcast"), Atom() as name, sent)):
            reached = _send_to_name(name, sent)
            _send(caller, (_REX, _here(), _here() if reached else (_NO_NAME, name)))
        case (Pid() as caller, (Atom("send"), Atom() as name, sent)):
            if not _send_to_name(name, (caller, sent)):  # else what has the name answers
                _send(caller, (_REX, _here(), (_NO_NAME, name)))


rpc_functions.mark(rex)


def _result(module: str, function: str, args: list[Any]) -> Any:
    try:
        value = _found(module, function, args)()
    except Exit as error:
        return Atom("badrpc"), (Atom("EXIT"), error.reason)
    except Exception as error:
        value = tracebacks.as_value(error)
        return Atom("badrpc"), (Atom("EXIT"), (Raised(value.type, value.text), []))
    return value


def _here() -> Atom:
    return Atom(node_of(context.require("rex")).kernel.tables.name)


def _send(to: Pid, message: Any) -> None:
    node_of(context.require("rex")).sending.send(to, message)


def _send_to_name(name: str, message: Any) -> bool:
    """Sends to the process of this node that has the name; returns False if there is none."""
    found = node_of(context.require("rex")).kernel.tables.names.get(str(name))
    if found is not None:
        _send(found.pid, message)
    return found is not None
