"""Receive: patterns against the current process's mailbox, waiting included, for threads and for coroutines.

Letters are opened here, by their receiver; one that cannot be opened is dropped, logged once and counted.
Not here: the grammar of patterns (`patterns.py`), or how messages get in (`core/kernel.py`).
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from typing import TYPE_CHECKING, Any, Final, Self

from pyx.core.mailbox import Downed, Exited, MailboxEntry, NodeDown, NodeUp
from pyx.errors import AlreadyReceiving, DecodeError, ReceiveTimeout
from pyx.execution.slots import NO_SLOT
from pyx.runtime.current_node import node_of
from pyx.runtime.encoding import decoded
from pyx.runtime.patterns import matches, required_reference
from pyx.signals import Payload

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode

NOTHING: Final = object()
"""No message matched (None is a message)."""

NOT_YET: Final = object()
"""None has matched so far; the others are to be looked at."""

_A_TURN: Final = 1000
"""So many messages a coroutine looks at before it lets others run: some milliseconds."""


def open_item(node: LocalNode, item: Any) -> Any:
    """What the receiver sees of one mailbox item; raises DecodeError for a payload that is none."""
    kind = type(item)
    if kind is Payload:
        return decoded(item, node.kernel)
    if kind is Downed:
        return ("DOWN", item.ref, "process", item.target, open_reason(node, item.reason))
    if kind is Exited:
        return ("EXIT", item.pid, open_reason(node, item.reason))
    if kind is NodeUp:
        return ("nodeup", item.name)
    if kind is NodeDown:
        return ("nodedown", item.name)
    return item


def open_reason(node: LocalNode, reason: str | Payload) -> Any:
    """An exit reason as its reader sees it; one that cannot be opened is the word `"unreadable"`."""
    if type(reason) is str:
        return reason
    assert isinstance(reason, Payload)
    try:
        return decoded(reason, node.kernel)
    except DecodeError:
        return "unreadable"


class ReceiveSearch:
    """Looks through a mailbox for the first match of *patterns*, each message once.

    A context manager: while it is open, the process receives nowhere else.
    """

    __slots__ = ("_index", "_patterns", "_runner")

    def __init__(self, runner: Runner, patterns: tuple[Any, ...]) -> None:
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
        """The first match among what has not been looked at, taken from the mailbox; else NOTHING.

        NOT_YET after *most* messages that do not match, if there are more.

        A predicate runs here outside every lock; if it raises, nothing is taken.  Nothing here is a
        step: the mailbox of a dead process is read by its own thread alone, if at all.
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
                if not entry.opened and not self._open(entry):
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
        if mailbox.waiters and mailbox.is_light:
            mailbox.waiters.wake()

    def _open(self, entry: MailboxEntry) -> bool:
        node = node_of(self._runner)
        try:
            entry.value = open_item(node, entry.item)
        except DecodeError as error:
            process = self._runner.process
            self._take()
            process.undecodable += 1
            node.log_dropped_payload(process, entry.item, error)
            return False
        entry.opened = True
        return True


def _from(start: int, kept: deque[MailboxEntry] | tuple[()]) -> Iterable[MailboxEntry]:
    # A deque is read quickly in order, and at places near its end: those of the latest messages.
    if len(kept) - start > _A_TURN:
        return itertools.islice(kept, start, None)
    return map(kept.__getitem__, range(start, len(kept)))


def receive(runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
    """The first message that matches, waiting at most *timeout* seconds for it (None: for ever).

    Raises:
        ReceiveTimeout: none came in time; the mailbox is as it was.
    """
    node = node_of(runner)
    deadline = None if timeout is None else time.monotonic() + timeout
    with ReceiveSearch(runner, patterns) as search:
        while (value := search.next()) is NOTHING:
            remaining = _remaining(deadline, timeout)
            slot = runner.own_slot
            try:
                if node.about_to_wait(runner):
                    slot.wait(remaining)
            finally:
                node.waited(runner)
        return value


async def receive_async(runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
    """`receive` for a coroutine."""
    node = node_of(runner)
    deadline = None if timeout is None else time.monotonic() + timeout
    with ReceiveSearch(runner, patterns) as search:
        while (value := search.next(_A_TURN)) is NOTHING or value is NOT_YET:
            if value is NOT_YET:
                await asyncio.sleep(0)
                continue
            remaining = _remaining(deadline, timeout)
            slot = node.tasks.slot()
            runner.slot = slot
            try:
                if node.about_to_wait(runner):
                    await slot.wait(remaining)
            finally:
                runner.slot = NO_SLOT
                node.waited(runner)
        return value


def _remaining(deadline: float | None, timeout: float | None) -> float | None:
    """The seconds left for a receive; raises ReceiveTimeout when there are none."""
    if deadline is None or timeout is None:
        return None
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise ReceiveTimeout(timeout)
    return remaining


def drain(runner: Runner) -> list[Any]:
    """Takes every message that is there, oldest first (the shell's `flush`)."""
    taken: list[Any] = []
    with ReceiveSearch(runner, ()) as search:
        while (value := search.next()) is not NOTHING:
            taken.append(value)
    return taken


def peek(node: LocalNode, items: list[Any]) -> list[Any]:
    """What the receiver will see of *items*, freshly opened; those that cannot be opened are left out."""
    seen: list[Any] = []
    for item in items:
        try:
            seen.append(open_item(node, item))
        except DecodeError:
            continue
    return seen
