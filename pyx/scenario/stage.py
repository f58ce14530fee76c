"""Where a scenario plays: a temporary directory of its own, with the HOME, cookie and working folder of its
nodes, so that scenarios played side by side never meet.

    run/    where its nodes find each other (a short path: a socket's holds about a hundred bytes)
    home/   HOME, and so the cookie
    work/   the current directory: what lies beside the scenario file, as links, and the files it writes
    logs/   what each OS process wrote to its own stdout and stderr

Not here: the OS processes (`nodes.py`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

from pyx.shell.frames import WIDTH

_DROPPED: Final = ("PYX_", "XDG_", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONINSPECT", "LC_", "LANG")
_MOST_CHARACTERS: Final = 32
"""Of the path of $TMPDIR: below a longer one (macOS's own) a socket finds no room, and /tmp is taken."""


def is_foreign(entry: Path) -> bool:
    """True for what lies in a directory and is not the work of its author.

    That is what is hidden, compiled modules, packages of node, and virtual environments.
    """
    if entry.name.startswith((".", "__pycache__")) or entry.name == "node_modules":
        return True
    with contextlib.suppress(OSError):  # it may not be entered
        return (entry / "pyvenv.cfg").exists()
    return False


class Stage:
    """The directory of one session.  Args: folder: where the scenario file lies."""

    def __init__(self, folder: Path) -> None:
        parent = tempfile.gettempdir()
        self.root = Path(
            tempfile.mkdtemp(prefix="pyx-", dir=parent if len(parent) <= _MOST_CHARACTERS else "/tmp")  # noqa: S108 - mkdtemp makes it ours
        )
        for name in ("run", "home", "work", "logs"):
            (self.root / name).mkdir(mode=0o700)
        self.work = self.root / "work"
        for entry in folder.iterdir():
            if not entry.name.startswith((".", "__pycache__")):
                (self.work / entry.name).symlink_to(entry.resolve())

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
            "COLUMNS": str(WIDTH),
        }

    def write(self, file: str, text: str) -> None:
        """Writes a file of the scenario's; what lies beside the scenario under that name stays as it is."""
        path = self.work
        *folders, name = file.split("/")
        for folder in folders:
            path /= folder
            if path.is_symlink():
                source = path.resolve()
                path.unlink()
                shutil.copytree(source, path)
            path.mkdir(exist_ok=True)
        path /= name
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

    def remove(self) -> None:
        """Takes it all away."""
        shutil.rmtree(self.root, ignore_errors=True)
