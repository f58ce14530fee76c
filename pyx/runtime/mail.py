"""Receive: patterns against the current process's mailbox, waiting included, for threads and for coroutines.

Letters are opened here, by their receiver; one that cannot be opened is dropped, logged once and counted.
Not here: the grammar of patterns (`patterns.py`), or how messages get in (`core/kernel.py`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from pyx.core.mailbox import Downed, Entry, Exited, NodeDown, NodeUp
from pyx.errors import DecodeError, ReceiveTimeout
from pyx.runtime.patterns import matches, required_reference
from pyx.signals import Letter
from pyx.wire.codec import open_letter

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.runners import Runner

NOTHING: Final = object()
"""No message matched (None is a message)."""


def open_item(node: LocalNode, item: Any) -> Any:
    """What the receiver sees of one mailbox item; raises DecodeError for a letter that is none."""
    kind = type(item)
    if kind is Letter:
        return open_letter(item, node.kernel.here)
    if kind is Downed:
        return ("DOWN", item.ref, "process", item.target, open_reason(node, item.reason))
    if kind is Exited:
        return ("EXIT", item.pid, open_reason(node, item.reason))
    if kind is NodeUp:
        return ("nodeup", item.name)
    if kind is NodeDown:
        return ("nodedown", item.name)
    return item


def open_reason(node: LocalNode, reason: str | Letter) -> Any:
    """An exit reason as its reader sees it; one that cannot be opened is the word `"unreadable"`."""
    if type(reason) is str:
        return reason
    assert isinstance(reason, Letter)
    try:
        return open_letter(reason, node.kernel.here)
    except DecodeError:
        return "unreadable"


class Search:
    """Looks through a mailbox for the first match of *patterns*, each message once."""

    __slots__ = ("_index", "_patterns", "_runner")

    def __init__(self, runner: Runner, patterns: tuple[Any, ...]) -> None:
        self._runner = runner
        self._patterns = patterns
        self._index = 0
        if runner.marks:
            ref = required_reference(patterns)
            if ref is not None and ref in runner.marks:
                self._refill()
                self._index = runner.process.mailbox.first_index_from(runner.marks[ref])

    def next(self) -> Any:
        """The first match among what has not been looked at, taken from the mailbox; else NOTHING.

        A predicate runs here outside every lock; if it raises, nothing is taken.
        """
        runner = self._runner
        mailbox = runner.process.mailbox
        self._refill()
        while self._index < len(mailbox.kept):
            entry = mailbox.kept[self._index]
            if not entry.opened and not self._open(entry):
                continue
            value = entry.value
            if not self._patterns or any(matches(pattern, value) for pattern in self._patterns):
                runner.gate.enter()
                try:
                    mailbox.take(self._index)
                finally:
                    runner.gate.leave()
                return value
            self._index += 1
        return NOTHING

    def _refill(self) -> None:
        # Between two collections a message is in neither: nothing may interrupt this.
        gate = self._runner.gate
        gate.enter()
        try:
            self._runner.process.mailbox.refill()
        finally:
            gate.leave()

    def _open(self, entry: Entry) -> bool:
        node = self._runner.node
        try:
            entry.value = open_item(node, entry.item)
        except DecodeError as error:
            self._runner.process.mailbox.take(self._index)
            self._runner.undecodable += 1
            node.log_dropped_letter(self._runner.process, entry.item, error)
            return False
        entry.opened = True
        return True


def receive(runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
    """The first message that matches, waiting at most *timeout* seconds for it (None: for ever).

    Raises:
        ReceiveTimeout: none came in time; the mailbox is as it was.
    """
    search = Search(runner, patterns)
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        value = search.next()
        if value is not NOTHING:
            return value
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            assert timeout is not None
            raise ReceiveTimeout(timeout)
        if runner.node.about_to_wait(runner):
            runner.own_slot.wait(remaining)
            runner.node.waited(runner)


async def receive_async(runner: Runner, patterns: tuple[Any, ...], timeout: float | None) -> Any:
    """`receive` for a coroutine."""
    import asyncio

    search = Search(runner, patterns)
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        value = search.next()
        if value is not NOTHING:
            return value
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            assert timeout is not None
            raise ReceiveTimeout(timeout)
        slot = runner.node.tasks.slot()
        runner.slot = slot
        try:
            if runner.node.about_to_wait(runner):
                if remaining is None:
                    await slot.future
                else:
                    await asyncio.wait((slot.future,), timeout=remaining)
                runner.node.waited(runner)
        finally:
            runner.slot = runner.own_slot


def drain(runner: Runner) -> list[Any]:
    """Takes every message that is there, oldest first (the shell's `flush`)."""
    search = Search(runner, ())
    taken: list[Any] = []
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
