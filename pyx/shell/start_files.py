"""The start files, whose names a prompt begins with: the user's `start.py`, a project's `.pyx.py`.

A project may come from anywhere, so its file runs only after a question, once for each content.  The bytes
that were asked about are those that run.  An error is shown, and the prompt comes all the same.
"""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import PyxError
from pyx.execution import context
from pyx.execution.tracebacks import traceback_of
from pyx.printable import on_one_line
from pyx.shell.evaluate import ExitRequested, StatementRaised
from pyx.shell.loop import show_outcome
from pyx.shell.own_file import FileNotOwn, read_own_file
from pyx.shell.program import decoded
from pyx.shell.start_file_answers import AnswersNotKept, StartFileAnswers
from pyx.shell.user_directories import state_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyx.shell.evaluate import Evaluator, Outcome
    from pyx.shell.loop import Terminal

_LONGEST_PATH: Final = 4096


class StartFile(NamedTuple):
    """One start file.

    Attributes:
        path: of the file.
        is_asked: True for a project's, which runs after a question.
    """

    path: Path
    is_asked: bool = False


class StartFiles:
    """Runs start files in the names of a prompt.

    Args:
        evaluator: of the prompt.
        terminal: shows outcomes.
        ask: shows a question and returns the line that was typed.
        finish: ends an unfinished line that a file has printed.
        warn: shows one sentence about a file that does not run.
        answers: those of earlier questions.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        terminal: Terminal,
        ask: Callable[[str], str],
        finish: Callable[[], object],
        warn: Callable[[str], None],
        answers: StartFileAnswers,
    ) -> None:
        self._evaluator = evaluator
        self._terminal = terminal
        self._ask = ask
        self._finish = finish
        self._warn = warn
        self._answers = answers

    def run(self, file: StartFile) -> None:
        """Runs *file*, if it exists, is this user's own, and is allowed; never raises."""
        shown = on_one_line(str(file.path), _LONGEST_PATH)
        try:
            content = read_own_file(file.path)
            if not file.is_asked or self._is_allowed(file.path, content):
                self._run(str(file.path), shown, decoded(content, shown))
        except FileNotFoundError:
            return
        except FileNotOwn as unsafe:
            self._warn(f"{shown} is not run: {_with_hint(unsafe)}")
        except PyxError as error:
            self._warn(str(error))
        except OSError as error:
            self._warn(f"{shown} cannot be read: {error.strerror}")
        except KeyboardInterrupt:  # at the question, or between two lines of this file
            self._terminal.show("KeyboardInterrupt\n", "interrupt")

    def _is_allowed(self, path: Path, content: bytes) -> bool:
        file = os.path.realpath(path)
        shown = on_one_line(file, _LONGEST_PATH)
        has_changed = False
        answers: StartFileAnswers | None = self._answers
        try:
            allowed = self._answers.answer(file, content)
            has_changed = allowed is None and self._answers.knows(file)
        except AnswersNotKept as unusable:
            allowed, answers = None, None
            self._warn(f"earlier answers about start files are not used: {_with_hint(unusable)}")
        if allowed is None:
            allowed = self._asked(f"run .pyx.py of this project ({shown}{', changed' * has_changed})? [y/N] ")
            if allowed is not None and answers is not None:
                try:
                    answers.keep(file, content, allowed=allowed)
                except AnswersNotKept as unusable:
                    self._warn(f"the answer is not kept: {_with_hint(unusable)}")
        elif not allowed:
            self._terminal.show(f"{shown} is not run, as you answered; --start-file runs it\n", "notice")
        return bool(allowed)

    def _asked(self, question: str) -> bool | None:
        """Asks; returns None for what is neither yes nor no: Enter, or another line."""
        try:
            said = self._ask(question).strip().lower()
        except EOFError:
            self._terminal.show("\n", "echo")
            return None
        return True if said in {"y", "yes"} else False if said in {"n", "no"} else None

    def _run(self, path: str, shown: str, source: str) -> None:
        names = self._evaluator.names
        names["__file__"] = path
        try:
            outcome: Outcome = self._evaluator.run_program(source, path)
        finally:
            names.pop("__file__", None)
        self._finish()
        runner = context.current.get()
        if runner is not None and not runner.process.alive:
            return  # a kill ended the file: the prompt says so, with its new pid
        if isinstance(outcome, ExitRequested):
            code = on_one_line(repr(outcome.code), 80) if outcome.code is not None else ""
            self._terminal.show(f"{shown} was ended by exit({code}); the prompt goes on\n", "notice")
        elif isinstance(outcome, StatementRaised) and issubclass(type(outcome.exception), KeyboardInterrupt):
            line = _line_in(path, outcome.exception)
            where = "" if line is None else f" at line {line}"
            self._terminal.show(f"{shown} was interrupted{where}; the prompt goes on\n", "interrupt")
        else:
            show_outcome(self._terminal, outcome)


def _line_in(path: str, error: BaseException) -> int | None:
    """Returns the line of a file that was running, in its innermost frame; None if it has none."""
    lines = [
        line for frame, line in traceback.walk_tb(traceback_of(error)) if frame.f_code.co_filename == path
    ]
    return lines[-1] if lines else None


def _with_hint(error: PyxError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def kept_answers() -> StartFileAnswers:
    """Returns the answers of this user."""
    directory = state_directory()
    return StartFileAnswers(None if directory is None else directory / "start_files")
