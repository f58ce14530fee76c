"""remote_eval.py: what an expression on another node comes to."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pyx import Process, receive, rpc, self
from pyx.shell.remote_eval import evaluate_here
from tests.local_nodes import HANG, LocalNodes, Running, as_process, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    with LocalNodes(monkeypatch) as nodes:
        yield nodes.make()


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("x = 20; x + 1", ("value", "21\n")),
        ("x = 20", ("value", "")),
        ("import asyncio; await asyncio.sleep(0, [1])", ("value", "[1]\n")),
        ("exit()", ("exit", None)),
        ("exit(3)", ("exit", 3)),
        ("raise SystemExit('why')", ("exit", "why")),
    ],
)
def test_its_value_comes_as_text(node: LocalNode, source: str, answer: tuple[str, object]) -> None:
    assert as_process(node, lambda: evaluate_here(source, "ops@vm", 80)) == answer


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("list(range(3000))", list(range(3000))),
        ("'x' * 100_000", "x" * 100_000),
        ("{1: ['y' * 3000]}", {1: ["y" * 3000]}),
    ],
)
def test_a_long_value_is_whole_for_a_program_that_reads_it(
    node: LocalNode, source: str, value: object
) -> None:
    assert as_process(node, lambda: evaluate_here(source, "ops@vm", None)) == ("value", f"{value!r}\n")
    kind, text = as_process(node, lambda: evaluate_here(source, "ops@vm", 80))
    assert kind == "value"
    assert " more " in str(text)


def test_its_traceback_is_whole(node: LocalNode) -> None:
    kind, text = as_process(node, lambda: evaluate_here("1 / 0", "ops@vm", 80))
    assert kind == "error"
    assert str(text).startswith("Traceback (most recent call last):\n")
    assert str(text).endswith("ZeroDivisionError: division by zero\n")


def test_it_leaves_no_module_behind(node: LocalNode) -> None:
    as_process(node, lambda: evaluate_here("class A: pass", "ops@vm", 80))
    assert [name for name in sys.modules if name.startswith("remsh_")] == []


def test_it_ends_with_the_process_that_asks(nodes: LocalNodes) -> None:
    asks, there = nodes.start("ops"), nodes.start("server")
    began = threading.Event()

    def ask() -> None:
        Process.group_leader(self(), self())
        rpc.cast("server", "pyx.shell.remote_eval", "evaluate_here", ["receive()", "ops@test", 80])
        began.set()
        receive()

    asking = Running(asks, ask)
    assert began.wait(HANG)
    until(lambda: len(as_process(there, Process.list)) == 3)  # the evaluation, its watch, and who looks
    as_process(asks, lambda: Process.exit(asking.pid, "kill"))
    until(lambda: len(as_process(there, Process.list)) == 1)
