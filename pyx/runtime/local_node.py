"""The node of this OS process: one kernel, one lock, and what carries the kernel's decisions out.

Every input to the kernel is a *step*: pass the process's gate, take the lock, let the kernel decide and
append to its queues, release the lock, carry the effects out (wake a sleeper, flush a socket, start a
thread). Nothing under the lock logs, calls out or does I/O (design 6.1).

Not here: decisions (`core`), sockets (`transport.py`), the lives of processes (`lifecycle.py`), what the
faces look like.
"""

from __future__ import annotations

import _thread
import logging
import os
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pyx.core import effects as fx
from pyx.core.kernel import Kernel
from pyx.errors import PyxError
from pyx.runtime import context, output
from pyx.runtime.lifecycle import Lifecycle
from pyx.runtime.portal import LoopThread
from pyx.runtime.requests import Pending
from pyx.runtime.tasks import ProcessLoop
from pyx.runtime.threads import Pool
from pyx.runtime.timers import Timers
from pyx.signals import Letter
from pyx.terms import full_name, host_of
from pyx.wire.codec import is_flat, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyx.core.processes import Process
    from pyx.runtime.runners import Runner
    from pyx.runtime.transport import Transport
    from pyx.terms import Pid


T = TypeVar("T")

log = logging.getLogger("pyx.node")

_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Reentered(PyxError, RuntimeError):
    """A finalizer or signal handler asked pyx a question while its thread was in the middle of a step."""

    def __init__(self) -> None:
        super().__init__("pyx was called from a finalizer or signal handler that interrupted pyx itself",
                         hint="such code may send messages, but not wait for answers")  # fmt: skip


