"""process_frames.py, process_ages.py: where the code of a process is, and how old the process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process, aio, receive
from pyx.runtime.process_ages import ProcessAges
from pyx.runtime.process_info import information
from pyx.terms import Pid
from tests.local_nodes import HANG, LocalNodes, Running, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    with LocalNodes(monkeypatch) as nodes:
        yield nodes.make()


def facts(node: LocalNode, pid: Pid, key: str) -> Any:
    found = information(node, pid, [key])
    assert found is not None
    return found[key]


def _inner() -> Any:
    return receive("end")


def _outer() -> Any:
    return _inner()


def _wait_in_library(go_on: threading.Event) -> None:
    go_on.wait(HANG)


async def _inner_async() -> Any:
    return await aio.receive("end")


async def _outer_async() -> Any:
    return await _inner_async()


def names_of(node: LocalNode, pid: Pid) -> list[str]:
    return [function for _, function, _ in facts(node, pid, "current_stacktrace")]


class TestTheStack:
    @pytest.mark.parametrize(
        ("function", "names"),
        [(_outer, ["_inner", "_outer"]), (_outer_async, ["_inner_async", "_outer_async"])],
    )
    def test_its_innermost_frame_is_first_and_pyx_has_none(
        self, node: LocalNode, function: Any, names: list[str]
    ) -> None:
        pid, _ = node.processes.spawn(function, ())
        until(lambda: facts(node, pid, "status") == "waiting")
        assert names_of(node, pid) == names
        module, name, line = facts(node, pid, "current_stacktrace")[0]
        assert facts(node, pid, "current_function") == (module, name, line)

    def test_frames_of_libraries_are_in_it(self, node: LocalNode) -> None:
        go_on = threading.Event()
        process = Running(node, lambda: _wait_in_library(go_on))
        until(lambda: "Event.wait" in " ".join(names_of(node, process.pid)))
        assert "_wait_in_library" in names_of(node, process.pid)
        go_on.set()
        process.outcome()


class TestBytesOfTheMailbox:
    def test_they_are_those_of_its_messages(self, node: LocalNode) -> None:
        pid, _ = node.processes.spawn(_outer, ())
        assert facts(node, pid, "message_queue_bytes") == 0
        as_sent = [["x" * 1000], ("flat", 1)]
        for message in as_sent:
            node.sending.send(pid, message)
        assert 1000 < facts(node, pid, "message_queue_bytes") < 2000

    def test_they_are_shown_only_when_asked_for(self, node: LocalNode) -> None:
        pid, _ = node.processes.spawn(_outer, ())
        found = information(node, pid, None)
        assert found is not None
        assert {"message_queue_bytes", "current_stacktrace", "messages"}.isdisjoint(found)


class TestAges:
    def test_a_process_is_as_old_as_the_first_note_with_its_pid(self) -> None:
        ages = ProcessAges((0, 1), 100.0)
        ages.note((0, 5), 101.0)
        ages.note((0, 5), 102.0)
        ages.note((0, 9), 103.0)
        assert [ages.of(Pid(number), 110.0) for number in (1, 2, 5, 6, 9, 10)] == [10, 9, 9, 7, 7, 0]

    def test_serials_come_before_numbers(self) -> None:
        ages = ProcessAges((0, 7), 100.0)
        ages.note((1, 2), 101.0)
        assert ages.of(Pid(2, 1), 105.0) == 4.0

    def test_many_notes_take_bounded_space_and_keep_the_latest(self) -> None:
        ages = ProcessAges((0, 0), 0.0)
        for second in range(1, 20_000):
            ages.note((0, second), float(second))
        assert len(ages._keys) <= 4096
        assert ages.of(Pid(19_999), 20_000.0) == 1.0
        assert ages.of(Pid(10_000), 20_000.0) == pytest.approx(10_000, rel=0.1)


def test_list_has_the_order_of_pids(node: LocalNode) -> None:
    pids = [node.processes.spawn(_outer, ())[0] for _ in range(3)]
    latest = node.kernel.tables.processes.latest
    assert latest == (pids[-1].serial, pids[-1].number)
    assert Process.list() == pids
