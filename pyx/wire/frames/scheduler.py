"""In which order what is said to one peer leaves, and in how many pieces.

Small signals leave as they come.  A large one leaves in fragments, and meanwhile its process stands in a
*line* of its own: what the process says later waits behind it, so that between two processes there is one
order; what others say passes.  Lines take turns, a fragment each.  No more of them is under way at a time
than the peer is willing to put together (see `fragments.py`).  `Goodbye` comes after all.

Feed and collect in one: `gather` takes signals from the front of a queue and gives the next bytes to write.
Not here: how a signal is written (`writer.py`); who said nothing that must wait (`Outbox.first` of `core`).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

from pyx.errors import FrameTooBig
from pyx.signals import Down, Goodbye, Send, Signal, Spawned, weight
from pyx.terms import Pid
from pyx.wire.frames.fragments import FRAGMENT_BYTES, HEAD_BYTES, MAX_STREAMS, PEER_ROOM_BYTES, Parcel
from pyx.wire.frames.frame import LENGTH

if TYPE_CHECKING:
    from pyx.wire.frames.writer import Writer

Speaker: TypeAlias = "Pid | type[Signal]"
"""Within it there is one order."""

_NO_PROCESS: Final = Pid(0)
"""The line of what is sent where no process acts."""


class _SenderQueue:
    """One process that has a large signal under way, and what it says behind that."""

    __slots__ = ("parcel", "signals", "speaker")

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.parcel: Parcel | None = None
        self.signals: deque[Signal] = deque()


class OutputScheduler:
    """The outgoing side of one session.

    Args:
        writer: of that session.
        fragment_bytes: a frame up to this is sent whole; and when a gather holds so much, nothing is added
            to it but one fragment.
    """

    def __init__(self, writer: Writer, fragment_bytes: int = FRAGMENT_BYTES) -> None:
        self._write = writer.write
        self._step = fragment_bytes
        self._lines: dict[Speaker, _SenderQueue] = {}
        self._turns: deque[_SenderQueue] = deque()
        """Whose turn is next, first."""
        self._hall: deque[_SenderQueue] = deque()
        """Those whose parcel may not begin yet."""
        self._begun = 0
        self._begun_bytes = 0
        self._streams = 0
        self._goodbye: Goodbye | None = None
        self._unwritten: list[str] = []

    @property
    def is_empty(self) -> bool:
        """True when all that was taken has been given out."""
        return not self._lines and self._goodbye is None

    def gather(self, signals: deque[Signal]) -> tuple[bytes, int]:
        """The next bytes to write, and how much lighter the queue is once they are written.

        Takes from the front of *signals* what it gives out, or keeps in a line.
        A signal that cannot be written is left out, and told by `unwritten`: the others are written.
        """
        parts: list[bytes | memoryview] = []
        size = lighter = 0
        write, pack, step = self._write, LENGTH.pack, self._step
        while signals and size < step:
            signal = signals.popleft()
            if self._lines and self._must_wait(signal):
                continue
            try:
                head, payload = write(signal)
            except Exception as error:
                lighter += self._leave_out(signal, error)
                continue
            length = len(head) + len(payload)
            if length <= step:
                parts += (pack(length), head, payload)
                size += length + 4
                lighter += weight(signal)
            elif len(head) > HEAD_BYTES:
                lighter += self._leave_out(signal, FrameTooBig(len(head), HEAD_BYTES))
            else:
                self._form_line(signal, head, payload)
        while self._turns:
            more, lighter_by = self._take_turn(parts)
            size += more
            lighter += lighter_by
            if size >= step:
                break
        if self._goodbye is not None and not self._lines:
            head, payload = write(self._goodbye)
            parts += (pack(len(head)), head)
            lighter += weight(self._goodbye)
            self._goodbye = None
        return b"".join(parts), lighter

    def unwritten(self) -> list[str]:
        """What was left out since this was asked last, and why: a sentence each."""
        unwritten, self._unwritten = self._unwritten, []
        return unwritten

    def _leave_out(self, signal: Signal, error: Exception) -> int:
        """Notes that a signal cannot be written; returns by how much the queue is lighter."""
        self._unwritten.append(f"the {type(signal).__name__} cannot be sent: {error}")
        return weight(signal)

    def _must_wait(self, signal: Signal) -> bool:
        """Somebody stands in line; if he is the one who says this, it waits there."""
        if type(signal) is Goodbye:
            self._goodbye = signal
            return True
        line = self._lines.get(speaker(signal))
        if line is None:
            return False
        line.signals.append(signal)
        return True

    # ------------------------------------------------------------ lines

    def _form_line(self, signal: Signal, head: bytes, payload: bytes) -> None:
        who = speaker(signal)
        line = self._lines.get(who)
        if line is None:
            line = self._lines[who] = _SenderQueue(who)
        self._streams = (self._streams + 1) % 2**32
        line.parcel = Parcel(self._streams, head, payload, weight(signal), self._step)
        self._hall.append(line)
        self._admit()

    def _admit(self) -> None:
        """Begins what the peer has room for; one at least, however long it is."""
        while self._hall:
            parcel = self._hall[0].parcel
            assert parcel is not None
            full = self._begun >= MAX_STREAMS or self._begun_bytes + parcel.size > PEER_ROOM_BYTES
            if self._begun and full:
                return
            self._begun += 1
            self._begun_bytes += parcel.size
            self._turns.append(self._hall.popleft())

    def _take_turn(self, parts: list[bytes | memoryview]) -> tuple[int, int]:
        """A fragment of the line that is next, and if it was the last, what waits behind."""
        line = self._turns.popleft()
        size = lighter = 0
        if line.parcel is not None:
            size, lighter = line.parcel.cut(parts)
            if not line.parcel.is_over:
                self._turns.append(line)
                return size, lighter
            self._begun -= 1
            self._begun_bytes -= line.parcel.size
            line.parcel = None
        while line.signals and size < self._step:
            signal = line.signals.popleft()
            try:
                head, payload = self._write(signal)
            except Exception as error:
                lighter += self._leave_out(signal, error)
                continue
            length = len(head) + len(payload)
            if len(head) > HEAD_BYTES:
                lighter += self._leave_out(signal, FrameTooBig(len(head), HEAD_BYTES))
            elif length > self._step:
                self._form_line(signal, head, payload)
                break
            else:
                parts += (LENGTH.pack(length), head, payload)
                size += length + 4
                lighter += weight(signal)
        if line.parcel is None:
            if line.signals:
                self._turns.append(line)
            else:
                del self._lines[line.speaker]
        self._admit()
        return size, lighter


def speaker(signal: Signal) -> Speaker:
    """Whose order a signal belongs to: the process that says it, or where there is none its own kind."""
    match signal:
        case Send(frm=frm):
            return frm or _NO_PROCESS
        case Spawned(pid=pid) | Down(frm=None, target=Pid() as pid):
            # A `Down` for want of a process: had there been one, it would be this.
            return pid
        case _:
            return getattr(signal, "frm", None) or type(signal)
