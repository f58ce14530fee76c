"""Kernel calls: each runs alone, under the kernel's lock, and no kill or Ctrl-C ends one half-way.

    with node.kernel_call as kernel:
        return kernel.registry.whereis(name)

Entering passes the gate of the calling process and takes the kernel's lock; in the block the kernel decides
and appends to its queues; leaving releases the lock and performs the effects (wakes a waiter, flushes a
connection, starts a thread).  Nothing in the block logs, calls user code or does I/O.

See `core` for the decisions and `effect_handlers.py` for what each effect does.
"""

from __future__ import annotations

import _thread
import functools
import gc
import itertools
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from pyx.core import effects as fx
from pyx.errors import Reentered
from pyx.execution.context import current
from pyx.execution.interrupts import (
    guard_main_thread,
    pending_handlers,
    pending_interrupt,
    raise_pending,
    run_pending_handlers,
)
from pyx.execution.node_log import log
from pyx.execution.reading_waits import flush_for
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyx.core.effects import Effect
    from pyx.core.kernel import Kernel
    from pyx.execution.loop_thread import LoopThread
    from pyx.execution.runner import Runner
    from pyx.execution.thread_state import ThreadState

    DeferredCall = tuple[Callable[..., object], tuple[Any, ...]]


class KernelCall:
    """One kernel call of the current process, if there is one: a context manager that all threads share.

    No kill and no Ctrl-C interrupts the block, what enters and what leaves it, and nothing enters it again;
    no user code may run in it.  An exception of the kernel's leaves no effect and reaches the caller.

    Raises:
        Reentered: this thread is in a kernel call already.
        ProcessKilled: the process is dead, or died meanwhile.
        KeyboardInterrupt: Ctrl-C came meanwhile; on the way out, when all is done.
    """

    __slots__ = ("_collects", "_dispatch", "_kernel", "_runner")

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._kernel = dispatch.kernel
        # Of the thread that holds the lock, which alone reads and writes them.
        self._runner: Runner | None = None
        self._collects = True

    def __enter__(self) -> Kernel:
        # `_may_enter`, written out: a call less for each message.
        state = thread.state
        if state.inside:
            raise Reentered
        if state.is_main:
            guard_main_thread()
        runner = None if state.runs_transport else current.get()
        if runner is not None and runner.gate.closed:
            runner.gate.refuse()
        state.inside = True
        try:
            for _, collects, _ in self._dispatch.acquire:
                self._collects = collects
                break
        except BaseException:
            state.inside = False
            raise
        # No instruction from the lock to the block lets a signal handler run.
        self._runner = runner
        return self._kernel

    def __exit__(self, kind: object, *_: object) -> None:
        # `end_call`, `leave` and `has_left`, written out: four calls less for each kernel call.
        dispatch, runner, kernel = self._dispatch, self._runner, self._kernel
        effects: Sequence[Effect] = ()
        try:
            try:
                tables = kernel.tables
                if tables.effects and kind is None:
                    effects = tables.effects.copy()  # as `Router.collect`
                    tables.effects.clear()
                    tables.exit_notices.given = 0
            finally:
                if self._collects:
                    next(dispatch.release)
                else:
                    dispatch.lock.release()
            if effects:
                dispatch.perform(effects, runner)
        finally:
            if dispatch.deferred:
                dispatch.leave(runner)
            else:
                thread.state.inside = False
                # A finalizer may have deferred a call meanwhile.
                if (
                    dispatch.deferred
                    or pending_interrupt.noted
                    or pending_handlers
                    or (runner is not None and runner.gate.closed)
                ):
                    dispatch.has_left(runner)


class CriticalSection:
    """Work of pyx that is done wholly or not at all, for the current process if there is one.

    As a `KernelCall`, with the same exceptions, but without the lock; it may make kernel calls of its own.
    """

    __slots__ = ("_dispatch", "_runner")

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._runner: Runner | None = None

    def __enter__(self) -> Self:
        state = thread.state
        self._runner = _may_enter(state)
        state.inside = True
        return self

    def __exit__(self, *_: object) -> None:
        self._dispatch.leave(self._runner)

    def kernel_call(self) -> InnerKernelCall:
        """Returns a kernel call inside this section."""
        return InnerKernelCall(self._dispatch, self._runner)


