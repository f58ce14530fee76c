"""The one writer of a terminal (or pipe): every line goes through one queue, which keeps their order.

Any thread may write, and none of them waits in `write`.  The shell's thread writes to the stream itself where
that accepts the text at once; else a thread of the screen does, and may be blocked with the terminal (Ctrl-S,
`| less`).  While a prompt is shown the editor's event loop takes the queue and prints above it (see
`terminal.py`).
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, TextIO

from pyx.execution.slots import LockSlot
from pyx.execution.stream_proxy import StreamProxy
from pyx.printable import filter_foreign
from pyx.shell.text_writer import TextWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import SupportsWrite

    from pyx.terms import Pid

BATCH_CHARACTERS: Final = 1 << 16
FULL_CHARACTERS: Final = 1 << 18
"""The high-water mark: above it the lines of processes wait in their own queues, which are bounded and slow
their senders down."""
MOST_QUEUED_CHARACTERS: Final = 1 << 24
"""Above this, lines (of threads that are not a process) are dropped, and their number is shown."""
_LOOK_SECONDS: Final = 0.5
_MOST_LOOKS: Final = 10
"""A thread that is about to write may have to wait for a processor, and so for several looks."""


class Screen:
    """The writer of *stream*.  The thread that makes it is the shell's.

    Args:
        stream: the terminal, pipe or file.
        on_lost: called once, by any thread, with the error once the stream cannot be written any more (the
            terminal was closed, the reader of a pipe left, the disk is full).
        on_output: called by any thread with the (filtered) arguments of each `write`.
        most_queued: the longest queue, in characters.

    Nothing here takes a lock that a finalizer could meet again: the queue is a deque, the writing lock is
    never waited for by the thread that holds it.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        on_lost: Callable[[OSError | ValueError], object] = lambda _error: None,
        on_output: Callable[[str, Pid | None], object] = lambda _text, _frm: None,
        most_queued: int = MOST_QUEUED_CHARACTERS,
    ) -> None:
        self._output = TextWriter(stream)
        self._most_queued = most_queued
        self._queue: deque[str] = deque()
        self._queued = 0  # characters; only roughly true between threads, exact whenever the queue is empty
        self._dropped = 0
        self._at_line_start = True
        self._writing = threading.Lock()
        self._writer: int | None = None  # the thread that holds the lock
        self._shell = threading.get_ident()
        self._above: Callable[[], None] | None = None
        self._asked = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._written: Final = LockSlot()
        self._waiters: Final[deque[Callable[[], object]]] = deque()
        self._hurries = False
        self._on_lost: Callable[[OSError | ValueError], object] | None = on_lost
        self._on_output = on_output

    def write(self, text: str, *, frm: Pid | None = None) -> None:
        """Shows *text* of the process *frm* (None: a thread, the log), filtered if it is of another node."""
        if frm is not None and not frm.is_local:
            text = filter_foreign(text)
        self._on_output(text, frm)
        self.show(text)

    def show(self, text: str) -> None:
        """Shows *text* of the shell itself, which reports it by itself.  Never raises."""
        mine = threading.get_ident() == self._shell
        if self._on_lost is None:
            return
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
        elif not (mine and self._write_at_once()):
            self._write_on_thread()

    def has_room(self, then: Callable[[], object]) -> bool:
        """See `execution.console_writer.Pace`."""
        if self._is_full:
            self._waiters.append(then)
            return not self._is_full  # checked again: the writer may have found nothing to call
        return True

    @property
    def _is_full(self) -> bool:
        return self._queued >= FULL_CHARACTERS and bool(self._queue)

    def settle(self) -> bool:
        """See `execution.console_writer.Pace`; does not wait during a prompt, whose loop writes the queue."""
        return True if self._above is not None else self.drain()

    def hurry(self) -> None:
        """From now on nothing waits for a stream that accepts nothing."""
        self._hurries = True
        self._written.wake()

    def fresh_line(self) -> None:
        """Ends a line that a print left open, so that the prompt starts in the first column."""
        self.drain()
        if not self._at_line_start:
            self.show("\n")

    def line_was_ended(self) -> None:
        """Notes that the terminal itself has shown the end of a line: the user pressed Enter."""
        self._at_line_start = True

    def attach(self, above: Callable[[], None]) -> None:
        """Hands the queue to a prompt: *above*, called by any thread, makes its loop call `drain_above`."""
        with self._writing:
            self._above = above
            self._asked = False
        if self._queue:
            self._asked = True
            above()

    def detach(self) -> bool:
        """Takes the queue back from a prompt, and writes it; returns False if that was given up."""
        self._above = None
        return self.drain()

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Keeps all text back while another program has the terminal, and writes it afterwards."""
        self.drain()
        self.attach(lambda: None)
        try:
            yield
        finally:
            self.detach()

    def drain(self) -> bool:
        """Waits until all is written; Ctrl-C may raise here.

        Returns:
            False if `hurry` ended the wait: the stream accepts nothing, or its writer is not run.
        """
        looks = 0
        while (self._queue or self._writer is not None) and self._on_lost is not None:
            if self._writer == threading.get_ident():
                break  # a finalizer or signal handler printed: the drain that it interrupted writes it
            if self._write_at_once():
                continue
            self._write_on_thread()
            if self._written.wait(_LOOK_SECONDS) or not self._hurries:
                continue
            looks += 1
            if looks == _MOST_LOOKS or not self._output.accepts(0):
                return False
        return True

    def drain_above(self) -> bool:
        """Writes one batch of whole lines above the prompt, on its loop; returns True while more waits."""
        self._asked = False
        with self._writing:
            self._write_batch()
            if not self._at_line_start:
                self._put("\n")
        self._wake_waiters()
        return self.waits

    def close(self) -> bool:
        """Writes the queue, and nothing after it: the process is about to end, under its daemon threads.

        Returns:
            False if that was given up, as the stream accepts nothing.
        """
        is_done = self.detach()
        self._writing.acquire(timeout=_LOOK_SECONDS)  # after `hurry` another thread may be blocked in there
        self._on_lost = None
        self._queue.clear()
        return is_done

    @property
    def waits(self) -> bool:
        """True while text is queued."""
        return bool(self._queue)

    def _write_at_once(self) -> bool:
        """Writes the queue if no other thread writes and the stream accepts it at once; True if it did."""
        if self._writer == threading.get_ident():
            return True
        if not self._output.accepts(self._queued) or not self._writing.acquire(blocking=False):
            return False
        try:
            while self._queue:
                if not self._output.accepts(self._queued):
                    return False
                self._write_batch()
        finally:
            self._writing.release()
        self._wake_waiters()
        return True

    def _write_on_thread(self) -> None:
        """Leaves the queue to the screen's own thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_writing, name="pyx-screen", daemon=True)
            self._thread.start()
        self._wake.put(None)

    def _keep_writing(self) -> None:
        while True:
            self._wake.get()
            while self._queue and self._above is None:
                with self._writing:
                    if self._above is None:
                        self._write_batch()
                self._wake_waiters()
            above = self._above
            if above is not None and self._queue:
                above()  # a prompt was shown between the write and this line

    def _wake_waiters(self) -> None:
        while not self._is_full:
            try:
                wake = self._waiters.popleft()
            except IndexError:  # none is left, or another thread has woken the last one
                return
            wake()

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
            self._written.wake()

    def _put(self, text: str) -> None:
        try:
            self._output.write(text)
        except (OSError, ValueError) as error:
            on_lost, self._on_lost = self._on_lost, None
            self._queue.clear()
            if on_lost is not None:
                on_lost(error)
            return
        if text:
            self._at_line_start = text.endswith("\n")


class ScreenStream(StreamProxy):
    """A text stream that writes whole lines to the screen: for stderr, and for threads without a process.

    Each thread has an unfinished line of its own; `flush` shows it only on the shell's thread.
    """

    def __init__(self, screen: SupportsWrite[str], found: TextIO) -> None:
        super().__init__(found)
        self._screen = screen
        self._shell = threading.get_ident()
        self._lines: dict[int, str] = {}

    def put(self, text: str) -> None:
        """See `StreamProxy`."""
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
        """See `StreamProxy`."""
        if threading.get_ident() == self._shell and (line := self._lines.pop(self._shell, "")):
            self._screen.write(line)
