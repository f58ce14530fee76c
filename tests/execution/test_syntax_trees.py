"""syntax_trees.py: trees of source texts, also where another thread makes one."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from pyx.execution import syntax_trees
from pyx.execution.syntax_trees import expression_tree, syntax_tree


def failing_parse(monkeypatch: pytest.MonkeyPatch, failures: int) -> list[str]:
    """Makes the next parses fail as beside those of another thread; returns what is parsed."""
    parse, parsed = syntax_trees._parse, list[str]()

    def fails_at_first(source: str, *rest: Any) -> ast.AST:
        parsed.append(source)
        if len(parsed) <= failures:
            raise SystemError("AST constructor recursion depth mismatch (before=60, after=36)")
        return parse(source, *rest)

    monkeypatch.setattr(syntax_trees, "_parse", fails_at_first)
    return parsed


def test_trees_are_those_of_ast() -> None:
    assert ast.dump(syntax_tree("x = 1\ny")) == ast.dump(ast.parse("x = 1\ny"))
    assert ast.dump(expression_tree("x + 1")) == ast.dump(ast.parse("x + 1", mode="eval"))


def test_error_names_the_file() -> None:
    with pytest.raises(SyntaxError) as failed:
        syntax_tree("x =", "shop.py")
    assert failed.value.filename == "shop.py"


def test_flags_are_the_compilers() -> None:
    assert syntax_tree("await x", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).body


def test_parse_that_another_thread_has_disturbed_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = failing_parse(monkeypatch, failures=3)
    assert expression_tree("40 + 2").body
    assert parsed == ["40 + 2"] * 4


def test_parse_that_fails_each_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = failing_parse(monkeypatch, failures=1000)
    with pytest.raises(SystemError, match="recursion depth mismatch"):
        syntax_tree("x")
    assert len(parsed) == 10
