"""help_question.py: `x?` and `x??`."""

from __future__ import annotations

import builtins

import pytest

from pyx.shell.evaluate import Evaluator, Value, make_main
from pyx.shell.help_question import help_call


@pytest.mark.parametrize(
    ("typed", "call"),
    [
        ("x?", "__builtins__['h']('x')"),
        ("pkg.mod.f?", "__builtins__['h']('pkg.mod.f')"),
        ("for?", "__builtins__['h']('for')"),
        (" shop.price ??\n", "__builtins__['h']('shop.price', source=True)"),
        ("?x", "__builtins__['h']('x')"),
        ("??x[0].y", "__builtins__['h'](x[0].y, source=True)"),
        ("[1].append?", "__builtins__['h']([1].append)"),
        ("f(1, 'why?')?", "__builtins__['h'](f(1, 'why?'))"),
    ],
)
def test_question_is_a_call_of_h(typed: str, call: str) -> None:
    assert help_call(typed) == call


@pytest.mark.parametrize(
    "typed",
    ["?", "??", "x???", "?x?", "x = y?", "# why?", "x # why?", "'why?", "a + b?", "x\ny?", "f(?"],
)
def test_other_input_is_not_a_question(typed: str) -> None:
    assert help_call(typed) is None


def test_question_is_asked_of_the_helper_even_where_the_user_has_a_variable_h() -> None:
    asked: list[object] = []
    lower = {**vars(builtins), "h": lambda thing, source=False: asked.append((thing, source))}
    evaluator = Evaluator(make_main(lower).__dict__, run_coroutine=lambda _: None)
    evaluator.evaluate("h = 3")
    assert evaluator.evaluate("h?") == Value(None)
    assert evaluator.evaluate("h??") == Value(None)
    assert asked == [("h", False), ("h", True)]
    assert evaluator.evaluate("# all is well?") == Value(None, is_expression=False)
