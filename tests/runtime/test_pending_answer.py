"""pending_answer.py: A request under way: asked, answered, waited for, given up."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import ProcessKilled
from pyx.runtime.pending_answer import PendingAnswer
from tests.staging import HANG, as_process

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


class Desk:
    """Takes requests as the kernel does, and notes which are given up."""

    def __init__(self, node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
        self.abandoned: list[int] = []
        monkeypatch.setattr(node.kernel, "abandon", self.abandoned.append)

    def takes(self, pending: PendingAnswer, number: int) -> int:
        return number

    def answers(self, pending: PendingAnswer, number: int) -> int:
        pending.resolve("value", "the answer")
        return number

    def needs_no_answer(self, pending: PendingAnswer) -> None: ...


@pytest.fixture
def desk(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(node, monkeypatch)


def test_an_answer_ends_the_wait(node: LocalNode, desk: Desk) -> None:
    with PendingAnswer(node) as pending:
        pending.ask(desk.takes, 7)
        threading.Thread(target=pending.resolve, args=("value", "the answer")).start()
        assert pending.wait(HANG)
    assert (pending.number, pending.outcome, pending.body) == (7, "value", "the answer")
    assert desk.abandoned == []


def test_one_that_came_at_once_is_not_waited_for(node: LocalNode, desk: Desk) -> None:
    with PendingAnswer(node) as pending:
        pending.ask(desk.answers, 7)
        assert pending.wait(0)


def test_time_runs_out_and_the_request_is_given_up(node: LocalNode, desk: Desk) -> None:
    with PendingAnswer(node) as pending:
        pending.ask(desk.takes, 7)
        assert not pending.wait(0)
    assert desk.abandoned == [7]


def test_whatever_leaves_the_block_gives_it_up(node: LocalNode, desk: Desk) -> None:
    with pytest.raises(KeyboardInterrupt), PendingAnswer(node) as pending:  # noqa: PT012 - the block is the test
        pending.ask(desk.takes, 7)
        raise KeyboardInterrupt
    assert desk.abandoned == [7]


def test_what_has_no_number_cannot_be_given_up(node: LocalNode, desk: Desk) -> None:
    with PendingAnswer(node) as pending:
        pending.ask(desk.needs_no_answer)
    with PendingAnswer(node):
        pass
    assert desk.abandoned == []


def test_a_process_that_is_killed_as_it_asks_gives_up_what_it_asked(node: LocalNode, desk: Desk) -> None:
    """The step that made the request raises on its way out: the number is noted all the same."""

    def asks_and_dies(pending: PendingAnswer) -> int:
        process = node.kernel.processes()[0]
        node.kernel.exit(process.pid, process.pid, "kill")
        return 7

    def body() -> None:
        with PendingAnswer(node) as pending:
            pending.ask(asks_and_dies)

    with pytest.raises(ProcessKilled):
        as_process(node, body)
    node.transport_loop.call(lambda: None)  # a dead process gives up by way of the portal
    assert desk.abandoned == [7]


def test_who_wants_to_know_is_told_where_the_answer_came(node: LocalNode) -> None:
    told: list[Any] = []
    pending = PendingAnswer(node, then=lambda one: told.append((one.outcome, threading.get_ident())))
    bringer = threading.Thread(target=pending.resolve, args=("value", None))
    bringer.start()
    bringer.join(HANG)
    assert told == [("value", bringer.ident)]


def test_what_a_call_printed_is_seen_before_its_value(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transport leaves lines to another thread; the asker does not go on before they are shown."""
    shown: list[str] = []
    node.output.outlet._write = lambda text, _: shown.append(text)
    with PendingAnswer(node) as pending:
        pending.resolve("value", None)
        node.kernel.console.append((node.kernel.dead_pid(), "a line\n"))
        pending.wait(0)
    assert shown == ["a line\n"]


class TestCoroutines:
    def test_an_answer_ends_the_wait(self, node: LocalNode, desk: Desk) -> None:
        async def asks() -> tuple[bool, Any]:
            with PendingAnswer(node, node.tasks.slot()) as pending:
                pending.ask(desk.takes, 7)
                threading.Thread(target=pending.resolve, args=("value", "the answer")).start()
                in_time = await pending.wait_async(HANG)
            return in_time, pending.body

        assert asyncio.run(asks()) == (True, "the answer")
        assert desk.abandoned == []

    def test_one_that_came_at_once_is_not_waited_for(self, node: LocalNode, desk: Desk) -> None:
        async def asks() -> bool:
            with PendingAnswer(node, node.tasks.slot()) as pending:
                pending.ask(desk.answers, 7)
                return await pending.wait_async(0)

        assert asyncio.run(asks())

    def test_time_runs_out(self, node: LocalNode, desk: Desk) -> None:
        async def asks() -> bool:
            with PendingAnswer(node, node.tasks.slot()) as pending:
                pending.ask(desk.takes, 7)
                return await pending.wait_async(0)

        assert not asyncio.run(asks())
        assert desk.abandoned == [7]

    def test_a_cancelled_one_gives_up(self, node: LocalNode, desk: Desk) -> None:
        async def asks() -> None:
            with PendingAnswer(node, node.tasks.slot()) as pending:
                pending.ask(desk.takes, 7)
                await pending.wait_async(None)

        async def cancels() -> None:
            task = asyncio.create_task(asks())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancels())
        assert desk.abandoned == [7]
