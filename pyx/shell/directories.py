"""`ls()`, `cd()` and `pwd()`: the current directory of this operating-system process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pyx.errors import PyxError
from pyx.net.home_directory import home_directory


def listing(path: str, columns: int) -> str:
    """Returns the names in a directory, sorted and in columns; directories end with a slash.

    Args:
        path: a directory, or a file, which is listed alone.
        columns: of the terminal.

    Raises:
        OSError: it cannot be read.
    """
    place = expanded(path)
    if place.is_file():
        return place.name
    with os.scandir(place) as entries:
        names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    if not names:
        return ""
    width = max(map(len, names)) + 2
    across = max(columns // width, 1)
    down = -(-len(names) // across)
    lines = ["".join(f"{name:<{width}}" for name in names[row::down]).rstrip() for row in range(down)]
    return "\n".join(lines)


def changed_directory(path: str) -> str:
    """Makes a directory the current one of this operating-system process; returns its absolute path."""
    os.chdir(expanded(path))
    return current_directory()


def current_directory() -> str:
    """Returns the current directory.

    Raises:
        PyxError: it was deleted.
    """
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        raise PyxError("the current directory was deleted", hint='cd("~") goes to another one') from None


def expanded(path: Any) -> Path:
    """Returns a path with the home directory in the place of a first `~`.

    Raises:
        TypeError: *path* is not a str or a path.
        PyxError: this user has no home directory.
    """
    if not isinstance(path, (str, os.PathLike)):
        msg = f"a directory or file is named by a str, not by {path!r}"
        raise TypeError(msg)
    text = os.fspath(path)
    if text == "~" or text.startswith("~/"):
        home = home_directory()
        if home is None:
            raise PyxError("this user has no home directory", hint="give the whole path")
        return Path(f"{home}{text[1:]}")
    return Path(text)
