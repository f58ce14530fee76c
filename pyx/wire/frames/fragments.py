"""Large frames cut into fragments, and the limits of frames in flight.  `reassembly` joins them again.

The first fragment announces the length of the frame's head and payload; the frame is complete when that many
bytes have come.  Each fragmented frame has a stream number, so fragments of several frames may alternate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.signals import SPLIT_BYTES, SplitBytes
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT, LATER, LATER_FRAGMENT

if TYPE_CHECKING:
    from pyx.signals import PayloadBytes

FRAGMENT_BYTES: Final = SPLIT_BYTES
"""A frame up to this size is sent whole; a longer one in fragments of this size."""

MAX_PAYLOAD_BYTES: Final = 128 * 1024 * 1024
"""The longest payload that travels, unless the node is started with another limit."""

HEAD_BYTES: Final = 1024 * 1024
"""The longest head of a frame (printed text is in the head of its signal)."""

PEER_BUDGET_BYTES: Final = MAX_PAYLOAD_BYTES + HEAD_BYTES
"""How many bytes of incomplete frames one peer may have in flight."""

NODE_BUDGET_BYTES: Final = 512 * 1024 * 1024
"""How many bytes of incomplete frames all peers of a node together may have in flight."""

MAX_STREAMS: Final = 64
"""How many incomplete frames one peer may have in flight: each costs memory, however short its fragments."""


class FragmentedFrame:
    """One large frame on its way out: call `cut` until it `is_sent`.

    Args:
        stream: a number that no other frame in flight to the same peer has.
        head: the frame's head; `payload`: the frame's payload.
        queued_bytes: how much the frame's signal counts in its outbox.
        fragment_bytes: the length of each fragment.
    """

    __slots__ = ("_at", "_before", "_fragment_bytes", "_lengths", "_queued_bytes", "_rest", "_stream", "size")

    def __init__(
        self,
        stream: int,
        head: bytes,
        payload: PayloadBytes,
        queued_bytes: int,
        fragment_bytes: int = FRAGMENT_BYTES,
    ) -> None:
        self._stream = stream
        self._lengths = len(head), len(payload)
        if type(payload) is SplitBytes:
            self._before, self._rest = head + payload.first, memoryview(payload.rest)
        else:
            self._before, self._rest = head, memoryview(bytes(payload))
        self._queued_bytes = queued_bytes
        self._fragment_bytes = fragment_bytes
        self._at = 0
        self.size: Final = len(head) + len(payload)

    @property
    def is_sent(self) -> bool:
        """True once `cut` has returned the last fragment."""
        return self._at >= self.size

    def cut(self, parts: list[bytes | memoryview]) -> tuple[int, int]:
        """Appends the next fragment to *parts*; returns (bytes appended, bytes released from the outbox)."""
        start, end = self._at, min(self._at + self._fragment_bytes, self.size)
        self._at = end
        if start:
            lead = LATER.pack(LATER_FRAGMENT, self._stream)
        else:
            lead = FIRST.pack(FIRST_FRAGMENT, self._stream, *self._lengths)
        length = len(lead) + end - start
        parts += (LENGTH.pack(length), lead)
        before = len(self._before)
        if start < before:
            parts.append(self._before[start:end])
        if end > before:
            parts.append(self._rest[max(start - before, 0) : end - before])
        released = min(end - start, self._queued_bytes) if end < self.size else self._queued_bytes
        self._queued_bytes -= released
        return LENGTH.size + length, released
