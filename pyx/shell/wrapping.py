"""Text broken at blanks for narrow terminals: notices, errors, log lines, the helpers' lists and docstrings.

Values are laid out by `render.py`.
"""

from __future__ import annotations

import textwrap
from typing import Final

NARROW_COLUMNS: Final = 80
"""Terminals this wide or wider show sentences unbroken, so a copied session has the lines that were shown."""


def wrapped(text: str, columns: int) -> str:
    """Breaks the sentences of *text* at blanks; indented lines (a traceback's) stay as they are."""
    if columns >= NARROW_COLUMNS:
        return text
    return "".join(_broken(line, columns) for line in text.splitlines(keepends=True))


def _broken(line: str, columns: int) -> str:
    sentence = line.rstrip("\n")
    if len(sentence) <= columns or sentence[:1].isspace():
        return line
    pieces = textwrap.wrap(
        sentence, columns, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return "\n".join(pieces) + line[len(sentence) :]


def indented_docstring(text: str, columns: int) -> str:
    """Indents a docstring by two; fills its prose, and wide items of its lists, to *columns*."""
    paragraphs: list[str] = []
    for paragraph in text.split("\n\n"):
        lines = textwrap.indent(paragraph, "  ").split("\n")
        if not any(line.startswith(("   ", "  - ", "  * ", "  >>>")) for line in lines):
            paragraphs.append(_filled(lines, columns, "  ", "  "))
            continue
        if len(lines) > 1 and lines[0].strip() in {"Returns:", "Yields:"}:  # prose, and not items with names
            indent = " " * _depth(lines[1])
            paragraphs.append(f"{lines[0]}\n{_filled(lines[1:], columns, indent, indent)}")
            continue
        items: list[list[str]] = []
        for line in lines:
            if items and _depth(line) > _depth(items[-1][0]) and not items[-1][-1].endswith(":"):
                items[-1].append(line)
            else:
                items.append([line])
        paragraphs.append("\n".join(wrapped_item(item, columns) for item in items))
    return "\n\n".join(paragraphs)


def wrapped_item(lines: list[str], columns: int) -> str:
    """Joins the lines of a list's item; fills them anew if one of them is wider than *columns*."""
    if all(len(line) <= columns for line in lines):
        return "\n".join(lines)
    indent = " " * _depth(lines[0])
    return _filled(lines, columns, indent, f"{indent}    ")


def _filled(lines: list[str], columns: int, first: str, rest: str) -> str:
    return textwrap.fill(
        " ".join(line.strip() for line in lines),
        columns,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
