"""Writes one signal: the head and the payload of its frame."""

from __future__ import annotations

import struct
from typing import Final, cast

from pyx import fast_paths
from pyx.signals import (
    Call,
    EncodedTerm,
    GenCall,
    GenReply,
    Holdings,
    Payload,
    PayloadBytes,
    Send,
    Signal,
    Tick,
)
from pyx.terms import Incarnation, Pid, Ref
from pyx.wire.codec import decode, encode
from pyx.wire.frames.fixed_writer import FIXED_WRITERS, HeadAndPayload
from pyx.wire.frames.fragments import FragmentedFrame
from pyx.wire.frames.head_limits import LONGEST_HEADS, SHORT_HEAD_BYTES, HeadTooLong, shortened
from pyx.wire.frames.layout import (
    KIND_AND_LENGTH,
    KINDS,
    SEND_ALIAS,
    SEND_NAME,
    SEND_PID,
    TO_ALIAS,
    TO_NAME,
    TO_PID,
)

_NEVER: Final = object()


class Writer:
    """Writes the signals for one peer.

    Args:
        here: this node's incarnation; `there`: the peer's.
    """

    counted_as_sent: Final = frozenset({Send, Call, GenCall, GenReply})
    """See `SignalFrameWriter`; the frequent ones."""

    def __init__(self, here: Incarnation, there: Incarnation) -> None:
        self.preceding: Final[list[bytes]] = []
        """Nothing: each signal is one frame."""
        self.here: Final = here
        self.there: Final = there
        self._fixed_writers = FIXED_WRITERS if fast_paths.enabled else {}
        self.last: tuple[object, object, bytes] = (_NEVER, _NEVER, b"")
        """Sender, destination and head of the last message: the next one is often between the same two."""

    def write(self, signal: Signal) -> HeadAndPayload:
        """Returns the head and the payload (empty if the signal has none); both are empty for a `Tick`.

        Raises:
            HeadTooLong: the head is longer than a peer accepts.
            EncodeError: a field is not data.
        """
        if type(signal) is Send:
            frm, to, body = signal
            last_frm, last_to, head = self.last
            if frm is last_frm and to is last_to and (body.origin is None or body.origin == self.here):
                return head, body.data
            if (own := self._message_head(signal)) is not None:
                return own, body.data
        elif type(signal) is Tick:
            return b"", b""
        elif type(signal) is Holdings:
            from pyx.wire.frames.held_keys import write_holdings  # for the first peer, not for a start

            return write_holdings(signal)
        elif (write := self._fixed_writers.get(type(signal))) is not None:
            try:
                fixed = write(signal, self.here, self.there)
            except struct.error:  # a number beyond its bits
                return self._general_form(signal)
            if fixed is not None:
                return fixed
        return self._general_form(signal)

    @staticmethod
    def fragmented(
        number: int, head: bytes, payload: PayloadBytes, queued_bytes: int, fragment_bytes: int
    ) -> FragmentedFrame:
        """See `SignalFrameWriter`."""
        return FragmentedFrame(number, head, payload, queued_bytes, fragment_bytes)

    def _message_head(self, signal: Send) -> bytes | None:
        """Returns the head of kind 1, 2 or 3; None if none of them can hold this sender or destination."""
        frm, to, body = signal
        if body.origin is not None and body.origin != self.here:
            return None
        number = serial = 0
        if frm is not None:
            if frm.node:
                return None
            number, serial = frm.number, frm.serial
        sender = frm is not None
        try:
            if type(to) is Pid:
                if to.node != self.there.name:
                    return None
                head = TO_PID.pack(SEND_PID, sender, to.number, to.serial, to.creation, number, serial)
            elif type(to) is str:
                name = to.encode("utf-8", "surrogatepass")
                head = TO_NAME.pack(SEND_NAME, sender, number, serial, len(name)) + name
            else:
                alias = cast("Ref", to)
                if alias.node != self.there.name:
                    return None
                head = TO_ALIAS.pack(SEND_ALIAS, sender, alias.number, alias.creation, number, serial)
        except struct.error:  # a number or a name beyond the fixed widths
            return None
        self.last = (frm, to, head)
        return head

    def _general_form(self, signal: Signal) -> HeadAndPayload:
        fields = shortened(signal)
        data: PayloadBytes = b""
        for index, value in enumerate(fields):
            if type(value) is Payload:
                data, origin = value
                if isinstance(data, EncodedTerm):  # an exit reason for Erlang nodes, in a chain of links
                    data, origin = encode(decode(value, self.here)), None
                fields[index] = True if origin is None or origin == self.here else tuple(origin)
        header = encode(tuple(fields), what=type(signal).__name__)
        longest = LONGEST_HEADS.get(type(signal), SHORT_HEAD_BYTES)
        if KIND_AND_LENGTH.size + len(header) > longest:
            raise HeadTooLong(KIND_AND_LENGTH.size + len(header), longest)
        return KIND_AND_LENGTH.pack(KINDS[type(signal)], len(header)) + header, data
