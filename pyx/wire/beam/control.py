"""The control messages of Erlang's distribution, by their numbers, and the exit reasons that are words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom
from pyx.errors import DecodeError, EncodeError, ProtocolError
from pyx.signals import Discarded, Payload
from pyx.terms import LONGEST_WORD, Raised, Ref
from pyx.wire.beam.term import OF_NO_NODE, ErlangTerm
from pyx.wire.beam.term_writer import encode_term
from pyx.wire.codec import decode, encode

if TYPE_CHECKING:
    from pyx.signals import Reason
    from pyx.terms import Incarnation

LINK: Final = 1
SEND: Final = 2
EXIT: Final = 3
REG_SEND: Final = 6
GROUP_LEADER: Final = 7
EXIT2: Final = 8
MONITOR_P: Final = 19
DEMONITOR_P: Final = 20
MONITOR_P_EXIT: Final = 21
SEND_SENDER: Final = 22
PAYLOAD_EXIT: Final = 24
PAYLOAD_EXIT2: Final = 26
PAYLOAD_MONITOR_P_EXIT: Final = 28
SPAWN_REQUEST: Final = 29
SPAWN_REPLY: Final = 31
ALIAS_SEND: Final = 33
UNLINK_ID: Final = 35
UNLINK_ID_ACK: Final = 36

LINKED: Final = 1
MONITORED: Final = 2
"""The flags of a SPAWN_REPLY."""

_MAX_FRAMES: Final = 20
"""Each frame may make two atoms of a peer, and a `Raised` may come from a node that sends what it likes."""

WITHOUT_TOKEN: Final = {
    12: (SEND, -1), 13: (EXIT, 3), 16: (REG_SEND, -1), 18: (EXIT2, 3), 23: (SEND_SENDER, -1),
    25: (PAYLOAD_EXIT, -1), 27: (PAYLOAD_EXIT2, -1), 30: (SPAWN_REQUEST, -1), 32: (SPAWN_REPLY, -1),
    34: (ALIAS_SEND, -1),
}  # fmt: skip
"""The numbers that come while a peer traces sequentially: the same message, and the place of its token."""

WORDS: Final = frozenset(
    ("normal", "kill", "killed", "shutdown", "noproc", "noconnection", "timeout", "nosuspend")
)
"""The exit reasons that are atoms in Erlang and texts here.  Any other text is a binary there, for an atom is
never freed: a reason such as "order 4711 failed" would fill the peer's table of them."""


def without_token(control: tuple[Any, ...]) -> tuple[Any, ...]:
    """The control message without the token of a sequential trace."""
    found = WITHOUT_TOKEN.get(control[0])
    if found is None:
        return control
    number, place = found
    rest = list(control[1:])
    try:
        del rest[place - 1 if place > 0 else place]
    except IndexError:
        raise ProtocolError(f"control message {control[0]} is too short") from None
    return (number, *rest)


def outward_reason(reason: Reason, here: Incarnation) -> bytes:
    """An exit reason as the peer sees it, as a term."""
    if type(reason) is str:
        return reason_term(reason, here)
    assert isinstance(reason, Payload)
    data = reason.data
    if type(data) is ErlangTerm and not data.atoms:
        return data.data
    value = decode(reason, here)
    return reason_term((value, stack_of(value)) if type(value) is Raised else value, here)


def reason_term(reason: Any, here: Incarnation) -> bytes:
    """The term of an exit reason.

    What Erlang cannot hold becomes an error that says so, because the end of a process has to be told.
    """
    try:
        return encode_term(reason_in_words(reason), here, what="reason")
    except EncodeError as error:
        raised = Raised("EncodeError", str(error))
        match reason:
            case (Ref() as ref, Atom("exit" | "error"), *_):  # the process was a call by `erpc`
                return encode_term((ref, Atom("error"), raised, []), here)
        return encode_term((raised, []), here)


def stack_of(raised: Raised) -> list[Any]:
    """The stack in a crash's reason: the innermost call first.

    Logger and `Exception.format_exit` of Elixir show `shop.py:7: :shop.total/1`.  Of the path of a file only
    the name is sent: Elixir's own frames have paths inside their projects.
    """
    stack = []
    for path, line, function, parameters in reversed(raised.frames[-_MAX_FRAMES:]):
        file = path.rpartition("/")[2]
        place = [(Atom("file"), list(map(ord, file))), (Atom("line"), line)]
        module = file.removesuffix(".py")
        stack.append((Atom(module[:LONGEST_WORD]), Atom(function[:LONGEST_WORD]), parameters, place))
    return stack


def reason_in_words(reason: Any) -> Any:
    """An exit reason whose word is an atom: one of `WORDS`, or that of `("shutdown", anything)`."""
    if type(reason) is str:
        return Atom(reason) if reason in WORDS else reason
    if type(reason) is tuple and len(reason) == 2 and type(reason[0]) is str and reason[0] == "shutdown":
        return Atom("shutdown"), reason[1]
    return reason


def inward_reason(reason: Any) -> Reason:
    """An exit reason of a peer as the kernel sees it.

    It is encoded anew: a chain of links may carry it on to nodes that do not speak Erlang's dialect.  An
    exception alone stays a term, so that it goes on to Erlang nodes without the stack that one of Python has.
    """
    if type(reason) is Atom and reason in WORDS:
        return str(reason)
    if type(reason) is Raised:
        return Payload(ErlangTerm(encode_term(reason, None)), OF_NO_NODE)
    return Payload(encode(reason))


def inward_message(message: ErlangTerm | Discarded | None, here: Incarnation) -> Any:
    """The value of the message behind a control message.

    Raises:
        DecodeError: it was too long to be kept, or is malformed.
    """
    if message is None:
        raise ProtocolError("a control message comes without its message")
    if isinstance(message, Discarded):
        raise DecodeError(message.why)
    return message.decode(here)
