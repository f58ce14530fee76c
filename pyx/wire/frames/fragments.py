"""Large frames in pieces: how they are cut, and how much of them may be under way.  Not here: whose piece is
next (`scheduler.py`), and how the pieces come together again (`reassembly.py`).

A frame is announced by its first fragment (how long its head and its payload are) and whole when so many
bytes have come; streams of fragments are told apart by a number and may alternate.
"""

from __future__ import annotations

from typing import Final

from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT, LATER, LATER_FRAGMENT

FRAGMENT_BYTES: Final = 64 * 1024
"""A frame up to this is sent whole; the pieces of a longer one are of this size."""

MAX_PAYLOAD_BYTES: Final = 128 * 1024 * 1024
"""The longest payload that travels, unless a node was told otherwise."""

HEAD_BYTES: Final = 1024 * 1024
"""The longest head of a frame (what somebody prints stands in some)."""

PEER_ROOM_BYTES: Final = MAX_PAYLOAD_BYTES + HEAD_BYTES
"""How much one peer may leave unfinished at a time."""

NODE_ROOM_BYTES: Final = 512 * 1024 * 1024
"""How much all peers of a node together may leave unfinished."""

MAX_STREAMS: Final = 64
"""How many frames one peer may leave unfinished at a time: each costs something, however short its pieces."""


class Parcel:
    """One large frame on its way out: `cut` it until it `is_over`.

    Args:
        stream: a number that no other unfinished parcel to that peer has.
        head: of the frame; `payload`: what follows it.
        weight: how much it counts in the queue it comes from.
        fragment_bytes: how much of it goes at a time.
    """

    __slots__ = ("_at", "_head", "_payload", "_step", "_stream", "_weight", "size")

    def __init__(
        self, stream: int, head: bytes, payload: bytes, weight: int, fragment_bytes: int = FRAGMENT_BYTES
    ) -> None:
        self._stream = stream
        self._head = head
        self._payload = memoryview(payload)
        self._weight = weight
        self._step = fragment_bytes
        self._at = 0
        self.size: Final = len(head) + len(payload)

    @property
    def is_over(self) -> bool:
        """All of it was cut."""
        return self._at >= self.size

    def cut(self, parts: list[bytes | memoryview]) -> tuple[int, int]:
        """Adds the next fragment to *parts*; gives its bytes, and how much lighter the queue is by it."""
        start, end = self._at, min(self._at + self._step, self.size)
        self._at = end
        if start:
            lead = LATER.pack(LATER_FRAGMENT, self._stream)
        else:
            lead = FIRST.pack(FIRST_FRAGMENT, self._stream, len(self._head), len(self._payload))
        length = len(lead) + end - start
        parts += (LENGTH.pack(length), lead)
        head = len(self._head)
        if start < head:
            parts.append(self._head[start:end])
        if end > head:
            parts.append(self._payload[max(start - head, 0) : end - head])
        weight = min(end - start, self._weight) if end < self.size else self._weight
        self._weight -= weight
        return LENGTH.size + length, weight
