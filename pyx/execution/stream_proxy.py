"""Proxies of the standard streams: writing is a subclass's, all else is delegated to the original stream.

`isinstance(sys.stdout, io.TextIOBase)` is true, `with sys.stdout:` and `sys.stdout.detach()` work, and bytes
written to `sys.stdout.buffer` come after the text that was written before them.  The original stream is never
closed; a closed proxy raises ValueError, as any closed stream.  See `stdout_router.py` and `shell/screen.py`
for the subclasses.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer


class _Delegated:
    """Descriptor of an attribute that `io`'s base classes define and the original stream must answer."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, stream: Any, _owner: type) -> Any:
        return self if stream is None else stream.original(self._name)


_OF_A_CLOSED_ONE: Final = frozenset({"closed", "encoding", "errors", "mode", "name", "newlines"})
"""Attributes that a closed stream still has."""


class _Delegating:
    """What the proxies of text and of bytes share: delegation of everything else."""

    _found: Any

    def original(self, name: str) -> Any:
        """Returns attribute *name* of the original stream; raises ValueError if the proxy is closed."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return self.original(name)  # `line_buffering`, `mode`, `name` ...

    def __repr__(self) -> str:
        return repr(self._found)

    def __del__(self) -> None:
        """Leaves the original stream open, which a stream's finalizer would close."""

    fileno: Any = _Delegated()
    isatty: Any = _Delegated()
    read: Any = _Delegated()
    readable: Any = _Delegated()
    readline: Any = _Delegated()
    seek: Any = _Delegated()
    seekable: Any = _Delegated()
    tell: Any = _Delegated()
    truncate: Any = _Delegated()
    writable: Any = _Delegated()


class StreamProxy(_Delegating, io.TextIOBase):
    """A proxy of a text stream; a subclass defines `put` and `pass_on`.

    Args:
        found: the original stream.
    """

    routes_processes = False
    """True where the output of some processes goes elsewhere than to the original stream."""

    def __init__(self, found: TextIO) -> None:
        self._found: TextIO = found
        self._closed = False
        self._is_detached = False
        self._bytes: BytesProxy | None = None

    @property
    def original_stream(self) -> TextIO:
        """The stream beneath."""
        return self._found

    def put(self, text: str) -> None:
        """Writes *text*; called while the proxy is open."""
        raise NotImplementedError

    def pass_on(self) -> None:
        """Writes the text that `put` has kept back, for `flush`; called while the proxy is open."""
        raise NotImplementedError

    def original(self, name: str) -> Any:
        """See `_Delegating`."""
        if name not in _OF_A_CLOSED_ONE:
            self._require_open()
        return getattr(self._found, name)

    def write(self, text: str) -> int:
        """See `io.TextIOBase`."""
        if not isinstance(text, str):
            msg = f"write() argument must be str, not {type(text).__name__}"  # type: ignore[unreachable]
            raise TypeError(msg)
        if self._closed or self._is_detached:
            self._require_open()
        self.put(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        """See `io.TextIOBase`."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """See `io.TextIOBase`."""
        self._require_open()
        self.pass_on()

    @property
    def buffer(self) -> Any:
        """The binary stream beneath; text that was written before is written first."""
        self._require_open()
        if self._bytes is None:
            self._bytes = BytesProxy(self.original("buffer"), self._pass_on_if_open)
        return self._bytes

    def detach(self) -> Any:
        """Flushes, and returns the buffer; the proxy raises ValueError from now on."""
        self.flush()
        buffer = self.buffer
        self._is_detached = True
        return buffer

    def reconfigure(self, **changes: Any) -> None:
        """Changes the original stream."""
        self.flush()
        self.original("reconfigure")(**changes)

    @property
    def closed(self) -> bool:
        """True once the proxy or the original stream was closed."""
        return self._closed or self._found.closed

    def close(self) -> None:
        """Closes the proxy; the original stream stays open, as other writers use it."""
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

    encoding: Any = _Delegated()
    errors: Any = _Delegated()
    newlines: Any = _Delegated()
    readlines: Any = _Delegated()


class BytesProxy(_Delegating, io.BufferedIOBase):
    """A proxy of the binary stream beneath a text stream.

    Args:
        found: the original buffer.
        pass_on: writes the text that the text proxy has kept back.
    """

    def __init__(self, found: Any, pass_on: Callable[[], object]) -> None:
        self._found = found
        self._pass_on = pass_on
        self._closed = False

    def original(self, name: str) -> Any:
        """See `_Delegating`."""
        if self._closed and name not in _OF_A_CLOSED_ONE:
            raise ValueError("I/O operation on closed file.")
        return getattr(self._found, name)

    def write(self, data: ReadableBuffer, /) -> int:
        """See `io.BufferedIOBase`."""
        write = self.original("write")
        self._pass_on()
        count: int = write(data)
        return count

    def flush(self) -> None:
        """See `io.BufferedIOBase`."""
        flush = self.original("flush")
        self._pass_on()
        flush()

    @property
    def raw(self) -> Any:
        """The unbuffered stream; buffered bytes are written first."""
        self.flush()
        return self.original("raw")

    @property
    def closed(self) -> bool:
        """True once the proxy or the original buffer was closed."""
        return self._closed or bool(self._found.closed)

    def close(self) -> None:
        """Closes the proxy; the original buffer stays open."""
        if not self.closed:
            self.flush()
        self._closed = True

    read1: Any = _Delegated()
    readinto: Any = _Delegated()
    readinto1: Any = _Delegated()
