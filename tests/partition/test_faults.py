"""Two nodes at two addresses with a bad network between them: a proxy in Python, without root.

Each node listens at another address than that of its name, where a proxy listens; so all bytes between the
two, dialled by either end, pass a proxy.
"""

from __future__ import annotations

import contextlib
import logging
from random import Random
from typing import TYPE_CHECKING, Any, Self

import pytest

from pyx import Node, receive, send
from pyx.wire.handshake.tls import RECORD_BYTES
from tests.local_nodes import HANG, LocalNodes, Running, as_process, connected, in_kernel, start_node, until
from tests.net.fault_proxy import FaultProxy
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode

GUS, BOB = "gus@127.0.0.1", "bob@127.0.0.2"


class Pair:
    """gus, which dials, and bob; `there` is the direction to bob in bob's proxy, `back` that to gus."""

    def __init__(self, nodes: LocalNodes, tick: float) -> None:
        self._proxies = contextlib.ExitStack()
        port = free_port()
        self.gus, self.bob = (self._node(nodes, name, port, tick) for name in (GUS, BOB))
        # gus has a proxy too, so that bob's dials pass one as well.
        self.to_gus, self.to_bob = (
            self._proxies.enter_context(FaultProxy((f"127.0.0.{at}", port), (f"127.0.0.10{at}", port)))
            for at in (1, 2)
        )
        self.there, self.back = self.to_bob.there, self.to_bob.back

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._proxies.close()

    @staticmethod
    def _node(nodes: LocalNodes, name: str, port: int, tick: float) -> LocalNode:
        node = nodes.make()
        listen = f"127.0.0.10{name[-1]}"
        start_node(node, name, tick=tick, long=True, listen=listen, port=port)
        return node

    def meet(self) -> None:
        """Connects the two, after any number of tries."""
        until(lambda: as_process(self.gus, lambda: Node.ping(BOB)) == "pong")
        until(self.are_connected)

    def are_connected(self) -> bool:
        return (connected(self.gus), connected(self.bob)) == ([BOB], [GUS])

    def are_apart(self) -> bool:
        return (connected(self.gus), connected(self.bob)) == ([], [])

    def receiver(self, count: int) -> Running:
        """Starts a process of bob, registered as `receiver`, that receives *count* messages."""
        running = Running(self.bob, lambda: [receive(timeout=HANG) for _ in range(count)])
        in_kernel(self.bob, self.bob.kernel.registry.register, running.pid, "receiver")
        return running

    def send_from_gus(self, *messages: Any) -> None:
        """Sends *messages* from gus to `receiver`, without waiting for a busy connection."""
        as_process(
            self.gus, lambda: [send(("receiver", BOB), message, nosuspend=True) for message in messages]
        )


@pytest.fixture
def tick() -> float:
    return 15.0


@pytest.fixture
def pair(nodes: LocalNodes, tick: float) -> Iterator[Pair]:
    with Pair(nodes, tick) as pair:
        yield pair


class TestDelayedBytes:
    def test_messages_pass_a_network_of_single_bytes(self, pair: Pair) -> None:
        pair.there.in_single_bytes = pair.back.in_single_bytes = True
        pair.meet()
        receiver = pair.receiver(2)
        pair.send_from_gus(("a", bytes(20_000)), "b")
        assert receiver.outcome() == [("a", bytes(20_000)), "b"]

    def test_messages_keep_their_order_on_a_network_with_delays(self, pair: Pair) -> None:
        chance = Random(5)
        pair.there.delay = pair.back.delay = lambda: chance.uniform(0, 0.01)
        pair.meet()
        receiver = pair.receiver(300)
        for number in range(300):
            pair.send_from_gus(number)
        assert receiver.outcome() == list(range(300))

    @pytest.mark.parametrize("tick", [1.0])
    @pytest.mark.parametrize("ways", [("there",), ("back",), ("there", "back")])
    def test_connection_with_a_silent_direction_ends_for_both_nodes(
        self, ways: tuple[str, ...], pair: Pair
    ) -> None:
        pair.meet()
        down = Running(pair.gus, lambda: (Node.monitor(BOB, True), receive(timeout=HANG))[1])
        held = [getattr(pair, way) for way in ways]
        for way in held:
            way.is_open.clear()
        assert down.outcome() == ("nodedown", BOB)
        until(lambda: connected(pair.gus) == [])
        for way in held:
            way.is_open.set()
        until(pair.are_apart)
        pair.meet()
        receiver = pair.receiver(1)
        pair.send_from_gus("again")
        assert receiver.outcome() == ["again"]


class TestCut:
    @pytest.mark.parametrize("place", [1, 100, RECORD_BYTES - 1, RECORD_BYTES, 500_000])
    def test_cut_inside_a_message_loses_that_message_alone(self, place: int, pair: Pair) -> None:
        pair.meet()
        receiver = pair.receiver(1)
        pair.there.cuts(place)
        pair.send_from_gus(bytes(1_000_000))
        until(pair.are_apart)
        pair.meet()
        pair.send_from_gus("whole")
        assert receiver.outcome() == ["whole"]


class TestChangedByte:
    @pytest.mark.parametrize("place", [0, 1, 3, 4, 5, 100, 40_000])
    def test_changed_byte_ends_the_connection_with_one_log_line(
        self, place: int, pair: Pair, caplog: pytest.LogCaptureFixture
    ) -> None:
        pair.meet()
        receiver = pair.receiver(1)
        caplog.set_level(logging.INFO, "pyx")
        pair.there.flips(place)
        pair.send_from_gus(bytes(1_000_000))
        until(pair.are_apart)
        until(lambda: f"node {GUS} is down: " in caplog.text)  # logged when the kernel has handled it
        lines = [record.getMessage() for record in caplog.records if GUS in record.getMessage()]
        assert len(lines) == 1
        assert "Traceback" not in caplog.text
        pair.meet()
        pair.send_from_gus("whole")
        assert receiver.outcome() == ["whole"]
