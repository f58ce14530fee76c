"""`[tool.pyx] application` in a project's pyproject.toml: what is started before the first prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pyx.errors import PyxError

_FILE: Final = "pyproject.toml"


class ProjectFileInvalid(PyxError):
    """A project's pyproject.toml cannot be read, or names no application."""


def declared_application(directory: str) -> str | None:
    """Returns what `application` says, as `"shop:application"`; None if nothing does.

    Args:
        directory: of the project, as `pyx -S` names it.

    Raises:
        ProjectFileInvalid: the file cannot be read, or what stands there has another form.
    """
    path = Path(directory) / _FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise ProjectFileInvalid(msg, hint="--no-start leaves it unread") from None
    if b"pyx" not in data or b"application" not in data:
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
    found = table.get("application") if isinstance(table, dict) else table
    if found is None:
        return None
    module, colon, function = found.partition(":") if isinstance(found, str) else ("", "", "")
    if not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        msg = f"{path}: application in [tool.pyx] is {found!r}, and not a module and a function"
        raise ProjectFileInvalid(msg, hint='application = "shop:application"')
    assert isinstance(found, str)
    return found
