"""screen.py, text_writer.py: Order, output above a prompt, threads, a blocked or closed reader."""

from __future__ import annotations

import io
import os
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.shell import screen as screen_module
from pyx.shell.screen import Screen, ScreenStream
from pyx.terms import Pid
from tests.local_nodes import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def in_thread(function: object, *args: object) -> None:
    thread = threading.Thread(target=function, args=args)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_writes_of_the_shells_thread_reach_the_stream_at_once_and_in_order() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.write("one\n")
    screen.write("two\n")
    assert stream.getvalue() == "one\ntwo\n"


def test_write_of_another_thread_comes_before_the_shells_next_one() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    in_thread(screen.write, "theirs\n")
    screen.write("mine\n")
    assert stream.getvalue() == "theirs\nmine\n"


def test_text_of_another_node_is_filtered_and_text_of_this_node_is_not() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.write("\x1b[2J\n", frm=Pid(1, 0, "b@vm", 5))
    screen.write("\x1b[2J", frm=Pid(1))
    assert stream.getvalue() == "^[[2J\n\x1b[2J"


def test_text_is_kept_back_while_another_program_has_the_terminal() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.write("before\n")
    with screen.lent():
        in_thread(screen.write, "theirs\n")
        screen.write("mine\n")
        assert screen.settle()
        assert stream.getvalue() == "before\n"
    assert stream.getvalue() == "before\ntheirs\nmine\n"
    screen.write("after\n")
    assert stream.getvalue().endswith("after\n")


def test_unfinished_line_is_ended_before_a_prompt() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.fresh_line()
    screen.write("50 %")
    screen.fresh_line()
    screen.fresh_line()
    assert stream.getvalue() == "50 %\n"


class TestAboveAPrompt:
    def test_writes_wait_for_the_prompts_loop_which_is_called_once(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        calls: list[None] = []
        screen.attach(lambda: calls.append(None))
        in_thread(screen.write, "a\n")
        in_thread(screen.write, "b\n")
        assert (stream.getvalue(), len(calls)) == ("", 1)
        assert screen.drain_above() is False
        assert stream.getvalue() == "a\nb\n"
        in_thread(screen.write, "c\n")
        assert len(calls) == 2

    def test_lines_that_the_loop_did_not_take_are_written_when_the_prompt_ends(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        screen.attach(lambda: None)
        screen.write("late\n")
        screen.detach()
        assert stream.getvalue() == "late\n"

    def test_many_lines_are_written_in_batches_whole_and_in_order(self) -> None:
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

    def test_unfinished_line_is_ended(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        screen.attach(lambda: None)
        screen.write("half")
        screen.drain_above()
        assert stream.getvalue() == "half\n"


def test_lines_of_each_thread_stay_in_its_order() -> None:
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

    def print_lines() -> None:
        for _ in range(5):
            screen.write("12345678\n")

    in_thread(print_lines)
    screen.drain_above()
    assert stream.getvalue() == (
        "12345678\n12345678\n... 3 lines dropped: they came faster than they can be shown\n"
    )


def test_on_lost_is_called_once_and_later_writes_are_dropped() -> None:
    class Broken(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    lost: list[Exception] = []
    screen = Screen(Broken(), on_lost=lost.append)
    screen.write("a\n")
    screen.write("b\n")
    in_thread(screen.write, "c\n")
    assert [type(error) for error in lost] == [BrokenPipeError]


def test_character_that_the_encoding_lacks_is_escaped() -> None:
    data = io.BytesIO()
    screen = Screen(io.TextIOWrapper(data, encoding="ascii"))
    screen.write("né \ud800\n")
    assert data.getvalue() == b"n\\xe9 \\ud800\n"


def test_write_inside_a_write_does_not_hang() -> None:
    class Reenters(io.StringIO):
        def write(self, text: str) -> int:
            if text == "outer\n":
                screen.write("inner\n")
            return super().write(text)

    stream = Reenters()
    screen = Screen(stream)
    screen.write("outer\n")
    assert stream.getvalue() == "outer\ninner\n"


def test_write_after_close_is_dropped() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.write("last\n")
    screen.close()
    screen.write("too late\n")
    assert stream.getvalue() == "last\n"


class Reader:
    """The reading end of a pipe that a screen writes to; reads from `starts` on."""

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


class TestBlockedStream:
    def test_writes_do_not_wait_and_all_arrive_later(self, reader: Reader) -> None:
        screen = Screen(reader.stream)
        lines = [f"{number} {'x' * 1000}\n" for number in range(500)]
        for line in lines:
            screen.write(line)  # far more than the pipe buffers
        reading = reader.starts()
        assert screen.drain()
        reader.stream.close()
        reading.join()
        assert reader.text == "".join(lines)

    def test_has_room_is_false_until_the_waiter_is_called(self, reader: Reader) -> None:
        screen = Screen(reader.stream)
        calls: list[None] = []
        while screen.has_room(lambda: calls.append(None)):
            screen.write("x" * 999 + "\n")
        assert calls == []
        reading = reader.starts()
        assert screen.drain()
        assert calls
        assert screen.has_room(lambda: None)
        reader.stream.close()
        reading.join()

    def test_close_after_hurry_gives_up(self, reader: Reader) -> None:
        screen = Screen(reader.stream)
        screen.write("x" * 1_000_000 + "\n")
        screen.hurry()
        assert screen.close() is False
        reading = reader.starts()
        until(lambda: len(reader.text) == 1_000_001)  # the batch that was being written
        reader.stream.close()
        reading.join()

    def test_close_after_hurry_waits_for_a_writer_that_was_not_run(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(screen_module, "_LOOK_SECONDS", 0.001)
        monkeypatch.setattr(screen_module, "_MOST_LOOKS", 100_000)
        reading = reader.starts()
        screen = Screen(reader.stream)
        screen.hurry()
        screen._writing.acquire()
        screen.write("a last line\n")
        threading.Timer(0.05, screen._writing.release).start()
        assert screen.close() is True
        reader.stream.close()
        reading.join()
        assert reader.text == "a last line\n"


class TestScreenStream:
    def test_screen_stream_writes_whole_lines_of_each_thread(self) -> None:
        found = io.StringIO()
        stream = ScreenStream(Screen(found), found)
        stream.write("half ")
        in_thread(stream.writelines, ["theirs\n"])
        stream.write("line\nrest")
        assert found.getvalue() == "theirs\nhalf line\n"
        stream.flush()
        assert found.getvalue().endswith("\nrest")

    def test_other_attributes_are_those_of_the_replaced_stream(self) -> None:
        found = io.StringIO()
        stream = ScreenStream(Screen(found), found)
        assert stream.isatty() is False
        with pytest.raises(io.UnsupportedOperation):
            stream.fileno()


def test_reconfigured_encoding_of_the_stream_is_used(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        screen = Screen(stream)
        screen.write("é")
        stream.reconfigure(encoding="latin-1")
        screen.write("é")
        stream.reconfigure(encoding="ascii", errors="xmlcharrefreplace")
        screen.write("é")
    assert (tmp_path / "out").read_bytes() == b"\xc3\xa9\xe9&#233;"
