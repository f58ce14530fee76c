"""What OTP's servers are asked and answer: `net_kernel`, `rex`, `erpc`, `process_info`.

A node of OTP runs these as processes with a name, and other nodes take them for granted.  Here they are
functions from values to values; `signal_reader.py` and `signal_writer.py` send and receive them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom
from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.terms import Pid, Raised, Ref
from pyx.wire.beam.control import inward_reason
from pyx.wire.beam.io_format import characters
from pyx.wire.beam.modules import ERPC, outward_module
from pyx.wire.beam.term import ErlangCall, ErlangTerm
from pyx.wire.beam.term_writer import encode_term
from pyx.wire.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.terms import Incarnation

SERVERS: Final = frozenset(("net_kernel", "rex", "logger_proxy"))
"""The registered names behind which there is no process here."""


def _binary(text: str) -> bytes:
    data = text.encode()
    return b"m" + len(data).to_bytes(4) + data


_RUN: Final = b"h\x03" + _binary(ERPC) + _binary("run")
"""The beginning of a payload: (module, function, arguments)."""


# ---------------------------------------------------------------- net_kernel: is this node alive?


def is_auth(frm: Pid, tag: Ref, here: str) -> tuple[Any, ...]:
    """The question of `Node.ping` for a peer's `net_kernel`; it answers `(tag, :yes)`."""
    return Atom("$gen_call"), (frm, tag), (Atom("is_auth"), Atom(here))


def gen_call(message: Any) -> tuple[Pid, Any, Any] | None:
    """(caller, tag, request) of a `GenServer.call`; None for any other message."""
    match message:
        case (Atom("$gen_call"), (Pid() as caller, tag), request):
            return caller, tag, request
    return None


# ---------------------------------------------------------------- erpc: calls of functions


def function_called(payload: Payload, here: Incarnation) -> tuple[tuple[str, str, int], bytes]:
    """The (module, function, number of arguments) of a call from here, and its arguments as a term.

    Raises:
        EncodeError: Erlang cannot call a function like that.
    """
    if isinstance(payload.data, ErlangCall):
        call = payload.data
        return (call.module, call.function, call.arity), call.args
    module, function, args, *more = decode(payload, here)
    if any(more):
        what = "a function of this node" if len(more) > 1 else "a call with keyword arguments"
        hint = 'a function runs on Erlang nodes by its module and name there: ("IO", "puts", ["hi"])'
        raise EncodeError(f"{module}.{function}", what, "is not what an Erlang node can run", hint=hint)
    return (outward_module(module), str(function), len(args)), encode_term(list(args), here)


def answer_of(function: tuple[str, str, int], reason: Any) -> tuple[str, Payload | str]:
    """The outcome and payload of an `Answer`, from the reason by which the process of a call ended."""
    match reason:
        case (Ref(), Atom("return"), value):
            return "value", Payload(encode(value))
        case (Ref(), Atom("error"), Atom("undef"), [(Atom() as module, Atom() as name, args, *_), *_]) if (
            module,
            name,
        ) == function[:2] and _number_of(args) == function[2]:
            return "undefined", Payload(encode((str(module), str(name))))
        case (Ref(), Atom("error"), error, stack):
            return "raised", Payload(encode(raised(error, stack)))
        case (Ref(), Atom("exit"), exit_reason):
            return "exit", inward_reason(exit_reason)
        case (Ref(), Atom("throw"), thrown):
            return "raised", Payload(encode(Raised("throw", repr(thrown))))
    return "exit", inward_reason(reason)


def _number_of(args: Any) -> int:
    return len(args) if type(args) is list else args if type(args) is int else -1


def raised(error: Any, stack: Any) -> Raised:
    """An error of Erlang's as an exception: its class, its message and its stack, as text."""
    lines = "".join(f"  {_frame(entry)}\n" for entry in stack) if type(stack) is list else ""
    if type(error) is Raised:
        return Raised(error.type, error.text, lines)
    return Raised("ErlangError", repr(error), lines)


