"""The queue of signals that wait to be sent to one peer, and its size in bytes.

The kernel puts signals in, with its lock held; the thread that writes to the peer takes them out without it,
one thread at a time.  The two counters have one writer each, `enqueued` under the kernel's lock, `written`
under that of the connection, so no addition is lost.  Any thread may read their difference, which may have
changed since.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from pyx.core.waiters import Waiters
from pyx.errors import busy_text
from pyx.signals import (
    NODE_SIGNALS,
    SIGNAL_BYTES,
    Answer,
    Call,
    GenCall,
    GenReply,
    Payload,
    Send,
    queued_bytes,
)

if TYPE_CHECKING:
    from pyx.signals import Signal

HIGH_WATER_BYTES: Final = 1024 * 1024
"""From this size on a process that sends to the peer has to wait (Erlang's `dist_buf_busy_limit`)."""

LOW_WATER_BYTES: Final = HIGH_WATER_BYTES // 2
"""The size at which waiting processes go on: a sender is not woken for each message that was sent."""

LOADED_BYTES: Final = HIGH_WATER_BYTES
"""From this load on nothing more is read from the peer.  The load is what the peer itself has brought about
(answers, acknowledgements, refusals): no process makes these, so none could be made to wait."""

OVERLOADED_BYTES: Final = 4 * LOADED_BYTES
"""From this load on nothing is read even if the peer waits for it."""


class Outbox(deque["Signal"]):
    """Itself the queue of the signals of processes; `first` are those that pass them.

    Args:
        whose: the peer's name.
    """

    __slots__ = (
        "_charged",
        "_charges",
        "_released",
        "closed",
        "enqueued",
        "first",
        "may_have_load",
        "promised",
        "waiters",
        "whose",
        "written",
    )

    def __init__(self, whose: str) -> None:
        super().__init__()
        self.whose: Final = whose
        self.first: Final[deque[Signal]] = deque()
        """Signals between the nodes, of no process."""
        self.enqueued = 0
        """Bytes that were ever put in; written under the kernel's lock."""
        self.written = 0
        """Bytes that were ever sent; written under the connection's lock."""
        self.closed = False
        """True when the session is over: nothing will be sent any more, and no process has to wait."""
        self.waiters: Final = Waiters()
        self._charges: Final[deque[tuple[int, int]]] = deque()
        """For each batch of the peer that put something in: `enqueued` after it, and its bytes."""
        self._charged = 0
        """The sum of all these, ever; written under the kernel's lock."""
        self._released = 0
        """The sum of those that were sent; written by the thread that reads from the peer."""
        self.may_have_load = False
        """False while `load` is 0 for certain; read first where a call more would count."""
        self.promised = 0
        """Bytes of answers to the peer that are not queued here yet; written under the kernel's lock."""

    def put(self, signal: Signal) -> bool:
        """Queues a signal; True if the process that sends it should wait before it sends more."""
        if type(signal) is Send or type(signal) is GenCall or type(signal) is GenReply:  # `queued_bytes`
            self.append(signal)
            body = signal.body
            self.enqueued += SIGNAL_BYTES + (len(body.data) if type(body) is Payload else 0)
        elif type(signal) is Call or type(signal) is Answer:
            self.append(signal)
            body = signal.payload
            self.enqueued += SIGNAL_BYTES + (len(body.data) if type(body) is Payload else len(body))
        elif type(signal) in NODE_SIGNALS:
            self.first.append(signal)
            self.may_have_load = True
            return False
        else:
            self.append(signal)
            self.enqueued += queued_bytes(signal)
        return self.enqueued - self.written >= HIGH_WATER_BYTES

    def put_first(self, signals: list[Signal]) -> None:
        """Queues signals before all others, in the kernel call that brings the session up."""
        self.extendleft(reversed(signals))
        self.enqueued += sum(map(queued_bytes, signals))

    def mark(self) -> tuple[int, int]:
        """Returns the present state, for `charge`."""
        return self.enqueued, self._charged

    def charge(self, mark: tuple[int, int]) -> None:
        """Counts as the peer's load everything that was queued since *mark* and is not counted yet."""
        enqueued, charged = mark
        more = self.enqueued - enqueued - (self._charged - charged)
        if more:
            self._charged += more
            self._charges.append((self.enqueued, more))
            self.may_have_load = True

    @property
    def load(self) -> int:
        """Queued bytes that the peer has brought about; for the thread that reads from it."""
        self.may_have_load = False  # first: what is charged from here on sets it again
        charges = self._charges
        while charges and charges[0][0] <= self.written:
            self._released += charges.popleft()[1]
        load = self._charged - self._released + self.promised + SIGNAL_BYTES * len(self.first)
        if load:
            self.may_have_load = True
        return load

    @property
    def queued(self) -> int:
        """Bytes that wait to be sent."""
        return 0 if self.closed else self.enqueued - self.written

    @property
    def is_busy(self) -> bool:
        """True while a process that sends to the peer has to wait."""
        return self.queued >= HIGH_WATER_BYTES

    @property
    def is_below_low_water(self) -> bool:
        """True when waiters may go on."""
        return self.queued <= LOW_WATER_BYTES

    @property
    def busy_reason(self) -> str:
        """Why a process has to wait, for the user."""
        return busy_text(self.whose, self.queued)