class LocalNode:
    """One node: usually the only one of its OS process (tests make several)."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self._lock = _thread.allocate_lock()
        self._deferred: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self.pool = Pool()
        self.tasks = ProcessLoop()
        self.portal = LoopThread("pyx-transport", runs_transport=True)
        self.transport: Transport | None = None
        """Set while this process is a named node."""
        self.processes = Lifecycle(self)
        self.timers = Timers(self)
        self.console: output.Console | None = None
        """Where a shell shows this node's own lines; None: the stream found as sys.stdout."""
        self._own_lines = _thread.allocate_lock()
        self._carry: Final[dict[type, Callable[[Any], None]]] = {
            fx.Wake: self._wake,
            fx.Kill: self._kill,
            fx.Start: self._start,
            fx.Inquire: self._inquire,
            fx.Answered: self._answered,
            fx.Connected: self._connected,
            fx.Dial: self._dial,
            fx.CancelDial: self._cancel_dial,
            fx.Hangup: self._hangup,
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
        """
        thread = context.thread
        if thread.inside:
            raise Reentered
        runner = None if thread.runs_transport else context.current.get()
        if runner is not None:
            runner.gate.enter()
        thread.inside = True
        try:
            return self._decide(runner, decide, args)
        finally:
            while self._deferred:
                self._decide(runner, *self._deferred.popleft())
            thread.inside = False
            if self._deferred:  # a finalizer ran between the last two lines
                self.pool.run(self._catch_up)
            if runner is not None:
                runner.gate.leave()

    def tell(self, decide: Callable[..., object], *args: Any) -> None:
        """A step that needs no answer.  It is never refused, at most done a moment later.

        From a finalizer inside a step it is done when that step is over; from a dead process, by another
        thread (an exception may still be on its way into this one, and must not meet it inside).
        """
        runner = context.current.get()
        if context.thread.inside:
            self._deferred.append((decide, args))
        elif runner is not None and runner.killed:
            self._deferred.append((decide, args))
            self.pool.run(self._catch_up)
        else:
            self.step(decide, *args)

    def _decide(self, runner: Runner | None, decide: Callable[..., T], args: tuple[Any, ...]) -> T:
        with self._lock:
            result = decide(*args)
            effects = self.kernel.effects
            if effects:
                effects = self.kernel.collect()
        for effect in effects:
            if type(effect) is fx.Flush:  # the hot one: it alone wants to know whose thread this is
                self._flush(effect, runner)
            else:
                self._carry[type(effect)](effect)
        return result

    def _catch_up(self) -> None:
        self.step(_nothing)

    # ------------------------------------------------------------ names

    @property
    def host(self) -> str:
        """The host part of this node's name; without one, this host's short name."""
        return host_of(self.kernel.name) or socket.gethostname().partition(".")[0] or "localhost"

    def full_name(self, name: str) -> str:
        """A checked node name; a bare first part gets this node's host (raises NodeNameInvalid)."""
        return full_name(name, self.host)

    # ------------------------------------------------------------ messages

    def send(self, dest: Any, message: Any) -> bool:
        """Seals *message* and sends it; False only for a plain local name that nobody has.

        Raises:
            EncodeError: the message is not data.
        """
        body: Any = message
        if not (is_flat(message) and self.stays_home(dest)):
            body = Letter(seal(message))
        runner = context.current.get()
        frm = runner.process.pid if runner is not None else None
        if context.thread.inside:
            self.tell(self.kernel.send, frm, dest, body)
            return True
        return self.step(self.kernel.send, frm, dest, body)

    def stays_home(self, dest: Any) -> bool:
        """True for a destination on this node: only there a flat message may stay itself."""
        if type(dest) is tuple:
            return dest[1] in {"", self.kernel.name}
        return type(dest) is str or not dest.node

    def about_to_wait(self, runner: Runner) -> bool:
        """Notes that the process is about to sleep; False if a message came meanwhile."""
        runner.before_wait()
        return self.step(_waits, runner.process)

    def waited(self, runner: Runner) -> None:
        """The process is awake again."""
        runner.process.waiting = False
        runner.fresh = True

    def print_lines(self, runner: Runner, text: str) -> None:
        """Lines of the process for its group leader's terminal."""
        process = runner.process
        self.tell(self.kernel.print_lines, process, process.leader, text)

    def abandon(self, number: int) -> None:
        """Nobody waits for that request any more."""
        self.tell(self.kernel.abandon, number)

    def log_dropped_letter(self, process: Process, item: Letter, error: Exception) -> None:
        """A letter could not be opened by its receiver: said once, with where it came from."""
        origin = item.origin.name if item.origin is not None else "this node"
        log.warning("dropped a message from %s to %s that cannot be read: %s", origin, process.pid, error)

    # ------------------------------------------------------------ effects, carried out after the lock

    def _wake(self, effect: fx.Wake) -> None:
        runner: Runner = effect.process.runner
        runner.wake()

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

    def flush(self, links: Iterable[Any]) -> None:
        """Writes what these links have queued, from this thread."""
        for link in links:
            link.flush()

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

    def _dial(self, effect: fx.Dial) -> None:
        if self.transport is not None:
            self.transport.dial(effect.node)

    def _cancel_dial(self, effect: fx.CancelDial) -> None:
        if self.transport is not None:
            self.transport.cancel_dial(effect.node)

    def _hangup(self, effect: fx.Hangup) -> None:
        link = effect.peer.link
        if link is not None:
            link.close(gracefully=effect.gracefully)

    def _show(self, effect: fx.Show) -> None:
        process = effect.process
        if process is None:
            self._show_own()
        else:
            self.processes.show(process)

    def _show_own(self) -> None:
        # Try, drain, release, look again: one writer at a time, and no line is left behind.
        lines = self.kernel.console
        while lines and self._own_lines.acquire(blocking=False):
            try:
                while lines:
                    frm, text = lines.popleft()
                    self._write_own(text, frm)
            finally:
                self._own_lines.release()

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

    # ------------------------------------------------------------ timers

    def later(self, seconds: float, decide: Callable[..., object], *args: Any) -> Callable[[], None]:
        """A step in so many seconds; gives what cancels it."""
        return self.portal.later(seconds, lambda: self.tell(decide, *args))

    @staticmethod
    def now() -> float:
        """The clock that the kernel is told: monotonic seconds."""
        return time.monotonic()


def _nothing() -> None:
    """A step only for what others left to do."""


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
    with _making:
        if _node is None:
            _node = LocalNode()
        return _node


def _forget_after_fork() -> None:
    """A forked child is not a node: it has none of the threads, and must not hold the parent's name."""
    global _node, _making
    _node = None  # its descriptors are closed by net/forks.py
    _making = _thread.allocate_lock()
    context.current.set(None)
    context.thread.inside = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
