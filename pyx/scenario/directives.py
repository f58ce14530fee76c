"""The comment at the end of an input that says how to take it: `# eventually 20s`, `# unordered` ...

They are Python comments, so an input with one can be pasted into a live shell.  Not here: what they do.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import Final

from pyx.scenario.parse_error import ParseError, nearest
from pyx.scenario.shell_lines import parse_seconds
from pyx.scenario.steps import Directives

WORDS: Final = ("eventually", "unordered", "blocks", "ignore")

_ACTS: Final = frozenset(
    {
        "alias", "async_call", "cancel_timer", "cast", "demonitor", "disconnect", "exit", "flag", "flush",
        "link", "monitor", "monitor_nodes", "put", "receive", "recompile", "register", "send", "send_after",
        "set_cookie", "spawn", "spawn_link", "spawn_monitor", "start", "stop", "unalias", "unlink",
        "unregister",
    }
)  # fmt: skip
"""What has an effect, or takes a message: repeating it would be another experiment each time."""

_TIME: Final = re.compile(r"\d\S*")


def split_directives(code: str) -> tuple[str, Directives]:
    """The code without its directive, and the directive.

    Raises:
        Complaint: a directive that does not fit its code; columns count from the start of the code's line,
            `offset` is that line.
    """
    place = _last_comment(code)
    if place is None:
        return code, Directives()
    row, column, comment = place
    words = _words(comment)
    if not _is_meant(words):
        return code, Directives()

    def complain(at: int, problem: str, hint: str | None = None) -> ParseError:
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
            raise complain(at, f"unknown directive {word!r}", hint)
    lines = code.split("\n")
    lines[row] = lines[row][:column].rstrip()
    rest = "\n".join(lines).rstrip()
    directives = Directives(eventually, "unordered" in chosen, "blocks" in chosen, "ignore" in chosen)
    if eventually is not None:
        if not rest:
            raise complain(words[0][1], "nothing to evaluate", "an empty prompt waits by itself")
        problem = _why_not_again(rest)
        if problem is not None:
            raise complain(words[0][1], problem, "an empty prompt awaits output without evaluating anything")
    if directives.blocks and (eventually is not None or not rest):
        raise complain(words[0][1], "only an evaluation can block", None)
    return rest, directives


def without_meaning(code: str) -> str:
    """The code so that a file which holds it has no directive in it: a person's remark may look like one."""
    place = _last_comment(code)
    if place is None:
        return code
    row, column, comment = place
    if not _is_meant(_words(comment)):
        return code
    lines = code.split("\n")
    lines[row] = f"{lines[row][:column]}# {lines[row][column:]}"
    return "\n".join(lines)


def with_blocks(code: str) -> str:
    """The code with the directive `# blocks`, wherever a reader finds it."""
    code = code.rstrip()
    if _last_comment(code) is None:
        return f"{code}  # blocks"
    return f"{code}\n# blocks"  # behind a remark it would be a part of that


def _words(comment: str) -> list[tuple[str, int]]:
    return [(found.group(), found.start()) for found in re.finditer(r"[^\s,]+", comment[1:])]


def _last_comment(code: str) -> tuple[int, int, str] | None:
    """(row from 0, column from 0, text) of the comment that ends the last line with something on it."""
    row = len(code.rstrip().split("\n")) - 1
    line = code.split("\n")[row]
    if "#" not in line:
        return None
    found: tuple[int, int, str] | None = None
    try:
        for token in tokenize.generate_tokens(io.StringIO(code + "\n").readline):
            if token.type == tokenize.COMMENT and token.start[0] == row + 1:
                found = (row, token.start[1], token.string)
    except (tokenize.TokenError, SyntaxError):  # code that the node will complain about, as it should
        simple = re.search(r"#[^'\"]*$", line)
        if found is None and simple is not None:
            found = (row, simple.start(), simple.group())
    return found


def _is_meant(words: list[tuple[str, int]]) -> bool:
    """True for a directive, and for a short comment that is nearly one (then it gets a hint)."""
    known = [word for word, _ in words if word in WORDS or _TIME.fullmatch(word)]
    if not words or len(words) - len(known) > 1:
        return False
    first = words[0][0]
    near = nearest(first, WORDS)
    return first in WORDS or (
        near is not None and len(words) == len(known) + 1 <= 2 and len(set(near) ^ set(first)) <= 2
    )


def _why_not_again(code: str) -> str | None:
    """Why this code may not be evaluated again and again; None if it may."""
    try:
        tree = ast.parse(code, mode="eval")
    except SyntaxError:
        return "only an expression can be evaluated again and again"
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name in _ACTS:
            return f"{name} has an effect, so it cannot be evaluated again and again"
        if isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield)):
            return "only a plain expression can be evaluated again and again"
    return None
