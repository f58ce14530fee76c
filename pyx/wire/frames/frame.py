"""The boundaries of frames in a stream of bytes.

    u32 big endian: length of the body | body

A frame of length 0 is a frame.  The limit is checked on the length alone, before a byte of the body is kept,
and the buffer grows by the bytes that arrived, never by the length that was announced.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from pyx.errors import FrameTooBig

LENGTH: Final = Struct(">I")

_LARGE: Final = 64 * 1024
"""A longer body is returned as a view of the buffer that it arrived in, which saves a copy."""


class FrameReader:
    """Cuts a stream of bytes into frame bodies: call `receive_data`, then collect `frames`.

    Args:
        max_frame_bytes: the longest body that is accepted.
    """

    __slots__ = ("_limit", "unread")

    def __init__(self, max_frame_bytes: int) -> None:
        self._limit = max_frame_bytes
        self.unread = bytearray()
        """What has come of frames that are not complete, once all `frames` are collected."""

    def receive_data(self, data: bytes | memoryview) -> None:
        """Takes bytes from the stream; the caller may overwrite them afterwards.  Next, collect `frames`."""
        self.unread += data

    def frames(self) -> list[bytes | memoryview]:
        """Returns the bodies that are complete, in order.

        Raises:
            FrameTooBig: a length over the limit was announced; the stream cannot be read any further.
        """
        frames: list[bytes | memoryview] = []
        while True:
            unread = self.unread
            if len(unread) < 4:
                return frames
            (length,) = LENGTH.unpack_from(unread)
            if length > self._limit:
                raise FrameTooBig(length, self._limit)
            end = 4 + length
            if len(unread) < end:
                return frames
            if length > _LARGE:
                view = memoryview(unread)
                self.unread = bytearray(view[end:])
                frames.append(view[4:end])
            else:
                del unread[: self._cut_small(bytes(unread), frames)]

    def _cut_small(self, data: bytes, frames: list[bytes | memoryview]) -> int:
        # One slice of bytes a frame, and one shift of the buffer a read, however many frames it held.
        # Returns the offset of the first frame that is large, over the limit, or incomplete.
        start, size, most, unpack_from = 0, len(data), min(_LARGE, self._limit), LENGTH.unpack_from
        while size - start >= 4:
            (length,) = unpack_from(data, start)
            end = start + 4 + length
            if end > size or length > most:
                break
            frames.append(data[start + 4 : end])
            start = end
        return start
