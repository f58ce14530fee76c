"""agent.py, agent_server.py, awaitable_agents.py: Agents, here and on other nodes.

Labels as A1 name behaviours of Elixir's Agent that were observed there.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    Agent,
    CallExited,
    CallNoConnection,
    CallNoProcess,
    CallRefused,
    CallTimeout,
    CallUndefined,
    EncodeError,
    GenServer,
    Process,
    Raised,
    ServerAlreadyStarted,
    StartFailed,
    Supervisor,
    Sys,
    WouldBlock,
    aio,
    child,
    receive,
    rpc,
    self,
)
from pyx.otp.handler_results import NoReply, Reply, Stop  # those of `pyx` are `Never` to type checkers
from pyx.otp.remote_work import WorkRequest
from pyx.primitives import drain
from pyx.terms import Pid as MadePid
from tests.local_nodes import HANG, LocalNodes, as_process, in_kernel, until
from tests.otp.test_task import as_a_task, traps

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

HERE = "agents_work"
"""The name of this file as a module that is loaded on both nodes."""

THERE = ("stock", "there@test")


def own_pid() -> Pid:
    return self()


@rpc.export
def marked(state: Any, *_: Any) -> Any:
    return state


def unmarked(state: Any, *_: Any) -> Any:
    return state


def plus(state: int, number: int = 1) -> int:
    return state + number


@pytest.fixture
def node(nodes: LocalNodes) -> LocalNode:
    """A node with the agent `"stock"`, whose state is 1."""
    node = nodes.start("here")
    Agent.start(int, 1, name="stock")
    return node


@pytest.fixture
def two(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> tuple[LocalNode, LocalNode]:
    """A node, and another one with the agent `"stock"`, whose state is 1."""
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
    return nodes.start("here"), start_there(nodes)


def start_there(nodes: LocalNodes, **options: Any) -> LocalNode:
    there = nodes.start("there", **options)
    as_process(there, lambda: Agent.start(int, 1, name="stock"))
    return there


def state() -> Any:
    return Agent.get("stock", lambda state: state)


class TestHere:
    def test_a1_values_are_those_of_elixir(self, node: LocalNode) -> None:
        assert Agent.get("stock", plus, 2) == 3
        assert Agent.update("stock", plus, number=4) == "ok"
        assert state() == 5
        assert Agent.get_and_update("stock", lambda state: (state, "new")) == 5
        assert state() == "new"
        assert Agent.cast("stock", lambda state: f"{state}er") == "ok"
        assert state() == "newer"
        assert Agent.stop("stock") == "ok"
        with pytest.raises(CallNoProcess):
            state()
        assert Agent.cast("stock", plus) == "ok"

    def test_module_and_function_are_a_second_form(self, node: LocalNode) -> None:
        assert Agent.get("stock", "operator", "add", [2]) == 3
        assert Agent.update("stock", "operator", "neg") == "ok"
        assert Agent.get(("stock", "here"), "operator", "neg") == 1

    def test_a1_function_runs_in_the_agents_process(self, node: LocalNode) -> None:
        assert Agent.get("stock", lambda _: own_pid()) == GenServer.whereis("stock")

    def test_function_gets_the_state_itself_and_copies_of_its_arguments(self, node: LocalNode) -> None:
        given = [1]
        kept: list[Any] = []

        def keep(_: Any, value: Any) -> Any:
            kept.append(value)
            return value

        Agent.update("stock", keep, given)
        Agent.update("stock", lambda state: keep(None, state))
        assert kept[0] is kept[1]
        assert kept[0] is not given
        got = state()
        assert got == [1]
        assert got is not kept[0]

    def test_state_need_not_be_data(self, node: LocalNode) -> None:
        agent = Agent.start(threading.Lock)
        assert Agent.get(agent, lambda lock: lock.acquire(blocking=False)) is True
        with pytest.raises(Exception, match="cannot send reply") as raised:
            Agent.get(agent, lambda lock: lock)
        assert raised.type.__name__ in {"EncodeError", "RemoteError"}
        assert Agent.get(agent, lambda lock: lock.locked()) is True

    def test_argument_that_is_not_data_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"args\[0\]"):
            Agent.get("stock", plus, object())  # type: ignore[call-overload]

    def test_a2_value_that_is_not_a_pair_ends_the_agent(self, node: LocalNode) -> None:
        def story() -> None:
            agent = Agent.start_link(int, 1)
            with pytest.raises(CallExited) as raised:
                Agent.get_and_update(agent, plus)  # type: ignore[call-overload]
            assert raised.value.reason == ("bad_return_value", 2)
            assert receive(("EXIT", agent, ...), timeout=HANG)[2] == ("bad_return_value", 2)

        as_process(node, traps(story))

    @pytest.mark.parametrize("thrown", [Stop("x", reply=1), Reply(1), NoReply()], ids=repr)
    def test_a2_result_of_handlers_that_a_function_raises_ends_the_agent(
        self, node: LocalNode, thrown: Exception
    ) -> None:
        def throw(*_: Any) -> Any:
            raise thrown

        for ask in (Agent.get, Agent.update, Agent.get_and_update):
            agent = Agent.start(int, 1)
            with pytest.raises(CallExited) as raised:
                ask(agent, throw)
            assert raised.value.reason[0] == "bad_return_value"
        with pytest.raises(StartFailed) as failed:
            Agent.start(throw)
        assert failed.value.reason[0] == "bad_return_value"

    def test_a3_exception_ends_agent_and_call(self, node: LocalNode) -> None:
        def fail(_: Any) -> None:
            raise ValueError("boom")

        def story() -> None:
            agent = Agent.start_link(int, 1)
            with pytest.raises(CallExited, match="ValueError: boom") as raised:
                Agent.get(agent, fail)
            assert isinstance(raised.value.reason, Raised)
            assert receive(("EXIT", agent, ...), timeout=HANG)[2] == raised.value.reason

        as_process(node, traps(story))

    def test_a4_update_that_takes_too_long_is_carried_out(self, node: LocalNode) -> None:
        go_on = threading.Event()

        def slow(state: int) -> int:
            assert go_on.wait(HANG)
            return state + 1

        with pytest.raises(CallTimeout):
            Agent.within(0.01).update("stock", slow)
        go_on.set()
        assert state() == 2
        assert Agent.within(None).get("stock", plus) == 3
        assert Agent.within(HANG).get_and_update("stock", lambda state: (state, 7)) == 2
        assert state() == 7

    def test_async_def_is_refused_where_it_is_given(self, node: LocalNode) -> None:
        async def later(state: Any) -> Any:
            return state

        for call in (Agent.get, Agent.update, Agent.cast):
            with pytest.raises(TypeError, match="takes a def"):
                call("stock", later)
        with pytest.raises(CallExited, match="is an async def"):
            Agent.get("stock", "asyncio", "sleep")

    def test_start_that_fails_says_why(self, node: LocalNode) -> None:
        with pytest.raises(StartFailed, match="ZeroDivisionError"):
            Agent.start(divmod, 1, 0)
        with pytest.raises(ServerAlreadyStarted):
            Agent.start(int, name="stock")

    def test_agent_is_a_child_of_a_supervisor(self, node: LocalNode) -> None:
        def story() -> None:
            top = Supervisor.start_link([child(Agent, dict, name="basket")], strategy="one_for_one")
            Agent.update("basket", lambda basket: {**basket, "milk": 2})
            assert Agent.get("basket", dict.get, "milk") == 2
            agent = Process.whereis("basket")
            assert agent is not None
            Process.exit(agent, "kill")
            until(lambda: Process.whereis("basket") not in {None, agent})
            assert Agent.get("basket", dict.get, "milk") is None
            Supervisor.stop(top)

        as_process(node, traps(story))

    def test_sys_shows_the_state(self, node: LocalNode) -> None:
        assert Sys.get_state("stock") == 1
        assert Process.info(GenServer.whereis("stock"), "initial_call") == (  # type: ignore[arg-type]
            "initial_call",
            ("builtins", "int", 1),
        )

    def test_unknown_request_ends_nothing(self, node: LocalNode) -> None:
        for request in ("get", ("get", "work"), ("drop", None), WorkRequest("get", None)):
            with pytest.raises(CallUndefined):
                GenServer.call("stock", request)
        GenServer.cast("stock", ("cast", "work"))
        GenServer.cast("stock", "cast")
        assert state() == 1

    def test_request_that_waits_in_the_mailbox_is_shown(self, node: LocalNode) -> None:
        go_on = threading.Event()
        agent = GenServer.whereis("stock")
        Agent.cast("stock", lambda state: go_on.wait(HANG) and state)
        Agent.cast("stock", plus, 2)
        until(lambda: len(Process.info(agent, "messages")[1]) == 1)  # type: ignore[arg-type]
        (_, request), *_ = Process.info(agent, "messages")[1]  # type: ignore[arg-type]
        assert "plus" in repr(request)
        assert Process.info(agent, "message_queue_bytes")[1] > 0  # type: ignore[arg-type]
        go_on.set()
        assert state() == 3


class TestThere:
    def test_function_goes_by_its_name_or_as_source(self, two: tuple[LocalNode, LocalNode]) -> None:
        here, _ = two

        def story() -> None:
            assert Agent.get(THERE, "operator", "add", [2]) == 3
            assert Agent.update(THERE, plus, 4) == "ok"
            assert Agent.get(THERE, lambda state: state * 2) == 10
            assert Agent.get_and_update(THERE, lambda state: (state, 7)) == 5
            assert Agent.cast(THERE, plus) == "ok"
            assert Agent.get(THERE, plus, 0) == 8
            assert Agent.stop(THERE) == "ok"
            assert drain() == []

        as_process(here, story)

    def test_missing_agent_and_node_are_errors_of_the_caller(self, two: tuple[LocalNode, LocalNode]) -> None:
        with pytest.raises(CallNoProcess):
            Agent.get(("nope", "there"), plus)
        with pytest.raises(CallNoConnection):
            Agent.get(("stock", "nowhere"), plus)

    @pytest.mark.parametrize("function", ["marked", "unmarked"])
    @pytest.mark.parametrize("policy", ["open", "exported", "off"])
    def test_function_of_a_peer_passes_the_policy(
        self, policy: str, function: str, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
        here, there = nodes.start("here"), start_there(nodes, rpc=policy)
        calls: list[Callable[[], Any]] = [
            lambda: Agent.get(THERE, HERE, function),
            lambda: Agent.update(THERE, HERE, function),
        ]
        is_allowed = policy == "open" or (policy, function) == ("exported", "marked")
        for call, answer in zip(calls, [1, "ok"], strict=True):
            if is_allowed:
                assert as_process(here, call) == answer
            else:
                with pytest.raises(CallRefused, match=f"it runs with --rpc {policy}"):
                    as_process(here, call)
        as_process(here, lambda: Agent.cast(THERE, "operator", "neg"))
        expected = -1 if policy == "open" else 1
        until(lambda: as_process(there, state) == expected)
        if policy != "open":
            with pytest.raises(CallRefused, match="come as source"):
                as_process(here, lambda: Agent.get(THERE, lambda state: state))
        assert as_process(there, lambda: Agent.get("stock", HERE, function)) == expected

    def test_peer_sees_requests_that_hold_functions_of_this_node(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        here, there = two
        go_on = threading.Event()
        as_process(there, lambda: Agent.cast("stock", lambda state: go_on.wait(HANG) and state))
        as_process(there, lambda: Agent.cast("stock", plus, 2))
        agent = in_kernel(there, there.kernel.registry.whereis, "stock")
        assert agent is not None
        incarnation = there.kernel.tables.here
        assert incarnation is not None
        pid = MadePid(agent.number, agent.serial, *incarnation)
        messages = as_process(here, lambda: Process.info(pid, "messages"))[1]
        assert "plus" in repr(messages)
        go_on.set()


class TestCoroutines:
    def test_all_waits_have_twins(self, node: LocalNode) -> None:
        async def story() -> None:
            agent = await aio.Agent.start_link(int, 1)
            assert await aio.Agent.get(agent, plus) == 2
            assert await aio.Agent.update(agent, plus) == "ok"
            assert await aio.Agent.get_and_update(agent, lambda state: (state, 7)) == 2
            assert await aio.Agent.within(1).get(agent, plus, 0) == 7
            assert await aio.Agent.within(1).update(agent, plus) == "ok"
            assert await aio.Agent.within(1).get_and_update(agent, lambda state: (state, 9)) == 8
            with pytest.raises(WouldBlock) as raised:
                Agent.get(agent, plus)
            assert raised.value.twin == "aio.Agent.get()"
            assert await aio.Agent.stop(agent) == "ok"
            assert await aio.Agent.stop(await aio.Agent.start(int)) == "ok"

        as_a_task(node, story)
