"""evaluate.py: Inputs and their outcomes: completeness, values, names, tracebacks."""

from __future__ import annotations

import asyncio
import builtins
import contextvars
import inspect
from typing import Any

import pytest

from pyx.errors import RemoteError, WouldBlock
from pyx.shell import evaluate
from pyx.shell.evaluate import (
    RESULTS_KEPT,
    Evaluator,
    ExitRequested,
    StatementRaised,
    Value,
    is_incomplete,
    make_main,
)


def make_evaluator(**helpers: Any) -> Evaluator:
    main = make_main({**vars(builtins), **helpers})
    return Evaluator(main.__dict__, run_coroutine=asyncio.run)


def value_of(evaluator: Evaluator, source: str) -> Any:
    outcome = evaluator.evaluate(source)
    assert isinstance(outcome, Value), outcome
    return outcome.value


def error_text(evaluator: Evaluator, source: str) -> str:
    outcome = evaluator.evaluate(source)
    assert isinstance(outcome, StatementRaised), outcome
    return outcome.text


class TestCompleteness:
    @pytest.mark.parametrize(
        "source",
        [
            "def f():",
            "def f():\n    return 1",
            "for i in range(3): print(i)",
            "[1,\n2",
            "'''text",
            "@decorator",
            "x = \\",
            "try:\n    1\n",
            "async with a:",
            "match 1:\n    case 1:",
            "f(",
        ],
    )
    def test_unfinished_input_is_incomplete(self, source: str) -> None:
        assert is_incomplete(source)

    @pytest.mark.parametrize(
        "source",
        [
            "",
            "   ",
            "# only a remark",
            "1 + 1",
            "def f():\n    return 1\n",
            "def f():\n    return 1\n    ",
            "[1,\n2]",
            "await f()",
            "  indented = 1\n  block = 2",
            "x = = 2",
            "print(1))",
            "x = '",
            "\0",
        ],
    )
    def test_complete_or_invalid_input_is_not_incomplete(self, source: str) -> None:
        assert not is_incomplete(source)


class TestValues:
    def test_value_of_an_expression_and_none_of_a_statement(self) -> None:
        evaluator = make_evaluator()
        assert value_of(evaluator, "x = 20") is None
        assert value_of(evaluator, "x + 1") == 21

    def test_value_of_several_statements_is_the_last_one(self) -> None:
        assert value_of(make_evaluator(), "a = 1\n\ndef f(b):\n    return a + b\n\nf(2)") == 3

    def test_block_indented_as_a_whole_runs(self) -> None:
        assert value_of(make_evaluator(), "    a = 1\n    a + 1") == 2

    def test_value_of_an_await_is_its_result(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "import asyncio")
        value_of(evaluator, "async def f(): return 7\n")
        assert value_of(evaluator, "await f()") == 7
        assert value_of(evaluator, "x = await f()\ny = x + 1\ny") == 8
        assert value_of(evaluator, "await asyncio.sleep(0, 5)") == 5

    def test_bare_coroutine_is_a_value_and_does_not_run(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "async def f(): return 7\n")
        coroutine = value_of(evaluator, "f()")
        assert inspect.iscoroutine(coroutine)
        coroutine.close()

    def test_underscore_is_the_last_value_that_was_not_none(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "41")
        value_of(evaluator, "x = 5")
        assert value_of(evaluator, "_ + 1") == 42

    def test_assigned_underscore_hides_the_last_value_until_it_is_deleted(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "_ = 'mine'")
        value_of(evaluator, "3")
        assert value_of(evaluator, "_") == "mine"
        value_of(evaluator, "del _")
        value_of(evaluator, "4")
        assert value_of(evaluator, "_") == 4

    def test_result_returns_the_value_of_a_statement(self) -> None:
        evaluator = make_evaluator()
        for number in range(1, 4):
            value_of(evaluator, f"{number} * 10")
        assert evaluator.result(2) == 20
        assert evaluator.result() == 30
        assert evaluator.result(-2) == 20
        with pytest.raises(TypeError, match=r"v\(\) takes the number of a statement, not 'x'"):
            evaluator.result("x")  # type: ignore[arg-type]
        with pytest.raises(IndexError, match=r"v\(99\): no such statement \(kept: 1 to 3\)"):
            evaluator.result(99)

    def test_old_results_are_dropped(self) -> None:
        evaluator = make_evaluator()
        for _ in range(RESULTS_KEPT + 1):
            value_of(evaluator, "1")
        assert len(evaluator.results) == RESULTS_KEPT

    def test_only_a_success_is_counted(self) -> None:
        evaluator = make_evaluator()
        error_text(evaluator, "1 / 0")
        assert evaluator.number == 1
        value_of(evaluator, "pass")
        assert evaluator.number == 2

    def test_future_import_holds_for_later_inputs(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "from __future__ import annotations")
        value_of(evaluator, "def f(x: nowhere): pass\n")
        assert value_of(evaluator, "f.__annotations__") == {"x": "nowhere"}


