"""pyx's own log as a shell shows it: `[warning] text` on `sys.stderr`."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from pyx.shell.wrapping import NARROW_COLUMNS, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class LogHandler(logging.Handler):
    """Writes each record from WARNING on to `sys.stderr`, whichever stream that is by then.

    Where the program has set up a log of its own, a record is left to that log: it is shown once.

    Args:
        columns: returns the width of the terminal that shows the log.
    """

    def __init__(self, columns: Callable[[], int] = lambda: NARROW_COLUMNS) -> None:
        super().__init__(logging.WARNING)
        self._columns = columns

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        if self._has_another(logging.getLogger(record.name)):
            return
        with contextlib.suppress(OSError, ValueError):
            line = f"[{record.levelname.lower()}] {record.getMessage()}\n"
            sys.stderr.write(wrapped(line, self._columns()))

    def _has_another(self, logger: logging.Logger | None) -> bool:
        """True if another handler receives the records of *logger* too."""
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False


@contextlib.contextmanager
def log_shown(columns: Callable[[], int] = lambda: NARROW_COLUMNS) -> Iterator[None]:
    """Shows pyx's log inside; see `LogHandler`."""
    handler = LogHandler(columns)
    logging.getLogger("pyx").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("pyx").removeHandler(handler)
