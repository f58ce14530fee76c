"""Receive: patterns against the mailbox of the current process, with or without waiting.

A payload is decoded here, by its receiver; one that cannot be decoded is dropped, logged once and counted.
See `patterns.py` for what matches, and `core/routing.py` for how messages get into a mailbox.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.core.mailbox import NOT_DECODED, SYSTEM_MESSAGES, Called
from pyx.errors import AlreadyReceiving, DecodeError, ReceiveTimeout
from pyx.execution.loop_thread import FutureSlot
from pyx.execution.reading_waits import read_answer
from pyx.execution.slots import LockSlot
from pyx.execution.thread_state import thread
from pyx.runtime.encoding import REFUSED_TAG, decode_item
from pyx.runtime.pattern_compiler import compiled
from pyx.runtime.patterns import matches_any, required_reference
from pyx.signals import Payload
from pyx.wire.codec import decode, encode

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from pyx.core.mailbox import Mailbox, MailboxEntry
    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner
    from pyx.execution.tasks import ProcessLoop
    from pyx.runtime.dispatch import Dispatch
    from pyx.runtime.pattern_compiler import Test
    from pyx.runtime.rate_limited_log import RateLimitedLog
    from pyx.terms import Incarnation

NOTHING: Final = object()
"""No message matched (None is a message)."""

NOT_YET: Final = object()
"""No message has matched so far, and there are more to look at."""

_TURN_MESSAGES: Final = 1000
"""Messages that a coroutine looks at before it lets others run: some milliseconds."""


class Receiving:
    """The receives of the processes of one node.

    Args:
        dispatch: of the node.
        tasks: makes the slots that coroutines wait on.
        limited_log: for messages that cannot be decoded.
    """

    def __init__(self, dispatch: Dispatch, tasks: ProcessLoop, limited_log: RateLimitedLog) -> None:
        self._dispatch = dispatch
        self.kernel = dispatch.kernel
        self._tasks = tasks
        self._limited_log = limited_log

    def receive(
        self,
        runner: Runner,
        patterns: tuple[Any, ...],
        timeout: float | None,
        search: ReceiveSearch | None = None,
    ) -> Any:
        """Returns the first message that matches; waits at most *timeout* seconds for it (None: for ever).

        Args:
            runner: of the process.
            patterns: see `patterns.py`.
            timeout: seconds.
            search: for those patterns, just made; None: one is made here.

        Raises:
            ReceiveTimeout: none came in time; the mailbox is as it was.
        """
        search = search or ReceiveSearch(self, runner, patterns)
        try:
            dispatch, process = self._dispatch, runner.process
            value = NOTHING
            if process.mailbox.incoming or process.mailbox.kept:
                value = search.next()
                if value is not NOTHING:
                    return value
            elif runner.gate.closed:
                runner.gate.refuse()
            deadline = None if timeout is None else time.monotonic() + timeout
            while value is NOTHING:
                remaining = None if deadline is None else _remaining(deadline, timeout)
                slot = runner.slot
                if type(slot) is not LockSlot:
                    slot = runner.own_slot
                try:
                    if dispatch.about_to_wait(runner) and not read_answer(runner, slot, remaining):
                        slot.wait(None if deadline is None else _remaining(deadline, timeout))
                finally:
                    process.waiting = False
                    runner.fresh = True
                value = search.next()
            return value
        finally:
            runner.receiving = False

    async def receive_async(
        self,
        runner: Runner,
        patterns: tuple[Any, ...],
        timeout: float | None,
        search: ReceiveSearch | None = None,
    ) -> Any:
        """`receive` for a coroutine."""
        search = search or ReceiveSearch(self, runner, patterns)
        try:
            dispatch, process = self._dispatch, runner.process
            value = NOTHING
            if process.mailbox.incoming or process.mailbox.kept:
                value = search.next(_TURN_MESSAGES)
                if value is not NOTHING and value is not NOT_YET:
                    return value
            elif runner.gate.closed:
                runner.gate.refuse()
            deadline = None if timeout is None else time.monotonic() + timeout
            while True:
                if value is NOT_YET:
                    await asyncio.sleep(0)
                elif value is NOTHING:
                    remaining = None if deadline is None else _remaining(deadline, timeout)
                    slot = runner.slot
                    if type(slot) is not FutureSlot or not slot.renew():
                        runner.slot = slot = self._tasks.slot()
                    try:
                        if dispatch.about_to_wait(runner):
                            await (slot.future if remaining is None else slot.wait_at_most(remaining))
                    finally:
                        process.waiting = False
                        runner.fresh = True
                else:
                    return value
                value = search.next(_TURN_MESSAGES)
        finally:
            runner.receiving = False

    def drain(self, runner: Runner) -> list[Any]:
        """Takes all messages that are there, oldest first."""
        taken: list[Any] = []
        search = ReceiveSearch(self, runner, ())
        try:
            while (value := search.next()) is not NOTHING:
                taken.append(value)
        finally:
            runner.receiving = False
        return taken

    def refuse(self, process: ProcessRecord, called: Called, error: DecodeError) -> None:
        """Replies to a call whose request cannot be decoded, so that its caller need not wait for nothing."""
        body: Any = (REFUSED_TAG, f"the request cannot be read there: {error}")
        if called.ref.node:
            body = Payload(encode(body))
        self._dispatch.call_or_defer(self.kernel.gen_calls.reply, process.pid, called.ref, body)

    def report_dropped(self, process: ProcessRecord, payload: Payload, error: DecodeError) -> None:
        """Counts a payload that its receiver could not decode, and reports it here and where it came from."""
        process.undecodable += 1
        origin = payload.origin.name if payload.origin is not None else "this node"
        topic = f"unreadable from {origin}"
        line = f"dropped a message from {origin} to {process.pid} that cannot be read: {error}"
        if thread.state.inside:
            self._limited_log.write(topic, logging.WARNING, line)
        else:
            with self._dispatch.critical_section():  # no kill may leave the log's lock taken
                self._limited_log.write(topic, logging.WARNING, line)
        if payload.origin is not None:
            dropped = self.kernel.payload_dropped
            self._dispatch.call_or_defer(dropped, process, payload.origin, str(error))


class ReceiveSearch:
    """Looks through a mailbox for the first match of *patterns*, each message once.

    The process receives nowhere else from here on, until its `receiving` is set to False again.
    """

    __slots__ = ("_index", "_patterns", "_receiving", "_runner", "_taken", "_test")

    def __init__(self, receiving: Receiving, runner: Runner, patterns: tuple[Any, ...]) -> None:
        if runner.receiving:
            raise AlreadyReceiving
        self._receiving = receiving
        self._runner = runner
        self._patterns = patterns
        self._index = 0
        """Of the next message to look at, in `Mailbox.kept` and what follows it in `incoming`."""
        self._test: Test | None = None
        """Made when a second message is looked at."""
        self._taken: Any = None
        """The item of the mailbox that matched."""
        if patterns and runner.marks:
            self._start_at_a_mark()
        runner.receiving = True

    @property
    def origin(self) -> Incarnation | None:
        """Of the message that was taken last: the node that encoded it; None for this node.

        It is not part of the message: this node notes it beside the bytes as they arrive, so a peer that lies
        in a message, about a pid say, has its own name there all the same.  A message that a peer says to
        pass on for a third node has the third one's name, and is never of this node.
        """
        taken = self._taken
        body = taken if type(taken) is Payload else getattr(taken, "body", None)  # of a call or a reply
        return body.origin if type(body) is Payload else None

    def next(self, most: float = math.inf) -> Any:
        """Takes the first match among the messages not looked at yet from the mailbox; else NOTHING.

        NOT_YET after *most* messages that do not match, if there are more.

        A predicate runs here outside every lock; if it raises, nothing is taken.  Nothing here is a kernel
        call: the mailbox of a dead process is read by its own thread alone, if at all.
        """
        runner = self._runner
        if runner.gate.closed:
            runner.gate.refuse()
        mailbox = runner.process.mailbox
        left = len(mailbox.incoming)  # what a predicate sends is for the next search
        until = self._index + most
        if self._index < len(mailbox.kept):
            value = self._next_kept(mailbox, until)
            if value is not NOTHING:
                return value
        # A message that is taken at once never becomes an entry.
        patterns, kernel = self._patterns, self._receiving.kernel
        while left and (incoming := mailbox.incoming):
            if self._index >= until:
                return NOT_YET
            left -= 1
            item = incoming[0]
            kind = type(item)
            try:
                if kind is Payload:  # the hot path: `decode_item` without its calls
                    tables = kernel.tables
                    value = decode(
                        item, tables.here, trusts_peers=tables.trusts_peers, binaries=runner.binaries
                    )
                else:
                    value = decode_item(kernel, item, runner.binaries) if kind in SYSTEM_MESSAGES else item
            except DecodeError as error:
                incoming.popleft()
                mailbox.moved += 1
                self._dropped(mailbox, item, error)
                continue
            test = self._test
            if not patterns or (test(value) if test is not None else matches_any(patterns, value)):
                incoming.popleft()
                mailbox.moved += 1
                self._taken = item
                if mailbox.waiters:
                    _wake_waiters(mailbox)
                return value
            mailbox.keep_first(value)
            self._index += 1
            if test is None:
                self._test = compiled(patterns)
        return NOTHING

    def _next_kept(self, mailbox: Mailbox, until: float) -> Any:
        """`next` among the messages that are kept already."""
        test = self._test
        if test is None:
            test = self._test = compiled(self._patterns)
        while True:
            index = self._index
            for entry in _from(index, mailbox.kept):
                if index >= until:
                    self._index = index
                    return NOT_YET
                value = entry.value
                if value is NOT_DECODED:
                    try:
                        kernel = self._receiving.kernel
                        value = entry.value = decode_item(kernel, entry.item, self._runner.binaries)
                    except DecodeError as error:
                        self._index = index
                        mailbox.take(index)
                        self._dropped(mailbox, entry.item, error)
                        break  # the positions have moved
                if test(value):
                    self._index = index
                    self._taken = mailbox.take(index).item
                    if mailbox.waiters:
                        _wake_waiters(mailbox)
                    return value
                index += 1
            else:
                self._index = index
                return NOTHING

    def _start_at_a_mark(self) -> None:
        """Skips the messages that are older than the reference that all patterns ask for, if any."""
        ref = required_reference(self._patterns)
        mark = self._runner.marks.get(ref) if ref is not None else None
        if mark is not None:
            mailbox = self._runner.process.mailbox
            mailbox.refill()
            self._index = mailbox.first_index_from(mark)

    def _dropped(self, mailbox: Mailbox, item: Any, error: DecodeError) -> None:
        if mailbox.waiters:
            _wake_waiters(mailbox)
        payload = item if type(item) is Payload else item.body
        if type(item) is Called:
            self._receiving.refuse(self._runner.process, item, error)
        self._receiving.report_dropped(self._runner.process, payload, error)


def _wake_waiters(mailbox: Mailbox) -> None:
    """Wakes the senders that wait, if the message taken was one that they waited for."""
    if mailbox.is_below_low_water:
        mailbox.waiters.wake()


def _from(start: int, kept: deque[MailboxEntry] | tuple[()]) -> Iterable[MailboxEntry]:
    # A deque is read quickly in order, and at places near its end: those of the latest messages.
    if len(kept) - start > _TURN_MESSAGES:
        return itertools.islice(kept, start, None)
    return map(kept.__getitem__, range(start, len(kept)))


def _remaining(deadline: float, timeout: float | None) -> float:
    """Returns the seconds left for a receive; raises ReceiveTimeout when there are none."""
    assert timeout is not None  # as there is a deadline
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise ReceiveTimeout(timeout)
    return remaining
