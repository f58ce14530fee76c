"""Another revision of pyx, unpacked from git into a temporary directory."""

from __future__ import annotations

import compileall
import contextlib
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]


class NoSuchRevision(Exception):
    """git does not know it, or it has no `pyx/`."""


def short_name(revision: str) -> str:
    """The abbreviated commit of *revision*.

    Raises:
        NoSuchRevision: git does not know it, or this tree is not a checkout.
    """
    asked = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "--short", "--verify", "--quiet", f"{revision}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode != 0:
        raise NoSuchRevision(f"git knows no revision {revision!r} of {ROOT}")
    return asked.stdout.strip()


@contextlib.contextmanager
def unpacked(revision: str) -> Iterator[Path]:
    """Yields a directory that has the `pyx/` of that revision, compiled, and nothing else of it."""
    commit = short_name(revision)
    with tempfile.TemporaryDirectory(prefix="pyx-bench-") as folder:
        archive = subprocess.run(
            ["git", "-C", ROOT, "archive", commit, "pyx"], capture_output=True, check=False
        )
        if archive.returncode != 0:
            raise NoSuchRevision(f"{revision} has no pyx/: {archive.stderr.decode().strip()}")
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        compileall.compile_dir(folder, quiet=2)
        yield Path(folder)
