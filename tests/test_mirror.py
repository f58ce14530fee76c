"""Each file of `pyx/` is named by the first line of a test file, and listed by its package's docstring."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.mirror import PYX, TESTS, meant, named_by

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = sorted(path for path in PYX.rglob("__init__.py") if path.parent != PYX)


def test_each_file_is_named_by_a_test_file() -> None:
    assert [source for source, tests in named_by().items() if not tests] == []


def test_name_means_the_file_of_the_same_folder_first() -> None:
    files = ["core/names.py", "wire/names.py", "wire/messages/names.py", "names.py"]
    assert meant("names.py", ".", files) == ["names.py"]
    assert meant("names.py", "wire", files) == ["wire/names.py"]
    assert meant("messages/names.py", ".", files) == ["wire/messages/names.py"]
    assert meant("names.py", "net", files) == files
    assert meant("ames.py", "net", files) == []


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_package_holds_nothing_but_a_docstring(package: Path) -> None:
    body = ast.parse(package.read_text()).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)
    assert "never" in str(body[0].value.value).lower(), "a package says what may never be imported"


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_package_lists_each_file_and_package_once(package: Path) -> None:
    listed = re.findall(r"^ {4}(\w+) {2,}\S", package.read_text(), re.MULTILINE)
    files = [path.stem for path in package.parent.glob("*.py") if path != package]
    packages = [path.parent.name for path in package.parent.glob("*/__init__.py")]
    assert sorted(listed) == sorted(files + packages)


@pytest.mark.parametrize("path", [*PYX.rglob("*.py"), *TESTS.rglob("*.py")], ids=str)
def test_every_file_opens_with_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"