class TestNames:
    def test_assigned_name_hides_a_helper_until_it_is_deleted(self) -> None:
        evaluator = make_evaluator(pid="the helper")
        value_of(evaluator, "pid = 1")
        assert value_of(evaluator, "pid") == 1
        value_of(evaluator, "del pid")
        assert value_of(evaluator, "pid") == "the helper"

    def test_globals_and_builtins_are_plain_dicts(self) -> None:
        evaluator = make_evaluator()
        assert type(value_of(evaluator, "globals()")) is dict
        assert type(value_of(evaluator, "__builtins__")) is dict

    def test_helpers_are_visible_in_functions_and_classes(self) -> None:
        evaluator = make_evaluator(helper=5)
        value_of(evaluator, "class A:\n    def f(self):\n        return helper\n")
        assert value_of(evaluator, "A().f()") == 5

    def test_inspect_finds_the_source_of_a_typed_function(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "def f():\n    return 'typed'\n")
        assert "return 'typed'" in inspect.getsource(value_of(evaluator, "f"))


def test_every_part_of_an_input_runs_through_call() -> None:
    context = contextvars.Context()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    def run(coroutine: Any) -> Any:
        async def in_the_context() -> Any:
            return await asyncio.get_running_loop().create_task(coroutine, context=context)

        return asyncio.run(in_the_context())

    def prepare(_tree: Any) -> None:
        variable.set("prepared")

    main = make_main({**vars(builtins), "variable": variable})
    evaluator = Evaluator(main.__dict__, run_coroutine=run, call=context.run, prepare=prepare)
    assert value_of(evaluator, "variable.get()") == "prepared"
    value_of(evaluator, "async def get(): return variable.get()\n")
    assert value_of(evaluator, "_ = variable.set('first'); await get()") == "first"
    assert value_of(evaluator, "import asyncio; await asyncio.sleep(0); variable.set('second')").old_value
    assert variable.get() == "unset"


