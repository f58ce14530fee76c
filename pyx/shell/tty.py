"""The terminal as a shell reads it: its line discipline, and `sys.stdin` while a prompt is shown.

A terminal encodes what is typed, and collects lines while no prompt is shown; other programs may have changed
its modes meanwhile.  See `terminal.py` for the editor and its keys.
"""

from __future__ import annotations

import builtins
import contextlib
import fcntl
import functools
import os
import select
import sys
import termios
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TextIO

from pyx.errors import TerminalTaken
from pyx.execution import context, thread_state
from pyx.execution.stdout_router import finish_line
from pyx.execution.stream_proxy import StreamProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CTRL_D: Final = "\x04"

_ENDS: Final = {"\r", "\n"}
_ERASES: Final = {"\x7f", "\b"}
_KILLS: Final = "\x15"
"""The keys that end a line, erase a character, and kill the line, as terminals are set."""

_LINE_BYTES: Final = 4096
"""The longest line of a terminal in canonical mode (`ICANON`)."""


def typed_ahead(descriptor: int) -> str:
    """Takes the lines that were typed while a statement ran; returns the keys that typed them.

    The terminal has kept them as lines, for that statement to read.  An editor that read on from there would
    find all of them but a Ctrl-D, of which only the position is left.  An unfinished last line stays in the
    terminal.
    """
    keys = ""
    try:
        if not _is_canonical(descriptor):
            return ""
        while select.select([descriptor], [], [], 0)[0]:
            line = os.read(descriptor, _LINE_BYTES).decode(errors="replace")
            keys += line or CTRL_D
            if not line:  # a terminal that is gone returns this again and again
                break
    except (OSError, termios.error):  # not a terminal, or not any more
        pass
    return keys


@contextlib.contextmanager
def unechoed(descriptor: int) -> Iterator[bool]:
    """Keeps the terminal from showing keys by itself inside; yields True if it has shown an unfinished line.

    A key that is typed while an editor starts would be shown before its prompt, and again after it.
    """
    found = _stop_echo(descriptor)
    if found is None:
        yield False
        return
    modes, is_unfinished = found
    try:
        yield is_unfinished
    finally:
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)


def _stop_echo(descriptor: int) -> tuple[list[Any], bool] | None:
    """Returns the modes before, and whether an unfinished line waits; None for what is not a terminal."""
    try:
        modes = termios.tcgetattr(descriptor)
        if not modes[3] & termios.ICANON:
            return None
        by_keys = [*modes[:3], modes[3] & ~(termios.ICANON | termios.ECHO), *modes[4:]]
        termios.tcsetattr(descriptor, termios.TCSANOW, by_keys)
        # Only a terminal that is not in canonical mode counts the bytes of an unfinished line.
        return modes, any(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))
    except (OSError, termios.error):  # not a terminal, or not any more
        return None


def let_interrupt(descriptor: int) -> None:
    """Makes Ctrl-C a signal again, and not a key, on a terminal whose editor is about to leave."""
    try:
        modes = termios.tcgetattr(descriptor)
        modes[3] |= termios.ISIG
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    except (OSError, termios.error):  # not a terminal, or not any more
        pass


