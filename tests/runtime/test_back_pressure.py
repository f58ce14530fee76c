"""back_pressure.py: Back-pressure from the sender's side: it waits until the queue is lighter, and a kill
ends the wait.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pyx.core.outbox import HEAVY_BYTES, Outbox
from pyx.errors import ProcessKilled
from pyx.execution.runner import Runner
from pyx.runtime import back_pressure
from pyx.signals import Payload, Send
from pyx.terms import Pid
from tests.staging import HANG, until

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def runner(node: LocalNode) -> Runner:
    """Of a process that nothing runs."""
    process, _ = node.step(node.kernel.process_started, "def")
    runner = process.runner = Runner(node, process)
    return runner


@pytest.fixture
def heavy() -> Outbox:
    """A queue to a peer that reads nothing."""
    queue = Outbox("b@test")
    assert queue.put(Send(Pid(1), Pid(2), Payload(bytes(HEAVY_BYTES))))
    assert queue.is_heavy
    return queue


def test_a_sender_waits_until_the_queue_is_lighter(runner: Runner, heavy: Outbox) -> None:
    sender = threading.Thread(target=back_pressure.wait, args=(runner, heavy))
    sender.start()
    until(lambda: bool(heavy.waiters))
    assert sender.is_alive()
    heavy.popleft()
    heavy.written = heavy.enqueued
    heavy.waiters.wake()
    sender.join(HANG)
    assert not sender.is_alive()
    assert not heavy.waiters


def test_a_kill_ends_the_wait(runner: Runner, heavy: Outbox) -> None:
    ended: list[str] = []

    def send() -> None:
        try:
            back_pressure.wait(runner, heavy)
        except ProcessKilled:
            ended.append("killed")

    sender = threading.Thread(target=send)
    sender.start()
    until(lambda: bool(heavy.waiters))
    runner.stop()
    sender.join(HANG)
    assert ended == ["killed"]
    assert not heavy.waiters


def test_nobody_waits_for_his_own_mailbox(runner: Runner) -> None:
    back_pressure.wait(runner, runner.process.mailbox)
    assert not runner.process.mailbox.waiters
