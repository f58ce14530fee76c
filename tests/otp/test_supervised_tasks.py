"""supervised_tasks.py, task_children.py, task.py, awaitable_tasks.py: Tasks under supervisors."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    CallNoConnection,
    CallNoProcess,
    CallRefused,
    ChildNotFound,
    ChildSpecInvalid,
    Exit,
    NotAProcess,
    Process,
    Raised,
    Supervisor,
    Task,
    TaskExited,
    TooManyChildren,
    WouldBlock,
    aio,
    child,
    receive,
    rpc,
    self,
    send,
)
from pyx.execution.context import require
from pyx.otp.task_children import START_TASK, task_spec
from pyx.primitives import drain
from pyx.runtime import start_stop
from pyx.terms import Pid as MadePid
from tests.local_nodes import HANG, LocalNodes, Running, as_process, in_kernel, until
from tests.otp.test_task import as_a_task, exits, holds_nothing, never, raises, returns, traps

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

HERE = "supervised_work"
"""The name of this file as a module that is loaded on both nodes."""

THERE = ("tasks", "there@test")


def own_pid() -> Pid:
    return self()


@rpc.export
def marked(*_: Any) -> str:
    return "marked"


def unmarked(*_: Any) -> str:
    return "unmarked"


def start_supervisor(node: LocalNode, name: str = "tasks", **options: Any) -> Running:
    """Starts a task supervisor on a node, under a process that waits for `"enough"`."""
    started = threading.Event()

    def hold() -> None:
        Process.flag("trap_exit", True)
        pid = Task.Supervisor.start_link(name=name, **options)
        started.set()
        receive("enough")
        Process.exit(pid, "shutdown")
        receive(("EXIT", pid, ...))

    running = Running(node, hold)
    assert started.wait(HANG)
    return running


@pytest.fixture
def node(nodes: LocalNodes) -> LocalNode:
    """A node with the task supervisor `"tasks"`."""
    node = nodes.start("here")
    start_supervisor(node)
    return node


@pytest.fixture
def two(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> tuple[LocalNode, LocalNode]:
    """A node, and another one with the task supervisor `"tasks"`."""
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
    here, there = nodes.start("here"), nodes.start("there")
    start_supervisor(there)
    return here, there


def reason_of(pid: Pid) -> Any:
    """Waits for the end of a process, and returns its reason."""
    watch = Process.monitor(pid)
    return receive(("DOWN", watch, "process", ..., ...), timeout=HANG)[4]


class TestHere:
    def test_value_comes_as_of_any_task(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.Supervisor.async_("tasks", returns, 7)
            assert Task.await_(task) == 7
            assert task.mfa[1:] == ("returns", 1)
            assert Task.await_(Task.Supervisor.async_("tasks", "math", "sqrt", [4])) == 2.0
            assert Task.await_(Task.Supervisor.async_(("tasks", "here"), lambda: 3)) == 3
            holds_nothing()
            assert drain() == []

        as_process(node, story)

    def test_task_is_linked_to_supervisor_and_caller(self, node: LocalNode) -> None:
        def story() -> None:
            supervisor = Process.whereis("tasks")
            linked = Task.Supervisor.async_("tasks", never)
            alone = Task.Supervisor.async_nolink("tasks", never)
            assert linked.pid is not None
            assert alone.pid is not None
            assert set(Process.info(linked.pid, "links")[1]) == {supervisor, own_pid()}
            assert Process.info(alone.pid, "links") == ("links", [supervisor])
            assert set(Task.Supervisor.children("tasks")) == {linked.pid, alone.pid}
            assert Process.info(linked.pid, "initial_call") == (
                "initial_call",
                ("tests.otp.test_task", "never", 0),
            )

        as_process(node, story)

    def test_async_def_runs_on_the_process_loop(self, node: LocalNode) -> None:
        async def where() -> str:
            await aio.sleep(0)
            return threading.current_thread().name

        assert as_process(node, lambda: Task.await_(Task.Supervisor.async_("tasks", where))) == (
            "pyx-process-loop"
        )

    @pytest.mark.parametrize("reason", ["crash", "normal"])
    def test_k11_task_without_a_link_outlives_its_caller(self, reason: str, node: LocalNode) -> None:
        pids: list[Any] = []

        def caller() -> None:
            pids.append(Task.Supervisor.async_nolink("tasks", never).pid)
            raise Exit(reason)

        with pytest.raises(Exit):
            as_process(node, caller)
        until(lambda: len(in_kernel(node, node.kernel.tables.processes.all)) == 3)
        assert as_process(node, lambda: Task.Supervisor.children("tasks")) == pids

    def test_k15_exception_is_an_exit(self, node: LocalNode) -> None:
        def story() -> Any:
            return Task.yield_(Task.Supervisor.async_nolink("tasks", raises), HANG)

        answer = as_process(node, story)
        assert (answer[0], answer[1].type, answer[1].text) == ("exit", "ValueError", "boom")

    def test_k16_child_is_temporary(self, node: LocalNode) -> None:
        ran: list[int] = []

        def body() -> None:
            ran.append(1)
            raise Exit("bad")

        as_process(node, lambda: reason_of(Task.Supervisor.start_child("tasks", body)))
        until(lambda: as_process(node, lambda: Task.Supervisor.children("tasks")) == [])
        assert len(ran) == 1

    def test_k16_transient_child_runs_until_it_ends_well(self, node: LocalNode) -> None:
        ran: list[int] = []

        def body() -> None:
            ran.append(1)
            if len(ran) < 3:
                raise Exit("bad")

        as_process(node, lambda: Task.Supervisor.start_child("tasks", body, restart="transient"))
        until(lambda: len(ran) == 3 and as_process(node, lambda: Task.Supervisor.children("tasks")) == [])

    def test_child_is_started_from_any_thread(self, node: LocalNode) -> None:
        over = threading.Event()
        Task.Supervisor.start_child("tasks", over.set)
        assert over.wait(HANG)
        with pytest.raises(NotAProcess):
            Task.Supervisor.async_("tasks", never)
        assert as_process(node, lambda: Task.Supervisor.children("tasks")) == []

    def test_options_of_a_child_are_checked(self, node: LocalNode) -> None:
        with pytest.raises(ChildSpecInvalid):
            as_process(node, lambda: Task.Supervisor.start_child("tasks", never, restart="often"))  # type: ignore[arg-type]

    def test_k17_supervisor_has_max_children(self, node: LocalNode) -> None:
        start_supervisor(node, "two", max_children=2)

        def story() -> None:
            tasks = [Task.Supervisor.async_("two", never) for _ in range(2)]
            with pytest.raises(TooManyChildren):
                Task.Supervisor.start_child("two", never)
            with pytest.raises(TooManyChildren):
                Task.Supervisor.async_("two", never)
            with pytest.raises(TooManyChildren):
                Task.Supervisor.async_nolink("two", never)
            assert Task.shutdown(tasks[0]) is None
            until(lambda: len(Task.Supervisor.children("two")) == 1)
            assert Task.await_(Task.Supervisor.async_("two", returns, 1)) == 1

        as_process(node, story)

    def test_k18_task_of_a_supervisor_that_stops(self, node: LocalNode) -> None:
        holder = start_supervisor(node, "short")

        def story() -> Any:
            task = Task.Supervisor.async_nolink("short", never)
            send(holder.pid, "enough")
            return Task.yield_(task, HANG)

        assert as_process(node, story) == ("exit", "shutdown")

    def test_terminated_child_has_ended(self, node: LocalNode) -> None:
        def story() -> None:
            pid = Task.Supervisor.start_child("tasks", never)
            assert Task.Supervisor.children("tasks") == [pid]
            assert Task.Supervisor.terminate_child("tasks", pid) == "ok"
            assert not Process.is_alive(pid)
            assert Task.Supervisor.children("tasks") == []
            with pytest.raises(ChildNotFound):
                Task.Supervisor.terminate_child("tasks", pid)

        as_process(node, story)

    def test_missing_supervisor_is_an_error_of_the_caller(self, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(CallNoProcess):
                Task.Supervisor.async_("nope", never)
            with pytest.raises(CallNoProcess):
                Task.Supervisor.start_child("nope", never)
            assert drain() == []
            holds_nothing()

        as_process(node, story)

    def test_k23_callers_and_ancestors(self, node: LocalNode) -> None:
        def family() -> Any:
            return Process.get("$callers"), Process.get("$ancestors")[0]

        def story() -> Any:
            return own_pid(), Task.await_(Task.Supervisor.async_("tasks", family))

        pid, (callers, ancestor) = as_process(node, story)
        assert callers == [pid]
        assert ancestor == "tasks"

    def test_supervisor_is_a_child_of_a_supervisor(self, node: LocalNode) -> None:
        def story() -> None:
            top = Supervisor.start_link([child(Task.Supervisor, name="below")], strategy="one_for_one")
            assert Task.await_(Task.Supervisor.async_("below", returns, 7)) == 7
            assert Supervisor.stop(top) == "ok"

        as_process(node, traps(story))

    def test_task_is_a_child_of_a_supervisor_and_temporary(self, node: LocalNode) -> None:
        def story() -> None:
            top = Supervisor.start_link([child(Task, send, own_pid(), "ran")], strategy="one_for_one")
            assert receive("ran", timeout=HANG) == "ran"
            until(lambda: Supervisor.which_children(top) == [])
            assert Supervisor.stop(top) == "ok"

        as_process(node, traps(story))


class TestStreams:
    def test_stream_of_supervised_tasks(self, node: LocalNode) -> None:
        def story() -> Any:
            return [
                *Task.Supervisor.async_stream("tasks", [1, 2], returns),
                *Task.Supervisor.async_stream_nolink("tasks", [4, 9], "math", "sqrt"),
            ]

        assert as_process(node, story) == [("ok", 1), ("ok", 2), ("ok", 2.0), ("ok", 3.0)]

    def test_k14_crash_of_a_task_without_a_link_is_an_exit(self, node: LocalNode) -> None:
        def body(item: int) -> int:
            if item == 2:
                raise Exit("bad")
            return item

        def story() -> Any:
            found = list(Task.Supervisor.async_stream_nolink("tasks", [1, 2, 3], body))
            assert drain() == []
            holds_nothing()
            return found

        assert as_process(node, story) == [("ok", 1), ("exit", "bad"), ("ok", 3)]

    def test_stream_that_is_closed_ends_its_tasks(self, node: LocalNode) -> None:
        def body(item: int) -> Any:
            return item if not item else receive("never")

        def story() -> None:
            for start in (Task.Supervisor.async_stream, Task.Supervisor.async_stream_nolink):
                stream = start("tasks", range(4), body, max_concurrency=4)
                assert next(stream) == ("ok", 0)
                stream.close()
                until(lambda: Task.Supervisor.children("tasks") == [])
                assert drain() == []
                holds_nothing()

        as_process(node, traps(story))

    def test_too_many_tasks_of_a_stream_are_an_error(self, node: LocalNode) -> None:
        start_supervisor(node, "one", max_children=1)

        def story() -> None:
            with pytest.raises(TooManyChildren):
                list(Task.Supervisor.async_stream("one", [1, 2], never, max_concurrency=2))
            until(lambda: Task.Supervisor.children("one") == [])

        as_process(node, traps(story))


class TestThere:
    def test_k19_task_runs_on_the_other_node(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, _ = two

        def story() -> None:
            task = Task.Supervisor.async_(THERE, "Node", "self")
            assert task.pid is not None
            assert task.pid.node == "there@test"
            assert Task.await_(task) == "there@test"
            assert Task.await_(Task.Supervisor.async_(THERE, lambda: 2 + 2)) == 4
            assert drain() == []
            holds_nothing()

        as_process(here, story)

    def test_k19_links_are_those_of_caller_and_supervisor(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, there = two

        def story() -> Any:
            task = Task.Supervisor.async_(THERE, "pyx.primitives", "receive", ["never"])
            assert task.pid is not None
            return own_pid(), Process.info(task.pid, "links")[1]

        pid, links = as_process(here, story)
        supervisor = in_kernel(there, there.kernel.registry.whereis, "tasks")
        assert supervisor is not None
        assert len(links) == 2
        assert {(link.number, link.node) for link in links} == {
            (pid.number, ""),
            (supervisor.number, "there@test"),
        }

    def test_k19_missing_supervisor_and_node_are_errors_of_the_caller(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        here, _ = two

        def story() -> None:
            with pytest.raises(CallNoProcess):
                Task.Supervisor.async_(("nope", "there"), "Node", "self")
            with pytest.raises(CallNoConnection) as raised:
                Task.Supervisor.async_nolink(("tasks", "nowhere"), "Node", "self")
            assert raised.value.node == "nowhere@test"
            assert drain() == []
            holds_nothing()

        as_process(here, story)

    def test_k20_linked_task_ends_with_its_caller_and_the_other_lives(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        here, there = two

        def story() -> None:
            args = ["never"]
            Task.Supervisor.async_(THERE, "pyx.primitives", "receive", args)
            Task.Supervisor.async_nolink(THERE, "pyx.primitives", "receive", args)
            until(lambda: len(Task.Supervisor.children(THERE)) == 2)
            raise Exit("crash")

        with pytest.raises(Exit):
            as_process(here, story)
        until(lambda: len(as_process(there, lambda: Task.Supervisor.children("tasks"))) == 1)

    def test_k21_node_that_is_lost_ends_the_tasks_of_a_stream(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, there = two

        def story() -> Any:
            items = [["go on"], ["go on"], ["never"], ["never"]]
            stream = Task.Supervisor.async_stream_nolink(
                THERE, items, "pyx.primitives", "receive", max_concurrency=4, timeout=None
            )
            stopping = threading.Thread(target=stop)
            stopping.start()
            found = list(stream)
            stopping.join()
            return found

        def stop() -> None:
            until(lambda: len(children()) == 4)
            for pid in children()[2:]:
                as_process(there, lambda pid=pid: send(pid, ["go on"]))  # type: ignore[misc]
            until(lambda: len(children()) == 2)
            start_stop.stop(there)

        def children() -> list[Pid]:
            """The newest first."""
            found: list[Pid] = as_process(there, lambda: Task.Supervisor.children("tasks"))
            return found

        assert as_process(here, story) == [
            ("ok", ["go on"]),
            ("ok", ["go on"]),
            ("exit", "noconnection"),
            ("exit", "noconnection"),
        ]

    def test_task_whose_node_is_lost(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, there = two

        def story() -> Any:
            task = Task.Supervisor.async_nolink(THERE, "pyx.primitives", "receive", ["never"])
            stopping = threading.Thread(target=start_stop.stop, args=[there])
            stopping.start()
            with pytest.raises(TaskExited) as raised:
                Task.await_(task, None)
            stopping.join()
            return raised.value.reason

        assert as_process(here, story) == ("nodedown", "there@test")

    def test_k22_missing_function_is_an_exit(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, _ = two

        def story() -> Any:
            task = Task.Supervisor.async_nolink(THERE, "math", "nope")
            return Task.yield_(task, HANG)

        kind, reason = as_process(here, story)
        assert (kind, reason.type) == ("exit", "UndefinedFunction")

    def test_stream_keeps_its_order(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, _ = two

        def story() -> Any:
            return list(Task.Supervisor.async_stream(THERE, [1, 2, 3], "operator", "neg"))

        assert as_process(here, story) == [("ok", -1), ("ok", -2), ("ok", -3)]

    def test_child_is_started_there_from_a_thread(self, two: tuple[LocalNode, LocalNode]) -> None:
        pid = Task.Supervisor.start_child(THERE, "pyx.primitives", "receive", ["never"])
        assert pid.node == "there@test"
        assert Task.Supervisor.terminate_child(THERE, pid) == "ok"
        assert Task.Supervisor.children(THERE) == []

    def test_task_prints_at_its_owner(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, there = two

        def story() -> Any:
            leader = require("test").process.leader
            task = Task.Supervisor.async_(THERE, "Process", "group_leader")
            return leader, Task.await_(task)

        assert in_kernel(there, there.kernel.tables.find, own_leader(here)) is None
        leader, told = as_process(here, story)
        assert told == leader or (leader is None and told.number == 0)


def own_leader(node: LocalNode) -> Any:
    """A pid of another node, as a leader of a process of *node* may be."""
    tables = node.kernel.tables
    assert tables.here is not None
    return MadePid(999_999, 0, *tables.here)


class TestPolicy:
    @pytest.mark.parametrize("policy", ["open", "exported", "off"])
    @pytest.mark.parametrize("function", ["marked", "unmarked"])
    def test_work_of_a_peer_passes_the_policy(
        self, function: str, policy: str, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
        here, there = nodes.start("here"), nodes.start("there", rpc=policy)
        start_supervisor(there)
        starts: list[Callable[[], Any]] = [
            lambda: Task.await_(Task.Supervisor.async_(THERE, HERE, function)),
            lambda: Task.await_(Task.Supervisor.async_nolink(THERE, HERE, function)),
            lambda: next(Task.Supervisor.async_stream(THERE, [1], HERE, function))[1],
            lambda: next(Task.Supervisor.async_stream_nolink(THERE, [1], HERE, function))[1],
        ]
        is_allowed = policy == "open" or (policy, function) == ("exported", "marked")
        for start in starts:
            if is_allowed:
                assert as_process(here, start) == function
            else:
                with pytest.raises(CallRefused, match=f"it runs with --rpc {policy}"):
                    as_process(here, start)
        if not is_allowed:
            with pytest.raises(CallRefused):
                as_process(here, lambda: Task.Supervisor.start_child(THERE, HERE, function))
        assert as_process(there, lambda: Task.await_(Task.Supervisor.async_("tasks", HERE, function))) == (
            function
        )

    @pytest.mark.parametrize("policy", ["exported", "off"])
    def test_source_of_a_peer_is_refused(self, policy: str, nodes: LocalNodes) -> None:
        here, there = nodes.start("here"), nodes.start("there", rpc=policy)
        start_supervisor(there)
        with pytest.raises(CallRefused, match="come as source"):
            as_process(here, lambda: Task.Supervisor.async_(THERE, lambda: 1))

    @pytest.mark.parametrize(
        "parts",
        [
            (),
            (START_TASK, "async"),
            (START_TASK, "often", ("math", "sqrt", [4], {}, None), None, None, [], "temporary", 5.0),
            (START_TASK, "async", ("math", "sqrt", [4], {}, None), None, None, [], "temporary", 5.0),
            (START_TASK, "plain", "math.sqrt", None, None, [], "temporary", 5.0),
            (START_TASK, "plain", ("math", "sqrt", [4], {}, None), "me", None, [], "temporary", 5.0),
            (START_TASK, "plain", ("math", "sqrt", [4], {}, None), None, None, [], "often", 5.0),
        ],
    )
    def test_malformed_request_is_refused(self, parts: Any, node: LocalNode) -> None:
        with pytest.raises(ChildSpecInvalid):
            as_process(node, lambda: task_spec(parts, None))

    def test_peer_names_no_leader_of_a_third_node(self, nodes: LocalNodes) -> None:
        here, peer, third = (nodes.start(name) for name in ("here", "peer", "third"))
        assert peer.kernel.tables.here is not None
        assert third.kernel.tables.here is not None
        own, foreign = MadePid(5, 0, *peer.kernel.tables.here), MadePid(5, 0, *third.kernel.tables.here)
        work: Any = ("math", "sqrt", [4], {}, None)

        def leader(pid: Any) -> Any:
            parts: Any = (START_TASK, "plain", work, None, pid, [], "temporary", 5.0)
            return as_process(here, lambda: task_spec(parts, peer.kernel.tables.here)).what.work.leader

        assert leader(own) == own
        assert leader(foreign) is None
        assert leader("me") is None


class TestCoroutines:
    def test_all_waits_have_twins(self, node: LocalNode) -> None:
        async def story() -> None:
            supervisor = aio.Task.Supervisor
            assert await (await supervisor.async_("tasks", returns, 7)) == 7
            assert await (await supervisor.async_nolink("tasks", "math", "sqrt", [4])) == 2.0
            assert [each async for each in supervisor.async_stream("tasks", [1], returns)] == [("ok", 1)]
            nolink = supervisor.async_stream_nolink("tasks", ["bad"], exits)
            assert [each async for each in nolink] == [("exit", "bad")]
            pid = await supervisor.start_child("tasks", never)
            assert await supervisor.children("tasks") == [pid]
            assert await supervisor.terminate_child("tasks", pid) == "ok"
            with pytest.raises(WouldBlock) as raised:
                Task.Supervisor.async_("tasks", never)
            assert raised.value.twin == "aio.Task.Supervisor.async_()"
            assert drain() == []

        as_a_task(node, story)


def test_reason_of_a_task_that_raises_is_data(node: LocalNode) -> None:
    def story() -> Any:
        return reason_of(Task.Supervisor.start_child("tasks", raises))

    reason = as_process(node, story)
    assert isinstance(reason, Raised) or reason == "noproc"
