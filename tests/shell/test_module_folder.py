"""module_folder.py: A folder's modules by their file names, in folders that were not made for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyx.shell.module_folder import ModuleFolder, names_elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_modules_are_files_and_packages(tmp_path: Path) -> None:
    (tmp_path / "stock.py").touch()
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "setup.py").touch()
    (tmp_path / "not-a-name.py").touch()
    folder = ModuleFolder(str(tmp_path))
    assert folder.modules() == {"stock": tmp_path / "stock.py", "shop": tmp_path / "shop"}
    assert folder.module("stock") == tmp_path / "stock.py"
    assert folder.module("shop") == tmp_path / "shop"
    assert [folder.module(name) for name in ("empty", "setup", "nope", "__init__")] == [None] * 4


def test_src_is_where_modules_lie(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "inner.py").touch()
    (tmp_path / "outer.py").touch()
    assert list(ModuleFolder(str(tmp_path)).modules()) == ["inner"]


def test_what_cannot_be_looked_at_is_not_a_module(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "well.py").touch()
    folder = ModuleFolder(str(tmp_path))
    assert list(folder.modules()) == ["well"]
    assert [folder.module(name) for name in ("loop", "circle", "gone", "folder", "pipe")] == [None] * 5


def test_a_folder_that_vanished_has_no_modules(tmp_path: Path) -> None:
    folder = ModuleFolder(str(tmp_path / "never_there"))
    assert folder.modules() == {}
    assert folder.module("stock") is None


def test_a_deleted_current_directory_has_no_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    monkeypatch.chdir(doomed)
    assert ModuleFolder(".").is_there
    doomed.rmdir()
    folder = ModuleFolder(".")
    assert not folder.is_there
    assert folder.modules() == {}
    assert folder.module("stock") is None


def test_names_elsewhere_are_those_of_the_standard_library_and_of_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed.py").touch()
    monkeypatch.setattr("sys.path", [str(tmp_path), str(tmp_path / "nowhere")])
    assert {"installed", "json", "sys"} <= names_elsewhere()
    assert "not_installed" not in names_elsewhere()
