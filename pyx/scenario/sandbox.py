"""The temporary directory of a session, so that sessions played at the same time never meet.

run/        the runtime directory of its nodes (a short path: a socket's holds about a hundred bytes)
home/       HOME, with the cookie
work/       the current directory: copies of the files beside the scenario, and the files it writes
logs/       stdout and stderr of each OS process
projects/   copies of the directories named by `-S` that are not beside the scenario
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.scenario.sandbox_copy import copy_all, is_foreign
from pyx.shell.loop import TRANSCRIPT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK: Final = "running"
PREFIX: Final = "pyx-"

_DROPPED: Final = (
    *("PYX_", "XDG_", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONINSPECT", "LC_", "LANG"),
    *("ERL_", "ELIXIR_", "IEX_", "MIX_"),
)
_MOST_CHARACTERS: Final = 32
"""The longest path of $TMPDIR: below a longer one (macOS's) a socket's path is too long, and /tmp is used."""


def parent_folder() -> Path:
    """Returns the directory in which the directories of sessions are made."""
    parent = tempfile.gettempdir()
    return Path(parent if len(parent) <= _MOST_CHARACTERS else "/tmp")  # noqa: S108 - mkdtemp makes it ours


class Sandbox:
    """The directory of one session.

    Args:
        folder: the directory of the scenario file.

    Raises:
        OSError: the sandbox cannot be made, or *folder* cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent_folder()))
        self._claim = SandboxClaim(self.root)
        for name in ("run", "home", "work", "logs"):
            (self.root / name).mkdir(mode=0o700)
        self.work = self.root / "work"
        self._folder = folder
        self._projects: dict[Path, str] = {}
        self.epmd_port: int | None = None
        """The port of the EPMD of its nodes; None while no node needs one."""
        self.left_out: list[str] = []
        """The files beside the scenario that were not copied, each with the reason."""
        try:
            self.left_out = copy_all(folder, self.work, _is_not_copied)
        except BaseException:
            self.remove()
            raise

    def environment(self) -> dict[str, str]:
        """Returns the `os.environ` of its nodes: the replay's, without settings that change what they do."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
        own_epmd = {"ERL_EPMD_PORT": str(self.epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        return kept | {
            **(own_epmd if self.epmd_port is not None else {}),
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
        """Returns the options of `pyx`; a project outside `work` is copied, and its path replaced.

        Raises:
            OSError: a project cannot be copied.
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
        """Writes a file below `work`; the file of that name beside the scenario stays as it is.

        Raises:
            OSError: the file cannot be written.
        """
        path = self.work / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        # Python compares a source's size and its time in whole seconds, and a scenario is quicker than that.
        Path(cache_from_source(str(path))).unlink(missing_ok=True)

    def log_path(self, name: str) -> Path:
        """Returns the path of a new log file for an incarnation of the node *name*."""
        base = name.partition("@")[0] or "unnamed"
        path = self.root / "logs" / f"{base}.log"
        number = 1
        while path.exists():
            number += 1
            path = self.root / "logs" / f"{base}-{number}.log"
        return path

    def keep(self) -> None:
        """Removes all but the logs, which a report names; kills the processes that its nodes started."""
        end_processes(self.root)
        for entry in self.root.iterdir():
            if entry.is_dir() and entry.name != "logs":
                shutil.rmtree(entry, ignore_errors=True)
        self._claim.release()

    def remove(self) -> None:
        """Removes the directory; kills the processes that its nodes started."""
        end_processes(self.root)
        shutil.rmtree(self.root, ignore_errors=True)
        self._claim.release()


class SandboxClaim:
    """The claim of this process on a sandbox; it ends with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        # Under another name first, so that the file is locked from the moment it has its name.
        unseen = folder / f".{MARK}"
        self._mark = folder / MARK
        self._descriptor = os.open(unseen, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        unseen.rename(self._mark)

    def release(self) -> None:
        """Ends the claim: the directory is kept, and `clear` ignores it."""
        self._mark.unlink(missing_ok=True)
        os.close(self._descriptor)


def is_claimed(entry: Path) -> bool:
    """Returns True for a claimed sandbox, whether its replay still runs or was killed."""
    try:
        return entry.name.startswith(PREFIX) and (entry / MARK).exists()
    except OSError:  # it belongs to another user
        return True


def clear_stale(parent: Path) -> None:
    """Removes the sandboxes in *parent* whose replay was killed, and kills the processes started there."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with contextlib.suppress(OSError):
                    _clear_one(Path(entry.path))


def _clear_one(folder: Path) -> None:
    found = folder.lstat()
    if found.st_uid != os.getuid() or not (folder / MARK).is_file():
        return
    descriptor = os.open(folder / MARK, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # its replay still runs
    finally:
        os.close(descriptor)
    end_processes(folder)
    shutil.rmtree(folder, ignore_errors=True)


def end_processes(folder: Path) -> None:
    """Kills every process of this user that was started in the sandbox *folder*; does nothing but on Linux.

    Such a process has its runtime directory below *folder*, or runs there without a terminal
    (`env -i setsid ...`).
    """
    others = (entry for entry in Path("/proc").glob("[0-9]*") if entry.name != str(os.getpid()))
    for entry in others:
        with contextlib.suppress(OSError):
            if _has_its_runtime_in(entry, folder) or _runs_without_a_terminal_in(entry, folder):
                os.kill(int(entry.name), signal.SIGKILL)


def _has_its_runtime_in(entry: Path, folder: Path) -> bool:
    setting = f"PYX_RUNTIME_DIR={folder}/".encode()
    return any(one.startswith(setting) for one in (entry / "environ").read_bytes().split(b"\0"))


def _runs_without_a_terminal_in(entry: Path, folder: Path) -> bool:
    if not (entry / "cwd").readlink().is_relative_to(folder.resolve()):
        return False
    _, _, after_the_name = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
    terminal = after_the_name.split()[4]
    return terminal == "0"


def _is_not_copied(entry: Path) -> bool:
    """Returns True for foreign entries, and for the sandboxes of sessions that are played."""
    return is_foreign(entry) or is_claimed(entry)
