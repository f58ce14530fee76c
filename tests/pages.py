"""Reads the Markdown pages of the tree for tests: sections, tables, links, names of files and of tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parents[1]
USER_PAGES: Final = (
    "README.md",
    "scenarios/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
"""The pages for users of pyx."""


def text(page: str) -> str:
    """The text of a page, named by its path from the root of the tree."""
    return (ROOT / page).read_text()


def section(page: str, title: str) -> str:
    """The text below the heading *title*, of any level, up to the next one of that level or above it."""
    found = re.search(rf"^(#+) {re.escape(title)}\n", text(page), re.MULTILINE)
    assert found is not None, f"{page} has no heading {title!r}"
    below = text(page)[found.end() :]
    return re.split(rf"^#{{1,{len(found.group(1))}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of the first table in that section, without its head."""
    table = section(page, title).partition("\n|")[2].partition("\n\n")[0]
    lines = [line for line in f"|{table}".splitlines() if line.startswith("|")]
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


def manifest() -> str:
    """The manifest for Kubernetes in `docs/across-hosts.md`."""
    return section("docs/across-hosts.md", "In Kubernetes").split("```yaml\n")[1].split("```")[0]


def manifest_command() -> list[str]:
    """The command of the manifest's container: a list on one line, some of its words in quotes."""
    (words,) = re.findall(r"^ +command: \[(.*)\]$", manifest(), re.MULTILINE)
    return [word.strip('"') for word in re.split(r", (?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", words)]
