"""Signals to bytes and back in Erlang's dialect, for one authenticated connection.

It has the methods of `wire/frames/signal_stream.py`, which is the same for pyx's own dialect.  Out:
`OutputScheduler` decides the order, `signal_writer` writes a signal.  In: `frames` cuts the stream and joins
fragments, `signal_reader` reads a signal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.errors import DecodeError, ProtocolError
from pyx.wire.beam import flags as dist
from pyx.wire.beam.exchanges import Exchanges
from pyx.wire.beam.frames import MessageReader
from pyx.wire.beam.group_scopes import GroupScopes
from pyx.wire.beam.signal_reader import SignalReader
from pyx.wire.beam.signal_writer import SignalWriter
from pyx.wire.frames.scheduler import OutputScheduler

if TYPE_CHECKING:
    from collections import deque

    from pyx.signals import Signal
    from pyx.terms import Incarnation
    from pyx.wire.frames.reassembly import ReassemblyBudget


class BeamSession:
    """The two directions of one connection with an Erlang node: `transmit` signals, `receive_data` from it.

    Args:
        here: this node's incarnation; `there`: the peer's.
        flags: what both nodes understand (`flags.common`).
        max_payload_bytes: the longest message that is kept; a longer one arrives as `Discarded`.
        budget: the bytes of incomplete messages that all peers of the node share.
    """

    def __init__(
        self,
        here: Incarnation,
        there: Incarnation,
        flags: int,
        *,
        max_payload_bytes: int,
        budget: ReassemblyBudget,
    ) -> None:
        exchanges = Exchanges(has_bare_states=not flags & dist.ALTACT_SIG)
        scopes = GroupScopes(here, there, exchanges)
        self._scheduler = OutputScheduler(SignalWriter(here, flags, exchanges, scopes))
        self.left_out: Final = self._scheduler.left_out
        """Not empty if there are signals for `unwritten`."""
        self.is_empty = True
        """True when `transmit` has returned all bytes of the signals that it took."""
        self._messages = MessageReader(here, flags, max_payload_bytes, budget)
        self._reader = SignalReader(here, there, exchanges, scopes)

    def transmit(self, signals: deque[Signal]) -> tuple[bytes, int]:
        """See `SignalStream.transmit`."""
        written = self._scheduler.gather(signals)
        self.is_empty = self._scheduler.is_empty
        return written

    def unwritten(self) -> list[str]:
        """See `SignalStream.unwritten`."""
        return self._scheduler.unwritten()

    def unanswered(self) -> list[Signal]:
        """See `SignalStream.unanswered`."""
        return self._scheduler.unanswered()

    def receive_data(self, data: bytes | memoryview) -> list[Signal]:
        """The signals that *data* completes, in order.

        Raises:
            ProtocolError: the peer broke the protocol; nothing more can be read from it.
        """
        try:
            return self._reader.read(self._messages.receive_data(data))
        except DecodeError as error:
            raise ProtocolError(str(error)) from None

    def close(self) -> None:
        """Drops all incomplete messages, because the connection ended, and releases their budget."""
        self._messages.abandon()
