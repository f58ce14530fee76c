"""terminal.py: The editor driven by keystrokes, with output arriving meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from pyx.shell.completion import Completion
from pyx.shell.history import History
from pyx.shell.loop import Prompt
from pyx.shell.screen import Screen
from pyx.shell.terminal import PersonTerminal
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.input.base import PipeInput

ALT_ENTER = "\x1b\r"


class Desk:
    """A terminal without a person."""

    def __init__(self, keys: PipeInput, path: Path) -> None:
        self.keys = keys
        self.stream = io.StringIO()
        self.screen = Screen(self.stream)
        self.terminal = PersonTerminal(
            self.screen,
            History(path, lambda _text: None),
            lambda text, cursor: (
                Completion(cursor - 2, ["print("]) if text[:cursor].endswith("pr") else Completion(0, [])
            ),
            stdout=self.stream,
            colour=True,
            source=keys,
            output=DummyOutput(),
        )

    def read(self, keys: str) -> str:
        self.keys.send_text(keys)
        return self.terminal.read(lambda: Prompt("pyx(1)> ", "...(1)> "))


@contextmanager
def at_desk(tmp_path: Path) -> Iterator[Desk]:
    with create_pipe_input() as keys:
        yield Desk(keys, tmp_path / "history")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with at_desk(tmp_path) as made:
        yield made


class TestKeys:
    def test_enter_submits_a_complete_line(self, desk: Desk) -> None:
        assert desk.read("1 + 1\r") == "1 + 1"

    def test_a_block_indents_itself_and_ends_with_a_blank_line(self, desk: Desk) -> None:
        text = desk.read("def f(x):\rif x:\rreturn 1\rreturn 2\r\r")
        assert text == "def f(x):\n    if x:\n        return 1\n    return 2\n"

    def test_a_bracket_left_open_reads_on(self, desk: Desk) -> None:
        assert desk.read("[1,\r2]\r") == "[1,\n2]"

    def test_alt_enter_makes_a_line(self, desk: Desk) -> None:
        assert desk.read(f"a = 1{ALT_ENTER}b = 2\r") == "a = 1\nb = 2"

    def test_a_pasted_block_with_blank_lines_is_one_input(self, desk: Desk) -> None:
        block = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
        assert desk.read(f"\x1b[200~{block}\x1b[201~\r") == block

    def test_tab_completes_a_word(self, desk: Desk) -> None:
        def completed(buffer: Buffer) -> None:
            if buffer.text == "print(":  # it was computed on a thread, so what follows is typed only now
                desk.keys.send_text("1)\r")

        desk.terminal._session.default_buffer.on_text_changed += completed
        assert desk.read("pr\t") == "print(1)"

    def test_tab_indents_an_empty_line(self, desk: Desk) -> None:
        assert desk.read("if 1:\r\x7f\tpass\r\r") == "if 1:\n    pass\n"

    def test_backspace_takes_an_indent_at_once(self, desk: Desk) -> None:
        assert desk.read("if 1:\rx\r\x7felse:\rpass\r\r") == "if 1:\n    x\nelse:\n    pass\n"

    def test_ctrl_c_clears_what_is_typed_and_ctrl_d_ends(self, desk: Desk) -> None:
        assert desk.read("half\x03x\r") == "x"
        with pytest.raises(KeyboardInterrupt):
            desk.read("\x03")
        with pytest.raises(EOFError):
            desk.read("\x04")

    def test_ctrl_c_typed_behind_enter_keeps_the_statement_from_running(self, desk: Desk) -> None:
        with pytest.raises(KeyboardInterrupt):
            desk.read("1\r2\r\x033\r")
        assert desk.stream.getvalue().strip() == "KeyboardInterrupt"
        assert desk.read("") == "3"

    def test_a_signal_as_enter_has_ended_the_prompt_is_not_lost(self, desk: Desk) -> None:
        buffer = desk.terminal._session.default_buffer
        accept = buffer.accept_handler
        assert accept is not None

        def entered(buffer: Buffer) -> bool:
            keeps_text = accept(buffer)
            os.kill(os.getpid(), signal.SIGINT)
            return keeps_text

        buffer.accept_handler = entered
        with pytest.raises(KeyboardInterrupt):
            desk.read("1\r")
        assert desk.stream.getvalue().strip() == "KeyboardInterrupt"

    def test_statements_of_many_lines_come_back_with_arrow_up_in_the_next_session(
        self, tmp_path: Path
    ) -> None:
        with at_desk(tmp_path) as first:
            first.read("x = [1,\r2]\r")
        with at_desk(tmp_path) as second:
            assert second.read("\x1b[A\r") == "x = [1,\n2]"


class TestOutput:
    def test_lines_that_come_while_someone_types_are_shown_and_the_input_is_whole(self, desk: Desk) -> None:
        lines = [f"line {number}\n" for number in range(10_000)]

        def other_process() -> None:
            desk.keys.send_text("x = ")
            for line in lines:
                desk.screen.write(line, frm=Pid(1, 0, "b@vm", 5))
            desk.keys.send_text("5\r")

        thread = threading.Thread(target=other_process)
        thread.start()
        assert desk.terminal.read(lambda: Prompt("pyx(1)> ", "...(1)> ")) == "x = 5"
        thread.join()
        desk.screen.drain()
        assert desk.stream.getvalue() == "".join(lines)

    def test_keys_get_through_an_endless_flood(self, desk: Desk) -> None:
        has_read = threading.Event()

        def floods() -> None:
            while not has_read.is_set():
                if desk.screen.has_room(lambda: None):
                    desk.screen.write("line\n" * 1000, frm=Pid(1, 0, "b@vm", 5))

        thread = threading.Thread(target=floods)
        thread.start()
        try:
            assert desk.read("x = 5\r") == "x = 5"
        finally:
            has_read.set()
            thread.join()

    def test_output_that_comes_as_the_loop_of_a_prompt_closes_is_shown_behind_it(self, desk: Desk) -> None:
        """The editor has ended, its loop still takes calls from other threads."""
        printer = Pid(1, 0, "b@vm", 5)
        kept: list[AsyncIterator[None]] = []
        printing: list[asyncio.Task[None] | None] = []

        async def closes_last() -> AsyncIterator[None]:
            try:
                yield
            finally:
                desk.screen.write("late\n", frm=printer)
                await asyncio.sleep(0)  # the loop takes that call
                printing.append(desk.terminal._printing)

        def prompt() -> Prompt:
            if not kept:
                kept.append(closes_last())
                asyncio.get_running_loop().create_task(anext(kept[0]))  # type: ignore[arg-type]
            return Prompt("pyx(1)> ", "...(1)> ")

        desk.keys.send_text("1\r")
        assert desk.terminal.read(prompt) == "1"
        assert desk.stream.getvalue() == "late\n"
        assert printing == [None], "a task of a loop that is closing may never take its first step"

    def test_the_prompt_begins_on_its_own_line(self, desk: Desk) -> None:
        desk.screen.write("50 %")
        desk.read("1\r")
        assert desk.stream.getvalue() == "50 %\n"

    def test_errors_are_painted_line_by_line(self, desk: Desk) -> None:
        desk.terminal.show("KeyError: 1\nhint: x\n", "error")
        assert desk.stream.getvalue() == "\x1b[31mKeyError: 1\x1b[0m\n\x1b[31mhint: x\x1b[0m\n"
        desk.terminal.show("[1]\n", "echo")
        assert desk.stream.getvalue().endswith("\x1b[0m\n[1]\n")

    def test_a_signal_ends_the_prompt(self, desk: Desk) -> None:
        assert desk.terminal.leave(SystemExit(143)) is False

        def prompt() -> Prompt:
            desk.terminal.leave(SystemExit(143))
            return Prompt("pyx(1)> ", "...(1)> ")

        with pytest.raises(SystemExit) as leaving:
            desk.terminal.read(prompt)
        assert leaving.value.code == 143
