"""Where a scenario plays: a temporary directory of its own, with the HOME, cookie and working folder of its
nodes, so that scenarios played side by side never meet.

    run/    where its nodes find each other (a short path: a socket's holds about a hundred bytes)
    home/   HOME, and so the cookie
    work/   the current directory: a copy of what lies beside the scenario file, and the files it writes
    logs/   what each OS process wrote to its own stdout and stderr
    projects/   copies of the directories named by `-S` that do not lie beside the scenario file

Not here: the OS processes (`node_process.py`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.scenario import stale_sandboxes
from pyx.scenario.sandbox_copy import copy_all, is_foreign
from pyx.shell.loop import TRANSCRIPT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

_DROPPED: Final = ("PYX_", "XDG_", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONINSPECT", "LC_", "LANG")
_MOST_CHARACTERS: Final = 32
"""Of the path of $TMPDIR: below a longer one (macOS's own) a socket finds no room, and /tmp is taken."""


def parent_folder() -> Path:
    """Where the directories of sessions are made."""
    parent = tempfile.gettempdir()
    return Path(parent if len(parent) <= _MOST_CHARACTERS else "/tmp")  # noqa: S108 - mkdtemp makes it ours


class Sandbox:
    """The directory of one session.

    Args:
        folder: where the scenario file lies.

    Raises:
        OSError: the directory cannot be made, or the folder cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.root = Path(tempfile.mkdtemp(prefix=stale_sandboxes.PREFIX, dir=parent_folder()))
        self._claim = stale_sandboxes.SandboxClaim(self.root)
        for name in ("run", "home", "work", "logs"):
            (self.root / name).mkdir(mode=0o700)
        self.work = self.root / "work"
        self._folder = folder
        self._projects: dict[Path, str] = {}
        self.left_out: list[str] = []
        """What lies beside the scenario and was not copied, with the reason."""
        try:
            self.left_out = copy_all(folder, self.work, _is_not_copied)
        except BaseException:
            self.remove()
            raise

    def environment(self) -> dict[str, str]:
        """What its nodes find in `os.environ`: the runner's own, less what would make a difference."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
        return kept | {
            "HOME": str(self.root / "home"),
            "PYX_RUNTIME_DIR": str(self.root / "run"),
            "PYTHONHASHSEED": "0",
            "PYTHONUTF8": "1",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "COLUMNS": str(TRANSCRIPT_COLUMNS),
        }

    def with_projects(self, options: Sequence[str]) -> list[str]:
        """The options of `pyx`, where a project that is not in `work` is a copy as well.

        Raises:
            OSError: it cannot be copied.
        """
        words = list(options)
        for at in range(1, len(words)):
            if words[at - 1] == "-S":
                words[at] = self._project(words[at])
        return words

    def _project(self, directory: str) -> str:
        path = Path(os.path.normpath(self._folder / directory))
        if path.is_relative_to(os.path.normpath(self._folder)) or not path.is_dir():
            return directory
        if path not in self._projects:
            copy = self.root / "projects" / str(len(self._projects) + 1)
            copy.mkdir(parents=True)
            self.left_out += copy_all(path, copy, _is_not_copied)
            self._projects[path] = str(copy)
        return self._projects[path]

    def write(self, file: str, text: str) -> None:
        """Writes a file of the scenario's; what lies beside the scenario under that name stays as it is.

        Raises:
            OSError: it cannot be written.
        """
        path = self.work / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        # Python tells a changed source by its size and whole seconds, and a scenario is quicker than that.
        Path(cache_from_source(str(path))).unlink(missing_ok=True)

    def log_path(self, name: str) -> Path:
        """A new log file for a node of that name."""
        base = name.partition("@")[0] or "unnamed"
        path = self.root / "logs" / f"{base}.log"
        number = 1
        while path.exists():
            number += 1
            path = self.root / "logs" / f"{base}-{number}.log"
        return path

    def keep(self) -> None:
        """Leaves the logs to the reader of a report; all else goes, with what its nodes have started."""
        stale_sandboxes.end_processes(self.root)
        for entry in self.root.iterdir():
            if entry.is_dir() and entry.name != "logs":
                shutil.rmtree(entry, ignore_errors=True)
        self._claim.give_up()

    def remove(self) -> None:
        """Takes it all away, with what its nodes have started."""
        stale_sandboxes.end_processes(self.root)
        shutil.rmtree(self.root, ignore_errors=True)
        self._claim.give_up()


def _is_not_copied(entry: Path) -> bool:
    """True for what is foreign, and for the directories of sessions that play at this time."""
    return is_foreign(entry) or stale_sandboxes.is_claimed(entry)
