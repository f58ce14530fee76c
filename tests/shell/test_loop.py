"""loop.py: Whole sessions as text: lines go in, the screen comes out."""

from __future__ import annotations

import builtins
import sys

import pytest

from pyx.errors import ProcessKilled
from pyx.shell.evaluate import Evaluator, make_main
from pyx.shell.loop import LineTerminal, Prompt, Shell, fitted_prompt, prompt_for
from tests.shell.text_sessions import RENEWED, FakeProcess, capture, run_coroutine, session


def test_values_and_errors_are_shown_and_successes_counted() -> None:
    session(
        "pyx(gus@vm)1> x = [1, 2]\n"
        "pyx(gus@vm)2> x\n"
        "[1, 2]\n"
        "pyx(gus@vm)3> unknown\n"
        "NameError: name 'unknown' is not defined\n"
        "pyx(gus@vm)3> None\n"
        "pyx(gus@vm)4> print('hi')\n"
        "hi\n"
        "pyx(gus@vm)5> _\n"
        "[1, 2]\n"
        "pyx(gus@vm)6> "
    )


def test_blank_line_and_comment_are_not_counted() -> None:
    session("pyx(gus@vm)1> \npyx(gus@vm)1> # why\npyx(gus@vm)1>    \npyx(gus@vm)1> 1\n1\npyx(gus@vm)2> ")


def test_block_is_read_to_its_blank_line_under_prompts_of_equal_width() -> None:
    session(
        "pyx(gus@vm)1> def double(x):\n"
        "...(gus@vm)1>     return 2 * x\n"
        "...(gus@vm)1> \n"
        "pyx(gus@vm)2> double(4)\n"
        "8\n"
        "pyx(gus@vm)3> "
    )


def test_prompt_without_a_node_has_no_name() -> None:
    session("pyx(1)> 1\n1\npyx(2)> ", name=None)


def test_prompt_shows_a_node_name_that_changed() -> None:
    names: list[str | None] = [None]
    shown: list[str] = []
    lines = iter(["start('billing@vm')\n", "1\n"])

    def read_line(prompt: str) -> str:
        shown.append(prompt)
        return next(lines, "")

    main = make_main({**vars(builtins), "start": names.append})
    evaluator = Evaluator(main.__dict__, run_coroutine=run_coroutine)
    Shell(LineTerminal(read_line, shown.append), evaluator, FakeProcess(), lambda: names[-1]).run()
    assert shown == ["pyx(1)> ", "pyx(billing@vm)2> ", "1\n", "pyx(billing@vm)3> "]


def test_ctrl_c_at_the_prompt_drops_the_input_and_keeps_names() -> None:
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


def test_interrupted_evaluation_shows_one_line() -> None:
    def blocked() -> None:
        raise KeyboardInterrupt

    session("pyx(gus@vm)1> blocked()\nKeyboardInterrupt\npyx(gus@vm)1> ", blocked=blocked)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", 0), ("raise SystemExit\n1\n", 0), ("raise SystemExit(4)\n", 4), ("1 / 0\n", 0)],
)
def test_end_of_input_and_system_exit_end_the_loop(typed: str, code: int) -> None:
    assert capture(typed)[1] == code


def test_killed_shell_gets_a_new_process() -> None:
    process = FakeProcess()

    def kill() -> None:
        process.killed = True

    session(f"pyx(gus@vm)1> kill()\n{RENEWED}\npyx(gus@vm)2> ", process=process, kill=kill)


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, ProcessKilled])
def test_input_ended_by_a_kill_shows_no_keyboard_interrupt(stopped_by: type[BaseException]) -> None:
    process = FakeProcess()

    def kill() -> None:
        process.killed = True
        raise stopped_by

    session(f"pyx(gus@vm)1> kill()\n{RENEWED}\npyx(gus@vm)1> ", process=process, kill=kill)


def test_prompts_have_equal_width() -> None:
    assert prompt_for("gus@vm", 12) == Prompt("pyx(gus@vm)12> ", "...(gus@vm)12> ")
    assert prompt_for(None, 1) == Prompt("pyx(1)> ", "...(1)> ")


@pytest.mark.parametrize(
    ("columns", "first", "rest"),
    [
        (100, "pyx(billing-worker-eu@vm)12> ", "...(billing-worker-eu@vm)12> "),
        (45, "pyx(billing-worker..)12> ", "...(billing-worker..)12> "),
        (30, "pyx(bill..)12> ", "...(bill..)12> "),
        (24, "pyx(b..)12> ", "...(b..)12> "),
        (10, "> ", "> "),
    ],
)
def test_long_prompt_is_cut_to_leave_columns_for_the_input(columns: int, first: str, rest: str) -> None:
    cut = fitted_prompt(prompt_for("billing-worker-eu@vm", 12), columns)
    assert cut == Prompt(first, rest)
    assert len(cut.first) <= max(columns - 20, columns // 2)


def test_prompt_without_a_node_is_not_cut() -> None:
    assert fitted_prompt(prompt_for(None, 7), 24) == Prompt("pyx(7)> ", "...(7)> ")


def test_error_of_pyx_itself_is_one_line_and_the_prompt_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_outcome: object, **_options: object) -> str:
        raise RuntimeError("not\ntext")

    monkeypatch.setattr("pyx.shell.loop.render", broken)
    said = "pyx: internal error: RuntimeError: not\\ntext; `import pdb; pdb.pm()` looks at it"
    session(f"pyx(gus@vm)1> 1\n{said}\npyx(gus@vm)2> None\npyx(gus@vm)3> 2\n{said}\npyx(gus@vm)4> ")
    assert isinstance(sys.last_value, RuntimeError)


@pytest.mark.skipif(sys.flags.dev_mode, reason="Python's development mode shows the traceback")
def test_prompt_that_cannot_read_leaves_with_one_line() -> None:
    def read_line(_prompt: str) -> str:
        raise RecursionError("maximum")

    shown: list[str] = []
    main = make_main(dict(vars(builtins)))
    evaluator = Evaluator(main.__dict__, run_coroutine=run_coroutine)
    terminal = LineTerminal(read_line, shown.append)
    assert Shell(terminal, evaluator, FakeProcess(), lambda: None).run() == 1
    (line,) = shown
    assert line.startswith("pyx: internal error: RecursionError: maximum; the shell ends ")
