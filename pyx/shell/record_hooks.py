"""What a person's session shows, told to what writes it down (`pyx --record`).

Told are what is typed and what the shell itself shows (`RecordedTerminal`), what processes, threads and the
log show (`RecordedScreen`), what `input()` is answered (`RecordedInput`), and Ctrl-C.  Text is told as it
was made: what a terminal adds to it (the prompt, `^C`) is not a part of a session.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final, Protocol

from pyx.printable import filter_foreign

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pyx.shell.loop import Prompt, Terminal
    from pyx.shell.screen import Screen
    from pyx.terms import Pid

WIDTH: Final = 100
"""Columns of everything that is written down, as a replay will have them."""
_SHELL: Final = "shell"


class RecordHooks(Protocol):
    """Calls of `shown` come from any thread, and of finalizers; `interrupted` from a signal handler."""

    def asked(self, prompt: str) -> None:
        """A prompt stands: what is shown from now on belongs to no input."""

    def typed(self, prompt: Prompt, source: str) -> None:
        """An input was entered."""

    def left(self) -> None:
        """The person has left the prompt: what is shown from now on is not a part of the session."""

    def shown(self, text: str, source: str, kind: str) -> None:
        """Text went to the screen: *source* tells apart whose lines these are, *kind* is as of `Unit`."""

    def answered(self, line: str) -> None:
        """`input()` read this line."""

    def interrupted(self) -> None:
        """Ctrl-C was pressed while something ran."""


class RecordedTerminal:
    """A terminal whose inputs, echoes and errors are told."""

    def __init__(self, terminal: Terminal, witness: RecordHooks) -> None:
        self._terminal = terminal
        self._witness = witness
        self.width = WIDTH

    @property
    def colour(self) -> bool:
        """See `loop.Terminal`."""
        return self._terminal.colour

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `loop.Terminal`."""
        self._witness.asked(prompt().first)
        try:
            source = self._terminal.read(prompt)
        except KeyboardInterrupt:
            raise
        except BaseException:
            self._witness.left()
            raise
        self._witness.typed(prompt(), source)
        return source

    def show(self, text: str, what: str) -> None:
        """See `loop.Terminal`."""
        self._witness.shown(text, _SHELL, what)
        self._terminal.show(text, what)


class RecordedScreen:
    """A screen as processes, threads and the log write on it; what they write is told."""

    def __init__(self, screen: Screen, witness: RecordHooks) -> None:
        self._screen = screen
        self._witness = witness
        self.shell: Callable[[], Pid | None] = lambda: None
        """Returns the pid of the shell's process: what it prints goes on with what its input showed."""

    def write(self, text: str, *, frm: Pid | None = None) -> None:
        """See `Screen`."""
        if frm is not None and not frm.is_local:
            text = filter_foreign(text)
        source = "log" if frm is None else _SHELL if frm == self.shell() else str(frm)
        self._witness.shown(text, source, "print")
        self._screen.write(text, frm=frm)


class RecordedInput:
    """An `input` whose answers are told.

    Args:
        witness: is told.
        ask: Python's own.
        shows_prompt: it shows the prompt on the terminal by itself, past `sys.stdout`.
    """

    def __init__(self, witness: RecordHooks, ask: Callable[[str], str], *, shows_prompt: bool) -> None:
        self._witness = witness
        self._ask = ask
        self._shows_prompt = shows_prompt

    def __call__(self, prompt: object = "", /) -> str:
        """Like Python's."""
        shown = str(prompt) if self._shows_prompt else ""
        try:
            line = self._ask(str(prompt))
        except EOFError:
            self._witness.shown(shown, _SHELL, "print")
            raise EOFError("EOF when reading a line") from None  # what it says away from a terminal
        except KeyboardInterrupt:
            self._witness.shown(shown, _SHELL, "print")
            raise
        self._witness.shown(f"{shown}{line}\n", _SHELL, "print")
        self._witness.answered(line)
        return line

    def __repr__(self) -> str:
        return repr(self._ask)


def witness_interrupts(witness: RecordHooks) -> None:
    """Has every SIGINT told, before the handler that is there does its work."""
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:
        witness.interrupted()
        if callable(before):
            before(number, frame)

    if callable(before):
        signal.signal(signal.SIGINT, handle)
