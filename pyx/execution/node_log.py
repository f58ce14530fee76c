"""The logger of a node, `pyx.node`: records of an event loop's thread are written on another thread.

A handler of `logging` may block for any time: a terminal after Ctrl-S, a pipe that is not read.  The
transport would stop with it, and the peers would lose the node.  So records of a loop's thread, and of a
thread that reads for the node, wait in a bounded queue; of those that find it full only the number is logged.
The report of a crash is queued too.  The end of its process waits until the report is written, so that the
log has it before links and monitors are told, but for `REPORT_SECONDS` at most.  All other threads write
their records themselves.  Handlers and formats are the program's (`shell` installs its own).
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import logging
import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from pyx.execution.thread_state import runs_loop, thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_LINES: Final = 1000
"""Records that may wait."""

_POLL_SECONDS: Final = 0.001
_LEAVE_SECONDS: Final = 1.0
"""How long the end of the program waits for the last records."""

REPORT_SECONDS: Final = 5.0
"""How long the end of a process waits for the report of its crash, unless the log is known to be blocked."""


class NodeLog:
    """The part of `logging.Logger` that pyx uses."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self.waiting: Final[deque[tuple[logging.LogRecord, _thread.LockType | None]]] = deque()
        """The queued records, each with the lock that is released once it is written, if a thread waits."""
        self._reports: Final[set[int]] = set()
        """The threads that are about to log the crash of a process."""
        self.is_blocked = False
        """True from a wait in vain until the next record is written: another wait would be in vain too."""
        self._began_at = 0.0
        """When the first of the queued records came to that place, by `time.monotonic`."""
        self._left_out = 0
        self._writes = _thread.allocate_lock()
        self._writer_is_due = False

    def info(self, text: str, *args: object) -> None:
        """See `logging.Logger.info`."""
        self.log(logging.INFO, text, *args)

    def warning(self, text: str, *args: object) -> None:
        """See `logging.Logger.warning`."""
        self.log(logging.WARNING, text, *args)

    def error(self, text: str, *args: object, exc_info: BaseException | None = None) -> None:
        """See `logging.Logger.error`; *exc_info* is the exception to show."""
        self.log(logging.ERROR, text, *args, error=exc_info)

    def exception(self, text: str, *args: object) -> None:
        """See `logging.Logger.exception`."""
        self.log(logging.ERROR, text, *args, error=sys.exception())

    def log(
        self,
        level: int,
        text: str,
        *args: object,
        error: BaseException | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Logs a record, with the traceback of *error* if there is one, and *fields* as its attributes."""
        logger = self._logger
        if not logger.isEnabledFor(level):
            return
        exc_info = (type(error), error, error.__traceback__) if error is not None else None
        record = logger.makeRecord(logger.name, level, __file__, 0, text, args, exc_info, extra=fields)
        if runs_loop() or thread.state.runs_transport:
            self._put(record, None)
        elif _thread.get_ident() in self._reports:
            self._report(record)
        else:
            logger.handle(record)

    def _report(self, record: logging.LogRecord) -> None:
        written = _thread.allocate_lock()
        written.acquire()
        if self.is_blocked:
            self._put(record, None)
        elif not self._put(record, written):
            self._write()
        elif not written.acquire(True, REPORT_SECONDS):
            self.is_blocked = True  # before the last look, as the writer releases before it writes False
            if written.acquire(False):
                self.is_blocked = False

    def _put(self, record: logging.LogRecord, written: _thread.LockType | None) -> bool:
        """Queues a record; returns False if the system has no thread left to write it.

        A record that a thread waits for is queued even if the queue is full.
        """
        if written is None and len(self.waiting) >= MOST_LINES:
            self._left_out += 1
            return True
        if not self.waiting:
            self._began_at = time.monotonic()
        self.waiting.append((record, written))
        if not self._writer_is_due:
            self._writer_is_due = True
            try:
                _thread.start_new_thread(self._write, ())
            except RuntimeError:  # the system has no thread left: the next line tries again
                self._writer_is_due = False
                return False
        return True

    def _write(self) -> None:
        with self._writes:
            self._writer_is_due = (
                False  # before the queue is read: a record put from here on starts a new writer
            )
            while self.waiting:
                record, written = self.waiting[0]
                self._began_at = time.monotonic()
                try:
                    self._logger.handle(record)
                except Exception:  # of the program's own filter
                    sys.excepthook(*sys.exc_info())
                self.waiting.popleft()  # after the write: `settle` waits for it
                if written is not None:
                    written.release()
                self.is_blocked = False
            left_out, self._left_out = self._left_out, 0
        if left_out:
            self._logger.warning("%d log lines dropped: the log handler was blocked", left_out)

    def settle(self, seconds: float) -> None:
        """Waits until the queued records, and reports of crashes, are written, at most *seconds*."""
        if not (self.waiting or self._reports):
            return
        give_up = time.monotonic() + seconds
        while (self.waiting or self._reports) and time.monotonic() < give_up:
            time.sleep(_POLL_SECONDS)
        if self.waiting and time.monotonic() - self._began_at > REPORT_SECONDS:
            self.is_blocked = True

    @contextlib.contextmanager
    def report(self) -> Iterator[None]:
        """Has `settle` wait for the body, on this thread, which logs the report of a crash."""
        ident = _thread.get_ident()
        self._reports.add(ident)
        try:
            yield
        finally:
            self._reports.discard(ident)

    def _was_forked(self) -> None:
        # The parent's writer thread writes the queued records; it does not exist in the child.
        self.waiting.clear()
        self._reports.clear()
        self._writes = _thread.allocate_lock()
        self._writer_is_due = self.is_blocked = False


log: Final = NodeLog(logging.getLogger("pyx.node"))

atexit.register(log.settle, _LEAVE_SECONDS)
os.register_at_fork(after_in_child=log._was_forked)  # noqa: SLF001 - this file's own
