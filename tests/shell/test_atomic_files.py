"""atomic_files.py: A file has its old bytes or its new ones, and never a part."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from pyx.shell.atomic_files import write_whole
from tests.local_nodes import full_disk

if TYPE_CHECKING:
    from pathlib import Path


def test_new_bytes_replace_the_old_and_the_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_whole(path, b"new\r\n")
    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["f"]


def test_new_file_has_the_mode_that_open_gives(tmp_path: Path) -> None:
    write_whole(tmp_path / "f", b"x")
    (tmp_path / "g").write_bytes(b"x")
    assert (tmp_path / "f").stat().st_mode == (tmp_path / "g").stat().st_mode


def test_symbolic_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    target = tmp_path / "d" / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("d/target")
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_full_disk_leaves_the_old_bytes_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with full_disk(), pytest.raises(OSError, match="too large"):
        write_whole(path, b"x" * 65)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_pipe_is_written_in_place(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(path, b"x")
        assert os.read(reader, 10) == b"x"
        assert stat.S_ISFIFO(path.stat().st_mode)
    finally:
        os.close(reader)
