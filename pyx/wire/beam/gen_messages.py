"""Calls of servers in Erlang's dialect: the messages of OTP's `gen` and `sys`, and their words.

Servers here say in texts what OTP's say in atoms.  Towards an Erlang node those words are atoms; what comes
from one needs no change, for an atom equals its text.

An exception takes the place of a reply here (`otp/protocol.py`); an Elixir caller sees what it sees where a
server of Elixir fails: an exit of its own, with the exception as the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.atoms import Atom
from pyx.erlang_terms import ImproperList
from pyx.terms import Pid, Raised, Ref
from pyx.wire.beam.control import reason_in_words, stack_of
from pyx.wire.beam.etf_tags import NEWER_REFERENCE, SMALL_TUPLE
from pyx.wire.beam.term import ErlangTerm
from pyx.wire.beam.term_writer import encode_term

if TYPE_CHECKING:
    from pyx.terms import Incarnation

ALIAS_TAG: Final = Atom("alias")

_LEADS: Final = frozenset(("$gen_cast", "$gen_call"))
_LEADS_OF_OTP: Final = frozenset((*_LEADS, "system"))
_QUESTIONS: Final = frozenset(("get_state", "get_status", "suspend", "resume"))


# ---------------------------------------------------------------- words


def outward_message(message: Any) -> Any:
    """A message as the peer sees it: what leads OTP's casts, calls and system messages is an atom there."""
    if type(message) is tuple and message and type(message[0]) is str and message[0] not in _LEADS_OF_OTP:
        return message  # as below; most messages
    match message:
        case ("system", (Pid() as caller, Ref() as ref), request):
            return Atom("system"), (caller, ImproperList([ALIAS_TAG], ref)), outward_system_request(request)
        case (str(lead), *rest) if lead in _LEADS and type(message) is tuple:
            return Atom(lead), *rest
    return message


def outward_system_request(request: Any) -> Any:
    """A request of OTP's `sys` as a server there understands it."""
    match request:
        case str(word) if word in _QUESTIONS:
            return Atom(word)
        case ("terminate", reason):
            return Atom("terminate"), reason_in_words(reason)
        case ("debug", ("trace", bool(is_on), *_)):
            return Atom("debug"), (Atom("trace"), is_on)
    return request


def outward_system_reply(value: Any, has_bare_states: bool) -> Any:
    """The reply of a server here to a request of `sys`, as one of the peer's release of OTP replies."""
    match value:
        case "ok":
            return Atom("ok")
        case ("ok", state):
            return state if has_bare_states else (Atom("ok"), state)
        case ("error", ("unknown_system_msg", request)):
            return Atom("error"), (Atom("unknown_system_msg"), request)
        case ("status", pid, ("module", str(module)), [dict() as kept, str(state), parent, debug, details]):
            debug = [(Atom("trace"), True)] if debug else []
            facts = [list(kept.items()), Atom(state), parent, debug, details]
            return Atom("status"), pid, (Atom("module"), Atom(module)), facts
    return value


_GET_STATE: Final = b"w\x09get_state"
_OK: Final = b"h\x02w\x02ok"


def asks_for_state(request: bytes) -> bool:
    """Returns True for the term of the request `get_state`."""
    return request == _GET_STATE


def with_ok(state: ErlangTerm) -> ErlangTerm:
    """The reply `{ok, State}` of a server whose release of OTP replies with the state alone."""
    return ErlangTerm(_OK + state.data, state.atoms)


# ---------------------------------------------------------------- failures in the place of a reply

_FAILURE: Final = b"h\x02m\0\0\0"
_LEAD_OF_FAILURES: Final = b"$gen_"


def is_failure(value: bytes) -> bool:
    """Returns True if the term of a reply may be a failure: a pair led by a text `$gen_...`."""
    return value.startswith(_FAILURE) and value[7:12] == _LEAD_OF_FAILURES


def exit_of_caller(value: Any) -> Any:
    """The reason with which a failure ends its caller; None for a value."""
    match value:
        case ("$gen_raised", Raised() as raised):
            return raised, stack_of(raised)
        case ("$gen_undefined", list(names)):
            known = ", ".join(map(str, names)) or "no request"
            text = f"the server has no handler for this request; it knows {known}"
            return Raised("CallUndefined", text), []
        case ("$gen_refused", str(text)):
            return Raised("CallRefused", text), []
    return None


# ---------------------------------------------------------------- the messages


def gen_call_term(frm: Pid, ref: Ref, request: bytes, here: Incarnation, *, is_system: bool) -> bytes:
    """The message of a call: `{'$gen_call', {From, [alias | Ref]}, Request}`, of a request that is a term."""
    caller = frm, ImproperList([ALIAS_TAG], ref)
    what = Atom("system" if is_system else "$gen_call")
    return b"h\x03" + encode_term(what, here) + encode_term(caller, here) + request


class ServerCall(NamedTuple):
    """A call of a server here, as it came.

    `ref` is the reference of an alias that the reply goes to; None if the reply goes to the caller, and is
    known by the *tag*.
    """

    caller: Pid
    tag: Any
    ref: Ref | None
    is_system: bool
    request: ErlangTerm


def gen_call_of(message: ErlangTerm, here: Incarnation) -> ServerCall | None:
    """The call in a message `{'$gen_call', {From, Tag}, Request}`; None if it is none."""
    what, at = message.item_at(2, here)
    frm, end = message.item_at(at, here)
    match frm:
        case (Pid() as caller, tag) if end > at:
            ref = tag.tail if type(tag) is ImproperList and tag.items[0] == "alias" else None
            request = ErlangTerm(message.data[end:], message.atoms)
            return ServerCall(caller, tag, ref if type(ref) is Ref else None, what == "system", request)
    return None


LEAD_OF_REPLIES_BY_HAND: Final = bytes((SMALL_TUPLE, 2, NEWER_REFERENCE))
"""The first bytes of `(ref, value)`, by which a process that is not a server may answer a call."""


def gen_reply_term(ref: Ref, value: bytes, here: Incarnation) -> bytes:
    """The message of a reply to an alias: `{[alias | Ref], Value}`, of a value that is a term."""
    return tagged_reply_term(ImproperList([ALIAS_TAG], ref), value, here)


def tagged_reply_term(tag: Any, value: bytes, here: Incarnation) -> bytes:
    """The message of a reply to a caller: `{Tag, Value}`, of a value that is a term."""
    return b"h\x02" + encode_term(tag, here) + value


def gen_reply(ref: Ref, message: ErlangTerm, here: Incarnation) -> ErlangTerm | None:
    """The value of a reply to a call with that reference; None for any other message to an alias."""
    if message.data[:2] != b"h\x02":
        return None
    match message.item_at(2, here):
        case ((ImproperList(items=(Atom("alias"),), tail=tag) | (Ref() as tag)), end) if tag == ref:
            return ErlangTerm(message.data[end:], message.atoms)
    return None
