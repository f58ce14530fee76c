"""scenario_files.py: files that can be read as scenarios, and files that cannot."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.errors import TranscriptError
from pyx.scenario.steps import Input
from pyx.scenario.transcript import read_transcript

if TYPE_CHECKING:
    from pathlib import Path
from tests.scenario.transcripts import BODY


class TestFiles:
    def write(self, tmp_path: Path, name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    @pytest.mark.parametrize("name", ["t.pyxt", "t.md", "T.MARKDOWN"])
    def test_byte_order_mark_and_crlf_are_not_part_of_the_text(self, tmp_path: Path, name: str) -> None:
        text = BODY if name == "t.pyxt" else f"```pyx\n{BODY}```\n"
        path = self.write(tmp_path, name, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        (only,) = read_transcript(path).sessions
        step = only.steps[1]
        assert isinstance(step, Input)
        assert (step.code, step.block.lines) == ("1+1", ("3",))

    @pytest.mark.parametrize(
        ("name", "data", "problem"),
        [
            ("t.txt", BODY.encode(), "t.txt: this is not a scenario (*.pyxt) and not Markdown (*.md)"),
            ("t.pyxt", b"", "t.pyxt: nothing to play: no line of it starts a node"),
            ("t.pyxt", b"# prose\n$ timeout 5s\n", "t.pyxt: nothing to play: no line of it starts a node"),
            ("t.md", b"prose\n", "t.md: nothing to play: no ```pyx block of it starts a node"),
            ("t.pyxt", b"$ pyx\n\xff\n", "t.pyxt:2:1: the file is not UTF-8: invalid start byte"),
        ],
    )
    def test_file_that_cannot_be_played_is_refused_with_the_reason(
        self, tmp_path: Path, name: str, data: bytes, problem: str
    ) -> None:
        with pytest.raises(TranscriptError) as raised:
            read_transcript(self.write(tmp_path, name, data), name)
        assert str(raised.value) == problem

    def test_pipe_without_a_writer_is_empty(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "t.pyxt")
        with pytest.raises(TranscriptError, match=r"^t.pyxt: nothing to play"):
            read_transcript(str(tmp_path / "t.pyxt"), "t.pyxt")

    def test_pipe_is_read_to_its_end(self, tmp_path: Path) -> None:
        reads, writes = os.pipe()
        (tmp_path / "t.pyxt").symlink_to(f"/dev/fd/{reads}")
        os.write(writes, BODY.encode())
        threading.Timer(0.01, os.close, [writes]).start()
        (only,) = read_transcript(str(tmp_path / "t.pyxt")).sessions
        os.close(reads)
        assert len(only.steps) == 2

    def test_device_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "t.pyxt").symlink_to("/dev/zero")
        with pytest.raises(TranscriptError, match=r"^t.pyxt: this is a device or a socket, not a file$"):
            read_transcript(str(tmp_path / "t.pyxt"), "t.pyxt")

    def test_endless_file_is_refused(self, tmp_path: Path) -> None:
        with (tmp_path / "t.pyxt").open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(TranscriptError, match=r"^t.pyxt: the file is longer than 64 MiB$"):
            read_transcript(str(tmp_path / "t.pyxt"), "t.pyxt")

    def test_missing_file_and_empty_directory_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TranscriptError, match=r"^x: there is no such file or directory$"):
            read_transcript(str(tmp_path / "x"), "x")
        with pytest.raises(TranscriptError, match=r"^d: this directory holds no scenario \(\*.pyxt\)"):
            read_transcript(str(tmp_path), "d")
