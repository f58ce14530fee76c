"""waiters.py: Those who wait for a queue are woken all at once, whoever comes or goes meanwhile."""

from __future__ import annotations

from pyx.core.waiters import Waiters


class Slot:
    """Somebody who goes on as soon as he is woken."""

    def __init__(self, waiters: Waiters) -> None:
        self.waiters = waiters
        self.woken = 0
        waiters.add(self)

    def wake(self) -> None:
        self.woken += 1
        self.waiters.discard(self)
        if self.woken == 1:
            Slot(self.waiters)


def test_all_are_woken_once() -> None:
    waiters = Waiters()
    slots = [Slot(waiters) for _ in range(3)]
    waiters.wake()
    assert [slot.woken for slot in slots] == [1, 1, 1]
    assert len(waiters) == 3  # who came while they were woken waits for the next time
    assert not waiters & set(slots)


def test_nobody_is_fine() -> None:
    Waiters().wake()
