"""Ages of processes, to a second, by their pids: a later process has a later pid.

Once a second the latest pid is noted.  So no process stores a time, and no clock is read at a spawn.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from pyx.terms import Pid

    Key: TypeAlias = tuple[int, int]
    """The serial and number of a pid, in the order in which pids are made."""

_MOST_MARKS: Final = 4096
"""More notes than this are thinned out: the older half then has every second one."""


class ProcessAges:
    """The notes of one node.

    Args:
        latest: the latest pid's serial and number.
        now: the time, in monotonic seconds.
    """

    def __init__(self, latest: Key, now: float) -> None:
        self._keys: list[Key] = [latest]
        self._times: list[float] = [now]

    def note(self, latest: Key, now: float) -> None:
        """Notes the latest pid; called once a second."""
        if latest == self._keys[-1]:
            return
        self._keys.append(latest)
        self._times.append(now)
        if len(self._keys) > _MOST_MARKS:
            half = len(self._keys) // 2
            self._keys[:half] = self._keys[:half:2]
            self._times[:half] = self._times[:half:2]

    def of(self, pid: Pid, now: float) -> float:
        """Returns the age of a process of this node in seconds: the time since the first note that has its
        pid.  A process older than the first note of all counts as old as that.
        """
        at = bisect_left(self._keys, (pid.serial, pid.number))
        return now - self._times[at] if at < len(self._times) else 0.0
