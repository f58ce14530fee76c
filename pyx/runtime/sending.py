"""What processes say: messages and lines, on their way to a mailbox or to the queue of a node.

The third layer of a node.  A process that makes a queue too heavy waits here, or is refused.  See
`back_pressure.py` for the wait itself, and `receiving.py` for reading what was sent.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from pyx.errors import NodeBusy, ProcessKilled
from pyx.execution import context, thread_state
from pyx.runtime import back_pressure
from pyx.runtime.effect_handlers import EffectHandlers
from pyx.runtime.encoding import encoded
from pyx.wire.codec import is_flat
from pyx.wire.frames.fragments import MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner
    from pyx.signals import Payload
    from pyx.terms import Pid

T = TypeVar("T")


class Sending(EffectHandlers):
    """The ways from a process to others."""

    def __init__(self) -> None:
        super().__init__()
        self.max_message_bytes = MAX_PAYLOAD_BYTES
        """The longest message that leaves a process here, and that is taken from other nodes."""

    def say(self, node: str, decide: Callable[..., T], *args: Any) -> T | None:
        """A step that adds something to the queue of a node ("" for this one), or to a mailbox.

        If that is too heavy, the process waits afterwards; who cannot wait is refused when it is far too
        heavy.  From a finalizer inside a step it is taken when that one is over, and gives None.

        Raises:
            NodeBusy: nothing was done.
            ProcessKilled, KeyboardInterrupt: it may be done.
        """
        state = thread_state.thread.state
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
            back_pressure.wait(context.require("send()"), heavy)
        return result

    def _unless_busy(self, node: str, decide: Callable[..., T], *args: Any) -> T:
        queued = self.kernel.queued_for(node)
        if queued > back_pressure.REFUSED_BYTES:
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
        return self.say(node, self.kernel.send, frm, dest, self._body(node, message)) is not False

    def send_if_light(self, dest: Any, message: Any) -> bool | None:
        """`send`, but where that might wait it gives None, and nothing is sent."""
        return self.step(self._send_if_light, self._frm(), dest, self.body(dest, message))

    def _send_if_light(self, frm: Pid | None, dest: Any, body: Any) -> bool | None:
        queue = self.kernel.queue_for(dest)
        return None if queue is not None and queue.is_heavy else self.kernel.send(frm, dest, body)

    async def send_async(self, dest: Any, message: Any) -> bool:
        """`send` for a coroutine: it awaits, and is never refused."""
        state = thread_state.thread.state
        state.heavy = None
        sent = self.step(self.kernel.send, self._frm(), dest, self.body(dest, message))
        heavy = state.take_heavy()
        if heavy is not None:
            await back_pressure.wait_async(self.tasks, heavy)
        return sent

    @staticmethod
    def _frm() -> Pid | None:
        runner = context.current.get()
        return runner.process.pid if runner is not None else None

    def body(self, dest: Any, message: Any) -> Any:
        """What is put on its way to *dest*: a payload, or on this node a flat message itself."""
        return self._body(node_of(dest), message)

    def _body(self, node: str, message: Any) -> Any:
        return message if not node and is_flat(message) else encoded(message, self.max_message_bytes)

    def print_lines(self, runner: Runner, *, everything: bool = False) -> None:
        """Lines of the process for its group leader's terminal; with *everything* the unfinished one too.

        It waits where `say` does (and raises as that), but for *everything* it printed.
        """
        if everything:
            self.tell(self._print_all, runner)
        else:
            self._print_whole_lines(runner)
        # The shell's own output is there before it goes on, as a plain Python's is.
        if runner.outlet is not None and not thread_state.thread.state.inside and not context.may_not_wait():
            runner.outlet.settle()

    def _print_whole_lines(self, runner: Runner) -> None:
        leader = runner.process.leader
        node = leader.node if leader is not None else ""
        try:
            while self.say(node, self._print_piece, runner):
                pass
        except NodeBusy:
            self.step(_drop_lines, runner)
            raise

    def _print_piece(self, runner: Runner, *, everything: bool = False) -> bool:
        piece, more = runner.line.take(everything=everything)
        if piece:
            self.kernel.print_lines(runner.process, runner.process.leader, piece)
        return more

    def _print_all(self, runner: Runner) -> None:
        while self._print_piece(runner, everything=True):
            pass

    def abandon(self, number: int) -> None:
        """Nobody waits for that request any more; raises ProcessKilled, but not before it is abandoned."""
        try:
            self.tell(self.kernel.abandon, number)
        except ProcessKilled:
            self.portal.soon(functools.partial(self.step, self.kernel.abandon, number))
            raise

    def log_dropped_payload(self, process: ProcessRecord, item: Payload, error: Exception) -> None:
        """A payload could not be opened by its receiver: said once, here and where it came from."""
        origin = item.origin.name if item.origin is not None else "this node"
        line = f"dropped a message from {origin} to {process.pid} that cannot be read: {error}"
        self.warn_in_turn(f"unreadable from {origin}", line)
        if item.origin is not None:
            self.tell(self.kernel.payload_dropped, process, item.origin, str(error))


def _drop_lines(runner: Runner) -> None:
    while runner.line.take(everything=False)[1]:
        pass


def node_of(dest: Any) -> str:
    """The node of a checked destination; "" for this one."""
    if type(dest) is str:
        return ""
    node: str = dest[1] if type(dest) is tuple else dest.node
    return node
