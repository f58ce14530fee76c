"""gate.py: The gate of one process: open, closed, and its thread."""

from __future__ import annotations

import _thread

import pytest

from pyx.errors import ProcessKilled
from pyx.execution.gate import Gate
from pyx.execution.thread_state import thread


def test_gate_of_a_live_process_lets_calls_pass() -> None:
    gate = Gate()
    gate.enter()
    gate.enter()
    assert gate.told == 0


def test_gate_of_a_dead_process_refuses_every_call() -> None:
    gate = Gate()
    gate.closed = True
    for told in (1, 2):
        with pytest.raises(ProcessKilled):
            gate.enter()
        assert gate.told == told


def test_process_killed_before_its_thread_starts_does_not_begin() -> None:
    gate = Gate()
    gate.closed = True
    with pytest.raises(ProcessKilled):
        gate.begin()
    assert gate.thread_ident is None


def test_gate_knows_the_thread_until_the_process_ends() -> None:
    gate = Gate()

    def known() -> tuple[object, ...]:
        return gate.thread_ident, gate.thread_state, thread.state.gate

    assert known() == (None, None, None)
    gate.begin()
    assert known() == (_thread.get_ident(), thread.state, gate)
    gate.end()
    assert known() == (None, None, None)


def test_end_of_another_gate_leaves_the_gate_of_this_thread_in_place() -> None:
    """An `async def` process ends on a loop's thread, which may run a `def` process of the application."""
    mine, task = Gate(), Gate()
    mine.begin()
    task.end()
    assert thread.state.gate is mine
    mine.end()
