"""How each effect of the kernel is carried out, after the lock: who sleeps is woken, a node is dialled, lines
are shown.

The second layer of a node.  See `dispatch.py` for when, and `lifecycle.py` for the lives of processes.
"""

from __future__ import annotations

import functools
import logging
import time
from typing import TYPE_CHECKING, Final

from pyx.core import effects as fx
from pyx.core.outbox import Outbox
from pyx.core.tables import THE_NODE
from pyx.execution import outlet, output, thread_state
from pyx.execution.node_log import log
from pyx.execution.tasks import ProcessLoop
from pyx.execution.thread_pool import Pool
from pyx.printable import filter_foreign
from pyx.runtime.dispatch import Dispatch
from pyx.runtime.inquiry_workers import InquiryWorkers
from pyx.runtime.pending_answer import PendingAnswer
from pyx.runtime.rate_limited_log import RateLimitedLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyx.execution.runner import Runner
    from pyx.runtime.lifecycle import Lifecycle
    from pyx.runtime.transport import Transport
    from pyx.terms import Pid

_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class EffectHandlers(Dispatch):
    """What the kernel's decisions need to be carried out: threads, the transport, a console, a clock."""

    processes: Lifecycle

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool()
        self.tasks = ProcessLoop(self.transport_loop.later)
        self.resting = RateLimitedLog(self.transport_loop.later)
        """For lines that others can bring about at will."""
        self.questions = InquiryWorkers(
            self.pool.run,
            self._answer,
            self._refuse,
            self._queue_for_node,
        )
        self.transport: Transport | None = None
        """Set while this process is a named node."""
        self.console: outlet.Console | None = None
        """Where a shell shows this node's own lines; None: the stream found as sys.stdout."""
        self.pace = outlet.Pace()
        """The shell's console's."""
        self.outlet = outlet.Outlet(self.kernel.console, self._write_own, lambda: self.pace)
        """The way of this node's own lines."""
        self.handlers.update(
            {
                fx.Wake: self._wake,
                fx.Kill: self._kill,
                fx.StartProcess: self._start,
                fx.Inquire: self._inquire,
                fx.Answered: self._answered,
                fx.Connected: self._connected,
                fx.Dial: self._look_at_dial,
                fx.CancelDial: self._look_at_dial,
                fx.GoOn: self._go_on,
                fx.Hangup: self._hangup,
                fx.Resume: self._resume,
                fx.Overfull: self._overfull,
                fx.Show: self._show,
                fx.ShellExit: self._shell_exit,
                fx.Rest: self._rest,
                fx.Log: self._log,
                fx.Released: self._released,
            }
        )

    def _wake(self, effect: fx.Wake) -> None:
        runner: Runner | None = effect.process.runner
        if runner is not None:  # else it has ended meanwhile
            runner.slot.wake()

    def _kill(self, effect: fx.Kill) -> None:
        # Without a runner it was killed between its birth and its start; the start looks at `alive`.
        runner: Runner | None = effect.process.runner
        if runner is not None:
            self.processes.kills.kill(runner)

    def _start(self, effect: fx.StartProcess) -> None:
        self.processes.start_for_peer(effect.process, effect.payload)

    def _inquire(self, effect: fx.Inquire) -> None:
        self.questions.ask(effect)

    def _answer(self, question: fx.Inquire) -> None:
        self.processes.answer_inquiry(question)

    def _refuse(self, question: fx.Inquire, why: str) -> None:
        self.resting.say(f"questions of {question.node}", logging.WARNING, f"asked by {question.node}: {why}")
        self.processes.refuse_inquiry(question, why)

    def _queue_for_node(self, node: str) -> Outbox | None:
        queue = self.kernel.queue_for(("", node))
        return queue if isinstance(queue, Outbox) else None

    def _answered(self, effect: fx.Answered) -> None:
        pending = effect.waiter
        assert isinstance(pending, PendingAnswer)
        pending.resolve(effect.outcome, effect.body, effect.nobody)

    def _connected(self, effect: fx.Connected) -> None:
        pending = effect.waiter
        assert isinstance(pending, PendingAnswer)
        pending.resolve("connected" if effect.ok else "noconnection", effect.reason)

    def _look_at_dial(self, effect: fx.Dial | fx.CancelDial) -> None:
        if self.transport is not None:
            self.transport.look_at_dial(effect.node)

    def _go_on(self, _: fx.GoOn) -> None:
        self.transport_loop.soon_after(lambda: self.call(self.kernel.go_on))

    def _hangup(self, effect: fx.Hangup) -> None:
        link = effect.peer.connection
        if link is not None:
            link.close(gracefully=effect.gracefully)

    def _resume(self, effect: fx.Resume) -> None:
        effect.queue.waiters.wake()

    def _overfull(self, effect: fx.Overfull) -> None:
        # At the end of the kernel call that delivered one message too many.
        self.defer(self.kernel.exit, THE_NODE, effect.process.pid, "kill")

    def _show(self, effect: fx.Show) -> None:
        outlet = self.outlet
        if effect.process is not None:
            outlet = effect.process.runner.outlet
        if thread_state.thread.state.runs_transport:
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
            stream.write(text if frm.is_local else filter_foreign(text))
            stream.flush()
        except (OSError, ValueError):  # closed, or a pipe whose reader left: output is not worth a process
            return

    def _shell_exit(self, effect: fx.ShellExit) -> None:
        self.processes.shell_exit(effect.process, effect.frm, effect.reason)

    def _rest(self, effect: fx.Rest) -> None:
        self.later(max(0.0, effect.until - self.now()), self.kernel.rested, effect.node)

    def warn_in_turn(self, topic: str, line: str) -> None:
        """A warning that others can bring about at will: after one of its topic there is a rest."""
        say = functools.partial(self.resting.say, topic, logging.WARNING, line)
        if thread_state.thread.state.inside:
            say()
        else:
            with self.critical_section():
                say()

    def _log(self, effect: fx.Log) -> None:
        if effect.topic:
            self.resting.say(effect.topic, _LEVELS[effect.level], effect.text)
        else:
            log.log(_LEVELS[effect.level], "%s", effect.text)

    def _released(self, effect: fx.Released) -> None:
        """The last reference to what the kernel has let go of ends after this, outside of the lock."""

    # ------------------------------------------------------------ the clock

    def later(self, seconds: float, function: Callable[..., object], *args: Any) -> Callable[[], None]:
        """Calls *function* in a kernel call, *seconds* from now; returns a function that cancels it."""
        return self.transport_loop.later(seconds, lambda: self.call(function, *args))

    @staticmethod
    def now() -> float:
        """The clock that the kernel is told: monotonic seconds."""
        return time.monotonic()
