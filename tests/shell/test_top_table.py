"""top_table.py: `top()` at the prompt: the busiest processes of a short time."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pyx import Process, receive, send, spawn
from pyx.errors import RpcRefused
from pyx.shell import top_table as module
from pyx.shell.top_table import top_table
from tests.local_nodes import HANG, LocalNodes, as_process, wait_for


def test_process_that_takes_messages_comes_before_one_where_they_wait(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = nodes.start("a")
    done = threading.Event()
    monkeypatch.setattr(module, "_processor_seconds", lambda _: None)  # else the busiest thread is first

    def taker() -> None:
        for _ in range(7):
            receive(int, timeout=HANG)
        done.set()
        receive("end")

    def waiter() -> None:
        receive("end")

    def shown() -> list[str]:
        full, busy = spawn(waiter), spawn(taker)
        Process.register(full, "full")
        Process.register(busy, "busy")
        for number in range(9):
            send(full, number)

        def work(_seconds: float) -> None:
            for number in range(7):
                send(busy, number)
            wait_for(done)

        monkeypatch.setattr(Process, "sleep", work)
        return top_table(None, 2, 0.5, 100).splitlines()

    head, first, second, about = as_process(node, shown)
    assert head.split() == ["pid", "name", "cpu", "taken/s", "waiting", "bytes", "function"]
    assert first.split()[1:5] == ["busy", "-", "14", "0"]
    assert second.split()[1:5] == ["full", "-", "0", "9"]
    assert about == "2 of 3 processes, in 0.5 s"


def test_processor_time_of_a_thread_is_told(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    node = nodes.start("a")
    seconds = iter(range(1000))
    monkeypatch.setattr(module, "_processor_seconds", lambda _: next(seconds) / 10)

    def shown() -> str:
        monkeypatch.setattr(Process, "sleep", lambda _: None)
        return top_table(None, 5, 1.0, 100)

    assert as_process(node, shown).splitlines()[1].split()[1:3] == ["10", "%"]


def test_thread_of_this_system_has_a_processor_time() -> None:
    found = module._processor_seconds(threading.get_native_id())
    assert found is None or found > 0
    assert module._processor_seconds(None) is None


def test_line_is_cut_where_the_terminal_ends(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    node = nodes.start("a")

    def shown() -> str:
        monkeypatch.setattr(Process, "sleep", lambda _: None)
        return top_table(None, 5, 1.0, 50)

    lines = as_process(node, shown).splitlines()
    assert all(len(line) <= 50 for line in lines)
    assert lines[1].endswith("..")


def test_another_node_is_asked_and_may_refuse(nodes: LocalNodes) -> None:
    a, b = nodes.start("a"), nodes.start("b")
    nodes.start("c", rpc="exported")

    def waiter() -> Any:
        return receive("end")

    as_process(b, lambda: Process.register(spawn(waiter), "far"))
    assert " far " in as_process(a, lambda: top_table("b", 5, 0.001, 100))
    with pytest.raises(RpcRefused) as refused:
        as_process(a, lambda: top_table("c", 5, 0.001, 100))
    assert "--rpc open" in (refused.value.hint or "")
