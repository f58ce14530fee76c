"""stream_proxy.py: A proxy of a standard stream behaves like the stream."""

from __future__ import annotations

import contextlib
import gc
import io
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution.stream_proxy import StreamProxy

if TYPE_CHECKING:
    from collections.abc import Callable


class Late(StreamProxy):
    """A proxy that keeps text until a flush."""

    def __init__(self, found: Any) -> None:
        super().__init__(found)
        self.kept = ""

    def put(self, text: str) -> None:
        self.kept += text

    def pass_on(self) -> None:
        self._found.write(self.kept)
        self._found.flush()
        self.kept = ""


class Standard(io.TextIOWrapper):
    """A stream with the name and mode of a standard stream."""

    name = "<stdout>"
    mode = "w"

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8", errors="strict", newline="\n")

    @property
    def written(self) -> bytes:
        return self.bytes.getvalue()


@pytest.fixture
def found() -> Standard:
    return Standard()


@pytest.fixture
def stream(found: Standard) -> Late:
    return Late(found)


ANSWERS: list[Callable[[Any], Any]] = [
    lambda stream: isinstance(stream, io.TextIOBase),
    lambda stream: (stream.name, stream.mode, stream.encoding, stream.errors, stream.newlines),
    lambda stream: (stream.line_buffering, stream.write_through),
    lambda stream: (stream.isatty(), stream.readable(), stream.writable(), stream.seekable()),
    lambda stream: stream.closed,
    lambda stream: (stream.buffer is stream.buffer, isinstance(stream.buffer, io.BufferedIOBase)),
    lambda stream: (stream.buffer.readable(), stream.buffer.writable(), stream.buffer.closed),
    lambda stream: stream.write("four"),
    lambda stream: stream.writelines(["one\n", "two\n"]),
    lambda stream: stream.buffer.write(b"four"),
    lambda stream: stream.reconfigure(errors="replace", line_buffering=True),
    lambda stream: (stream.reconfigure(encoding="latin-1"), stream.encoding),
    lambda stream: stream.write(5),
    lambda stream: stream.write(b"bytes"),
    lambda stream: stream.buffer.write("text"),
    lambda stream: stream.reconfigure(nonsense=True),
    lambda stream: stream.nonsense,
    lambda stream: stream.fileno(),
    lambda stream: stream.read(),
    lambda stream: stream.readline(),
    lambda stream: list(stream),
    lambda stream: stream.tell(),
    lambda stream: (stream.close(), stream.closed),
    lambda stream: (stream.close(), stream.close()),
    lambda stream: (stream.close(), stream.name, stream.encoding),
    lambda stream: (stream.close(), stream.write("late")),
    lambda stream: (stream.close(), stream.flush()),
    lambda stream: (stream.close(), stream.isatty()),
    lambda stream: (stream.close(), stream.__enter__()),
    lambda stream: (stream.detach().write(b"x"), None),
    lambda stream: (stream.detach(), stream.write("late")),
    lambda stream: (stream.detach(), stream.flush()),
]


def answer(question: Callable[[Any], Any], stream: Any) -> Any:
    try:
        return question(stream)
    except Exception as error:
        return type(error), str(error).replace("Late", "Standard")  # the name of the class is its own


@pytest.mark.parametrize("question", ANSWERS)
def test_proxy_delegates_attributes_to_the_original_stream(question: Callable[[Any], Any]) -> None:
    assert answer(question, Late(Standard())) == answer(question, Standard())


def test_text_is_written_before_later_bytes(stream: Late, found: Standard) -> None:
    stream.write("one ")
    stream.buffer.write(b"two ")
    stream.write("three ")
    stream.buffer.flush()
    stream.buffer.write(b"four ")
    stream.write("five")
    stream.flush()
    assert found.written == b"one two three four five"


def test_close_writes_kept_text_and_leaves_the_original_stream_open(stream: Late, found: Standard) -> None:
    with stream as entered:
        assert entered.write("kept") == 4
    assert (stream.closed, found.closed, found.written) == (True, False, b"kept")


def test_closed_wrapper_around_the_proxys_bytes_leaves_the_original_stream_open(
    stream: Late, found: Standard
) -> None:
    stream.write("before ")
    wrapper = io.TextIOWrapper(stream.detach(), encoding="ascii", errors="xmlcharrefreplace")
    wrapper.write("é")
    wrapper.close()
    assert (found.closed, found.written) == (False, b"before &#233;")


def test_finalized_proxy_leaves_the_original_stream_open(found: Standard) -> None:
    Late(found).write("kept")
    gc.collect()
    assert (found.closed, found.written) == (False, b"")


def test_print_and_redirect_stdout_accept_the_proxy(stream: Late, found: Standard) -> None:
    print("one", 2, file=stream, flush=True)
    with contextlib.redirect_stdout(stream):
        print("three", flush=True)
    assert found.written == b"one 2\nthree\n"
