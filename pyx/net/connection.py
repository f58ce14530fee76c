"""One established session over one connection: signals of a queue go out, batches of signals come in.  Not
here: the handshake before it (`net/endpoint.py`) and what a signal means (`core`).

Reading, closing and every call of the loop's reader/writer interface happen on the transport's loop; writing
happens on whichever thread calls `flush`.

The lock guards the descriptor and what was transmitted but not yet sent.  Rules:

1. It is only ever tried, never waited for, and no other lock is taken under it.
2. Lost wake-ups: whoever wants something sent has appended to `out` *before* he tries the lock.  If he gets
   it, he sends.  If he does not, there is a holder who has not released yet, and who looks at `out` again
   *after* he has released: that look comes after the append, so it sees it.  The one case in which a holder
   leaves something in `out` on purpose is a full socket: then the loop's writer is registered, and the next
   flush is its.  The same holds for who waits until `out` is lighter: he adds his slot before he looks, and
   the holder counts what has left before he looks for slots.
3. The descriptor is closed under it, after reader and writer are removed: so no thread sends on a number
   that the system has given to another file, and the loop watches none that is not ours any more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final

from pyx.core.outbox import LOADED_BYTES, OVERLOADED_BYTES
from pyx.errors import ProtocolError
from pyx.net import stall
from pyx.net.forks import close_in_children
from pyx.signals import Goodbye, queued_bytes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from pyx.core.outbox import Outbox
    from pyx.net.stream import Stream
    from pyx.signals import Signal
    from pyx.wire.frames.signal_stream import SignalStream

_READ_BYTES: Final = 128 * 1024
_ROUNDS: Final = 8
"""After so many full gathers in one `flush` the loop goes on: a process is not made the others' postman."""

_LAST_READS: Final = 64
"""How much is still read from a peer that does not listen any more: 8 MiB."""

_PAUSE_SECONDS: Final = 0.05
"""So often it is looked at what became of a peer that is not read from."""

_GOODBYE_BYTES: Final = queued_bytes(Goodbye())
"""The last in the queue of a link that is closed gracefully."""

CLOSED_HERE: Final = "it was closed by this node"

_LINGER_SECONDS: Final = 5.0
"""How long a graceful close waits for a peer that takes nothing of the rest, or does not close its end."""


