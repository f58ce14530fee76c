"""line_buffer.py: Printed text is passed on in whole lines and in order, in pieces of limited length."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pyx.execution import line_buffer
from pyx.execution.line_buffer import LONGEST_PRINT, LineBuffer
from tests.local_nodes import HANG

if TYPE_CHECKING:
    from collections.abc import Iterator


def pieces(buffer: LineBuffer, *, everything: bool = False) -> Iterator[str]:
    """Yields the pieces that are passed on now."""
    more = True
    while more:
        piece, more = buffer.take(everything=everything)
        if piece:
            yield piece


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of at most eight characters."""
    monkeypatch.setattr(line_buffer, "LONGEST_PRINT", 8)


class TestLines:
    def test_empty_text_is_not_an_unfinished_line(self) -> None:
        buffer = LineBuffer()
        assert not buffer.write("")
        assert not buffer

    def test_unfinished_line_stays(self) -> None:
        buffer = LineBuffer()
        assert not buffer.write("half")
        assert buffer.write(" a line\nand half")
        assert list(pieces(buffer)) == ["half a line\n"]
        assert buffer.write(" a second\n")
        assert list(pieces(buffer)) == ["and half a second\n"]
        assert list(pieces(buffer)) == []

    def test_unfinished_line_is_taken_with_everything(self) -> None:
        buffer = LineBuffer()
        buffer.write("a\nb")
        assert list(pieces(buffer, everything=True)) == ["a\nb"]
        assert list(pieces(buffer, everything=True)) == []


@pytest.mark.usefixtures("short")
class TestPieces:
    def test_pieces_are_whole_lines(self) -> None:
        buffer = LineBuffer()
        assert buffer.write("one\ntwo\nthree\nfour\nfi")
        assert list(pieces(buffer)) == ["one\ntwo\n", "three\n", "four\n"]
        assert list(pieces(buffer, everything=True)) == ["fi"]

    def test_pieces_of_a_line_longer_than_a_piece(self) -> None:
        buffer = LineBuffer()
        assert buffer.write("abcdefghijklmnopqrs\nt\nu")
        assert list(pieces(buffer)) == ["abcdefgh", "ijklmnop", "qrs\nt\n"]

    def test_pieces_of_a_line_without_an_end(self) -> None:
        """It is passed on as soon as it has the length of a piece."""
        buffer = LineBuffer()
        for _ in range(20):
            buffer.write(".")
        assert list(pieces(buffer)) == ["........", "........"]
        assert list(pieces(buffer, everything=True)) == ["...."]

    def test_pieces_of_a_line_as_long_as_a_piece(self) -> None:
        buffer = LineBuffer()
        buffer.write("abcdefgh")
        assert list(pieces(buffer)) == ["abcdefgh"]
        buffer.write("abcdefg\n")
        assert list(pieces(buffer, everything=True)) == ["abcdefg\n"]


def test_buffer_is_bounded() -> None:
    """After a million prints without a newline the buffer holds less than a piece."""
    buffer, shown = LineBuffer(), 0
    for _ in range(1_000_000):
        if buffer.write("."):
            shown += sum(map(len, pieces(buffer)))
    assert 1_000_000 - shown < LONGEST_PRINT + 1024


def test_prints_of_two_threads_are_not_lost_doubled_or_reordered() -> None:
    buffer, lock = LineBuffer(), threading.Lock()
    shown: list[str] = []

    def write(name: str) -> None:
        for number in range(5000):
            for part in (name, str(number), "\n"):
                if buffer.write(part):
                    with lock:  # the kernel's
                        shown.extend(pieces(buffer))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    text = "".join(shown)
    assert sorted(text) == sorted("".join(f"{name}{number}\n" for name in "ab" for number in range(5000)))
