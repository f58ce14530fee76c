"""The hooks of `pyx --record`: what is typed and shown is passed on, and reported to a recorder.

Reported are inputs and what the shell itself shows (`RecordedTerminal`), the lines that `input()` reads
(`RecordedInput`), Ctrl-C, and by `screen.py` what processes, threads and the log show.  Text is reported as
it was made: what a terminal adds to it (the prompt, `^C`) is not a part of a session.
"""

from __future__ import annotations

import builtins
import contextlib
import signal
from typing import TYPE_CHECKING, Final, Protocol

from pyx.shell.loop import TRANSCRIPT_COLUMNS, PromptLeft, is_of_remote_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from pyx.shell.loop import Prompt, Terminal
    from pyx.shell.theme import Theme

SHELL: Final = "shell"
"""The source of what the shell and its evaluations show; see `RecordHooks.on_output`."""


class RecordHooks(Protocol):
    """A recorder.  Any thread and finalizers call `on_output`, a signal handler calls `on_interrupt`."""

    def on_prompt(self, prompt: str) -> None:
        """A prompt is shown: later output belongs to no input."""

    def on_input(self, prompt: Prompt, source: str) -> None:
        """The input *source* was entered at *prompt*."""

    def on_leave(self) -> None:
        """The user has left the prompt: later output is not a part of the session."""

    def on_output(self, text: str, source: str, kind: str) -> None:
        """*text* was shown.

        Args:
            text: as it was made, without colours.
            source: `"shell"`, `"log"`, or the pid of the process that printed it.
            kind: see `OutputUnit`.
        """

    def on_answer(self, line: str) -> None:
        """`input()` has read *line*."""

    def on_interrupt(self) -> None:
        """Ctrl-C was pressed while something ran."""


class RecordedTerminal:
    """A terminal that reports its inputs, and what the shell shows on it, to *hooks*."""

    width = TRANSCRIPT_COLUMNS

    def __init__(self, terminal: Terminal, hooks: RecordHooks) -> None:
        self._terminal = terminal
        self._hooks = hooks

    @property
    def theme(self) -> Theme:
        """See `loop.Terminal`."""
        return self._terminal.theme

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `loop.Terminal`."""
        self._hooks.on_prompt(prompt().first)
        try:
            source = self._terminal.read(prompt)
        except (KeyboardInterrupt, PromptLeft):
            raise
        except EOFError:
            if is_of_remote_shell(prompt()):  # a replay has no Ctrl-D, and the session goes on
                self._hooks.on_input(prompt(), "exit()")
            else:
                self._hooks.on_leave()
            raise
        except BaseException:
            self._hooks.on_leave()
            raise
        self._hooks.on_input(prompt(), source)
        return source

    def show(self, text: str, what: str) -> None:
        """See `loop.Terminal`."""
        self._hooks.on_output(text, SHELL, what)
        self._terminal.show(text, what)


class RecordedInput:
    """The builtin `input`, which reports its answers.

    Args:
        hooks: the recorder.
        ask: Python's own `input`.
        shows_prompt: True if *ask* writes the prompt to the terminal by itself, past `sys.stdout`.
    """

    def __init__(self, hooks: RecordHooks, ask: Callable[[str], str], *, shows_prompt: bool) -> None:
        self._hooks = hooks
        self._ask = ask
        self._shows_prompt = shows_prompt

    def __call__(self, prompt: object = "", /) -> str:
        """Returns the line read, as Python's `input` does."""
        shown = str(prompt) if self._shows_prompt else ""
        try:
            line = self._ask(str(prompt))
        except EOFError:
            self._hooks.on_output(shown, SHELL, "print")
            raise EOFError("EOF when reading a line") from None  # Python's text away from a terminal
        except KeyboardInterrupt:
            self._hooks.on_output(shown, SHELL, "print")
            raise
        self._hooks.on_output(f"{shown}{line}\n", SHELL, "print")
        self._hooks.on_answer(line)
        return line

    def __repr__(self) -> str:
        return repr(self._ask)


@contextlib.contextmanager
def recorded_input(hooks: RecordHooks, *, shows_prompt: bool) -> Iterator[None]:
    """Reports what `input()` reads inside to *hooks*; see `RecordedInput`."""
    found = builtins.input
    builtins.input = RecordedInput(hooks, found, shows_prompt=shows_prompt)
    try:
        yield
    finally:
        builtins.input = found


def report_interrupts(hooks: RecordHooks) -> None:
    """Reports every SIGINT to *hooks*, before the handler that is set already runs."""
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:
        hooks.on_interrupt()
        if callable(before):
            before(number, frame)

    if callable(before):
        signal.signal(signal.SIGINT, handle)
