"""Two nodes at two addresses, and a bad network between them: without root, by a proxy in Python.

Each node listens elsewhere than its name says, and a proxy stands where the name leads; so all that passes
between them, dialled by either end, passes a proxy.
"""

from __future__ import annotations

import contextlib
import logging
from random import Random
from typing import TYPE_CHECKING, Any, Self

import pytest

from pyx import Node, receive, send
from pyx.wire.handshake.tls import RECORD_BYTES
from tests.net.fault_proxy import FaultProxy
from tests.net.test_tcp_carrier import free_port
from tests.staging import HANG, Running, Stage, as_process, in_kernel, start_node, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode

GUS, BOB = "gus@127.0.0.1", "bob@127.0.0.2"


class Pair:
    """gus, who dials, and bob; `there` is the way from gus to bob over bob's proxy, `back` the other one."""

    def __init__(self, stage: Stage, tick: float) -> None:
        self._doors = contextlib.ExitStack()
        port = free_port()
        self.gus, self.bob = (self._node(stage, name, port, tick) for name in (GUS, BOB))
        # gus is behind one too, so that bob's dials pass a proxy as well.
        self.to_gus, self.to_bob = (
            self._doors.enter_context(FaultProxy((f"127.0.0.{at}", port), (f"127.0.0.10{at}", port)))
            for at in (1, 2)
        )
        self.there, self.back = self.to_bob.there, self.to_bob.back

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._doors.close()

    @staticmethod
    def _node(stage: Stage, name: str, port: int, tick: float) -> LocalNode:
        node = stage.make()
        listen = f"127.0.0.10{name[-1]}"
        start_node(node, name, tick=tick, long=True, listen=listen, port=port)
        return node

    def meet(self) -> None:
        """They are connected, after as many tries as that takes."""
        until(lambda: as_process(self.gus, lambda: Node.ping(BOB)) == "pong")
        until(self.are_connected)

    def are_connected(self) -> bool:
        return (nodes(self.gus), nodes(self.bob)) == ([BOB], [GUS])

    def are_apart(self) -> bool:
        return (nodes(self.gus), nodes(self.bob)) == ([], [])

    def ear(self, count: int) -> Running:
        """A process of bob that waits for so many messages to the name `ear`."""
        running = Running(self.bob, lambda: [receive(timeout=HANG) for _ in range(count)])
        in_kernel(self.bob, self.bob.kernel.registry.register, running.pid, "ear")
        return running

    def tell(self, *messages: Any) -> None:
        """gus sends them to `ear`, and does not wait for room."""
        as_process(self.gus, lambda: [send(("ear", BOB), message, nosuspend=True) for message in messages])


def nodes(node: LocalNode) -> list[str]:
    return in_kernel(node, node.kernel.membership.nodes, ("visible",))


@pytest.fixture
def tick() -> float:
    return 15.0


@pytest.fixture
def pair(stage: Stage, tick: float) -> Iterator[Pair]:
    with Pair(stage, tick) as pair:
        yield pair


class TestBytesThatComeLate:
    def test_one_at_a_time_are_the_same_conversation(self, pair: Pair) -> None:
        pair.there.in_single_bytes = pair.back.in_single_bytes = True
        pair.meet()
        ear = pair.ear(2)
        pair.tell(("a", bytes(20_000)), "b")
        assert ear.outcome() == [("a", bytes(20_000)), "b"]

    def test_keep_their_order(self, pair: Pair) -> None:
        chance = Random(5)
        pair.there.delay = pair.back.delay = lambda: chance.uniform(0, 0.01)
        pair.meet()
        ear = pair.ear(300)
        for number in range(300):
            pair.tell(number)
        assert ear.outcome() == list(range(300))

    @pytest.mark.parametrize("tick", [1.0])
    @pytest.mark.parametrize("ways", [("there",), ("back",), ("there", "back")])
    def test_so_late_that_one_side_hears_nothing_end_the_session_for_both(
        self, ways: tuple[str, ...], pair: Pair
    ) -> None:
        pair.meet()
        down = Running(pair.gus, lambda: (Node.monitor(BOB, True), receive(timeout=HANG))[1])
        held = [getattr(pair, way) for way in ways]
        for way in held:
            way.is_open.clear()
        assert down.outcome() == ("nodedown", BOB)
        until(lambda: nodes(pair.gus) == [])
        for way in held:
            way.is_open.set()
        until(pair.are_apart)
        pair.meet()
        ear = pair.ear(1)
        pair.tell("again")
        assert ear.outcome() == ["again"]


class TestACut:
    @pytest.mark.parametrize("place", [1, 100, RECORD_BYTES - 1, RECORD_BYTES, 500_000])
    def test_in_the_middle_of_a_message_loses_that_alone(self, place: int, pair: Pair) -> None:
        pair.meet()
        ear = pair.ear(1)
        pair.there.cuts(place)
        pair.tell(bytes(1_000_000))
        until(pair.are_apart)
        pair.meet()
        pair.tell("whole")
        assert ear.outcome() == ["whole"]


class TestAChangedByte:
    @pytest.mark.parametrize("place", [0, 1, 3, 4, 5, 100, 40_000])
    def test_ends_the_session_with_one_line_and_never_arrives(
        self, place: int, pair: Pair, caplog: pytest.LogCaptureFixture
    ) -> None:
        pair.meet()
        ear = pair.ear(1)
        caplog.set_level(logging.INFO, "pyx")
        pair.there.flips(place)
        pair.tell(bytes(1_000_000))
        until(pair.are_apart)
        until(lambda: f"node {GUS} is down: " in caplog.text)  # said when the kernel is done with it
        lines = [record.getMessage() for record in caplog.records if GUS in record.getMessage()]
        assert len(lines) == 1
        assert "Traceback" not in caplog.text
        pair.meet()
        pair.tell("whole")
        assert ear.outcome() == ["whole"]
