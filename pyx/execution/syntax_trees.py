"""The syntax tree of a source text, made on any thread.

CPython 3.11 counts the depth of the trees that are being made in one place for all threads.  Where two
threads take turns in this, one gets a SystemError (python/cpython#106905); its text is then parsed again.
"""

from __future__ import annotations

import ast
from typing import Final, cast

_TRIES: Final = 10


def syntax_tree(source: str | bytes, filename: str = "<unknown>", flags: int = 0) -> ast.Module:
    """Returns the tree of statements.

    Args:
        source: the text, or the bytes of a file.
        filename: the file's name in a SyntaxError.
        flags: of the compiler, as of `compile`.

    Raises:
        SyntaxError, ValueError, OverflowError, MemoryError, RecursionError: as `ast.parse`.
    """
    return cast("ast.Module", _tree(source, filename, "exec", flags))


def expression_tree(source: str) -> ast.Expression:
    """Returns the tree of one expression; raises what `syntax_tree` raises."""
    return cast("ast.Expression", _tree(source, "<unknown>", "eval", 0))


def _tree(source: str | bytes, filename: str, mode: str, flags: int) -> ast.AST:
    for _ in range(_TRIES - 1):
        try:
            return _parse(source, filename, mode, flags)
        except SystemError:
            continue
    return _parse(source, filename, mode, flags)


def _parse(source: str | bytes, filename: str, mode: str, flags: int) -> ast.AST:
    return cast("ast.AST", compile(source, filename, mode, ast.PyCF_ONLY_AST | flags, dont_inherit=True))
