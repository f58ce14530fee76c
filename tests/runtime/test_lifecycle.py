"""lifecycle.py: How each kind of process starts, runs and ends, and with which reason."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Exit, Node, Process, ProcessKilled, aio, receive, rpc, spawn, spawn_link, spawn_monitor
from pyx import self as own_pid
from pyx.core.effects import StartProcess
from pyx.errors import EncodeError, RemoteError
from pyx.execution import node_log
from pyx.runtime.lifecycle import exit_text, reason_of
from pyx.signals import Payload
from pyx.terms import Pid, Raised
from pyx.wire.codec import decode
from tests.local_nodes import (
    HANG,
    Ended,
    LocalNodes,
    Running,
    as_process,
    encoded,
    end_of,
    in_kernel,
    killed_in_c,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyx.runtime.local_node import LocalNode


def end(node: LocalNode, function: Callable[[], Any]) -> Any:
    """Returns the exit reason of a process that runs *function*."""
    go = threading.Event()

    def body() -> Any:
        wait_for(go)
        return function()

    pid, _ = node.processes.spawn(body, ())
    ended = Ended(node, pid)
    go.set()
    wait_for(ended)
    return ended.reason


def raising(error: BaseException) -> Callable[[], Any]:
    def body() -> None:
        raise error

    return body


class TestReasons:
    def test_reason_follows_from_what_the_code_raised(self) -> None:
        assert reason_of(None, 1000) == ("normal", False)
        assert reason_of(Exit(), 1000) == ("normal", False)
        assert reason_of(Exit("shutdown"), 1000) == ("shutdown", False)
        assert reason_of(Exit("kill"), 1000) == ("kill", False)  # from inside it is a word like any other
        assert reason_of(SystemExit(), 1000) == ("normal", False)
        assert reason_of(SystemExit(0), 1000) == ("normal", False)
        assert reason_of(ProcessKilled(), 1000) == ("killed", False)
        reason, crashed = reason_of(SystemExit(3), 1000)
        assert isinstance(reason, Payload)
        assert (decode(reason, None), crashed) == (3, False)
        reason, crashed = reason_of(ValueError("x"), 1000)
        assert isinstance(reason, Payload)
        assert (decode(reason, None).type, crashed) == ("ValueError", True)


class TestEnds:
    def test_return_is_a_normal_end(self, node: LocalNode) -> None:
        assert end(node, lambda: "whatever") == "normal"

    @pytest.mark.parametrize("reason", ["shutdown", ("tuple", [1]), {"why": 1}, None])
    def test_exit_ends_with_its_reason(self, node: LocalNode, reason: Any) -> None:
        assert end(node, raising(Exit(reason))) == reason
        assert end(node, lambda: Process.exit(own_pid(), reason)) == reason

    def test_system_exit_ends_only_the_process(self, node: LocalNode) -> None:
        assert end(node, sys.exit) == "normal"
        assert end(node, lambda: sys.exit(3)) == 3
        assert end(node, lambda: sys.exit(["no", "hash"])) == ["no", "hash"]  # type: ignore[arg-type]

    def test_watcher_hears_of_a_crash_whose_report_cannot_be_written(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(node_log, "REPORT_SECONDS", 0.01)
        may_write = threading.Event()

        class Blocked(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                wait_for(may_write)

        def watches() -> Any:
            _, ref = spawn_monitor(raising(ValueError("x")))
            return receive(("DOWN", ref, ..., ..., ...), timeout=HANG)[4]

        handler = Blocked()
        logging.getLogger("pyx.node").addHandler(handler)
        try:
            assert as_process(node, watches).type == "ValueError"
        finally:
            may_write.set()
            until(lambda: not node_log.log.is_blocked)  # the next test has its reports in order
            logging.getLogger("pyx.node").removeHandler(handler)

    def test_exception_ends_with_a_raised(self, node: LocalNode, caplog: pytest.LogCaptureFixture) -> None:
        reason = end(node, lambda: [][1])
        assert isinstance(reason, Raised)
        assert (reason.type, reason.text) == ("IndexError", "list index out of range")
        assert "test_lifecycle.py" in reason.traceback
        [record] = caplog.records
        assert record.levelno == logging.ERROR
        line, *frames = record.getMessage().splitlines()
        assert line.startswith("Process #PID<0.")
        assert line.endswith(" raised an exception")
        assert "IndexError: list index out of range" in frames

    def test_exception_that_cannot_be_described_ends_the_process(self, node: LocalNode) -> None:
        class Hostile(Exception):
            def __getattribute__(self, name: str) -> Any:
                raise RuntimeError

            def __str__(self) -> str:
                raise SystemExit

        reason = end(node, raising(Hostile()))
        assert (reason.type, reason.text) == ("RuntimeError", "an exception that cannot be described")

    def test_exit_with_a_reason_that_is_not_data_ends_with_an_error(self, node: LocalNode) -> None:
        assert end(node, raising(Exit(object()))).type == "EncodeError"

    def test_only_an_exception_is_logged_as_a_crash(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        end(node, raising(Exit("boom")))
        end(node, lambda: sys.exit(3))
        assert caplog.records == []

    def test_task_ends_as_a_thread_does(self, node: LocalNode) -> None:
        async def task(error: str) -> None:
            await aio.receive("go")
            match error:
                case "exit":
                    raise Exit("shutdown")
                case "system":
                    sys.exit(3)
                case "cancel":
                    raise asyncio.CancelledError
                case "crash":
                    [][1]

        def reason(error: str) -> Any:
            pid, _ = node.processes.spawn(task, (error,))
            ended = Ended(node, pid)
            node.sending.send(pid, "go")
            wait_for(ended)
            return ended.reason

        assert reason("none") == "normal"
        assert reason("exit") == "shutdown"
        assert reason("system") == 3
        assert reason("crash").type == "IndexError"
        assert reason("cancel").type == "asyncio.exceptions.CancelledError"


class TestStarts:
    def test_spawn_returns_a_live_pid_at_once(self, node: LocalNode) -> None:
        pid, ref = node.processes.spawn(receive, ())
        assert node.kernel.tables.find(pid)
        assert ref is None

    def test_arguments_are_encoded_at_the_call(self, node: LocalNode) -> None:
        shared = ["before"]
        go, seen = threading.Event(), list[Any]()

        def body(mine: list[str]) -> None:
            wait_for(go)
            seen.append(mine)

        pid, _ = node.processes.spawn(body, (shared,))
        shared.append("after")
        go.set()
        end_of(node, pid)
        assert seen == [["before"]]

    def test_arguments_that_are_not_data_are_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"cannot send args\[0\]: <object"):
            node.processes.spawn(receive, (object(),))
        with pytest.raises(EncodeError, match=r"cannot send args\[0\]: <object"):
            node.processes.spawn_named("os", "getpid", [object()])
        assert node.kernel.tables.processes.all() == []

    def test_function_is_started_by_name(self, node: LocalNode) -> None:
        pid, _ = node.processes.spawn_named("pyx", "receive", [])
        process = node.kernel.tables.find(pid)
        assert process is not None
        assert process.initial_call == ("pyx", "receive", 0)

    def test_start_by_an_unknown_name_ends_with_undefined_function(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        pid, _ = node.processes.spawn_named("nope", "f", [])
        until(lambda: "UndefinedFunction: there is no module nope" in caplog.text)
        assert node.kernel.tables.find(pid) is None

    def test_start_by_the_name_of_an_async_def_runs_a_task(
        self, node: LocalNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "task_stock.py").write_text("from pyx import aio\nasync def ask(): await aio.receive()\n")
        monkeypatch.syspath_prepend(tmp_path)
        pid, _ = node.processes.spawn_named("task_stock", "ask", [])
        process = node.kernel.tables.find(pid)
        assert process is not None
        until(lambda: process.waiting)
        assert process.kind == "async def"
        assert process.runner.gate.thread_ident is None
        node.sending.send(pid, "end")
        assert end_of(node, pid) in {"normal", "noproc"}

    def test_def_that_returns_a_coroutine_becomes_a_task_and_can_be_killed(self, node: LocalNode) -> None:
        pid, _ = node.processes.spawn(lambda: aio.receive(), ())
        process = node.kernel.tables.find(pid)
        assert process is not None
        until(lambda: process.waiting)
        ended = Ended(node, pid)
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        wait_for(ended)
        assert ended.reason == "killed"
        until(lambda: len(node.processes.kills) == 0)

    def test_spawn_links_and_monitors_in_one_kernel_call(self, node: LocalNode) -> None:
        def body() -> Any:
            me = own_pid()
            Process.flag("trap_exit", True)
            pid, ref = node.processes.spawn(raising(Exit("early")), (), link=True, monitor=True)
            return sorted((receive(timeout=HANG), receive(timeout=HANG))), pid, ref, me

        messages, pid, ref, _ = as_process(node, body)
        assert messages == [("DOWN", ref, "process", pid, "early"), ("EXIT", pid, "early")]

    def test_child_has_the_group_leader_of_its_parent(self, node: LocalNode) -> None:
        def body() -> bool:
            child = node.kernel.tables.find(spawn(receive))
            me = node.kernel.tables.find(own_pid())
            assert child is not None
            assert me is not None
            return child.parent == own_pid() and child.leader == me.leader

        assert as_process(node, body)

    def test_parent_killed_in_a_spawn_leaves_no_child_without_a_thread(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The kernel call raises on leaving, but not before the child has a thread."""
        children: list[Pid] = []
        ran = threading.Event()
        started = node.kernel.process_signals.process_started

        def killed_meanwhile(*args: Any, **options: Any) -> Any:
            process, ref = started(*args, **options)
            if options["parent"] is not None:
                children.append(process.pid)
                node.kernel.process_signals.exit(Pid(0), options["parent"], "kill")
            return process, ref

        monkeypatch.setattr(node.kernel.process_signals, "process_started", killed_meanwhile)
        with pytest.raises(ProcessKilled):
            as_process(node, lambda: spawn(ran.set))
        wait_for(ran)
        until(lambda: node.kernel.tables.find(children[0]) is None)

    def test_process_ends_at_once_if_no_thread_is_left(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def none_left(_: Any) -> None:
            raise RuntimeError("can't start new thread")

        def body() -> tuple[Any, ...]:
            monkeypatch.setattr(node.pool, "run", none_left)
            pid, ref = node.processes.spawn(receive, (), monitor=True)
            return receive(("DOWN", ref, "process", pid, ...), timeout=HANG)  # type: ignore[no-any-return]

        reason = as_process(node, body)[4]
        assert (reason.type, reason.text) == ("RuntimeError", "can't start new thread")
        assert "can't start new thread" in caplog.text

    def test_process_ends_at_once_if_no_descriptor_is_left_for_its_loop(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none_left() -> None:
            raise OSError(24, "Too many open files")

        async def task() -> None:
            pytest.fail("it ran")

        def body() -> tuple[Any, ...]:
            monkeypatch.setattr(node.tasks._own, "start", none_left)
            pid, ref = node.processes.spawn(task, (), monitor=True)
            return receive(("DOWN", ref, "process", pid, ...), timeout=HANG)  # type: ignore[no-any-return]

        reason = as_process(node, body)[4]
        assert (reason.type, reason.text) == ("OSError", "[Errno 24] Too many open files")


class TestGenerators:
    """A generator that a function returns has run nothing: refused as a result, the failure of a process."""

    @pytest.fixture
    def rows(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        module = ModuleType("rows")
        exec(
            "def rows(): yield 1\n"
            "def expression(): return (n for n in [1])\n"
            "async def rows_later(): yield 1\n"
            "async def of_rows(): return rows()\n"
            "def begun():\n    it = rows()\n    next(it)\n    return it\n",
            module.__dict__,
        )
        monkeypatch.setitem(sys.modules, "rows", module)
        return module

    @pytest.mark.parametrize(
        ("function", "cure"),
        [
            ("rows", "list(...)"),
            ("expression", "list(...)"),
            ("begun", "list(...)"),
            ("of_rows", "list(...)"),
            ("rows_later", "[item async for item in ...]"),
        ],
    )
    def test_generator_as_the_result_of_a_call_is_refused_with_a_hint(
        self, function: str, cure: str, nodes: LocalNodes, rows: ModuleType
    ) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        error = as_process(a, lambda: _raised_by_call("rows", function))
        assert error.type == "EncodeError"
        assert re.fullmatch(r"cannot send result: <(async_)?generator object .*> is not data", error.text)
        assert f"\nhint: send a list of what it yields: {cure}\n" in error.traceback

    @pytest.mark.parametrize("function", ["rows", "expression", "rows_later", "of_rows"])
    def test_generator_function_ends_its_process_with_an_error(
        self, function: str, node: LocalNode, rows: ModuleType
    ) -> None:
        reason = end(node, getattr(rows, function))
        assert reason.type == "TypeError"
        assert reason.text.startswith("the process has run nothing: its function returned the generator ")
        assert reason.traceback.endswith("\nhint: spawn a function that loops over it\n")

    def test_generator_that_has_begun_may_be_returned(self, node: LocalNode, rows: ModuleType) -> None:
        assert end(node, rows.begun) == "normal"


def _raised_by_call(module: str, function: str) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        rpc.call("b", module, function)
    return caught.value


class TestForPeers:
    def test_call_of_a_peer_runs_in_a_process_of_its_own(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")

        def body() -> Any:
            return rpc.call("b", "pyx", "self"), rpc.call("b", "pyx", "self"), rpc.call("b", "Node", "self")

        one, other, name = as_process(a, body)
        assert one != other
        assert (one.node, name) == ("b@test", "b@test")
        assert b.kernel.tables.processes.all() == []

    @pytest.mark.parametrize(
        ("function", "args", "type_name", "text"),
        [
            ("sys.exit", [], "Exit", "normal"),
            ("sys.exit", [3], "Exit", "3"),
            ("operator.truediv", [1, 0], "ZeroDivisionError", "division by zero"),
            ("threading.Lock", [], "EncodeError", "cannot send result: <unlocked _thread.lock object"),
            ("importlib.import_module", ["no_such_module"], "ModuleNotFoundError", "No module named"),
        ],
    )
    def test_failure_of_a_call_is_its_answer(
        self, nodes: LocalNodes, function: str, args: list[Any], type_name: str, text: str
    ) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        module, _, name = function.rpartition(".")
        with pytest.raises(RemoteError) as failed:
            as_process(a, lambda: rpc.call("b", module, name, args))
        assert failed.value.type == type_name
        assert failed.value.text.startswith(text)

    def test_call_whose_process_is_killed_answers_killed(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        calling = Running(a, lambda: rpc.call("b", "pyx", "receive"))
        until(lambda: bool(b.kernel.tables.processes.all()))
        in_kernel(b, b.kernel.process_signals.exit, Pid(0), b.kernel.tables.processes.all()[0].pid, "kill")
        with pytest.raises(RemoteError, match="Exit: killed"):
            calling.outcome()

    def test_failing_cast_is_logged_where_it_ran(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        shown: list[str] = []
        a.output.writer._write = lambda text, _: shown.append(text)
        as_process(a, lambda: rpc.cast("b", "operator", "truediv", [1, 0]))
        until(lambda: "ZeroDivisionError" in caplog.text)
        until(lambda: not b.kernel.tables.processes.all())
        until(lambda: bool(shown))
        assert shown[0].endswith("on node b@test raised an exception\nZeroDivisionError: division by zero\n")

    def test_call_of_an_async_def_runs_on_the_process_loop(self, nodes: LocalNodes) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        assert as_process(a, lambda: rpc.call("b", "asyncio", "sleep", [0, "slept"])) == "slept"

    def test_spawn_of_a_peer_shows_its_kind_once_its_payload_is_decoded(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        pid = as_process(a, lambda: Node.spawn("b", "pyx", "receive", ["x"]))
        process = b.kernel.tables.find(Pid(pid.number))
        assert process is not None
        until(lambda: process.waiting)
        assert (process.kind, process.initial_call) == ("def", ("pyx", "receive", 1))

    def test_process_killed_before_it_had_a_runner_does_not_run(self, node: LocalNode) -> None:
        process, _ = in_kernel(node, node.kernel.process_signals.process_started, "call")
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), process.pid, "kill")
        node.processes.start_for_peer(StartProcess(process, encoded(("pytest", "fail", ["it ran"]))))
        until(lambda: process.runner is None)


class TestKills:
    def test_dead_process_whose_code_still_runs_is_counted(self, node: LocalNode) -> None:
        with killed_in_c(node):
            assert len(node.processes.kills) == 1
        until(lambda: len(node.processes.kills) == 0)


class TestShellExit:
    def test_exit_text_has_the_pid_and_the_reason(self, node: LocalNode) -> None:
        assert exit_text(node.kernel, Pid(7), "boom") == "** (EXIT from #PID<0.7.0>) boom\n"
        assert exit_text(node.kernel, Pid(7), encoded(("a", 1))) == "** (EXIT from #PID<0.7.0>) ('a', 1)\n"
        raised = encoded(Raised("ValueError", "no stock", "Traceback ..."))
        assert exit_text(node.kernel, Pid(7), raised) == "** (EXIT from #PID<0.7.0>) ValueError: no stock\n"


def test_loss_of_a_linked_process_ends_a_thread(node: LocalNode) -> None:
    ready = threading.Event()
    linked: list[Pid] = []

    def child() -> None:
        receive("go")
        raise Exit("boom")

    def parent() -> None:
        linked.append(spawn_link(child))
        ready.set()
        Process.sleep(None)

    pid, _ = node.processes.spawn(parent, ())
    wait_for(ready)
    ended = Ended(node, pid)
    node.sending.send(linked[0], "go")
    wait_for(ended)
    assert ended.reason == "boom"


def test_thread_busy_in_python_is_killed_there(node: LocalNode) -> None:
    begun = threading.Event()

    def busy() -> None:
        while True:
            begun.set()

    pid, _ = node.processes.spawn(busy, ())
    wait_for(begun)
    in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
    until(lambda: len(node.processes.kills) == 0)
