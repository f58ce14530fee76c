"""`[tool.pyx] application` in a project's pyproject.toml: what is started before the first prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.shell.settings_files import SettingsFileInvalid

if TYPE_CHECKING:
    from pyx.shell.settings_files import SettingsTable


def declared_application(table: SettingsTable) -> str | None:
    """Returns what `application` says, as `"shop:application"`; None if nothing does.

    Args:
        table: `[tool.pyx]` of the project.

    Raises:
        SettingsFileInvalid: what stands there has another form.
    """
    found = table.entries.get("application")
    if found is None:
        return None
    module, colon, function = found.partition(":") if isinstance(found, str) else ("", "", "")
    if not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        msg = f"{table.path}: application in [tool.pyx] is {found!r}, and not a module and a function"
        raise SettingsFileInvalid(msg, hint='application = "shop:application"')
    assert isinstance(found, str)
    return found
