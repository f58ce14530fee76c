"""A host of its own for a story: a home, a directory of names, and the `pyx` commands that run there.

Two hosts know nothing of each other, so a story chooses its nodes' names freely.  Whatever a host started it
ends, by pid.  Not here: the terminal (`terminal.py`).
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.stories.terminal import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

PYX: Final = str(Path(sysconfig.get_path("scripts"), "pyx"))
"""The installed command: `python -m pyx` would put the current directory before the standard library."""

PATIENCE_SECONDS: Final = 20.0
"""A guard against hanging; nothing is measured by it."""

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"


class Host:
    """One user's host; a context manager."""

    def __init__(self) -> None:
        # Short, because a path of a unix socket holds little more than 100 bytes.
        self._root = Path(tempfile.mkdtemp(prefix="pyx-"))
        self.home = self._root / "home"
        self.names = self._root / "run"
        self.home.mkdir()
        self._shells: list[Shell] = []

    def shell(self, name: str | None = None, *words: str, cwd: Path | None = None, **variables: str) -> Shell:
        """A shell at its first prompt, as the node *name*`@vm` (None: unnamed)."""
        shell = self.starts(*(("--sname", f"{name}@vm") if name else ()), *words, cwd=cwd, **variables)
        shell.prompt_returns()
        return shell

    def starts(self, *words: str, cwd: Path | None = None, **variables: str) -> Shell:
        """`pyx` with these words at a terminal, not waited for."""
        return self.starts_command([PYX, *words], cwd=cwd, **variables)

    def starts_at(self, columns: int, *words: str) -> Shell:
        """The same at a terminal with so many columns."""
        return self._keep(Shell(self, [PYX, *words], self.environment(), str(self.home), columns))

    def starts_command(self, command: list[str], cwd: Path | None = None, **variables: str) -> Shell:
        """The same by a command that leads to `pyx`."""
        return self._keep(Shell(self, command, self.environment(**variables), str(cwd or self.home)))

    def _keep(self, shell: Shell) -> Shell:
        self._shells.append(shell)
        return shell

    def run(
        self, *words: str, stdin: str = "", cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`pyx` with these words and no terminal, to its end."""
        return self.run_command([PYX, *words], stdin=stdin, cwd=cwd, **variables)

    def run_in_sh(
        self, line: str, *words: str, cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """A line of `sh` in which `"$0"` is `pyx` and `"$@"` are these words: for redirections and limits."""
        return self.run_command(["sh", "-c", line, PYX, *words], cwd=cwd, **variables)

    def run_command(
        self, command: list[str], *, stdin: str = "", cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Any command of this host, to its end."""
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment(**variables),
            cwd=cwd or self.home,
            timeout=3 * PATIENCE_SECONDS,
            check=False,
        )

    def environment(self, **variables: str) -> dict[str, str]:
        """What a new process of this host finds."""
        strange = ("PYX_", "XDG_", "ERL_", "PYTHON", "NO_COLOR", "COLUMNS", "LINES")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(strange)},
            "HOME": str(self.home),
            "PYX_RUNTIME_DIR": str(self.names),
            "PROMPT_TOOLKIT_NO_CPR": "1",
            "TERM": "xterm-256color",
            **variables,
        }

    def cookie_file(self, name: str, text: str) -> str:
        """A file in the home that holds a cookie, for its owner alone; returns its name."""
        (self.home / name).write_text(f"{text}\n")
        (self.home / name).chmod(0o600)
        return name

    def pump_until(self, happened: Callable[[], bool]) -> None:
        """Draws what comes to any of the shells until *happened*, or until that takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened() and time.monotonic() < deadline:
            open_shells = {shell.descriptor: shell for shell in self._shells if shell.descriptor is not None}
            for descriptor in select.select(list(open_shells), [], [], 0.05)[0]:
                open_shells[descriptor].read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for shell in self._shells:
            shell.close()
        shutil.rmtree(self._root, ignore_errors=True)
