"""The node of this OS process: one kernel, one lock, and what carries the kernel's decisions out.

Every input to the kernel is a *step*: pass the process's gate, take the lock, let the kernel decide and
append to its queues, release the lock, carry the effects out (wake a sleeper, flush a socket, start a
thread). Nothing under the lock logs, calls out or does I/O (design 6.1).

Not here: decisions (`core`), sockets (`transport.py`), the lives of processes (`lifecycle.py`), what the
faces look like.
"""

from __future__ import annotations

import _thread
import functools
import logging
import os
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pyx.core import effects as fx
from pyx.core.kernel import Kernel
from pyx.core.post import THE_NODE
from pyx.errors import NodeBusy, ProcessKilled, Reentered
from pyx.runtime import context, output, suspension
from pyx.runtime.gate import NO_GATE, raise_noted, wish
from pyx.runtime.letters import sealed
from pyx.runtime.lifecycle import Lifecycle
from pyx.runtime.portal import LoopThread
from pyx.runtime.requests import Pending
from pyx.runtime.tasks import ProcessLoop
from pyx.runtime.threads import Pool
from pyx.runtime.timers import Timers
from pyx.terms import full_name, host_of
from pyx.wire.codec import is_flat

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.processes import Process
    from pyx.net.peer import PeerLink
    from pyx.runtime.runners import Runner
    from pyx.runtime.transport import Transport
    from pyx.signals import Letter
    from pyx.terms import Pid


T = TypeVar("T")

log = logging.getLogger("pyx.node")

