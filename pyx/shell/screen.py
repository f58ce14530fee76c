"""The one writer of a terminal (or pipe): every line goes through one queue, so that their order is true.

Any thread may write, and none of them waits in `write`.  The shell's thread writes by itself where the stream
takes it at once; else a thread of the screen does, and may stand still with the terminal (Ctrl-S, `| less`).
While a prompt is shown the terminal's own loop takes the queue and prints above it (see `terminal`).
Not here: who may print where (the group leader, in the runtime), and prompt_toolkit.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, TextIO

from pyx.execution.slots import LockSlot
from pyx.execution.stream_proxy import StreamProxy
from pyx.printable import filter_foreign

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import SupportsWrite

    from pyx.terms import Pid

BATCH_CHARACTERS: Final = 1 << 16
FULL_CHARACTERS: Final = 1 << 18
"""From so many on the lines of processes wait where they are bounded and their senders slowed down."""
MOST_QUEUED_CHARACTERS: Final = 1 << 24
"""Lines beyond this (of threads that are not a process) are dropped, and their number is shown."""
_AT_ONCE_CHARACTERS: Final = select.PIPE_BUF // 4
"""A pipe or terminal that can be written at all takes so many, in any encoding, without waiting."""
_LOOK_SECONDS: Final = 0.5


class Screen:
    """Writes to *stream*.  The thread that makes it is the shell's.

    Args:
        gone: called once, by any thread, with why the stream cannot be written any more (the terminal was
            closed, the reader of a pipe left, the disk is full).
        on_output: called by any thread with the arguments of each `write`.
        most_queued: characters that may wait.

    Nothing here takes a lock that a finalizer could meet again: the queue is a deque, the writing lock is
    never waited for by the thread that holds it.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        gone: Callable[[OSError | ValueError], object] = lambda _error: None,
        on_output: Callable[[str, Pid | None], object] = lambda _text, _frm: None,
        most_queued: int = MOST_QUEUED_CHARACTERS,
    ) -> None:
        self._stream = stream
        self._descriptor = _descriptor_of(stream)
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
        self._written: Final = LockSlot()
        self._short_of_room: Final[deque[Callable[[], object]]] = deque()
        self._hurries = False
        self._gone: Callable[[OSError | ValueError], object] | None = gone
        self._on_output = on_output

    def write(self, text: str, *, frm: Pid | None = None) -> None:
        """Shows *text* of a process, filtered if that is of another node, or of a thread (*frm* is None)."""
        if frm is not None and not frm.is_local:
            text = filter_foreign(text)
        self._on_output(text, frm)
        self.show(text)

    def show(self, text: str) -> None:
        """Shows *text* of the shell itself, which reports it by itself.  Never raises."""
        mine = threading.get_ident() == self._shell
        if self._gone is None:
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
            self._have_written()

    def has_room(self, then: Callable[[], object]) -> bool:
        """See `runtime.output.Pace`."""
        if self._is_full:
            self._short_of_room.append(then)
            return not self._is_full  # looked at again: the writer may have found nothing to call
        return True

    @property
    def _is_full(self) -> bool:
        return self._queued >= FULL_CHARACTERS and bool(self._queue)

    def settle(self) -> bool:
        """See `runtime.output.Pace`; output above a prompt is the prompt's business."""
        return True if self._above is not None else self.drain()

    def hurry(self) -> None:
        """From now on nothing waits for a stream that takes nothing."""
        self._hurries = True
        self._written.wake()

    def fresh_line(self) -> None:
        """Ends a line that a print left open, so that the prompt starts in the first column."""
        self.drain()
        if not self._at_line_start:
            self.show("\n")

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

    def detach(self) -> bool:
        """The prompt is gone: writes what waits, straight; False if that was given up."""
        self._above = None
        return self.drain()

    def drain(self) -> bool:
        """Waits until all is written; False if that was given up, in a hurry.  Ctrl-C may raise here."""
        while (self._queue or self._writer is not None) and self._gone is not None:
            if self._writer == threading.get_ident():
                break  # a finalizer or signal handler printed: the drain it interrupted goes on with it
            if self._write_at_once():
                continue
            self._have_written()
            if not self._written.wait(_LOOK_SECONDS) and self._hurries:
                return False
        return True

    def drain_above(self) -> bool:
        """Writes one batch of whole lines above the prompt, on its loop; True while more waits."""
        self._asked = False
        with self._writing:
            self._write_batch()
            if not self._at_line_start:
                self._put("\n")
        self._tell_of_room()
        return self.waits

    def close(self) -> bool:
        """Writes what waits, and nothing after it: the process is about to end, under its daemon threads.

        False if it gave up, as the stream takes nothing.
        """
        is_done = self.detach()
        self._writing.acquire(timeout=_LOOK_SECONDS)  # in a hurry another thread may stand still in there
        self._gone = None
        self._queue.clear()
        return is_done

    @property
    def waits(self) -> bool:
        """True while something has not been written yet."""
        return bool(self._queue)

    def _write_at_once(self) -> bool:
        """Writes all that waits, and is True, if no thread is at it and the stream takes it at once."""
        if self._writer == threading.get_ident():
            return True
        if not self._takes_all() or not self._writing.acquire(blocking=False):
            return False
        try:
            while self._queue:
                if not self._takes_all():
                    return False
                self._write_batch()
        finally:
            self._writing.release()
        self._tell_of_room()
        return True

    def _takes_all(self) -> bool:
        if self._descriptor is None:
            return True
        if self._queued > _AT_ONCE_CHARACTERS:
            return False
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(0))  # an error is found out by the write

    def _have_written(self) -> None:
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
                self._tell_of_room()
            above = self._above
            if above is not None and self._queue:
                above()  # a prompt came between the write and this thread

    def _tell_of_room(self) -> None:
        while not self._is_full:
            try:
                tell = self._short_of_room.popleft()
            except IndexError:  # none is left, or another thread has told the last one
                return
            tell()

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
            if self._descriptor is None:
                self._write_to_stream(text)
            self._stream.flush()  # what others have put into its buffer comes first
            if self._descriptor is not None:
                _write_all(self._descriptor, self._encoded(text))
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            gone, self._gone = self._gone, None
            self._queue.clear()
            if gone is not None:
                gone(error)
            return
        if text:
            self._at_line_start = text.endswith("\n")

    def _write_to_stream(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            self._stream.write(self._encoded(text).decode(self._encoding))

    @property
    def _encoding(self) -> str:
        return getattr(self._stream, "encoding", None) or "utf-8"  # now: a program may `reconfigure` it

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self._encoding, getattr(self._stream, "errors", None) or "strict")
        except UnicodeEncodeError:  # a lone surrogate, or a terminal that is not UTF-8
            return text.encode(self._encoding, "backslashreplace")


def _descriptor_of(stream: TextIO) -> int | None:
    """Written straight: a thread that stood still inside a stream would keep its lock until the end."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # another program that shares the terminal has set it so
            select.select([], [descriptor], [])


class ScreenStream(StreamProxy):
    """A text stream whose whole lines go to the screen: for stderr, and for threads that are not a process.

    Each thread has a line of its own under way; `flush` shows it at once only on the shell's thread.
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
        """See `StreamProxy`, and the class."""
        if threading.get_ident() == self._shell and (line := self._lines.pop(self._shell, "")):
            self._screen.write(line)
