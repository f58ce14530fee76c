"""primitives.py: self, spawn, send, receive, make_ref, flush, as a user types them."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    EncodeError,
    NoProcess,
    NotAProcess,
    Process,
    ReceiveTimeout,
    WouldBlock,
    flush,
    make_ref,
    receive,
    send,
    spawn,
    spawn_link,
    spawn_monitor,
)
from pyx import self as own_pid
from pyx.errors import NodeNameInvalid
from pyx.primitives import drain
from pyx.terms import Pid
from tests.local_nodes import HANG, LocalNodes, Running, as_process, until

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


class TestSelf:
    def test_self_is_the_pid_that_spawn_returned(self, node: LocalNode) -> None:
        def body() -> bool:
            child = spawn(lambda to: send(to, own_pid()), own_pid())
            return receive(timeout=HANG) == child  # type: ignore[no-any-return]

        assert as_process(node, body)

    def test_self_outside_a_process_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(NotAProcess, match=r"self\(\) needs a process"):
            own_pid()


def reports(to: Pid, stock: list[int], *, number: int) -> None:
    stock.append(number)
    send(to, (number, stock))


class TestSpawn:
    @pytest.mark.parametrize("module", [os.path, "os.path"])
    def test_spawn_by_module_and_name(self, node: LocalNode, module: Any) -> None:
        def body() -> Any:
            pid, ref = spawn_monitor(module, "join", ["a", "b"])
            return receive(("DOWN", ref, "process", pid, ...), timeout=HANG)[4]

        assert as_process(node, body) == "normal"

    def test_spawn_of_a_function_with_arguments(self, node: LocalNode) -> None:
        def adds(to: Pid, *numbers: int) -> None:
            send(to, sum(numbers))

        assert as_process(node, lambda: (spawn(adds, own_pid(), 1, 2, 3), receive(timeout=HANG))[1]) == 6

    def test_keyword_arguments_reach_the_function_as_copies(self, node: LocalNode) -> None:
        def body() -> Any:
            stock: list[int] = []
            spawn(reports, own_pid(), stock, number=1)
            spawn_link(__name__, "reports", [own_pid(), stock], kwargs={"number": 2})
            pid, _ = spawn_monitor(reports, to=own_pid(), stock=stock, number=3)
            received = [receive((int, [...]), timeout=HANG) for _ in range(3)]
            assert receive(("DOWN", ..., "process", pid, ...), timeout=HANG)[4] == "normal"
            return sorted(received), stock

        assert as_process(node, body) == ([(1, [1]), (2, [2]), (3, [3])], [])

    def test_keyword_argument_that_is_not_data_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"cannot send kwargs\['stock'\]: <unlocked _thread.lock"):
            spawn(reports, Pid(0), stock=threading.Lock(), number=1)  # type: ignore[arg-type]

    def test_spawn_from_a_thread_that_is_not_a_process(self, node: LocalNode) -> None:
        assert isinstance(spawn(receive), Pid)

    @pytest.mark.parametrize("what", [42, None, ["f"]])
    def test_spawn_of_a_value_that_is_not_callable_is_refused(self, node: LocalNode, what: Any) -> None:
        with pytest.raises(TypeError, match="spawn takes a function and its arguments, or"):
            spawn(what)

    def test_spawn_of_an_incomplete_call_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(TypeError, match="spawn takes a function and its arguments, or"):
            spawn("os")  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="its arguments come as one list, not as 1, 2"):
            spawn("os", "getpid", 1, 2)  # type: ignore[call-overload]

    def test_spawn_with_an_argument_that_is_not_data_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"cannot send args\[1\]: <unlocked _thread.lock"):
            spawn(receive, 1, threading.Lock())

    def test_spawn_link_links_parent_and_child(self, node: LocalNode) -> None:
        def parent() -> Any:
            Process.flag("trap_exit", True)
            pid = spawn_link(lambda: [][0])
            return receive(("EXIT", pid, ...), timeout=HANG)[2]

        assert as_process(node, parent).type == "IndexError"

    def test_spawn_link_and_spawn_monitor_need_a_process(self, node: LocalNode) -> None:
        with pytest.raises(NotAProcess, match=r"spawn_link\(\) needs a process"):
            spawn_link(receive)
        with pytest.raises(NotAProcess, match=r"spawn_monitor\(\) needs a process"):
            spawn_monitor(receive)


class TestSend:
    @pytest.mark.parametrize("message", [None, 1, "x", ("add", [1]), {"name": "nike"}])
    def test_send_returns_the_message(self, node: LocalNode, message: Any) -> None:
        assert send(spawn(receive), message) is message

    def test_send_to_a_registered_name(self, node: LocalNode) -> None:
        def body() -> Any:
            Process.register(own_pid(), "stock")
            send("stock", "by name")
            send(("stock", "nonode@nohost"), "by name and node")
            return [receive(timeout=HANG), receive(timeout=HANG)]

        assert as_process(node, body) == ["by name", "by name and node"]

    def test_send_to_an_unregistered_name_raises(self, node: LocalNode) -> None:
        """Every other loss is silent, as in IEx."""
        with pytest.raises(NoProcess, match="no process is registered as 'nobody' on this node") as refused:
            send("nobody", 1)
        assert refused.value.name == "nobody"
        assert isinstance(refused.value, LookupError)

    @pytest.mark.parametrize(
        "dest",
        [
            ("nobody", "nonode@nohost"),
            ("nobody", "elsewhere@test"),
            Pid(4711),
            Pid(1, node="elsewhere@test", creation=1),
        ],
    )
    def test_send_to_a_missing_process_is_silent(self, node: LocalNode, dest: Any) -> None:
        assert send(dest, "x") == "x"

    @pytest.mark.parametrize("dest", [("stock", "a@test"), ("stock", "a")])
    def test_send_to_a_name_at_this_nodes_own_name(self, nodes: LocalNodes, dest: Any) -> None:
        a = nodes.start("a")
        running = Running(a, lambda: (Process.register(own_pid(), "stock"), receive(timeout=HANG))[1])
        until(lambda: Process.whereis("stock") is not None)
        send(dest, "hello")
        assert running.outcome() == "hello"

    @pytest.mark.parametrize("dest", [None, 1, ("a",), ("a", 1), b"stock"])
    def test_send_to_something_else_is_refused(self, node: LocalNode, dest: Any) -> None:
        with pytest.raises(TypeError, match="a destination is"):
            send(dest, 1)

    def test_send_to_an_invalid_node_name_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(NodeNameInvalid):
            send(("stock", "no good"), 1)

    def test_send_of_something_not_data_names_its_path(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"cannot send message\[1\]\['lock'\]: <unlocked _thread.lock"):
            send(Pid(1), ("add", {"lock": threading.Lock()}))

    def test_send_gives_the_receiver_its_own_copy(self, node: LocalNode) -> None:
        def body() -> bool:
            product = {"name": "nike"}
            send(own_pid(), product)
            product["name"] = "changed"
            got = receive(timeout=HANG)
            return got == {"name": "nike"} and got is not product

        assert as_process(node, body)

    def test_send_to_an_alias_works_until_unalias(self, node: LocalNode) -> None:
        def body() -> Any:
            alias = Process.alias()
            send(alias, "in time")
            Process.unalias(alias)
            send(alias, "too late")
            return drain()

        assert as_process(node, body) == ["in time"]

    def test_send_on_a_running_loop_is_allowed(self, node: LocalNode) -> None:
        async def on_a_loop() -> Any:
            return send(Pid(4711), "x")

        assert asyncio.run(on_a_loop()) == "x"


class TestReceive:
    def test_receive_outside_a_process_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(NotAProcess, match=r"receive\(\) needs a process"):
            receive()

    def test_receive_on_a_running_loop_names_its_twin(self, node: LocalNode) -> None:
        async def on_a_loop() -> Any:
            return receive()

        with pytest.raises(WouldBlock, match=r"receive\(\) would block the running event loop"):
            as_process(node, lambda: asyncio.run(on_a_loop()))

    @pytest.mark.parametrize(
        ("timeout", "error"),
        [("1", TypeError), (True, TypeError), (-1, ValueError), (float("nan"), ValueError)],
    )
    def test_receive_timeout_is_checked(self, node: LocalNode, timeout: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match="timeout is a number of seconds"):
            as_process(node, lambda: receive(timeout=timeout))

    def test_receive_without_a_message_in_time_raises(self, node: LocalNode) -> None:
        with pytest.raises(ReceiveTimeout, match=r"no matching message within 0\.001 s"):
            as_process(node, lambda: receive("never", timeout=0.001))

    def test_receive_with_an_infinite_timeout_returns_a_message(self, node: LocalNode) -> None:
        running = Running(node, lambda: receive(timeout=float("inf")))
        send(running.pid, "at last")
        assert running.outcome() == "at last"


class TestReferences:
    def test_make_ref_returns_unique_references(self, node: LocalNode) -> None:
        refs = {make_ref() for _ in range(100)}
        assert len(refs) == 100

    def test_receive_by_ref_skips_older_messages(self, node: LocalNode) -> None:
        def body() -> Any:
            for number in range(1000):
                send(own_pid(), ("noise", number))
            ref = make_ref()
            send(own_pid(), ("reply", ref, 42))
            looked_at: list[Any] = []
            answer = receive(("reply", ref, lambda value: looked_at.append(value) or True))
            return answer[2], looked_at

        assert as_process(node, body) == (42, [42])


def test_flush_outside_a_process_is_refused(node: LocalNode) -> None:
    with pytest.raises(NotAProcess, match=r"flush\(\) needs a process"):
        drain()


def test_flush_prints_and_drops_messages(node: LocalNode, capsys: pytest.CaptureFixture[str]) -> None:
    def body() -> Any:
        for message in ("first", ("second", 2)):
            send(own_pid(), message)
        flush()
        flush()
        return drain()

    assert as_process(node, body) == []
    assert capsys.readouterr().out == "'first'\n('second', 2)\n"


def test_messages_between_two_processes_keep_their_order(node: LocalNode) -> None:
    def talks(to: Pid, name: str) -> None:
        for number in range(500):
            send(to, (name, number))

    def listens() -> dict[str, list[int]]:
        heard: dict[str, list[int]] = {"a": [], "b": []}
        for name in heard:
            spawn(talks, own_pid(), name)
        for _ in range(1000):
            name, number = receive(timeout=HANG)
            heard[name].append(number)
        return heard

    assert as_process(node, listens) == {"a": list(range(500)), "b": list(range(500))}
