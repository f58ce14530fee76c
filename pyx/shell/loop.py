"""The read-evaluate-show loop, and the rules for programs that come without a person.

It knows a terminal only as something to read an input from and to show text on: prompt_toolkit, lines from a
pipe, a test, or (later) frames from a runner.  Not here: what a value looks like (`render`), or how an input
runs (`evaluate`).
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pyx.errors import ProcessKilled
from pyx.execution import context
from pyx.shell import error_text
from pyx.shell.evaluate import Evaluator, Left, Outcome, StatementRaised, Value, is_blank, reads_on
from pyx.shell.render import render
from pyx.shell.tty_modes import as_utf8

if TYPE_CHECKING:
    from collections.abc import Callable


INTERRUPTED: Final = 130
"""The exit code of a program that Ctrl-C has ended."""


class Prompt(NamedTuple):
    """What stands before the first line of an input, and before each further one: of equal width."""

    first: str
    rest: str


def prompt_for(node: str | None, number: int) -> Prompt:
    """`pyx(gus@vm)1> ` and `...(gus@vm)1> `; without a node name `pyx(1)> ` and `...(1)> `."""
    where = f"({node}){number}> " if node else f"({number})> "
    return Prompt("pyx" + where, "..." + where)


class Terminal(Protocol):
    """What the loop needs of a terminal."""

    @property
    def width(self) -> int:
        """Columns, now."""

    @property
    def colour(self) -> bool:
        """True if ANSI colours may be shown."""

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """One whole input.  *prompt* may be asked again while it is typed: the node's name can change.

        Raises:
            KeyboardInterrupt: the input was given up.
            EOFError: there is no more.
        """

    def show(self, text: str, what: str) -> None:
        """Shows whole lines; *what* they are: `"echo"`, `"error"`, `"interrupt"` or `"notice"`."""


class Seat(Protocol):
    """The shell's place among the processes of its node, as far as the loop is concerned."""

    @property
    def is_alive(self) -> bool:
        """False once somebody killed the shell's process."""

    def renew(self) -> str:
        """Becomes a new process; a sentence for the user."""

    def finish_line(self) -> None:
        """Ends a line that the evaluation printed without its end."""

    def forget_interrupt(self) -> None:
        """Drops a Ctrl-C that came too late for the last evaluation: it is not meant for the next one."""


class Shell:
    """One person's loop.

    Args:
        node_name: gives the name for the prompt, or None.
    """

    def __init__(
        self, terminal: Terminal, evaluator: Evaluator, seat: Seat, node_name: Callable[[], str | None]
    ) -> None:
        self._terminal = terminal
        self._evaluator = evaluator
        self._seat = seat
        self._node_name = node_name

    def prompt(self) -> Prompt:
        """The prompt as it is now."""
        return prompt_for(self._node_name(), self._evaluator.number)

    def run(self) -> int:
        """Reads, evaluates and shows until the end of the input or SystemExit; returns the exit code."""
        while True:
            try:
                if not self._seat.is_alive:
                    self._terminal.show(self._seat.renew() + "\n", "notice")
                self._seat.forget_interrupt()
                source = self._terminal.read(self.prompt)
                if is_blank(source):
                    continue
                outcome = self._evaluator.evaluate(source)
                self._seat.finish_line()
                if isinstance(outcome, Left):
                    return exit_code(outcome.code)
                if self._seat.is_alive or not _was_ended(outcome):  # else the next step says who ended it
                    show_outcome(self._terminal, outcome)
            except KeyboardInterrupt:
                continue  # at the prompt it clears the line; between two steps of this loop it comes too late
            except EOFError:
                return 0


def _was_ended(outcome: Outcome) -> bool:
    """True if it came to no end of its own: Ctrl-C, or a kill of the shell's process."""
    return isinstance(outcome, StatementRaised) and isinstance(
        outcome.exception, (KeyboardInterrupt, ProcessKilled)
    )


def show_outcome(terminal: Terminal, outcome: Outcome) -> None:
    """Shows what an input gave: its value, unless that is None, or its failure."""
    if isinstance(outcome, StatementRaised):
        interrupted = isinstance(outcome.exception, KeyboardInterrupt)
        terminal.show(outcome.text, "interrupt" if interrupted else "error")
    elif isinstance(outcome, Value) and outcome.value is not None:
        text = render(outcome.value, width=terminal.width, colour=terminal.colour)
        terminal.show(text + "\n", "echo")


def run_program(evaluator: Evaluator, source: str, filename: str, *, prepared: bool = False) -> int | None:
    """Script rules: runs *source* whole, echoes nothing; None if it ended well, else the exit code.

    The first error ends it, with its traceback on stderr, or by the program's own `sys.excepthook`.
    *prepared*: see `Evaluator.run_program`.
    """
    outcome = evaluator.run_program(source, filename, prepared=prepared)
    if isinstance(outcome, Left):
        return exit_code(outcome.code)
    if isinstance(outcome, StatementRaised):
        return _fail(evaluator, outcome)
    return None


def _fail(evaluator: Evaluator, outcome: StatementRaised) -> int:
    """Has an uncaught exception shown; returns the exit code."""
    error, text = outcome
    runner = context.current.get()
    if _was_ended(outcome) and runner is not None and not runner.process.alive:
        # A kill reaches the main thread as a Ctrl-C does; IEx's line says what it was.
        with suppress(OSError, ValueError):
            sys.stderr.write(f"** (EXIT from {runner.process.pid}) {runner.process.reason}\n")
        return 1
    if sys.excepthook is not sys.__excepthook__:
        try:
            evaluator.call(sys.excepthook, type(error), error, error.__traceback__)
            text = ""
        except SystemExit as leaving:
            return exit_code(leaving.code)
        except BaseException as second:  # a hook is user code
            told = error_text.describe(error_text.trim(second))
            text = f"Error in sys.excepthook:\n{told}\nOriginal exception was:\n{text}"
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def exit_code(code: Any) -> int:
    """What SystemExit's code means, by Python's rules: None is 0, an int itself, else a message and 1."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(2**63) <= code < 2**63 else 255
    try:
        text = str(code)
    except Exception:  # its `__str__` is user code
        text = ""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
    return 1


class LineTerminal:
    """A terminal of plain lines: for pipes with `-i`, `TERM=dumb`, and tests.

    Args:
        read_line: shows the text given and returns a line with its end, or `""` when there is no more.
        write: shows text.
        shows_keys: Ctrl-C leaves a `^C` on the line, as terminals show it.
    """

    width = 80
    colour = False

    def __init__(
        self,
        read_line: Callable[[str], str],
        write: Callable[[str], object],
        *,
        shows_keys: bool = False,
    ) -> None:
        self._read_line = read_line
        self._write = write
        self._shows_keys = shows_keys

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `Terminal`."""
        source = self._line(prompt().first)
        while reads_on(source):
            source += "\n" + self._line(prompt().rest)
        return source

    def _line(self, before: str) -> str:
        line = self._read_line(before)
        if not line:
            raise EOFError
        return as_utf8(line.removesuffix("\n"))

    def show(self, text: str, what: str) -> None:
        """See `Terminal`."""
        self._write("\n" + text if what == "interrupt" and self._shows_keys else text)
