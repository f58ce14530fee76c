"""dynamic_supervisor.py: children that are started one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    CallUndefined,
    ChildNotFound,
    ChildSpecInvalid,
    DynamicSupervisor,
    Pid,
    Process,
    ServerAlreadyStarted,
    StartFailed,
    Supervisor,
    TooManyChildren,
    aio,
    receive,
    send,
)
from tests.local_nodes import HANG, until
from tests.otp.supervised import Kid, end_message, in_process, kid, starts, stops, told

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


async def waits(_: Any = None) -> None:
    await aio.receive("end")


def started(sup: Pid, name: str, **options: Any) -> Pid:
    pid = DynamicSupervisor.start_child(sup, kid(name, **options))
    assert told(1) == starts(name)
    assert pid is not None
    return pid


@in_process
def test_p21_children_have_no_ids_and_may_be_alike() -> None:
    sup = DynamicSupervisor.start_link()
    first, second = started(sup, "a"), started(sup, "a")
    assert DynamicSupervisor.which_children(sup) == [(None, second, "worker"), (None, first, "worker")]
    assert DynamicSupervisor.count_children(sup) == {
        "specs": 2,
        "active": 2,
        "supervisors": 0,
        "workers": 2,
    }


@in_process
def test_p21_one_more_child_than_allowed_is_refused() -> None:
    sup = DynamicSupervisor.start_link(max_children=2, name="dyn")
    first = started(sup, "a")
    started(sup, "b")
    with pytest.raises(TooManyChildren, match="one more than max_children") as refused:
        DynamicSupervisor.start_child("dyn", kid("c"))
    assert refused.value.reason == "max_children"
    DynamicSupervisor.terminate_child(sup, first)
    assert told(1) == stops("a")
    started(sup, "c")


@in_process
def test_p21_child_is_terminated_once() -> None:
    sup = DynamicSupervisor.start_link()
    pid = started(sup, "a")
    assert DynamicSupervisor.terminate_child(sup, pid) == "ok"
    with pytest.raises(ChildNotFound):
        DynamicSupervisor.terminate_child(sup, pid)


@in_process
def test_p21_permanent_child_is_restarted_and_all_stop_with_the_supervisor() -> None:
    sup = DynamicSupervisor.start_link()
    pid = started(sup, "a")
    started(sup, "b")
    send(pid, "crash")
    assert told(2) == [("stop", "a", "crash"), ("start", "a")]
    DynamicSupervisor.stop(sup)
    assert sorted(told(2)) == stops("a", "b")
    assert end_message(sup) == "normal"


@in_process
def test_intensity_is_that_of_all_children() -> None:
    sup = DynamicSupervisor.start_link(max_restarts=1)
    first, second = started(sup, "a"), started(sup, "b")
    send(first, "crash")
    told(2)
    send(second, "crash")
    assert told(2) == [("stop", "b", "crash"), *stops("a")]
    assert end_message(sup) == "shutdown"


@in_process
def test_child_that_is_being_restarted_is_terminated_by_its_last_pid() -> None:
    sup = DynamicSupervisor.start_link(max_restarts=100_000, max_seconds=1000, max_children=1)
    pid = started(sup, "a")
    Kid.fails = {"a": ["cannot"] * 100_000}
    send(pid, "crash")
    until(lambda: DynamicSupervisor.which_children(sup)[0][1] == "restarting")
    with pytest.raises(TooManyChildren):
        DynamicSupervisor.start_child(sup, kid("b"))
    assert DynamicSupervisor.terminate_child(sup, pid) == "ok"
    assert DynamicSupervisor.which_children(sup) == []


@in_process
def test_child_that_fails_or_ignores_its_start_is_not_kept() -> None:
    Kid.fails = {"a": ["cannot", "ignore"]}
    sup = DynamicSupervisor.start_link(max_children=1)
    with pytest.raises(StartFailed) as failed:
        DynamicSupervisor.start_child(sup, kid("a"))
    assert failed.value.reason == "cannot"
    assert DynamicSupervisor.start_child(sup, kid("a")) is None
    assert told(2) == [("failed", "a")] * 2
    started(sup, "a")


@in_process
def test_name_that_is_taken_is_that_of_a_running_process() -> None:
    first = DynamicSupervisor.start_link(name="dyn")
    with pytest.raises(ServerAlreadyStarted) as there:
        DynamicSupervisor.start_link(name="dyn")
    assert there.value.pid == first


@in_process
def test_late_children_are_killed_all_at_once(caplog: pytest.LogCaptureFixture) -> None:
    sup = DynamicSupervisor.start_link()
    pids = [started(sup, name, shutdown=0.05) for name in "abc"]
    for pid in pids:
        send(pid, "deaf")
        receive("deaf", timeout=HANG)
    started(sup, "d", shutdown="brutal_kill")
    started(sup, "e", shutdown=None)
    DynamicSupervisor.stop(sup)
    assert told(1) == stops("e")
    assert not any(map(Process.is_alive, pids))
    assert caplog.text.count("did not stop within 0.05 s") == 3


@in_process
def test_requests_about_ids_are_unknown() -> None:
    sup = DynamicSupervisor.start_link()
    with pytest.raises(CallUndefined, match="which_children"):
        Supervisor.delete_child(sup, "a")


@pytest.mark.parametrize(
    "options",
    [{"max_children": -1}, {"max_children": 1.5}, {"strategy": "one_for_all"}, {"max_restarts": -1}],
)
def test_options_without_a_meaning_are_refused(options: Any, node: LocalNode) -> None:
    with pytest.raises(ChildSpecInvalid):
        DynamicSupervisor.start(**options)


@in_process
def test_thousands_of_children_start_and_stop() -> None:
    sup = DynamicSupervisor.start_link()
    before = len(Process.list())
    for number in range(1000):
        DynamicSupervisor.start_child(sup, (waits, number))
    assert len(Process.list()) == before + 1000
    DynamicSupervisor.stop(sup)
    until(lambda: len(Process.list()) == before - 1)
