"""The user's answers to whether the start file of a project may run, by its path and its content.

They are kept in a file of lines `yes DIGEST "PATH"`, for its owner alone (0600), replaced as a whole.  Of two
shells that are answered at the same moment one answer may be lost: then its question is asked again.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.shell.atomic_files import write_whole
from pyx.shell.own_file import FileNotOwn, read_own_file

if TYPE_CHECKING:
    from pathlib import Path

MOST_ANSWERS: Final = 1000
"""The newest are kept."""


class AnswersNotKept(PyxError):
    """The file of the answers cannot be used or written."""


class StartFileAnswers:
    """The answers in the file at *path*; None: there is no home directory, and nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def answer(self, file: str, content: bytes) -> bool | None:
        """Returns what was answered for *content* at *file*; None if nothing was.

        Raises:
            AnswersNotKept: other users can read or write the file of the answers, or it cannot be read.
        """
        key = _key(file, content)
        for line in reversed(self._lines()):
            said, _, rest = line.partition(" ")
            if rest == key:
                return said == "yes"
        return None

    def knows(self, file: str) -> bool:
        """True if an answer was given for another content of *file*; see `answer`."""
        return any(line.endswith(f" {json.dumps(file)}") for line in self._lines())

    def keep(self, file: str, content: bytes, *, allowed: bool) -> None:
        """Keeps an answer.

        Raises:
            AnswersNotKept: see `answer`; or the file cannot be written.
        """
        if self._path is None:
            raise AnswersNotKept("there is no home directory for it")
        key = _key(file, content)
        lines = [line for line in self._lines() if line.partition(" ")[2] != key]
        lines = [*lines, f"{'yes' if allowed else 'no'} {key}"][-MOST_ANSWERS:]
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, "".join(f"{line}\n" for line in lines).encode(), new_mode=0o600)
        except OSError as error:
            msg = f"{self._path}: {error.strerror}"
            raise AnswersNotKept(msg) from None

    def _lines(self) -> list[str]:
        if self._path is None:
            return []
        try:
            return read_own_file(self._path, private=True).decode(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except FileNotOwn as unsafe:
            msg = f"{self._path}: {unsafe}"
            raise AnswersNotKept(msg, hint=unsafe.hint) from None
        except OSError as error:
            msg = f"{self._path}: {error.strerror}"
            raise AnswersNotKept(msg) from None


def _key(file: str, content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()} {json.dumps(file)}"
