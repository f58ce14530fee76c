"""process_info.py: The facts about a process of this node: each key, of threads, tasks and shells."""

from __future__ import annotations

import asyncio
import queue
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process, aio, receive, spawn, spawn_link
from pyx import self as own_pid
from pyx.runtime.encoding import encoded, encoded_call
from pyx.runtime.process_info import KEYS, check_keys, information
from pyx.runtime.shell_process import ShellProcess
from pyx.signals import Payload
from pyx.terms import Pid
from tests.local_nodes import HANG, LocalNodes, Running, as_process, in_kernel, until, wait_for

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


def waits() -> Any:
    return receive("end")


def asleep(node: LocalNode, pid: Pid) -> Pid:
    process = node.kernel.tables.find(pid)
    assert process is not None
    until(lambda: process.runner.is_waiting)
    return pid


@pytest.fixture
def pid(node: LocalNode) -> Pid:
    return asleep(node, node.processes.spawn(waits, ())[0])


def fact(node: LocalNode, pid: Pid, key: str) -> Any:
    facts = information(node, pid, [key])
    assert facts is not None
    return facts[key]


class TestKeys:
    def test_facts_are_all_but_the_messages_unless_asked_for(self, node: LocalNode, pid: Pid) -> None:
        facts = information(node, pid, None)
        assert facts is not None
        asked_for = {"messages", "message_queue_bytes", "current_stacktrace"}
        assert list(facts) == [key for key in KEYS if key not in asked_for]

    def test_facts_are_in_the_order_asked(self, node: LocalNode, pid: Pid) -> None:
        facts = information(node, pid, ["status", "kind", "messages"])
        assert facts is not None
        assert list(facts) == ["status", "kind", "messages"]

    def test_unknown_key_is_refused_with_the_known_ones(self, node: LocalNode, pid: Pid) -> None:
        with pytest.raises(ValueError, match="unknown key 'colour'; the known ones are registered_name, "):
            information(node, pid, ["status", "colour"])
        with pytest.raises(ValueError, match="unknown key"):
            check_keys(["colour"])

    def test_dead_process_has_no_facts(self, node: LocalNode) -> None:
        assert information(node, Pid(4711), None) is None


class TestFacts:
    def test_facts_of_a_fresh_process(self, node: LocalNode, pid: Pid) -> None:
        assert information(node, pid, [*KEYS]) == {
            "registered_name": None,
            "initial_call": (__name__, "waits", 0),
            "current_function": (__name__, "waits", waits.__code__.co_firstlineno + 1),
            "current_stacktrace": [(__name__, "waits", waits.__code__.co_firstlineno + 1)],
            "status": "waiting",
            "message_queue_len": 0,
            "message_queue_bytes": 0,
            "messages": [],
            "links": [],
            "monitors": [],
            "monitored_by": [],
            "dictionary": {},
            "trap_exit": False,
            "group_leader": Pid(0),
            "kind": "def",
            "undecodable": 0,
        }

    def test_initial_call_is_known_before_its_payload_is_decoded(self, node: LocalNode) -> None:
        def started_with(payload: Payload) -> Any:
            process, _ = in_kernel(
                node, partial(node.kernel.process_signals.process_started, "spawn", initial_call=payload)
            )
            return fact(node, process.pid, "initial_call")

        limit = node.max_message_bytes
        assert started_with(encoded_call("stock", "handle", [[], 1], limit)) == ("stock", "handle", 2)
        for hostile in (encoded("x", limit), encoded(("a", "b", 5), limit), Payload(b"\xc1")):
            assert started_with(hostile) == ("", "", 0)

    def test_messages_are_shown_decoded_and_stay(self, node: LocalNode, pid: Pid) -> None:
        node.sending.send(pid, "flat")
        node.sending.send(pid, ["sealed"])
        for _ in range(2):
            assert fact(node, pid, "messages") == ["flat", ["sealed"]]
        assert fact(node, pid, "message_queue_len") == 2

    def test_name_links_monitors_dictionary_and_trap_exit(self, node: LocalNode) -> None:
        ready = threading.Event()
        pids: list[Pid] = []

        def body() -> None:
            Process.register(own_pid(), "stock")
            Process.flag("trap_exit", True)
            Process.put("key", ["value"])
            pids.append(spawn_link(waits))
            pids.append(spawn(waits))
            Process.monitor(pids[1])
            ready.set()
            receive("end")

        pid = Running(node, body).pid
        wait_for(ready)
        facts = information(node, pid, None)
        assert facts is not None
        assert facts["registered_name"] == "stock"
        assert facts["links"] == [pids[0]]
        assert facts["monitors"] == [pids[1]]
        assert facts["dictionary"] == {"key": ["value"]}
        assert facts["trap_exit"] is True
        assert fact(node, pids[1], "monitored_by") == [pid]

    def test_group_leader_of_a_process(self, node: LocalNode, pid: Pid) -> None:
        in_kernel(node, node.kernel.process_signals.set_leader, Pid(0), pid, Pid(9))
        assert fact(node, pid, "group_leader") == Pid(9)


