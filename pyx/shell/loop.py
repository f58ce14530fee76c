"""The read-evaluate-show loop of a prompt, and what it needs of a terminal.

Terminals are prompt_toolkit's editor (`terminal.py`), lines from a pipe (`LineTerminal`), a runner
(`driver.py`), and a recorder around any of these.  A value's text is made by `render.py`, an input is run by
`evaluate.py`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pyx.execution import interrupts
from pyx.execution.tracebacks import sentence_of
from pyx.nodes import Node
from pyx.shell.evaluate import (
    Evaluator,
    ExitRequested,
    Outcome,
    StatementRaised,
    Value,
    is_blank,
    is_incomplete,
)
from pyx.shell.program import exit_code, remember_error
from pyx.shell.render import render
from pyx.shell.theme import NONE, Theme
from pyx.shell.tty import as_utf8

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.shell_process import ShellProcess
    from pyx.shell.python_conventions import PythonConventions

TRANSCRIPT_COLUMNS: Final = 100
"""The width of a shell that is recorded or replayed: values break at the same places in both."""

LOOK: Final = "`import pdb; pdb.pm()` looks at it"
_ENDS: Final = "the shell ends (with PYTHONDEVMODE=1 it shows a traceback)"

_INPUT_COLUMNS: Final = 20
"""Columns that a prompt leaves to the input, on terminals of twice as many."""


class Prompt(NamedTuple):
    """The text before the first line of an input, and before each further one: of equal width."""

    first: str
    rest: str


def prompt_for(node: str | None, number: int) -> Prompt:
    """`pyx(gus@vm)1> ` and `...(gus@vm)1> `; without a node name `pyx(1)> ` and `...(1)> `."""
    where = f"({node}){number}> " if node else f"({number})> "
    return Prompt("pyx" + where, "..." + where)


_VIA: Final = " via "


def remote_name(node: str, here: str) -> str:
    """Returns what the prompt of a remote shell on *node* has in place of a name."""
    return f"{node}{_VIA}{here}"


def is_of_remote_shell(prompt: Prompt) -> bool:
    """True for the prompt of a remote shell."""
    return _VIA in prompt.first


def fitted_prompt(prompt: Prompt, columns: int) -> Prompt:
    """Cuts the node's name in *prompt* where it leaves too few of *columns* to the input.

    prompt_toolkit shows nothing at all behind a prompt that is wider than its window.
    """
    if "\x1b" in prompt.first or "\n" in prompt.first:  # a `sys.ps1` of the user
        return prompt
    most = max(columns - _INPUT_COLUMNS, columns // 2)
    return Prompt(_cut(prompt.first, most), _cut(prompt.rest, most))


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    name, bracket, number = text.rpartition(")")
    left = most - len(f"..{bracket}{number}")
    return f"{name[:left]}..{bracket}{number}" if left >= len("pyx(") else text[-2:]


def node_name() -> str | None:
    """Returns this node's name for the prompt; None if it has none."""
    return Node.self() if Node.is_alive() else None


class PromptLeft(Exception):
    """A prompt was ended from elsewhere; another one follows it."""


class Terminal(Protocol):
    """What the loop needs of a terminal."""

    @property
    def width(self) -> int:
        """Columns, now."""

    @property
    def theme(self) -> Theme:
        """The colours of what is shown; `NONE` where there are none."""

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """Reads one whole input.

        Args:
            prompt: called again and again while the input is typed: the node's name can change.

        Raises:
            KeyboardInterrupt: the input was given up.
            EOFError: the end of input.
        """

    def show(self, text: str, what: str) -> None:
        """Shows whole lines; *what* they are: `"echo"`, `"error"`, `"interrupt"` or `"notice"`."""


