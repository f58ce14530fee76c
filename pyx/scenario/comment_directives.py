"""Directives: comments at the end of an input, `# eventually 20s`, `# unordered`, `# blocks`, `# ignore`.

They are Python comments, so an input with one can be pasted into a live shell.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import Final

from pyx.execution.syntax_trees import expression_tree
from pyx.scenario.commands import parse_seconds
from pyx.scenario.parse_error import ParseError, nearest
from pyx.scenario.steps import Directives

WORDS: Final = ("eventually", "unordered", "blocks", "ignore")

_EFFECTS: Final = frozenset(
    {
        "alias", "async_call", "cancel_timer", "cast", "demonitor", "disconnect", "exit", "flag", "flush",
        "link", "monitor", "monitor_nodes", "put", "receive", "recompile", "register", "send", "send_after",
        "set_cookie", "spawn", "spawn_link", "spawn_monitor", "start", "stop", "unalias", "unlink",
        "unregister",
    }
)  # fmt: skip
"""Functions that have an effect or take a message: evaluated twice, they would test something else."""

_TIME: Final = re.compile(r"\d\S*")


def split_directives(code: str, *, is_python: bool = True) -> tuple[str, Directives]:
    """Returns the code without its directive, and the directive.

    Args:
        code: of Python, or of Elixir, where a comment looks the same; its expressions are not judged.
        is_python: False for Elixir.

    Raises:
        ParseError: a directive that is unknown, or does not fit its code; columns count from the start of the
            code's line, `offset` is that line.
    """
    place = _last_comment(code)
    if place is None:
        return code, Directives()
    row, column, comment = place
    words = _words(comment)
    if not _is_directive(words):
        return code, Directives()

    def error(at: int, problem: str, hint: str | None = None) -> ParseError:
        return ParseError(column + at + 2, problem, hint=hint, offset=row)

    eventually: float | None = None
    chosen: set[str] = set()
    for index, (word, at) in enumerate(words):
        if word in WORDS:
            chosen.add(word)
            if word == "eventually":
                eventually = 0.0
        elif index and words[index - 1][0] == "eventually" and _TIME.fullmatch(word):
            eventually = parse_seconds(word, column + at + 2)
        else:
            near = nearest(word, WORDS)
            hint = f"did you mean {near!r}?" if near else f"one of: {', '.join(WORDS)}"
            raise error(at, f"unknown directive {word!r}", hint)
    lines = code.split("\n")
    lines[row] = lines[row][:column].rstrip()
    rest = "\n".join(lines).rstrip()
    directives = Directives(eventually, "unordered" in chosen, "blocks" in chosen, "ignore" in chosen)
    if eventually is not None:
        if not rest:
            raise error(
                words[0][1],
                "# eventually has no code to evaluate",
                "an empty prompt waits for its output by itself",
            )
        problem = _why_not_repeatable(rest) if is_python else None
        if problem is not None:
            raise error(words[0][1], problem, "an empty prompt waits for output without evaluating code")
    if directives.blocks and (eventually is not None or not rest):
        raise error(words[0][1], "# blocks goes with code, and not with # eventually", None)
    return rest, directives


def without_directive(code: str) -> str:
    """Returns the code with its last comment changed if it would be read as a directive."""
    place = _last_comment(code)
    if place is None:
        return code
    row, column, comment = place
    if not _is_directive(_words(comment)):
        return code
    lines = code.split("\n")
    lines[row] = f"{lines[row][:column]}# {lines[row][column:]}"
    return "\n".join(lines)


def with_blocks(code: str) -> str:
    """Returns the code with the directive `# blocks`."""
    code = code.rstrip()
    if _last_comment(code) is None:
        return f"{code}  # blocks"
    return f"{code}\n# blocks"  # behind a comment it would be part of that


def _words(comment: str) -> list[tuple[str, int]]:
    return [(found.group(), found.start()) for found in re.finditer(r"[^\s,]+", comment[1:])]


def _last_comment(code: str) -> tuple[int, int, str] | None:
    """Returns (row from 0, column from 0, text) of the comment at the end of the code; None without one."""
    row = len(code.rstrip().split("\n")) - 1
    line = code.split("\n")[row]
    if "#" not in line:
        return None
    found: tuple[int, int, str] | None = None
    try:
        for token in tokenize.generate_tokens(io.StringIO(code + "\n").readline):
            if token.type == tokenize.COMMENT and token.start[0] == row + 1:
                found = (row, token.start[1], token.string)
    except (tokenize.TokenError, SyntaxError):  # the node will report the error
        simple = re.search(r"#[^'\"]*$", line)
        if found is None and simple is not None:
            found = (row, simple.start(), simple.group())
    return found


def _is_directive(words: list[tuple[str, int]]) -> bool:
    """Returns True for a directive, and for a short comment that is nearly one (the error has a hint)."""
    known = [word for word, _ in words if word in WORDS or _TIME.fullmatch(word)]
    if not words or len(words) - len(known) > 1:
        return False
    first = words[0][0]
    near = nearest(first, WORDS)
    return first in WORDS or (
        near is not None and len(words) == len(known) + 1 <= 2 and len(set(near) ^ set(first)) <= 2
    )


def _why_not_repeatable(code: str) -> str | None:
    """Returns why this code may not be evaluated repeatedly; None if it may."""
    try:
        tree = expression_tree(code)
    except SyntaxError:
        return "# eventually repeats its input, and only an expression can be repeated"
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name in _EFFECTS:
            return f"# eventually repeats its input, and {name} has an effect"
        if isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield)):
            return "# eventually repeats its input, and only a plain expression can be repeated"
    return None
