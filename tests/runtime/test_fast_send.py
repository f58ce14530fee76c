"""fast_send.py: Conversations are the same with and without fast paths, in every detail."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pyx import Process, fast_paths, receive, send
from pyx.core.mailbox import MailboxLimit
from pyx.core.outbox import HIGH_WATER_BYTES
from pyx.errors import EncodeError, NoProcess, ProcessKilled, ReceiveTimeout
from pyx.execution.kill_retry import KillRetry
from pyx.runtime import sending
from pyx.runtime.fast_send import send_fast
from pyx.signals import Payload
from pyx.terms import Pid, Ref
from tests.local_nodes import in_kernel, in_the_name_of_a_process, new_runner, start_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.peers import Peer
    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

MESSAGES: list[Any] = [
    1,
    ("add", 1),
    ("add", {"name": "nike", "qty": 30}),
    ["a", ("b", Pid(3))],
    "x" * 30,
    b"x" * 5000,
    {"deep": [[[("set", {1, 2})]]]},
    object(),  # is refused
]
PATTERNS: list[tuple[Any, ...]] = [
    (),
    (...,),
    (int,),
    (("add", int),),
    (("add", dict), str),
    (("never", ...),),
    (lambda value: value == 1, list),
]


class World(NamedTuple):
    """A node with a peer that takes nothing, and some processes without code; and what the sender saw."""

    node: LocalNode
    peer: Peer
    others: list[Runner]
    wakes: list[int]
    log: list[Any]

    @property
    def state(self) -> Any:
        """What is in the mailboxes and in the queue of the peer, and how it is counted."""
        boxes = [other.process.mailbox for other in self.others]
        return (
            [(box.snapshot(), box.delivered, box.moved, len(box)) for box in boxes],
            [(other.process.waiting, other.gate.closed) for other in self.others],
            list(self.peer.out),
            self.peer.out.enqueued,
            self.peer.sent_since_tick,
            self.wakes,
            self.node.kernel.tables.effects,
            self.node.dispatch.deferred,
            self.node.dispatch.lock.locked(),
        )


class NotedSlot:
    """A slot that notes who is woken."""

    def __init__(self, number: int, wakes: list[int]) -> None:
        self._number, self._wakes = number, wakes

    def wake(self) -> None:
        self._wakes.append(self._number)


def new_world(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, name: str) -> World:
    node = nodes.make()
    start_node(node, name)
    peer = in_kernel(node, lambda: node.kernel.router.new_session("b@test", dialled=True))
    peer.state, peer.last_received = "up", float("inf")
    log: list[Any] = []
    wakes: list[int] = []
    others = [new_runner(node) for _ in range(4)]
    for number, other in enumerate(others):
        other.slot = NotedSlot(number, wakes)
    in_kernel(node, node.kernel.registry.register, others[1].process.pid, "one")
    others[2].process.mailbox.set_limit(MailboxLimit(3, "block"))
    others[3].process.mailbox.set_limit(MailboxLimit(20, "kill"))
    # No process here has a thread: a kill that is repeated after a while would wake its slot once more.
    monkeypatch.setattr(node.processes, "kills", KillRetry(lambda *_: None, time.monotonic))
    monkeypatch.setattr(sending, "_wait", lambda _, queue: log.append(("waits", queue.busy_reason)))
    return World(node, peer, others, wakes, log)


def destinations(world: World) -> list[Any]:
    pids, own = [other.process.pid for other in world.others], world.node.kernel.tables.name
    alias = in_kernel(world.node, world.node.kernel.router.alias, world.others[0].process, once=True)
    return [
        *pids, *pids, "one", "none", ("one", "b@test"), ("one", "b"), ("one", own), Pid(4711), Pid(1, 7),
        Pid(5, 0, "b@test", 9), Pid(5, 0, "b@test", 9), Ref(5, "b@test", 9), alias, 7, ("x" * 300, "b"),
    ]  # fmt: skip


def outcome(act: Callable[[], Any]) -> Any:
    """Returns what *act* returned, or the kind and the text of what it raised."""
    try:
        return act()
    except (EncodeError, NoProcess, ReceiveTimeout, ProcessKilled, TypeError, ValueError) as error:
        return type(error), str(error)


def converse(world: World, seed: int) -> None:
    """Sends and receives at random, as one process; notes each outcome, and the state after it."""
    chance = random.Random(seed)
    places = destinations(world)

    def body(me: Runner) -> None:
        for _ in range(150):
            world.log.append(outcome(lambda: step(world, chance, me, places)))
            world.log.append(repr(world.state))

    in_the_name_of_a_process(world.node, body)


def step(world: World, chance: random.Random, me: Runner, places: list[Any]) -> Any:
    message = chance.choice(MESSAGES)
    dest = chance.choice(places)
    match chance.randrange(12):
        case 0:
            chance.choice(world.others).process.waiting = True
            return None
        case 1:
            world.peer.out.written = world.peer.out.enqueued - chance.choice([0, HIGH_WATER_BYTES - 100])
            return None
        case 2 if chance.random() < 0.2:
            return Process.exit(chance.choice(world.others).process.pid, "kill")
        case 3 | 4:
            patterns = chance.choice(PATTERNS)
            return receive(*patterns, timeout=0)
        case 5 | 6:
            return str(send(me.process.pid, message))
        case 7:
            return str(send(dest, message, nosuspend=True))
    return str(send(dest, message))


@pytest.mark.parametrize("seed", range(30))
def test_conversation_is_the_same_without_fast_paths(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    logs: list[Any] = []
    for is_fast in (True, False):
        monkeypatch.setattr(fast_paths, "enabled", is_fast)
        world = new_world(nodes, monkeypatch, f"a{len(logs)}@test")
        converse(world, seed)
        logs.append(world.log)
    for fast, general in zip(*logs, strict=True):
        assert fast == general


class TestTaken:
    """Which messages the fast path sends; the general path sends the others."""

    @pytest.fixture
    def world(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> World:
        return new_world(nodes, monkeypatch, "a@test")

    def in_a_process(self, world: World, dest: Any, message: Any = 1) -> Any:
        return in_the_name_of_a_process(world.node, lambda _: send_fast(dest, message))

    def test_message_to_a_process_of_this_node_is_taken(self, world: World) -> None:
        other = world.others[1].process
        assert self.in_a_process(world, other.pid) is True
        assert self.in_a_process(world, "one", [2]) is True
        first, second = other.mailbox.snapshot()
        assert first == 1
        assert isinstance(second, Payload)

    def test_message_to_a_connected_node_is_taken(self, world: World) -> None:
        assert self.in_a_process(world, Pid(5, 0, "b@test", 9)) is True
        assert self.in_a_process(world, ("one", "b@test")) is True
        assert len(world.peer.out) == 2

    def test_queue_at_its_mark_is_returned_and_then_left_to_the_general_path(self, world: World) -> None:
        world.peer.out.written -= HIGH_WATER_BYTES - 1
        assert self.in_a_process(world, ("one", "b@test")) is world.peer.out
        assert self.in_a_process(world, ("one", "b@test")) is False
        assert len(world.peer.out) == 1

    def test_what_is_rare_is_left_to_the_general_path(self, world: World) -> None:
        assert self.in_a_process(world, "none") is False
        assert self.in_a_process(world, ("one", "c@test")) is False
        assert self.in_a_process(world, Ref(5)) is False
        assert send_fast(world.others[1].process.pid, 1) is False  # this thread is not a process
        world.peer.state = "dialling"
        assert self.in_a_process(world, ("one", "b@test")) is False

    def test_message_of_a_dead_process_is_not_sent(self, world: World) -> None:
        dest = world.others[1].process

        def body(me: Runner) -> None:
            in_kernel(world.node, world.node.kernel.tables.processes.pop, me.process.pid.number)
            me.process.alive = False  # by a kill that has not closed the gate yet
            assert send_fast(dest.pid, 1) is True
            assert send_fast(("one", "b@test"), 1) is True
            me.gate.closed = True
            with pytest.raises(ProcessKilled):
                send_fast(dest.pid, 1)

        in_the_name_of_a_process(world.node, body)
        assert not dest.mailbox.delivered
        assert not world.peer.out
