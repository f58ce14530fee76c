"""loop.py: Whole sessions as text: lines go in, what was shown comes out."""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import ProcessKilled
from pyx.shell.evaluate import Evaluator, make_main
from pyx.shell.loop import LineTerminal, Prompt, Shell, exit_code, prompt_for, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator


class NoSeat:
    """A shell without a node."""

    is_alive = True
    renewed = "** renewed"

    def renew(self) -> str:
        self.is_alive = True
        return self.renewed

    def finish_line(self) -> None:
        return

    def forget_interrupt(self) -> None:
        return


def run_coroutine(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError


def capture(
    typed: str, *, seat: NoSeat | None = None, name: str | None = "gus@vm", **helpers: Any
) -> tuple[str, int]:
    """The screen after *typed* (its last line may lack an end: the terminal closed), and the exit code."""
    shown: list[str] = []
    lines: Iterator[str] = iter(typed.splitlines(keepends=True))

    def read_line(prompt: str) -> str:
        line = next(lines, "")
        if line == "^C\n":
            shown.append(f"{prompt}^C\n")
            raise KeyboardInterrupt
        shown.append(prompt + line)
        return line

    main = make_main({**vars(builtins), "print": lambda text: shown.append(f"{text}\n"), **helpers})
    evaluator = Evaluator(main.__dict__, run_coroutine=run_coroutine)
    code = Shell(LineTerminal(read_line, shown.append), evaluator, seat or NoSeat(), lambda: name).run()
    return "".join(shown), code


def session(text: str, **options: Any) -> None:
    """Checks a transcript: what stands behind a prompt is typed, the rest must have been shown."""
    typed = "".join(
        line.partition("> ")[2] if line.startswith(("pyx(", "...(")) else ""
        for line in text.splitlines(keepends=True)
    )
    assert capture(typed, **options)[0] == text


def test_values_numbers_and_errors() -> None:
    session(
        "pyx(gus@vm)1> x = [1, 2]\n"
        "pyx(gus@vm)2> x\n"
        "[1, 2]\n"
        "pyx(gus@vm)3> nope\n"
        "NameError: name 'nope' is not defined\n"
        "pyx(gus@vm)3> None\n"
        "pyx(gus@vm)4> print('hi')\n"
        "hi\n"
        "pyx(gus@vm)5> _\n"
        "[1, 2]\n"
        "pyx(gus@vm)6> "
    )


def test_a_blank_line_or_a_remark_does_nothing() -> None:
    session("pyx(gus@vm)1> \npyx(gus@vm)1> # why\npyx(gus@vm)1>    \npyx(gus@vm)1> 1\n1\npyx(gus@vm)2> ")


def test_a_block_is_read_to_its_blank_line_under_prompts_of_equal_width() -> None:
    session(
        "pyx(gus@vm)1> def double(x):\n"
        "...(gus@vm)1>     return 2 * x\n"
        "...(gus@vm)1> \n"
        "pyx(gus@vm)2> double(4)\n"
        "8\n"
        "pyx(gus@vm)3> "
    )


def test_without_a_node_the_prompt_has_no_name() -> None:
    session("pyx(1)> 1\n1\npyx(2)> ", name=None)


def test_the_node_name_changes_between_two_prompts() -> None:
    names: list[str | None] = [None]
    shown: list[str] = []
    lines = iter(["start('billing@vm')\n", "1\n"])

    def read_line(prompt: str) -> str:
        shown.append(prompt)
        return next(lines, "")

    main = make_main({**vars(builtins), "start": names.append})
    evaluator = Evaluator(main.__dict__, run_coroutine=run_coroutine)
    Shell(LineTerminal(read_line, shown.append), evaluator, NoSeat(), lambda: names[-1]).run()
    assert shown == ["pyx(1)> ", "pyx(billing@vm)2> ", "1\n", "pyx(billing@vm)3> "]


def test_ctrl_c_at_the_prompt_gives_the_input_up_and_keeps_everything() -> None:
    shown, code = capture("x = 5\n^C\nfor i in x:\n^C\nx\n")
    assert shown == (
        "pyx(gus@vm)1> x = 5\n"
        "pyx(gus@vm)2> ^C\n"
        "pyx(gus@vm)2> for i in x:\n"
        "...(gus@vm)2> ^C\n"
        "pyx(gus@vm)2> x\n"
        "5\n"
        "pyx(gus@vm)3> "
    )
    assert code == 0


def test_an_interrupted_evaluation_is_one_line() -> None:
    def blocked() -> None:
        raise KeyboardInterrupt

    session("pyx(gus@vm)1> blocked()\nKeyboardInterrupt\npyx(gus@vm)1> ", blocked=blocked)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", 0), ("raise SystemExit\n1\n", 0), ("raise SystemExit(4)\n", 4), ("1 / 0\n", 0)],
)
def test_the_end_of_input_and_system_exit_leave(typed: str, code: int) -> None:
    assert capture(typed)[1] == code