_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class LocalNode:
    """One node: usually the only one of its OS process (tests make several)."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self._lock = _thread.allocate_lock()
        self._deferred: dict[int, deque[tuple[Callable[..., Any], tuple[Any, ...]]]] = {}
        """By thread: what finalizers asked for while it was inside a step."""
        self.pool = Pool()
        self.tasks = ProcessLoop()
        self.portal = LoopThread("pyx-transport", runs_transport=True)
        self.transport: Transport | None = None
        """Set while this process is a named node."""
        self.processes = Lifecycle(self)
        self.timers = Timers(self)
        self.console: output.Console | None = None
        """Where a shell shows this node's own lines; None: the stream found as sys.stdout."""
        self.outlet = output.Outlet(self.kernel.console, self._write_own)
        """The way of this node's own lines."""
        self._carry: Final[dict[type, Callable[[Any], None]]] = {
            fx.Wake: self._wake,
            fx.Kill: self._kill,
            fx.Start: self._start,
            fx.Inquire: self._inquire,
            fx.Answered: self._answered,
            fx.Connected: self._connected,
            fx.Dial: self._look_at_dial,
            fx.CancelDial: self._look_at_dial,
            fx.Hangup: self._hangup,
            fx.Resume: self._resume,
            fx.Overfull: self._overfull,
            fx.Show: self._show,
            fx.ShellExit: self._shell_exit,
            fx.Rest: self._rest,
            fx.Log: self._log,
        }

    # ------------------------------------------------------------ steps

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
        state = context.thread.state
        if state.inside:
            raise Reentered
        runner = None if state.runs_transport else context.current.get()
        gate = runner.gate if runner is not None else NO_GATE
        # Before the gate is taken and until it is free: a finalizer in between would wait for its own thread.
        state.inside = True
        try:
            gate.enter()
            try:
                return action(runner, *args)
            finally:
                if self._deferred:
                    self._catch_up(runner)
                gate.leave()
        finally:
            state.inside = False
            if self._deferred:
                self._hand_over_deferred()
            if wish.noted:
                raise_noted()

    def take_step(self, runner: Runner | None, decide: Callable[..., T], *args: Any) -> T:
        """The inner part of a step; only for what `guarded` calls."""
        kernel = self.kernel
        with self._lock:
            result = decide(*args)
            # Never the kernel's own list, even if it is empty: others fill it as soon as the lock is free.
            effects = kernel.collect() if kernel.effects else ()
        for effect in effects:
            try:
                if type(effect) is fx.Flush:  # the hot one: it alone wants to know whose thread this is
                    self._flush(effect, runner)
                elif type(effect) is fx.Suspend:
                    context.thread.state.heavy = effect.queue
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
        if context.thread.state.inside:
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

    # ------------------------------------------------------------ names

    @property
    def host(self) -> str:
        """The host part of this node's name; without one, this host's short name."""
        return host_of(self.kernel.name) or socket.gethostname().partition(".")[0] or "localhost"

    def full_name(self, name: str) -> str:
        """A checked node name; a bare first part gets this node's host (raises NodeNameInvalid)."""
        return full_name(name, self.host)

    # ------------------------------------------------------------ messages

    def say(self, node: str, decide: Callable[..., T], *args: Any) -> T | None:
        """A step that adds something to the queue of a node ("" for this one), or to a mailbox.

        If that is too heavy, the process waits afterwards; who cannot wait is refused when it is far too
        heavy.  From a finalizer inside a step it is taken when that one is over, and gives None.

        Raises:
            NodeBusy: nothing was done.
            ProcessKilled, KeyboardInterrupt: it may be done.
        """
        state = context.thread.state
        if state.inside:
            self.tell(decide, *args)
            return None
        result: T
        if node and context.may_not_wait():
            result = self.step(self._unless_busy, node, decide, *args)
            return result
        state.heavy = None
        result = self.guarded(self.take_step, decide, *args)
        heavy = state.take_heavy()
        if heavy is not None and not context.may_not_wait():
            suspension.wait(context.require("send()"), heavy)
        return result

    def _unless_busy(self, node: str, decide: Callable[..., T], *args: Any) -> T:
        queued = self.kernel.queued_for(node)
        if queued > suspension.REFUSED_BYTES:
            raise NodeBusy(node, queued)
        return decide(*args)

    def send(self, dest: Any, message: Any) -> bool:
        """Seals *message* and sends it, and waits where `say` does.

        False only for a plain local name that nobody has.

        Raises:
            EncodeError: the message is not data.
            NodeBusy: see `say`.
        """
        runner = context.current.get()
        frm = runner.process.pid if runner is not None else None
        node = node_of(dest)
        return self.say(node, self.kernel.send, frm, dest, _body(node, message)) is not False

    def send_if_light(self, dest: Any, message: Any) -> bool | None:
        """`send`, but where that might wait it gives None, and nothing is sent."""
        return self.step(self._send_if_light, self._frm(), dest, self.body(dest, message))

    def _send_if_light(self, frm: Pid | None, dest: Any, body: Any) -> bool | None:
        queue = self.kernel.queue_for(dest)
        return None if queue is not None and queue.is_heavy else self.kernel.send(frm, dest, body)

    async def send_async(self, dest: Any, message: Any) -> bool:
        """`send` for a coroutine: it awaits, and is never refused."""
        state = context.thread.state
        state.heavy = None
        sent = self.step(self.kernel.send, self._frm(), dest, self.body(dest, message))
        heavy = state.take_heavy()
        if heavy is not None:
            await suspension.wait_async(self, heavy)
        return sent

    @staticmethod
    def _frm() -> Pid | None:
        runner = context.current.get()
        return runner.process.pid if runner is not None else None

    def body(self, dest: Any, message: Any) -> Any:
        """What is put on its way to *dest*: a letter, or on this node a flat message itself."""
        return _body(node_of(dest), message)

    def about_to_wait(self, runner: Runner) -> bool:
        """Notes that the process is about to sleep; False if a message came meanwhile."""
        self.flush(runner)
        return self.step(_waits, runner.process)

    def waited(self, runner: Runner) -> None:
        """The process is awake again."""
        runner.process.waiting = False
        runner.fresh = True

    def print_lines(self, runner: Runner, text: str, *, last: bool = False) -> None:
        """Lines of the process for its group leader's terminal.

        It waits where `say` does (and raises as that), but for its *last* words.
        """
        process = runner.process
        leader = process.leader
        if last:
            self.tell(self.kernel.print_lines, process, leader, text)
        else:
            node = leader.node if leader is not None else ""
            self.say(node, self.kernel.print_lines, process, leader, text)

    def abandon(self, number: int) -> None:
        """Nobody waits for that request any more; raises ProcessKilled, but not before it is abandoned."""
        try:
            self.tell(self.kernel.abandon, number)
        except ProcessKilled:
            self.portal.soon(functools.partial(self.step, self.kernel.abandon, number))
            raise

    def warn(self, text: str, *args: object) -> None:
        """A line for this node's log.  Inside: a kill in `logging` would leave a handler's lock taken."""
        if context.thread.state.inside:
            log.warning(text, *args)
        else:
            self.guarded(lambda _: log.warning(text, *args))

    def log_dropped_letter(self, process: Process, item: Letter, error: Exception) -> None:
        """A letter could not be opened by its receiver: said once, with where it came from."""
        origin = item.origin.name if item.origin is not None else "this node"
        self.warn("dropped a message from %s to %s that cannot be read: %s", origin, process.pid, error)

    # ------------------------------------------------------------ effects, carried out after the lock

    def _wake(self, effect: fx.Wake) -> None:
        runner: Runner = effect.process.runner
        runner.slot.wake()

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
            runner.dirty.add(link)
            link.flush_later()

    def flush(self, runner: Runner) -> None:
        """Writes what the process has queued since it waited last, from this thread."""
        if runner.dirty:
            self.guarded(_flush_dirty, runner.dirty)

    def _kill(self, effect: fx.Kill) -> None:
        # Without a runner it was killed between its birth and its start; the start looks at `alive`.
        runner: Runner | None = effect.process.runner
        if runner is not None:
            self.processes.stop(runner)

    def _start(self, effect: fx.Start) -> None:
        self.processes.start_for_peer(effect.process, effect.letter)

    def _inquire(self, effect: fx.Inquire) -> None:
        self.pool.run(lambda: self.processes.answer_inquiry(effect))

    def _answered(self, effect: fx.Answered) -> None:
        pending = effect.waiter
        assert isinstance(pending, Pending)
        pending.resolve(effect.outcome, effect.body, effect.nobody)

    def _connected(self, effect: fx.Connected) -> None:
        pending = effect.waiter
        assert isinstance(pending, Pending)
        pending.resolve("connected" if effect.ok else "noconnection", effect.reason)

    def _look_at_dial(self, effect: fx.Dial | fx.CancelDial) -> None:
        if self.transport is not None:
            self.transport.look_at_dial(effect.node)

    def _hangup(self, effect: fx.Hangup) -> None:
        link = effect.peer.link
        if link is not None:
            link.close(gracefully=effect.gracefully)

    def _resume(self, effect: fx.Resume) -> None:
        effect.queue.sleepers.wake()

    def _overfull(self, effect: fx.Overfull) -> None:
        # Told: this is inside the step that delivered one message too many.
        self.tell(self.kernel.exit, THE_NODE, effect.process.pid, "kill")

    def _show(self, effect: fx.Show) -> None:
        outlet = self.outlet
        if effect.process is not None:
            outlet = effect.process.runner.outlet
        if context.thread.state.runs_transport:
            outlet.show_elsewhere(self.pool)
        else:
            outlet.show()

    def _write_own(self, text: str, frm: Pid) -> None:
        if self.console is not None:
            self.console.write(text, frm=frm)
            return
        stream = output.found_stream()
        if stream is None:
            return
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):  # closed, or a pipe whose reader left: output is not worth a process
            return

    def _shell_exit(self, effect: fx.ShellExit) -> None:
        self.processes.shell_exit(effect.process, effect.frm, effect.reason)

    def _rest(self, effect: fx.Rest) -> None:
        self.later(max(0.0, effect.until - self.now()), self.kernel.rested, effect.node)

    def _log(self, effect: fx.Log) -> None:
        log.log(_LEVELS[effect.level], "%s", effect.text)

    # ------------------------------------------------------------ timers, forks

    def was_forked(self) -> None:
        """In a forked child: whoever held the lock is not here."""
        self._lock = _thread.allocate_lock()

    def later(self, seconds: float, decide: Callable[..., object], *args: Any) -> Callable[[], None]:
        """A step in so many seconds; gives what cancels it."""
        return self.portal.later(seconds, lambda: self.tell(decide, *args))

    @staticmethod
    def now() -> float:
        """The clock that the kernel is told: monotonic seconds."""
        return time.monotonic()


