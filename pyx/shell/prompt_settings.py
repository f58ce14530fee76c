"""The settings of a prompt: `preload`, `theme`, `editing-mode`, `switch-interval`.

They stand in `[tool.pyx]` of a project's pyproject.toml and, without a table, in the user's config.toml.  A
wrong entry costs a warning, and counts as absent: the prompt comes all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.close_words import close_word
from pyx.shell.settings_files import SettingsFileInvalid, project_table, user_table
from pyx.shell.shell_options import Settings
from pyx.shell.theme import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pyx.shell.settings_files import SettingsTable

EDITING_MODES: Final = ("emacs", "vi")
SHORTEST_INTERVAL: Final = 1e-6
LONGEST_INTERVAL: Final = 1.0

PROJECT_ENTRIES: Final = ("application", "cluster")
"""The entries that a project alone may have."""


def read_settings(
    directory: str | None, user_file: Path | None, warn: Callable[[str], None]
) -> tuple[SettingsTable | None, Settings]:
    """Reads the files of settings; returns `[tool.pyx]` of the project, and the settings of both.

    Args:
        directory: of the project; None: its file is not read.
        user_file: the user's config.toml; None: it is not read.
        warn: see `settings_of`.

    Raises:
        SettingsFileInvalid: the project's file cannot be read (what its code needs may stand there).
    """
    project = None if directory is None else project_table(directory)
    try:
        user = None if user_file is None else user_table(user_file)
    except SettingsFileInvalid as invalid:
        user = None
        warn(str(invalid))
    return project, settings_of(project, user, warn)


def settings_of(
    project: SettingsTable | None, user: SettingsTable | None, warn: Callable[[str], None]
) -> Settings:
    """Returns the settings in the two tables.

    What is a matter of taste (`theme`, `editing-mode`) the user decides, what belongs to the code
    (`switch-interval`) the project.  The modules of both are loaded, the user's first.

    Args:
        project: `[tool.pyx]`; None: there is none.
        user: of config.toml.
        warn: called with one sentence about each wrong entry.
    """
    ours = {} if project is None else _checked(project, warn)
    users = {} if user is None else _checked(user, warn)
    default = Settings()
    return Settings(
        preload=(*users.get("preload", ()), *ours.get("preload", ())),
        theme={**ours, **users}.get("theme", default.theme),
        editing_mode={**ours, **users}.get("editing-mode", default.editing_mode),
        switch_interval={**users, **ours}.get("switch-interval"),
    )


def _checked(table: SettingsTable, warn: Callable[[str], None]) -> dict[str, Any]:
    """Returns the valid entries; those of `PROJECT_ENTRIES` are checked where they are used."""
    valid: dict[str, Any] = {}
    for key, value in table.entries.items():
        if key in _CHECKS:
            is_valid, allowed = _CHECKS[key]
            if is_valid(value):
                valid[key] = value
            else:
                warn(f"{table.where} {key} is {value!r}, and not {allowed}{_guess(value, key)}")
        elif key not in PROJECT_ENTRIES:
            names = [*_CHECKS, *(() if table.is_users else PROJECT_ENTRIES)]
            warn(
                f"{table.where} has no entry {key!r}{_nearest(key, names) or f': known are {_listed(names)}'}"
            )
        elif table.is_users:
            warn(f"{table.where} {key} belongs in [tool.pyx] of a project's pyproject.toml")
    return valid


def _is_list_of_modules(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(name, str) and all(part.isidentifier() for part in name.split(".")) for name in value
    )


def _is_interval(value: Any) -> bool:
    return type(value) in {int, float} and SHORTEST_INTERVAL <= value <= LONGEST_INTERVAL


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


_CHOICES: Final[dict[str, tuple[str, ...]]] = {"theme": tuple(THEMES), "editing-mode": EDITING_MODES}

_CHECKS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "preload": (_is_list_of_modules, 'a list of names of modules, as ["math", "shop.stock"]'),
    "theme": (lambda value: value in _CHOICES["theme"], f"one of {_listed(THEMES)}"),
    "editing-mode": (lambda value: value in EDITING_MODES, f"one of {_listed(EDITING_MODES)}"),
    "switch-interval": (_is_interval, "a number of seconds from 0.000001 to 1"),
}
"""Entry -> whether a value is valid, and what is."""


def _guess(value: Any, key: str) -> str:
    return _nearest(value, _CHOICES[key]) if isinstance(value, str) and key in _CHOICES else ""


def _nearest(word: str, among: Iterable[str]) -> str:
    meant = close_word(word.lower().replace("_", "-"), among)
    return "" if meant is None else f": did you mean {meant!r}?"
