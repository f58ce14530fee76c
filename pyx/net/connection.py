"""An authenticated connection: signals of a queue go out, batches of signals come in.

Closing and all calls of the loop's reader/writer interface happen on the transport's loop; writing happens on
any thread that calls `flush`, reading on the loop or on a thread that has borrowed its watch.

The lock guards the descriptor and the bytes that were encoded but not sent.  Rules:

1. The lock is only tried, never waited for, and no other lock is taken under it.
2. No lost wake-ups: a thread that wants something sent appends to `out` *before* it tries the lock.  If it
   gets the lock, it sends.  If not, another thread holds the lock, has not released it yet, and reads `out`
   again *after* the release: that read comes after the append, so it finds it.  In one case the holder leaves
   something in `out` on purpose: the socket is full.  Then the loop's writer is registered, and sends next.
   The same holds for a process that waits until `out` is shorter: it adds its slot before it reads the size,
   and the holder counts what was sent before it reads the slots.
3. The descriptor is closed under the lock, after reader and writer are removed: so no thread sends on a
   number that the system has given to another file, and the loop watches no foreign descriptor.

Reading has a lock of its own, only tried as well, and taken before the other one where both are needed.  It
is held from the read until the owner has the signals, so that they keep their order; what it guards is never
read twice.  The loop reads, or a thread that has borrowed its watch (`watch.py`).
"""

from __future__ import annotations

import _thread
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from pyx.core.outbox import LOADED_BYTES, OVERLOADED_BYTES
from pyx.errors import ProtocolError
from pyx.net import stall
from pyx.net.error_words import connection_broke
from pyx.net.forks import close_in_children
from pyx.net.watch import Watch
from pyx.signals import Goodbye, queued_bytes

if TYPE_CHECKING:
    import asyncio
    from collections import deque
    from collections.abc import Callable

    from pyx.core.outbox import Outbox
    from pyx.net.stream import Stream
    from pyx.signals import Signal

_READ_BYTES: Final = 128 * 1024
_ROUNDS: Final = 8
"""Number of full gathers in one `flush`; the loop sends the rest, so that one process does not send the
backlog of all others."""

_LAST_READS: Final = 64
"""Reads from a peer that accepts no data any more: at most 8 MiB."""

_PAUSE_SECONDS: Final = 0.05
"""Seconds between two checks of a peer that is not read from."""

_GOODBYE_BYTES: Final = queued_bytes(Goodbye())
"""Size of the last signal of a connection that is closed gracefully."""

CLOSED_HERE: Final = "it was closed by this node"

_LINGER_SECONDS: Final = 5.0
"""Seconds that a graceful close waits for a peer that accepts no data, or does not close its end."""


class SignalSession(Protocol):
    """Encodes and decodes the signals of a connection: `SignalStream`; with Erlang nodes `BeamSession`."""

    is_empty: bool
    """True when `transmit` has returned all bytes of the signals that it took."""

    @property
    def left_out(self) -> list[str]:
        """Not empty if there are signals for `unwritten`."""

    def transmit(self, signals: deque[Signal]) -> tuple[bytes, int]:
        """Returns (the next bytes to write, bytes released from the outbox once they are written)."""

    def unwritten(self) -> list[str]:
        """Returns the signals that could not be written since the last call, each as a sentence."""

    def unanswered(self) -> list[Signal]:
        """Returns answers, as if of the peer, to the calls among those."""

    def receive_data(self, data: bytes | memoryview) -> list[Signal]:
        """Returns the signals that *data* completes; raises ProtocolError."""

    def close(self) -> None:
        """Drops what is incomplete, because the connection ended."""


class ConnectionOwner(Protocol):
    """Takes what a connection receives.  Called on the loop, outside the connection's lock."""

    def signals_received(self, signals: list[Signal]) -> None:
        """Takes the signals of one read; none when only a part of a signal arrived."""

    def connection_lost(self, reason: str) -> None:
        """Takes the reason of the end, a sentence; exactly once, however it ended, and as the last call."""

    def signal_not_sent(self, reason: str) -> None:
        """Takes a sentence about a signal that could not be sent; the connection goes on."""


