"""new_project.py: `pyx new`: the files of a project, and names that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.shell.new_project import NewProjectError, make_project
from tests.inner_pytest import run_pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("supervised", [False, True])
def test_test_of_a_new_project_passes(supervised: bool, tmp_path: Path) -> None:
    directory = make_project("shop", tmp_path, supervised=supervised)
    files = sorted(str(file.relative_to(directory)) for file in directory.rglob("*") if file.is_file())
    assert files == ["README.md", "pyproject.toml", "shop.py", "tests/test_shop.py"]
    done = run_pytest(directory)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("my-shop", "'my-shop' cannot be the name of a module"),
        ("class", "'class' cannot be the name of a module"),
        ("../up", "'../up' cannot be the name of a module"),
        ("café", "'café' cannot be the name of a module"),
        ("", "'' cannot be the name of a module"),
        ("queue", "'queue' is the name of a module of Python or pyx, which would hide the project's"),
        ("pyx", "'pyx' is the name of a module of Python or pyx, which would hide the project's"),
    ],
)
def test_name_that_a_module_cannot_have_is_refused(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(NewProjectError) as refused:
        make_project(name, tmp_path)
    assert str(refused.value) == why
    assert refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_existing_directory_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    with pytest.raises(NewProjectError, match="shop exists already"):
        make_project("shop", tmp_path)
    assert list((tmp_path / "shop").iterdir()) == []


def test_missing_parent_directory_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NewProjectError, match="cannot make shop: No such file or directory"):
        make_project("shop", tmp_path / "nowhere")