class InnerKernelCall:
    """The part of a kernel call that is under the lock, with its effects; inside a critical section only."""

    __slots__ = ("_collects", "_dispatch", "_runner")

    def __init__(self, dispatch: Dispatch, runner: Runner | None) -> None:
        self._dispatch = dispatch
        self._runner = runner
        self._collects = True

    def __enter__(self) -> Kernel:
        for _, collects, _ in self._dispatch.acquire:
            self._collects = collects
            break
        return self._dispatch.kernel

    def __exit__(self, kind: object, *_: object) -> None:
        self._dispatch.end_call(self._runner, collects=self._collects, failed=kind is not None)


def _may_enter(state: ThreadState) -> Runner | None:
    """Returns the process that acts; raises Reentered, or ProcessKilled at the process's gate."""
    if state.inside:
        raise Reentered
    if state.is_main:
        guard_main_thread()
    runner = None if state.runs_transport else current.get()
    if runner is not None and runner.gate.closed:
        runner.gate.refuse()
    return runner


def in_one_instruction(*functions: Callable[[], Any]) -> Iterator[tuple[Any, ...]]:
    """Returns an endless iterator of which each step calls all *functions* and returns what they returned.

    A step of a `for` loop is one instruction of the interpreter, and these iterators are C: between the
    calls, and before the body of the loop, Python runs no signal handler, no other thread and no collection.
    Any number of threads may be in a step.  [measured: 0.15 µs to take and to release the lock, against 0.69
    by `map(operator.call, functions)`, which is an iterator and a call more each time]
    """
    return zip(*(itertools.starmap(function, itertools.repeat(())) for function in functions), strict=False)


class KernelHost(Protocol):
    """A node, or its `Dispatch`, for functions that make kernel calls and no more."""

    @property
    def kernel(self) -> Kernel:
        """For reading what no kernel call changes, and for deferred calls."""

    @property
    def kernel_call(self) -> KernelCall:
        """Enters the kernel."""


