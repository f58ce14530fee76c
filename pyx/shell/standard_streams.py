"""The standard streams of a `pyx` process: closed descriptors, lost output, messages on stderr.

Imports nothing of pyx, as the command line calls it first.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.execution.stream_proxy import StreamProxy

_NAMES: Final = ("stdin", "stdout", "stderr")


class OutputLost(Exception):
    """The standard output cannot be written.

    Attributes:
        error: the system's.
    """

    def __init__(self, error: OSError | ValueError) -> None:
        super().__init__(f"the output cannot be written: {sentence(error)}")
        self.error = error

    @property
    def by_reader(self) -> bool:
        """True if the reader of a pipe has left, which is not worth a message."""
        return isinstance(self.error, BrokenPipeError)


def sentence(error: OSError | ValueError) -> str:
    """Returns the text of a system error, without its number, with the name of its file if it has one."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    about = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else ""
    return f"{error.strerror}{about}"


def fill_closed() -> None:
    """Opens `/dev/null` on each of the descriptors 0, 1 and 2 that is closed, and makes its stream.

    Otherwise the next socket or file would get that number, and output of a child process or of the
    interpreter to its standard error would go into it.
    """
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            _open_null(number)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            stream = open(number, mode, closefd=False, encoding="utf-8")  # noqa: SIM115 - stays open
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _open_null(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)


def finish() -> None:
    """Flushes `sys.stdout` and `sys.stderr`.

    Python itself does so at its very end, where a failure shows a traceback, and the exit code is 120.

    Raises:
        OutputLost: stdout cannot be written; its buffer is dropped.
    """
    if _flushed(sys.stderr) is not None:
        discard(sys.stderr)
    error = _flushed(sys.stdout)
    if error is not None:
        discard(sys.stdout)
        raise OutputLost(error)


def _flushed(stream: TextIO) -> OSError | None:
    try:
        stream.flush()
    except OSError as error:
        return error
    except ValueError:  # the program has closed it
        return None
    return None


def discard(stream: TextIO) -> None:
    """Drops the buffer of *stream*, and all that is written to it from now on."""
    with suppress(OSError, ValueError):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def write_out(text: str, stream: TextIO | None = None) -> None:
    """Writes *text* to *stream*, by default stdout.

    Raises:
        OutputLost: it cannot be written; the stream drops all from then on.
    """
    target = sys.stdout if stream is None else stream
    try:
        target.write(text)
    except OSError as error:
        discard(target)
        raise OutputLost(error) from None


def complain(message: str, hint: str | None = None) -> None:
    """Writes `pyx: message` to stderr, and a line with the hint; drops both where stderr fails too."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"pyx: {message}\n" + (f"hint: {hint}\n" if hint else ""))
        sys.stderr.flush()


def warn(message: str) -> None:
    """Writes `warning: message` to stderr; drops it where stderr fails."""
    with suppress(OSError, ValueError):
        text = f"warning: {message}\n"
        if sys.stderr.isatty():
            from pyx.shell.wrapping import NARROW_COLUMNS, wrapped  # few runs have a warning

            text = wrapped(text, os.get_terminal_size(sys.stderr.fileno()).columns or NARROW_COLUMNS)
        sys.stderr.write(text)


@contextmanager
def replaced(
    stdin: TextIO | StreamProxy, stdout: TextIO | StreamProxy, stderr: TextIO | StreamProxy
) -> Iterator[None]:
    """Makes these the standard streams of `sys` inside."""
    found = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = found
