"""A message of a process, sent in one function: a fast path.

It is `Sending.send` for the messages that most programs send: of a process, outside of other kernel calls,
to a process of this node by pid or name, or to a connected node whose queue has room.  Steps and order are
those of the general path: encode; gate; lock; decide and append; release; effects; what is pending.  What is
decided is what `Router.send` decides in that case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.core.outbox import HIGH_WATER_BYTES
from pyx.core.peers import PYX
from pyx.execution.context import current
from pyx.execution.interrupts import guard_main_thread, pending_handlers, pending_interrupt
from pyx.execution.node_log import log
from pyx.execution.reading_waits import flush_for
from pyx.execution.thread_state import thread
from pyx.runtime.sending import encode_for, take_busy_queue
from pyx.signals import Payload, Send
from pyx.terms import Pid
from pyx.wire.codec import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.core.effects import Effect
    from pyx.core.processes import ProcessRecord
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.sending import Queue

_new: Final = tuple.__new__  # see `core/requests.py`


def send_fast(dest: Any, message: Any) -> Queue | bool:
    """Sends *message* in the name of the current process, if this is the common case.

    A message to another node takes 8 Python calls to its queue instead of 31, and 2.8 µs instead of 4.7; one
    to a process of this node 1.0 instead of 1.8 [measured: CPU time of the thread, a stream of
    `("add", {...})`, and of 1].

    Args:
        dest: checked: a pid, a name, `(name, node)` or an alias.
        message: data.

    Returns:
        False if nothing was done, and the general path has to send the message.  True if it was sent; instead
        a queue if that is over its high-water mark now, so that a sender that may wait has to.

    Raises:
        EncodeError, ProcessKilled, KeyboardInterrupt: as `Sending.send`.
    """
    runner = current.get()
    if runner is None:
        return False
    state = thread.state
    if state.inside or state.runs_transport:
        return False
    node: LocalNode = runner.node  # type: ignore[assignment] # as `this_node`
    dispatch = node.dispatch
    tables = dispatch.kernel.tables
    if tables.fan_outs.latest:  # the message may have to come behind one of them
        return False
    to: Any
    kind = type(dest)
    if kind is Pid:
        to, name = dest, dest.node
    elif kind is tuple:
        to, name = dest
    elif kind is str and dest in tables.names:
        to, name = dest, ""
    else:
        return False
    peer = None
    if name:
        peer = tables.peers.get(name)
        if peer is None or peer.state != "up" or peer.out.enqueued - peer.out.written >= HIGH_WATER_BYTES:
            return False
    limit = node.sending.max_message_bytes
    if peer is not None and peer.dialect is not PYX:
        body = node.sending.encoded(name, message)
    elif name:  # as `encode_for`, in a call less
        body = _new(Payload, (encode(message, max_bytes=limit), None))
    else:
        body = encode_for(name, message, limit)
    process, gate = runner.process, runner.gate
    signal = None if peer is None else _new(Send, (process.pid, to, body))
    sent: Queue | bool = True
    woken: ProcessRecord | None = None
    effects: Sequence[Effect] = ()
    if state.is_main:
        guard_main_thread()
    if gate.closed:
        gate.refuse()
    state.inside = True
    collects = True
    try:
        for _, was_on, _ in dispatch.acquire:
            collects = was_on
            break
    except BaseException:
        state.inside = False
        raise
    try:
        try:
            if not process.alive:
                peer = None  # nothing follows the exit of the sender
            elif peer is not None and signal is not None:
                if peer.state == "up":
                    if peer.out.put(signal):
                        sent = peer.out
                    peer.sent_since_tick = True
                elif dispatch.kernel.router.may_carry(name, body):
                    peer = None
                    dispatch.kernel.router.send(process.pid, dest, body)
                else:  # encoded for a session that is over: the general path encodes it anew
                    peer = None
                    sent = False
            else:
                if kind is Pid:
                    target = tables.processes.get(to.number)
                    if target is not None and target.pid.serial != to.serial:
                        target = None
                else:
                    target = tables.names.get(to)
                    sent = target is not None
                if target is not None:
                    if target.mailbox.deliver(body):
                        dispatch.kernel.router.mailbox_grew(target)
                    if target.waiting:
                        target.waiting = False
                        woken = target
            if tables.effects:
                effects = dispatch.kernel.router.collect()
        finally:
            if collects:
                next(dispatch.release)
            else:
                dispatch.lock.release()
        try:
            if woken is not None and (receiver := woken.runner) is not None:  # else it has ended meanwhile
                receiver.slot.wake()
            elif peer is not None and (connection := peer.connection) is not None:  # as `Dispatch.perform`
                flush_for(runner, connection)
        except Exception:
            log.exception("cannot wake a receiver, or write to a connection")
        if effects:
            state.busy_queue = None
            dispatch.perform(effects, runner)
            suspended = take_busy_queue()
            if suspended is not None:
                sent = suspended
    finally:
        if dispatch.deferred:
            dispatch.leave(runner)
        else:
            state.inside = False
            # A finalizer may have deferred a call meanwhile.
            if dispatch.deferred or pending_interrupt.noted or pending_handlers or gate.closed:
                dispatch.has_left(runner)
    return sent