class Dispatch:
    """The kernel's lock, and what happens around each kernel call.

    Args:
        kernel: of the node.
        transport_loop: makes the calls that a finalizer makes too late to be made by its own thread.
    """

    def __init__(self, kernel: Kernel, transport_loop: LoopThread) -> None:
        self.kernel: Final = kernel
        self._make_lock()
        self.kernel_call: Final = KernelCall(self)
        self.deferred: dict[int, deque[DeferredCall]] = {}
        """By thread: the calls that finalizers made while the thread was in a kernel call."""
        self.transport_loop: Final = transport_loop
        self.handlers: Final[dict[type, Callable[[Any], None]]] = {}
        """By kind of effect: its handler."""

    def critical_section(self) -> CriticalSection:
        """Returns a new critical section, for one `with`."""
        return CriticalSection(self)

    # ------------------------------------------------------------ leaving a kernel call

    def end_call(self, runner: Runner | None, *, collects: bool, failed: bool) -> None:
        """Releases the lock, then performs the effects.

        Args:
            runner: of the process whose call it is.
            collects: the garbage collector was switched on before the call.
            failed: the block raised, so there are no effects.
        """
        kernel = self.kernel
        effects: Sequence[Effect] = ()
        try:
            # Never the kernel's own list, even if it is empty: others fill it as soon as the lock is free.
            if kernel.tables.effects and not failed:
                effects = kernel.router.collect()
        finally:
            if collects:
                next(self.release)
            else:
                self.lock.release()
        if effects:
            self.perform(effects, runner)

    def perform(self, effects: Sequence[Effect], runner: Runner | None) -> None:
        """Performs the effects of a kernel call, made by the process of *runner*; outside of the lock."""
        for effect in effects:
            try:
                # The hot ones, and `Suspend`, which depends on whose thread this is, as `Flush` does.
                if type(effect) is fx.Wake:
                    woken: Runner | None = effect.process.runner
                    if woken is not None:  # else it has ended meanwhile
                        woken.slot.wake()
                elif type(effect) is fx.Flush:
                    connection = effect.peer.connection
                    if connection is None:
                        pass  # the handshake's last frame is still on its way; attaching it flushes
                    elif runner is None:
                        connection.flush()
                    else:
                        flush_for(runner, connection)
                elif type(effect) is fx.Answered:
                    effect.waiter.resolve(effect.outcome, effect.body, effect.dead_pid)
                elif type(effect) is fx.Released:
                    pass  # its last reference ends with `effects`, outside of the lock
                elif type(effect) is fx.Suspend:
                    thread.state.busy_queue = effect.queue
                else:
                    self.handlers[type(effect)](effect)
            except Exception:  # a console that is gone, say: no reason to keep the other effects back
                log.exception("cannot handle the effect %s", type(effect).__name__)

    def leave(self, runner: Runner | None) -> None:
        """Ends what `inside` marks: catches up with deferred calls, raises what is pending.

        Raises as `KernelCall`.
        """
        if self.deferred:
            self._catch_up(runner)
        thread.state.inside = False
        self.has_left(runner)

    def has_left(self, runner: Runner | None) -> None:
        """The part of `leave` after the mark is gone: what came up to that moment."""
        if self.deferred:
            self._hand_over_deferred()
        if thread.state.runs_transport:  # no process acts; a thread that reads as it waits is about to wait
            return
        if pending_interrupt.noted:
            raise_pending()
        if pending_handlers:
            run_pending_handlers()
        if runner is not None and runner.gate.closed:
            runner.gate.refuse()

    # ------------------------------------------------------------ re-entry: a queue of deferred calls

    def defer(self, function: Callable[..., object], *args: Any) -> None:
        """Has the kernel call that this thread is in call *function* under the lock at its end.

        For finalizers and handlers of effects, which run inside a kernel call and cannot make another one.
        """
        self.deferred.setdefault(_thread.get_ident(), deque()).append((function, args))

    def call_or_defer(self, function: Callable[..., object], *args: Any) -> None:
        """Calls *function* in a kernel call: now, or inside another one at the end of that.

        Raises:
            ProcessKilled: the process is dead.
        """
        if thread.state.inside:
            self.defer(function, *args)
        else:
            with self.kernel_call:
                function(*args)

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Calls *function* in a kernel call, for queues and timers; raises as that."""
        with self.kernel_call:
            function(*args)

    def _catch_up(self, runner: Runner | None) -> None:
        # Each thread takes its own: another's would overtake what that thread does next.
        ident = _thread.get_ident()
        while (deferred := self.deferred.pop(ident, None)) is not None:
            for function, args in deferred:
                try:
                    with InnerKernelCall(self, runner):
                        function(*args)
                except Exception:
                    log.exception("a call that was deferred to the end of a kernel call failed")

    def _hand_over_deferred(self) -> None:
        # A finalizer ran in the few instructions after the look: the transport's thread makes its calls.
        if (deferred := self.deferred.pop(_thread.get_ident(), None)) is not None:
            for function, args in deferred:
                self.transport_loop.soon(functools.partial(self.call, function, *args))

    # ------------------------------------------------------------ the lock

    def was_forked(self) -> None:
        """In a forked child: the thread that held the lock does not exist there."""
        self._make_lock()

    def _make_lock(self) -> None:
        """The lock, and what is called to take and to release it.

        While it is held there is no garbage collection: a finalizer is the user's code, and may wait for a
        lock (of a logging handler, say) that another thread holds while it enters pyx.  A collection that was
        switched off belongs to the holder of the lock.  Differs from a program's view: `gc.disable()` on
        another thread in these microseconds is undone.
        """
        self.lock = _thread.allocate_lock()
        self.acquire: Iterator[tuple[Any, ...]] = in_one_instruction(
            self.lock.acquire, gc.isenabled, gc.disable
        )
        """Each step takes the lock, and returns whether the collector was on."""
        self.release: Iterator[tuple[Any, ...]] = in_one_instruction(gc.enable, self.lock.release)

    # ------------------------------------------------------------ flushing, and waits of processes

    def flush(self, runner: Runner) -> None:
        """Writes what the process has queued since it waited last, from this thread."""
        if runner.dirty:
            with self.critical_section():
                while runner.dirty:
                    runner.take_dirty().flush()

    def about_to_wait(self, runner: Runner) -> bool:
        """Marks the process as waiting for a message; False if one came meanwhile, or the process is dead.

        Not a kernel call, because no wake-up is lost without the lock: this thread writes `waiting` before
        it reads the mailbox, and who delivers appends before it reads `waiting`, so one of them sees what the
        other wrote.  In the same way a kill writes `alive` before it wakes the process's slot.  What is left
        is a wake-up too many, which a slot allows.

        Raises:
            Reentered, ProcessKilled, KeyboardInterrupt: as `KernelCall`.
        """
        if runner.dirty:
            self.flush(runner)
        state = thread.state
        if state.inside or state.runs_transport:  # a finalizer, while the thread reads for the node
            raise Reentered
        if state.is_main:
            guard_main_thread()
        if runner.gate.closed:
            runner.gate.refuse()
        if pending_interrupt.noted:
            raise_pending()
        process = runner.process
        process.waiting = True
        if process.mailbox.incoming or not process.alive:
            process.waiting = False
            return False
        return True
