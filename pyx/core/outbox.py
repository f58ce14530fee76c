"""What waits to be sent to one peer, and how much that is.

The kernel puts signals in, with its lock held; whoever writes to the peer takes them out without it, one at a
time.  The two counters have one writer each, the first under the kernel's lock, the second under that of the
connection, so neither can miss a step; their difference may be read by anyone, and is right a moment ago.
Not here: who waits until it is lighter, and how (`runtime/back_pressure.py`).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from pyx.core.waiters import Waiters
from pyx.errors import busy_text
from pyx.signals import NODE_SIGNALS, SIGNAL_BYTES, Payload, Send, queued_bytes

if TYPE_CHECKING:
    from pyx.signals import Signal

HIGH_WATER_BYTES: Final = 1024 * 1024
"""From so much on whoever adds to it has to wait (Erlang's `dist_buf_busy_limit`)."""

LOW_WATER_BYTES: Final = HIGH_WATER_BYTES // 2
"""Down to so little, so that a sender is not woken for each message that has left."""

LOADED_BYTES: Final = HIGH_WATER_BYTES
"""From so much on that the peer itself has brought about (answers, acknowledgements, refusals), nothing more
is read from it: no process makes these, so none could be made to wait."""

OVERLOADED_BYTES: Final = 4 * LOADED_BYTES
"""From so much on nothing is read even if that is what the peer waits for."""


class Outbox(deque["Signal"]):
    """See the file.  Itself it is the queue of what processes say; `first` is what passes that.

    Args:
        whose: the peer's name.
    """

    __slots__ = (
        "_brought",
        "_charges",
        "_taken",
        "closed",
        "enqueued",
        "first",
        "promised",
        "waiters",
        "whose",
        "written",
    )

    def __init__(self, whose: str) -> None:
        super().__init__()
        self.whose: Final = whose
        self.first: Final[deque[Signal]] = deque()
        """Signals of no process."""
        self.enqueued = 0
        """The weight of all that was ever put in; written under the kernel's lock."""
        self.written = 0
        """The weight of all that has left; written under the connection's lock."""
        self.closed = False
        """The session is over: nothing will leave it any more, and nobody needs to wait."""
        self.waiters: Final = Waiters()
        self._charges: Final[deque[tuple[int, int]]] = deque()
        """For each batch of the peer's that put something in: `enqueued` behind it, and how much that was."""
        self._brought = 0
        """The sum of all these, ever; written under the kernel's lock."""
        self._taken = 0
        """The sum of those whose words have left; written by the thread that reads from the peer."""
        self.promised = 0
        """The weight of answers to the peer that are not in here yet; written under the kernel's lock."""

    def put(self, signal: Signal) -> bool:
        """Takes a signal; True if whoever says it should wait before he says more."""
        if type(signal) is Send:  # the hot path: `queued_bytes` without the call
            self.append(signal)
            body = signal.body
            self.enqueued += SIGNAL_BYTES + (len(body.data) if type(body) is Payload else 0)
        elif type(signal) in NODE_SIGNALS:
            self.first.append(signal)
            return False
        else:
            self.append(signal)
            self.enqueued += queued_bytes(signal)
        return self.enqueued - self.written >= HIGH_WATER_BYTES

    def mark(self) -> tuple[int, int]:
        """Where it stands, for `charge`."""
        return self.enqueued, self._brought

    def charge(self, mark: tuple[int, int]) -> None:
        """All that came in since *mark*, and was not charged yet, is the peer's doing."""
        enqueued, brought = mark
        more = self.enqueued - enqueued - (self._brought - brought)
        if more:
            self._brought += more
            self._charges.append((self.enqueued, more))

    @property
    def load(self) -> int:
        """How many bytes wait that the peer has brought about; for the thread that reads from it."""
        charges = self._charges
        while charges and charges[0][0] <= self.written:
            self._taken += charges.popleft()[1]
        return self._brought - self._taken + self.promised + SIGNAL_BYTES * len(self.first)

    @property
    def queued(self) -> int:
        """How much waits, in bytes."""
        return 0 if self.closed else self.enqueued - self.written

    @property
    def is_busy(self) -> bool:
        """True while whoever adds to it has to wait."""
        return self.queued >= HIGH_WATER_BYTES

    @property
    def is_below_low_water(self) -> bool:
        """True when those who wait may go on."""
        return self.queued <= LOW_WATER_BYTES

    @property
    def busy_reason(self) -> str:
        """Why one has to wait."""
        return busy_text(self.whose, self.queued)
