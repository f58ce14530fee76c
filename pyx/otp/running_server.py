"""What the loop of one server knows: the object of the user's class, and where the loop is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pyx.execution.node_log import log
from pyx.execution.tasks import is_end_of_process
from pyx.otp.crash_reports import cut_repr, described, named
from pyx.otp.handler_results import NOTHING
from pyx.otp.remote_work import shown_message
from pyx.runtime.local_node import node_of

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.otp.protocol import From
    from pyx.otp.served_object import ServedObject
    from pyx.runtime.sending import Queue
    from pyx.terms import Pid

_MOST_KINDS = 100
"""Kinds of unexpected messages of one server that are logged."""


class RunningServer:
    """One server: its object, its process, and what its loop does next."""

    __slots__ = (
        "filled",
        "frm",
        "last",
        "on_loop",
        "parent",
        "runner",
        "seen",
        "server",
        "suspended",
        "then",
        "timeout",
        "traced",
    )

    def __init__(self, server: ServedObject, runner: Runner, parent: Pid | None, *, on_loop: bool) -> None:
        self.server = server
        self.runner = runner
        self.on_loop = on_loop
        self.parent = parent
        """The process that it is linked to from its start; None if it was started without a link."""
        self.frm: From | None = None
        """The caller whose call is being handled, and has no reply yet."""
        self.last: Any = None
        """The message that is being handled."""
        self.timeout: float | None = None
        """Seconds until `handle_info("timeout")`, unless a message comes."""
        self.then: Any = NOTHING
        """What `handle_continue` is called with before the next message."""
        self.filled: Queue | None = None
        """What is queued for a node that takes too little of its replies."""
        self.suspended = False
        self.traced: Pid | None = None
        """The terminal that shows what the server does (`Sys.trace`), by the pid of its shell."""
        self.seen: set[str] | None = None
        """The kinds of unexpected messages that have been logged."""

    @property
    def title(self) -> str:
        """The server in a line of the log: `GenServer #PID<0.5.0> (stock)`."""
        cls = type(self.server)
        return named(cls.__behaviour__, self.runner.process, cls)

    @property
    def shown_state(self) -> Any:
        """The state, or what kept it from being shown: to tell it may be code of the user's."""
        try:
            return self.server.__getstate__()
        except BaseException as error:
            if is_end_of_process(error, self.runner):
                raise
            return error

    @property
    def shown_last(self) -> Any:
        """The message that is being handled, as a report shows it."""
        runs_work = type(self.server).__asks_origin__
        return shown_message(self.last) if runs_work else self.last

    @property
    def shown_name(self) -> str:
        """The server in a line of `Sys.trace`: its name, else its pid."""
        process = self.runner.process
        return process.name or str(process.pid)

    def unexpected(self, what: str) -> None:
        """Logs a message that no handler takes, once for each kind of them."""
        message = self.last
        first = message[0] if type(message) is tuple and message else message
        kind = first if type(first) is str else type(first).__name__
        if self.seen is None:
            self.seen = set()
        if kind in self.seen or len(self.seen) >= _MOST_KINDS:
            return
        self.seen.add(kind)
        text = f"{self.title} has no {what} for {described(message)}"
        with node_of(self.runner).dispatch.critical_section():  # no kill may leave the log's lock taken
            log.log(logging.ERROR, "%s", text)

    def trace(self, event: str) -> None:
        """Shows an event on the terminal that asked for it."""
        process = self.runner.process
        line = f"*DBG* {self.shown_name} {event}\n"
        with node_of(self.runner).kernel_call as kernel:
            kernel.printing.print_lines(process, self.traced, line)

    def trace_reply(self, to: Pid, value: Any) -> None:
        """Shows a reply, and the state after it."""
        self.trace(f"sent {cut_repr(value)} to {to}, new state {cut_repr(self.shown_state)}")
