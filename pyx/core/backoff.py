"""Exponential back-off: for how long a node that could not be reached is not dialled again."""

from __future__ import annotations

from typing import Final

FIRST_DELAY: Final = 0.1
"""Seconds: a service that restarts is back in less than a second, so the first delay is short."""
LONGEST_DELAY: Final = 5.0
"""Seconds: the first message after this delay finds a node that comes back after an hour."""
FORGOTTEN_AFTER: Final = 60.0
"""Seconds after the end of a delay: from then on the node counts as never dialled."""
MAX_NODES: Final = 4096
"""Of more nodes that could not be reached, those whose last failure is oldest are forgotten."""


class _Failures:
    """The failed dials of one node in a row, and until when it is not dialled."""

    __slots__ = ("backing_off", "count", "reason", "until")

    def __init__(self) -> None:
        self.count = 0
        self.reason = ""
        self.until = 0.0
        self.backing_off = False


class Backoff:
    """Delays after failed dials, by node: 0.1 s, doubling up to 5 s, each shortened by up to a half."""

    __slots__ = ("_nodes",)

    def __init__(self) -> None:
        self._nodes: dict[str, _Failures] = {}

    def failed(self, node: str, reason: str, now: float, jitter: float) -> float:
        """Counts a failed dial; returns the time until which the node is not dialled (monotonic seconds).

        Args:
            node: its name.
            reason: a sentence.
            now: monotonic seconds.
            jitter: 0 to 1, by chance, so that the survivors of one loss do not dial in step.
        """
        failures = self._nodes.pop(node, None) or _Failures()
        self._nodes[node] = failures
        if len(self._nodes) > MAX_NODES:
            del self._nodes[next(iter(self._nodes))]
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures.count, 10))
        failures.count += 1
        failures.reason = reason
        failures.until = now + delay * (1 - jitter / 2)
        failures.backing_off = True
        return failures.until

    def reason(self, node: str) -> str | None:
        """Returns why the node is not dialled now; None when it may be dialled."""
        failures = self._nodes.get(node)
        return failures.reason if failures is not None and failures.backing_off else None

    def ended(self, node: str) -> None:
        """Allows dials to the node again; the failures still count for the next delay."""
        failures = self._nodes.get(node)
        if failures is not None:
            failures.backing_off = False

    def expire(self, now: float) -> None:
        """Ends every delay whose time has come, and forgets nodes whose delay ended long ago."""
        for node, failures in list(self._nodes.items()):
            if failures.until + FORGOTTEN_AFTER <= now:
                del self._nodes[node]
            elif failures.until <= now:
                failures.backing_off = False

    def clear(self) -> None:
        """Forgets all failures."""
        self._nodes.clear()

    def forget(self, node: str) -> None:
        """Forgets the failures of a node that was reached."""
        self._nodes.pop(node, None)
