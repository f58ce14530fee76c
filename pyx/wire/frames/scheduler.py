"""Schedules the outgoing signals of one connection: fair between sending processes, ordered within each.

A small signal leaves in the order in which it came.  A large one leaves in fragments, and meanwhile its
sender has a queue of its own: later signals of that sender wait in it, so that between two processes there is
one order; signals of other senders pass.  Senders with a frame in flight take turns, one fragment each.  No
more frames are in flight at a time than the peer reassembles (`fragments` has the limits).  `Goodbye` comes
last.

Collected by `gather`, which takes signals from the front of a queue and returns the next bytes to write.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from pyx.signals import (
    SIGNAL_BYTES,
    Answer,
    Call,
    Discover,
    Down,
    GenReply,
    Goodbye,
    Held,
    Holdings,
    Let,
    Payload,
    Publish,
    Send,
    Signal,
    Spawned,
    queued_bytes,
)
from pyx.terms import Pid, Raised
from pyx.wire.codec import encode
from pyx.wire.frames.fragments import (
    FRAGMENT_BYTES,
    HEAD_BYTES,
    MAX_STREAMS,
    PEER_BUDGET_BYTES,
)
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.head_limits import HeadTooLong

if TYPE_CHECKING:
    from pyx.signals import PayloadBytes

Sender: TypeAlias = "Pid | type[Signal]"
"""The scope of the order of signals: a process, or a class of signals that no process sends."""

_NO_PROCESS: Final = Pid(0)

"""The sender of messages that no process sends."""


class SignalFrameWriter(Protocol):
    """Writes the frames of one dialect: pyx's own (`writer`), or Erlang's (`wire/beam`)."""

    @property
    def counted_as_sent(self) -> frozenset[type]:
        """The signals that count in an outbox exactly the payload that is sent, and nothing else."""

    @property
    def preceding(self) -> list[bytes]:
        """Whole frames to be sent before the frame that `write` has returned; emptied by its caller."""

    def write(self, signal: Any) -> tuple[bytes, PayloadBytes]:
        """Returns the head and the payload of a signal's frame; raises what the signal's fields raise."""

    def fragmented(
        self, number: int, head: bytes, payload: Any, queued_bytes: int, fragment_bytes: int
    ) -> OutgoingFrame:
        """Returns a frame that is too large to be sent at once; no other one in flight has that *number*."""


class OutgoingFrame(Protocol):
    """A large frame on its way out, a fragment at each `cut`."""

    @property
    def size(self) -> int:
        """Bytes of the head and the payload."""

    @property
    def is_sent(self) -> bool:
        """True once `cut` has returned the last fragment."""

    def cut(self, parts: list[bytes | memoryview]) -> tuple[int, int]:
        """Appends the next fragment; returns (bytes appended, bytes released from the outbox)."""


class _SenderQueue:
    """One sender with a large frame that is waiting or in flight, and the sender's later signals."""

    __slots__ = ("frame", "sender", "signals")

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.frame: OutgoingFrame | None = None
        self.signals: deque[Signal] = deque()


