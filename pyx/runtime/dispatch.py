"""Steps: the way into the kernel, one at a time, whole or not at all.

The lowest layer of a node.  Every input to the kernel is a *step*: pass the process's gate, take the lock,
let the kernel decide and append to its queues, release the lock, carry the effects out (wake a waiter, flush
a socket, start a thread).  Nothing under the lock logs, calls out or does I/O.

Not here: decisions (`core`), and how each effect is carried out (`effect_handlers.py`).
"""

from __future__ import annotations

import _thread
import functools
import gc
from collections import deque
from operator import call
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pyx.core import effects as fx
from pyx.core.kernel import Kernel
from pyx.errors import Reentered
from pyx.execution import context, thread_state
from pyx.execution.gate import NO_GATE
from pyx.execution.interrupts import (
    guard_main_thread,
    pending_handlers,
    pending_interrupt,
    raise_pending,
    run_pending_handlers,
)
from pyx.execution.loop_thread import LoopThread
from pyx.execution.node_log import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner

T = TypeVar("T")


class Dispatch:
    """The kernel, its lock, and whoever is at it."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self._make_lock()
        self._deferred: dict[int, deque[tuple[Callable[..., Any], tuple[Any, ...]]]] = {}
        """By thread: what finalizers asked for while it was inside a step."""
        self.portal = LoopThread("pyx-transport", runs_transport=True)
        self._carry: Final[dict[type, Callable[[Any], None]]] = {}
        """By kind: what carries an effect out; the layers above fill it."""

    def step(self, decide: Callable[..., T], *args: Any) -> T:
        """One input to the kernel, by the current process if there is one; its effects are carried out.

        Raises:
            ProcessKilled: the process is dead, or died meanwhile.
            Reentered: this thread is in the middle of a step already.
            KeyboardInterrupt: Ctrl-C came meanwhile.
        """
        result: T = self.guarded(self.take_step, decide, *args)
        return result

    def guarded(self, action: Callable[..., T], *args: Any) -> T:
        """Calls `action(runner, *args)` as a piece of pyx's own work, which is done wholly or not at all.

        No kill and no Ctrl-C strikes in it, and nothing enters it again; no user code may run in it.
        *runner* is whose work it is.  Raises as `step`.
        """
        state = thread_state.thread.state
        if state.inside:
            raise Reentered
        if state.is_main:
            guard_main_thread()
        runner = None if state.runs_transport else context.current.get()
        gate = runner.gate if runner is not None else NO_GATE
        gate.enter()
        state.inside = True
        try:
            return action(runner, *args)
        finally:
            if self._deferred:
                self._catch_up(runner)
            state.inside = False
            if self._deferred:
                self._hand_over_deferred()
            if pending_interrupt.noted:
                raise_pending()
            if pending_handlers:
                run_pending_handlers()
            gate.enter()

    def take_step(self, runner: Runner | None, decide: Callable[..., T], *args: Any) -> T:
        """The inner part of a step; only for what `guarded` calls."""
        kernel = self.kernel
        _, collects, _ = map(call, self._acquire)
        try:
            result = decide(*args)
            # Never the kernel's own list, even if it is empty: others fill it as soon as the lock is free.
            effects = kernel.collect() if kernel.effects else ()
        finally:
            if collects:
                _, _ = map(call, self._release)
            else:
                self._lock.release()
        for effect in effects:
            try:
                if type(effect) is fx.Flush:  # the hot one: it alone wants to know whose thread this is
                    self._flush(effect, runner)
                elif type(effect) is fx.Suspend:
                    thread_state.thread.state.heavy = effect.queue
                else:
                    self._carry[type(effect)](effect)
            except Exception:  # a console that is gone, say: no reason to keep the other effects back
                log.exception("could not carry out %s", type(effect).__name__)
        return result

    def tell(self, decide: Callable[..., object], *args: Any) -> None:
        """A step that needs no answer: from a finalizer inside a step it is taken when that one is over.

        Raises:
            ProcessKilled: the process is dead.
        """
        if thread_state.thread.state.inside:
            self._deferred.setdefault(_thread.get_ident(), deque()).append((decide, args))
        else:
            self.step(decide, *args)

    def _catch_up(self, runner: Runner | None) -> None:
        # Each thread takes its own: another's would overtake what that thread does next.
        ident = _thread.get_ident()
        while (deferred := self._deferred.pop(ident, None)) is not None:
            for decide, args in deferred:
                try:
                    self.take_step(runner, decide, *args)
                except Exception:
                    log.exception("could not do what a finalizer asked for")

    def _hand_over_deferred(self) -> None:
        # A finalizer ran in the few instructions after the look: its wish is the node's to carry out.
        if (deferred := self._deferred.pop(_thread.get_ident(), None)) is not None:
            for decide, args in deferred:
                self.portal.soon(functools.partial(self.step, decide, *args))

    def was_forked(self) -> None:
        """In a forked child: the thread that held the lock is not here."""
        self._make_lock()

    def _make_lock(self) -> None:
        """The lock, and what is called to take and to release it.

        While it is held there is no garbage collection: a finalizer is the user's code, and may wait for a
        lock (of a logging handler, say) that another thread holds while it enters pyx.  The calls are made
        by a C iterator, so nothing comes between them: a collection that was switched off belongs to the
        holder. Differs from a program's view: `gc.disable()` on another thread in these microseconds is
        undone.
        """
        self._lock = _thread.allocate_lock()
        self._acquire = (self._lock.acquire, gc.isenabled, gc.disable)
        self._release = (gc.enable, self._lock.release)

    # ------------------------------------------------------------ flushing

    def _flush(self, effect: fx.Flush, runner: Runner | None) -> None:
        link = effect.peer.link
        if link is None:  # the handshake's last frame is still on its way; attaching the link flushes
            return
        if runner is None:
            link.flush()
        elif runner.fresh:
            # A lone message goes out from this very thread, without a hop; a stream of them gathers.
            runner.fresh = False
            link.flush()
        else:
            runner.has_filled(link)
            link.flush_later()

    def flush(self, runner: Runner) -> None:
        """Writes what the process has queued since it waited last, from this thread."""
        if runner.dirty:
            self.guarded(_flush_dirty, runner)

    def about_to_wait(self, runner: Runner) -> bool:
        """Notes that the process is about to sleep; False if a message came meanwhile."""
        self.flush(runner)
        return self.step(_waits, runner.process)

    def waited(self, runner: Runner) -> None:
        """The process is awake again."""
        runner.process.waiting = False
        runner.fresh = True


def _flush_dirty(_: Runner | None, runner: Runner) -> None:
    while runner.dirty:
        runner.take_dirty().flush()


def _waits(process: ProcessRecord) -> bool:
    if process.mailbox.incoming or not process.alive:
        return False
    process.waiting = True
    return True
