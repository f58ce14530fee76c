"""rpc.py, rpc_broadcasts.py: `rpc`: values and failures, casts, futures; what time-outs and losses leave."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    EncodeError,
    Node,
    RemoteError,
    RpcNoConnection,
    RpcRefused,
    RpcTimeout,
    RpcUndefined,
    WouldBlock,
    aio,
    receive,
    rpc,
    send,
)
from pyx import self as own_pid
from pyx.primitives import drain
from pyx.runtime import start_stop
from pyx.terms import Pid
from tests.local_nodes import HANG, LocalNodes, Running, as_process, in_kernel, start_node, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode


def total(stock: list[dict[str, int]]) -> int:
    return sum(product["qty"] for product in stock)


def priced(amount: int, *, currency: str) -> str:
    return f"{amount} {currency}"


def divided(number: int) -> float:
    return 1 / number


def own_name_and(number: int) -> tuple[str, int]:
    return Node.self(), number


@pytest.fixture
def two(both_ways: bool, nodes: LocalNodes) -> tuple[LocalNode, LocalNode]:
    return nodes.start("a"), nodes.start("b")


class TestCall:
    def test_call_by_names_by_module_and_by_function(self, two: tuple[LocalNode, LocalNode]) -> None:
        stock = [{"qty": 30}, {"qty": 35}]
        assert rpc.call("b", __name__, "total", [stock]) == 65
        assert rpc.call("b@test", total, stock) == 65
        assert rpc.call("b", os, "getpid") == os.getpid()
        assert rpc.call("b", "os.path", "join", ("a", "b")) == "a/b"
        assert rpc.call("b", "builtins", "str.upper", ["abc"]) == "ABC"

    def test_call_of_this_node_with_and_without_a_name(self, nodes: LocalNodes) -> None:
        a = nodes.make()
        assert rpc.call("nonode@nohost", "os", "getpid") == os.getpid()
        nodes.start("b")
        with pytest.raises(RpcNoConnection, match="this Python is not a node"):
            rpc.call("b@test", "os", "getpid")
        start_node(a, "a@test")
        assert rpc.call("a", "Node", "self") == "a@test"

    def test_failures_have_exceptions_of_their_own(self, two: tuple[LocalNode, LocalNode]) -> None:
        with pytest.raises(RpcUndefined, match="b@test has no function nope in module os"):
            rpc.call("b", "os", "nope")
        with pytest.raises(RpcUndefined, match="b@test has no module nope"):
            rpc.call("b", "nope", "f")
        with pytest.raises(RpcNoConnection, match="no connection to nobody@test: no node of that name"):
            rpc.call("nobody", "os", "getpid")
        with pytest.raises(RemoteError, match="KeyError: 'qty'") as failed:
            rpc.call("b", total, stock=[{}])
        assert "test_rpc.py" in failed.value.traceback
        assert "pyx/runtime" not in failed.value.traceback

    def test_keyword_arguments_reach_the_function(self, two: tuple[LocalNode, LocalNode]) -> None:
        assert rpc.call("b", priced, 2, currency="EUR") == "2 EUR"
        assert rpc.call("b", __name__, "priced", [2], kwargs={"currency": "EUR"}) == "2 EUR"
        assert rpc.async_call("b", priced, 2, currency="EUR").result(HANG) == "2 EUR"
        assert rpc.multicall(["a", "b"], priced, 2, currency="EUR") == (["2 EUR", "2 EUR"], [])

    def test_options_come_before_a_function(self, two: tuple[LocalNode, LocalNode]) -> None:
        assert rpc.within(HANG).call("b", priced, 2, currency="EUR") == "2 EUR"
        with pytest.raises(RpcTimeout, match=r"within 0\.01 s"):
            rpc.within(0.01).call("b", receive)
        assert rpc.within(0.01).multicall(["b"], receive) == ([], ["b@test"])
        with pytest.raises(ValueError, match="timeout is a number of seconds"):
            rpc.within(-1)

    def test_wrong_argument_is_refused_at_the_caller(self, two: tuple[LocalNode, LocalNode]) -> None:
        with pytest.raises(EncodeError, match=r"cannot send args\[0\]"):
            rpc.call("b", "os", "getpid", [threading.Lock()])
        with pytest.raises(TypeError, match=r"rpc\.call takes a function and its arguments, or"):
            rpc.call("b", "os")  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="timeout is a number of seconds"):
            rpc.call("b", "os", "getpid", timeout=-1)

    def test_value_of_any_type_is_returned(self, two: tuple[LocalNode, LocalNode]) -> None:
        value = {"pid": Pid(7), "bytes": b"\0", "nested": [(1, 2.5), {None: True}], "big": 2**70}
        echoed = rpc.call("b", "operator", "getitem", [[value], 0])
        assert echoed == value

    def test_late_answer_after_a_time_out_is_dropped(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two

        def body() -> Any:
            with pytest.raises(RpcTimeout, match=r"no answer from b@test within 0\.01 s") as late:
                rpc.call("b", "pyx", "receive", timeout=0.01)
            assert isinstance(late.value, TimeoutError)
            until(lambda: bool(b.kernel.tables.processes.all()))
            running = b.kernel.tables.processes.all()[0].pid  # it goes on there
            b.sending.send(running, "too late")
            until(lambda: not b.kernel.tables.processes.all())
            return rpc.call("b", "os", "getpid"), drain()

        assert as_process(a, body) == (os.getpid(), [])
        assert a.kernel.pending == {}

    def test_node_lost_during_the_call_raises_no_connection(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        calling = Running(a, lambda: rpc.call("b", "pyx", "receive"))
        until(lambda: bool(b.kernel.tables.processes.all()))
        start_stop.stop(b)
        with pytest.raises(RpcNoConnection) as lost:
            calling.outcome()
        assert isinstance(lost.value, ConnectionError)

    def test_ctrl_c_ends_the_wait_and_abandons_the_call(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        main = threading.main_thread().ident
        assert main == threading.get_ident()

        def interrupt() -> None:
            until(lambda: any(process.waiting for process in b.kernel.tables.processes.all()))
            signal.pthread_kill(main, signal.SIGINT)

        interrupter = threading.Thread(target=interrupt)
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            rpc.call("b", "pyx", "receive")
        interrupter.join(HANG)
        assert a.kernel.pending == {}
        (running,) = b.kernel.tables.processes.all()  # it goes on there
        b.sending.send(running.pid, "too late")
        until(lambda: not b.kernel.tables.processes.all())
        assert rpc.call("b", "os", "getpid") == os.getpid()

    def test_call_forbidden_by_the_rpc_policy_is_refused(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        nodes.start("b", rpc="off")
        with pytest.raises(RpcRefused, match=r"--rpc off"):
            rpc.call("b", "os", "getpid")

    def test_call_on_a_running_loop_names_its_twin(self, two: tuple[LocalNode, LocalNode]) -> None:
        async def on_a_loop(call: Callable[[], Any]) -> None:
            call()

        for call, twin in (
            (lambda: rpc.call("b", "os", "getpid"), "aio.rpc.call()"),
            (lambda: rpc.multicall(None, "os", "getpid"), "aio.rpc.multicall()"),
            (lambda: rpc.pmap(None, total, []), "aio.rpc.pmap()"),
        ):
            with pytest.raises(WouldBlock) as refused:
                asyncio.run(on_a_loop(call))
            assert refused.value.twin == twin

    def test_many_calls_at_once_are_answered(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two
        callers = [
            Running(a, lambda: [rpc.call("b", "operator", "add", [1, n]) for n in range(50)])
            for _ in range(8)
        ]
        for caller in callers:
            assert caller.outcome() == list(range(1, 51))


class TestCast:
    def test_cast_returns_true_and_runs(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two

        def body() -> Any:
            assert rpc.cast("b", "pyx", "send", [own_pid(), "done"]) is True
            return receive(timeout=HANG)

        assert as_process(a, body) == "done"

    def test_cast_to_an_unreachable_node_returns_true(self, two: tuple[LocalNode, LocalNode]) -> None:
        assert rpc.cast("nobody", "os", "getpid") is True
        assert rpc.cast("b", "nope", "f") is True

    def test_cast_from_a_finalizer_runs(self, node: LocalNode) -> None:
        assert in_kernel(node, rpc.cast, "nonode@nohost", "os", "getpid") is True


class TestMulticall:
    def test_multicall_returns_results_in_order_and_unanswered_nodes(self, nodes: LocalNodes) -> None:
        for name in "abc":
            nodes.start(name)
        results, unanswered = rpc.multicall(["c", "nobody", "b"], "Node", "self")
        assert results == ["c@test", "b@test"]
        assert unanswered == ["nobody@test"]

    def test_multicall_without_nodes_is_of_all_visible_ones(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        nodes.start("b")
        nodes.start("h", hidden=True)
        rpc.call("b", "os", "getpid")
        rpc.call("h", "os", "getpid")
        assert rpc.multicall(None, "Node", "self") == (["a@test", "b@test"], [])

    def test_multicall_has_failures_among_its_results(self, two: tuple[LocalNode, LocalNode]) -> None:
        results, unanswered = rpc.multicall(["a", "b"], "operator", "truediv", [1, 0])
        assert [type(result) for result in results] == [RemoteError, RemoteError]
        assert unanswered == []

    def test_multicall_has_one_time_limit_for_all_answers(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two
        assert rpc.multicall(["b", "b"], "pyx", "receive", timeout=0.01) == ([], ["b@test", "b@test"])
        assert a.kernel.pending == {}

    def test_abcast_is_for_the_processes_of_one_name(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        servers = [Running(one, receive) for one in (a, b)]
        for node, server in zip(two, servers, strict=True):
            in_kernel(node, node.kernel.registry.register, server.pid, "stock")
        assert as_process(a, lambda: rpc.abcast(["b", "nobody", "a"], "stock", "inventory"))
        assert [server.outcome() for server in servers] == ["inventory"] * 2
        later = Running(b, receive)
        in_kernel(b, b.kernel.registry.register, later.pid, "stock")
        assert as_process(a, lambda: asyncio.run(aio.rpc.abcast(["b"], "stock", "again")))
        assert later.outcome() == "again"

    def test_eval_everywhere_runs_on_each_node(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two

        def body() -> list[Any]:
            me = own_pid()
            assert rpc.eval_everywhere(["a", "b", "nobody"], send, me, "here")
            assert rpc.eval_everywhere(["b"], "pyx", "send", [me, "here"])
            return [receive(timeout=HANG) for _ in range(3)]

        assert as_process(a, body) == ["here"] * 3

    def test_pmap_returns_values_in_the_order_of_its_items(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two
        amounts = list(range(100))
        expected = [f"{amount} EUR" for amount in amounts]
        nodes = ["b", "a", "b"]
        assert as_process(a, lambda: rpc.pmap(nodes, priced, amounts, currency="EUR")) == expected
        named = __name__, "priced"
        assert as_process(a, lambda: rpc.pmap(nodes, named, iter(amounts), currency="EUR")) == expected
        assert (
            as_process(a, lambda: asyncio.run(aio.rpc.pmap(nodes, priced, amounts, currency="EUR")))
            == expected
        )
        assert as_process(a, lambda: rpc.pmap(["b"], total, [])) == []

    def test_pmap_takes_turns(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, _ = two
        found = as_process(a, lambda: rpc.pmap(["a", "b"], own_name_and, [1, 2, 3, 4]))
        assert found == [("a@test", 1), ("b@test", 2), ("a@test", 3), ("b@test", 4)]

    def test_pmap_raises_the_first_failure_and_abandons_the_rest(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, _ = two
        with pytest.raises(RemoteError, match="ZeroDivisionError"):
            as_process(a, lambda: rpc.pmap(["b"], divided, [1, 0, 2]))
        with pytest.raises(RpcNoConnection):
            as_process(a, lambda: rpc.pmap(["b", "nobody"], divided, [1, 2, 3]))
        with pytest.raises(EncodeError):
            as_process(a, lambda: rpc.pmap(["b"], divided, [1, threading.Lock()]))  # type: ignore[call-overload]
        assert in_kernel(a, lambda: dict(a.kernel.pending)) == {}

    @pytest.mark.parametrize(
        ("where", "function", "why"),
        [
            ("b", total, "pmap takes a list of nodes, not 'b'"),
            ([], total, "pmap needs a node to run on"),
            (["b"], "os.getpid", "pmap takes a function, or"),
        ],
    )
    def test_pmap_without_nodes_or_a_function_is_refused(
        self, two: tuple[LocalNode, LocalNode], where: Any, function: Any, why: str
    ) -> None:
        with pytest.raises((TypeError, ValueError), match=why):
            rpc.pmap(where, function, [1])

    def test_multicall_without_a_list_is_refused(self, two: tuple[LocalNode, LocalNode]) -> None:
        nodes: Any
        for nodes in ("b", ..., 5):
            with pytest.raises(TypeError, match="multicall takes a list of nodes"):
                rpc.multicall(nodes, "os", "getpid")


class TestFutures:
    def test_future_brings_the_value(self, two: tuple[LocalNode, LocalNode]) -> None:
        future = rpc.async_call("b", "os", "getpid")
        assert isinstance(future, concurrent.futures.Future)
        assert future.result(HANG) == os.getpid()

    def test_future_raises_what_a_call_would(self, two: tuple[LocalNode, LocalNode]) -> None:
        with pytest.raises(RpcUndefined):
            rpc.async_call("b", "os", "nope").result(HANG)
        with pytest.raises(RpcNoConnection):
            rpc.async_call("nobody", "os", "getpid").result(HANG)

    def test_future_can_be_made_on_a_running_loop(self, two: tuple[LocalNode, LocalNode]) -> None:
        async def on_a_loop() -> Any:
            return await rpc.async_call("b", "os", "getpid")

        assert asyncio.run(on_a_loop()) == os.getpid()

    def test_cancelled_future_abandons_the_call(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        future = rpc.async_call("b", "pyx", "receive")
        until(lambda: bool(b.kernel.tables.processes.all()))
        assert future.cancel()
        assert a.kernel.pending == {}
        b.sending.send(b.kernel.tables.processes.all()[0].pid, "too late")
        until(lambda: not b.kernel.tables.processes.all())
        assert rpc.call("b", "os", "getpid") == os.getpid()

    def test_future_cancelled_as_the_answer_comes(self, two: tuple[LocalNode, LocalNode]) -> None:
        for _ in range(50):
            future = rpc.async_call("a", "os", "getpid")
            if not future.cancel():
                assert future.result(HANG) == os.getpid()
