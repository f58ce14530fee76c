"""Endpoints of several nodes on one loop, each with an owner that records its calls."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self

from pyx.core.peers import PYX
from pyx.net.endpoint import Endpoint

if TYPE_CHECKING:
    from pyx.net.arrivals import Arrival
    from pyx.net.carrier import Carrier
    from pyx.terms import Incarnation
    from pyx.wire.handshake.events import Status
    from tests.net.conftest import LoopThread

HANG: Final = 30.0
KEY: Final = b"k" * 32


class DialFailed(NamedTuple):
    name: str
    reason: str
    hint: str | None = None


class Node:
    """A node's endpoint, and an owner that records its calls.

    Args:
        loop_thread: runs the endpoint.
        incarnation: of the node.
        carrier: of the node.
        hidden: True for a hidden node.
        key: of the cookie for all nodes that are not in `keys`.
    """

    def __init__(
        self,
        loop_thread: LoopThread,
        incarnation: Incarnation,
        carrier: Carrier,
        *,
        hidden: bool = False,
        key: bytes = KEY,
    ) -> None:
        self.status: Status = "ok"
        self.key = key
        self.keys: dict[str, bytes] = {}
        self.outcomes: queue.SimpleQueue[Arrival | DialFailed] = queue.SimpleQueue()
        self.refusals: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.shortages: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[tuple[str, int, bool]] = queue.SimpleQueue()
        self.arrivals: list[Arrival] = []
        self.incarnation = incarnation
        self._loop_thread = loop_thread
        self.endpoint = loop_thread.call(
            lambda: Endpoint(incarnation, hidden=hidden, owner=self, carrier=carrier)
        )

    def listen(self) -> Self:
        self._loop_thread.run(self.endpoint.listen())
        self._loop_thread.call(self.endpoint.accept)
        return self

    def close(self) -> None:
        self._loop_thread.run(self.endpoint.close())
        for arrival in self.arrivals:
            arrival.stream.close()

    def dials(self, name: str, number: int | None = 1) -> None:
        self._loop_thread.call(lambda: self.endpoint.dial(name, number))

    def cancels(self, name: str) -> None:
        self.dials(name, None)

    def reaches(self, name: str) -> Arrival | DialFailed:
        self.dials(name)
        return self.outcomes.get(timeout=HANG)

    # called by the endpoint

    def key_for(self, name: str) -> bytes:
        return self.keys.get(name, self.key)

    def erlang_cookie_for(self, name: str) -> bytes:
        return self.key_for(name)

    def preview(self, name: str) -> Literal["ok", "ok_simultaneous", "nok", "alive"]:
        return "ok"

    def claimed(self, name: str, creation: int, *, hidden: bool, dialect: str = PYX) -> tuple[Status, object]:
        self.asked.put((name, creation, hidden))
        return self.status, f"the peer {name}"

    def established(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        if arrival.first:  # as a connection does first
            arrival.stream.send(arrival.first)
        self.outcomes.put(arrival)

    def dial_failed(self, name: str, reason: str, hint: str | None) -> None:
        self.outcomes.put(DialFailed(name, reason, hint))

    def connection_refused(self, reason: str) -> None:
        self.refusals.put(reason)

    def cannot_accept(self, number: int) -> None:
        self.shortages.put(number)
