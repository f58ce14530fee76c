"""The side of a shell that faces its user: the standard streams, the terminal of the prompt, the console.

`StandardFrontend` serves a person's terminal and pipes; `driver.py` has the one that a runner drives.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from typing import TYPE_CHECKING, Protocol, TextIO

import pyx
from pyx.execution import thread_state
from pyx.execution.console_writer import Pace
from pyx.shell.interception import InterceptedTerminal, interception
from pyx.shell.log_handler import log_shown
from pyx.shell.loop import LineTerminal, Terminal
from pyx.shell.screen import Screen, ScreenStream
from pyx.shell.shell_options import Settings
from pyx.shell.standard_streams import OutputLost, complain, discard, replaced, warn
from pyx.shell.start_collections import has_frozen, no_collections
from pyx.shell.theme import NONE, theme_for
from pyx.shell.tty import CTRL_D, TtyStdin, input_of_typed_ahead, typed_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pyx.execution.console_writer import Console
    from pyx.runtime.shell_process import ShellProcess
    from pyx.shell.evaluate import Evaluator
    from pyx.shell.shell_options import ShellOptions
    from pyx.shell.switched_completion import CompletionSource
    from pyx.shell.terminal import PersonTerminal
    from pyx.terms import Pid


class Frontend(Protocol):
    """What `App` needs of the side that faces the user."""

    on_output_lost: Callable[[], object]
    """Set by the app; called once, by any thread, when the output cannot be written any more."""

    @property
    def is_interactive(self) -> bool:
        """True if a prompt is shown once there is no (more) program to run."""

    @property
    def terminal(self) -> Terminal:
        """The terminal as it is now, for the lines of the shell itself."""

    @property
    def console(self) -> Console:
        """Shows the lines of processes."""

    @property
    def pace(self) -> Pace:
        """The back-pressure of `console`."""

    def use(self, settings: Settings) -> None:
        """Takes the settings of the prompt, before all else."""

    def streams(self) -> AbstractContextManager[None]:
        """Replaces the standard streams inside, and shows pyx's log."""

    def start_prompt(self, evaluator: Evaluator, process: ShellProcess, completion: CompletionSource) -> None:
        """Makes `terminal` the prompt's."""

    def end_prompt(self, error: BaseException) -> bool:
        """Ends the prompt that is being shown with *error*; False if none is.  For signal handlers."""

    def leave_prompt(self, error: BaseException) -> bool:
        """Ends the prompt that is being shown with *error*; False if it cannot.  For other threads."""

    def lent_terminal(self) -> AbstractContextManager[None]:
        """Keeps all output back inside, while another program has the terminal."""

    def hurry(self) -> None:
        """From now on nothing waits for an output that accepts nothing."""

    def close(self) -> None:
        """Shows all that is queued, and nothing after it."""

    def ended(self, code: int, *, by_signal: bool) -> None:
        """Called at the very end of a run, with its exit code."""


