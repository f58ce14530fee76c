"""The test files of each file of `pyx/`: the first line of a test file names the files that it tests.

A name there is a path's end, as `kernel.py` or `core/kernel.py`; in `tests/core/` it means `pyx/core/` first.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pyx

PYX: Final = Path(pyx.__file__).parent
TESTS: Final = Path(__file__).parent


def sources() -> list[str]:
    """The files with code in them, from `pyx/` on; a package's `__init__` has none, but for pyx's own."""
    found = (path.relative_to(PYX).as_posix() for path in sorted(PYX.rglob("*.py")))
    return [name for name in found if name == "__init__.py" or not name.endswith("/__init__.py")]


def named_by() -> dict[str, list[str]]:
    """For each file of `pyx/` the test files that name it, from `tests/` on."""
    tests: dict[str, list[str]] = {source: [] for source in sources()}
    for path in sorted(TESTS.rglob("test_*.py")):
        test = path.relative_to(TESTS)
        for name in names_in(first_line(path)):
            for source in meant(name, test.parent.as_posix(), list(tests)):
                tests[source].append(test.as_posix())
    return tests


def first_line(path: Path) -> str:
    """The first line of a file's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def names_in(line: str) -> list[str]:
    """The names of Python files in a line."""
    return re.findall(r"[\w/]+\.py\b", line)


def meant(name: str, folder: str, among: list[str]) -> list[str]:
    """The files that *name* means in a test file of *folder*: several if only a path tells them apart."""
    own = name if folder == "." else f"{folder}/{name}"
    if own in among:
        return [own]
    return [source for source in among if f"/{source}".endswith(f"/{name}")]
