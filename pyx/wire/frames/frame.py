"""Where one frame ends and the next begins.  Not here: what a frame says (`wire/frames/signal_stream.py`).

    u32 big endian: length of the body | body

A frame of length 0 is a frame.  The limit is checked on the length alone, before a byte of the body is kept,
and the buffer grows by what has arrived, never by what was announced.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from pyx.errors import FrameTooBig

LENGTH: Final = Struct(">I")

_LARGE: Final = 64 * 1024
"""A body beyond this is handed out as a view of the buffer it grew in: one copy less of a large payload."""


class FrameReader:
    """Cuts a stream of bytes into frame bodies: `receive_data` as they come, then collect `frames`.

    Args:
        max_frame_bytes: the longest body that is taken.
    """

    __slots__ = ("_limit", "_rest")

    def __init__(self, max_frame_bytes: int) -> None:
        self._limit = max_frame_bytes
        self._rest = bytearray()

    def receive_data(self, data: bytes | memoryview) -> None:
        """Takes bytes from the stream; they may be overwritten afterwards.  Next, collect `frames`."""
        self._rest += data

    def frames(self) -> list[bytes | memoryview]:
        """The bodies that are complete, in order.

        Raises:
            FrameTooBig: a length over the limit was announced; the stream is beyond repair.
        """
        frames: list[bytes | memoryview] = []
        while True:
            rest = self._rest
            if len(rest) < 4:
                return frames
            (length,) = LENGTH.unpack_from(rest)
            if length > self._limit:
                raise FrameTooBig(length, self._limit)
            end = 4 + length
            if len(rest) < end:
                return frames
            if length > _LARGE:
                view = memoryview(rest)
                self._rest = bytearray(view[end:])
                frames.append(view[4:end])
            else:
                del rest[: self._cut_small(bytes(rest), frames)]

    def _cut_small(self, data: bytes, frames: list[bytes | memoryview]) -> int:
        # One slice of bytes a frame, and one shift of the buffer a read, however many frames it held.
        # The offset returned is where the first frame begins that is large, too large, or not yet whole.
        start, size, most, unpack_from = 0, len(data), min(_LARGE, self._limit), LENGTH.unpack_from
        while size - start >= 4:
            (length,) = unpack_from(data, start)
            end = start + 4 + length
            if end > size or length > most:
                break
            frames.append(data[start + 4 : end])
            start = end
        return start
