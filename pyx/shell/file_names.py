"""The files and directories that the text of a string at the cursor may name."""

from __future__ import annotations

import ast
import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.net.home_directory import home_directory

if TYPE_CHECKING:
    from pyx.shell.input_scanner import InputScanner

_TAKES_PATH: Final = re.compile(
    r"(?:\w+\.)*(?:open|Path|PurePath|listdir|scandir|chdir|mkdir|rmdir|remove|unlink|stat|walk|exists|isfile"
    r"|isdir|read_csv|c|cd|ls|edit)$"
)
_IS_PATH: Final = re.compile(r"[~/]|\.{1,2}/|[^\s/]+/")


class FileNames(NamedTuple):
    """Each of `names` may replace the text from `start` to the cursor; a directory ends with a slash."""

    start: int
    names: list[str]


def file_names(scan: InputScanner) -> FileNames | None:
    """Returns what may stand in the string at the cursor; None if that does not look like a path.

    It does if it begins with `/`, `~` or `./`, if there is a slash in it, or if the string is the argument of
    a function such as `open`.
    """
    typed = scan.text[scan.quote_at :]
    takes_path = bool(scan.open) and _TAKES_PATH.match(scan.open[-1].callee) is not None
    if not takes_path and _IS_PATH.match(typed) is None:
        return None
    start = scan.quote_at + typed.rfind("/") + 1
    if typed == "~":
        return FileNames(scan.quote_at, ["~/"])
    folder = _read(typed[: typed.rfind("/") + 1], scan)
    beginning = _read(typed[typed.rfind("/") + 1 :], scan)
    if folder is None or beginning is None or "b" in scan.prefix:
        return None
    home = home_directory()
    if folder.startswith("~/") and home is not None:
        folder = f"{home}{folder[1:]}"
    names = [
        written
        for name in _listed(Path(folder or "."), beginning)
        if (written := _written(name, scan)) is not None
    ]
    return FileNames(start, names)


def _listed(folder: Path, beginning: str) -> list[str]:
    with contextlib.suppress(OSError, ValueError), os.scandir(folder) as entries:
        return [
            f"{entry.name}/" if entry.is_dir() else entry.name
            for entry in entries
            if entry.name.startswith(beginning) and (beginning or not entry.name.startswith("."))
        ]
    return []


def _read(typed: str, scan: InputScanner) -> str | None:
    """Returns the text that a part of a string means; None if that varies, or an escape is unfinished."""
    if "f" in scan.prefix:
        plain = typed.replace("{{", "").replace("}}", "")
        if "{" in plain or "}" in plain:
            return None
        typed = typed.replace("{{", "{").replace("}}", "}")
    if "\\" not in typed or "r" in scan.prefix:
        return typed
    try:
        text = ast.literal_eval(f"{scan.quote}{typed}{scan.quote}")
    except (SyntaxError, ValueError):
        return None
    return text if type(text) is str else None


def _written(name: str, scan: InputScanner) -> str | None:
    """Returns a name as it is written in the string; None if it cannot be."""
    quote = (scan.quote or "'")[0]
    if not name.isprintable():
        return None
    if "r" in scan.prefix:
        return None if quote in name else name
    if "f" in scan.prefix:
        name = name.replace("{", "{{").replace("}", "}}")
    return name.replace("\\", "\\\\").replace(quote, f"\\{quote}")
