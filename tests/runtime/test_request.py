"""request.py: A request under way: asked, answered, waited for by a thread or a coroutine, abandoned."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import ProcessKilled, WouldBlock
from pyx.runtime import request
from pyx.runtime.request import PendingAnswer, wait
from tests.local_nodes import HANG, as_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def abandoned(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the requests that were abandoned."""
    numbers: list[int] = []
    monkeypatch.setattr(node.kernel.requests, "abandon", numbers.append)
    return numbers


def answer_later(pending: PendingAnswer) -> None:
    threading.Thread(target=pending.resolve, args=("value", "the answer")).start()


def answer_at_once(pending: PendingAnswer) -> None:
    pending.resolve("value", "the answer")


def answer_never(_: PendingAnswer) -> None: ...


async def ask(
    node: LocalNode, answers: Callable[[PendingAnswer], None], timeout: float | None, number: int = 7
) -> tuple[bool, Any]:
    """A request; returns whether its answer came in time, and the answer."""
    with PendingAnswer(node) as pending:
        with node.kernel_call:
            pending.number = number
        answers(pending)
        in_time = await pending.wait(timeout)
    return in_time, pending.body


def blocking(asked: Any) -> Any:
    return wait("test", asked)


def test_thread_does_not_wait_for_a_blocked_log(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[float] = []
    log = SimpleNamespace(waiting=["a record"], is_blocked=False, settle=settled.append)
    monkeypatch.setattr(request, "log", log)
    blocking(ask(node, answer_at_once, HANG))
    assert len(settled) == 1
    log.is_blocked = True
    blocking(ask(node, answer_at_once, HANG))
    assert len(settled) == 1


@pytest.mark.parametrize("run", [blocking, asyncio.run], ids=["thread", "coroutine"])
class TestBothForms:
    def test_answer_ends_the_wait(self, node: LocalNode, abandoned: list[int], run: Any) -> None:
        assert run(ask(node, answer_later, HANG)) == (True, "the answer")
        assert abandoned == []

    def test_answer_that_came_at_once_is_not_waited_for(
        self, node: LocalNode, abandoned: list[int], run: Any
    ) -> None:
        assert run(ask(node, answer_at_once, 0)) == (True, "the answer")
        assert abandoned == []

    def test_request_without_an_answer_in_time_is_abandoned(
        self, node: LocalNode, abandoned: list[int], run: Any
    ) -> None:
        assert run(ask(node, answer_never, 0)) == (False, None)
        assert abandoned == [7]

    def test_request_without_a_number_is_not_abandoned(
        self, node: LocalNode, abandoned: list[int], run: Any
    ) -> None:
        assert run(ask(node, answer_never, 0, number=0)) == (False, None)
        assert abandoned == []

    def test_exception_in_the_block_abandons_the_request(
        self, node: LocalNode, abandoned: list[int], run: Any
    ) -> None:
        def interrupt(_: PendingAnswer) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(ask(node, interrupt, 0))
        assert abandoned == [7]


def test_request_of_a_process_killed_while_it_asks_is_abandoned(
    node: LocalNode, abandoned: list[int]
) -> None:
    """The kernel call that made the request raises on its way out: the number is kept all the same."""

    async def ask_and_die() -> None:
        with PendingAnswer(node) as pending, node.kernel_call as kernel:
            process = kernel.tables.processes.all()[0]
            kernel.process_signals.exit(process.pid, process.pid, "kill")
            pending.number = 7

    with pytest.raises(ProcessKilled):
        as_process(node, lambda: blocking(ask_and_die()))
    node.transport_loop.call(lambda: None)  # a dead process abandons on the transport's thread
    assert abandoned == [7]


def test_cancelled_coroutine_abandons_its_request(node: LocalNode, abandoned: list[int]) -> None:
    async def cancels() -> None:
        task = asyncio.create_task(ask(node, answer_never, None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancels())
    assert abandoned == [7]


def test_given_slot_is_woken_on_the_thread_that_brings_the_answer(node: LocalNode) -> None:
    woken: list[Any] = []

    class Slot:
        def wake(self) -> None:
            woken.append((pending.outcome, threading.get_ident()))

    pending = PendingAnswer(node, Slot())
    bringer = threading.Thread(target=pending.resolve, args=("value", None))
    bringer.start()
    bringer.join(HANG)
    assert woken == [("value", bringer.ident)]


def test_output_of_a_call_is_shown_before_its_value(node: LocalNode) -> None:
    """The transport leaves lines to another thread; the caller does not go on before they are shown."""
    shown: list[str] = []
    node.output.writer._write = lambda text, _: shown.append(text)

    def answer_behind_a_line(pending: PendingAnswer) -> None:
        pending.resolve("value", None)
        node.kernel.tables.console.append((node.kernel.tables.dead_pid(), "a line\n"))

    blocking(ask(node, answer_behind_a_line, 0))
    assert shown == ["a line\n"]


def test_wait_on_a_running_loop_names_the_twin(node: LocalNode) -> None:
    async def on_a_loop() -> None:
        wait("Node.ping", ask(node, answer_never, 0))

    with pytest.raises(WouldBlock, match=r"Node\.ping\(\) would block") as refused:
        asyncio.run(on_a_loop())
    assert refused.value.twin == "aio.Node.ping()"
