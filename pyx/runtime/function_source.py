"""The source of a function: found by the positions in its code, and compiled again to the same code.

A function that is in no module (typed at a prompt, a lambda, inside another function) can run elsewhere only
from its source.  `source_of` proves what it found: the whole text still has that code at that place, and the
function alone has the same names and constants.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import linecache
import sys
from functools import lru_cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.execution.syntax_trees import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_FUTURES: Final = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)

_Node: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class SourceMissing(Exception):
    """The source of a function cannot be had; the text ends a sentence that begins with the function."""


class FunctionSource(NamedTuple):
    """The text of one function, and what else its code depends on."""

    text: str
    """From `def`, `async def` or `lambda` to its end, as it was written."""
    file: str
    line: int
    """Of the first character, from 1."""
    column: int
    """Of the first character, from 0, in bytes of UTF-8, as code objects count."""
    futures: int
    """The flags of the `from __future__` imports around it."""
    free: tuple[str, ...]
    """The names of its free variables, in order."""

    def compiled(self) -> CodeType:
        """Returns the code of the function; nothing of it is run, defaults and decorators included.

        Raises:
            SyntaxError, TypeError: the text is not one function, or not one of this Python.
        """
        node = self._parsed()
        node.args.defaults = [ast.Constant(None) for _ in node.args.defaults]
        node.args.kw_defaults = [each and ast.Constant(None) for each in node.args.kw_defaults]
        if isinstance(node, ast.Lambda):
            body: list[ast.stmt] = [ast.Return(node)]
        else:
            _leave_out_annotations(node)
            # A function that calls itself finds itself among its globals, unless it is a free variable.
            body = [*([] if node.name in self.free else [ast.Global([node.name])]), node]
        outer = syntax_tree(f"def outer({', '.join(self.free)}): pass")
        assert isinstance(outer.body[0], ast.FunctionDef)
        outer.body[0].body = body
        flags = self.futures & _FUTURES
        module = compile(ast.fix_missing_locations(outer), self.file, "exec", flags, dont_inherit=True)
        around = next(each for each in module.co_consts if isinstance(each, CodeType))
        return next(each for each in around.co_consts if isinstance(each, CodeType))

    def _parsed(self) -> _Node:
        """Returns the syntax of the function, at the place that it had in its file."""
        pad = " " * self.column
        if self.text.startswith("lambda"):
            before, tree = 1, syntax_tree(f"(\n{pad}{self.text}\n)", self.file)
            node: ast.AST = tree.body[0].value if isinstance(tree.body[0], ast.Expr) else tree
        elif self.column:
            before, tree = 1, syntax_tree(f"if 1:\n{pad}{self.text}", self.file)
            node = tree.body[0].body[0] if isinstance(tree.body[0], ast.If) else tree
        else:
            before, tree = 0, syntax_tree(self.text, self.file)
            node = tree.body[0]
        if not isinstance(node, _Node):
            msg = "the source of a function that arrived is not a function"
            raise TypeError(msg)
        ast.increment_lineno(node, self.line - 1 - before)
        return node


def source_of(function: FunctionType) -> FunctionSource:
    """Returns the source of a function.

    Raises:
        SourceMissing: the function was made by `exec`, its file has changed, or it uses `super()` without
            arguments, which belongs to its class.
    """
    code = function.__code__
    if "__class__" in code.co_freevars:
        raise SourceMissing("uses super() or __class__, and so belongs to its class")
    text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    if not text:
        raise SourceMissing(f"has no source: {code.co_filename} is not a file, nor an input of this prompt")
    found = _found(text, code, code.co_filename)
    if found is None:
        why = f"{code.co_filename} has changed, or it uses private names of a class"
        raise SourceMissing(f"differs from its source: {why}")
    return found


@lru_cache(maxsize=256)
def _found(text: str, code: CodeType, file: str) -> FunctionSource | None:
    """Returns the source of *code* in *text*; the codes of two files may be equal."""
    futures = code.co_flags & _FUTURES
    try:
        flags = futures | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        whole = compile(text, file, "exec", flags, dont_inherit=True)
        if not any(_is_same(each, code, exactly=True) for each in _codes_in(whole)):
            return None  # the text is another one now
        nodes = list(_candidates(text, code))
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in nodes:
        part = ast.get_source_segment(text, node)
        assert part is not None
        source = FunctionSource(part, file, node.lineno, node.col_offset, futures, code.co_freevars)
        # What is imported at the top of the same text is called by other instructions (3.11), so the codes
        # of the text and of the function alone may differ in these.
        if _is_same(source.compiled(), code, exactly=False):
            return source
    return None


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_in(constant)


def _candidates(text: str, code: CodeType) -> Iterator[_Node]:
    """Yields the functions of that name and first line: first the innermost that holds all positions."""
    named: list[tuple[bool, int, _Node]] = []
    places = _places(code)
    for number, node in enumerate(ast.walk(syntax_tree(text))):
        if isinstance(node, ast.Lambda):
            first, name, body = node.lineno, "<lambda>", list[ast.expr | ast.stmt]([node.body])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            name, body = node.name, [*node.body]
        else:
            continue
        if first != code.co_firstlineno or name != code.co_name:
            continue
        begin = body[0].lineno, body[0].col_offset
        end = body[-1].end_lineno or 0, body[-1].end_col_offset or 0
        # `ast.walk` goes from the outside to the inside: of those that hold all, the last is the innermost.
        holds = all(begin <= place[:2] and place[2:] <= end for place in places)
        named.append((not holds, -number, node))
    return (node for _, _, node in sorted(named, key=lambda each: each[:2]))


def _places(code: CodeType) -> list[tuple[int, int, int, int]]:
    """Returns the (line, column, end line, end column) of the instructions that have one.

    What the compiler adds (RESUME, RETURN_GENERATOR) has none, or one of width zero at the `def`.
    """
    places = []
    for line, end_line, column, end_column in code.co_positions():
        if line is None or end_line is None or column is None or end_column is None:
            continue
        if (line, column) < (end_line, end_column):
            places.append((line, column, end_line, end_column))
    return places


def _is_same(one: CodeType, other: CodeType, *, exactly: bool) -> bool:
    """True if two codes use the same names and constants; with *exactly*, if they are of one place, too."""
    if exactly and (one.co_code != other.co_code or _places(one) != _places(other)):
        return False
    if (
        (one.co_name, one.co_names, one.co_varnames) != (other.co_name, other.co_names, other.co_varnames)
        or (one.co_freevars, one.co_cellvars) != (other.co_freevars, other.co_cellvars)
        or len(one.co_consts) != len(other.co_consts)
        or (one.co_flags ^ other.co_flags) & ~inspect.CO_NESTED
    ):
        return False
    for mine, theirs in zip(one.co_consts, other.co_consts, strict=True):
        if isinstance(mine, CodeType) and isinstance(theirs, CodeType):
            if not _is_same(mine, theirs, exactly=exactly):
                return False
        elif mine != theirs or (repr(mine) != repr(theirs) and not isinstance(mine, frozenset)):
            return False
    return True


def _leave_out_annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Removes what runs where a function is defined and may be unknown elsewhere."""
    node.decorator_list, node.returns = [], None
    if sys.version_info >= (3, 12):
        node.type_params = []  # a function that uses one inside has it as a free variable
    arguments = node.args
    for each in (
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ):
        if each is not None:
            each.annotation = None
