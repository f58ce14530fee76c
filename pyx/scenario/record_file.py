"""The file of `pyx --record`, and its `$ pyx` line.

Only its owner can read the file (0600).  It grows block by block: the inputs before a crash are there.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.scenario.recorder import Recorder
from pyx.scenario.scenario_files import SUFFIX
from pyx.shell.redaction import cookies_in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.shell.shell_options import ShellOptions

_REPLAYED: Final = ("hidden", "tick", "rpc", "max_message_mib")
"""The options of a node that its replay has too."""

_PLAIN: Final = re.compile(r"[^\s'\"]+")


@contextlib.contextmanager
def recording(
    path: str, options: ShellOptions, warn: Callable[[str], object]
) -> Iterator[tuple[Recorder, RecordFile]]:
    """Yields a recorder and its new file, which is removed again if there never was a prompt.

    Args:
        path: of the file.
        options: of the shell that is recorded.
        warn: called once, with one line, when the file can no longer be written.

    Raises:
        PyxError: the file exists, cannot be made, or has not the suffix of a scenario.
    """
    if not path.endswith(SUFFIX):
        msg = f"cannot record to {path}: the name of a scenario ends in {SUFFIX}"
        raise PyxError(msg)
    try:
        file = RecordFile(path, warn)
    except OSError as error:
        msg = f"cannot record to {path}: {error.strerror}"
        raise PyxError(msg) from None
    try:
        line = start_line(options, Path(path).absolute().parent)
        recorder = Recorder(file, line, cookies_in_force, starts_alike=_starts_alike(options))
        yield recorder, file
        recorder.close()
    finally:
        file.close()


class RecordFile:
    """A new file that only its owner can read, and that always ends with a whole block.

    Args:
        path: of the file.
        warn: see `recording`.

    Raises:
        OSError: the file exists, or cannot be made.
    """

    def __init__(self, path: str, warn: Callable[[str], object]) -> None:
        self._path = path
        self._warn = warn
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._end = 0
        """The end of the last whole block, in bytes."""
        self.failed = False
        """True once a block could not be written."""

    def append(self, text: str, *, whole: bool = True) -> None:
        """Writes a block; replaces the last one if that was not *whole*."""
        data = text.encode(errors="backslashreplace")
        if self._write(self._end, data) and whole:
            self._end += len(data)

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Replaces the text of all whole blocks by what *change* returns for it."""
        data = change(os.pread(self._descriptor, self._end, 0).decode()).encode()
        if self._write(0, data):
            self._end = len(data)

    def close(self) -> None:
        """Closes the file; removes it if it holds no block."""
        os.close(self._descriptor)
        if not self._end:
            with contextlib.suppress(OSError):
                Path(self._path).unlink()

    def _write(self, at: int, data: bytes) -> bool:
        if self.failed:
            return False
        try:
            os.ftruncate(self._descriptor, at)
            while data:
                written = os.pwrite(self._descriptor, data, at)
                at, data = at + written, data[written:]
        except OSError as error:
            self.failed = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, min(at, self._end))
            self._warn(f"the recording ends here: {self._path}: {error.strerror or error}")
            return False
        return True


def start_line(options: ShellOptions, place: Path) -> str:
    """Returns the `$ pyx` line of a shell with these options, for a scenario in the directory *place*.

    A replay has one host and a cookie of its own: a long name becomes a short one, and options for other
    hosts or the cookie are left out.
    """
    words: list[str] = []
    if options.node is not None:
        words += ["--sname", options.node.name, *options.node.words(_REPLAYED)]
    with contextlib.suppress(OSError):  # the current directory was removed
        project = os.path.relpath(options.directory, place)
        words += ["-S", project] if project != "." else []
    return " ".join(["$ pyx", *(_quoted(word) for word in words)])


def _quoted(word: str) -> str:
    """Quotes a word for `commands.py`, which has no escapes."""
    if _PLAIN.fullmatch(word):
        return word
    return f"'{word}'" if "'" not in word else f'"{word}"'


def _starts_alike(options: ShellOptions) -> bool:
    """Returns True if a replay starts with the same output, on its one host and with its new cookie."""
    node = options.node
    return node is None or not (node.long or node.cookie or node.cookie_file or node.seeds)