def node_of(dest: Any) -> str:
    """The node of a checked destination; "" for this one."""
    if type(dest) is str:
        return ""
    node: str = dest[1] if type(dest) is tuple else dest.node
    return node


def _body(node: str, message: Any) -> Any:
    return message if not node and is_flat(message) else sealed(message)


def _flush_dirty(_: Runner | None, links: set[PeerLink]) -> None:
    while links:
        links.pop().flush()


def _waits(process: Process) -> bool:
    if process.mailbox.incoming or not process.alive:
        return False
    process.waiting = True
    return True


# ---------------------------------------------------------------- the node of this OS process

_node: LocalNode | None = None
_making = _thread.allocate_lock()


def this_node() -> LocalNode:
    """The node of the current process, else of this OS process (made when first asked for)."""
    runner = context.current.get()
    if runner is not None:
        return runner.node
    node = _node
    return node if node is not None else _make()


def _make() -> LocalNode:
    global _node
    node = LocalNode()  # outside the lock: a finalizer that runs meanwhile may ask for the node too
    with _making:
        if _node is None:
            _node = node
        return _node


def _forget_after_fork() -> None:
    """A forked child is not a node: it has none of the threads, and must not hold the parent's name."""
    global _node, _making
    if _node is not None:
        _node.was_forked()
    _node = None  # its descriptors are closed by net/forks.py
    _making = _thread.allocate_lock()
    context.current.set(None)
    context.thread.state.inside = False
    wish.noted = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
