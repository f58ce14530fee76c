"""timers.py: Messages that are sent later, and those that are cancelled."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pyx import Process, receive, self
from pyx.terms import Ref
from tests.local_nodes import HANG, Running, as_process, end_of, until, wait_for

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


def test_message_arrives_when_its_timer_fires(node: LocalNode) -> None:
    running = Running(node, receive)
    node.timers.start(0.001, running.pid, "tick")
    assert running.outcome() == "tick"
    assert node.timers._running == {}


def test_message_of_a_timer_due_at_once_is_not_lost(node: LocalNode) -> None:
    """It may fire before the call that started it has returned."""

    def body() -> list[Any]:
        me = Process.list()[0]
        for number in range(200):
            node.timers.start(0, me, number)
        return sorted(receive(timeout=HANG) for _ in range(200))

    assert as_process(node, body) == list(range(200))


def test_message_of_a_cancelled_timer_does_not_arrive(node: LocalNode) -> None:
    running = Running(node, receive)
    ref = node.timers.start(3600, running.pid, "never")
    left = node.timers.cancel(ref)
    assert 3500 < left <= 3600
    assert node.timers.cancel(ref) is False
    node.sending.send(running.pid, "instead")
    assert running.outcome() == "instead"


def test_cancel_of_an_unknown_timer_is_false(node: LocalNode) -> None:
    assert node.timers.cancel(Ref(12345)) is False


def test_timer_is_either_fired_or_cancelled(node: LocalNode) -> None:
    """When the timer fires during `cancel`, either the message arrives or `cancel` succeeds."""

    def body() -> int:
        me = Process.list()[0]
        cancelled = 0
        for number in range(200):
            ref = node.timers.start(0, me, number)
            if node.timers.cancel(ref) is not False:
                cancelled += 1
        arrived = 0
        until(lambda: not node.timers._running)
        node.transport_loop.call(lambda: None)
        while True:
            try:
                receive(timeout=0)
            except TimeoutError:
                return cancelled + arrived
            arrived += 1

    assert as_process(node, body) == 200


def test_timer_outlives_the_process_that_set_it(node: LocalNode) -> None:
    """As in OTP: the sender is the timer, not the process."""
    running = Running(node, receive)
    go_on, standing = threading.Event(), threading.Event()
    node.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
    wait_for(standing)
    setter = Running(node, lambda: node.timers.start(0, running.pid, "from the grave"))
    setter.outcome()
    end_of(node, setter.pid)
    go_on.set()
    assert running.outcome() == "from the grave"


def test_interval_sends_until_it_is_cancelled(node: LocalNode) -> None:
    def body() -> tuple[list[Any], float | bool, float | bool, float | bool]:
        ref = Process.send_interval(self(), "tick", 0.001)
        ticks = [receive(timeout=HANG) for _ in range(3)]
        running = Process.read_timer(ref)
        left = Process.cancel_timer(ref)
        return ticks, running, left, Process.read_timer(ref)

    ticks, running, left, after = as_process(node, body)
    assert ticks == ["tick"] * 3
    assert type(running) is type(left) is float
    assert after is False
    assert node.timers._running == {}


def test_interval_ends_with_its_receiver(node: LocalNode) -> None:
    receiver = Running(node, receive)
    node.timers.start(0.001, receiver.pid, "tick", repeats=True)
    assert receiver.outcome() == "tick"
    end_of(node, receiver.pid)
    until(lambda: not node.timers._running)


def test_interval_leaves_messages_out_while_its_receiver_is_full(node: LocalNode) -> None:
    """A timer cannot wait for room, as another sender would."""
    ready, go_on = threading.Event(), threading.Event()

    def body() -> list[Any]:
        Process.flag("max_mailbox", (2, "block"))
        ready.set()
        wait_for(go_on)
        return [receive(timeout=HANG), receive(timeout=HANG), receive(int, timeout=HANG)]

    receiver = Running(node, body)
    wait_for(ready)
    ref = node.timers.start(3600, receiver.pid, "tick", repeats=True)
    for _ in range(5):
        node.transport_loop.call(node.timers._fire, ref, receiver.pid, "tick")
    go_on.set()
    assert node.timers.cancel(ref) is not False
    node.sending.send(receiver.pid, 3)
    assert receiver.outcome() == ["tick", "tick", 3]


def test_time_left_of_a_timer_is_read_without_a_change_to_it(node: LocalNode) -> None:
    ref = node.timers.start(3600, node.kernel.tables.dead_pid(), "never")
    assert 3500 < node.timers.read(ref) <= 3600
    assert 3500 < node.timers.read(ref) <= 3600
    assert 3500 < node.timers.cancel(ref) <= 3600
    assert node.timers.read(ref) is False
