"""`receive(0)` waits for the message 0, where IEx's users mean `after 0`: a prompt says so after a second."""

from __future__ import annotations

import ast
import contextlib
import threading
from typing import TYPE_CHECKING, Final

from pyx.execution.syntax_trees import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS: Final = 1.0


def number_pattern(source: str) -> str | None:
    """Returns the number of the last statement `receive(number)` of *source*; None if it is another one."""
    try:
        tree = syntax_tree(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    match tree.body[-1:]:
        case [
            ast.Expr(ast.Call(ast.Name("receive"), [ast.Constant(int() | float() as number)], []))
            | ast.Assign(value=ast.Call(ast.Name("receive"), [ast.Constant(int() | float() as number)], []))
        ] if type(number) is not bool:
            return repr(number)
    return None


@contextlib.contextmanager
def said_while_waiting(source: str, show: Callable[[str], object]) -> Iterator[None]:
    """Shows what *source* waits for if it is `receive(number)` and still runs after a second.

    Args:
        source: an input.
        show: shows a line; called by a thread of its own.
    """
    number = number_pattern(source) if "receive(" in source else None
    if number is None:
        yield
        return
    text = f"waiting for the message {number}; a time limit goes by name: receive(timeout={number})\n"
    timer = threading.Timer(SECONDS, show, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
