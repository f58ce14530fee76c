"""The home directory of the user; containers run users that are not in `/etc/passwd`."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def home_directory() -> Path | None:
    """Returns `$HOME`, else the home in the password database; None where neither is an absolute path."""
    home = os.environ.get("HOME")
    if not home:
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    path = Path(home)
    return path if path.is_absolute() else None