def test_a_killed_shell_becomes_a_new_process() -> None:
    seat = NoSeat()

    def kill() -> None:
        seat.is_alive = False

    session("pyx(gus@vm)1> kill()\n** renewed\npyx(gus@vm)2> ", seat=seat, kill=kill)


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, ProcessKilled])
def test_what_a_kill_has_ended_is_no_interrupt_of_the_persons(stopped_by: type[BaseException]) -> None:
    seat = NoSeat()

    def kill() -> None:
        seat.is_alive = False
        raise stopped_by

    session("pyx(gus@vm)1> kill()\n** renewed\npyx(gus@vm)1> ", seat=seat, kill=kill)


def test_prompts_have_one_width() -> None:
    assert prompt_for("gus@vm", 12) == Prompt("pyx(gus@vm)12> ", "...(gus@vm)12> ")
    assert prompt_for(None, 1) == Prompt("pyx(1)> ", "...(1)> ")


class TestPrograms:
    def run(self, source: str) -> int | None:
        evaluator = Evaluator(make_main(dict(vars(builtins))).__dict__, run_coroutine=run_coroutine)
        return run_program(evaluator, source, "<stdin>")

    def test_nothing_is_echoed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("1\nx = 2\nx") is None
        assert capsys.readouterr() == ("", "")

    def test_the_first_error_ends_it_on_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("x = 1\nx / 0\nprint('never')") == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err == (
            "Traceback (most recent call last):\n"
            '  File "<stdin>", line 2, in <module>\n'
            "    x / 0\n"
            "    ~~^~~\n"
            "ZeroDivisionError: division by zero\n"
        )

    def test_an_interrupt_is_130(self) -> None:
        assert self.run("raise KeyboardInterrupt") == 130

    def test_its_own_hook_is_told_of_the_error(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told: list[Any] = []
        monkeypatch.setattr(sys, "excepthook", lambda *facts: told.append(facts))
        assert self.run("1 / 0") == 1
        [facts] = told
        assert (facts[0], type(facts[1]), facts[2].tb_lineno) == (ZeroDivisionError, ZeroDivisionError, 1)
        assert capsys.readouterr() == ("", "")

    def test_a_hook_that_leaves_or_fails(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def leaves(*_facts: object) -> None:
            raise SystemExit(7)

        def fails(*_facts: object) -> None:
            raise KeyError("hook")

        monkeypatch.setattr(sys, "excepthook", leaves)
        assert self.run("1 / 0") == 7
        monkeypatch.setattr(sys, "excepthook", fails)
        assert self.run("1 / 0") == 1
        told = capsys.readouterr().err
        assert told.startswith("Error in sys.excepthook:\nTraceback (most recent call last):\n")
        assert told.endswith("\nZeroDivisionError: division by zero\n")
        assert "KeyError: 'hook'\n\nOriginal exception was:\nTraceback" in told


def test_exit_codes_are_pythons(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(None) == 0
    assert exit_code(3) == 3
    assert exit_code(True) == 1
    assert exit_code(-1) == exit_code(2**70) == exit_code(-(2**70)) == 255
    assert exit_code(256) == 0
    assert exit_code("a reason") == 1
    assert exit_code((1, 2)) == 1
    assert capsys.readouterr().err == "a reason\n(1, 2)\n"


def test_an_exit_code_whose_text_raises_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    class Rude:
        def __str__(self) -> str:
            raise ValueError

    assert exit_code(Rude()) == 1
    assert capsys.readouterr().err == "\n"
