"""A thread with an event loop of its own, calls into it, and the slot of a coroutine.

pyx has two: the transport's, which carries bytes and ticks, and the process loop, where `async def` processes
run; so a coroutine that blocks cannot stop the ticks.
"""

from __future__ import annotations

import _thread
import asyncio
import atexit
import contextlib
import logging
import os
import threading
import weakref
from asyncio import get_running_loop
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pyx.execution.node_log import log
from pyx.execution.slots import LockSlot
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


_LOOP_DESCRIPTORS: Final = 10
"""File descriptors that a loop opens, when it is made and when it first runs, and a few to spare."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Returns a new uvloop loop where uvloop is installed (twice as fast), else asyncio's.

    Raises:
        OSError: too few file descriptors are left.  Without this check uvloop aborts the OS process, or its
            first run fails on its thread while callers wait for it.
    """
    _require_descriptors(_LOOP_DESCRIPTORS)
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _require_descriptors(number: int) -> None:
    opened: list[int] = []
    try:
        while len(opened) < number:
            opened.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise OSError(error.errno, error.strerror) from None  # the error is not about that file
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _log_failure(_: asyncio.AbstractEventLoop, failure: dict[str, Any]) -> None:
    """Logs a failure as the loop's default handler does, without making the transport wait."""
    log.log(logging.ERROR, "%s", failure.get("message"), error=failure.get("exception"))