class Shell:
    """The loop of one prompt.

    Args:
        terminal: reads inputs and shows outcomes.
        evaluator: runs the inputs.
        process: the shell's.
        node_name: returns the name for the prompt, or None.
        has_fixed_prompt: True where a runner or a recording reads the prompt: `sys.ps1` does not change it.
    """

    def __init__(
        self,
        terminal: Terminal,
        evaluator: Evaluator,
        process: ShellProcess,
        node_name: Callable[[], str | None] = node_name,
        *,
        has_fixed_prompt: bool = False,
    ) -> None:
        self._terminal = terminal
        self._evaluator = evaluator
        self._process = process
        self._node_name = node_name
        self._has_fixed_prompt = has_fixed_prompt
        self._has_read = False
        """True once the prompt has read the input that runs."""

    def prompt(self) -> Prompt:
        """Returns the prompt as it is now."""
        return prompt_for(self._node_name(), self._evaluator.number)

    def run(self) -> int:
        """Reads, evaluates and shows until the end of the input or SystemExit; returns the exit code."""
        from pyx.shell.python_conventions import PythonConventions  # a node without a prompt needs none

        conventions = PythonConventions(
            self._evaluator, lambda outcome: show_outcome(self._terminal, outcome), self.prompt
        )
        with conventions.kept():
            while True:
                try:
                    if (code := self._run_one(conventions)) is not None:
                        return code
                except KeyboardInterrupt:
                    continue  # at the prompt it clears the line; between two steps it comes too late
                except EOFError:
                    return 0
                except PromptLeft:
                    raise
                except Exception as error:  # pyx's own; maybe an input has replaced `builtins.str`
                    show_own_error(self._terminal, self._process, error, LOOK if self._has_read else None)
                    if not self._has_read:  # the next prompt would fail as well
                        return 1

    def _run_one(self, conventions: PythonConventions) -> int | None:
        """Reads one input, evaluates it and shows what it comes to; returns the exit code if it leaves."""
        self._has_read = False
        if not self._process.is_alive:
            self._renew_process()
        interrupts.forget_pending()  # a Ctrl-C too late for the last input is not meant for the next
        users = None if self._has_fixed_prompt else conventions.users_prompt()
        source = self._terminal.read(self.prompt if users is None else lambda: Prompt(*users))
        self._has_read = True
        if is_blank(source):
            return None
        outcome = self._evaluated(source)
        self._process.finish_line()
        if isinstance(outcome, ExitRequested):
            return exit_code(outcome.code)
        if not self._process.is_alive and isinstance(outcome, StatementRaised) and outcome.was_interrupted:
            return None  # the notice of the new pid says it
        code = conventions.show(outcome)
        self._process.finish_line()
        return code

    def _evaluated(self, source: str) -> Outcome:
        """Evaluates an input, with a word about it where it waits; not where a transcript is made of it."""
        if self._has_fixed_prompt or "receive(" not in source:
            return self._evaluator.evaluate(source)
        from pyx.shell.number_patterns import said_while_waiting  # for the first input that receives

        with said_while_waiting(source, lambda text: self._terminal.show(text, "notice")):
            return self._evaluator.evaluate(source)

    def _renew_process(self) -> None:
        dead = self._process.renew()
        text = f"** the shell process {dead} was killed; its pid is now {self._process.pid}\n"
        self._terminal.show(text, "notice")


def show_own_error(terminal: Terminal, process: ShellProcess, error: Exception, look: str | None) -> None:
    """Shows an exception of pyx's own code as one line, which says where its traceback is.

    Args:
        terminal: of the prompt.
        process: of the terminal's own shell.
        error: the exception.
        look: says how to look at it, if a prompt follows; None if the prompt itself failed.  Then the
            exception is raised again where the terminal is gone, or where a developer wants to see it.
    """
    if look is None and (isinstance(error, OSError) or sys.flags.dev_mode):
        raise error
    remember_error(error)
    process.finish_line()
    # A notice: the colours of errors may have to be imported, which may fail.
    terminal.show(f"{own_error_text(error)}; {look or _ENDS}\n", "notice")


def own_error_text(error: Exception) -> str:
    """Returns the line about an exception of pyx's own code."""
    return f"pyx: internal error: {sentence_of(error)}"


def show_outcome(terminal: Terminal, outcome: Outcome) -> None:
    """Shows the value of an input, unless that is None, or its failure."""
    if isinstance(outcome, StatementRaised):
        interrupted = issubclass(type(outcome.exception), KeyboardInterrupt)
        terminal.show(outcome.text, "interrupt" if interrupted else "error")
    elif isinstance(outcome, Value) and outcome.value is not None:
        text = render(outcome.value, width=terminal.width, theme=terminal.theme)
        terminal.show(text + "\n", "echo")


class LineTerminal:
    """A terminal of plain lines: for pipes with `-i`, `TERM=dumb`, and tests.

    Args:
        read_line: shows the text given and returns a line with its end, or `""` when there is no more.
        write: shows text.
        shows_keys: Ctrl-C leaves a `^C` on the line, as terminals show it.
    """

    width = 80
    theme = NONE

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
        while is_incomplete(source):
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