def _frame(entry: Any) -> str:
    match entry:
        case (module, function, args, list() as place):
            arity = _number_of(args)
            file = {str(key): value for key, value in (pair for pair in place if _is_pair(pair))}
            where = f"{_file_name(file['file'])}:{file.get('line', 0)}: " if "file" in file else ""
            return f"{where}{module!r}.{function}/{arity}"
    return repr(entry)


def _file_name(name: Any) -> str:
    try:
        return characters(name)
    except ValueError:
        return repr(name)


def _is_pair(value: Any) -> bool:
    return type(value) is tuple and len(value) == 2


# ---------------------------------------------------------------- questions about processes

_KEYS: Final = {
    "registered_name": "registered_name",
    "initial_call": "initial_call",
    "current_function": "current_function",
    "current_stacktrace": "current_stacktrace",
    "status": "status",
    "message_queue_len": "message_queue_len",
    "messages": "messages",
    "links": "links",
    "monitors": "monitors",
    "monitored_by": "monitored_by",
    "dictionary": "dictionary",
    "trap_exit": "trap_exit",
    "group_leader": "group_leader",
}
"""By the keys of `Process.info` here: those of Erlang's `process_info`."""

_SHOWN: Final = tuple(key for key in _KEYS if key not in {"messages", "dictionary", "current_stacktrace"})
"""What is asked for where no key is named."""


def info_arguments(pid: Pid, keys: list[str] | None) -> list[Any]:
    """The arguments of `process_info` for a question of `Process.info`."""
    wanted = _SHOWN if keys is None else [key for key in keys if key in _KEYS]
    return [pid, [Atom(_KEYS[key]) for key in wanted]]


def info_answer(reason: Any, keys: tuple[str, ...]) -> tuple[str, Payload | str]:
    """The outcome and payload of the `Answer` to a question about a process.

    What is asked for and has no counterpart in Erlang is None.
    """
    match reason:
        case (Ref(), Atom("return"), list() as facts):
            known = {str(fact[0]): fact[1] for fact in facts if _is_pair(fact) and type(fact[0]) is Atom}
            found = {**dict.fromkeys(keys), **known}
            return "value", Payload(encode(found))
        case (Ref(), Atom("return"), _):
            return "value", Payload(encode(None))
        case (Ref(), Atom("error"), error, _):
            return "value", Payload(encode(Raised("ErlangError", repr(error))))
    return "exit", inward_reason(reason)


def leader_of(message: Any) -> Pid | None:
    """The group leader that a request for `rex` names; None if it names none."""
    match message:
        case (_, (Atom(), _, _, _, Pid() as leader)) | (Atom(), _, (Atom(), _, _, _, Pid() as leader)):
            return leader
    return None


def refusal_of(message: Any, here: str) -> tuple[Pid, Any] | None:
    """What a request for `rex` is answered where the policy forbids it: (to, message); None for a cast."""
    refused = Atom("badrpc"), Atom("notsup")
    match message:
        case (Atom("$gen_call"), (Pid() as caller, tag), _):
            return caller, (tag, refused)
        case (Pid() as caller, (Atom("call"), *_)):
            return caller, (Atom("rex"), refused)
        case (Pid() as caller, (Atom("sbcast") | Atom("send"), Atom() as name, _)):
            return caller, (Atom("rex"), Atom(here), (Atom("nonexisting_name"), name))
    return None


# ---------------------------------------------------------------- calls from an Erlang node


def peers_call(module: str, function: str, args: ErlangTerm) -> ErlangTerm:
    """The payload of a spawn that a peer asks for: `erpc.run(module, function, args)`, args as they came."""
    called = _binary(module) + _binary(function) + args.data
    return ErlangTerm(_RUN + b"l\0\0\0\x03" + called + b"j", args.atoms)


_RETURN: Final = b"w\x06return"


def result_term(ref: Ref, value: bytes, here: Incarnation | None) -> bytes:
    """The reason `{Ref, return, Value}` by which the process of a call ends, of a value that is a term."""
    return b"h\x03" + encode_term(ref, here) + _RETURN + value


def own_call(module: str, function: str, args: Sequence[Any], here: Incarnation) -> ErlangTerm:
    """The payload of a call that this node makes of itself for a peer."""
    return ErlangTerm(b"h\x03" + _binary(module) + _binary(function) + encode_term(list(args), here))
