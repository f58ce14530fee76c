"""What the README says, for tests that hold it to that: its sections, its tables, the tests that it names."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parents[1]
README: Final = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """The text below a heading, up to the next."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table in that section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def is_there(test: str) -> bool:
    """True if `"tests/test_rpc.py::TestCall::test_failures"`, or a file alone, names what exists."""
    path, *names = test.split("::")
    if not (ROOT / path).is_file():
        return False
    inside: Sequence[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    for name in names:
        found = _names_in(inside)
        if name not in found or not name.lower().startswith("test"):
            return False
        inside = found[name]
    return True


def _names_in(nodes: Sequence[ast.stmt]) -> dict[str, Sequence[ast.stmt]]:
    """The tests and classes of tests there, and what is inside each."""
    return {node.name: node.body for node in nodes if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