class TestCurrentFunction:
    def test_current_function_is_the_innermost_frame_of_the_user(self, node: LocalNode) -> None:
        orders: queue.SimpleQueue[str] = queue.SimpleQueue()
        begun = threading.Event()

        def inner() -> None:
            begun.set()
            orders.get(timeout=HANG)

        pid = Running(node, lambda: inner()).pid
        wait_for(begun)
        module, name, line = fact(node, pid, "current_function")
        assert (module, name.rsplit(".", 1)[-1]) == (__name__, "inner")
        assert line > inner.__code__.co_firstlineno
        assert fact(node, pid, "status") == "running"
        orders.put("end")

    def test_current_function_may_be_of_the_standard_library(self, node: LocalNode) -> None:
        event = threading.Event()
        pid = Running(node, event.wait).pid
        until(lambda: fact(node, pid, "current_function")[1] == "Condition.wait")
        event.set()

    def test_current_function_of_a_builtin_is_its_name(self, node: LocalNode) -> None:
        pid, _ = node.processes.spawn(receive, ())
        asleep(node, pid)
        assert fact(node, pid, "current_function") == ("pyx.primitives", "receive", 0)

    def test_current_function_of_a_task_is_the_innermost_coroutine(self, node: LocalNode) -> None:
        async def inner() -> None:
            await aio.receive()

        async def outer() -> None:
            await inner()

        pid = asleep(node, node.processes.spawn(outer, ())[0])
        module, name, _ = fact(node, pid, "current_function")
        assert (module, name.rsplit(".", 1)[-1]) == (__name__, "inner")
        assert fact(node, pid, "kind") == "async def"
        assert fact(node, pid, "status") == "waiting"

    def test_current_function_of_a_task_in_a_wait_of_asyncio(self, node: LocalNode) -> None:
        async def outer() -> None:
            await asyncio.sleep(3600)

        pid, _ = node.processes.spawn(outer, ())
        until(lambda: (fact(node, pid, "current_function") or [""])[0] == "asyncio.tasks")

    def test_status_is_waiting_in_each_wait_of_pyx(self, node: LocalNode) -> None:
        pid, _ = node.processes.spawn(lambda: Process.sleep(None), ())
        asleep(node, pid)
        assert fact(node, pid, "status") == "waiting"

    def test_current_function_of_a_shell_is_none(self, node: LocalNode) -> None:
        class Silent:
            def write(self, text: str, *, frm: Pid) -> None: ...

        from pyx.execution.context import current

        before = current.get()
        shell = ShellProcess(node, Silent(), ("here", "test", 0))
        current.set(before)
        assert fact(node, shell.pid, "current_function") is None
        assert fact(node, shell.pid, "kind") == "shell"
        in_kernel(node, node.kernel.process_signals.process_exited, shell.runner.process, "normal")

    def test_current_function_of_a_process_without_a_runner_is_none(self, node: LocalNode) -> None:
        process, _ = in_kernel(node, node.kernel.process_signals.process_started, "spawn")
        assert fact(node, process.pid, "current_function") is None
        assert fact(node, process.pid, "status") == "running"


def test_process_may_ask_about_itself(node: LocalNode) -> None:
    def body() -> Any:
        return fact(node, own_pid(), "current_function")

    module, name, _ = as_process(node, body)
    assert (module, name) == (__name__, "fact")


def test_info_of_a_process_of_another_node(nodes: LocalNodes) -> None:
    a = nodes.start("a")
    pid, _ = a.processes.spawn(waits, ())
    assert information(a, Pid(pid.number, node="a@test", creation=a.kernel.tables.creation), ["kind"]) == {
        "kind": "def"
    }
    assert information(a, Pid(pid.number, node="a@test", creation=a.kernel.tables.creation + 1), None) is None
