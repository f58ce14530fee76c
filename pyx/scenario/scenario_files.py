"""Finds the files of scenarios, and reads the text of one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from pyx.errors import TranscriptError
from pyx.scenario.sandbox_copy import is_foreign

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIX: Final = ".pyxt"
_MOST_BYTES: Final = 1 << 26
_MARKDOWN: Final = (".md", ".markdown")


def find_files(paths: Iterable[str]) -> list[str]:
    """Returns the files that *paths* name, and all scenarios below the directories among them.

    Hidden directories, `node_modules` and virtual environments are left out.  A directory without a scenario,
    or that cannot be read, is in the result itself: reading it raises the error.
    """
    found: list[str] = []
    for path in paths:
        found += _files_below(path) or [path]
    return found


def _files_below(folder: str) -> list[str]:
    """Returns the scenarios below a directory and its unreadable directories; nothing for a file."""
    found: list[str] = []

    def note(error: OSError) -> None:
        if not isinstance(error, NotADirectoryError):
            found.append(str(error.filename))

    for path, folders, files in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not is_foreign(Path(path, name))]
        found.extend(str(Path(path, name)) for name in files if name.endswith(SUFFIX))
    return sorted(found)


def is_markdown(path: str) -> bool:
    """Returns True for the name of a Markdown file."""
    return path.lower().endswith(_MARKDOWN)


def read_text(path: str, shown_as: str) -> str:
    """Returns the text of a file, with its own line ends and byte order mark; errors call it *shown_as*.

    Raises:
        TranscriptError: it does not exist, cannot be read, or is not UTF-8.
    """
    try:
        if Path(path).is_dir():
            os.scandir(path).close()
            hint = f"in a directory only *{SUFFIX} files are played; give Markdown files by name"
            raise TranscriptError(shown_as, 0, 0, f"this directory holds no scenario (*{SUFFIX})", hint=hint)
        return _read(path, shown_as).decode("utf-8")
    except FileNotFoundError:
        raise TranscriptError(shown_as, 0, 0, "there is no such file or directory") from None
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror or error}"
        raise TranscriptError(shown_as, 0, 0, problem) from None
    except UnicodeDecodeError as error:
        row = error.object.count(b"\n", 0, error.start) + 1
        raise TranscriptError(shown_as, row, 1, f"the file is not UTF-8: {error.reason}") from None


def _read(path: str, shown_as: str) -> bytes:
    """Returns all of a file, or of a pipe that has a writer (`<(command)`); a pipe without one is empty."""
    mode = Path(path).stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise TranscriptError(shown_as, 0, 0, "this is a device or a socket, not a file")
    with _open_pipe(path) if stat.S_ISFIFO(mode) else Path(path).open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise TranscriptError(shown_as, 0, 0, f"the file is longer than {_MOST_BYTES >> 20} MiB")
    return data


def _open_pipe(path: str) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def lines_of(text: str) -> list[str]:
    """Returns the lines of a file's text, without a byte order mark and without line ends."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return lines
