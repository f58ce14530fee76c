"""process.py: `Process`: each function as it is meant, and as it is refused."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    NoConnection,
    Node,
    NoProcess,
    NotAProcess,
    Process,
    RegistrationError,
    WouldBlock,
    aio,
    make_ref,
    receive,
    rpc,
    send,
    spawn,
    spawn_link,
)
from pyx import self as own_pid
from pyx.errors import AlreadyReceiving
from pyx.primitives import drain
from pyx.terms import Pid, Raised
from tests.local_nodes import (
    HANG,
    Ended,
    LocalNodes,
    Running,
    as_process,
    end_of,
    in_kernel,
    seen_from,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode


def alive(node: LocalNode) -> Pid:
    """A process that waits for ever."""
    pid, _ = node.processes.spawn(lambda: receive("end"), ())
    return pid


class TestRegisteredNames:
    def test_name_is_registered_found_listed_and_unregistered(self, node: LocalNode) -> None:
        pid = alive(node)
        assert Process.register(pid, "stock") is True
        assert Process.whereis("stock") == pid
        assert Process.register(alive(node), "pos") is True
        assert Process.registered() == ["pos", "stock"]
        assert Process.unregister("stock") is True
        assert Process.whereis("stock") is None

    def test_refused_registration_names_the_rule(self, node: LocalNode) -> None:
        pid, dead = alive(node), end_of_a_process(node)
        Process.register(pid, "stock")
        for bad_pid, name, sentence in (
            (alive(node), "stock", f"the name is taken by {pid}"),
            (pid, "other", "it is registered as 'stock' already"),
            (dead, "other", "it is not alive"),
            (Pid(1, node="b@test", creation=1), "other", "it is not a process of this node"),
            (alive(node), "", "a name is a str that is not empty"),
            (alive(node), None, "a name is a str that is not empty"),
        ):
            with pytest.raises(RegistrationError, match="cannot register") as refused:
                Process.register(bad_pid, name)  # type: ignore[arg-type]
            assert sentence in str(refused.value)

    def test_unregister_of_a_free_name_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(RegistrationError, match="cannot unregister 'nobody': no process has that name"):
            Process.unregister("nobody")

    @pytest.mark.parametrize("name", [[], 5, None, b"stock"])
    def test_whereis_of_a_value_that_is_not_a_str_is_refused(self, name: Any, node: LocalNode) -> None:
        with pytest.raises(TypeError, match="a registered name, which is a str, is needed, not "):
            Process.whereis(name)

    def test_name_of_a_dead_process_is_free(self, node: LocalNode) -> None:
        def body() -> None:
            Process.register(own_pid(), "stock")

        running = Running(node, body)
        running.outcome()
        end_of(node, running.pid)
        assert Process.whereis("stock") is None

    def test_register_needs_a_pid(self, node: LocalNode) -> None:
        with pytest.raises(TypeError, match="a pid is needed, not 'stock'"):
            Process.register("stock", "stock")  # type: ignore[arg-type]


def end_of_a_process(node: LocalNode) -> Pid:
    running = Running(node, lambda: None)
    running.outcome()
    end_of(node, running.pid)
    return running.pid


class TestInformation:
    def test_list_has_all_processes_of_this_node(self, node: LocalNode) -> None:
        pids = [alive(node), alive(node)]
        assert Process.list() == pids

    def test_info_of_one_key_a_list_and_all(self, node: LocalNode) -> None:
        pid = alive(node)
        assert Process.info(pid, "trap_exit") == ("trap_exit", False)
        assert Process.info(pid, ["kind", "links"]) == {"kind": "def", "links": []}
        assert "messages" not in Process.info(pid)

    def test_info_of_a_dead_process_is_none(self, node: LocalNode) -> None:
        assert Process.info(end_of_a_process(node)) is None
        assert Process.info(end_of_a_process(node), "kind") is None

    def test_info_checks_its_keys(self, node: LocalNode) -> None:
        with pytest.raises(ValueError, match="unknown key 'colour'; the known ones are registered_name"):
            Process.info(alive(node), "colour")
        with pytest.raises(TypeError, match="a pid is needed"):
            Process.info("0.1.0")  # type: ignore[arg-type]

    def test_info_and_is_alive_of_a_remote_process(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        pid = seen_from(a, b, alive(b))
        assert Process.info(pid, "initial_call")[1][0] == __name__
        assert Process.is_alive(pid)
        assert not Process.is_alive(Pid(4711, node="b@test", creation=b.kernel.tables.creation))

    def test_info_of_an_unreachable_node_raises_and_is_alive_is_false(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        missing = Pid(1, node="nobody@test", creation=1)
        with pytest.raises(NoConnection):
            Process.info(missing)
        assert Process.is_alive(missing) is False

    def test_info_on_a_running_loop_names_its_twin(self, node: LocalNode) -> None:
        async def on_a_loop(call: Callable[[Pid], Any]) -> None:
            call(Pid(1))

        for call, twin in ((Process.info, "info"), (Process.is_alive, "is_alive")):
            with pytest.raises(WouldBlock) as refused:
                asyncio.run(on_a_loop(call))
            assert refused.value.hint == f"use `await aio.Process.{twin}()`"


class TestExits:
    @pytest.mark.parametrize(
        ("reason", "seen"), [("kill", "killed"), ("boom", "boom"), (("a", 1), ("a", 1)), (None, None)]
    )
    def test_exit_ends_another_process_with_its_reason(self, node: LocalNode, reason: Any, seen: Any) -> None:
        pid = alive(node)
        ended = Ended(node, pid)
        assert Process.exit(pid, reason) is True
        wait_for(ended)
        assert ended.reason == seen

    def test_exit_signal_normal_of_another_process_is_ignored(self, node: LocalNode) -> None:
        pid = alive(node)
        assert Process.exit(pid, "normal") is True
        assert Process.is_alive(pid)

    def test_trapping_process_receives_exit_signals_but_kill(self, node: LocalNode) -> None:
        ready = threading.Event()

        def traps() -> Any:
            Process.flag("trap_exit", True)
            ready.set()
            got = [receive(("EXIT", ..., ...), timeout=HANG) for _ in range(2)]
            receive("end")
            return got

        running = Running(node, traps)
        wait_for(ready)
        ended = Ended(node, running.pid)
        Process.exit(running.pid, "boom")
        Process.exit(running.pid, "normal")
        until(lambda: Process.info(running.pid, "message_queue_len")[1] == 0)
        Process.exit(running.pid, "kill")
        wait_for(ended)
        assert ended.reason == "killed"

    @pytest.mark.parametrize(("reason", "seen"), [("normal", "normal"), ("boom", "boom"), ("kill", "killed")])
    def test_exit_of_the_caller_ends_it_whatever_it_catches(
        self, node: LocalNode, reason: str, seen: str
    ) -> None:
        went_on: list[str] = []

        def body() -> None:
            receive("go")
            with contextlib.suppress(Exception):
                Process.exit(own_pid(), reason)
            went_on.append("further")

        pid, _ = node.processes.spawn(body, ())
        ended = Ended(node, pid)
        node.sending.send(pid, "go")
        wait_for(ended)
        assert (ended.reason, went_on) == (seen, [])

    def test_exit_of_the_caller_in_a_task_ends_the_process(self, node: LocalNode) -> None:
        async def body() -> None:
            await aio.receive("go")

            async def helper() -> None:
                Process.exit(own_pid(), "shutdown")

            await asyncio.gather(helper(), aio.sleep(HANG))

        pid, _ = node.processes.spawn(body, ())
        ended = Ended(node, pid)
        node.sending.send(pid, "go")
        wait_for(ended)
        assert ended.reason == "shutdown"

    def test_exit_of_a_trapping_caller_is_a_message(self, node: LocalNode) -> None:
        def body() -> list[Any]:
            Process.flag("trap_exit", True)
            me = own_pid()
            Process.exit(me, "normal")
            Process.exit(me, "boom")
            return [receive() == ("EXIT", me, "normal"), receive() == ("EXIT", me, "boom")]

        assert as_process(node, body) == [True, True]

    def test_kill_of_the_caller_is_not_trapped(self, node: LocalNode) -> None:
        def body() -> None:
            Process.flag("trap_exit", True)
            receive("go")
            Process.exit(own_pid(), "kill")

        pid, _ = node.processes.spawn(body, ())
        ended = Ended(node, pid)
        node.sending.send(pid, "go")
        wait_for(ended)
        assert ended.reason == "killed"

    def test_exit_of_a_dead_process_is_true(self, node: LocalNode) -> None:
        assert Process.exit(Pid(4711), "kill") is True

    def test_exit_reason_that_is_not_data_becomes_an_encode_error(self, node: LocalNode) -> None:
        pid = alive(node)
        ended = Ended(node, pid)
        Process.exit(pid, object())
        wait_for(ended)
        assert isinstance(ended.reason, Raised)
        assert ended.reason.type == "EncodeError"

    def test_exit_needs_a_pid(self, node: LocalNode) -> None:
        with pytest.raises(TypeError, match="a pid is needed"):
            Process.exit("stock", "kill")  # type: ignore[arg-type]

    def test_flag_sets_and_returns_the_old_value(self, node: LocalNode) -> None:
        def body() -> Any:
            return [Process.flag("trap_exit", True), Process.flag("trap_exit", False)]

        assert as_process(node, body) == [False, True]
        with pytest.raises(ValueError, match="unknown flag 'priority'"):
            as_process(node, lambda: Process.flag("priority", True))
        with pytest.raises(NotAProcess):
            Process.flag("trap_exit", True)


class TestLinks:
    def test_link_and_unlink(self, node: LocalNode) -> None:
        def body() -> Any:
            pid = spawn(lambda: receive("end"))
            Process.link(pid)
            Process.link(pid)  # links do not stack
            linked = Process.info(own_pid(), "links")
            Process.unlink(pid)
            Process.exit(pid, "boom")
            return linked == ("links", [pid]), Process.info(own_pid(), "links")

        assert as_process(node, body) == (True, ("links", []))

    def test_link_to_the_caller_changes_nothing(self, node: LocalNode) -> None:
        assert as_process(node, lambda: Process.link(own_pid()))

    def test_link_to_a_dead_process_raises_or_is_a_message(self, node: LocalNode) -> None:
        dead = end_of_a_process(node)
        with pytest.raises(NoProcess):
            as_process(node, lambda: Process.link(dead))

        def traps() -> Any:
            Process.flag("trap_exit", True)
            return Process.link(dead), receive(timeout=0)

        assert as_process(node, traps) == (True, ("EXIT", dead, "noproc"))

    def test_link_to_an_unreachable_node_is_noconnection(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        missing = Pid(1, node="nobody@test", creation=1)

        def traps() -> Any:
            Process.flag("trap_exit", True)
            Process.link(missing)
            return receive(timeout=HANG)

        assert as_process(a, traps) == ("EXIT", missing, "noconnection")

    def test_normal_end_does_not_end_linked_processes(self, node: LocalNode) -> None:
        def body() -> str:
            pid = spawn_link(lambda: receive("end"))
            ref = Process.monitor(pid)
            send(pid, "end")
            receive(("DOWN", ref, ..., ..., "normal"), timeout=HANG)
            return "survived"

        assert as_process(node, body) == "survived"


class TestMonitors:
    def test_each_monitor_fires_once(self, node: LocalNode) -> None:
        def body() -> Any:
            pid = spawn(lambda: receive("end"))
            refs = [Process.monitor(pid), Process.monitor(pid)]
            Process.exit(pid, "boom")
            downs = [receive(("DOWN", ref, "process", pid, "boom"), timeout=HANG) for ref in refs]
            return len(downs), drain()

        assert as_process(node, body) == (2, [])

    def test_monitor_of_a_dead_process_fires_at_once(self, node: LocalNode) -> None:
        """The message comes in the kernel call that makes the reference."""
        dead = end_of_a_process(node)

        def body() -> Any:
            send(own_pid(), "noise")
            ref = Process.monitor(dead)
            return receive(("DOWN", ref, "process", dead, ...), timeout=HANG)[4]

        assert as_process(node, body) == "noproc"

    def test_monitor_of_a_name_and_of_a_name_on_a_node(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        Process.register(alive(a), "stock")
        in_kernel(b, b.kernel.registry.register, alive(b), "stock")

        def body() -> Any:
            refs = [Process.monitor("stock"), Process.monitor(("stock", "b"))]
            Process.exit(a.kernel.registry.whereis("stock") or Pid(0), "boom")
            rpc.cast(
                "b",
                "Process",
                "exit",
                [seen_from(a, b, b.kernel.registry.whereis("stock") or Pid(0)), "bang"],
            )
            return [receive(("DOWN", ref, ..., ..., ...), timeout=HANG)[2:] for ref in refs]

        assert as_process(a, body) == [
            ("process", ("stock", "a@test"), "boom"),
            ("process", ("stock", "b@test"), "bang"),
        ]

    def test_removed_monitor_does_not_fire(self, node: LocalNode) -> None:
        def body() -> Any:
            pid = spawn(lambda: receive("end"))
            ref = Process.monitor(pid)
            there = Process.demonitor(ref), Process.demonitor(ref)
            watching = Process.monitor(pid)
            Process.exit(pid, "kill")
            receive(("DOWN", watching, ..., ..., ...), timeout=HANG)
            return there, drain()

        assert as_process(node, body) == ((True, False), [])

    def test_demonitor_with_flush_removes_the_message(self, node: LocalNode) -> None:
        dead = end_of_a_process(node)

        def body() -> Any:
            send(own_pid(), "kept")
            kept, flushed = Process.monitor(dead), Process.monitor(dead)
            assert Process.demonitor(kept) is False
            assert Process.demonitor(flushed, flush=True) is False
            return [message if message == "kept" else message[1] == kept for message in drain()]

        assert as_process(node, body) == ["kept", True]

    def test_demonitor_with_flush_in_a_predicate_is_refused(self, node: LocalNode) -> None:
        def body() -> None:
            send(own_pid(), "x")
            receive(lambda _: Process.demonitor(make_ref(), flush=True))

        with pytest.raises(AlreadyReceiving):
            as_process(node, body)

    def test_monitor_of_a_reference_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(TypeError, match=r"a monitor watches a pid, a name or \(name, node\)"):
            as_process(node, lambda: Process.monitor(make_ref()))  # type: ignore[arg-type]

    def test_links_and_monitors_need_a_process(self, node: LocalNode) -> None:
        for call in (
            lambda: Process.monitor(Pid(1)),
            lambda: Process.demonitor(make_ref()),
            lambda: Process.link(Pid(1)),
            lambda: Process.unlink(Pid(1)),
            Process.alias,
            lambda: Process.unalias(make_ref()),
            lambda: Process.put("key", 1),
            lambda: Process.get("key"),
        ):
            with pytest.raises(NotAProcess):
                call()


class TestAliases:
    def test_late_reply_to_a_removed_alias_is_dropped(self, node: LocalNode) -> None:
        def body() -> Any:
            alias = Process.alias()
            send(alias, ("reply", alias, 1))
            first = receive(("reply", alias, ...), timeout=HANG)[2]
            taken_back = Process.unalias(alias), Process.unalias(alias)
            send(alias, ("reply", alias, 2))
            return first, taken_back, drain()

        assert as_process(node, body) == (1, (True, False), [])

    def test_alias_of_a_monitor_is_for_one_reply_or_one_down(self, node: LocalNode) -> None:
        def replies() -> None:
            for _ in range(2):
                to = receive()
                send(to, ("reply", 1))
                send(to, ("reply", 2))

        def body() -> Any:
            server = spawn(replies)
            ref = Process.monitor(server, alias="reply_demonitor")
            send(server, ref)
            first = receive(timeout=HANG)
            other = Process.monitor(server, alias="reply_demonitor")
            pid = spawn(lambda: receive("never"))
            down = Process.monitor(pid, alias="reply_demonitor")
            Process.exit(pid, "kill")
            second = receive(timeout=HANG)
            send(down, "late")
            send(server, other)
            third = receive(timeout=HANG)
            watched = Process.monitor(server)
            receive(("DOWN", watched, ..., ..., ...), timeout=HANG)
            return first, second[1] == down, third, drain(), Process.demonitor(ref), Process.unalias(ref)

        assert as_process(node, body) == (("reply", 1), True, ("reply", 1), [], False, False)

    def test_alias_of_a_monitor_that_outlives_replies(self, node: LocalNode) -> None:
        def body() -> Any:
            server = spawn(lambda: receive("never"))
            until_removed = Process.monitor(server, alias="demonitor")
            kept = Process.monitor(server, alias="explicit_unalias")
            for ref in (until_removed, kept, until_removed, kept):
                send(ref, "x")
            seen = len(drain()), Process.demonitor(until_removed), Process.demonitor(kept)
            for ref in (until_removed, kept):
                send(ref, "y")
            return *seen, drain(), Process.unalias(kept)

        assert as_process(node, body) == (4, True, True, ["y"], True)

    def test_alias_of_a_monitor_is_one_of_three_kinds(self, node: LocalNode) -> None:
        with pytest.raises(ValueError, match="alias is 'explicit_unalias', 'demonitor', 'reply_dem"):
            as_process(node, lambda: Process.monitor(own_pid(), alias="reply"))  # type: ignore[arg-type]


class TestDictionary:
    def test_put_and_get_keep_any_value_for_the_process(self, node: LocalNode) -> None:
        def body() -> Any:
            lock = threading.Lock()
            return [
                Process.put("key", lock),
                Process.put("key", 2) is lock,
                Process.get("key"),
                Process.get("none"),
                Process.get("none", "default"),
            ]

        assert as_process(node, body) == [None, True, 2, None, "default"]
        assert as_process(node, lambda: Process.get("key")) is None

    def test_dictionary_is_listed_searched_and_deleted_from(self, node: LocalNode) -> None:
        def body() -> tuple[Any, ...]:
            for key, value in (("a", 1), ("b", 2), ("c", 1)):
                Process.put(key, value)
            whole = Process.get()
            whole["d"] = 4  # a copy
            deleted = Process.delete("b"), Process.delete("b")
            return Process.get_keys(), Process.get_keys(1), Process.get_keys(9), deleted, Process.get()

        found = as_process(node, body)
        assert found == (["a", "c"], ["a", "c"], [], (2, None), {"a": 1, "c": 1})


class TestSend:
    def test_send_says_whether_the_message_was_sent(self, nodes: LocalNodes) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        there = ("nothing", "b@test")
        assert as_process(a, lambda: Process.send(there, "x", noconnect=True)) == "noconnect"
        assert as_process(a, lambda: asyncio.run(aio.Process.send(there, "x", noconnect=True))) == "noconnect"
        assert as_process(a, lambda: Node.list("connected")) == []
        assert as_process(a, lambda: Node.connect("b")) is True
        assert as_process(a, lambda: Process.send(there, "x", noconnect=True)) == "ok"
        assert as_process(a, lambda: asyncio.run(aio.Process.send(there, "x", noconnect=True))) == "ok"

    def test_send_to_oneself_needs_no_connection(self, node: LocalNode) -> None:
        def body() -> tuple[str, Any]:
            return Process.send(own_pid(), "hello", noconnect=True, nosuspend=True), receive(timeout=HANG)

        assert as_process(node, body) == ("ok", "hello")


class TestTime:
    def test_send_after_sends_later(self, node: LocalNode) -> None:
        running = Running(node, lambda: receive(timeout=HANG))
        ref = Process.send_after(running.pid, ["later"], 0.001)
        assert running.outcome() == ["later"]
        assert Process.cancel_timer(ref) is False

    def test_cancelled_timer_sends_nothing(self, node: LocalNode) -> None:
        ref = Process.send_after("nobody", "never", 3600)
        left = Process.cancel_timer(ref)
        assert 3500 < left <= 3600

    @pytest.mark.parametrize("seconds", [None, 0, 0.0005, float("inf"), float("nan"), "1", -1])
    def test_interval_is_a_millisecond_or_more(self, seconds: Any, node: LocalNode) -> None:
        with pytest.raises((ValueError, TypeError), match="number of seconds"):
            Process.send_interval(Pid(1), "tick", seconds)

    def test_send_after_checks_its_arguments(self, node: LocalNode) -> None:
        for seconds in (None, "1", -1):
            with pytest.raises((TypeError, ValueError), match="seconds is a number"):
                Process.send_after(Pid(1), "x", seconds)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a destination is"):
            Process.send_after(42, "x", 1)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="cannot send message"):
            Process.send_after(Pid(1), object(), 1)

    def test_sleep_blocks_for_the_time(self, node: LocalNode) -> None:
        Process.sleep(0)
        as_process(node, lambda: Process.sleep(0.001))
        with pytest.raises(ValueError, match="seconds is a number"):
            Process.sleep(-1)

    def test_messages_do_not_end_a_sleep(self, node: LocalNode) -> None:
        def body() -> Any:
            send(own_pid(), "early")
            Process.sleep(0.001)
            return drain()

        assert as_process(node, body) == ["early"]

    def test_sleep_on_a_running_loop_names_its_twin(self, node: LocalNode) -> None:
        async def on_a_loop() -> None:
            Process.sleep(0)

        with pytest.raises(WouldBlock, match=r"Process.sleep\(\) would block"):
            asyncio.run(on_a_loop())


class TestGroupLeader:
    def test_group_leader_of_a_process_is_the_node(self, node: LocalNode) -> None:
        assert Process.group_leader() == Pid(0)
        assert as_process(node, Process.group_leader) == Pid(0)

    def test_group_leader_can_be_set(self, node: LocalNode) -> None:
        pid = alive(node)

        def body() -> Any:
            return Process.group_leader(own_pid(), pid), Process.group_leader() == pid

        assert as_process(node, body) == (True, True)

    def test_group_leader_with_one_argument_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(TypeError, match="takes no argument, or a pid and its new leader"):
            Process.group_leader(Pid(1))
        with pytest.raises(TypeError, match="a pid is needed"):
            Process.group_leader(Pid(1), "stock")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Process.demonitor(5),  # type: ignore[arg-type]
        lambda: Process.unalias(5),  # type: ignore[arg-type]
        lambda: Process.cancel_timer(5),  # type: ignore[arg-type]
        lambda: Process.flag("trap_exit", "off"),
        lambda: Node.monitor_nodes("off"),  # type: ignore[arg-type]
        lambda: Node.monitor("b", "off"),  # type: ignore[arg-type]
    ],
)
def test_wrong_argument_is_refused(wrong: Callable[[], Any], nodes: LocalNodes) -> None:
    with pytest.raises(TypeError, match="is needed, not "):
        as_process(nodes.start("a"), wrong)
