"""supervisor.py, supervisor_process.py, supervisor_server.py, child_processes.py, supervisor_requests.py."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pyx import (
    CallNoProcess,
    CallTimeout,
    CallUndefined,
    ChildAlreadyPresent,
    ChildNotFound,
    ChildRunning,
    ChildSpecInvalid,
    DynamicSupervisor,
    EncodeError,
    GenServer,
    NotAProcess,
    PartitionSupervisor,
    Process,
    Registry,
    ServerAlreadyStarted,
    StartFailed,
    Supervisor,
    Sys,
    Task,
    aio,
    child,
    handle,
    receive,
    self,
    send,
    spawn,
    via,
)
from pyx import self as self_pid
from pyx.errors import ReceiveTimeout
from tests.local_nodes import HANG, end_of, until
from tests.otp.supervised import Kid, end_message, in_process, kid, starts, stops, told

if TYPE_CHECKING:
    from pyx import Pid
    from pyx.otp.children import ChildSpec
    from pyx.runtime.local_node import LocalNode


def pid_of(sup: Any, name: str) -> Pid:
    pid = {row[0]: row[1] for row in Supervisor.which_children(sup)}[name]
    assert not isinstance(pid, str | None)
    return pid


def crash(sup: Any, name: str, reason: Any = "crash") -> None:
    send(pid_of(sup, name), reason)


def listed(sup: Any) -> list[tuple[Any, bool]]:
    return [(row[0], row[1] is not None) for row in Supervisor.which_children(sup)]


def supervisor(*children: str | ChildSpec, strategy: Any = "one_for_one", **options: Any) -> Pid:
    specs = [kid(one) if isinstance(one, str) else one for one in children]
    pid = Supervisor.start_link(specs, strategy=strategy, **options)
    assert told(len(specs)) == starts(*(spec.id for spec in specs))
    return pid


# ---------------------------------------------------------------- the table of OTP


@in_process
def test_p1_one_for_one_restarts_the_child() -> None:
    sup = supervisor("a", "b", "c")
    crash(sup, "b")
    assert told(2) == [("stop", "b", "crash"), ("start", "b")]


@in_process
def test_p2_rest_for_one_restarts_the_child_and_those_after_it() -> None:
    sup = supervisor("a", "b", "c", strategy="rest_for_one")
    crash(sup, "b")
    assert told(4) == [*stops("b", reason="crash"), *stops("c"), *starts("b", "c")]


@in_process
def test_p3_one_for_all_stops_in_reverse_and_starts_in_order() -> None:
    sup = supervisor("a", "b", "c", strategy="one_for_all")
    crash(sup, "b")
    assert told(6) == [*stops("b", reason="crash"), *stops("c", "a"), *starts("a", "b", "c")]


@in_process
def test_p4_child_that_fails_at_start_stops_the_earlier_ones() -> None:
    Kid.fails = {"c": ["cannot"]}
    with pytest.raises(StartFailed) as failed:
        Supervisor.start_link([kid("a"), kid("b"), kid("c"), kid("d")], strategy="one_for_one", name="s")
    assert failed.value.reason == ("shutdown", ("failed_to_start_child", "c", "cannot"))
    assert str(failed.value) == "Supervisor s did not start: c: 'cannot'"
    assert receive(("EXIT", ..., ...), timeout=HANG)[2] == failed.value.reason
    assert told(5) == [*starts("a", "b"), ("failed", "c"), *stops("b", "a")]
    assert Process.whereis("s") is None


@in_process
def test_p5_two_children_of_one_id_are_refused_before_anything_starts() -> None:
    with pytest.raises(ChildSpecInvalid) as refused:
        Supervisor.start_link([kid("a"), kid("b"), kid("a")], strategy="one_for_one")
    assert refused.value.reason == ("start_spec", ("duplicate_child_name", "a"))
    with pytest.raises(ReceiveTimeout):
        receive(timeout=0)


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1), "crash"])
@in_process
def test_p6_permanent_child_is_restarted(reason: Any) -> None:
    sup = supervisor("a")
    first = pid_of(sup, "a")
    Process.exit(first, reason) if reason != "normal" else send(first, reason)
    assert told(2) == [("stop", "a", reason), ("start", "a")]


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1)])
@in_process
def test_p7_transient_child_that_ended_as_planned_stays_in_the_list(reason: Any) -> None:
    sup = supervisor(kid("a", restart="transient"))
    pid = pid_of(sup, "a")
    Process.exit(pid, reason) if reason != "normal" else send(pid, reason)
    assert told(1) == [("stop", "a", reason)]
    until(lambda: Supervisor.which_children(sup) == [("a", None, "worker")])
    assert Supervisor.count_children(sup) == {"specs": 1, "active": 0, "supervisors": 0, "workers": 1}


@in_process
def test_p8_transient_child_is_restarted_after_a_crash_and_a_temporary_one_is_gone() -> None:
    sup = supervisor(kid("a", restart="transient"), kid("b", restart="temporary"))
    crash(sup, "a")
    assert told(2) == [("stop", "a", "crash"), ("start", "a")]
    crash(sup, "b")
    assert told(1) == [("stop", "b", "crash")]
    until(lambda: listed(sup) == [("a", True)])
    assert Supervisor.count_children(sup)["specs"] == 1


@in_process
def test_p9_temporary_child_leaves_the_rest_alone() -> None:
    sup = supervisor(kid("a", restart="temporary"), "b", strategy="rest_for_one")
    second = pid_of(sup, "b")
    crash(sup, "a")
    told(1)
    until(lambda: Supervisor.which_children(sup) == [("b", second, "worker")])


@in_process
def test_p10_fourth_crash_within_the_window_ends_the_supervisor() -> None:
    sup = supervisor("a", "b")
    for _ in range(3):
        crash(sup, "b")
        assert told(2) == [("stop", "b", "crash"), ("start", "b")]
    crash(sup, "b")
    assert told(2) == [("stop", "b", "crash"), *stops("a")]
    assert end_message(sup) == "shutdown"


@in_process
def test_p11_no_restarts_at_all_end_it_at_the_first_crash() -> None:
    sup = supervisor("a", "b", max_restarts=0)
    crash(sup, "a")
    assert told(2) == [("stop", "a", "crash"), *stops("b")]
    assert end_message(sup) == "shutdown"


@in_process
def test_p12_restart_that_fails_is_tried_until_the_intensity_is_spent() -> None:
    sup = supervisor("a")
    Kid.fails = {"a": ["cannot"] * 9}
    crash(sup, "a")
    assert told(4) == [("stop", "a", "crash"), *[("failed", "a")] * 3]
    assert end_message(sup) == "shutdown"


@in_process
def test_p13_inner_supervisor_that_gives_up_is_restarted_by_the_outer_one() -> None:
    inner = child(Supervisor, [kid("a")], strategy="one_for_one", max_restarts=0, name="inner")
    outer = Supervisor.start_link([inner], strategy="one_for_one")
    assert told(1) == starts("a")
    assert [row[::2] for row in Supervisor.which_children(outer)] == [("inner", "supervisor")]
    first = pid_of(outer, "inner")
    crash("inner", "a")
    assert told(2) == [("stop", "a", "crash"), *starts("a")]
    assert pid_of(outer, "inner") == Process.whereis("inner") != first


@in_process
def test_p14_stop_is_in_reverse_order() -> None:
    sup = supervisor("a", "b", "c", name="sup")
    assert Supervisor.stop("sup") == "ok"
    assert told(3) == stops("c", "b", "a")
    assert end_message(sup) == "normal"
    with pytest.raises(CallNoProcess):
        Supervisor.stop("sup")


@in_process
def test_p15_child_that_takes_too_long_is_killed_and_the_next_one_is_not_affected(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sup = supervisor("a", kid("b", shutdown=0.05))
    crash(sup, "b", "deaf")
    receive("deaf", timeout=HANG)
    late = pid_of(sup, "b")
    Supervisor.stop(sup)
    assert told(1) == stops("a")
    assert not Process.is_alive(late)
    assert f"b {late} did not stop within 0.05 s and was killed" in caplog.text


@in_process
def test_p16_brutal_kill_runs_nothing_of_the_child() -> None:
    sup = supervisor("a", kid("b", shutdown="brutal_kill"))
    Supervisor.stop(sup)
    assert told(1) == stops("a")


@in_process
def test_p17_children_of_a_killed_supervisor_end_by_their_links() -> None:
    sup = supervisor("a", "b")
    Process.exit(sup, "kill")
    assert sorted(told(2)) == stops("a", "b", reason="killed")


@in_process
def test_p18_children_are_listed_newest_first() -> None:
    sup = supervisor("a", "b", "c")
    assert [row[0] for row in Supervisor.which_children(sup)] == ["c", "b", "a"]


@in_process
def test_p19_child_is_terminated_restarted_and_deleted() -> None:
    sup = supervisor("a")
    assert Supervisor.terminate_child(sup, "a") == "ok"
    assert Supervisor.terminate_child(sup, "a") == "ok"
    assert told(1) == stops("a")
    assert Supervisor.which_children(sup) == [("a", None, "worker")]
    pid = Supervisor.restart_child(sup, "a")
    assert pid == pid_of(sup, "a")
    for refused in (Supervisor.delete_child, Supervisor.restart_child):
        with pytest.raises(ChildRunning) as running:
            refused(sup, "a")
        assert running.value.reason == "running"
    for unknown in (Supervisor.terminate_child, Supervisor.restart_child, Supervisor.delete_child):
        with pytest.raises(ChildNotFound, match="'z' is not among"):
            unknown(sup, "z")
    Supervisor.terminate_child(sup, "a")
    assert Supervisor.delete_child(sup, "a") == "ok"
    assert Supervisor.which_children(sup) == []


@in_process
def test_p20_child_of_an_id_that_is_there_is_not_started() -> None:
    sup = supervisor("a")
    with pytest.raises(ServerAlreadyStarted) as there:
        Supervisor.start_child(sup, kid("a"))
    assert there.value.pid == pid_of(sup, "a")
    Supervisor.terminate_child(sup, "a")
    with pytest.raises(ChildAlreadyPresent):
        Supervisor.start_child(sup, kid("a"))


@in_process
def test_p22_bad_specifications_are_refused() -> None:
    for item, word in ((object, "has no start_link"), ("nope", "'nope' cannot be a child")):
        with pytest.raises(ChildSpecInvalid, match=word):
            Supervisor.start_link([item], strategy="one_for_one")
    with pytest.raises(ChildSpecInvalid, match="strategy is one of"):
        Supervisor.start_link([], strategy="one_for_none")  # type: ignore[arg-type] # on purpose
    with pytest.raises(TypeError, match="strategy"):
        Supervisor.start_link([])  # type: ignore[call-arg] # on purpose
    with pytest.raises(ChildSpecInvalid, match="auto_shutdown is one of"):
        Supervisor.start_link([], strategy="one_for_one", auto_shutdown="yes")  # type: ignore[arg-type] # on purpose
    with pytest.raises(ChildSpecInvalid, match="max_restarts"):
        Supervisor.start_link([], strategy="one_for_one", max_restarts=-1)
    with pytest.raises(ChildSpecInvalid, match="significant"):
        Supervisor.start_link([kid("a", restart="transient", significant=True)], strategy="one_for_one")


# ---------------------------------------------------------------- from OTP's own suites


@in_process
def test_child_that_has_taken_its_link_away_is_still_stopped() -> None:
    sup = supervisor("a", "b")
    crash(sup, "a", "unlink")
    receive("unlinked", timeout=HANG)
    pid = pid_of(sup, "a")
    assert Supervisor.terminate_child(sup, "a") == "ok"
    assert not Process.is_alive(pid)


@in_process
def test_end_of_a_child_without_a_link_is_noticed_when_it_is_stopped() -> None:
    sup = supervisor("a")
    crash(sup, "a", "unlink")
    receive("unlinked", timeout=HANG)
    pid = pid_of(sup, "a")
    send(pid, "crash")
    assert told(1) == stops("a", reason="crash")
    until(lambda: not Process.is_alive(pid))
    assert Supervisor.terminate_child(sup, "a") == "ok"


@in_process
def test_supervisor_answers_between_the_attempts_of_a_failing_restart() -> None:
    sup = supervisor("a", max_restarts=100_000, max_seconds=1000)
    Kid.fails = {"a": ["cannot"] * 100_000}
    crash(sup, "a")
    until(lambda: Supervisor.which_children(sup)[0][1] == "restarting")
    assert Supervisor.terminate_child(sup, "a") == "ok"
    assert Supervisor.which_children(sup) == [("a", None, "worker")]
    Kid.fails = {}
    assert Supervisor.restart_child(sup, "a") == pid_of(sup, "a")


@in_process
def test_supervisor_stops_in_the_middle_of_a_failing_restart() -> None:
    sup = supervisor("a", max_restarts=100_000, max_seconds=1000)
    Kid.fails = {"a": ["cannot"] * 100_000}
    crash(sup, "a")
    until(lambda: Supervisor.which_children(sup)[0][1] == "restarting")
    assert Supervisor.stop(sup) == "ok"


@in_process
def test_child_that_ignores_its_start_stays_unless_it_is_temporary() -> None:
    Kid.fails = {"a": ["ignore"], "b": ["ignore"], "c": ["ignore"]}
    sup = Supervisor.start_link([kid("a"), kid("b", restart="temporary")], strategy="one_for_one")
    assert Supervisor.which_children(sup) == [("a", None, "worker")]
    assert Supervisor.start_child(sup, kid("c", restart="temporary")) is None
    assert Supervisor.which_children(sup) == [("a", None, "worker")]


@in_process
def test_added_child_that_fails_is_not_kept() -> None:
    sup = supervisor("a")
    Kid.fails = {"b": ["cannot"]}
    with pytest.raises(StartFailed) as failed:
        Supervisor.start_child(sup, kid("b"))
    assert failed.value.reason == "cannot"
    assert listed(sup) == [("a", True)]


@in_process
def test_exit_signal_of_another_process_does_not_stop_a_supervisor() -> None:
    sup = supervisor("a")
    spawn(Process.exit, sup, "shutdown")
    supervisor_of_its_own = Supervisor.start([], strategy="one_for_one")
    Process.exit(supervisor_of_its_own, "shutdown")
    assert Supervisor.count_children(supervisor_of_its_own)["specs"] == 0
    assert listed(sup) == [("a", True)]
    Supervisor.stop(supervisor_of_its_own)


@in_process
def test_supervisor_ends_with_its_parent_and_stops_its_children() -> None:
    boss = self()

    def parent() -> None:
        Supervisor.start_link([child(Kid, boss, name, id=name) for name in "ab"], strategy="one_for_one")
        receive("end")

    pid = spawn(parent)
    assert told(2) == starts("a", "b")
    Process.exit(pid, "over")
    assert told(2) == stops("b", "a")


@in_process
def test_unknown_messages_do_not_end_a_supervisor() -> None:
    sup = supervisor("a")
    junk: Any
    for junk in ("junk", ("$gen_call", 1, 2), ("$gen_cast", "x"), ("EXIT", 1, 2), {}, ("$gen_call",)):
        send(sup, junk)
    assert listed(sup) == [("a", True)]


@in_process
def test_planned_end_of_a_significant_child_ends_the_supervisor() -> None:
    chief = kid("a", restart="transient", significant=True)
    sup = supervisor(chief, "b", auto_shutdown="any_significant")
    crash(sup, "a", "normal")
    assert told(2) == [("stop", "a", "normal"), *stops("b")]
    assert end_message(sup) == "shutdown"


@in_process
def test_many_temporary_children_come_and_go() -> None:
    sup = Supervisor.start_link([], strategy="one_for_one")
    for number in range(200):
        Supervisor.start_child(sup, child(waits, number, id=number, restart="temporary"))
    rows = Supervisor.which_children(sup)
    assert len(rows) == 200
    for _, pid, _ in rows:
        assert not isinstance(pid, str | None)
        send(pid, "end")
    until(lambda: Supervisor.which_children(sup) == [])


@in_process
def test_supervisor_waits_for_a_child_that_is_not_ready_and_a_kill_ends_both() -> None:
    class Slow(GenServer):
        def init(self, boss: Pid) -> None:
            send(boss, ("slow", self_pid()))
            receive("go on")

    sup = supervisor("a", name="sup")
    boss = self()
    spawn(lambda: Supervisor.start_child("sup", child(Slow, boss)))
    slow = receive(("slow", ...), timeout=HANG)[1]
    with pytest.raises(CallTimeout):  # as in OTP
        GenServer.call(sup, "which_children", 0.01)
    ref = Process.monitor(slow)
    Process.exit(sup, "kill")
    assert receive(("DOWN", ref, "process", slow, ...), timeout=HANG)[4] == "killed"


@in_process
def test_child_has_all_the_time_that_its_specification_gives_it() -> None:
    sup = supervisor(kid("a", shutdown=None))
    crash(sup, "a", "deaf")
    receive("deaf", timeout=HANG)
    pid = pid_of(sup, "a")
    spawn(lambda: Supervisor.stop(sup))
    with pytest.raises(ReceiveTimeout):
        receive(("EXIT", sup, ...), timeout=0.05)
    send(pid, "hear")
    assert told(1) == stops("a", reason="deaf")
    assert end_message(sup) == "normal"


# ---------------------------------------------------------------- children


async def waits(_: Any = None) -> None:
    await aio.receive("end")


def waits_too(told: Pid | None = None) -> None:
    if told is not None:
        send(told, "waiting")
    receive("end")


@in_process
def test_functions_are_spawned_and_linked() -> None:
    sup = Supervisor.start_link([waits, (waits_too, self())], strategy="one_for_one", name="sup")
    receive("waiting", timeout=HANG)
    kinds = {
        name: Process.info(pid, ["kind", "links", "initial_call"])
        for name, pid, _ in Supervisor.which_children(sup)
        if not isinstance(pid, str | None)
    }
    assert {name: facts["kind"] for name, facts in kinds.items()} == {
        "waits": "async def",
        "waits_too": "def",
    }
    assert all(facts["links"] == [sup] for facts in kinds.values())
    assert kinds["waits_too"]["initial_call"] == (__name__, "waits_too", 1)


@in_process
def test_what_a_caller_does_with_its_arguments_changes_no_restart() -> None:
    def tells(boss: Pid, items: list[int]) -> None:
        send(boss, ("items", list(items)))
        items.append(4)
        receive("end")

    items = [1, 2, 3]
    sup = Supervisor.start_link([child(tells, self(), items, id="a")], strategy="one_for_one")
    items.clear()
    for _ in range(2):
        assert receive(("items", ...), timeout=HANG)[1] == [1, 2, 3]
        crash(sup, "a", "end")


@in_process
def test_child_whose_start_raises_has_not_started() -> None:
    class Wrong:
        @staticmethod
        def start_link() -> None:
            raise ValueError("boom")

    class Odd:
        @staticmethod
        def start_link() -> int:
            return 3

    class Leaving:
        @staticmethod
        def start_link() -> None:
            raise SystemExit(3)

    class Cancelled:
        @staticmethod
        def start_link() -> None:
            raise asyncio.CancelledError

    for what, expected in (
        (Wrong, "Raised(ValueError: boom)"),
        (Odd, "('bad_return_value', '3')"),
        (Leaving, "3"),
        (Cancelled, "Raised(asyncio.exceptions.CancelledError)"),
    ):
        with pytest.raises(StartFailed) as failed:
            Supervisor.start_link([what], strategy="one_for_one")
        assert repr(failed.value.reason[1][2]) == expected


@in_process
def test_child_that_crashes_names_its_exception_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    sup = supervisor("a", name="shop")
    crash(sup, "a", "raise")
    assert told(1) == starts("a")
    line = f"supervisor shop: a ended (ValueError: boom), started anew as {pid_of(sup, 'a')} (1 of 3 in 5 s)"
    lines = [record.getMessage() for record in caplog.records]
    assert [text for text in lines if text.startswith("supervisor")] == [line]


@in_process
def test_arguments_that_are_not_data_are_refused_before_anything_starts() -> None:
    with pytest.raises(EncodeError, match="args"):
        Supervisor.start_link([kid("a"), child(waits, object())], strategy="one_for_one")
    with pytest.raises(EncodeError, match="id"):
        Supervisor.start_link([child(waits, id=object())], strategy="one_for_one")
    with pytest.raises(ReceiveTimeout):
        receive(("start", ...), timeout=0)


@in_process
def test_def_child_whose_thread_cannot_be_interrupted_is_dead_for_everybody() -> None:
    held = threading.Lock()
    held.acquire()

    def stuck(boss: Pid) -> None:
        send(boss, "stuck")
        held.acquire()  # a call of C, which no kill interrupts

    sup = Supervisor.start_link(
        [child(stuck, self(), id="a", shutdown="brutal_kill")], strategy="one_for_one"
    )
    receive("stuck", timeout=HANG)
    pid = pid_of(sup, "a")
    Supervisor.stop(sup)
    assert not Process.is_alive(pid)
    held.release()


# ---------------------------------------------------------------- a server as others


@in_process
def test_supervisor_is_a_server_that_sys_shows_suspends_and_resumes() -> None:
    sup = supervisor("a")
    assert Sys.get_state(sup) == {
        "supervisor": "one_for_one, 3 restarts in 5 s",
        "children": [("a", pid_of(sup, "a"), "worker")],
    }
    Sys.suspend(sup)
    with pytest.raises(CallTimeout):
        GenServer.call(sup, "which_children", 0.01)
    Sys.resume(sup)
    assert listed(sup) == [("a", True)]


@in_process
def test_servers_are_children() -> None:
    class Counter(GenServer):
        child_options: ClassVar[dict[str, Any]] = {"restart": "transient"}

        def init(self, count: int) -> None:
            self.count = count

        @handle.call
        def add(self) -> int:
            self.count += 1
            return self.count

    sup = Supervisor.start_link([child(Counter, 5, name="counter")], strategy="one_for_one")
    assert Counter.add("counter") == 6
    first = pid_of(sup, "counter")
    Process.exit(first, "kill")
    until(lambda: Process.whereis("counter") not in {None, first})
    assert Counter.add("counter") == 6
    GenServer.stop("counter")
    until(lambda: listed(sup) == [("counter", False)])


@in_process
def test_p23_supervisors_of_all_kinds_are_children_with_their_name_as_id() -> None:
    kids = [
        child(DynamicSupervisor, name="rooms"),
        child(PartitionSupervisor, waits, name="parts", partitions=2),
        child(Task.Supervisor, name="tasks"),
        child(Registry, keys="unique", name="shops"),
        child(Supervisor, [waits], strategy="one_for_one", name=via(Registry, ("shops", "inner"))),
    ]
    sup = Supervisor.start_link(kids, strategy="one_for_one")
    kinds = {str(row[0]): row[2] for row in Supervisor.which_children(sup)}
    assert kinds == dict.fromkeys(
        ("shops", "rooms", "parts", "tasks", "via(Registry, ('shops', 'inner'))"), "supervisor"
    )
    assert Supervisor.count_children(via(Registry, ("shops", "inner")))["active"] == 1


# ---------------------------------------------------------------- where it can be called


def test_thread_that_is_not_a_process_starts_asks_and_does_not_link(node: LocalNode) -> None:
    with pytest.raises(NotAProcess):
        Supervisor.start_link([], strategy="one_for_one")
    sup = Supervisor.start([waits], strategy="one_for_one", name="sup")
    assert Supervisor.count_children("sup")["active"] == 1
    assert Supervisor.start_child(sup, waits_too) is not None
    assert Supervisor.stop("sup") == "ok"
    assert end_of(node, sup) == "noproc"


@in_process
def test_child_for_a_server_that_is_not_a_supervisor_is_refused_in_one_line() -> None:
    class Till(GenServer):
        @handle.call
        def put(self) -> None: ...

    Till.start_link(name="till")
    with pytest.raises(CallUndefined) as refused:
        Supervisor.start_child("till", child(receive, "end", id="web"))
    assert str(refused.value) == "'till' has no handler for ('start_child', 'web'): it has put"
