"""A stream that stands before a standard one and writes, or reads, in its own way; the rest is the other's.

`isinstance(sys.stdout, io.TextIOBase)` is true, `with sys.stdout:` and `sys.stdout.detach()` work, and what
is written to `sys.stdout.buffer` comes after the text that was written before it.  The stream behind is never
closed: a stand-in that was closed refuses what is asked of it, as any closed stream.  See `output` and
`shell.screen` for where the text goes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer


class _Behind:
    """An attribute that `io`'s classes would answer by themselves, asked of the stream behind."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, stream: Any, _owner: type) -> Any:
        return self if stream is None else stream.behind(self._name)


_OF_A_CLOSED_ONE: Final = frozenset({"closed", "encoding", "errors", "mode", "name", "newlines"})
"""What a closed stream still answers."""


class _AllElseBehind:
    """What a stand-in for text and one for bytes have in common: all else is the other stream's."""

    _found: Any

    def behind(self, name: str) -> Any:
        """Returns that attribute of the stream behind; raises ValueError where it is closed."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return self.behind(name)  # `line_buffering`, `mode`, `name` ...

    def __repr__(self) -> str:
        return repr(self._found)

    def __del__(self) -> None:
        """Does not close it, as any other stream would."""

    fileno: Any = _Behind()
    isatty: Any = _Behind()
    read: Any = _Behind()
    readable: Any = _Behind()
    readline: Any = _Behind()
    seek: Any = _Behind()
    seekable: Any = _Behind()
    tell: Any = _Behind()
    truncate: Any = _Behind()
    writable: Any = _Behind()


class StreamProxy(_AllElseBehind, io.TextIOBase):
    """A text stream before another one; a subclass says what `put` and `pass_on` do.

    Args:
        found: the stream behind it.
    """

    def __init__(self, found: TextIO) -> None:
        self._found: TextIO = found
        self._closed = False
        self._is_detached = False
        self._bytes: BytesProxy | None = None

    def put(self, text: str) -> None:
        """Writes *text* as this stand-in does; called while it is open."""
        raise NotImplementedError

    def pass_on(self) -> None:
        """Writes what `put` has kept back, as `flush` wants it; called while it is open."""
        raise NotImplementedError

    def behind(self, name: str) -> Any:
        """Returns that attribute of the stream behind."""
        if name not in _OF_A_CLOSED_ONE:
            self._require_open()
        return getattr(self._found, name)

    def write(self, text: str) -> int:
        """Like any text stream's."""
        if not isinstance(text, str):
            msg = f"write() argument must be str, not {type(text).__name__}"  # type: ignore[unreachable]
            raise TypeError(msg)
        if self._closed or self._is_detached:
            self._require_open()
        self.put(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        """Like any text stream's."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Like any text stream's."""
        self._require_open()
        self.pass_on()

    @property
    def buffer(self) -> Any:
        """Like a text stream's: its bytes, before which goes the text that was written."""
        self._require_open()
        if self._bytes is None:
            self._bytes = BytesProxy(self.behind("buffer"), self._pass_on_if_open)
        return self._bytes

    def detach(self) -> Any:
        """Like a text stream's: the buffer, and this stream is of no use any more."""
        self.flush()
        buffer = self.buffer
        self._is_detached = True
        return buffer

    def reconfigure(self, **changes: Any) -> None:
        """Like a text stream's; it is the stream behind that changes."""
        self.flush()
        self.behind("reconfigure")(**changes)

    @property
    def closed(self) -> bool:
        """True once it was closed, or the stream behind it."""
        return self._closed or self._found.closed

    def close(self) -> None:
        """Like any stream's; the one behind stays open, as others write there too."""
        if not self.closed and not self._is_detached:
            self.pass_on()
        self._closed = True

    def _require_open(self) -> None:
        if self._is_detached:
            raise ValueError("underlying buffer has been detached")
        if self._closed:
            raise ValueError("I/O operation on closed file.")

    def _pass_on_if_open(self) -> None:
        if not self._closed:
            self.pass_on()

    encoding: Any = _Behind()
    errors: Any = _Behind()
    newlines: Any = _Behind()
    readlines: Any = _Behind()


class BytesProxy(_AllElseBehind, io.BufferedIOBase):
    """The bytes of a stream that has a stand-in.

    Args:
        found: the buffer behind it.
        pass_on: writes the text that waits in the stand-in.
    """

    def __init__(self, found: Any, pass_on: Callable[[], object]) -> None:
        self._found = found
        self._pass_on = pass_on
        self._closed = False

    def behind(self, name: str) -> Any:
        """Returns that attribute of the buffer behind."""
        if self._closed and name not in _OF_A_CLOSED_ONE:
            raise ValueError("I/O operation on closed file.")
        return getattr(self._found, name)

    def write(self, data: ReadableBuffer, /) -> int:
        """Like any buffer's."""
        write = self.behind("write")
        self._pass_on()
        count: int = write(data)
        return count

    def flush(self) -> None:
        """Like any buffer's."""
        flush = self.behind("flush")
        self._pass_on()
        flush()

    @property
    def raw(self) -> Any:
        """Like any buffer's: the stream without one.  What waits is written first."""
        self.flush()
        return self.behind("raw")

    @property
    def closed(self) -> bool:
        """True once it was closed, or the buffer behind it."""
        return self._closed or bool(self._found.closed)

    def close(self) -> None:
        """Like any buffer's; the one behind stays open."""
        if not self.closed:
            self.flush()
        self._closed = True

    read1: Any = _Behind()
    readinto: Any = _Behind()
    readinto1: Any = _Behind()