class OutputScheduler:
    """The outgoing side of one connection.

    Args:
        writer: writes the frames of that connection.
        fragment_bytes: a frame up to this size is sent whole; and a gather that holds this many bytes is
            extended by at most one fragment.
    """

    def __init__(self, writer: SignalFrameWriter, fragment_bytes: int = FRAGMENT_BYTES) -> None:
        self._writer = writer
        self._fragment_bytes = fragment_bytes
        self._queues: dict[Sender, _SenderQueue] = {}
        self._turns: deque[_SenderQueue] = deque()
        """Senders in the order in which they send their next fragment."""
        self._waiting: deque[_SenderQueue] = deque()
        """Senders whose large frame waits for the peer's reassembly budget."""
        self._in_flight = 0
        self._bytes_in_flight = 0
        self._streams = 0
        self._goodbye: Goodbye | None = None
        self.left_out: Final[list[str]] = []
        """The signals that could not be written, for `unwritten`."""
        self._unanswered: list[Signal] = []
        self.is_empty = True
        """True when `gather` has returned all bytes of the signals that it took."""

    def gather(self, signals: deque[Signal]) -> tuple[bytes, int]:
        """Returns (the next bytes to write, bytes released from the outbox once they are written).

        Takes signals from the front of *signals*: written at once, or kept in their sender's queue.  A signal
        that cannot be written is left out and reported by `unwritten`; the others are written.
        """
        parts: list[bytes | memoryview] = []
        size = released = 0
        write, pack, limit = self._writer.write, LENGTH.pack, self._fragment_bytes
        as_counted, preceding = self._writer.counted_as_sent, self._writer.preceding
        while signals and size < limit:
            signal = signals.popleft()
            if self._queues and self._is_queued(signal):
                continue
            try:
                head, payload = write(signal)
            except Exception as error:
                released += self._leave_out(signal, error)
                continue
            if preceding:
                size += _move(preceding, parts)
            length = len(head) + len(payload)
            if length <= limit:
                parts += (pack(length), head, payload if type(payload) is bytes else bytes(payload))
                size += length + 4
                if payload and type(signal) in as_counted:  # `queued_bytes` without the call
                    released += SIGNAL_BYTES + len(payload)
                else:
                    released += queued_bytes(signal)
            elif len(head) > HEAD_BYTES:
                released += self._leave_out(signal, HeadTooLong(len(head), HEAD_BYTES))
            else:
                self._add_large(signal, head, payload)
        while self._turns:
            more, more_released = self._take_turn(parts)
            size += more
            released += more_released
            if size >= limit:
                break
        if self._goodbye is not None and not self._queues:
            head, payload = write(self._goodbye)
            parts += (pack(len(head)), head)
            released += queued_bytes(self._goodbye)
            self._goodbye = None
        self.is_empty = not self._queues and self._goodbye is None
        return b"".join(parts), released

    def unwritten(self) -> list[str]:
        """Returns the signals left out since the last call, each as a sentence with the reason."""
        unwritten = self.left_out.copy()
        self.left_out.clear()
        return unwritten

    def unanswered(self) -> list[Signal]:
        """The answers to those of the signals left out since the last call that have a waiter here."""
        unanswered = self._unanswered.copy()
        self._unanswered.clear()
        return unanswered

    def _leave_out(self, signal: Signal, error: Exception) -> int:
        """Records that a signal cannot be written; returns the bytes released from the outbox."""
        if type(signal) is Call and signal.number:
            raised = Raised("EncodeError", str(error))
            self._unanswered.append(Answer(signal.number, "raised", Payload(encode(raised))))
        self.left_out.append(f"the {type(signal).__name__} cannot be sent: {error}")
        return queued_bytes(signal)

    def _is_queued(self, signal: Signal) -> bool:
        """Queues *signal* behind its sender's unfinished large frame; returns False if there is none.

        Behind holdings that leave in fragments every signal waits: what a process holds precedes all that it
        sends afterwards.
        """
        if type(signal) is Goodbye:
            self._goodbye = signal
            return True
        queue = self._queues.get(Holdings) or self._queues.get(sender_of(signal))
        if queue is None:
            return False
        queue.signals.append(signal)
        return True

    # ------------------------------------------------------------ large frames

    def _add_large(self, signal: Signal, head: bytes, payload: PayloadBytes) -> None:
        sender = sender_of(signal)
        queue = self._queues.get(sender)
        if queue is None:
            queue = self._queues[sender] = _SenderQueue(sender)
        self._streams = (self._streams + 1) % 2**32
        queue.frame = self._writer.fragmented(
            self._streams, head, payload, queued_bytes(signal), self._fragment_bytes
        )
        self._waiting.append(queue)
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Starts the waiting frames that the peer's budget allows; one at least, however long it is."""
        while self._waiting:
            frame = self._waiting[0].frame
            assert frame is not None
            is_over = self._bytes_in_flight + frame.size > PEER_BUDGET_BYTES
            if self._in_flight and (self._in_flight >= MAX_STREAMS or is_over):
                return
            self._in_flight += 1
            self._bytes_in_flight += frame.size
            self._turns.append(self._waiting.popleft())

    def _take_turn(self, parts: list[bytes | memoryview]) -> tuple[int, int]:
        """Adds the next sender's next fragment, and after the last one the signals queued behind it."""
        queue = self._turns.popleft()
        size = released = 0
        if queue.frame is not None:
            size, released = queue.frame.cut(parts)
            if not queue.frame.is_sent:
                self._turns.append(queue)
                return size, released
            self._in_flight -= 1
            self._bytes_in_flight -= queue.frame.size
            queue.frame = None
        while queue.signals and size < self._fragment_bytes:
            signal = queue.signals.popleft()
            own = self._queues.get(sender_of(signal))
            if own is not None and own is not queue:  # it waited behind holdings, and still has to wait
                own.signals.append(signal)
                continue
            try:
                head, payload = self._writer.write(signal)
            except Exception as error:
                released += self._leave_out(signal, error)
                continue
            size += _move(self._writer.preceding, parts)
            length = len(head) + len(payload)
            if len(head) > HEAD_BYTES:
                released += self._leave_out(signal, HeadTooLong(len(head), HEAD_BYTES))
            elif length > self._fragment_bytes:
                self._add_large(signal, head, payload)
                break
            else:
                parts += (LENGTH.pack(length), head, bytes(payload))
                size += length + 4
                released += queued_bytes(signal)
        if queue.frame is None:
            if queue.signals:
                self._turns.append(queue)
            else:
                del self._queues[queue.sender]
        self._start_waiting()
        return size, released


def _move(frames: list[bytes], parts: list[bytes | memoryview]) -> int:
    """Moves whole frames to *parts*; returns their bytes."""
    parts += frames
    size = sum(map(len, frames))
    frames.clear()
    return size


def sender_of(signal: Signal) -> Sender:
    """The sender within whose order a signal stays: the process that sends it, or if none does its class."""
    match signal:
        case Send(frm=frm) | GenReply(frm=frm) | Publish(frm=frm):
            return frm or _NO_PROCESS
        case Held() | Let() | Discover():
            return Holdings  # so none waits behind a large message of its process
        case Spawned(pid=pid) | Down(frm=None, target=Pid() as pid):
            # A `Down` because the process did not exist: had it existed, it would be the sender.
            return pid
        case _:
            return getattr(signal, "frm", None) or type(signal)
