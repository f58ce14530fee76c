"""From a process to others: messages, exit signals, calls without an answer and lines of output, with
back-pressure.

A kernel call that fills a queue beyond its high-water mark is done all the same; the process that made it
waits afterwards, outside of the call, until the queue is below its low-water mark: a kill or Ctrl-C ends the
wait, not what was sent.  No event loop is ever made to wait, and no thread that is not a process: they wait
by `aio.send`, or are refused when a node's queue is far beyond the mark (`NodeBusy`).

See `core/outbox.py` and `core/mailbox.py` for the queues and their marks, and `receiving.py` for the other
end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyx.core.peers import BEAM
from pyx.core.tables import THE_NODE
from pyx.errors import NodeBusy, ProcessKilled
from pyx.execution import context
from pyx.execution.node_log import log
from pyx.execution.runner import sleep, sleep_async
from pyx.execution.slots import LockSlot
from pyx.execution.thread_state import thread
from pyx.options import DEFAULT_MESSAGE_MIB, MIB
from pyx.runtime.arguments import node_of_destination
from pyx.signals import SPLIT_BYTES, Payload
from pyx.wire.codec import encode, encode_payload, is_flat

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.core.kernel import Kernel
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox
    from pyx.execution.runner import Runner
    from pyx.execution.tasks import ProcessLoop
    from pyx.runtime.dispatch import Dispatch, KernelCall
    from pyx.signals import Reason
    from pyx.terms import Pid

    Queue: TypeAlias = Outbox | Mailbox | ConsoleQueue

REFUSED_BYTES: Final = 16 * 1024 * 1024
"""Queued for a node: beyond this a sender that cannot wait is refused."""

_PATIENCE_SECONDS: Final = 1.0
"""A shell that waits longer logs what it waits for."""


class Sending:
    """The ways from the processes of one node to others.

    Args:
        dispatch: of the node.
        tasks: makes the slots that coroutines wait on.
    """

    def __init__(self, dispatch: Dispatch, tasks: ProcessLoop) -> None:
        self._dispatch = dispatch
        self._kernel = dispatch.kernel
        self._kernel_call = dispatch.kernel_call
        self._inside_call = SendingCall(dispatch.kernel_call, "")  # made once: it keeps nothing of a call
        self._tasks = tasks
        self.max_message_bytes = DEFAULT_MESSAGE_MIB * MIB
        """The longest message that leaves a process here, and that is accepted from other nodes."""

    # ------------------------------------------------------------ messages

    def send(self, dest: Any, message: Any) -> bool:
        """Encodes *message* and sends it.

        Args:
            dest: checked.
            message: data.

        Returns:
            False for a name that is not registered on this node; every other loss is silent.

        Raises:
            EncodeError: the message is not data.
            NodeBusy, ProcessKilled, KeyboardInterrupt: as `SendingCall`.
        """
        # `fast_send.py` is the same for the common cases.
        frm = context.acting_pid()
        node = node_of_destination(dest)
        if thread.state.inside:
            body = encode_for(node, message, self.max_message_bytes)
            self._dispatch.defer(self._kernel.router.send, frm, dest, body)
            return True
        while True:
            body = self.encoded(node, message)
            with SendingCall(self._kernel_call, node) if node else self._inside_call as kernel:
                if kernel.router.may_carry(node, body):
                    return kernel.router.send(frm, dest, body)

    def send_unless_busy(self, dest: Any, message: Any) -> bool | None:
        """`send`, but where the sender would have to wait it returns None, and nothing is sent."""
        frm = context.acting_pid()
        node = node_of_destination(dest)
        while True:
            body = self.encoded(node, message)
            with self._kernel_call as kernel:
                queue = kernel.router.queue_for(dest)
                if queue is not None and queue.is_busy:
                    return None
                if kernel.router.may_carry(node, body):
                    return kernel.router.send(frm, dest, body)

    async def send_async(self, dest: Any, message: Any) -> bool:
        """`send` for a coroutine: it awaits, and is never refused."""
        frm = context.acting_pid()
        node = node_of_destination(dest)
        take_busy_queue()
        sent = None
        while sent is None:
            body = self.encoded(node, message)
            with self._kernel_call as kernel:
                if kernel.router.may_carry(node, body):
                    sent = kernel.router.send(frm, dest, body)
        queue = take_busy_queue()
        if queue is not None:
            await wait_for_room_async(self._tasks, queue)
        return sent

    def encoded(self, node: str, message: Any) -> Any:
        """Returns what is sent to a process of *node*, in the dialect of its connection; see `encode_for`."""
        if node:
            peer = self._kernel.tables.peers.get(node)
            if peer is not None and peer.dialect == BEAM:
                from pyx.runtime.erlang_payloads import erlang_message  # there is an Erlang node

                return erlang_message(message, self._kernel.tables.here, self.max_message_bytes)
        return encode_for(node, message, self.max_message_bytes)

    # ------------------------------------------------------------ other signals

    def send_exit(self, pid: Pid, reason: Reason) -> None:
        """Sends an exit signal; raises as `SendingCall`."""
        frm = context.acting_pid() or THE_NODE
        if thread.state.inside:
            self._dispatch.defer(self._kernel.process_signals.exit, frm, pid, reason)
            return
        with SendingCall(self._kernel_call, pid.node) as kernel:
            kernel.process_signals.exit(frm, pid, reason)

    def cast(self, node: str, payload: Payload) -> None:
        """Has *node* (a full name) run a function, without an answer; raises as `SendingCall`."""
        frm, leader = context.acting_pid() or THE_NODE, context.acting_leader() or THE_NODE
        if thread.state.inside:
            self._dispatch.defer(self._kernel.requests.call, None, frm, leader, node, payload)
            return
        with SendingCall(self._kernel_call, node) as kernel:
            kernel.requests.call(None, frm, leader, node, payload)

    def abandon(self, number: int) -> None:
        """Gives up the answer to a request: nothing waits for it any more.

        Raises:
            ProcessKilled: the process is dead; the request is abandoned all the same.
        """
        try:
            self._dispatch.call_or_defer(self._kernel.abandon, number)
        except ProcessKilled:
            self._dispatch.transport_loop.soon(lambda: self._dispatch.call(self._kernel.abandon, number))
            raise

    # ------------------------------------------------------------ output

    def print_lines(self, runner: Runner, *, everything: bool = False) -> None:
        """Sends the lines that the process has printed to the terminal of its group leader.

        Args:
            runner: of the process.
            everything: the unfinished line too; then it neither waits nor raises NodeBusy.

        Raises:
            NodeBusy, ProcessKilled, KeyboardInterrupt: as `SendingCall`.
        """
        if everything:
            self._dispatch.call_or_defer(_print_everything, self._kernel, runner)
        elif thread.state.inside:
            self._dispatch.defer(_print_piece, self._kernel, runner)
        else:
            self._print_with_back_pressure(runner)
        # The shell's own output is there before it goes on, as a plain Python's is.
        if runner.console_writer is not None and not thread.state.inside and not context.may_not_wait():
            runner.console_writer.settle()

    def _print_with_back_pressure(self, runner: Runner) -> None:
        leader = runner.process.leader
        node = leader.node if leader is not None else ""
        try:
            is_more = True
            while is_more:
                with SendingCall(self._kernel_call, node) as kernel:
                    is_more = _print_piece(kernel, runner)
        except NodeBusy:
            with self._kernel_call:
                _drop_lines(runner)
            raise


def encode_for(node: str, message: Any, limit: int) -> Any:
    """Returns what is sent to a process of *node*: a payload, or on this node a flat message itself.

    Args:
        node: the node of the destination; "" for this node.
        message: data.
        limit: bytes.

    Raises:
        EncodeError: the message is not data, or too long.
    """
    if not node and is_flat(message):
        return message
    if type(message) is bytes and len(message) >= SPLIT_BYTES:
        return Payload(encode_payload(message, max_bytes=limit))
    payload: Payload = tuple.__new__(Payload, (encode(message, max_bytes=limit), None))  # a call less
    return payload


class SendingCall:
    """A kernel call that adds to the queue of a node or to a mailbox, with back-pressure.

    Args:
        kernel_call: of the node.
        node: whose queue it is; "" for this node.

    Raises:
        NodeBusy: the queue is far beyond its mark, and the caller cannot wait; the block is not entered.
        ProcessKilled, KeyboardInterrupt: as a kernel call, or while it waits afterwards.
    """

    __slots__ = ("_kernel_call", "_node")

    def __init__(self, kernel_call: KernelCall, node: str) -> None:
        self._kernel_call = kernel_call
        self._node = node

    def __enter__(self) -> Kernel:
        thread.state.busy_queue = None
        kernel = self._kernel_call.__enter__()
        if self._node:
            peer = kernel.tables.peers.get(self._node)
            # That is `Outbox.queued` of a peer that is not lost, without a call.
            if (
                peer is not None
                and peer.out.enqueued - peer.out.written > REFUSED_BYTES
                and context.may_not_wait()
            ):
                busy = NodeBusy(self._node, peer.out.queued)
                self._kernel_call.__exit__(NodeBusy, busy, None)
                raise busy
        return kernel

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._kernel_call.__exit__(kind, error, trace)
        queue = take_busy_queue()
        if queue is not None:
            wait_for_room(queue)


def take_busy_queue() -> Queue | None:
    """Returns the queue that this thread pushed over its high-water mark, and forgets it."""
    state = thread.state
    queue, state.busy_queue = state.busy_queue, None
    return queue


def wait_for_room(queue: Queue) -> None:
    """Makes the current process wait, if it may, until *queue* is below its low-water mark.

    Raises:
        ProcessKilled, KeyboardInterrupt: while it waits.
    """
    if not context.may_not_wait():
        _wait(context.require("send()"), queue)


def _wait(runner: Runner, queue: Queue) -> None:
    if queue is runner.process.mailbox:
        return  # only this process could empty it
    slot = LockSlot()
    try:
        queue.waiters.add(slot)
        is_told = runner.process.keeps_pid and queue.busy_reason is not None
        if is_told and not sleep(runner, slot, _PATIENCE_SECONDS, lambda: queue.is_below_low_water):
            log.warning(
                "waiting: %s (Ctrl-C stops waiting; the message is already queued)", queue.busy_reason
            )
        sleep(runner, slot, None, lambda: queue.is_below_low_water)
    finally:
        queue.waiters.discard(slot)


async def wait_for_room_async(tasks: ProcessLoop, queue: Queue) -> None:
    """`wait_for_room` for a coroutine, of a process or not."""
    while not queue.is_below_low_water:
        slot = tasks.slot()
        try:
            queue.waiters.add(slot)
            if not queue.is_below_low_water:
                await sleep_async(context.current.get(), slot, None)
        finally:
            queue.waiters.discard(slot)


def _print_piece(kernel: Kernel, runner: Runner, *, everything: bool = False) -> bool:
    """Sends a piece of what the process has printed; True if there is more.  Under the kernel's lock."""
    piece, more = runner.line.take(everything=everything)
    if piece:
        kernel.printing.print_lines(runner.process, runner.process.leader, piece)
    return more


def _print_everything(kernel: Kernel, runner: Runner) -> None:
    while _print_piece(kernel, runner, everything=True):
        pass


def _drop_lines(runner: Runner) -> None:
    while runner.line.take(everything=False)[1]:
        pass
