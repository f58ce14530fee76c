"""The one writer of a terminal (or pipe): every line goes through one queue, so that their order is true.

Any thread may write and none of them ever waits here, except the thread of the shell, which writes by itself.
While a prompt is shown the terminal's own loop takes the queue and prints above it (see `terminal`).
Not here: who may print where (the group leader, in the runtime), and prompt_toolkit.
"""

from __future__ import annotations

import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol, TextIO

from pyx.printable import filter_foreign
from pyx.runtime.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.terms import Pid

BATCH_CHARACTERS: Final = 1 << 16
MOST_QUEUED_CHARACTERS: Final = 1 << 24
"""Lines beyond this are dropped, and their number is shown: a terminal is slower than a loop that prints."""


class Screen:
    """Writes to *stream*.  The thread that makes it is the shell's.

    Args:
        gone: called once, by any thread, with why the stream cannot be written any more (the terminal was
            closed, the reader of a pipe left, the disk is full).
        most_queued: characters that may wait.

    Nothing here takes a lock that a finalizer could meet again: the queue is a deque, the writing lock is
    never waited for by the thread that holds it.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        gone: Callable[[OSError | ValueError], object] = lambda _error: None,
        most_queued: int = MOST_QUEUED_CHARACTERS,
    ) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._most_queued = most_queued
        self._queue: deque[str] = deque()
        self._queued = 0  # characters; only roughly true between threads, exact whenever the queue is empty
        self._dropped = 0
        self._at_line_start = True
        self._writing = threading.Lock()
        self._writer: int | None = None  # the thread that holds it
        self._shell = threading.get_ident()
        self._above: Callable[[], None] | None = None
        self._asked = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._gone: Callable[[OSError | ValueError], object] | None = gone

    def write(self, text: str, *, frm: Pid | None = None) -> None:
        """Shows *text*; what a process of another node printed (*frm*) is filtered.  Never raises."""
        mine = threading.get_ident() == self._shell
        if self._gone is None:
            return
        if frm is not None and not frm.is_local:
            text = filter_foreign(text)
        if self._queued > self._most_queued and not mine:
            self._dropped += text.count("\n")
            return
        self._queue.append(text)
        self._queued += len(text)
        above = self._above
        if above is not None:
            if not self._asked:
                self._asked = True
                above()
        elif mine:
            self.drain()
        else:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_writing, name="pyx-screen", daemon=True)
                self._thread.start()
            self._wake.put(None)

    def fresh_line(self) -> None:
        """Ends a line that a print left open, so that the prompt starts in the first column."""
        self.drain()
        if not self._at_line_start:
            self.write("\n")

    def line_was_ended(self) -> None:
        """The terminal itself has shown a line end: the person pressed Enter."""
        self._at_line_start = True

    def attach(self, above: Callable[[], None]) -> None:
        """A prompt is shown from now on: *above* (any thread may call it) has its loop call `drain_above`."""
        with self._writing:
            self._above = above
            self._asked = False
        if self._queue:
            self._asked = True
            above()

    def detach(self) -> None:
        """The prompt is gone: writes what waits, straight."""
        self._above = None
        self.drain()

    def drain(self) -> None:
        """Writes all that waits, on the shell's thread."""
        if self._writer == threading.get_ident():
            return  # a finalizer or signal handler printed: the drain it interrupted goes on with it
        with self._writing:
            while self._queue:
                self._write_batch()

    def drain_above(self) -> bool:
        """Writes one batch of whole lines above the prompt, on its loop; True while more waits."""
        self._asked = False
        with self._writing:
            self._write_batch()
            if not self._at_line_start:
                self._put("\n")
        return self.waits

    def close(self) -> None:
        """Writes what waits, and nothing after it: the process is about to end, under its daemon threads."""
        self.detach()
        self._writing.acquire()
        self._gone = None
        self._queue.clear()

    @property
    def waits(self) -> bool:
        """True while something has not been written yet."""
        return bool(self._queue)

    def _keep_writing(self) -> None:
        while True:
            self._wake.get()
            with self._writing:
                while self._queue and self._above is None:
                    self._write_batch()
                above = self._above
            if above is not None and self._queue:
                above()  # a prompt came between the write and this thread

    def _write_batch(self) -> None:
        self._writer = threading.get_ident()
        try:
            parts: list[str] = []
            size = 0
            while self._queue and size < BATCH_CHARACTERS:
                parts.append(self._queue.popleft())
                size += len(parts[-1])
            self._queued = self._queued - size if self._queue else 0
            if self._dropped:
                parts.append(f"... {self._dropped} lines dropped: they came faster than they can be shown\n")
                self._dropped = 0
            if parts:
                self._put("".join(parts))
        finally:
            self._writer = None

    def _put(self, text: str) -> None:
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:  # a lone surrogate, or a terminal that is not UTF-8
                text = text.encode(self._encoding, "backslashreplace").decode(self._encoding)
                self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            gone, self._gone = self._gone, None
            self._queue.clear()
            if gone is not None:
                gone(error)
            return
        if text:
            self._at_line_start = text.endswith("\n")


class Shows(Protocol):
    """What a `ScreenStream` needs of a screen."""

    def write(self, text: str) -> None:
        """Shows *text*."""


class ScreenStream(StandIn):
    """A text stream whose whole lines go to the screen: for stderr, and for threads that are not a process.

    Each thread has a line of its own under way; `flush` shows it at once only on the shell's thread.
    """

    def __init__(self, screen: Shows, found: TextIO) -> None:
        super().__init__(found)
        self._screen = screen
        self._shell = threading.get_ident()
        self._lines: dict[int, str] = {}

    def put(self, text: str) -> None:
        """See `StandIn`."""
        me = threading.get_ident()
        waiting = self._lines.get(me, "") + text
        end = waiting.rfind("\n") + 1
        if end:
            self._screen.write(waiting[:end])
        if waiting[end:]:
            self._lines[me] = waiting[end:]
        else:
            self._lines.pop(me, None)

    def pass_on(self) -> None:
        """See `StandIn`, and the class."""
        if threading.get_ident() == self._shell and (line := self._lines.pop(self._shell, "")):
            self._screen.write(line)
