"""standard_streams.py: Standard streams that are closed, full or gone."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyx.shell.standard_streams import OutputLost, complain, finish, sentence

if TYPE_CHECKING:
    from pathlib import Path

FILLED = """\
import os, sys
from pyx.shell.standard_streams import fill_closed
fill_closed()
opened = os.open(os.devnull, os.O_RDONLY)
with open(sys.argv[1], "w") as told:
    print(opened, sys.stdin.read(), sys.stdout.write("x"), sys.stderr.write("y"), file=told)
    print([os.get_inheritable(number) for number in (0, 1, 2)], file=told)
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_filled(closed: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    command = f'exec "$0" -c "$1" "$2" {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, FILLED, told], stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0
    first, second = told.read_text().splitlines()
    assert int(first.split()[0]) > 2
    assert first.split()[1:] == ["1", "1"]
    assert second == "[True, True, True]"


class Full(io.StringIO):
    """A disk without room."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Unread(io.StringIO):
    """A pipe without a reader."""

    def flush(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def test_output_that_cannot_be_written_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(OutputLost, match="the output cannot be written: No space left on device") as caught:
        finish()
    assert not caught.value.by_reader


def test_a_reader_that_left_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Unread())
    with pytest.raises(OutputLost) as caught:
        finish()
    assert caught.value.by_reader


def test_a_stream_that_the_program_closed_is_none_of_these(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdout", closed)
    finish()


def test_stderr_that_fails_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Full())
    complain("a sentence", "a hint")
    finish()


def test_a_complaint_is_a_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    complain("there is no file x", "make one")
    complain("alone")
    assert capsys.readouterr().err == "pyx: there is no file x\nhint: make one\npyx: alone\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "Permission denied: /x/y"),
        (OSError("words alone"), "words alone"),
        (ValueError("embedded null byte"), "embedded null byte"),
    ],
)
def test_a_sentence_has_the_systems_words_and_the_file(error: OSError | ValueError, said: str) -> None:
    assert sentence(error) == said
