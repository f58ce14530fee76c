"""sandbox_copy.py: copies of the files beside a scenario."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from pyx.scenario import sandbox_copy
from pyx.scenario.sandbox_copy import copy_all, is_foreign

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def copy(source: Path, target: Path) -> list[str]:
    """Copies all; returns the entries left out."""
    return copy_all(source, target, is_foreign)


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_files_and_directories_are_copied(source: Path, target: Path) -> None:
    (source / "a/b").mkdir(parents=True)
    (source / "a/b/c.py").write_text("c")
    (source / "d.txt").write_text("d")
    (source / "run.sh").write_text("r")
    (source / "run.sh").chmod(0o755)
    assert copy(source, target) == []
    assert tree(target) == {"a/b/c.py": "c", "d.txt": "d", "run.sh": "r"}
    assert os.access(target / "run.sh", os.X_OK)


def test_links_are_followed_and_circles_end(source: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common/lib.py").write_text("lib")
    (source / "lib.py").symlink_to(tmp_path / "common/lib.py")
    (source / "common").symlink_to(tmp_path / "common")
    (source / "deep").mkdir()
    (source / "deep/up").symlink_to("..")
    (source / "here").symlink_to(".")
    (source / "dead").symlink_to("nowhere")
    (source / "self").symlink_to("self")
    copy(source, target)
    assert tree(target) == {"common/lib.py": "lib", "lib.py": "lib"}
    assert not any(path.is_symlink() for path in target.rglob("*"))


@pytest.mark.parametrize("name", [".git", ".venv", ".hidden", "__pycache__", "node_modules", "env"])
def test_foreign_entries_are_left_out(source: Path, target: Path, name: str) -> None:
    for folder in (source / name, source / "below" / name):
        folder.mkdir(parents=True)
        (folder / "x").write_text("x")
        (folder / "pyvenv.cfg").touch()
    (source / "below/y").write_text("y")
    assert copy(source, target) == []
    assert tree(target) == {"below/y": "y"}


def test_pipes_and_sockets_are_left_out(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(source / "pipe")
    monkeypatch.chdir(source)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        assert copy(source, target) == []
    assert list(target.iterdir()) == []


def test_entries_beyond_the_limits_are_left_out_and_listed(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_copy, "MOST_BYTES", 3 << 20)
    monkeypatch.setattr(sandbox_copy, "MOST_FILES", 5)
    (source / "data").mkdir()
    (source / "data/one").write_bytes(bytes(2 << 20))
    (source / "data/two").write_bytes(bytes(2 << 20))
    (source / "many").mkdir()
    for number in range(9):
        (source / f"many/{number}").touch()
    (source / "small.py").write_text("s")
    assert copy(source, target) == [
        "many (more than 3 MiB or 5 files in all)",
        "data (more than 3 MiB or 5 files in all)",
    ]
    assert tree(target) == {"small.py": "s"}


@pytest.mark.skipif(os.getuid() == 0, reason="for root every file is readable")
def test_unreadable_entries_are_left_out_and_listed(source: Path, target: Path) -> None:
    (source / "closed").mkdir()
    (source / "closed").chmod(0)
    (source / "secret").touch(mode=0)
    (source / "open").write_text("o")
    assert copy(source, target) == ["closed (Permission denied)", "secret (Permission denied)"]
    assert tree(target) == {"open": "o"}
    (source / "closed").chmod(0o700)
