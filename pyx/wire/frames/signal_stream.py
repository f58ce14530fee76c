"""Signals <-> bytes, between two nodes that have proven themselves: the door to both directions.  Not here:
the proof (`machine.py`), the inside of payloads (`codec.py`), and what a signal brings about (`core`).

How frames are laid out: `layout.py`.  Out: `scheduler.py` decides the order, `writer.py` writes a signal.
In: `frame.py` cuts the stream, `reassembly.py` puts large frames together, `reader.py` reads a signal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.signals import Payload, Send
from pyx.wire.frames.fragments import FRAGMENT_BYTES, MAX_PAYLOAD_BYTES
from pyx.wire.frames.frame import FrameReader
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT, LATER_FRAGMENT, TO_PID
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.reassembly import Reassembly, room_of_node
from pyx.wire.frames.scheduler import OutputScheduler
from pyx.wire.frames.writer import Writer

if TYPE_CHECKING:
    from collections import deque

    from pyx.signals import Signal
    from pyx.terms import Incarnation
    from pyx.wire.frames.reassembly import ReassemblyBudget

MAX_FRAME_BYTES: Final = FRAGMENT_BYTES + FIRST.size
"""The longest frame that is taken: what is longer comes in fragments, whose sum has limits of its own."""

_FRAGMENTS: Final = (FIRST_FRAGMENT, LATER_FRAGMENT)


class SignalStream:
    """The two directions of one proven connection: `transmit` signals, `receive_data` from the stream.

    The directions share no state, so one thread may write while another reads.

    Args:
        here: this node's life; `there`: the peer's.
        max_letter_bytes: the longest payload that is kept; of a longer one arrives that it came.
        room: of what all peers of the node may leave unfinished; None: its own.
        fragment_bytes: what is longer goes in pieces of this size.
    """

    def __init__(
        self,
        here: Incarnation,
        there: Incarnation,
        *,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
        room: ReassemblyBudget | None = None,
        fragment_bytes: int = FRAGMENT_BYTES,
    ) -> None:
        self._there = there
        self._turns = OutputScheduler(Writer(here, there), fragment_bytes)
        self._frames = FrameReader(MAX_FRAME_BYTES)
        self._reader = Reader(here, there)
        self._assembly = Reassembly(max_payload_bytes, room or room_of_node(max_payload_bytes))

    # ------------------------------------------------------------ out

    def transmit(self, signals: deque[Signal]) -> tuple[bytes, int]:
        """The next bytes to write, and how much lighter the queue is once they are written.

        Takes from the front of *signals*, as much as makes some ten kilobytes; of large ones it gives a piece
        and keeps the rest: call again until that `is_empty` too.
        """
        return self._turns.gather(signals)

    def unwritten(self) -> list[str]:
        """What could not be written since this was asked last, and why: a sentence each."""
        return self._turns.unwritten()

    @property
    def is_empty(self) -> bool:
        """True when it keeps nothing of what it took."""
        return self._turns.is_empty

    # ------------------------------------------------------------ in

    def receive_data(self, data: bytes | memoryview) -> list[Signal]:
        """The signals that are complete with *data*, in order.

        Raises:
            ProtocolError: the peer broke the rules; nothing more can be read from it.
        """
        self._frames.receive_data(data)
        signals: list[Signal] = []
        there, known, reader = self._there, self._reader.known.get, self._reader
        for frame in self._frames.frames():
            # The hot path: a message between two pids that have met before.  (No other head equals the first
            # bytes of such a frame: a header's length follows from its own first bytes.)
            if type(frame) is bytes and (addresses := known(frame[: TO_PID.size])) is not None:
                frm, to = addresses
                signals.append(Send(frm, to, Payload(frame[TO_PID.size :], there)))
            elif frame and frame[0] in _FRAGMENTS:
                if (whole := self._assembly.add(frame)) is not None:
                    signals.append(reader.joined(*whole))
            else:
                signals.append(reader.read(frame))
        return signals

    def close(self) -> None:
        """The connection is over: what came in pieces and never became whole is given up."""
        self._assembly.abandon()
