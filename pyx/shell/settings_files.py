"""The two files of settings: `[tool.pyx]` of a project's pyproject.toml, and the user's config.toml.

Here they are read.  What an entry means: `declared_application.py`, `declared_cluster.py`,
`prompt_settings.py`, which knows the names of all entries.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pyx.errors import PyxError

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsFileInvalid(PyxError):
    """A file of settings cannot be read, or says what has no meaning."""


class SettingsTable(NamedTuple):
    """The entries of one of the two files.

    Attributes:
        path: of the file.
        entries: those of the table.
        is_users: True for the user's own file, whose entries stand at its top.
    """

    path: Path
    entries: Mapping[str, Any]
    is_users: bool = False

    @property
    def where(self) -> str:
        """The beginning of a sentence about an entry: the file, and the table in it."""
        return f"{self.path}:" if self.is_users else f"{self.path}: [tool.pyx]"


def project_table(directory: str) -> SettingsTable | None:
    """Returns `[tool.pyx]` of a project; None if it has none.

    Args:
        directory: of the project, as `pyx -S` names it.

    Raises:
        SettingsFileInvalid: the file cannot be read, or is not TOML.
    """
    path = Path(directory) / "pyproject.toml"
    leave_out = "start with --no-start"
    data = _read(path, leave_out)
    # Most projects have none; the parser of TOML takes a start longer than all of this.
    if data is None or b"pyx" not in data.replace(b"pyxnode", b""):
        return None
    tool = _parsed(data, path, leave_out).get("tool")
    table = tool.get("pyx") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        msg = f"{path}: [tool.pyx] is {table!r}, and not a table"
        raise SettingsFileInvalid(msg, hint='[tool.pyx] and below it application = "shop:application"')
    return SettingsTable(path, table)


def user_table(path: Path) -> SettingsTable | None:
    """Returns the entries of the user's config.toml at *path*; None if there is no such file.

    Raises:
        SettingsFileInvalid: the file cannot be read, or is not TOML.
    """
    data = _read(path, f"move it away: mv {path} {path}.old")
    return None if data is None else SettingsTable(path, _parsed(data, path, None), is_users=True)


def _read(path: Path, otherwise: str) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise SettingsFileInvalid(msg, hint=f"mend it, or {otherwise}") from None


def _parsed(data: bytes, path: Path, otherwise: str | None) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except ValueError as error:  # of its text, or of its encoding
        msg = f"{path} is not TOML: {error}"
        raise SettingsFileInvalid(msg, hint=f"mend it, or {otherwise}" if otherwise else "mend it") from None
