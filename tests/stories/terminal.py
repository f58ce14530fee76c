"""A real `pyx` in a pseudo-terminal, and the screen that its user sees.

`type` acts like a person: types, presses Enter, reads on until the next prompt.  A terminal emulator draws
the stream of bytes first, so a test finds text on the same screen as a person.
"""

from __future__ import annotations

import os
import re
import signal
import termios
import warnings
from typing import TYPE_CHECKING, Final

import pexpect
import pyte

from tests.blocked import Blocked
from tests.local_nodes import freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.stories.host import Host

PROMPT: Final = re.compile(r"pyx\((?:[^()]+\)\d+|\d+\))> ")
COLUMNS: Final = 120
ROWS: Final = 40


class Shell:
    """One `pyx` at a terminal.  Every wait fails after `PATIENCE_SECONDS`, with the screen in the message.

    Args:
        host: draws the output of all its shells while one of them waits.
        argv: the command.
        environment: the whole environment of the new process.
        cwd: its directory.
        columns: the width of the terminal.
    """

    def __init__(
        self,
        host: Host,
        argv: Sequence[str],
        environment: Mapping[str, str],
        cwd: str,
        columns: int = COLUMNS,
    ) -> None:
        with warnings.catch_warnings():
            # A fork of a process with threads (pytest may have some); this child calls exec at once.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = pexpect.spawn(
                argv[0], list(argv[1:]), env=environment, cwd=cwd, dimensions=(ROWS, columns)
            )
        self._child.delaybeforesend = None
        self._child.ptyproc.delayafterclose = 0  # type: ignore[attr-defined] # the stubs lack it
        self._host = host
        self._screen = _Screen(columns, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._unseen = 0  # the first line in which `sees` looks
        self.raw = b""
        """All bytes so far: for tests about bytes (colours, control characters)."""

    # ------------------------------------------------------------ keys

    def type(self, code: str) -> str:
        """Types *code* (a block is pasted) and Enter; returns the lines shown up to the next prompt."""
        self.enter(code)
        first = self._unseen
        row = self.prompt_returns()
        return "\n".join(self.lines[first:row])

    def paste(self, code: str) -> None:
        """Pastes *code*, of any width and with blanks at line ends, and waits for the next prompt."""
        row = self.prompt_returns()
        self.press(f"\x1b[200~{code}\x1b[201~\r")
        below = row + 1 + code.count("\n")
        self.wait(lambda: self._screen.row >= below and self._at_prompt(), f"a prompt after {code!r}")

    def enter(self, code: str) -> None:
        """Types *code* and Enter, and does not wait for a prompt: it may block, or leave."""
        self.half_type(code)
        self._unseen = self._screen.row + 1
        self.press("\r")

    def half_type(self, text: str) -> None:
        """Types *text* at an empty prompt, and nothing after it."""
        self.prompt_returns()
        prompt = self.prompt
        first, *further = text.split("\n")
        typed = "\n".join([prompt + first, *(f"...{prompt[3:]}{line}".rstrip() for line in further)])
        self.press(f"\x1b[200~{text}\x1b[201~" if further else text)
        self.wait(lambda: self._typed(len(further)) == typed, f"the typed {text!r}")

    def comes_to(self, code: str, value: str) -> None:
        """Types *code* again until it shows *value*, which depends on another node."""
        self.wait(lambda: self.type(code) == value, f"{value} of {code}")

    def press(self, keys: str) -> None:
        """Sends keys as they are (`"\\x03"` is Ctrl-C, `"\\x04"` Ctrl-D)."""
        self._child.send(keys)

    def blocks(self) -> None:
        """Waits until its main thread is in a blocking call, where it notices a signal at once."""
        self.wait(Blocked(self.pid), "a blocking call")

    def interrupt(self) -> str:
        """Presses Ctrl-C; returns the lines shown since the last Enter, up to the next prompt.

        Where a statement is about to wait for ever, `blocks` comes first (see `tests/blocked.py`).
        """
        first = self._unseen
        self.press("\x03")
        row = self.prompt_returns()
        return "\n".join(self.lines[first:row])

    # ------------------------------------------------------------ the screen

    @property
    def prompt(self) -> str:
        """The prompt, with the text typed after it."""
        return self._screen.before_cursor

    @property
    def lines(self) -> list[str]:
        """All lines shown so far, with those that have scrolled off, without blanks at line ends."""
        return self._screen.gone + [line.rstrip() for line in self._screen.display]

    @property
    def screen(self) -> str:
        """All lines as one text, without empty ones at the end."""
        return "\n".join(self.lines).rstrip("\n")

    def sees(self, text: str) -> str:
        """Waits for a line with *text*, below the last typed line and the last line seen; returns it."""
        found: list[int] = []

        def look() -> bool:
            lines = self.lines
            found[:] = [at for at in range(self._unseen, len(lines)) if text in lines[at]][:1]
            return bool(found)

        self.wait(look, f"a line with {text!r}")
        self._unseen = found[0] + 1
        return self.lines[found[0]]

    def prompt_returns(self) -> int:
        """Waits for an empty prompt (below the last typed line); returns its row."""
        self.wait(self._at_prompt, "a prompt")
        return self._screen.row

    def wait(self, happened: Callable[[], bool], what: str) -> None:
        """Waits until *happened*; fails with the screen if that takes too long."""
        __tracebackhide__ = True
        came = False

        def look() -> bool:
            nonlocal came
            came = happened()
            return came or self.has_ended

        self._host.pump_until(look)
        if not came:
            ended = " (the process has ended)" if self.has_ended else ""
            shown = "".join(f"\n    | {line}" for line in self.screen.split("\n")[-ROWS:])
            msg = f"{what} did not come{ended}; the screen:{shown}"
            raise AssertionError(msg)

    def _typed(self, lines_above: int) -> str:
        """Returns the text before the cursor, and the lines above it."""
        row = self._screen.row
        if not lines_above:
            return self.prompt
        return "\n".join([*self.lines[row - lines_above : row], self.prompt.rstrip()])

    def _at_prompt(self) -> bool:
        return self._screen.row >= self._unseen and bool(PROMPT.fullmatch(self._screen.before_cursor))

    # ------------------------------------------------------------ the process

    @property
    def pid(self) -> int:
        """The process id of the operating system."""
        assert self._child.pid is not None
        return self._child.pid

    @property
    def reads_lines(self) -> bool:
        """True while the terminal is in canonical mode; an editor switches that off."""
        return bool(termios.tcgetattr(self._child.child_fd)[3] & termios.ICANON)

    def lets_read_lines(self) -> None:
        """Sets canonical mode, as a shell does when it takes the terminal from a stopped program."""
        modes = termios.tcgetattr(self._child.child_fd)
        modes[3] |= termios.ICANON | termios.ECHO | termios.ISIG
        termios.tcsetattr(self._child.child_fd, termios.TCSANOW, modes)

    @property
    def has_ended(self) -> bool:
        """True once its terminal is closed."""
        return bool(self._child.flag_eof)

    def leaves(self) -> int:
        """Waits for its end; returns the exit code (128 and more for a signal)."""
        self.wait(lambda: self.has_ended, "the end")
        return self.close()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal to the process."""
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stops the process, and returns when it stands; SIGCONT lets it go on."""
        freeze(self.pid)

    def close(self) -> int:
        """Kills the process, if it has not ended by itself; returns the exit code."""
        if not self._child.closed:
            if not self.has_ended:
                self.kill()
            self._child.wait()
            self._child.close()
        if self._child.signalstatus is not None:
            return 128 + self._child.signalstatus
        assert self._child.exitstatus is not None
        return self._child.exitstatus

    @property
    def descriptor(self) -> int | None:
        """The descriptor that the host reads; None once the terminal is closed."""
        return None if self._child.closed or self.has_ended else self._child.child_fd

    def read(self) -> None:
        """Draws the output that has arrived."""
        try:
            data = os.read(self._child.child_fd, 1 << 16)
        except OSError:  # on Linux: the other end of the terminal is closed
            data = b""
        self._child.flag_eof = not data
        self.raw += data
        self._stream.feed(data)


class _Screen(pyte.Screen):
    """A screen that remembers the lines that scrolled off."""

    def __init__(self, columns: int, lines: int) -> None:
        self.gone: list[str] = []
        super().__init__(columns, lines)

    def index(self) -> None:
        """Moves the cursor down; at the bottom the screen scrolls."""
        if self.cursor.y == self.lines - 1:
            self.gone.append(self._text(0).rstrip())
        super().index()

    @property
    def row(self) -> int:
        """The row of the cursor, counted from the first line ever shown."""
        return len(self.gone) + self.cursor.y

    @property
    def before_cursor(self) -> str:
        """The text before the cursor; after it may be a grey suggestion."""
        return self._text(self.cursor.y)[: self.cursor.x]

    def _text(self, y: int) -> str:
        line = self.buffer[y]
        return "".join(line[x].data for x in range(self.columns))
