"""Receive: patterns against the mailbox of the current process, with or without waiting.

    ...                 anything
    Literal(x)          this very value: equal, and of the same type
    a class             isinstance
    other callables     a predicate; what it raises goes to the receiver, and nothing is taken
    tuple, list         same type and length, element by element
    dict                at least these keys, value by value
    else                equal, and of the same type (`True` is not `1`)

A payload is decoded here, by its receiver; one that cannot be decoded is dropped, logged once and counted.
See `core/routing.py` for how messages get into a mailbox.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from typing import TYPE_CHECKING, Any, Final, Self

from pyx.errors import AlreadyReceiving, DecodeError, ReceiveTimeout
from pyx.execution.slots import NO_SLOT
from pyx.execution.thread_state import thread
from pyx.runtime.encoding import decode_item
from pyx.signals import Payload
from pyx.terms import Literal, Ref
from pyx.wire.codec import decode

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from pyx.core.mailbox import MailboxEntry
    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner
    from pyx.execution.tasks import ProcessLoop
    from pyx.runtime.dispatch import Dispatch
    from pyx.runtime.rate_limited_log import RateLimitedLog

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

    def receive(self, runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
        """Returns the first message that matches; waits at most *timeout* seconds for it (None: for ever).

        Raises:
            ReceiveTimeout: none came in time; the mailbox is as it was.
        """
        dispatch = self._dispatch
        deadline = None if timeout is None else time.monotonic() + timeout
        with ReceiveSearch(self, runner, patterns) as search:
            while (value := search.next()) is NOTHING:
                remaining = _remaining(deadline, timeout)
                slot = runner.own_slot
                try:
                    if dispatch.about_to_wait(runner):
                        slot.wait(remaining)
                finally:
                    dispatch.waited(runner)
            return value

    async def receive_async(self, runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
        """`receive` for a coroutine."""
        dispatch = self._dispatch
        deadline = None if timeout is None else time.monotonic() + timeout
        with ReceiveSearch(self, runner, patterns) as search:
            while (value := search.next(_TURN_MESSAGES)) is NOTHING or value is NOT_YET:
                if value is NOT_YET:
                    await asyncio.sleep(0)
                    continue
                remaining = _remaining(deadline, timeout)
                slot = self._tasks.slot()
                runner.slot = slot
                try:
                    if dispatch.about_to_wait(runner):
                        await slot.wait(remaining)
                finally:
                    runner.slot = NO_SLOT
                    dispatch.waited(runner)
            return value

    def drain(self, runner: Runner) -> list[Any]:
        """Takes all messages that are there, oldest first."""
        taken: list[Any] = []
        with ReceiveSearch(self, runner, ()) as search:
            while (value := search.next()) is not NOTHING:
                taken.append(value)
        return taken

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

    A context manager: while it is open, the process receives nowhere else.
    """

    __slots__ = ("_index", "_patterns", "_receiving", "_runner")

    def __init__(self, receiving: Receiving, runner: Runner, patterns: tuple[Any, ...]) -> None:
        self._receiving = receiving
        self._runner = runner
        self._patterns = patterns or (...,)
        self._index = 0

    def __enter__(self) -> Self:
        runner = self._runner
        if runner.receiving:
            raise AlreadyReceiving
        runner.receiving = True
        if runner.marks and (mark := self._mark()) is not None:
            mailbox = runner.process.mailbox
            mailbox.refill()
            self._index = mailbox.first_index_from(mark)
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.receiving = False

    def _mark(self) -> int | None:
        ref = required_reference(self._patterns)
        return self._runner.marks.get(ref) if ref is not None else None

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
        if mailbox.incoming:
            mailbox.refill()
        until = self._index + most
        while True:
            for entry in _from(self._index, mailbox.kept):
                if self._index >= until:
                    return NOT_YET
                if not entry.is_decoded and not self._decode(entry):
                    break  # it is dropped, so the positions have moved
                for pattern in self._patterns:
                    if matches(pattern, entry.value):
                        self._take()
                        return entry.value
                self._index += 1
            else:
                return NOTHING

    def _take(self) -> None:
        mailbox = self._runner.process.mailbox
        mailbox.take(self._index)
        if mailbox.waiters and mailbox.is_below_low_water:
            mailbox.waiters.wake()

    def _decode(self, entry: MailboxEntry) -> bool:
        kernel, item = self._receiving.kernel, entry.item
        try:
            if type(item) is Payload:  # the hot path: `decode_item` without its calls
                entry.value = decode(item, kernel.tables.here, trusts_peers=kernel.tables.trusts_peers)
            else:
                entry.value = decode_item(kernel, item)
        except DecodeError as error:
            self._take()
            self._receiving.report_dropped(self._runner.process, item, error)
            return False
        entry.is_decoded = True
        return True


def _from(start: int, kept: deque[MailboxEntry] | tuple[()]) -> Iterable[MailboxEntry]:
    # A deque is read quickly in order, and at places near its end: those of the latest messages.
    if len(kept) - start > _TURN_MESSAGES:
        return itertools.islice(kept, start, None)
    return map(kept.__getitem__, range(start, len(kept)))


def _remaining(deadline: float | None, timeout: float | None) -> float | None:
    """Returns the seconds left for a receive; raises ReceiveTimeout when there are none."""
    if deadline is None or timeout is None:
        return None
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise ReceiveTimeout(timeout)
    return remaining


# ---------------------------------------------------------------- patterns


def matches(pattern: Any, value: Any) -> bool:
    """True if *value* fits *pattern*."""
    if pattern is ...:
        return True
    kind = type(pattern)
    if kind is tuple or kind is list:
        return (
            type(value) is kind
            and len(value) == len(pattern)
            and all(matches(part, item) for part, item in zip(pattern, value, strict=True))
        )
    if kind is dict:
        return type(value) is dict and all(
            key in value and matches(part, value[key]) for key, part in pattern.items()
        )
    if kind is Literal:
        return type(value) is type(pattern.value) and bool(value == pattern.value)
    if isinstance(pattern, type):
        return isinstance(value, pattern)
    if callable(pattern):
        return bool(pattern(value))
    return type(value) is kind and bool(value == pattern)


def required_reference(patterns: tuple[Any, ...]) -> Ref | None:
    """Returns the reference that every match must hold, if each pattern asks for the same one; else None.

    A message that holds a reference came after the reference was made, so the search may start there: a reply
    is found without reading a long mailbox (OTP's optimization of selective receive).
    """
    found: Ref | None = None
    for pattern in patterns:
        mine = _reference_in(pattern)
        if mine is None or (found is not None and mine != found):
            return None
        found = mine
    return found


def _reference_in(pattern: Any) -> Ref | None:
    if type(pattern) is Ref:
        return pattern
    if type(pattern) is tuple or type(pattern) is list:
        return next((part for part in pattern if type(part) is Ref), None)
    return None
