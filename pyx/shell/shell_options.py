"""What `pyx` is started with: the options of its command line as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.options import NodeOptions
    from pyx.shell.record_hooks import RecordHooks


class Settings(NamedTuple):
    """The settings of a prompt; see `prompt_settings.py` for the files that they stand in."""

    preload: tuple[str, ...] = ()
    """Modules that are imported before the first prompt."""
    theme: str = "both"
    """One of `theme.THEMES`."""
    editing_mode: str = "emacs"
    """Whose keys the editor has: `"emacs"` or `"vi"`."""
    switch_interval: float | None = None
    """Of the interpreter, in seconds; None: pyx's own."""


class ShellOptions(NamedTuple):
    """The options of one run; each is described by `pyx --help`."""

    node: NodeOptions | None = None
    """None: the shell is a node without a name."""
    directory: str = "."
    code: Sequence[str] = ()
    """What runs before anything else of a program (`-e`)."""
    command: str | None = None
    """Runs after that (`-c`)."""
    file: str | None = None
    module: str | None = None
    """The module that runs as the program (`-m`)."""
    argv: Sequence[str] = ("",)
    """`sys.argv` of the program."""
    required: Sequence[str] = ()
    """The files that are loaded as modules before anything else runs (`-r`)."""
    stay: bool = False
    halt: bool = True
    start: bool = True
    """False: the application that the project declares is not started, nor its cluster joined."""
    start_file: str | None = None
    """Runs in place of the user's and the project's start file."""
    runs_start_files: bool = True
    driver: tuple[int, int] | None = None
    """The descriptors on which a runner drives the shell (see `driver.py`)."""
    remsh: str | None = None
    """The node that the first prompt is attached to."""
    rpc_eval: tuple[str, str] | None = None
    """A node, and what to evaluate there instead of showing a prompt."""
    recorder: RecordHooks | None = None
    """Called with everything that is typed and shown (`--record`)."""

    @property
    def has_program(self) -> bool:
        """True if code, a file or a module runs before (or instead of) a prompt."""
        return bool(self.code) or not (self.command is self.file is self.module is None)

    @property
    def starts_application(self) -> bool:
        """True if the project's application is started, where there is a prompt or a service to use it."""
        return self.start and not self.has_program and self.remsh is None and self.rpc_eval is None

    @property
    def reads_project(self) -> bool:
        """True if the settings in the project's pyproject.toml count."""
        return self.start and self.remsh is None and self.rpc_eval is None
