"""standard_streams.py: Standard streams that are closed, cannot be written, or are replaced."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from pyx.shell.standard_streams import OutputLost, complain, finish, replaced, sentence, warn

if TYPE_CHECKING:
    from pathlib import Path

FILLED = """\
import os, sys
from pyx.shell.standard_streams import fill_closed
fill_closed()
opened = os.open(os.devnull, os.O_RDONLY)
with open(sys.argv[1], "w") as report:
    print(opened, sys.stdin.read(), sys.stdout.write("x"), sys.stderr.write("y"), file=report)
    print([os.get_inheritable(number) for number in (0, 1, 2)], file=report)
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_opened_on_dev_null(closed: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    command = f'exec "$0" -c "$1" "$2" {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, FILLED, report], stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0
    first, second = report.read_text().splitlines()
    assert int(first.split()[0]) > 2
    assert first.split()[1:] == ["1", "1"]
    assert second == "[True, True, True]"


class FullDisk(io.StringIO):
    """A file on a full disk."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class ClosedPipe(io.StringIO):
    """A pipe without a reader."""

    def flush(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def test_finish_raises_output_lost_on_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", FullDisk())
    with pytest.raises(OutputLost, match="the output cannot be written: No space left on device") as caught:
        finish()
    assert not caught.value.by_reader


def test_output_lost_tells_a_closed_pipe_from_other_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", ClosedPipe())
    with pytest.raises(OutputLost) as caught:
        finish()
    assert caught.value.by_reader


def test_finish_accepts_a_stream_that_the_program_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdout", closed)
    finish()
    assert sys.stdout.closed


def test_replaced_streams_are_restored() -> None:
    found = sys.stdin, sys.stdout, sys.stderr
    mine = io.StringIO(), io.StringIO(), io.StringIO()
    with replaced(*mine):
        assert (sys.stdin, sys.stdout, sys.stderr) == mine
    assert (sys.stdin, sys.stdout, sys.stderr) == found


def test_failing_stderr_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = FullDisk()
    monkeypatch.setattr("sys.stderr", stderr)
    complain("a sentence", "a hint")
    finish()
    assert stderr.getvalue() == "pyx: a sentence\nhint: a hint\n"


def test_complain_writes_a_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    complain("there is no file x", "make one")
    complain("alone")
    assert capsys.readouterr().err == "pyx: there is no file x\nhint: make one\npyx: alone\n"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "Permission denied: /x/y"),
        (OSError("words alone"), "words alone"),
        (ValueError("embedded null byte"), "embedded null byte"),
    ],
)
def test_sentence_has_the_systems_text_and_the_file(error: OSError | ValueError, text: str) -> None:
    assert sentence(error) == text


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (29, ["warning: of a file that", "cannot be read"]),
        (0, ["warning: of a file that cannot be read"]),  # a terminal of which no width is known
    ],
)
def test_warning_breaks_at_blanks_of_a_narrow_terminal(
    columns: int, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stderr", stream)
        warn("of a file that cannot be read")
        stream.flush()
        text = ""
        while "read" not in text:
            text += screen.read(1000).decode()
    assert text.splitlines() == shown
