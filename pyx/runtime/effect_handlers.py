"""What each effect of the kernel does, after the lock: stops a process, dials a node, shows lines, ...

See `dispatch.py` for when, and for those that it handles itself (`Wake`, `Flush`, `Answered`, `Released`,
`Suspend`).
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, Protocol

from pyx.core import effects as fx
from pyx.core.outbox import Outbox
from pyx.core.tables import THE_NODE
from pyx.execution.node_log import log
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from typing import Any

    from pyx.execution.runner import Runner
    from pyx.execution.thread_pool import Pool
    from pyx.runtime.dispatch import Dispatch
    from pyx.runtime.inquiry_workers import InquiryWorkers
    from pyx.runtime.lifecycle import Lifecycle
    from pyx.runtime.node_console import NodeConsole
    from pyx.runtime.rate_limited_log import RateLimitedLog
    from pyx.runtime.sending import Sending
    from pyx.terms import Pid

_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class DialWatcher(Protocol):
    """The transport, as far as the kernel's dials need it."""

    def look_at_dial(self, name: str) -> None:
        """The dial to that node is wanted, or no longer wanted."""


class AnswerWaiter(Protocol):
    """A request whose answer a thread or a coroutine waits for."""

    def resolve(self, outcome: str, body: Any, dead_pid: Pid | None = None) -> None:
        """The answer is here."""


class EffectHandlers:
    """The handlers of one node.

    Args:
        dispatch: which calls them.
        processes: of the node.
        sending: of the node; it knows the limit of a message.
        pool: runs what may wait.
        output: the node's own lines.
        limited_log: for lines that peers can cause at will.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        processes: Lifecycle,
        sending: Sending,
        pool: Pool,
        output: NodeConsole,
        limited_log: RateLimitedLog,
    ) -> None:
        self._dispatch = dispatch
        self._kernel = dispatch.kernel
        self._processes = processes
        self._pool = pool
        self._output = output
        self._limited_log = limited_log
        self._sending = sending
        self._inquiries: list[InquiryWorkers] = []
        """Those of this node, from the first inquiry on."""
        self.dial_watcher: DialWatcher | None = None
        """Set while the node has a name."""
        dispatch.handlers.update(
            {
                fx.Kill: self._kill,
                fx.RunProcess: processes.run_here,
                fx.StartProcess: processes.start_for_peer,
                fx.Inquire: self._inquire,
                fx.Connected: self._connected,
                fx.Dial: self._dial,
                fx.CancelDial: self._dial,
                fx.ContinueExits: self._continue_exits,
                fx.ContinueFanOuts: self._continue_fan_outs,
                fx.HoldBack: self._hold_back,
                fx.Hangup: self._hangup,
                fx.Resume: self._resume,
                fx.MailboxOverflow: self._mailbox_overflow,
                fx.Show: self._show,
                fx.ShellExit: self._shell_exit,
                fx.RetryAt: self._retry_at,
                fx.Log: self._log,
            }
        )

    # ------------------------------------------------------------ processes

    def _kill(self, effect: fx.Kill) -> None:
        # Without a runner it was killed between its birth and its start; the start looks at `alive`.
        runner: Runner | None = effect.process.runner
        if runner is not None:
            self._processes.kills.kill(runner)

    def _mailbox_overflow(self, effect: fx.MailboxOverflow) -> None:
        # At the end of the kernel call that delivered one message too many.
        self._dispatch.defer(self._kernel.process_signals.exit, THE_NODE, effect.process.pid, "kill")

    def _shell_exit(self, effect: fx.ShellExit) -> None:
        self._processes.shell_exit(effect.process, effect.frm, effect.reason)

    # ------------------------------------------------------------ requests

    def _connected(self, effect: fx.Connected) -> None:
        request: AnswerWaiter = effect.waiter
        request.resolve("connected" if effect.ok else "noconnection", effect.reason)

    def _inquire(self, effect: fx.Inquire) -> None:
        if not self._inquiries:
            from pyx.runtime.inquiry_workers import InquiryWorkers  # no part of a start
            from pyx.runtime.process_info import InquiryAnswers

            answers = InquiryAnswers(self._dispatch, self._sending, self._limited_log)
            workers = InquiryWorkers(self._pool.run, answers.answer, answers.refuse, self._queue_for_node)
            self._inquiries.append(workers)  # where two threads come at once, the first one's count
        self._inquiries[0].ask(effect)

    def _queue_for_node(self, node: str) -> Outbox | None:
        queue = self._kernel.router.queue_for(("", node))
        return queue if isinstance(queue, Outbox) else None

    # ------------------------------------------------------------ other nodes

    def _dial(self, effect: fx.Dial | fx.CancelDial) -> None:
        if self.dial_watcher is not None:
            self.dial_watcher.look_at_dial(effect.node)

    def _continue_exits(self, _: fx.ContinueExits) -> None:
        self._dispatch.transport_loop.soon_after(self._tell_more_ends)

    def _tell_more_ends(self) -> None:
        with self._dispatch.kernel_call as kernel:
            kernel.continue_exits()

    def _continue_fan_outs(self, _: fx.ContinueFanOuts) -> None:
        self._dispatch.transport_loop.soon_after(self._deliver_more)

    def _deliver_more(self) -> None:
        with self._dispatch.kernel_call as kernel:
            kernel.broadcasts.continue_fan_outs()

    def _hold_back(self, effect: fx.HoldBack) -> None:
        seconds, space, node, number = effect

        def is_over() -> None:
            with self._dispatch.kernel_call as kernel:
                kernel.presence_diffs.is_over(space, node, number)

        self._dispatch.transport_loop.later(seconds, is_over)

    def _hangup(self, effect: fx.Hangup) -> None:
        connection = effect.peer.connection
        if connection is not None:
            connection.close(gracefully=effect.gracefully)

    def _resume(self, effect: fx.Resume) -> None:
        effect.queue.waiters.wake()

    def _retry_at(self, effect: fx.RetryAt) -> None:
        def back_off_is_over() -> None:
            with self._dispatch.kernel_call as kernel:
                kernel.sessions.backoff_ended(effect.node)

        seconds = max(0.0, effect.until - time.monotonic())
        self._dispatch.transport_loop.later(seconds, back_off_is_over)

    # ------------------------------------------------------------ lines

    def _show(self, effect: fx.Show) -> None:
        writer = self._output.writer
        if effect.process is not None:
            writer = effect.process.runner.console_writer
        if thread.state.runs_transport:
            writer.show_elsewhere(self._pool)
        else:
            writer.show()

    def _log(self, effect: fx.Log) -> None:
        if effect.topic:
            self._limited_log.write(effect.topic, _LEVELS[effect.level], effect.text)
        else:
            log.log(_LEVELS[effect.level], "%s", effect.text)
