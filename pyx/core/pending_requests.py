"""Requests that wait for an answer, by number; and the way of an answer to its waiter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.core.effects import Answered
from pyx.options import RPC_POLICIES
from pyx.signals import Answer, Ask, Call, Payload, Ping

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.core.processes import Caller, Starter
    from pyx.core.routing import Router
    from pyx.core.tables import Tables
    from pyx.signals import Signal
    from pyx.terms import Pid, Ref

_new: Final = tuple.__new__  # see `requests.py`

NONSENSE: Final = "nonsense"
"""The outcome of a request that its peer answered with something else; the body says what was asked."""


class UnansweredRequest(NamedTuple):
    """A request without an answer yet.

    `waiter` is an object of the runtime, None for a request that was abandoned; `peer` the session it was
    sent over, None for this node.  For a spawn, `spawner` is to be linked to the new process if `link`, and
    monitors it by `monitor` unless that is None.
    """

    waiter: object
    peer: Peer | None
    kind: type[Signal]
    spawner: Pid | None = None
    link: bool = False
    monitor: Ref | None = None
    caller: Pid | None = None
    """Of a call: the process that asks."""


class PendingRequests(dict[int, UnansweredRequest]):
    """The table, and the two ends of an answer: sent to a caller, received for a waiter."""

    def __init__(self, tables: Tables, router: Router) -> None:
        super().__init__()
        self._tables = tables
        self._router = router
        self.numbers: Final = tables.numbers
        """The numbers of requests to come: `next` returns one that no request has had."""

    def of_peer(self, peer: Peer | None, number: int) -> UnansweredRequest | None:
        """Returns the request of that number if it was made to that peer: no other may answer it."""
        pending = self.get(number)
        return pending if pending is not None and pending.peer is peer else None

    def abandon(self, number: int) -> object:
        """Gives up a request, so that its answer is dropped when it comes.

        A spawn goes on, and its links and monitors will be set up.  Returns what waited, for its last
        reference to end outside of the lock.
        """
        pending = self.pop(number, None)
        if pending is not None and pending.spawner is not None:
            self[number] = pending._replace(waiter=None)
        return pending

    def answer(
        self, caller: Caller | Starter, outcome: str, body: Payload | str, frm: Pid | None = None
    ) -> None:
        """Sends an answer to a caller, on this node or another, unless its session is over."""
        if not caller.node:
            self.answered(None, caller.number, outcome, body)
            return
        peer = self._tables.peers.get(caller.node)
        if peer is not None and peer.session == caller.session:  # else the caller has got `noconnection`
            self._router.enqueue(peer, _new(Answer, (caller.number, outcome, body, frm)))

    def answered(
        self, peer: Peer | None, number: int, outcome: str, body: Payload | str | Pid | None
    ) -> None:
        """Hands the answer of a peer (None: of this node) to its waiter; drops one that nothing waits for."""
        pending = self.get(number)
        if pending is None or pending.peer is not peer:
            return
        del self[number]
        kind = pending.kind
        is_value = outcome == "value" and kind is Call and type(body) is Payload  # the most frequent answer
        if is_value or _makes_sense(kind, outcome, body):
            waiter = pending.waiter
            if waiter is not None:
                self._tables.effects.append(_new(Answered, (waiter, outcome, body, None)))
        else:
            self.tell(pending.waiter, NONSENSE, f"it does not answer the {kind.__name__}")

    def tell(self, waiter: object | None, outcome: str, body: Payload | str | Pid | None) -> None:
        """Reports the outcome of a request to its waiter; nothing for None."""
        if waiter is not None:
            self._tables.effects.append(Answered(waiter, outcome, body))


def _makes_sense(kind: type[Signal], outcome: str, body: Payload | str | Pid | None) -> bool:
    """Returns whether that answers a request of that kind: a peer may send anything."""
    match outcome:
        case "value":
            return kind in {Call, Ask} and type(body) is Payload
        case "raised" | "undefined":
            return kind is Call and type(body) is Payload
        case "exit":
            return kind is Call and body is not None
        case "refused":
            return kind is not Ping and body in RPC_POLICIES
        case "pong":
            return kind is Ping and body is None
        case _:
            return False
