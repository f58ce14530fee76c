"""Reads the Markdown pages of the tree for tests: sections, tables, links, commands, names of tests."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[1]
USER_PAGES: Final = (
    "README.md",
    "scenarios/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
"""The pages for users of pyx."""

_FENCE: Final = re.compile(r"^```+(\w*).*\n((?:(?!```).*\n)*)```+$", re.MULTILINE)
_LINK: Final = re.compile(r"\[(?:[^][]|\[[^]]*\])*\]\(([^)\s]+)\)")
_SPAN: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: the language after the fence, and the text inside."""

    language: str
    text: str


def tree_files() -> Iterator[Path]:
    """Yields the files of the tree, relative to its root, but for hidden ones and virtual environments."""
    for folder, folders, files in os.walk(ROOT):
        at = Path(folder)
        folders[:] = [
            one
            for one in folders
            if not one.startswith((".", "__")) and not (at / one / "pyvenv.cfg").exists()
        ]
        yield from ((at / file).relative_to(ROOT) for file in files)


def all_pages() -> list[str]:
    """Returns the paths of all Markdown files of the tree, relative to its root."""
    return sorted(path.as_posix() for path in tree_files() if path.suffix == ".md")


def text(page: str) -> str:
    """The text of a page, named by its path from the root of the tree."""
    return (ROOT / page).read_text()


def prose_of(page: str) -> str:
    """The text of a page without its fenced blocks."""
    return _FENCE.sub("", text(page))


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


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page."""
    return [Block(*found) for found in _FENCE.findall(text(page))]


def prose(page: str) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", text(page))


def links(page: str) -> list[str]:
    """The targets of the links and pictures of a page, those of other sites left out."""
    found = _LINK.findall(_SPAN.sub("x", prose(page)))
    return [target for target in found if not target.startswith(("https://", "http://"))]


def spans(page: str) -> list[str]:
    """What stands between backquotes in the prose of a page."""
    return _SPAN.findall(prose(page))


def commands(page: str) -> list[str]:
    """The command lines of a page: indented lines, and spans of code."""
    return [line.strip() for line in prose(page).splitlines() if line.startswith("    ")] + spans(page)


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    titles = (_SPAN.sub(r"\1", title).lower() for title in _HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


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
    return next(block.text for block in blocks("docs/across-hosts.md") if block.language == "yaml")


def manifest_command() -> list[str]:
    """The command of the manifest's container: a list on one line, some of its words in quotes."""
    (words,) = re.findall(r"^ +command: \[(.*)\]$", manifest(), re.MULTILINE)
    return [word.strip('"') for word in re.split(r", (?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", words)]
