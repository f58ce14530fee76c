"""context.py, thread_state.py: The current process, on which thread and in which context."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.errors import NotAProcess, WouldBlock
from pyx.execution import context, thread_state
from tests.local_nodes import as_process

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


def test_thread_without_process_has_no_current_process() -> None:
    assert context.current.get() is None
    with pytest.raises(NotAProcess, match=r"receive\(\) needs a process, and this thread is not one"):
        context.require("receive()")


def test_process_is_current_in_its_own_code(node: LocalNode) -> None:
    runner = as_process(node, lambda: context.require("self()"))
    assert runner.node is node


def test_thread_started_by_a_process_has_no_current_process(node: LocalNode) -> None:
    seen: list[object] = []

    def body() -> None:
        helper = threading.Thread(target=lambda: seen.append(context.current.get()))
        helper.start()
        helper.join()

    as_process(node, body)
    assert seen == [None]


def test_transport_thread_acts_for_no_process_in_any_context(node: LocalNode) -> None:
    def body() -> object:
        copied = contextvars.copy_context()
        assert copied.run(context.acting) is context.current.get()
        return node.transport_loop.call(copied.run, context.acting)

    assert as_process(node, body) is None


def test_thread_state_is_per_thread() -> None:
    states: list[thread_state.ThreadState] = []
    other = threading.Thread(target=lambda: states.append(thread_state.thread.state))
    other.start()
    other.join()
    assert states[0] is not thread_state.thread.state
    assert thread_state.thread.state is thread_state.thread.state


def test_blocking_call_on_a_running_loop_is_refused_with_its_awaitable_twin() -> None:
    context.forbid_running_loop("receive()", "aio.receive()")

    async def on_a_loop() -> None:
        context.forbid_running_loop("receive()", "aio.receive()")

    with pytest.raises(WouldBlock, match=r"receive\(\) would block the running event loop") as refused:
        asyncio.run(on_a_loop())
    assert refused.value.twin == "aio.receive()"
    assert refused.value.hint == "use `await aio.receive()`"


def test_search_for_a_running_loop_does_not_import_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asyncio.events")
    assert not thread_state.runs_loop()
    assert "asyncio.events" not in sys.modules


def test_finalizer_finds_the_thread_state_while_it_is_being_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[thread_state.ThreadState] = []

    class Interrupted(thread_state.ThreadState):
        def __init__(self) -> None:
            super().__init__()
            if not states:
                states.append(self)
                states.append(thread_state.thread.state)  # as a finalizer would

    monkeypatch.setattr(thread_state, "ThreadState", Interrupted)
    other = threading.Thread(target=lambda: states.append(thread_state.thread.state))
    other.start()
    other.join()
    _, seen_by_the_finalizer, seen_later = states
    assert seen_by_the_finalizer is seen_later
