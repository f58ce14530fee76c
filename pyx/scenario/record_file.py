"""The file of `pyx --record`, and its first line: the `$ pyx` that a replay can start.

The file is its owner's alone (0600) and grows block by block, so that what was typed before a crash is there.
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
    """A recorder and its new file, which is removed again if no prompt was ever shown.

    Args:
        path: of the file.
        options: of the shell that is recorded.
        warn: is called once, with one line, when the file cannot be written any more.

    Raises:
        PyxError: the file is there already, cannot be made, or would not be read as a scenario.
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
        started = start_line(options, Path(path).absolute().parent)
        recorder = Recorder(file, started, cookies_in_force, starts_alike=_starts_alike(options))
        yield recorder, file
        recorder.close()
    finally:
        file.close()


class RecordFile:
    """A new file, for its owner alone, that holds whole blocks at any time.

    Args:
        path: where.
        warn: see `recording`.

    Raises:
        OSError: it is there already, or cannot be made.
    """

    def __init__(self, path: str, warn: Callable[[str], object]) -> None:
        self._path = path
        self._warn = warn
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._end = 0
        """Of the last whole block."""
        self.failed = False
        """True once something could not be written."""

    def append(self, text: str, *, whole: bool = True) -> None:
        """Writes a block in the place of one that was not whole yet."""
        data = text.encode(errors="backslashreplace")
        if self._write(self._end, data) and whole:
            self._end += len(data)

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Has *change* replace the text of all whole blocks."""
        data = change(os.pread(self._descriptor, self._end, 0).decode()).encode()
        if self._write(0, data):
            self._end = len(data)

    def close(self) -> None:
        """Closes it; a file in which nothing was written is removed."""
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
    """The `$ pyx` line of a shell with these options, for a scenario that lies in the directory *place*.

    A replay plays on one host, with a cookie of its own: a long name becomes a short one, and what is about
    other hosts or the cookie is left out.
    """
    words: list[str] = []
    if options.node is not None:
        words += ["--sname", options.node.name, *options.node.words(_REPLAYED)]
    with contextlib.suppress(OSError):  # the current directory is gone
        project = os.path.relpath(options.directory, place)
        words += ["-S", project] if project != "." else []
    return " ".join(["$ pyx", *(_quoted(word) for word in words)])


def _quoted(word: str) -> str:
    """As `shell_lines.py` reads it, which knows no escapes."""
    if _PLAIN.fullmatch(word):
        return word
    return f"'{word}'" if "'" not in word else f'"{word}"'


def _starts_alike(options: ShellOptions) -> bool:
    """True if a replay's node, on one host and with a cookie of its own, says the same when it starts."""
    node = options.node
    return node is None or not (node.long or node.cookie or node.cookie_file or node.seeds)
