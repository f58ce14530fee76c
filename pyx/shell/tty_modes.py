"""What the terminal does by itself: it encodes what is typed, and reads lines while no prompt is shown.

Others may have changed that meanwhile.  See `terminal` for keys and the editor.
"""

from __future__ import annotations

import fcntl
import os
import select
import termios
from typing import Final

CTRL_D: Final = "\x04"

_LINE_BYTES: Final = 4096
"""No line of a terminal that reads lines is longer."""


def typed_ahead(descriptor: int) -> str:
    """Takes the lines that were typed while a statement ran, as the keys that made them.

    The terminal has kept them as lines, for that statement to read.  An editor that went on from there would
    find all of them but a Ctrl-D, of which only the place is left.  What is typed of the last line stays.
    """
    keys = ""
    try:
        if not _reads_lines(descriptor):
            return ""
        while select.select([descriptor], [], [], 0)[0]:
            line = os.read(descriptor, _LINE_BYTES).decode(errors="replace")
            keys += line or CTRL_D
            if not line:  # and so for ever, where the terminal is gone
                break
    except (OSError, termios.error):  # no terminal, or no more
        pass
    return keys


def leaves_line_unfinished(descriptor: int) -> bool:
    """True where something was typed ahead without Enter: the terminal has shown it, and keeps it."""
    try:
        modes = termios.tcgetattr(descriptor)
        if not modes[3] & termios.ICANON:
            return False
        # Only a terminal that does not read lines counts what is not one yet.
        by_keys = [*modes[:3], modes[3] & ~termios.ICANON, *modes[4:]]
        termios.tcsetattr(descriptor, termios.TCSANOW, by_keys)
        try:
            return any(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))
        finally:
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    except (OSError, termios.error):
        return False


def let_interrupt(descriptor: int) -> None:
    """Has Ctrl-C be a signal again, and not a key, on a terminal whose editor is about to leave."""
    try:
        modes = termios.tcgetattr(descriptor)
        modes[3] |= termios.ISIG
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    except (OSError, termios.error):  # no terminal, or no more
        pass


def as_utf8(text: str) -> str:
    """What was typed, where the locale is ASCII and Python took its other bytes for lone surrogates."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:  # bytes that are not UTF-8 either, or surrogates of another kind
        return text


def was_taken_back(descriptor: int) -> bool:
    """True where an editor finds itself in the foreground of a terminal that reads lines.

    So it is after `kill -STOP` and `fg`: the job control of the shell below has set it for another program.
    """
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp() and _reads_lines(descriptor)
    except (OSError, termios.error):
        return False


def _reads_lines(descriptor: int) -> bool:
    return bool(termios.tcgetattr(descriptor)[3] & termios.ICANON)
