"""screen.py: One writer: order, output above a prompt, threads, a reader that left."""

from __future__ import annotations

import io
import os
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.shell.screen import Screen, ScreenStream
from pyx.terms import Pid
from tests.staging import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def in_thread(function: object, *args: object) -> None:
    thread = threading.Thread(target=function, args=args)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_the_shells_own_writes_are_there_at_once_and_in_order() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.write("one\n")
    screen.write("two\n")
    assert stream.getvalue() == "one\ntwo\n"


def test_what_another_thread_wrote_comes_before_what_the_shell_writes_next() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    in_thread(screen.write, "theirs\n")
    screen.write("mine\n")
    assert stream.getvalue() == "theirs\nmine\n"


def test_foreign_text_is_filtered_and_own_text_is_not() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.write("\x1b[2J\n", frm=Pid(1, 0, "b@vm", 5))
    screen.write("\x1b[2J", frm=Pid(1))
    assert stream.getvalue() == "^[[2J\n\x1b[2J"


def test_an_open_line_is_ended_before_a_prompt() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.fresh_line()
    screen.write("50 %")
    screen.fresh_line()
    screen.fresh_line()
    assert stream.getvalue() == "50 %\n"


class TestAboveAPrompt:
    def test_writes_wait_for_the_prompts_loop_which_is_asked_once(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        asked: list[None] = []
        screen.attach(lambda: asked.append(None))
        in_thread(screen.write, "a\n")
        in_thread(screen.write, "b\n")
        assert (stream.getvalue(), len(asked)) == ("", 1)
        assert screen.drain_above() is False
        assert stream.getvalue() == "a\nb\n"
        in_thread(screen.write, "c\n")
        assert len(asked) == 2

    def test_what_was_never_asked_for_comes_when_the_prompt_is_gone(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        screen.attach(lambda: None)
        screen.write("late\n")
        screen.detach()
        assert stream.getvalue() == "late\n"

    def test_a_flood_comes_in_batches_whole_and_in_order(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        screen.attach(lambda: None)
        lines = [f"line {number} {'x' * 40}\n" for number in range(10_000)]
        for line in lines:
            screen.write(line)
        batches = 1
        while screen.drain_above():
            batches += 1
        assert stream.getvalue() == "".join(lines)
        assert batches > 1

    def test_a_line_without_an_end_is_ended(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        screen.attach(lambda: None)
        screen.write("half")
        screen.drain_above()
        assert stream.getvalue() == "half\n"


def test_each_threads_lines_stay_in_its_order() -> None:
    stream = io.StringIO()
    screen = Screen(stream)

    def prints(name: int) -> None:
        for number in range(500):
            screen.write(f"{name} {number}\n")

    threads = [threading.Thread(target=prints, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    prints(9)
    for thread in threads:
        thread.join()
    screen.drain()
    lines = stream.getvalue().splitlines()
    for name in (0, 1, 2, 3, 9):
        assert [line for line in lines if line.startswith(f"{name} ")] == [f"{name} {n}" for n in range(500)]


def test_lines_beyond_the_limit_are_dropped_and_counted() -> None:
    stream = io.StringIO()
    screen = Screen(stream, most_queued=10)
    screen.attach(lambda: None)

    def floods() -> None:
        for _ in range(5):
            screen.write("12345678\n")

    in_thread(floods)
    screen.drain_above()
    assert stream.getvalue() == (
        "12345678\n12345678\n... 3 lines dropped: they came faster than they can be shown\n"
    )


def test_a_reader_that_left_is_told_of_once_and_writing_goes_on_in_silence() -> None:
    class Broken(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    gone: list[Exception] = []
    screen = Screen(Broken(), gone=gone.append)
    screen.write("a\n")
    screen.write("b\n")
    in_thread(screen.write, "c\n")
    assert [type(error) for error in gone] == [BrokenPipeError]


def test_a_stream_that_lacks_a_character_gets_an_escape() -> None:
    data = io.BytesIO()
    screen = Screen(io.TextIOWrapper(data, encoding="ascii"))
    screen.write("né \ud800\n")
    assert data.getvalue() == b"n\\xe9 \\ud800\n"


def test_a_finalizer_that_prints_while_the_screen_writes_does_not_hang() -> None:
    class Reenters(io.StringIO):
        def write(self, text: str) -> int:
            if text == "outer\n":
                screen.write("inner\n")
            return super().write(text)

    stream = Reenters()
    screen = Screen(stream)
    screen.write("outer\n")
    assert stream.getvalue() == "outer\ninner\n"


def test_nothing_is_written_after_the_end() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.write("last\n")
    screen.close()
    screen.write("too late\n")
    assert stream.getvalue() == "last\n"


class Reader:
    """The reading end of a pipe that a screen writes to; it starts to read when told."""

    def __init__(self) -> None:
        self._end, number = os.pipe()
        self.stream = os.fdopen(number, "w", encoding="utf-8")
        self.text = ""

    def starts(self) -> threading.Thread:
        thread = threading.Thread(target=self._read)
        thread.start()
        return thread

    def _read(self) -> None:
        while data := os.read(self._end, 1 << 16):
            self.text += data.decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._end)


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


class TestAStreamThatTakesNothing:
    def test_never_makes_a_write_wait_and_gets_all_of_it_later(self, reader: Reader) -> None:
        screen = Screen(reader.stream)
        lines = [f"{number} {'x' * 1000}\n" for number in range(500)]
        for line in lines:
            screen.write(line)  # far more than a pipe holds
        reading = reader.starts()
        assert screen.drain()
        reader.stream.close()
        reading.join()
        assert reader.text == "".join(lines)

    def test_has_no_room_and_says_when_it_has_some(self, reader: Reader) -> None:
        screen = Screen(reader.stream)
        told: list[None] = []
        while screen.has_room(lambda: told.append(None)):
            screen.write("x" * 999 + "\n")
        assert told == []
        reading = reader.starts()
        assert screen.drain()
        assert told
        assert screen.has_room(lambda: None)
        reader.stream.close()
        reading.join()

    def test_is_given_up_in_a_hurry(self, reader: Reader) -> None:
        screen = Screen(reader.stream)
        screen.write("x" * 1_000_000 + "\n")
        screen.hurry()
        assert screen.close() is False
        reading = reader.starts()
        until(lambda: len(reader.text) == 1_000_001)  # a batch that is under way
        reader.stream.close()
        reading.join()


class TestScreenStream:
    def test_hands_over_whole_lines_of_each_thread(self) -> None:
        found = io.StringIO()
        stream = ScreenStream(Screen(found), found)
        stream.write("half ")
        in_thread(stream.writelines, ["theirs\n"])
        stream.write("line\nrest")
        assert found.getvalue() == "theirs\nhalf line\n"
        stream.flush()
        assert found.getvalue().endswith("\nrest")

    def test_is_otherwise_the_found_stream(self) -> None:
        found = io.StringIO()
        stream = ScreenStream(Screen(found), found)
        assert stream.isatty() is False
        with pytest.raises(io.UnsupportedOperation):
            stream.fileno()


def test_a_stream_that_is_configured_anew_is_written_so(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        screen = Screen(stream)
        screen.write("é")
        stream.reconfigure(encoding="latin-1")
        screen.write("é")
        stream.reconfigure(encoding="ascii", errors="xmlcharrefreplace")
        screen.write("é")
    assert (tmp_path / "out").read_bytes() == b"\xc3\xa9\xe9&#233;"
