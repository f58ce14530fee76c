"""Rows of text under a head, in columns of equal width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.printable import filter_foreign

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """Returns lines, each with an end.

    Args:
        head: the names of the columns.
        rows: the cells of each row; names that peers chose may be among them.
        right: the numbers of the columns that are flush right.
    """
    lines = [list(head), *([filter_foreign(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ""
    for line in lines:
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text
