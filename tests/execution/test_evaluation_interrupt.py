"""evaluation_interrupt.py, interruptible_gate.py: Ctrl-C for code on another thread than the main one."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process, receive
from pyx.errors import ProcessKilled
from pyx.execution import context
from pyx.execution.evaluation_interrupt import EvaluationInterrupt
from pyx.execution.interruptible_gate import InterruptibleGate
from tests.local_nodes import HANG, LocalNodes, Running, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    with LocalNodes(monkeypatch) as nodes:
        yield nodes.make()


class Evaluation:
    """A process that runs *code* as evaluation 1, and the interrupts of it."""

    def __init__(self, node: LocalNode, code: Callable[[], Any]) -> None:
        self.began = threading.Event()
        self._code = code
        self.process = Running(node, self._run)
        assert self.began.wait(HANG)

    def _run(self) -> Any:
        runner = context.require("a test")
        self.interrupts = EvaluationInterrupt(runner, InterruptibleGate.of(runner))
        self.interrupts.begin(1)
        try:
            return self._code() if not self.began.set() else None
        except KeyboardInterrupt:
            return "interrupted"
        finally:
            self.interrupts.end()

    def interrupt_until_over(self) -> Any:
        while self.interrupts.insist(1):
            time.sleep(0.001)
        return self.process.outcome()


def _compute() -> None:
    while True:
        pass


async def _sleeping_in_a_task(seconds: float) -> None:
    await asyncio.create_task(asyncio.sleep(seconds))


@pytest.mark.parametrize("code", [receive, lambda: Process.sleep(None), _compute])
def test_it_raises_in_waits_of_pyx_and_in_user_code(node: LocalNode, code: Callable[[], Any]) -> None:
    evaluation = Evaluation(node, code)
    assert evaluation.interrupts.interrupt(1)
    assert evaluation.interrupt_until_over() == "interrupted"


def test_it_raises_when_a_library_returns(node: LocalNode) -> None:
    go_on = threading.Event()

    def code() -> str:
        go_on.wait()
        return "not interrupted"

    evaluation = Evaluation(node, code)
    until(lambda: bool(go_on._cond._waiters))  # type: ignore[attr-defined]
    assert evaluation.interrupts.interrupt(1)
    assert "go_on.wait()" in evaluation.interrupts.place()
    assert evaluation.interrupts.insist(1)
    go_on.set()
    assert evaluation.process.outcome() == "interrupted"


def test_an_evaluation_that_has_ended_is_not_interrupted(node: LocalNode) -> None:
    evaluation = Evaluation(node, lambda: "ended")
    assert evaluation.process.outcome() == "ended"
    assert not evaluation.interrupts.interrupt(1)


def test_another_number_is_not_interrupted(node: LocalNode) -> None:
    go_on = threading.Event()
    evaluation = Evaluation(node, lambda: go_on.wait(HANG))
    assert not evaluation.interrupts.interrupt(2)
    go_on.set()
    assert evaluation.process.outcome() is True


class TestTheGate:
    def test_an_interrupt_raises_once(self) -> None:
        gate = InterruptibleGate()
        gate.interrupt()
        with pytest.raises(KeyboardInterrupt):
            gate.enter()
        gate.enter()
        assert not gate.is_interrupted

    def test_a_kill_comes_before_an_interrupt_and_stays(self) -> None:
        gate = InterruptibleGate()
        gate.interrupt()
        gate.closed = True
        for _ in range(2):
            with pytest.raises(ProcessKilled):
                gate.enter()
        gate.forget_interrupt()
        assert gate.closed

    def test_a_forgotten_interrupt_does_not_raise(self) -> None:
        gate = InterruptibleGate()
        gate.interrupt()
        gate.forget_interrupt()
        gate.enter()


@pytest.mark.parametrize("code", [asyncio.sleep, _sleeping_in_a_task])
def test_event_loop_of_the_evaluation_has_its_tasks_cancelled(node: LocalNode, code: Any) -> None:
    left: list[str] = []
    began = threading.Event()

    async def main() -> None:
        try:
            began.set()
            await code(HANG)
        finally:
            await asyncio.sleep(0)  # a second interrupt would end this
            left.append("cleaned up")

    def is_selecting() -> bool:
        frame = evaluation.interrupts._frame()
        return frame is not None and frame.f_code.co_name == "select"

    evaluation = Evaluation(node, lambda: asyncio.run(main()))
    assert began.wait(HANG)
    until(is_selecting)  # from here on the loop's thread runs no code of the test until it is interrupted
    assert evaluation.interrupts.interrupt(1)
    while evaluation.interrupts.insist(1):
        time.sleep(0.001)
    with pytest.raises(asyncio.CancelledError) as ended:
        evaluation.process.outcome()
    assert evaluation.interrupts.has_ended_by_cancelling(ended.value)
    assert left == ["cleaned up"]
