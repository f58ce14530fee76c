"""A host for a story: a home, a directory of node names, and the `pyx` commands that run there.

Nodes of two hosts do not find each other, so a story chooses its nodes' names freely.  A host ends all
processes that it has started, by pid.
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

PATIENCE_SECONDS: Final = 120.0
"""A guard against hanging, not a measurement."""

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"


class Host:
    """One user's host; a context manager."""

    def __init__(self) -> None:
        # Short, because the path of a unix socket has at most about 100 bytes.
        self._root = Path(tempfile.mkdtemp(prefix="pyx-", dir="/tmp"))
        self.home = self._root / "home"
        self.names = self._root / "run"
        self.home.mkdir()
        self._shells: list[Shell] = []

    def shell(self, name: str | None = None, *words: str, cwd: Path | None = None, **variables: str) -> Shell:
        """Starts the node *name*`@vm` (None: unnamed); returns its shell at the first prompt."""
        shell = self.starts(*(("--sname", f"{name}@vm") if name else ()), *words, cwd=cwd, **variables)
        shell.prompt_returns()
        return shell

    def starts(self, *words: str, cwd: Path | None = None, **variables: str) -> Shell:
        """Starts `pyx` with these words at a terminal; does not wait for a prompt."""
        return self.starts_command([PYX, *words], cwd=cwd, **variables)

    def starts_at(self, columns: int, *words: str) -> Shell:
        """Starts `pyx` with these words at a terminal of *columns*."""
        return self._keep(Shell(self, [PYX, *words], self.environment(), str(self.home), columns))

    def starts_command(self, command: list[str], cwd: Path | None = None, **variables: str) -> Shell:
        """Starts a command that executes `pyx` at a terminal."""
        return self._keep(Shell(self, command, self.environment(**variables), str(cwd or self.home)))

    def _keep(self, shell: Shell) -> Shell:
        self._shells.append(shell)
        return shell

    def run(
        self, *words: str, stdin: str = "", cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs `pyx` with these words, without a terminal, to its end."""
        return self.run_command([PYX, *words], stdin=stdin, cwd=cwd, **variables)

    def run_in_sh(
        self, line: str, *words: str, cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a line of `sh`, with `pyx` as `"$0"` and *words* as `"$@"`: for redirections and limits."""
        return self.run_command(["sh", "-c", line, PYX, *words], cwd=cwd, **variables)

    def run_command(
        self, command: list[str], *, stdin: str = "", cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs any command on this host, to its end."""
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
        """Returns the environment of a new process of this host."""
        left_out = ("PYX_", "XDG_", "ERL_", "PYTHON", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(left_out)},
            "HOME": str(self.home),
            "PYX_RUNTIME_DIR": str(self.names),
            "PROMPT_TOOLKIT_NO_CPR": "1",
            "TERM": "xterm-256color",
            **variables,
        }

    def cookie_file(self, name: str, text: str) -> str:
        """Writes a file with a cookie in the home, readable for its owner alone; returns its name."""
        (self.home / name).write_text(f"{text}\n")
        (self.home / name).chmod(0o600)
        return name

    def pump_until(self, happened: Callable[[], bool]) -> None:
        """Draws the output of all shells until *happened*, at most for `PATIENCE_SECONDS`."""
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
