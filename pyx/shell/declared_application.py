"""`[tool.pyx] application` in a project's pyproject.toml: what is started before the first prompt."""

from __future__ import annotations

from pyx.shell.project_file import ProjectFileInvalid, entry_of_project


def declared_application(directory: str) -> str | None:
    """Returns what `application` says, as `"shop:application"`; None if nothing does.

    Args:
        directory: of the project, as `pyx -S` names it.

    Raises:
        ProjectFileInvalid: the file cannot be read, or what stands there has another form.
    """
    entry = entry_of_project(directory, "application")
    if entry is None:
        return None
    path, found = entry
    module, colon, function = found.partition(":") if isinstance(found, str) else ("", "", "")
    if not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        msg = f"{path}: application in [tool.pyx] is {found!r}, and not a module and a function"
        raise ProjectFileInvalid(msg, hint='application = "shop:application"')
    assert isinstance(found, str)
    return found