class StandardFrontend:
    """A shell on its own standard streams: a person's terminal, a dumb one, or pipes."""

    def __init__(self, options: ShellOptions) -> None:
        self._stdin: TextIO = sys.stdin  # the program may close `sys.stdin`, or replace it
        self._stdout: TextIO = sys.stdout
        self.is_interactive = options.stay or (
            not options.has_program and options.halt and sys.stdin.isatty()
        )
        self._has_person = self.is_interactive and sys.stdin.isatty() and self._stdout.isatty()
        self._shows_banner = self._has_person and not options.has_program
        self._recorder = options.recorder
        self._settings = Settings()
        self._theme = NONE
        self.on_output_lost: Callable[[], object] = lambda: None
        self._screen = Screen(self._stdout, on_lost=self._output_was_lost, on_output=self._report)
        self.console: Console = self._screen
        self.pace = Pace(self._screen.has_room, self._screen.settle)
        self.terminal: Terminal = LineTerminal(
            self._read_line, self._screen.show, shows_keys=sys.stdin.isatty()
        )
        if self._stdin.isatty():
            interception.stdin = self._stdin.fileno()
            interception.show = self._screen.show
            interception.line_was_ended = self._screen.line_was_ended
        self._editor: PersonTerminal | None = None
        self._process: ShellProcess | None = None
        self._typed_ahead: deque[str] = deque()
        """The lines that a dumb terminal had before its first prompt; `""` is a Ctrl-D."""
        self._is_blocked = False
        """True if a signal ended the run, and stdout accepts nothing."""

    def use(self, settings: Settings) -> None:
        """See `Frontend`."""
        self._settings = settings
        if sys.stderr.isatty() and self._stdout.isatty() and os.environ.get("TERM") != "dumb":
            self._theme = theme_for(os.environ, settings.theme)

    @contextlib.contextmanager
    def streams(self) -> Iterator[None]:
        """See `Frontend`.

        For a person everything goes through the screen: stderr, too, would hit a half-typed line.
        """
        stdin = TtyStdin(sys.stdin) if self.is_interactive else sys.stdin
        stdout = ScreenStream(self._screen, sys.stdout)
        stderr = ScreenStream(self._screen, sys.stderr) if self._has_person else sys.stderr
        with replaced(stdin, stdout, stderr), self._input_of_typed_ahead(), self._recorded_input():
            try:
                with log_shown(lambda: self.terminal.width, NONE if self._recorder else self._theme):
                    yield
            finally:
                if self.is_interactive:
                    self._screen.fresh_line()
                self._is_blocked = not self._screen.close()

    def _input_of_typed_ahead(self) -> AbstractContextManager[None]:
        if not self._has_person:
            return contextlib.nullcontext()
        return input_of_typed_ahead(self._take_typed_line, self._screen.show)

    def _take_typed_line(self) -> str | None:
        """Takes the next line that was typed ahead of an `input()`, from the editor or a dumb terminal."""
        if self._editor is not None:
            return self._editor.take_typed_line()
        return self._typed_ahead.popleft() if self._typed_ahead else None

    def _recorded_input(self) -> AbstractContextManager[None]:
        if self._recorder is None:
            return contextlib.nullcontext()
        from pyx.shell.record_hooks import recorded_input  # as below

        return recorded_input(self._recorder, shows_prompt=self._has_person)

    def start_prompt(self, evaluator: Evaluator, process: ShellProcess, completion: CompletionSource) -> None:
        """See `Frontend`."""
        del evaluator
        self._process = process
        if self._has_person and os.environ.get("TERM") != "dumb":
            self.terminal = self._editor = self._make_editor(completion)
        if self._shows_banner:
            python = sys.version.partition(" ")[0]
            banner = f"pyx {pyx.__version__} (Python {python}), h() for help\n"
            self.terminal.show(banner, "notice")
        self.terminal = InterceptedTerminal(self.terminal)
        interception.has_prompt = True
        if self._editor is not None:
            interception.redraw = self._editor.redraw
            interception.keep_typed_ahead = self._editor.keep_typed_ahead
        elif self._has_person:
            interception.keep_typed_ahead = self._keep_typed_ahead
        if self._recorder is not None:
            from pyx.shell.record_hooks import RecordedTerminal, report_interrupts  # for `--record`

            self.terminal = RecordedTerminal(self.terminal, self._recorder)
            report_interrupts(self._recorder)

    def _make_editor(self, completion: CompletionSource) -> PersonTerminal:
        # A program that ran before has objects of its own, and so has one that has called pyx's `main`.
        with no_collections(is_pyx=self._shows_banner and has_frozen()):
            from pyx.shell.history import History, history_path
            from pyx.shell.redaction import cookies_in_force
            from pyx.shell.terminal import PersonTerminal

            return PersonTerminal(
                self._screen,
                History(history_path(), warn, cookies_in_force),
                completion,
                stdout=self._stdout,
                theme=self._theme,
                editing_mode=self._settings.editing_mode,
            )

    def end_prompt(self, error: BaseException) -> bool:
        """See `Frontend`."""
        return self._editor is not None and self._editor.leave(error)

    def leave_prompt(self, error: BaseException) -> bool:
        """See `Frontend`; a line from a pipe is waited for all the same."""
        return self.end_prompt(error)

    def lent_terminal(self) -> AbstractContextManager[None]:
        """See `Frontend`."""
        return self._screen.lent()

    def hurry(self) -> None:
        """See `Frontend`."""
        self._screen.hurry()

    def close(self) -> None:
        """See `Frontend`."""
        self._screen.close()

    def ended(self, code: int, *, by_signal: bool) -> None:
        """See `Frontend`; ends the process at once if a thread may be blocked in a write."""
        del by_signal
        if self._is_blocked:  # Python would wait for that thread at its end
            sys.stderr.flush()
            os._exit(code)

    def _read_line(self, prompt: str) -> str:
        self._screen.fresh_line()
        self._screen.show(prompt)
        if self._typed_ahead:
            line = self._typed_ahead.popleft()
            self._screen.show(line)  # the terminal has echoed it before the prompt
            return line
        with thread_state.interruptible():
            line = self._stdin.readline()
        if self._stdin.isatty():
            if line:  # a Ctrl-D ends no line
                self._screen.line_was_ended()
        else:
            self._screen.show(line)  # no terminal has echoed it, and the output is to read as a transcript
        return line

    def _keep_typed_ahead(self) -> None:
        """Takes the lines that were typed without a prompt out of a dumb terminal, for the next prompts."""
        *ended, last = typed_ahead(self._stdin.fileno()).split(CTRL_D)
        for keys in ended:
            self._typed_ahead.extend([*keys.splitlines(keepends=True), ""])
        self._typed_ahead.extend(last.splitlines(keepends=True))

    def _report(self, text: str, frm: Pid | None) -> None:
        """Reports what processes, threads and the log show to the recorder."""
        if self._recorder is not None:
            from pyx.shell.record_hooks import SHELL  # as above

            is_shell = self._process is not None and frm == self._process.pid
            self._recorder.on_output(text, "log" if frm is None else SHELL if is_shell else str(frm), "print")

    def _output_was_lost(self, error: OSError | ValueError) -> None:
        """Called by the screen, once, by any thread.  Python's own last flush must not fail after it."""
        lost = OutputLost(error)
        discard(self._stdout)
        if not lost.by_reader:
            complain(str(lost))
        self.on_output_lost()
