"""module_folder.py: The modules of a folder by their file names, in damaged folders too."""

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


def test_modules_are_in_src_if_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "inner.py").touch()
    (tmp_path / "outer.py").touch()
    assert list(ModuleFolder(str(tmp_path)).modules()) == ["inner"]


def test_entry_that_cannot_be_read_is_not_a_module(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "well.py").touch()
    folder = ModuleFolder(str(tmp_path))
    assert list(folder.modules()) == ["well"]
    assert [folder.module(name) for name in ("loop", "circle", "gone", "folder", "pipe")] == [None] * 5


def test_missing_folder_has_no_modules(tmp_path: Path) -> None:
    folder = ModuleFolder(str(tmp_path / "never_there"))
    assert folder.modules() == {}
    assert folder.module("stock") is None


def test_deleted_current_directory_has_no_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted = tmp_path / "deleted"
    deleted.mkdir()
    monkeypatch.chdir(deleted)
    assert ModuleFolder(".").is_there
    deleted.rmdir()
    folder = ModuleFolder(".")
    assert not folder.is_there
    assert folder.modules() == {}
    assert folder.module("stock") is None


def test_names_elsewhere_are_of_the_standard_library_and_sys_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed.py").touch()
    monkeypatch.setattr("sys.path", [str(tmp_path), str(tmp_path / "nowhere")])
    assert {"installed", "json", "sys"} <= names_elsewhere()
    assert "not_installed" not in names_elsewhere()
