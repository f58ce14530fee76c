"""The directories of a user's own files, by the XDG base directory specification."""

from __future__ import annotations

import os
from pathlib import Path

from pyx.net.home_directory import home_directory


def config_directory() -> Path | None:
    """Returns `$XDG_CONFIG_HOME/pyx`, else `~/.config/pyx`; None if there is no home."""
    return _directory("XDG_CONFIG_HOME", ".config")


def state_directory() -> Path | None:
    """Returns `$XDG_STATE_HOME/pyx`, else `~/.local/state/pyx`; None if there is no home."""
    return _directory("XDG_STATE_HOME", ".local/state")


def _directory(variable: str, below_home: str) -> Path | None:
    given = os.environ.get(variable)
    if given and os.path.isabs(given):  # noqa: PTH117 - XDG asks to ignore a relative path
        return Path(given) / "pyx"
    home = home_directory()
    return home / below_home / "pyx" if home is not None else None