class Connection:
    """A connection to an authenticated peer.  Make it, then `start` it on its loop.

    Args:
        loop: the transport's loop (asyncio's or uvloop's).
        stream: the byte stream, which belongs to this connection from now on.
        session: encodes and decodes signals; used by this connection alone.
        out: the queue of signals for the peer.  Other threads append, this connection alone takes out.
        owner: takes what the connection receives, until it is lost.
        first: bytes to send before any signal (the end of the handshake).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stream: Stream,
        session: SignalSession,
        out: Outbox,
        owner: ConnectionOwner,
        *,
        first: bytes = b"",
    ) -> None:
        self.out = out
        self._loop = loop
        self._stream = stream
        self._session = session
        self._owner = owner
        self._descriptor = stream.fileno()
        self.watch = Watch(loop, stream.fileno(), self._readable)
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._reading = _thread.allocate_lock()
        """Held from a read until the owner has its signals; only tried."""
        self._lock = threading.Lock()
        # guarded by the lock
        self._unsent = memoryview(first)
        self._unsent_of_out = 0  # bytes of `out` that `_unsent` holds
        self._taken = 0  # number of times that the socket accepted data
        self._full = False  # the loop's writer is registered, or about to be
        self._broken = False  # nothing can be sent any more
        # guarded by the reading lock
        self.received_bytes = 0
        """Bytes that ever came from the peer, after the handshake."""
        self._read_end: str | None = None  # why there is nothing more to read
        # written on the loop only
        self._ended = False
        self._held = False
        self._pause: asyncio.TimerHandle | None = None  # set while the peer is overloaded, and not read from
        self._linger: asyncio.TimerHandle | None = None
        self._next_look: asyncio.TimerHandle | None = None
        # written by any thread: a flush on the loop is scheduled
        self._flush_is_due = False
        self._closing = False
        close_in_children(self)

    def start(self, trailing: bytes = b"") -> None:
        """Starts reading and sending; called on the loop.

        Args:
            trailing: bytes that the peer sent after its handshake.
        """
        if trailing:
            self._received(trailing)
            self._look_for_end()
        if not (self._ended or self._held):
            if self._pause is None:
                self.watch.start()
            self.flush()

    def hold(self) -> None:
        """Stops reading and sending, like a cut cable; called on the loop, for scenarios."""
        if not (self._ended or self._held):
            self._held = True
            self.watch.stop()

    def release(self) -> None:
        """Continues after `hold`; called on the loop."""
        if self._held:
            self._held = False
            self.start()

    # ------------------------------------------------------------ writing, on any thread

    def flush(self) -> None:
        """Sends queued signals as far as possible without blocking; any thread, at any time."""
        for _ in range(_ROUNDS):
            if not self._lock.acquire(blocking=False):
                return  # rule 2: the holder reads `out` again
            try:
                self._write()
            except RecursionError:  # of user code; not even `_give_up` had room, and a new thread has
                self._broken = True
                reason = "a sender's stack was full in the middle of a write"
                _thread.start_new_thread(self._on_loop, (self._read_rest, reason))
            finally:
                self._lock.release()
            out = self.out
            if out.waiters:
                self._wake_waiters()
            if self._pause is not None:
                self._on_loop(self._read_again)
            if self._full or self._broken or self._held:
                return
            if not out and not out.first and self._session.is_empty:
                if self._closing:
                    self._on_loop(self._all_sent)
                return
        self.flush_later()

    def _wake_waiters(self) -> None:
        if self.out.waiters and self.out.is_below_low_water:
            self.out.waiters.wake()

    def flush_later(self) -> None:
        """Makes the loop flush, once for all calls until then; any thread."""
        if not self._flush_is_due:
            self._flush_is_due = True
            self._on_loop(self._due_flush)

    def _due_flush(self) -> None:
        self._flush_is_due = False  # before `out` is read: what is appended from here on schedules again
        self.flush()

    def _write(self) -> None:
        """Sends one gather; called with the lock held."""
        if self._full or self._broken or self._held:
            return
        if not self._unsent:
            try:
                data, self._unsent_of_out = self._session.transmit(self.out.first or self.out)
            except Exception as error:  # what was taken out of the queue is lost, so the connection ends
                self._give_up(f"a signal for it cannot be sent: {error}")
                return
            self._unsent = memoryview(data)
            if self._session.left_out:
                for sentence in self._session.unwritten():
                    self._on_loop(self._owner.signal_not_sent, sentence)
                if answers := self._session.unanswered():
                    self._on_loop(self._owner.signals_received, answers)
        try:
            while self._unsent:
                self._unsent = self._unsent[self._stream.send(self._unsent) :]
                self._taken += 1
        except BlockingIOError:
            self._full = True
            self._on_loop(self._watch_writable)
        except OSError as error:
            self._give_up(connection_broke(error))
        else:
            self.out.written += self._unsent_of_out
            self._unsent_of_out = 0

    def _give_up(self, reason: str) -> None:
        # The loop alone may end the connection, after it has read the peer's last signals.
        self._broken = True
        self._on_loop(self._read_rest, reason)

    # ------------------------------------------------------------ closing, on any thread

    def close(self, *, gracefully: bool) -> None:
        """Ends the connection: at once, or after all queued signals were sent and read; any thread.

        *gracefully* waits while the peer accepts data, and at most 5 s without progress.  The owner's
        `connection_lost` follows.
        """
        if gracefully:
            self._closing = True
            self.flush()
            self._on_loop(self._wait_no_longer_than)
        else:
            self._on_loop(self._end, CLOSED_HERE)

    @property
    def is_closing(self) -> bool:
        """True after a graceful `close`; any thread."""
        return self._closing

    @property
    def taken(self) -> int:
        """A number that changes whenever the socket accepts data; any thread."""
        return self._taken

    @property
    def unsent_bytes(self) -> int:
        """Bytes of processes' signals that the system has not accepted; any thread, also at the end."""
        unsent = self.out.enqueued - self.out.written
        return max(0, unsent - _GOODBYE_BYTES) if self._closing else unsent

    def close_in_child(self) -> None:
        """See `forks.py`."""
        self._broken = True
        self._stream.close()
        self.watch.close_in_child()

    # ------------------------------------------------------------ on the loop

    def _on_loop(self, step: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(step, *args)
        except RecursionError:  # of user code: a new thread has room
            _thread.start_new_thread(lambda: self._on_loop(step, *args), ())
        except RuntimeError:  # the loop is closed: the node has stopped
            pass

    def _watch_writable(self) -> None:
        if not self._ended:
            self._loop.add_writer(self._descriptor, self._writable)
            if self._next_look is None:
                self._look(stall.Stall(self._taken, time.monotonic()))

    def _look(self, waiting: stall.Stall) -> None:
        """Ends the connection if the peer has accepted no data for `STALLED_SECONDS`."""
        self._next_look = None
        if self._ended or not self._full:
            return
        again = waiting.look(self._taken, time.monotonic())
        if again:
            self._next_look = self._loop.call_later(again, self._look, waiting)
        else:
            seconds = f"{stall.STALLED_SECONDS:g} s"
            self._end(f"it accepted no data for {seconds}, {self.out.queued:,} bytes queued")

    def _writable(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # the socket stays writable: the loop calls again at once
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

    def is_at_its_end(self) -> bool:
        """Reads once, on the loop, which would do so soon; returns True if the peer has closed it."""
        self._readable()
        return self._read_end is not None

    def _readable(self) -> None:
        self.read()
        if self._read_end is not None:
            self._look_for_end()

    def _look_for_end(self) -> None:
        if self._read_end is not None:
            self._end(self._read_end)

    # ------------------------------------------------------------ reading: the loop, or who has the watch

    def read(self) -> bool:
        """Reads once, if no other thread reads; returns True if data arrived.  See `watch.py`."""
        if not self._reading.acquire(blocking=False):
            return False
        try:
            if self._ended or self._held or self._read_end is not None:
                return False
            try:
                size = self._stream.receive_into(self._buffer)
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as error:
                self._read_end = connection_broke(error)
                return False
            if not size:
                self._read_end = CLOSED_HERE if self._closing else "it closed the connection"
                return False
            return self._received(self._buffer[:size])
        finally:
            self._reading.release()
            if self._read_end is not None:  # the loop alone ends a connection
                self._on_loop(self._look_for_end)

    def _received(self, data: bytes | memoryview) -> bool:
        self.received_bytes += len(data)
        try:
            signals = self._session.receive_data(data)
        except ProtocolError as error:
            self._read_end = f"it broke the protocol: {error}"
            return False
        except Exception as error:  # a bug of the decoder ends this connection alone
            self._read_end = f"its data cannot be decoded: {type(error).__name__}"
            return False
        self._owner.signals_received(signals)
        if self.out.may_have_load and self.out.load >= LOADED_BYTES:
            self._on_loop(self._read_no_more)
        return True

    # Too many answers to the peer's own requests wait for it.  Until half of them were sent nothing is
    # read, so that the peer cannot make this node grow.  But two nodes with many requests to each other may
    # both stop reading, each waiting for the other: so a peer that accepts nothing is read from now and
    # then, up to a limit.

    def _read_no_more(self) -> None:
        if self._pause is None and not self._ended:
            self.watch.stop()
            self._pause = self._loop.call_later(_PAUSE_SECONDS, self._look_at_load, self._taken)

    def _look_at_load(self, taken: int) -> None:
        self._pause = None
        if self._ended:
            return
        if self._taken != taken:
            self._owner.signals_received(
                []
            )  # the peer accepts data, so it is alive, though nothing is read from it
        elif self.out.load < OVERLOADED_BYTES and not self._held:
            self._readable()
        self._read_no_more()
        self._read_again()

    def _read_again(self) -> None:
        if self._pause is not None and not self._ended and self.out.load <= LOADED_BYTES // 2:
            self._pause.cancel()
            self._pause = None
            if not self._held:
                self.watch.start()

    def _read_rest(self, reason: str) -> None:
        self.watch.stop()
        if self.watch.is_lent:  # the borrower is leaving
            self._loop.call_soon(self._read_rest, reason)
            return
        for _ in range(_LAST_READS):
            if self._ended or not self.read():
                break
        self._end(self._read_end or reason)

    def _all_sent(self) -> None:
        if self._broken or not self._lock.acquire(blocking=False):
            return  # the holder comes back here
        try:
            if not self.out and not self.out.first and self._session.is_empty and not self._unsent:
                self._broken = True
                # The peer reads to the end, closes, and so ends this connection too.  Closing now, with data
                # unread here, would discard data on its way to the peer.
                self._stream.end_writing()
        finally:
            self._lock.release()

    def _wait_no_longer_than(self) -> None:
        if self._linger is None:
            self._linger_on(-1)

    def _linger_on(self, taken: int) -> None:
        """Waits again if the peer has accepted data since the last look."""
        if self._ended:
            return
        if self._taken == taken:
            self._end(CLOSED_HERE)
        else:
            self._linger = self._loop.call_later(_LINGER_SECONDS, self._linger_on, self._taken)

    def _end(self, reason: str) -> None:
        if self._ended:
            return
        self.watch.close()
        if not self._reading.acquire(blocking=False):
            self._loop.call_soon(self._end, reason)
            return
        if not self._lock.acquire(blocking=False):
            self._reading.release()
            self._loop.call_soon(self._end, reason)
            return
        try:
            self._ended = self._broken = True
            self._loop.remove_writer(self._descriptor)
            self._stream.close()
            self._unsent = memoryview(b"")
        finally:
            self._lock.release()
            self._reading.release()
        self._buffer = memoryview(b"")
        self._session.close()
        for timer in (self._linger, self._next_look, self._pause):
            if timer is not None:
                timer.cancel()
        owner, self._owner = self._owner, _NO_OWNER  # the owner holds this connection: a reference cycle
        owner.connection_lost(reason)


class _NoOwner:
    """The owner of a connection that has ended."""

    def signals_received(self, signals: list[Signal]) -> None:
        """Does nothing."""

    def connection_lost(self, reason: str) -> None:
        """Does nothing."""

    def signal_not_sent(self, reason: str) -> None:
        """Does nothing."""


_NO_OWNER: Final = _NoOwner()
