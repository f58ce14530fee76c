"""Text written to a terminal, pipe or file: its encoding, and whether a write would wait."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

_AT_ONCE_CHARACTERS: Final = select.PIPE_BUF // 4
"""A writable pipe or terminal accepts this many, in any encoding, without waiting."""


class TextWriter:
    """Writes to the descriptor of *stream*, or to the stream itself if it has none.

    A blocked write to the stream would hold the lock of its buffer until the end of the process.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor = _descriptor_of(stream)

    def accepts(self, characters: int) -> bool:
        """True if that many characters can be written now, without waiting."""
        if self._descriptor is None:
            return True
        if characters > _AT_ONCE_CHARACTERS:
            return False
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(0))  # an error shows in the write

    def write(self, text: str) -> None:
        """Writes *text*, after what other code has put into the stream's buffer; may wait.

        Raises:
            OSError: the terminal was closed, the reader of a pipe left, the disk is full.
            ValueError: the stream is closed.
        """
        if self._descriptor is None:
            self._write_to_stream(text)
        self._stream.flush()
        if self._descriptor is not None:
            _write_all(self._descriptor, self._encoded(text))

    def _write_to_stream(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            self._stream.write(self._encoded(text).decode(self._encoding))

    @property
    def _encoding(self) -> str:
        return getattr(self._stream, "encoding", None) or "utf-8"  # now: a program may `reconfigure` it

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self._encoding, getattr(self._stream, "errors", None) or "strict")
        except UnicodeEncodeError:  # a lone surrogate, or a terminal that is not UTF-8
            return text.encode(self._encoding, "backslashreplace")


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # another program that shares the terminal made it non-blocking
            select.select([], [descriptor], [])