class Connection:
    """A live connection to a peer.  Make it, then `start` it on its loop.

    `on_lost` is called exactly once, however the link ends, and nothing comes after it.  Both callbacks run
    on the loop, outside the lock.

    Args:
        loop: the transport's loop (asyncio's or uvloop's).
        stream: the connection, handed over.
        session: the signals' way to bytes; used by this link alone.
        out: the queue of signals for the peer.  Others put in (in whatever order they promise each other),
            only this link takes out.
        on_signals: takes every batch that was read; one may be empty, a piece of a signal having come.
        on_lost: takes the reason as a sentence.
        trouble: takes a sentence on a signal that could not be sent.
        first: bytes that go out before any signal (the end of the handshake).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stream: Stream,
        session: SignalStream,
        out: Outbox,
        on_signals: Callable[[list[Signal]], None],
        on_lost: Callable[[str], None],
        *,
        trouble: Callable[[str], None],
        first: bytes = b"",
    ) -> None:
        self.out = out
        self._loop = loop
        self._stream = stream
        self._session = session
        self._on_signals = on_signals
        self._on_lost = on_lost
        self._trouble = trouble
        self._descriptor = stream.fileno()
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._lock = threading.Lock()
        # guarded by the lock
        self._unsent = memoryview(first)
        self._lighter = 0  # by so much is `out` once that has left
        self._taken = 0  # how often the socket took something
        self._full = False  # the loop's writer is registered, or about to be
        self._broken = False  # nothing can be written any more
        # written on the loop only
        self._ended = False
        self._held = False
        self._pause: asyncio.TimerHandle | None = None  # set while the peer is loaded, and not read from
        self._linger: asyncio.TimerHandle | None = None
        self._next_look: asyncio.TimerHandle | None = None
        # written by anyone: a flush on the loop is on its way
        self._flush_is_due = False
        self._closing = False
        close_in_children(self)

    def start(self, trailing: bytes = b"") -> None:
        """Begins to read and to write; on the loop.

        Args:
            trailing: what the peer sent behind its handshake.
        """
        if trailing and not self._heard(trailing):
            return
        if not (self._ended or self._held):
            if self._pause is None:
                self._loop.add_reader(self._descriptor, self._readable)
            self.flush()

    def hold(self) -> None:
        """Stops reading and writing: all that is under way waits, as behind a cut cable.  On the loop."""
        if not (self._ended or self._held):
            self._held = True
            self._loop.remove_reader(self._descriptor)

    def release(self) -> None:
        """Goes on after `hold`; on the loop."""
        if self._held:
            self._held = False
            self.start()

    # ------------------------------------------------------------ writing, on any thread

    def flush(self) -> None:
        """Sends what is queued, as far as it goes without waiting; any thread, at any time."""
        for _ in range(_ROUNDS):
            if not self._lock.acquire(blocking=False):
                return  # rule 2: the holder looks again
            try:
                self._write()
            finally:
                self._lock.release()
            self._wake_waiters()
            if self._pause is not None:
                self._on_loop(self._read_again)
            if self._full or self._broken or self._held:
                return
            if self._is_empty:
                if self._closing:
                    self._on_loop(self._all_sent)
                return
        self.flush_later()

    @property
    def _is_empty(self) -> bool:
        return not self.out and not self.out.first and self._session.is_empty

    def _wake_waiters(self) -> None:
        if self.out.waiters and self.out.is_below_low_water:
            self.out.waiters.wake()

    def flush_later(self) -> None:
        """Has the loop flush, once for all calls until it does; any thread."""
        if not self._flush_is_due:
            self._flush_is_due = True
            self._on_loop(self._due_flush)

    def _due_flush(self) -> None:
        self._flush_is_due = False  # before the look: what is appended from here on asks anew
        self.flush()

    def _write(self) -> None:
        """Sends one gather; the lock is held."""
        if self._full or self._broken or self._held:
            return
        if not self._unsent:
            try:
                data, self._lighter = self._session.transmit(self.out.first or self.out)
            except Exception as error:  # whatever it is: what was taken out is lost, so the link is
                self._give_up(f"a signal for it cannot be sent: {error}")
                return
            self._unsent = memoryview(data)
            for sentence in self._session.unwritten():
                self._on_loop(self._trouble, sentence)
        try:
            while self._unsent:
                self._unsent = self._unsent[self._stream.send(self._unsent) :]
                self._taken += 1
        except BlockingIOError:
            self._full = True
            self._on_loop(self._watch_writable)
        except OSError as error:
            self._give_up(_words(error))
        else:
            self.out.written += self._lighter
            self._lighter = 0

    def _give_up(self, reason: str) -> None:
        # Only the loop may end the link, and not before it has read what the peer said last.
        self._broken = True
        self._on_loop(self._hear_out, reason)

    # ------------------------------------------------------------ closing, on any thread

    def close(self, *, gracefully: bool) -> None:
        """Ends the link: at once, or after everything queued has been sent and read (or 5 s); any thread.

        `on_lost` tells when it is done.
        """
        if gracefully:
            self._closing = True
            self.flush()
            self._on_loop(self._wait_no_longer_than)
        else:
            self._on_loop(self._end, CLOSED_HERE)

    @property
    def is_closing(self) -> bool:
        """It was closed gracefully; any thread."""
        return self._closing

    @property
    def taken(self) -> int:
        """A number that changes whenever the peer's side of the socket takes something; any thread."""
        return self._taken

    @property
    def unsent_bytes(self) -> int:
        """How much of what processes said has not been handed to the system; any thread, also at the end."""
        unsent = self.out.enqueued - self.out.written
        return max(0, unsent - _GOODBYE_BYTES) if self._closing else unsent

    def close_in_child(self) -> None:
        """See `net/forks.py`."""
        self._broken = True
        self._stream.close()

    # ------------------------------------------------------------ on the loop

    def _on_loop(self, step: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the node is gone, and so is this link
            self._loop.call_soon_threadsafe(step, *args)

    def _watch_writable(self) -> None:
        if not self._ended:
            self._loop.add_writer(self._descriptor, self._writable)
            if self._next_look is None:
                self._look(stall.Stall(self._taken, time.monotonic()))

    def _look(self, waiting: stall.Stall) -> None:
        """Something waits for the peer: has it taken any of it lately?"""
        self._next_look = None
        if self._ended or not self._full:
            return
        again = waiting.look(self._taken, time.monotonic())
        if again:
            self._next_look = self._loop.call_later(again, self._look, waiting)
        else:
            seconds = f"{stall.STALLED_SECONDS:g} s"
            self._end(f"it took nothing for {seconds} of the {self.out.queued:,} bytes for it")

    def _writable(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # it stays writable: the loop calls again at once
        try:
            self._full = False
            self._write()
            if not self._full:
                self._loop.remove_writer(self._descriptor)
        finally:
            self._lock.release()
        self._wake_waiters()
        if not self._full:
            self.flush()

    def _readable(self) -> None:
        self._read()

    def _read(self) -> bool:
        """Reads once; True if something came."""
        try:
            size = self._stream.receive_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._end(_words(error))
            return False
        if not size:
            self._end(CLOSED_HERE if self._closing else "it closed the connection")
            return False
        return self._heard(self._buffer[:size])

    def _heard(self, data: bytes | memoryview) -> bool:
        try:
            signals = self._session.receive_data(data)
        except ProtocolError as error:
            self._end(f"it broke the protocol: {error}")
            return False
        except Exception as error:  # a fault of the wire's: this peer has met it, and the others go on
            self._end(f"what it sent cannot be read: {type(error).__name__}")
            return False
        self._on_signals(signals)
        if self.out.load >= LOADED_BYTES:
            self._read_no_more()
        return True

    # Too much waits for the peer that it has brought about itself.  Until half of that has left nothing is
    # read, so that it cannot make this node grow.  But two nodes that ask each other much may both be there,
    # and each waits for the other to read: so a peer that takes nothing is read from now and then, up to a
    # limit.

    def _read_no_more(self) -> None:
        if self._pause is None and not self._ended:
            self._loop.remove_reader(self._descriptor)
            self._pause = self._loop.call_later(_PAUSE_SECONDS, self._look_at_load, self._taken)

    def _look_at_load(self, taken: int) -> None:
        self._pause = None
        if self._ended:
            return
        if self._taken != taken:
            self._on_signals([])  # it takes something, so it lives, though nothing of it is heard
        elif self.out.load < OVERLOADED_BYTES and not self._held:
            self._read()
        self._read_no_more()
        self._read_again()

    def _read_again(self) -> None:
        if self._pause is not None and not self._ended and self.out.load <= LOADED_BYTES // 2:
            self._pause.cancel()
            self._pause = None
            if not self._held:
                self._loop.add_reader(self._descriptor, self._readable)

    def _hear_out(self, reason: str) -> None:
        for _ in range(_LAST_READS):
            if self._ended or not self._read():
                break
        self._end(reason)

    def _all_sent(self) -> None:
        if self._broken or not self._lock.acquire(blocking=False):
            return  # a holder comes back here
        try:
            if self._is_empty and not self._unsent:
                self._broken = True
                # The peer reads to the end, closes, and so ends this link too.  Closing now, with something
                # unread here, would throw away what is still under way to it.
                self._stream.end_writing()
        finally:
            self._lock.release()

    def _wait_no_longer_than(self) -> None:
        if self._linger is None:
            self._linger_on(-1)

    def _linger_on(self, taken: int) -> None:
        """Waits as long as the peer has taken more than that since the last look."""
        if self._ended:
            return
        if self._taken == taken:
            self._end(CLOSED_HERE)
        else:
            self._linger = self._loop.call_later(_LINGER_SECONDS, self._linger_on, self._taken)

    def _end(self, reason: str) -> None:
        if self._ended:
            return
        self._loop.remove_reader(self._descriptor)
        if not self._lock.acquire(blocking=False):
            self._loop.call_soon(self._end, reason)
            return
        try:
            self._ended = self._broken = True
            self._loop.remove_writer(self._descriptor)
            self._stream.close()
            self._unsent = memoryview(b"")
        finally:
            self._lock.release()
        self._session.close()
        for timer in (self._linger, self._next_look, self._pause):
            if timer is not None:
                timer.cancel()
        on_lost = self._on_lost
        self._on_lost = self._on_signals = _nothing  # their owner knows this link: a cycle
        on_lost(reason)


def _nothing(_: object) -> None:
    return


def _words(error: OSError) -> str:
    return f"the connection broke ({error.strerror or error})"
