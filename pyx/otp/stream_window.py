"""The decisions of a stream of tasks: how many run, which result is next, whose time is over.

    window.starts()                 whether another item is to be taken, and a task started for it
    window.started(key, now)        its task runs
    window.settled(key, outcome)    it has a result, or has ended
    window.expired(now)             those that have taken too long
    window.take()                   the next result to be given out

Keys are what the caller tells tasks apart by; outcomes are `("ok", value)` or `("exit", reason)`.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K")

NOTHING_YET: Final = object()
"""No result can be given out now."""


class StreamWindow(Generic[K]):
    """The tasks of one stream that run, and their results that are not given out yet.

    A task that has settled makes room for the next one, whether its result is given out or, in an ordered
    stream, waits for those before it (as in Elixir).

    Args:
        max_concurrency: the most tasks at a time, from 1 on.
        timeout: seconds that each task may take from its start; None: no limit.
        ordered: results are given out in the order of their items, else as they come.
    """

    def __init__(self, max_concurrency: int, timeout: float | None, *, ordered: bool) -> None:
        self._most = max_concurrency
        self._timeout = timeout
        self._is_ordered = ordered
        self._deadlines: dict[K, float | None] = {}
        """Of the tasks that run, oldest first: one limit for all makes that the order of their ends too."""
        self._order: deque[K] = deque()
        """The tasks whose results are still to be given out, if that has an order."""
        self._outcomes: dict[K, Any] = {}
        self._is_at_end = False

    @property
    def running(self) -> list[K]:
        """The tasks that run, oldest first."""
        return list(self._deadlines)

    def starts(self) -> bool:
        """Returns True if a task is to be started for the next item, if there is one."""
        return not self._is_at_end and len(self._deadlines) < self._most

    def is_over(self) -> bool:
        """Returns True once there are no more items, and all results were given out."""
        return self._is_at_end and not self._deadlines and not self._outcomes

    def has_no_more_items(self) -> None:
        """Notes that the items have come to their end."""
        self._is_at_end = True

    def started(self, key: K, now: float) -> None:
        """Notes that a task runs, since *now*."""
        self._deadlines[key] = None if self._timeout is None else now + self._timeout
        if self._is_ordered:
            self._order.append(key)

    def settled(self, key: K, outcome: Any) -> None:
        """Notes what has come of a task."""
        del self._deadlines[key]
        self._outcomes[key] = outcome

    def take(self) -> Any:
        """Returns the next result to be given out, once; NOTHING_YET if there is none."""
        if not self._is_ordered:
            return self._outcomes.pop(next(iter(self._outcomes))) if self._outcomes else NOTHING_YET
        if not self._order or self._order[0] not in self._outcomes:
            return NOTHING_YET
        return self._outcomes.pop(self._order.popleft())

    @property
    def next_deadline(self) -> float | None:
        """The time at which the next task has taken too long; None: never."""
        return next(iter(self._deadlines.values()), None)

    def expired(self, now: float) -> list[K]:
        """Returns the running tasks that have taken too long."""
        return [key for key, deadline in self._deadlines.items() if deadline is not None and deadline <= now]
