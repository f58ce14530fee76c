"""The indentation of the line that Enter begins."""

from __future__ import annotations

import re
from typing import Final

from pyx.shell.input_scanner import InputScanner

INDENT: Final = " " * 4
_BLANKS: Final = re.compile(r"[ \t]*")
_LEAVES_BLOCK: Final = re.compile(r"[ \t]*(?:return|pass|break|continue|raise)\b")


def next_indent(before: str) -> str:
    """Returns the blanks that the next line begins with.

    They are those of the statement, more after a colon, less after `return` and its like; in brackets those
    of the line, more after an opening one; in a string none, as they would be in its value.

    Args:
        before: the text up to the cursor.
    """
    scan = InputScanner(before)
    if scan.quote is not None:
        return ""
    code = before[: scan.comment_at].rstrip()
    if scan.open:
        line = before.rpartition("\n")[2]
        return _blanks(line) + INDENT if code.endswith(("(", "[", "{")) else _blanks(line)
    statement = before[scan.statement_at :]
    if code.endswith(":"):
        return _blanks(statement) + INDENT
    return _blanks(statement)[: -len(INDENT)] if _LEAVES_BLOCK.match(statement) else _blanks(statement)


def _blanks(line: str) -> str:
    found = _BLANKS.match(line)
    return "" if found is None else found.group()
