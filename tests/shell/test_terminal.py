"""terminal.py, editor_keys.py, hint_line.py: The editor driven by keys, with output arriving meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from pyx.shell.call_signature import CallSignature
from pyx.shell.completion import Completion
from pyx.shell.history import History
from pyx.shell.loop import Prompt
from pyx.shell.screen import Screen
from pyx.shell.terminal import PersonTerminal, _PythonLexer
from pyx.shell.theme import BOTH
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from prompt_toolkit.application import Application
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.input.base import PipeInput

ALT_ENTER = "\x1b\r"


class Names:
    """What is known to a terminal: one name and one signature."""

    def complete(self, text: str, cursor: int) -> Completion:
        return Completion(cursor - 2, ["print("]) if text[:cursor].endswith("pr") else Completion(0, [])

    def signature(self, callee: str) -> CallSignature | None:
        return CallSignature(callee, ["dest", "message=None"]) if callee == "send" else None


class Editor:
    """A terminal whose keys a test sends, and whose output it reads."""

    def __init__(self, keys: PipeInput, path: Path, editing_mode: str = "emacs") -> None:
        self.keys = keys
        self.stream = io.StringIO()
        self.screen = Screen(self.stream)
        self.terminal = PersonTerminal(
            self.screen,
            History(path, lambda _text: None),
            Names(),
            stdout=self.stream,
            theme=BOTH,
            editing_mode=editing_mode,
            source=keys,
            output=DummyOutput(),
        )

    def read(self, keys: str) -> str:
        self.keys.send_text(keys)
        return self.terminal.read(lambda: Prompt("pyx(1)> ", "...(1)> "))


@contextmanager
def opened_editor(tmp_path: Path, editing_mode: str = "emacs") -> Iterator[Editor]:
    with create_pipe_input() as keys:
        yield Editor(keys, tmp_path / "history", editing_mode)


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    with opened_editor(tmp_path) as made:
        yield made


class TestKeys:
    def test_enter_submits_a_complete_line(self, editor: Editor) -> None:
        assert editor.read("1 + 1\r") == "1 + 1"

    def test_block_is_indented_and_ends_with_a_blank_line(self, editor: Editor) -> None:
        text = editor.read("def f(x):\rif x:\rreturn 1\rreturn 2\r\r")
        assert text == "def f(x):\n    if x:\n        return 1\n    return 2\n"

    def test_enter_in_an_open_bracket_starts_a_line(self, editor: Editor) -> None:
        assert editor.read("[1,\r2]\r") == "[1,\n2]"

    def test_alt_enter_starts_a_line(self, editor: Editor) -> None:
        assert editor.read(f"a = 1{ALT_ENTER}b = 2\r") == "a = 1\nb = 2"

    def test_pasted_block_with_blank_lines_is_one_input(self, editor: Editor) -> None:
        block = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
        assert editor.read(f"\x1b[200~{block}\x1b[201~\r") == block

    def test_enter_in_a_string_adds_nothing_to_it(self, editor: Editor) -> None:
        assert editor.read('s = """a\r  b\r\r"""\r') == 's = """a\n  b\n\n"""'
        assert editor.read('def f():\r"""one\r  two"""\rpass\r\r') == (
            'def f():\n    """one\n  two"""\n    pass\n'
        )
        assert editor.read('\x1b[200~s = """a\n  b\x1b[201~\r\r"""\r') == 's = """a\n  b\n\n"""'

    def test_lines_typed_ahead_keep_their_own_indentation(self, editor: Editor) -> None:
        typed = "if 1:\n    a\n    if 2:\n        b\nelse:\n    c\n\n"
        assert editor.read(typed.replace("\n", "\r")) == typed.removesuffix("\n")
        assert editor.read("if 1:\ra\r\r") == "if 1:\n    a\n    "
        assert editor.read("if 1:\r\ta\r\r") == "if 1:\n    a\n"

    def test_input_takes_the_lines_typed_behind_it(self, editor: Editor) -> None:
        assert editor.read("x = input()\rjo\x7foe\r\x04y") == "x = input()"
        taken = [editor.terminal.take_typed_line() for _ in range(4)]
        assert taken == ["joe\n", "", "y", None]

    def test_pasted_session_loses_its_prompts(self, editor: Editor) -> None:
        session = ">>> for i in [1]:\r\n...     print(i)\r\n...\r\n1\r\n>>> i\r\n1"
        assert editor.read(f"\x1b[200~{session}\x1b[201~\r") == "for i in [1]:\n    print(i)\n\ni"
        assert editor.read("\x1b[200~pyx(gus@vm)3> 1 + 1\x1b[201~\r") == "1 + 1"
        assert editor.read("if 1:\r\x1b[200~>>> x\x1b[201~\r\r") == "if 1:\n    x\n    "

    def test_pasted_prompts_in_a_string_stay(self, editor: Editor) -> None:
        assert editor.read('s = """\r\x1b[200~>>> x\n1\x1b[201~"""\r') == 's = """\n>>> x\n1"""'
        assert editor.read("s = '\x1b[200~>>> x\x1b[201~'\r") == "s = '>>> x'"

    def test_arrow_up_recalls_statements_with_the_typed_beginning(self, tmp_path: Path) -> None:
        with opened_editor(tmp_path) as first:
            for statement in ("import os", "for i in []:\ri\r", "import sys", "x = 1"):
                first.read(f"{statement}\r")
        up, down = "\x1b[A", "\x1b[B"
        with opened_editor(tmp_path) as second:
            assert second.read(f"imp{up}\r") == "import sys"
            assert second.read(f"import o{up}\r") == "import os"
            assert second.read(f"imp{up}{up}{up}\r") == "import sys"  # it is now older than `import os`
            assert second.read(f"for{up}\r\r") == "for i in []:\n    i\n    "
            assert second.read(f"imp{up}{up}{down}{down}!\r") == "imp!"
            assert second.read(f"nothing{up}\r") == "nothing"

    def test_tab_completes_a_word(self, editor: Editor) -> None:
        def completed(buffer: Buffer) -> None:
            if buffer.text == "print(":  # completions come from a thread: the rest is typed after them
                editor.keys.send_text("1)\r")

        editor.terminal._session.default_buffer.on_text_changed += completed
        assert editor.read("pr\t") == "print(1)"

    def test_tab_indents_an_empty_line(self, editor: Editor) -> None:
        assert editor.read("if 1:\r\x7f\tpass\r\r") == "if 1:\n    pass\n"

    def test_backspace_deletes_a_whole_indent(self, editor: Editor) -> None:
        assert editor.read("if 1:\rx\r\x7felse:\rpass\r\r") == "if 1:\n    x\nelse:\n    pass\n"

    def test_ctrl_c_clears_the_line_and_ctrl_d_ends_the_input(self, editor: Editor) -> None:
        assert editor.read("half\x03x\r") == "x"
        with pytest.raises(KeyboardInterrupt):
            editor.read("\x03")
        with pytest.raises(EOFError):
            editor.read("\x04")

    def test_ctrl_c_typed_after_enter_keeps_the_statement_from_running(self, editor: Editor) -> None:
        with pytest.raises(KeyboardInterrupt):
            editor.read("1\r2\r\x033\r")
        assert editor.stream.getvalue().strip() == "KeyboardInterrupt"
        assert editor.read("") == "3"

    def test_sigint_just_after_enter_is_not_lost(self, editor: Editor) -> None:
        buffer = editor.terminal._session.default_buffer
        accept = buffer.accept_handler
        assert accept is not None

        def entered(buffer: Buffer) -> bool:
            keeps_text = accept(buffer)
            os.kill(os.getpid(), signal.SIGINT)
            return keeps_text

        buffer.accept_handler = entered
        with pytest.raises(KeyboardInterrupt):
            editor.read("1\r")
        assert editor.stream.getvalue().strip() == "KeyboardInterrupt"

    def test_arrow_up_recalls_a_multi_line_statement_of_an_earlier_session(self, tmp_path: Path) -> None:
        with opened_editor(tmp_path) as first:
            first.read("x = [1,\r2]\r")
        with opened_editor(tmp_path) as second:
            assert second.read("\x1b[A\r") == "x = [1,\n2]"


class TestColours:
    def test_empty_line_makes_no_lexer_and_typed_text_is_coloured(self) -> None:
        lexer = _PythonLexer()
        assert lexer.lex_document(Document(""))(0) == [("", "")]
        assert lexer._of_pygments is None, "the first prompt is shown without it"
        first = lexer.lex_document(Document("def f(): pass"))(0)[0]
        assert ("pygments.keyword" in first[0], first[1]) == (True, "def")

    def test_lexer_is_loaded_for_the_first_text_that_is_typed(self, editor: Editor) -> None:
        lexer = editor.terminal._lexer
        assert lexer is not None
        with pytest.raises(EOFError):
            editor.read("\x04")
        assert lexer._of_pygments is None, "no text was typed"
        assert editor.read("x = 1\r") == "x = 1"
        assert lexer._of_pygments is not None


class TestOutput:
    def test_lines_printed_during_typing_are_shown_and_the_input_is_whole(self, editor: Editor) -> None:
        lines = [f"line {number}\n" for number in range(10_000)]

        def other_process() -> None:
            editor.keys.send_text("x = ")
            for line in lines:
                editor.screen.write(line, frm=Pid(1, 0, "b@vm", 5))
            editor.keys.send_text("5\r")

        thread = threading.Thread(target=other_process)
        thread.start()
        assert editor.terminal.read(lambda: Prompt("pyx(1)> ", "...(1)> ")) == "x = 5"
        thread.join()
        editor.screen.drain()
        assert editor.stream.getvalue() == "".join(lines)

    def test_keys_are_handled_during_endless_output(self, editor: Editor) -> None:
        has_read = threading.Event()

        def print_lines() -> None:
            while not has_read.is_set():
                if editor.screen.has_room(lambda: None):
                    editor.screen.write("line\n" * 1000, frm=Pid(1, 0, "b@vm", 5))

        thread = threading.Thread(target=print_lines)
        thread.start()
        try:
            assert editor.read("x = 5\r") == "x = 5"
        finally:
            has_read.set()
            thread.join()

    def test_output_while_the_loop_of_a_prompt_closes_is_shown_after_it(self, editor: Editor) -> None:
        """The editor has ended, and its loop still takes calls from other threads."""
        printer = Pid(1, 0, "b@vm", 5)
        kept: list[AsyncIterator[None]] = []
        printing: list[asyncio.Task[None] | None] = []

        async def closes_last() -> AsyncIterator[None]:
            try:
                yield
            finally:
                editor.screen.write("late\n", frm=printer)
                await asyncio.sleep(0)  # the loop takes that call
                printing.append(editor.terminal._printing)

        def prompt() -> Prompt:
            if not kept:
                kept.append(closes_last())
                asyncio.get_running_loop().create_task(anext(kept[0]))  # type: ignore[arg-type]
            return Prompt("pyx(1)> ", "...(1)> ")

        editor.keys.send_text("1\r")
        assert editor.terminal.read(prompt) == "1"
        assert editor.stream.getvalue() == "late\n"
        assert printing == [None], "a task of a loop that is closing may never start"

    def test_prompt_begins_on_a_line_of_its_own(self, editor: Editor) -> None:
        editor.screen.write("50 %")
        editor.read("1\r")
        assert editor.stream.getvalue() == "50 %\n"

    def test_errors_are_coloured_and_values_are_shown_as_they_are(self, editor: Editor) -> None:
        editor.terminal.show("KeyError: 1\n", "error")
        assert editor.stream.getvalue() == BOTH.painted("KeyError", "error") + ": 1\n"
        editor.terminal.show("[1]\n", "echo")
        assert editor.stream.getvalue().endswith(": 1\n[1]\n")

    def test_leave_ends_the_prompt_with_its_error(self, editor: Editor) -> None:
        assert editor.terminal.leave(SystemExit(143)) is False

        def prompt() -> Prompt:
            editor.terminal.leave(SystemExit(143))
            return Prompt("pyx(1)> ", "...(1)> ")

        with pytest.raises(SystemExit) as leaving:
            editor.terminal.read(prompt)
        assert leaving.value.code == 143


def rows(app: Application[str]) -> list[str]:
    """Returns the first two rows that an editor has drawn."""
    screen = app.renderer.last_rendered_screen
    assert screen is not None
    return ["".join(screen.data_buffer[row][column].char for column in range(80)).rstrip() for row in (0, 1)]


class TestHintLine:
    """The line below the input."""

    def draws(self, editor: Editor, keys: str, drawn: list[str], more: str) -> str:
        """Types *keys*, and *more* once the rows *drawn* are there; returns the input."""
        waits = [True]

        def rendered(app: Application[str]) -> None:
            if waits and not app.is_done and rows(app) == drawn:
                waits.clear()
                editor.keys.send_text(more)

        editor.terminal._session.app.after_render += rendered
        text = editor.read(keys)
        editor.terminal._session.app.after_render -= rendered
        assert not waits
        return text

    def test_signature_of_the_call_that_is_typed_is_shown(self, editor: Editor) -> None:
        drawn = ["pyx(1)> send(a,", "send(dest, message=None)"]
        assert self.draws(editor, "send(a, ", drawn, "1)\r") == "send(a, 1)"
        assert self.draws(editor, "nope(", ["pyx(1)> nope(", ""], ")\r") == "nope()"

    def test_mode_of_vi_is_shown_and_its_keys_work(self, tmp_path: Path) -> None:
        with opened_editor(tmp_path, editing_mode="vi") as editor:
            assert self.draws(editor, "x = 1", ["pyx(1)> x = 1", "-- INSERT --"], "2\r") == "x = 12"
            drawn = ["pyx(1)> x = 1", "-- NORMAL --"]
            assert self.draws(editor, "x = 1\x1b", drawn, "0iy\r") == "yx = 1"
            assert editor.read("if 1:\r\tx\r\r") == "if 1:\n    x\n"
