"""Two nodes that ask each other more than either reads before its own answers have left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx import Node, Process, receive
from pyx.core.outbox import LOADED_BYTES
from pyx.signals import SIGNAL_BYTES
from pyx.terms import Pid
from tests.local_nodes import LocalNodes, Running, as_process

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode

ASKED = 3 * LOADED_BYTES // (2 * SIGNAL_BYTES)


def asks(node: LocalNode, other: LocalNode) -> Running:
    """Monitors very many dead processes of the other node, and receives a DOWN for each."""
    name, creation = other.kernel.tables.name, other.kernel.tables.creation

    def ask_and_hear() -> set[Any]:
        for number in range(ASKED):
            Process.monitor(Pid(1_000_000 + number, 0, name, creation))
        return {receive(("DOWN", ..., "process", ..., ...))[4] for _ in range(ASKED)}

    return Running(node, ask_and_hear)


def test_two_nodes_that_flood_each_other_answer_all_requests(nodes: LocalNodes) -> None:
    one, other = nodes.start("one"), nodes.start("other")
    assert as_process(one, lambda: Node.ping("other")) == "pong"
    peers = [one.kernel.tables.peers["other@test"], other.kernel.tables.peers["one@test"]]
    asking = [asks(one, other), asks(other, one)]
    assert [process.outcome(hang=120) for process in asking] == [{"noproc"}, {"noproc"}]
    assert [peer.state for peer in peers] == ["up", "up"]
    assert as_process(one, lambda: Node.ping("other")) == "pong"