class TestErrors:
    def test_error_of_a_typed_line_is_one_line(self) -> None:
        assert error_text(make_evaluator(), "unknown") == "NameError: name 'unknown' is not defined\n"

    def test_error_in_a_function_shows_its_frames_and_source(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "def f():\n    return 1 / 0\n")
        text = error_text(evaluator, "f()")
        assert text.startswith("Traceback (most recent call last):\n")
        assert 'File "<pyx 1>", line 2, in f\n    return 1 / 0\n' in text
        assert text.endswith("ZeroDivisionError: division by zero\n")
        assert "evaluate.py" not in text

    def test_error_in_a_block_shows_its_line(self) -> None:
        assert 'File "<pyx 1>", line 2, in <module>' in error_text(make_evaluator(), "x = 1\nx / 0")

    def test_syntax_error_shows_the_caret(self) -> None:
        text = error_text(make_evaluator(), "x = = 3")
        assert "    x = = 3\n        ^\n" in text
        assert text.endswith("SyntaxError: invalid syntax\n")

    def test_keyboard_interrupt_is_one_line(self) -> None:
        assert error_text(make_evaluator(), "raise KeyboardInterrupt") == "KeyboardInterrupt\n"

    def test_error_in_a_coroutine_shows_the_users_frames(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "async def f():\n    raise ValueError('x')\n")
        text = error_text(evaluator, "await f()")
        assert "in f\n" in text
        assert text.endswith("ValueError: x\n")

    def test_pyx_error_shows_its_class_without_module_and_its_hint(self) -> None:
        def call() -> None:
            raise WouldBlock("receive()", "aio.receive()")

        text = error_text(make_evaluator(call=call), "call()")
        assert text.endswith(
            "WouldBlock: receive() would block the running event loop\nhint: use `await aio.receive()`\n"
        )

    def test_marker_below_an_unfinished_last_line_is_in_the_right_column(self) -> None:
        assert "\n    1/x\n    ~^~\n" in error_text(make_evaluator(), "x = 0\n1/x")

    def test_remote_error_shows_the_traceback_of_the_other_node(self) -> None:
        remote = 'Traceback (most recent call last):\n  File "stock.py", line 3, in f\nKeyError: 1\n'
        error = RemoteError("server@vm", "KeyError", "1", remote)
        evaluator = make_evaluator(error=error)
        assert error_text(evaluator, "raise error") == (
            "RemoteError: KeyError: 1\n"
            "on server@vm:\n"
            "  Traceback (most recent call last):\n"
            '    File "stock.py", line 3, in f\n'
            "  KeyError: 1\n"
        )

    def test_chained_errors_are_shown_in_order(self) -> None:
        text = error_text(
            make_evaluator(), "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError from e\n"
        )
        assert text.index("ZeroDivisionError") < text.index("direct cause") < text.index("KeyError")

    def test_exception_group_is_shown(self) -> None:
        text = error_text(make_evaluator(), "raise ExceptionGroup('two', [ValueError(1), KeyError(2)])")
        assert "ValueError: 1" in text
        assert "KeyError: 2" in text

    def test_error_whose_str_raises_is_shown(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "class E(Exception):\n    def __str__(self): 1 / 0\n")
        assert "E: <exception str() failed>" in error_text(evaluator, "raise E")

    def test_endless_recursion_is_shown_as_an_error(self) -> None:
        evaluator = make_evaluator()
        value_of(evaluator, "def f(): return f()\n")
        assert "RecursionError" in error_text(evaluator, "f()")

    def test_source_that_cannot_be_compiled_is_shown_as_an_error(self) -> None:
        assert "null byte" in error_text(make_evaluator(), "x = '\0'")
        assert isinstance(make_evaluator().evaluate("(" * 1000 + ")" * 1000), StatementRaised)

    def test_error_of_a_program_always_shows_its_line(self) -> None:
        outcome = make_evaluator().run("1 / 0", "<-e>")
        assert isinstance(outcome, StatementRaised)
        assert 'File "<-e>", line 1, in <module>' in outcome.text


def test_system_exit_is_an_outcome_with_its_code() -> None:
    outcome = make_evaluator().evaluate("raise SystemExit(3)")
    assert outcome == ExitRequested(3)


def test_prepare_gets_the_tree_and_its_error_is_the_outcome() -> None:
    def prepare(tree: Any) -> None:
        if tree.body[0].lineno == 1:
            msg = "no such project"
            raise ImportError(msg)

    main = make_main(dict(vars(builtins)))
    evaluator = Evaluator(main.__dict__, run_coroutine=asyncio.run, prepare=prepare)
    outcome = evaluator.evaluate("1")
    assert isinstance(outcome, StatementRaised)
    assert outcome.text.endswith("ImportError: no such project\n")


def test_text_of_a_peer_in_an_error_is_made_printable_and_shown_once() -> None:
    error = RemoteError("a@vm", "KeyError", "\x1b[2J", "KeyError: \x1b[2J\n")
    assert evaluate.error_text(error) == "RemoteError: KeyError: ^[[2J\non a@vm\n"
