"""Runs pytest in a child process, without the variables by which a machine changes what pytest writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OF_THE_MACHINE: Final = (
    *("CI", "BUILD_NUMBER", "GITHUB_", "PYTEST_"),
    *("PY_COLORS", "NO_COLOR", "FORCE_COLOR", "COLUMNS"),
)
"""Beginnings of the names of variables by which pytest writes more, less, or in colours."""

WITHOUT: Final = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio")
"""Plugins that the tests in the child process do not use, and whose import takes half of its time."""


def run_pytest(
    folder: str | Path, *words: str, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Runs `pytest -q` with these words in *folder*, to its end; it finds pyx where this process does."""
    plain = {name: value for name, value in environment.items() if not name.startswith(OF_THE_MACHINE)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *WITHOUT, *words],
        cwd=folder,
        env={**plain, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
