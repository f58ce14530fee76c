"""`[tool.pyx]` in a project's pyproject.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pyx.errors import PyxError

_FILE: Final = "pyproject.toml"


class ProjectFileInvalid(PyxError):
    """A project's pyproject.toml cannot be read, or says what has no meaning."""


def entry_of_project(directory: str, key: str) -> tuple[Path, Any] | None:
    """Returns the file, and what `[tool.pyx]` says under *key*; None if nothing does.

    Args:
        directory: of the project, as `pyx -S` names it.
        key: of the table; the table itself is returned if it is another value.

    Raises:
        ProjectFileInvalid: the file cannot be read.
    """
    path = Path(directory) / _FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise ProjectFileInvalid(msg, hint="--no-start leaves it unread") from None
    if b"pyx" not in data or key.encode() not in data:
        return None  # most projects; the parser of TOML takes a start longer than all of this
    import tomllib

    try:
        tool = tomllib.loads(data.decode()).get("tool")
    except ValueError as error:  # of its text, or of its encoding
        msg = f"{path} is not TOML: {error}"
        raise ProjectFileInvalid(msg, hint="mend it, or start with --no-start") from None
    table = tool.get("pyx") if isinstance(tool, dict) else None
    if table is None:
        return None
    found = table.get(key) if isinstance(table, dict) else table
    return None if found is None else (path, found)
