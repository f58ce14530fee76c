"""Signals to bytes and back, for one authenticated connection; the other files of this package are its parts.

Out: `scheduler` decides the order, `writer` writes a signal.  In: `frame` cuts the stream, `reassembly` joins
large frames, `reader` reads a signal.  `lone_frame` does all of it for one small signal.  `layout` has the
layout of the frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx import fast_paths
from pyx.signals import Payload, Send
from pyx.wire.frames.fragments import FRAGMENT_BYTES, MAX_PAYLOAD_BYTES
from pyx.wire.frames.frame import FrameReader
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT, LATER_FRAGMENT, TO_PID
from pyx.wire.frames.lone_frame import read_lone, write_lone
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.reassembly import Reassembly, node_budget
from pyx.wire.frames.scheduler import OutputScheduler
from pyx.wire.frames.writer import Writer

if TYPE_CHECKING:
    from collections import deque

    from pyx.signals import Signal
    from pyx.terms import Incarnation
    from pyx.wire.frames.reassembly import ReassemblyBudget

MAX_FRAME_BYTES: Final = FRAGMENT_BYTES + FIRST.size
"""The longest frame accepted: a longer one comes in fragments, whose sum has limits of its own."""

_FRAGMENTS: Final = (FIRST_FRAGMENT, LATER_FRAGMENT)


class SignalStream:
    """The two directions of one authenticated connection: `transmit` signals, `receive_data` from the peer.

    The directions share no state, so one thread may write while another reads.

    Args:
        here: this node's incarnation; `there`: the peer's.
        max_payload_bytes: the longest payload that is kept; a longer one arrives as `Discarded`.
        budget: the bytes of incomplete frames that all peers of the node share; None: a budget of its own.
        fragment_bytes: a longer frame is sent in fragments of this size.
    """

    def __init__(
        self,
        here: Incarnation,
        there: Incarnation,
        *,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
        budget: ReassemblyBudget | None = None,
        fragment_bytes: int = FRAGMENT_BYTES,
    ) -> None:
        self._there = there
        self._is_fast = fast_paths.enabled
        self._writer = Writer(here, there)
        self._fragment_bytes = fragment_bytes
        self._scheduler = OutputScheduler(self._writer, fragment_bytes)
        self.left_out: Final = self._scheduler.left_out
        """Not empty if there are signals for `unwritten`; read first where a call more would count."""
        self.is_empty = True
        """True when `transmit` has returned all bytes of the signals that it took."""
        self._frames = FrameReader(MAX_FRAME_BYTES)
        self._reader = Reader(here, there)
        self._reassembly = Reassembly(max_payload_bytes, budget or node_budget(max_payload_bytes))

    # ------------------------------------------------------------ out

    def transmit(self, signals: deque[Signal]) -> tuple[bytes, int]:
        """Returns (the next bytes to write, bytes released from the outbox once they are written).

        Takes signals from the front of *signals*, as many as make some ten kilobytes.  Of a large one it
        returns a fragment and keeps the rest: call again until the stream `is_empty` too.
        """
        if self._is_fast and self.is_empty and len(signals) == 1:
            lone = write_lone(signals, self._writer, self._fragment_bytes)
            if lone is not None:
                return lone
        written = self._scheduler.gather(signals)
        self.is_empty = self._scheduler.is_empty
        return written

    def unwritten(self) -> list[str]:
        """The signals that could not be written since the last call, each as a sentence with the reason."""
        return self._scheduler.unwritten()

    def unanswered(self) -> list[Signal]:
        """Returns the answers, as if of the peer, to the calls among those signals."""
        return self._scheduler.unanswered()

    # ------------------------------------------------------------ in

    def receive_data(self, data: bytes | memoryview) -> list[Signal]:
        """Returns the signals that *data* completes, in order.

        Raises:
            ProtocolError: the peer broke the protocol; nothing more can be read from it.
        """
        if self._is_fast and not self._frames.unread:
            lone = read_lone(data, self._reader)
            if lone is not None:
                return [lone]
        self._frames.receive_data(data)
        signals: list[Signal] = []
        there, known, reader = self._there, self._reader.known_addresses.get, self._reader
        for frame in self._frames.frames():
            # The hot path: a message between two pids that are known.  (No other head equals the first bytes
            # of such a frame: a header's length follows from its own first bytes.)
            if type(frame) is bytes and (addresses := known(frame[: TO_PID.size])) is not None:
                frm, to = addresses
                signals.append(Send(frm, to, Payload(frame[TO_PID.size :], there)))
            elif frame and frame[0] in _FRAGMENTS:
                if (whole := self._reassembly.add(frame)) is not None:
                    signals.append(reader.read_parts(*whole))
            else:
                signals.append(reader.read(frame))
        return signals

    def close(self) -> None:
        """Drops all incomplete frames, because the connection ended, and releases their budget."""
        self._reassembly.abandon()
