"""What comes before the first prompt: settings are read, modules imported, start files run.

Most users have none of these, so what handles them is imported where there is something to handle.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyx.execution import thread_state
from pyx.shell.interception import interception
from pyx.shell.shell_options import Settings
from pyx.shell.standard_streams import warn
from pyx.shell.user_directories import config_directory

if TYPE_CHECKING:
    from pyx.runtime.shell_process import ShellProcess
    from pyx.shell.evaluate import Evaluator
    from pyx.shell.loop import Terminal
    from pyx.shell.settings_files import SettingsTable
    from pyx.shell.shell_options import ShellOptions


def settings_for(options: ShellOptions, *, is_interactive: bool) -> tuple[SettingsTable | None, Settings]:
    """Returns the project's table, if there is one and it counts, and the settings of the prompt.

    Args:
        options: of the command line.
        is_interactive: True if a prompt is shown.

    Raises:
        SettingsFileInvalid: the project's file cannot be read.
    """
    is_service = not options.halt
    project = user = None
    if options.reads_project and (options.node is not None or is_interactive or is_service):
        project = options.directory if _is_file(f"{options.directory}/pyproject.toml") else None
    if is_interactive and options.driver is None:
        user = users_settings_file()
    if project is None and user is None:
        return None, Settings()
    from pyx.shell.prompt_settings import read_settings

    # A program is not told of settings that it does not use.
    return read_settings(project, user, warn if is_interactive or is_service else lambda _: None)


def users_settings_file() -> Path | None:
    """Returns the user's `config.toml`, if there is one."""
    directory = config_directory()
    return directory / "config.toml" if directory and _is_file(directory / "config.toml") else None


def _is_file(path: str | Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - raises nothing if a permission is missing


def prepare_prompt(
    options: ShellOptions,
    settings: Settings,
    evaluator: Evaluator,
    terminal: Terminal,
    process: ShellProcess,
) -> None:
    """Imports and runs what user and project want before the first prompt of this node.

    Args:
        options: of the command line.
        settings: of the prompt.
        evaluator: has the names of the prompt.
        terminal: shows what comes of it.
        process: the shell's.
    """
    if options.remsh is not None:
        return
    if settings.preload:
        from pyx.shell.preload import preload

        preload(settings.preload, evaluator, warn)
    files = start_files(options)
    if not files:
        return
    from pyx.shell.start_files import StartFile, StartFiles, kept_answers

    def ask(question: str) -> str:
        interception.keep_typed_ahead()  # a line that was typed before the question does not answer it
        # Written before: a Ctrl-C that is raised inside output, which `input` may be writing, can be lost.
        process.run(sys.stdout.write, question)
        process.finish_line(newline=False)
        with thread_state.interruptible():
            line: str = process.run(sys.stdin.readline)
        if not line:
            raise EOFError
        if interception.line_was_ended is not None:
            interception.line_was_ended()
        return line

    prompt = StartFiles(evaluator, terminal, ask, process.finish_line, warn, kept_answers())
    for path, is_asked in files:
        prompt.run(StartFile(path, is_asked))


def start_files(options: ShellOptions) -> list[tuple[Path, bool]]:
    """Returns the start files of a prompt that exist, each with whether it is asked about.

    None run where a replay would not have them, or after a program; in a pipe only a named one does.
    """
    if options.has_program or not options.runs_start_files:
        return []
    if options.start_file is not None:
        return [(Path(options.start_file), False)]
    is_replayed = options.driver is not None or options.recorder is not None
    if is_replayed or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return []
    directory = config_directory()
    files = [] if directory is None else [(directory / "start.py", False)]
    files.append((Path(options.directory, ".pyx.py").absolute(), True))
    return [(path, is_asked) for path, is_asked in files if os.path.lexists(path)]
