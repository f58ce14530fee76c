"""Those who wait for a queue are woken all at once, whoever comes or goes meanwhile."""

from __future__ import annotations

from pyx.core.sleepers import Sleepers


class Slot:
    """Somebody who goes on as soon as he is woken."""

    def __init__(self, sleepers: Sleepers) -> None:
        self.sleepers = sleepers
        self.woken = 0
        sleepers.add(self)

    def wake(self) -> None:
        self.woken += 1
        self.sleepers.discard(self)
        if self.woken == 1:
            Slot(self.sleepers)


def test_all_are_woken_once() -> None:
    sleepers = Sleepers()
    slots = [Slot(sleepers) for _ in range(3)]
    sleepers.wake()
    assert [slot.woken for slot in slots] == [1, 1, 1]
    assert len(sleepers) == 3  # who came while they were woken waits for the next time
    assert not sleepers & set(slots)


def test_nobody_is_fine() -> None:
    Sleepers().wake()