def as_utf8(text: str) -> str:
    """Decodes typed text as UTF-8 where the locale is ASCII, and Python made lone surrogates of its bytes."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:  # bytes that are not UTF-8 either, or surrogates of another kind
        return text


def was_taken_back(descriptor: int) -> bool:
    """True if this process is in the foreground of a terminal in canonical mode, while its editor runs.

    That is the state after `kill -STOP` and `fg`: the job control of the calling shell has reset the modes.
    """
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp() and _is_canonical(descriptor)
    except (OSError, termios.error):
        return False


def _is_canonical(descriptor: int) -> bool:
    return bool(termios.tcgetattr(descriptor)[3] & termios.ICANON)


def first_line(keys: Sequence[str]) -> tuple[str | None, int]:
    """Returns the line that a terminal would make of *keys*, and how many of them it takes.

    The line has its end, unless it is unfinished; it is `""` for a Ctrl-D, and None where there are no keys.
    """
    line = ""
    for count, key in enumerate(keys, 1):
        if key in _ENDS:
            return f"{line}\n", count
        if key == CTRL_D:
            return line, count
        line = line[:-1] if key in _ERASES else "" if key == _KILLS else line + key
    return line or None, len(keys)


# ---------------------------------------------------------------- sys.stdin and input()

_READS_NOTHING: Final = {"isatty", "encoding", "errors", "newlines", "name", "mode", "closed"}


class TtyStdin(StreamProxy):
    """`sys.stdin` of a prompt: the shell's process may read it, any other gets TerminalTaken.

    A process that read the terminal too would share every key with the prompt, at random, and leave the line
    broken.  `input()` looks for a `fileno` and reads by itself where that is the terminal's, so `fileno` is
    refused as well: then `input()` tries `readline`, and passes the error on.
    """

    def put(self, text: str) -> None:
        """Raises, as a stream that is only read has no `write`."""
        self._found.write(text)

    def pass_on(self) -> None:
        """Does nothing: nothing is buffered here."""

    def original(self, name: str) -> Any:
        """See `StreamProxy`."""
        if name not in _READS_NOTHING:
            _prepare()
        return super().original(name)

    def __iter__(self) -> Iterator[str]:  # type: ignore[override] # of str, as that of any text stream
        """Returns an iterator of the lines."""
        _prepare()
        return iter(self.original("readline"), "")


def _prepare() -> None:
    """Shows what an `await` at the prompt has printed, before that waits for an answer.

    The `await` runs on the process loop, where a print does not wait for the screen; the question itself is
    written by Python, past the screen.  On the shell's own thread each print has waited.

    Raises:
        TerminalTaken: the caller is neither the shell's process, nor its thread before and after that.
    """
    runner = context.current.get()
    is_main = threading.current_thread() is threading.main_thread()
    if runner is None:
        if not is_main:
            raise TerminalTaken("this thread")
    elif not runner.process.keeps_pid:
        raise TerminalTaken(str(runner.process.pid))
    elif not is_main and runner.console_writer is not None:
        finish_line(runner, newline=False)
        runner.console_writer.settle()


@contextlib.contextmanager
def input_of_typed_ahead(take: Callable[[], str | None], show: Callable[[str], object]) -> Iterator[None]:
    """Makes `input()` inside read the lines first that an editor has read beyond its own.

    All lines that are typed are read in their order, as at Python's prompt, though an editor reads whatever
    has come.

    Args:
        take: takes the next line that was typed ahead, as `first_line` returns it.
        show: shows text past `sys.stdout`, as Python's `input` does.
    """
    found = builtins.input

    @functools.wraps(found)
    def read(prompt: object = "", /) -> str:
        if not isinstance(sys.stdin, TtyStdin):  # the program has put another one there
            return found(prompt)
        _prepare()
        line = take()
        if line is None:
            with thread_state.interruptible():
                return found(prompt)
        sys.stdout.flush()
        show(f"{prompt}{line}")  # the terminal has not echoed it
        if not line:
            raise EOFError
        if line.endswith("\n"):
            return line[:-1]
        with thread_state.interruptible():
            return line + found()

    builtins.input = read
    try:
        yield
    finally:
        builtins.input = found


class ScriptedStdin(TtyStdin):
    """`sys.stdin` of a shell that a runner drives: its lines are known before `input()` reads them.

    Args:
        found: the stream that is read once there are none left.
    """

    def __init__(self, found: TextIO) -> None:
        super().__init__(found)
        self._lines: deque[str] = deque()

    def set_lines(self, lines: Iterable[str]) -> None:
        """Sets the lines for the next input; those that the last one has not read are dropped."""
        self._lines = deque(lines)

    def original(self, name: str) -> Any:
        """See `StreamProxy`."""
        found = super().original(name)
        return self._read_line if name == "readline" and self._lines else found

    def _read_line(self, _size: int = -1) -> str:
        line = self._lines.popleft() + "\n"
        sys.stdout.write(line)  # as a terminal echoes typed text
        return line