class LoopThread:
    """A daemon thread that runs an event loop from the first `start` until `stop`.

    Args:
        name: the thread's name.
        runs_transport: see `ThreadState`.
        prepare: called with the loop before it runs.
    """

    def __init__(
        self,
        name: str,
        *,
        runs_transport: bool = False,
        prepare: Callable[[asyncio.AbstractEventLoop], None] | None = None,
    ) -> None:
        self._name = name
        self._runs_transport = runs_transport
        self._prepare = prepare
        self._starting = _thread.allocate_lock()
        self.waiting_calls: deque[Callable[[], object]] = deque()
        """What other threads have passed to `soon`, and the loop has not called yet."""
        self._soon_scheduled = False
        self.ident: int | None = None
        """Of the thread, once it runs."""
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._is_halted = False
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_current(self) -> bool:
        """True when called on the loop's own thread."""
        return self.ident == _thread.get_ident()

    def start(self) -> asyncio.AbstractEventLoop:
        """Returns the running loop; starts the thread if needed."""
        loop = self.loop
        if loop is not None:
            return loop
        loop = new_event_loop()  # outside the lock: a finalizer that runs meanwhile may call `start` too
        if self._prepare is not None:
            self._prepare(loop)
        with self._starting:
            made = self.loop is None
            if made:
                self.loop = loop  # a loop takes calls before it runs
        if made:
            self._thread = threading.Thread(target=self._run, args=(loop,), name=self._name, daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the system has no thread left
                self.loop = None
                raise
            _started.add(self)
            return loop
        loop.close()
        assert self.loop is not None
        return self.loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self.ident = _thread.get_ident()
        thread.state.runs_transport = self._runs_transport
        if self._runs_transport:
            loop.set_exception_handler(_log_failure)
        while not self._stopped:
            try:
                loop.run_forever()
            except BaseException:  # SystemExit in a task of a process ends that task alone
                log.exception("something left the loop of %s", self._name)
        if not self._is_halted:
            loop.close()

    def soon(self, function: Callable[[], object]) -> None:
        """Runs *function* on the loop: at once on the loop's own thread, else with one wake-up for a burst.

        Functions passed by one thread run in the order passed.
        """
        if self.ident == _thread.get_ident() and not self.waiting_calls:
            function()
            return
        self.waiting_calls.append(function)
        # The thread that finds the flag clear wakes the loop; the loop clears it before it reads the queue,
        # so nothing is missed.
        if not self._soon_scheduled:
            self._soon_scheduled = True
            self._wake()

    def soon_after(self, function: Callable[[], object]) -> None:
        """Like `soon`, but never at once: the callback that runs on the loop's thread ends first."""
        self.waiting_calls.append(function)
        if not self._soon_scheduled:  # as in `soon`
            self._soon_scheduled = True
            self._wake()

    def _wake(self) -> None:
        try:
            (self.loop or self.start()).call_soon_threadsafe(self._drain)
        except RecursionError:  # of user code: a new thread has room
            _thread.start_new_thread(self._wake, ())
        except RuntimeError:  # the loop is closed: the node is leaving
            self.waiting_calls.clear()
        except OSError:  # the loop could not be made; the next call tries again
            self.waiting_calls.clear()
            self._soon_scheduled = False
            raise

    def _drain(self) -> None:
        self._soon_scheduled = False
        # Only what is queued now: a thread that keeps adding must not keep the loop from all else.
        for _ in range(len(self.waiting_calls)):
            try:
                self.waiting_calls.popleft()()
            except Exception:
                log.exception("a call on the loop of %s failed", self._name)
        if self.waiting_calls and not self._soon_scheduled:
            self._soon_scheduled = True
            self._wake()

    def later(self, seconds: float, function: Callable[[], object]) -> Callable[[], None]:
        """Runs *function* on the loop in *seconds*; returns a function that cancels it, from any thread."""
        handle: list[asyncio.TimerHandle] = []
        cancelled = False

        def arm() -> None:
            if not cancelled and self.loop is not None:
                handle.append(self.loop.call_later(seconds, function))

        def cancel() -> None:
            nonlocal cancelled
            cancelled = True
            for timer in handle:
                timer.cancel()

        self.soon(arm)
        return lambda: self.soon(cancel)

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Runs *function* on the loop's thread, waits, and returns its value or raises its exception."""
        if self.is_current:
            return function(*args)
        if self._is_halted:
            raise RuntimeError("the event loops of pyx have ended with the interpreter")
        done = LockSlot()
        outcome: list[T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(function(*args))
            except BaseException as error:
                failure.append(error)
            finally:
                done.wake()

        self.soon(run)
        done.wait_through(None)
        if failure:
            raise failure[0]
        return outcome[0]

    def stop(self) -> None:
        """Ends the loop and its thread, without waiting for either."""
        loop = self.loop
        if loop is not None and not self._stopped:
            self._stopped = True
            loop.call_soon_threadsafe(loop.stop)

    def halt(self) -> None:
        """Ends the loop as it is, at the end of the interpreter, and waits a moment for its thread.

        A timer of uvloop that is due after the interpreter has ended would end the OS process by SIGSEGV.
        """
        self._is_halted = True
        with contextlib.suppress(RuntimeError):  # it is closed already
            self.stop()
        if self._thread is not None and not self.is_current:
            self._thread.join(_HALT_SECONDS)


_started: Final[weakref.WeakSet[LoopThread]] = weakref.WeakSet()
_HALT_SECONDS: Final = 0.2


def _halt_all() -> None:
    for loop_thread in list(_started):
        loop_thread.halt()


atexit.register(_halt_all)  # before `start_stop.py` does so, and so called after its nodes have left
os.register_at_fork(after_in_child=_started.clear)


class FutureSlot:
    """A slot for one wait of a coroutine, on any loop, and after `renew` for another one."""

    __slots__ = ("_loop", "_loop_thread", "future")

    def __init__(self, loop: asyncio.AbstractEventLoop, loop_thread: LoopThread | None) -> None:
        self._loop = loop
        self._loop_thread = loop_thread
        self.future: asyncio.Future[None] = loop.create_future()
        """Awaited for a wait without a limit: a coroutine would be one more object for each process."""

    def renew(self) -> bool:
        """Makes the slot of an earlier wait that of a new one; False on another loop than that one's.

        A wake-up that was meant for the earlier wait is a surplus one of this.
        """
        loop = self._loop
        if get_running_loop() is not loop:
            return False
        self.future = loop.create_future()
        return True

    def wake(self) -> None:
        """See `Slot`."""
        loop_thread = self._loop_thread
        if loop_thread is not None:
            if loop_thread.ident == _thread.get_ident() and not loop_thread.waiting_calls:
                # As `soon` would, in two calls less.
                if not self.future.done():
                    self.future.set_result(None)
            else:
                loop_thread.soon(self._set)  # one wake-up of the loop for many slots
            return
        try:
            self._loop.call_soon_threadsafe(self._set)
        except RuntimeError:  # that loop is closed: no coroutine waits there any more
            return

    def _set(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def wait(self, timeout: float | None) -> Awaitable[None]:
        """Returns an awaitable that waits at most *timeout* seconds (None: for ever)."""
        return self.future if timeout is None else self.wait_at_most(timeout)

    async def wait_at_most(self, timeout: float) -> None:
        """Waits at most *timeout* seconds."""
        timer = self._loop.call_later(timeout, self._set)
        try:
            await self.future
        finally:
            timer.cancel()
