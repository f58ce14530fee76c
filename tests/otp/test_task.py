"""task.py, task_process.py, task_waits.py, task_errors.py, awaitable_tasks.py: Tasks, and their owners.

Labels as K1 name behaviours of Elixir's Task that were observed there.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    EncodeError,
    Exit,
    NotAProcess,
    Process,
    Raised,
    RemoteError,
    Task,
    TaskError,
    TaskExited,
    TaskNotMine,
    TaskTimeout,
    WouldBlock,
    aio,
    receive,
    self,
    send,
    spawn,
    spawn_monitor,
)
from pyx.errors import ReceiveTimeout
from pyx.execution.context import require
from pyx.otp import task_process
from pyx.otp.remote_work import LocalWork
from pyx.otp.task_process import Supervised
from pyx.primitives import drain
from tests.local_nodes import HANG, LocalNodes, Running, as_process, in_kernel, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def node(nodes: LocalNodes) -> LocalNode:
    """A node without a name."""
    return nodes.make()


def traps(story: Callable[[], Any]) -> Callable[[], Any]:
    """The story of a process that traps exits."""

    def trapping() -> Any:
        Process.flag("trap_exit", True)
        return story()

    return trapping


def no_messages() -> list[Any]:
    """The mailbox without the EXIT messages, which a process that traps exits gets as from any link."""
    return [message for message in drain() if not (type(message) is tuple and message[0] == "EXIT")]


def holds_nothing() -> None:
    """The running process has no monitors and no aliases."""
    process = require("test").process
    assert dict(process.monitors) == {}
    assert dict(process.aliases) == {}


def never() -> None:
    receive("never")


def returns(value: Any) -> Any:
    return value


def raises() -> None:
    raise ValueError("boom")


def appended(given: list[int]) -> list[int]:
    given.append(2)
    return given


def exits(reason: Any) -> None:
    raise Exit(reason)


def ended(function: Callable[..., Any], *args: Any) -> Task[Any]:
    """A task whose result, or whose end, is in the mailbox."""
    task = Task.async_(function, *args)
    assert task.pid is not None
    watch = Process.monitor(task.pid)
    receive(("DOWN", watch, ...), ("DOWN", watch, ..., ..., ...), timeout=HANG)
    return task


def lost(task: Task[Any]) -> Task[Any]:
    """A task whose node was lost, as its owner sees it."""
    assert task.pid is not None
    Process.unlink(task.pid)
    Process.exit(task.pid, "noconnection")
    return task


# ---------------------------------------------------------------- async


class TestAsync:
    def test_k1_owner_gets_the_value_and_the_end_by_one_reference(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(returns, 7)
            assert receive((task.ref, ...), timeout=HANG) == (task.ref, 7)
            down = receive(("DOWN", ..., "process", ..., ...), timeout=HANG)
            assert down == ("DOWN", task.ref, "process", task.pid, "normal")
            assert receive(("EXIT", ..., ...), timeout=HANG) == ("EXIT", task.pid, "normal")
            assert drain() == []

        as_process(node, traps(story))

    def test_owner_that_waits_by_hand_keeps_nothing_of_the_task(self, node: LocalNode) -> None:
        def story() -> None:
            for function, args in ((returns, [7]), (exits, ["bad"])):
                task = Task.async_(function, *args)
                receive(("DOWN", task.ref, "process", ..., ...), timeout=HANG)
                holds_nothing()

        as_process(node, traps(story))

    def test_task_is_linked_to_its_owner(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(never)
            assert task.pid is not None
            assert Process.info(task.pid, "links") == ("links", [own_pid()])
            assert (task.owner, task.mfa) == (own_pid(), (__name__, "never", 0))

        as_process(node, story)

    def test_module_and_function_are_a_second_form(self, node: LocalNode) -> None:
        def story() -> Any:
            task = Task.async_("math", "sqrt", [4])
            assert task.mfa == ("math", "sqrt", 1)
            return Task.await_(task)

        assert as_process(node, story) == 2.0

    def test_keyword_arguments_are_the_functions_own(self, node: LocalNode) -> None:
        assert as_process(node, lambda: Task.await_(Task.async_(dict, a=1))) == {"a": 1}

    def test_async_def_runs_on_the_process_loop(self, node: LocalNode) -> None:
        async def where() -> str:
            await aio.sleep(0)
            return threading.current_thread().name

        assert as_process(node, lambda: Task.await_(Task.async_(where))) == "pyx-process-loop"

    def test_async_def_that_is_found_by_its_name_runs_on_the_process_loop(self, node: LocalNode) -> None:
        assert as_process(node, lambda: Task.await_(Task.async_("asyncio", "sleep", [0, "slept"]))) == "slept"

    def test_argument_is_a_copy(self, node: LocalNode) -> None:
        def story() -> None:
            given = [1]
            got = Task.await_(Task.async_(appended, given))
            assert (given, got) == ([1], [1, 2])

        as_process(node, story)

    def test_argument_that_is_not_data_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"args\[0\]"):
            as_process(node, lambda: Task.async_(returns, object()))

    def test_value_that_is_not_data_is_a_failure_of_the_task(self, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(TaskExited, match="cannot send result: <object object"):
                Task.await_(Task.async_(object))

        as_process(node, traps(story))

    def test_thread_that_is_not_a_process_cannot_own_a_task(self, node: LocalNode) -> None:
        with pytest.raises(NotAProcess, match=r"Task.async_\(\) needs a process"):
            Task.async_(returns, 1)

    def test_owner_that_is_interrupted_leaves_no_task(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        def story() -> None:
            before = set(Process.list())
            monkeypatch.setattr(task_process, "claim", interrupted)
            with pytest.raises(KeyboardInterrupt):
                Task.async_(returns, 1)
            assert set(Process.list()) == before
            assert drain() == []

        as_process(node, traps(story))

    def test_task_whose_owner_does_not_claim_it_ends(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(task_process, "START_SECONDS", 0.01)

        def story() -> Any:
            work = LocalWork(node, returns, (1,), {})
            pid = task_process.spawn_task(work, own_pid(), link=False)
            watch = Process.monitor(pid)
            return receive(("DOWN", watch, ..., ..., ...), timeout=HANG)[4]

        assert as_process(node, story) == "timeout"

    def test_task_that_watches_its_owner_ends_with_it(self, node: LocalNode) -> None:
        def story() -> Any:
            work = LocalWork(node, returns, (1,), {})
            owner = spawn(never)
            pid = task_process.spawn_task(work, owner, link=False, supervised=Supervised(None))
            watch = Process.monitor(pid)
            Process.exit(owner, "gone")
            return receive(("DOWN", watch, ..., ..., ...), timeout=HANG)[4]

        assert as_process(node, story) == ("shutdown", "gone")


def own_pid() -> Any:
    return self()


# ---------------------------------------------------------------- await


class TestAwait:
    def test_k2_value_in_time_leaves_no_message(self, node: LocalNode) -> None:
        def story() -> None:
            assert Task.await_(Task.async_(returns, 7)) == 7
            assert Task.await_(ended(returns, 8)) == 8
            assert no_messages() == []
            holds_nothing()

        as_process(node, story)

    def test_k2_second_await_waits_for_nothing(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(returns, 7)
            assert Task.await_(task) == 7
            with pytest.raises(TaskTimeout, match="was taken or dropped before"):
                Task.await_(task, 0.01)

        as_process(node, story)

    def test_k3_late_result_does_not_come_and_the_task_goes_on(self, node: LocalNode) -> None:
        def story() -> None:
            def late() -> str:
                receive("go on")
                send(owner, "went on")
                return "late"

            owner = own_pid()
            task = Task.async_(late)
            with pytest.raises(TaskTimeout, match=r"has no result after 0.01 s") as raised:
                Task.await_(task, 0.01)
            assert (raised.value.timeout, raised.value.task) == (0.01, task)
            assert raised.value.hint is not None
            assert task.pid is not None
            watch = Process.monitor(task.pid)
            send(task.pid, "go on")
            receive(("DOWN", watch, ..., ..., ...), timeout=HANG)
            assert drain() == ["went on"]
            holds_nothing()

        as_process(node, story)

    def test_k4_exception_of_the_task_is_the_reason(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(raises)
            with pytest.raises(TaskExited, match="ended without a result: ValueError: boom") as raised:
                Task.await_(task)
            assert raised.value.task == task
            reason = raised.value.reason
            assert isinstance(reason, Raised)
            assert (reason.type, reason.text) == ("ValueError", "boom")
            cause = raised.value.__cause__
            assert isinstance(cause, RemoteError)
            assert 'raise ValueError("boom")' in cause.traceback
            assert receive(("EXIT", task.pid, ...), timeout=HANG)[2] == reason
            assert drain() == []
            holds_nothing()

        as_process(node, traps(story))

    @pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1), "bad"])
    def test_exit_of_the_task_is_the_reason(self, reason: Any, node: LocalNode) -> None:
        def story() -> None:
            for task in (Task.async_(exits, reason), ended(exits, reason)):
                with pytest.raises(TaskExited) as raised:
                    Task.await_(task)
                assert raised.value.reason == reason
                assert raised.value.__cause__ is None
            assert no_messages() == []

        as_process(node, traps(story))

    def test_missing_function_is_the_reason(self, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(TaskExited, match="UndefinedFunction: there is no function nope"):
                Task.await_(Task.async_("math", "nope", []))
            with pytest.raises(TaskExited, match="UndefinedFunction: there is no module nope"):
                Task.await_(Task.async_("nope", "f", []))

        as_process(node, traps(story))

    def test_lost_node_is_the_reason(self, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(TaskExited) as raised:
                Task.await_(lost(Task.async_(never)))
            assert raised.value.reason == ("nodedown", node.kernel.tables.name)
            assert no_messages() == []

        as_process(node, story)

    def test_owner_that_does_not_trap_exits_ends_with_the_task(self, node: LocalNode) -> None:
        def story() -> None:
            Task.await_(Task.async_(exits, "bad"), None)

        def outer() -> Any:
            _, watch = spawn_monitor(story)
            return receive(("DOWN", watch, ..., ..., ...), timeout=HANG)[4]

        assert as_process(node, outer) == "bad"

    def test_k7_other_process_than_the_owner_is_refused(self, node: LocalNode) -> None:
        tasks: list[Task[Any]] = []
        owner = Running(node, lambda: (tasks.append(Task.async_(never)), receive("enough"))[1])
        until(lambda: bool(tasks))

        def story() -> None:
            waits: list[Callable[[], Any]] = [
                lambda: Task.await_(tasks[0]),
                lambda: Task.yield_(tasks[0]),
                lambda: Task.await_many(tasks),
                lambda: Task.yield_many(tasks),
                lambda: Task.shutdown(tasks[0]),
                lambda: Task.ignore(tasks[0]),
            ]
            for wait in waits:
                with pytest.raises(TaskNotMine, match=f"belongs to {owner.pid}") as raised:
                    wait()
                assert (raised.value.owner, raised.value.asking) == (owner.pid, own_pid())
            send(owner.pid, "enough")

        as_process(node, story)
        assert owner.outcome() == "enough"

    def test_thread_that_is_not_a_process_is_refused(self, node: LocalNode) -> None:
        tasks: list[Task[Any]] = []
        as_process(node, lambda: tasks.append(Task.async_(returns, 1)))
        with pytest.raises(NotAProcess, match=r"Task.await_\(\)"):
            Task.await_(tasks[0])

    def test_wait_without_limit_is_none(self, node: LocalNode) -> None:
        assert as_process(node, lambda: Task.await_(Task.async_(returns, 1), None)) == 1

    @pytest.mark.parametrize("timeout", [-1, "5", True])
    def test_time_limit_is_checked(self, timeout: Any, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises((TypeError, ValueError), match="timeout is a number of seconds"):
                Task.await_(Task.async_(never), timeout)

        as_process(node, story)

    def test_something_else_than_a_task_is_refused(self, node: LocalNode) -> None:
        def story() -> None:
            for wait in (Task.await_, Task.yield_, Task.shutdown, Task.ignore):
                with pytest.raises(TypeError, match=r"a task is needed, as .* not 'x'"):
                    wait("x")  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="a task is needed"):
                Task.await_many([Task.completed(1), None])  # type: ignore[list-item]

        as_process(node, story)

    def test_messages_of_others_stay(self, node: LocalNode) -> None:
        def story() -> None:
            for message in (1, ("DOWN", "fake"), ("DOWN", None, "process", None, "fake"), ("ref", 2)):
                send(own_pid(), message)
            assert Task.await_(Task.async_(returns, 7)) == 7
            assert len(drain()) == 4

        as_process(node, story)


# ---------------------------------------------------------------- await_many


class TestAwaitMany:
    def test_k8_values_come_in_order(self, node: LocalNode) -> None:
        def story() -> None:
            tasks = [Task.async_(returns, each) for each in range(5)]
            assert Task.await_many(tasks) == [0, 1, 2, 3, 4]
            assert Task.await_many([]) == []
            assert no_messages() == []
            holds_nothing()

        as_process(node, story)

    def test_same_task_may_stand_twice(self, node: LocalNode) -> None:
        def story() -> Any:
            task = Task.async_(returns, 1)
            return Task.await_many([task, task])

        assert as_process(node, story) == [1, 1]

    def test_k8_time_limit_is_for_all_together(self, node: LocalNode) -> None:
        def story() -> None:
            tasks: list[Task[Any]] = [ended(returns, 1), Task.async_(never)]
            with pytest.raises(TaskTimeout, match=r"one of 2 tasks has no result after 0.05 s"):
                Task.await_many(tasks, 0.05)
            assert no_messages() == []
            holds_nothing()

        as_process(node, story)

    @pytest.mark.parametrize("failure", [(raises,), (exits, "normal"), (exits, "bad")])
    def test_k8_failure_ends_the_wait_at_once(self, failure: Any, node: LocalNode) -> None:
        def story() -> None:
            tasks = [Task.async_(never), Task.async_(*failure), Task.async_(never)]
            with pytest.raises(TaskExited) as raised:
                Task.await_many(tasks, None)
            assert raised.value.task == tasks[1]
            assert [Process.is_alive(task.pid) for task in tasks if task.pid] == [True, False, True]
            assert no_messages() == []
            holds_nothing()

        as_process(node, traps(story))

    def test_undefined_function_and_lost_node_fail_too(self, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(TaskExited, match="UndefinedFunction"):
                Task.await_many([Task.async_("nope", "f")])
            with pytest.raises(TaskExited, match="nodedown"):
                Task.await_many([lost(Task.async_(never))])

        as_process(node, traps(story))


# ---------------------------------------------------------------- yield


class TestYield:
    def test_k5_answer_is_none_a_value_or_an_exit_and_may_be_asked_again(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(lambda: receive("go on"))
            assert task.pid is not None
            assert Task.yield_(task, 0.01) is None
            assert Task.yield_(task, 0) is None
            send(task.pid, "go on")
            assert Task.yield_(task, HANG) == ("ok", "go on")
            assert Task.yield_(task, 0.01) is None
            assert Task.yield_(Task.async_(exits, "bad"), HANG) == ("exit", "bad")
            assert Task.yield_(Task.async_(exits, "normal"), HANG) == ("exit", "normal")
            assert no_messages() == []
            holds_nothing()

        as_process(node, traps(story))

    def test_exception_is_an_exit(self, node: LocalNode) -> None:
        def story() -> Any:
            return Task.yield_(Task.async_(raises), HANG), Task.yield_(Task.async_("nope", "f"), HANG)

        raised, undefined = as_process(node, traps(story))
        assert (raised[0], raised[1].type, raised[1].text) == ("exit", "ValueError", "boom")
        assert (undefined[0], undefined[1].type) == ("exit", "UndefinedFunction")

    def test_lost_node_is_an_exception(self, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(TaskExited) as raised:
                Task.yield_(lost(Task.async_(never)), HANG)
            assert raised.value.reason == ("nodedown", node.kernel.tables.name)
            with pytest.raises(TaskExited):
                Task.yield_many([lost(Task.async_(never))], HANG)
            assert no_messages() == []

        as_process(node, story)

    def test_k6_yield_or_shutdown_leaves_nothing(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(never)
            assert (Task.yield_(task, 0.01) or Task.shutdown(task)) is None
            assert drain() == []
            holds_nothing()

        as_process(node, traps(story))

    def test_k9_unfinished_tasks_of_many_go_on(self, node: LocalNode) -> None:
        def story() -> None:
            tasks: list[Task[Any]] = [ended(returns, 1), Task.async_(never), ended(exits, "bad")]
            answers = Task.yield_many(tasks, 0.01)
            assert answers == [(tasks[0], ("ok", 1)), (tasks[1], None), (tasks[2], ("exit", "bad"))]
            assert tasks[1].pid is not None
            assert Process.is_alive(tasks[1].pid)
            assert Task.shutdown(tasks[1]) is None
            assert Task.yield_many([]) == []
            assert no_messages() == []
            holds_nothing()

        as_process(node, traps(story))


# ---------------------------------------------------------------- shutdown


def stubborn() -> Task[Any]:
    """A task that traps exits and never ends by itself."""

    def body() -> None:
        Process.flag("trap_exit", True)
        send(owner, "ready")
        receive("never")

    owner = own_pid()
    task = Task.async_(body)
    receive("ready", timeout=HANG)
    return task


class TestShutdown:
    @pytest.mark.parametrize("how", [5.0, None, "brutal_kill"])
    def test_task_that_runs_is_ended(self, how: Any, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(never)
            assert Task.shutdown(task, how) is None
            assert task.pid is not None
            assert not Process.is_alive(task.pid)
            assert drain() == []
            holds_nothing()

        as_process(node, traps(story))

    def test_task_that_does_not_end_in_time_is_killed(self, node: LocalNode) -> None:
        def story() -> None:
            assert Task.shutdown(stubborn(), 0.01) == ("exit", "killed")
            assert drain() == []

        as_process(node, traps(story))

    def test_task_that_traps_exits_is_killed_brutally(self, node: LocalNode) -> None:
        def story() -> None:
            assert Task.shutdown(stubborn(), "brutal_kill") is None
            assert drain() == []

        as_process(node, traps(story))

    @pytest.mark.parametrize("how", [5.0, "brutal_kill"])
    @pytest.mark.parametrize(
        ("reason", "told"),
        [
            ("normal", ("exit", "normal")),
            ("shutdown", {5.0: None, "brutal_kill": ("exit", "shutdown")}),
            ("killed", {5.0: ("exit", "killed"), "brutal_kill": None}),
            ("bad", ("exit", "bad")),
        ],
    )
    def test_task_that_has_ended_before(self, reason: str, told: Any, how: Any, node: LocalNode) -> None:
        def story() -> None:
            task = ended(exits, reason)
            assert Task.shutdown(task, how) == (told[how] if isinstance(told, dict) else told)
            assert no_messages() == []
            holds_nothing()

        as_process(node, traps(story))

    @pytest.mark.parametrize("how", [5.0, "brutal_kill"])
    def test_exception_before_is_an_exit(self, how: Any, node: LocalNode) -> None:
        def story() -> None:
            for task in (ended(raises), ended(functools.partial(returns, object()))):
                answer = Task.shutdown(task, how)
                assert answer is not None
                assert (answer[0], type(answer[1])) == ("exit", Raised)
            assert no_messages() == []

        as_process(node, traps(story))

    @pytest.mark.parametrize("how", [5.0, "brutal_kill"])
    def test_lost_node_is_an_exception(self, how: Any, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(TaskExited) as raised:
                Task.shutdown(lost(Task.async_(never)), how)
            assert raised.value.reason == ("nodedown", node.kernel.tables.name)
            assert no_messages() == []
            holds_nothing()

        as_process(node, story)

    @pytest.mark.parametrize("how", [5.0, None, 0, "brutal_kill"])
    def test_value_that_is_in_the_mailbox_with_the_end_is_returned(self, how: Any, node: LocalNode) -> None:
        def story() -> None:
            assert Task.shutdown(ended(returns, 7), how) == ("ok", 7)
            assert no_messages() == []
            holds_nothing()

        as_process(node, story)

    @pytest.mark.parametrize("how", [5.0, None, 0, "brutal_kill"])
    def test_value_that_is_in_the_mailbox_of_a_task_that_is_monitored_no_more(
        self, how: Any, node: LocalNode
    ) -> None:
        def story() -> None:
            task = ended(returns, 7)
            receive(("DOWN", task.ref, ..., ..., ...), timeout=0)
            assert Task.shutdown(task, how) == ("ok", 7)
            assert no_messages() == []

        as_process(node, story)

    def test_task_that_was_awaited_or_ended_before_is_not_known(self, node: LocalNode) -> None:
        def story() -> None:
            task = ended(returns, 7)
            assert Task.await_(task) == 7
            assert Task.shutdown(task) == ("exit", "noproc")
            task = Task.async_(never)
            assert Task.shutdown(task) is None
            assert Task.shutdown(task) == ("exit", "noproc")
            assert no_messages() == []

        as_process(node, story)

    def test_completed_task_has_no_process_to_end(self, node: LocalNode) -> None:
        def story() -> None:
            with pytest.raises(ValueError, match="has no process"):
                Task.shutdown(Task.completed(1))
            with pytest.raises(ValueError, match="has no process"):
                Task.ignore(Task.completed(1))

        as_process(node, story)


# ---------------------------------------------------------------- ignore, completed, start


class TestIgnore:
    def test_k10_value_of_an_ignored_task_never_comes(self, node: LocalNode) -> None:
        def story() -> None:
            task = Task.async_(lambda: receive("go on"))
            assert task.pid is not None
            watch = Process.monitor(task.pid)
            assert Task.ignore(task) is None
            send(task.pid, "go on")
            assert receive(("DOWN", watch, ..., ..., ...), timeout=HANG)[4] == "normal"
            assert drain() == []
            holds_nothing()

        as_process(node, traps(story))

    def test_value_or_end_that_is_there_is_returned(self, node: LocalNode) -> None:
        def story() -> None:
            assert Task.ignore(ended(returns, 7)) == ("ok", 7)
            assert Task.ignore(ended(exits, "bad")) == ("exit", "bad")
            assert no_messages() == []
            holds_nothing()

        as_process(node, traps(story))

    def test_end_of_an_ignored_task_does_not_reach_its_owner(self, node: LocalNode) -> None:
        def story() -> str:
            task = Task.async_(lambda: exits(receive(str)))
            assert task.pid is not None
            Task.ignore(task)
            watch = Process.monitor(task.pid)
            send(task.pid, "bad")
            return str(receive(("DOWN", watch, ..., ..., ...), timeout=HANG)[4])

        assert as_process(node, story) == "bad"

    def test_lost_node_is_an_exception(self, node: LocalNode) -> None:
        def story() -> None:
            task = lost(Task.async_(never))
            assert task.pid is not None
            watch = Process.monitor(task.pid)
            receive(("DOWN", watch, ..., ..., ...), timeout=HANG)
            with pytest.raises(TaskExited, match="nodedown"):
                Task.ignore(task)

        as_process(node, story)


class TestCompleted:
    def test_completed_task_has_its_value(self, node: LocalNode) -> None:
        def story() -> None:
            assert Task.await_(Task.completed(7)) == 7
            assert Task.yield_(Task.completed(8)) == ("ok", 8)
            assert Task.await_many([Task.completed(1), Task.async_(returns, 2)]) == [1, 2]
            assert Task.completed(1).pid is None
            assert len(drain()) == 1

        as_process(node, story)


class TestStart:
    def test_start_runs_from_any_thread_without_a_link(self, node: LocalNode) -> None:
        over = threading.Event()
        pid = Task.start(over.set)
        assert over.wait(HANG)
        until(lambda: in_kernel(node, node.kernel.tables.find, pid) is None)

        def story() -> Any:
            pid = Task.start(exits, "bad")
            watch = Process.monitor(pid)
            return receive(("DOWN", watch, ..., ..., ...), timeout=HANG)[4] in {"bad", "noproc"}

        assert as_process(node, story)

    def test_start_link_links(self, node: LocalNode) -> None:
        def story() -> None:
            pid = Task.start_link("pyx.primitives", "receive", ["go on"])
            send(pid, "go on")
            assert receive(("EXIT", pid, ...), timeout=HANG) == ("EXIT", pid, "normal")
            pid = Task.start_link(exits, "bad")
            assert receive(("EXIT", pid, ...), timeout=HANG) == ("EXIT", pid, "bad")
            assert drain() == []

        as_process(node, traps(story))
        with pytest.raises(NotAProcess):
            Task.start_link(never)

    def test_async_def_is_started_too(self, node: LocalNode) -> None:
        seen: list[Any] = []

        async def body(word: str) -> None:
            await aio.sleep(0)
            seen.append((word, Process.get("$callers")))

        Task.start(body, "from a thread")
        pid = as_process(node, lambda: (own_pid(), Task.start(body, "from a process"))[0])
        until(lambda: len(seen) == 2)
        assert sorted(seen) == [("from a process", [pid]), ("from a thread", [])]


class TestLifetimes:
    def owner_and_task(self, node: LocalNode) -> tuple[Running, Task[Any]]:
        tasks: list[Task[Any]] = []

        def owner() -> None:
            tasks.append(Task.async_(never))
            reason = receive(..., timeout=HANG)
            if reason != "normal":
                raise Exit(reason)

        running = Running(node, owner)
        until(lambda: bool(tasks))
        return running, tasks[0]

    def test_k11_task_of_an_owner_that_crashes_ends(self, node: LocalNode) -> None:
        owner, task = self.owner_and_task(node)
        assert task.pid is not None
        as_process(node, lambda: send(owner.pid, "crash"))
        until(lambda: in_kernel(node, node.kernel.tables.find, task.pid) is None)

    def test_k11_task_of_an_owner_that_ends_normally_lives_on(self, node: LocalNode) -> None:
        owner, task = self.owner_and_task(node)
        as_process(node, lambda: send(owner.pid, "normal"))
        owner.outcome()
        until(lambda: in_kernel(node, node.kernel.tables.find, owner.pid) is None)
        assert in_kernel(node, node.kernel.tables.find, task.pid) is not None


def test_thousand_tasks_leave_nothing(node: LocalNode) -> None:
    async def body(number: int) -> int:
        await aio.sleep(0)
        return number

    def story() -> None:
        tasks = [Task.async_(body, number) for number in range(1000)]
        assert Task.await_many(tasks, None) == list(range(1000))
        holds_nothing()
        assert drain() == []
        until(lambda: Process.list() == [own_pid()])

    as_process(node, story)
    assert node.kernel.tables.aliases == {}


class TestCallers:
    def test_k23_callers_and_ancestors_stand_in_the_dictionary(self, node: LocalNode) -> None:
        def family() -> tuple[Any, Any]:
            return Process.get("$callers"), Process.get("$ancestors")

        def outer() -> Any:
            return own_pid(), family(), Task.await_(Task.async_(family))

        def story() -> Any:
            return own_pid(), Task.await_(Task.async_(outer))

        owner, (first, of_first, of_second) = as_process(node, story)
        assert of_first == ([owner], [owner])
        assert of_second == ([first, owner], [first, owner])


# ---------------------------------------------------------------- coroutines


def as_a_task(node: LocalNode, function: Callable[[], Any]) -> Any:
    """Runs an `async def` as a process; returns its value or raises its exception."""
    outcome: list[Any] = []

    async def body() -> None:
        try:
            outcome.append((True, await function()))
        except BaseException as error:
            outcome.append((False, error))
            raise

    node.processes.spawn(body, ())
    until(lambda: bool(outcome))
    succeeded, value = outcome[0]
    if not succeeded:
        raise value
    return value


class TestCoroutines:
    def test_task_is_awaitable(self, node: LocalNode) -> None:
        async def story() -> Any:
            return await Task.async_(returns, 7)

        assert as_a_task(node, story) == 7

    def test_all_waits_have_twins(self, node: LocalNode) -> None:
        async def story() -> None:
            Process.flag("trap_exit", True)
            assert await aio.Task.await_(Task.async_(returns, 1)) == 1
            assert await aio.Task.await_many([Task.async_(returns, 1), Task.async_(returns, 2)]) == [1, 2]
            assert await aio.Task.yield_(Task.async_(exits, "bad")) == ("exit", "bad")
            task = Task.async_(never)
            assert await aio.Task.yield_(task, 0.01) is None
            assert await aio.Task.yield_many([task], 0.01) == [(task, None)]
            with pytest.raises(TaskTimeout):
                await aio.Task.await_(task, 0.01)
            assert await aio.Task.shutdown(task) is None
            assert no_messages() == []
            holds_nothing()

        as_a_task(node, story)

    def test_several_coroutines_of_a_process_cannot_await_at_once(self, node: LocalNode) -> None:
        async def story() -> None:
            first = asyncio.ensure_future(_awaited(Task.async_(never)))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="already receiving"):
                await Task.async_(returns, 1)
            first.cancel()

        async def _awaited(task: Task[Any]) -> Any:
            return await task

        as_a_task(node, story)

    def test_wait_that_would_block_the_loop_names_its_twin(self, node: LocalNode) -> None:
        async def story() -> None:
            task = Task.async_(returns, 1)
            with pytest.raises(WouldBlock, match=r"Task.await_\(\) would block") as raised:
                Task.await_(task)
            assert raised.value.twin == "aio.Task.await_()"
            assert await task == 1
            assert Task.ignore(Task.async_(never)) is None  # it never waits

        as_a_task(node, story)


def test_errors_are_one_branch_of_the_tree() -> None:
    for kind in (TaskExited, TaskTimeout, TaskNotMine):
        assert issubclass(kind, TaskError)
    assert issubclass(TaskTimeout, TimeoutError)
    assert issubclass(TaskNotMine, ValueError)
    assert not issubclass(TaskTimeout, ReceiveTimeout)
