"""directories.py: `ls`, `cd` and `pwd` at the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import PyxError
from pyx.shell.directories import changed_directory, current_directory, expanded, listing

if TYPE_CHECKING:
    from pathlib import Path


def test_directory_is_listed_in_columns_down_and_then_across(tmp_path: Path) -> None:
    for name in ("shop.py", "a.txt", "stock.py", "zoo.py"):
        (tmp_path / name).touch()
    (tmp_path / "data").mkdir()
    assert listing(str(tmp_path), 80) == "a.txt     data/     shop.py   stock.py  zoo.py"
    assert listing(str(tmp_path), 30) == "a.txt     shop.py   zoo.py\ndata/     stock.py"
    assert listing(str(tmp_path), 5).splitlines() == ["a.txt", "data/", "shop.py", "stock.py", "zoo.py"]


def test_file_is_listed_alone_and_an_empty_directory_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert listing(str(tmp_path / "a.txt"), 80) == "a.txt"
    (tmp_path / "empty").mkdir()
    assert listing(str(tmp_path / "empty"), 80) == ""


def test_current_directory_is_changed_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert changed_directory(str(tmp_path)) == str(tmp_path)
    assert current_directory() == str(tmp_path)
    with pytest.raises(FileNotFoundError):
        changed_directory("nope")
    assert current_directory() == str(tmp_path)


def test_deleted_current_directory_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(PyxError, match=r"^the current directory was deleted"):
        current_directory()


def test_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~") == tmp_path
    assert expanded("~/shop") == tmp_path / "shop"
    assert str(expanded("a~")) == "a~"


@pytest.mark.parametrize("path", [5, None, b"/tmp", ["/tmp"]])
def test_other_values_are_refused(path: Any) -> None:
    with pytest.raises(TypeError, match="a directory or file is named by a str, not by"):
        expanded(path)
