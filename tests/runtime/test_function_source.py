"""function_source.py: the source of a function, found by the positions in its code, and compiled."""

from __future__ import annotations

import linecache
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from pyx.runtime.function_source import FunctionSource, SourceMissing, source_of

if TYPE_CHECKING:
    from types import CodeType, FunctionType

FILE = "<pyx of a test>"


def typed(source: str, name: str = "f") -> Any:
    """What *name* is after *source* was typed at a prompt."""
    text = textwrap.dedent(source)
    lines = f"{text}\n".splitlines(keepends=True)
    linecache.cache[FILE] = (len(text), None, lines, FILE)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, FILE, "exec", dont_inherit=True), names)
    return names[name]


def text_of(function: FunctionType) -> str:
    return source_of(function).text


def same_lines(one: CodeType, other: CodeType) -> bool:
    """True if the instructions stand on the same lines, but those at the `def`."""
    mine, theirs = ([place[0] for place in code.co_positions()] for code in (one, other))
    return all(a == b or other.co_firstlineno in {a, b} for a, b in zip(mine, theirs, strict=True))


FUNCTIONS = {
    "def": "def f(x): return x + 1",
    "multi-line": '''
        def f(x):
            """Adds."""
            text = """no
        indentation here"""
            return x + 1, text
        ''',
    "async def": "async def f(x):\n    async with x as y: await y\n    return [z async for z in x]\n",
    "generator": "def f():\n    yield 1\n",
    "default": "def f(x=[1, 2], *, y={'a': 1}): return x, y",
    "annotated": "def f(x: int, *y: str, **z: list[int]) -> int:\n    w: int = x\n    return w\n",
    "decorated": "def same(f): return f\n@same\n@same\ndef f(x):\n    return x\n",
    "nested in if": "if True:\n    def f(x):\n        return x\n",
    "one line in if": "if True: f = lambda x: x",
    "f-string": "def f(x): return f'{x!r:>{10}} {x + 1}'",
    "frozen set": "def f(x): return x in {1, 2, 3}",
    "empty": "def f(): pass",
    "docstring": "def f(): 'only a docstring'",
    "inner function": "def f(x):\n    def g(y):\n        return x + y\n    return g\n",
    "recursion": "def f(n): return 1 if n == 0 else n * f(n - 1)",
    "future": "from __future__ import annotations\ndef f(x: nowhere): return x",
    "wide characters": "é = 'ä'; f = [lambda: 'ö' + é, lambda: 'ü' + é][1]",
    "lambda over lines": "f = (\n    lambda x:\n        x\n        + 1\n)\n",
    "match": "def f(x):\n    match x:\n        case (a, 1): return a\n        case _: return None\n",
}
if sys.version_info >= (3, 12):
    FUNCTIONS |= {
        "type parameters": "def f[T: int, *U, **P](x: T, y: 'T' = 2) -> tuple[T, *U]:\n    return x, y\n",
        "type parameter used": "def f[T](x: T): return T, x",
        "type parameters inside": "async def f[T](x):\n    def g[V](y: V) -> T: return y\n    return g(x)\n",
        "recursion with a type parameter": "def f[T](n): return n and f(n - 1)",
    }


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_source_compiles_to_the_same_code_at_the_same_lines(kind: str) -> None:
    function = typed(FUNCTIONS[kind])
    code = source_of(function).compiled()
    assert code.co_code == function.__code__.co_code
    assert code.co_filename == FILE
    assert same_lines(code, function.__code__)


class TestOneOfSeveral:
    def test_two_lambdas_on_a_line(self) -> None:
        first, second = typed("f = (lambda x: x + 1), (lambda x: x + 2)")
        assert (text_of(first), text_of(second)) == ("lambda x: x + 1", "lambda x: x + 2")

    def test_two_lambdas_of_the_same_code(self) -> None:
        first, second = typed("f = [lambda: 1, lambda  : 1]")
        assert {text_of(first), text_of(second)} <= {"lambda: 1", "lambda  : 1"}  # any of them does it

    def test_lambdas_inside_lambdas(self) -> None:
        outer = typed("f = lambda: lambda: lambda: 1")
        assert text_of(outer) == "lambda: lambda: lambda: 1"
        assert text_of(outer()) == "lambda: lambda: 1"
        assert text_of(outer()()) == "lambda: 1"

    def test_lambda_in_a_default_argument(self) -> None:
        outer = typed("f = lambda x=(lambda: 2): x")
        assert text_of(outer) == "lambda x=(lambda: 2): x"
        assert text_of(outer()) == "lambda: 2"

    def test_lambda_in_a_comprehension(self) -> None:
        functions = typed("f = [lambda y: x + y for x in range(3)]")
        assert {text_of(each) for each in functions} == {"lambda y: x + y"}
        assert source_of(functions[0]).free == ("x",)

    def test_functions_of_one_name_in_one_input(self) -> None:
        first, second = typed("def f(): return 1\na = f\ndef f(): return 2\nb = f\nf = a, b")
        assert (text_of(first), text_of(second)) == ("def f(): return 1", "def f(): return 2")


class TestMissing:
    def test_function_whose_file_has_changed_is_refused(self) -> None:
        first = typed("def f(): return 1")
        typed("def f(): return 2")  # under the same file name, as an edited file has
        with pytest.raises(SourceMissing, match=r"differs from its source: <pyx of a test> has changed"):
            source_of(first)

    def test_function_made_by_exec_has_none(self) -> None:
        made = eval("lambda: 1")
        with pytest.raises(SourceMissing, match="has no source: <string> is not a file, nor an input"):
            source_of(made)

    @pytest.mark.parametrize("body", ["super().__init__()", "return self.__private"])
    def test_method_that_needs_its_class_is_refused(self, body: str) -> None:
        cls = typed(f"class f:\n    def m(self):\n        {body}\n")
        with pytest.raises(SourceMissing, match=r"belongs to its class|private names of a class"):
            source_of(cls.m)

    @pytest.mark.parametrize("text", ["1 + 1", "x = 1", "class A: pass", "import os"])
    def test_text_that_is_not_a_function_is_not_compiled(self, text: str) -> None:
        with pytest.raises(TypeError, match="not a function"):
            FunctionSource(text, "<x>", 1, 0, 0, ()).compiled()
