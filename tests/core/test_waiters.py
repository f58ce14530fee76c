"""waiters.py: the waiters of a queue are woken all at once, whichever come and go meanwhile."""

from __future__ import annotations

from pyx.core.waiters import Waiters


class Slot:
    """A waiter that goes on as soon as it is woken, and another one comes."""

    def __init__(self, waiters: Waiters) -> None:
        self.waiters = waiters
        self.woken = 0
        waiters.add(self)

    def wake(self) -> None:
        self.woken += 1
        self.waiters.discard(self)
        if self.woken == 1:
            Slot(self.waiters)


def test_wake_wakes_each_waiter_once_whichever_come_and_go_meanwhile() -> None:
    waiters = Waiters()
    slots = [Slot(waiters) for _ in range(3)]
    waiters.wake()
    assert [slot.woken for slot in slots] == [1, 1, 1]
    assert len(waiters) == 3  # those that came meanwhile wait for the next time
    assert not waiters & set(slots)
