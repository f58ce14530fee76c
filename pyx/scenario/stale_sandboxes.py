"""Claims on sandboxes, and the removal of those whose replay was killed; each replay does it at its start.

A replay holds `flock` on the file `running` in each of its sandboxes.  A sandbox whose file is not locked
belongs to a replay that was killed.  Its nodes end by themselves; processes that they started outside their
process group are found by their environment or their directory (on Linux).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
from pathlib import Path
from typing import Final

MARK: Final = "running"
PREFIX: Final = "pyx-"


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


def clear(parent: Path) -> None:
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
