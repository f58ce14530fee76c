"""indentation.py: The blanks that the next line begins with."""

from __future__ import annotations

import pytest

from pyx.shell.indentation import next_indent


@pytest.mark.parametrize(
    ("before", "columns"),
    [
        ("x = 1", 0),
        ("if x:", 4),
        ("if x:  # why: not", 4),
        ("if x == '#':", 4),
        ("x  # note:", 0),
        ("    if x:", 8),
        ("    x = 1", 4),
        ("    ", 4),
        ("    return x", 0),
        ("        pass", 4),
        ("    break  # out", 0),
        ("    raise(x)", 0),
        ("    returned = 1", 4),
        ("    return f(", 8),
        ("    return [1,", 4),
        ("    return f(\n        1)", 0),
        ("def f(a,\n      b):", 4),
        ("    x = f(\n        1,\n    )", 4),
        ("f(\n    1,", 4),
        ("x = {", 4),
        ('s = """a:', 0),
        ('    s = """a\n  b', 0),
        ('    s = """a\n  b"""', 4),
        ("    x = 1 + \\", 4),
    ],
)
def test_next_line_is_indented_as_its_statement_asks(before: str, columns: int) -> None:
    assert next_indent(before) == " " * columns
