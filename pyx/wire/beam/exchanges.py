"""The requests of one connection that wait for their answers: pyx's numbers beside Erlang's references.

One side of a connection writes while another thread reads: what one adds here the other takes out, each in
one operation of a dict.  All of it ends with the connection.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.terms import Ref

if TYPE_CHECKING:
    from pyx.terms import Incarnation, Pid

_CALLS: Final = 1 << 64
_CASTS: Final = 2 << 64
_PINGS: Final = 3 << 64
_TAGS: Final = 4 << 64
_SCOPES: Final = 5 << 64
"""Added to the numbers of requests: references that are not those of the kernel, which have 64 bits."""

_NUMBER: Final = (1 << 64) - 1


class PeersRequest(NamedTuple):
    """A spawn that the peer has asked for: its SPAWN_REQUEST, less what the kernel knows.

    `flags` are those of SPAWN_REPLY: 1 for a link, 2 for a monitor.  `wants_reply` is False for a question to
    one of OTP's servers, for which a process is started here; `refusal` is what is said in its place if it is
    refused: (to, message).
    """

    reference: Ref
    frm: Pid
    flags: int
    wants_reply: bool = True
    refusal: tuple[Pid, Any] | None = None


class OwnRequest(NamedTuple):
    """A call or spawn that this node has asked for.

    `kind` is `"spawn"`, `"call"` or `"info"`; `function` a module, a function and its number of arguments;
    `keys` what a question about a process asks for.
    """

    number: int
    kind: str
    function: tuple[str, str, int]
    keys: tuple[str, ...] = ()


class PeersCall(NamedTuple):
    """A call of a server here by a process of the peer, which waits by a reference of its own.

    `target` is the server as the caller named it; `is_system` is True for a request of OTP's `sys`.
    """

    caller: Pid
    target: Pid | str
    is_system: bool


class Exchanges:
    """The open requests of one connection.

    Args:
        has_bare_states: the peer's `sys` answers `get_state` with the state alone, as before OTP 28, which
            answers `{ok, State}`.
    """

    def __init__(self, *, has_bare_states: bool = True) -> None:
        self.has_bare_states: Final = has_bare_states
        self._numbers = itertools.count(1)
        self.of_peer: Final[dict[int, PeersRequest]] = {}
        """By the number that the kernel answers them by."""
        self.echoes: Final[dict[int, tuple[Any, ...]]] = {}
        """By the number of the `Ping` for the kernel: (control, message) that its `Pong` becomes."""
        self.gen_calls: Final[dict[Ref, tuple[Pid, Pid | str, bool]]] = {}
        """By the reference of a call of a server there: caller and server, whose monitor is to end; True
        where the reply is a bare state."""
        self.calls_of_peer: Final[dict[Ref, PeersCall]] = {}
        """By the reference of a call of a server here: who waits, until there is a reply or an end."""
        self.tags: Final[dict[Ref, tuple[Pid, Any]]] = {}
        """By a reference made here: the caller and the tag of a call whose reply goes to the caller."""
        self.own: Final[dict[Ref, OwnRequest]] = {}
        """By the reference that the peer answers them by."""

    def tagged(self, caller: Pid, tag: Any, there: Incarnation) -> Ref:
        """Notes a call of a peer whose reply goes to its caller; returns a reference for its tag."""
        ref = Ref(_TAGS | next(self._numbers), *there)
        self.tags[ref] = caller, tag
        return ref

    def asked_by_peer(self, request: PeersRequest) -> int:
        """Notes a request of the peer; returns its number for the kernel."""
        number = next(self._numbers)
        self.of_peer[number] = request
        return number

    def echo(self, control: tuple[Any, ...], message: Any) -> int:
        """Notes an answer for the peer that the kernel has no part in; returns the number of its `Ping`."""
        number = next(self._numbers)
        self.echoes[number] = control, message
        return number

    def ask(self, request: OwnRequest, reference: Ref | None = None) -> Ref:
        """Notes a request of this node; returns the reference that the peer answers by."""
        if reference is None:
            reference = Ref(_CALLS | request.number)
        self.own[reference] = request
        return reference

    def scope_monitor(self) -> Ref:
        """Returns the reference of a monitor of a scope there."""
        return Ref(_SCOPES | next(self._numbers))

    def cast(self) -> Ref:
        """Returns the reference of a request whose answer is not waited for."""
        return Ref(_CASTS | next(self._numbers))


def ping_tag(number: int) -> Ref:
    """Returns the tag by which a peer answers the `Ping` of that number."""
    return Ref(_PINGS | number)


def pinged(tag: object) -> int | None:
    """Returns the number of the `Ping` whose tag this is; None for any other value."""
    if type(tag) is not Ref or tag.node or tag.number >> 64 != _PINGS >> 64:
        return None
    return tag.number & _NUMBER
