"""server_sys.py, system_requests.py, awaitable_sys.py: servers are looked into and changed while they run."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    CallError,
    CallRefused,
    CallTimeout,
    CallUndefined,
    GenServer,
    Pid,
    Process,
    Registry,
    RemoteError,
    Supervisor,
    Sys,
    aio,
    child,
    handle,
    self,
    send,
)
from pyx.otp.protocol import system_message
from tests.local_nodes import as_process, end_of, until
from tests.otp.servers import AsyncStock, Bare, Stock, is_mailbox_empty, received

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

KINDS = pytest.mark.parametrize("kind", [Stock, AsyncStock], ids=["def", "async def"])


@KINDS
def test_g27_state_is_shown_and_replaced(node: LocalNode, kind: type[Stock]) -> None:
    pid = kind.start({"nike": 1})
    assert Sys.get_state(pid) == {"items": {"nike": 1}, "boss": None}
    assert Sys.replace_state(pid, lambda state: {**state, "items": {"puma": 2}})["items"] == {"puma": 2}
    assert kind.total(pid) == 2


@KINDS
def test_g27_suspended_server_answers_after_it_is_resumed(node: LocalNode, kind: type[Stock]) -> None:
    pid = kind.start({"nike": 1})
    assert Sys.suspend(pid) == "ok"
    with pytest.raises(CallTimeout):
        kind.total.within(0.01)(pid)
    request = kind.total.request(pid)
    assert Sys.get_state(pid)["items"] == {"nike": 1}  # it goes on answering these
    assert Sys.replace_state(pid, lambda state: {**state, "items": {"puma": 5}})
    assert Sys.get_status(pid)[3][1] == "suspended"
    assert Sys.resume(pid) == "ok"
    assert request.result(timeout=60) == 5


def test_state_that_is_not_data_is_shown_by_its_repr(node: LocalNode) -> None:
    class Odd(GenServer):
        def init(self) -> None:
            self.what = type("Thing", (), {"__repr__": lambda _: "a thing"})()
            self.number = 1

    assert Sys.get_state(Odd.start()) == {"what": "a thing", "number": 1}


def test_failing_replacement_leaves_the_state_and_the_server(node: LocalNode) -> None:
    pid = Stock.start({"nike": 1})
    with pytest.raises(ZeroDivisionError):
        Sys.replace_state(pid, lambda state: state["items"]["nike"] // 0)
    assert Stock.total(pid) == 1


@pytest.mark.parametrize("wrong", [5, None, {1: 2}])
def test_replacement_that_is_not_a_state_leaves_the_state(node: LocalNode, wrong: Any) -> None:
    pid = Stock.start({"nike": 1})
    with pytest.raises(TypeError, match="the state of a server is a dict of its attributes"):
        Sys.replace_state(pid, lambda _: wrong)
    assert Stock.total(pid) == 1


def test_state_that_is_shown_in_another_form_is_not_replaced(node: LocalNode) -> None:
    top = Supervisor.start([child(Registry, keys="unique", name="shops")], strategy="one_for_one")
    for server in (top, "shops"):
        with pytest.raises(TypeError, match="has no __setstate__ that takes it"):
            Sys.replace_state(server, lambda state: state)
        assert Sys.get_state(server)
    assert Registry.count("shops") == 0
    Supervisor.stop(top)


@KINDS
def test_replacement_that_ends_itself_ends_no_server(node: LocalNode, kind: type[Stock]) -> None:
    def leave(state: Any) -> Any:
        raise SystemExit(3)

    pid = kind.start({"nike": 1})
    with pytest.raises(RemoteError, match="SystemExit: 3"):
        Sys.replace_state(pid, leave)
    assert kind.total(pid) == 1


def test_status_has_the_shape_of_otp(node: LocalNode) -> None:
    def parent() -> None:
        pid = Stock.start_link({"nike": 1}, name="stock")
        word, of, module, [dictionary, status, parent, debug, details] = Sys.get_status("stock")
        assert (word, of, status, parent, debug) == ("status", pid, "running", self(), [])
        assert module == ("module", f"{Stock.__module__}.Stock")
        assert dictionary["$ancestors"][0] == self()
        assert details["state"] == {"items": {"nike": 1}, "boss": None}

    as_process(node, parent)


def test_timeout_of_a_handler_survives_a_system_message(node: LocalNode) -> None:
    def parent() -> None:
        pid = Stock.start(None, self())
        Stock.waits(pid, 0.02)
        Sys.get_state(pid)
        assert received() == "timeout"

    as_process(node, parent)


def test_unknown_system_message_is_answered(node: LocalNode) -> None:
    pid = Stock.start()

    def caller() -> Any:
        ref = Process.alias()
        send(pid, system_message((self(), ref), "dance"))
        return received((ref, ...))[1]

    assert as_process(node, caller) == ("error", ("unknown_system_msg", "dance"))
    for frm in ("nobody", (1, 2), (pid, 2), (1, 2, 3)):
        for request in ("dance", "get_state", "suspend", ("terminate", "shutdown")):
            send(pid, ("system", frm, request))
    assert Stock.total(pid) == 0


@KINDS
def test_stop_is_obeyed_while_suspended(node: LocalNode, kind: type[Stock]) -> None:
    pid = kind.start()
    Sys.suspend(pid)
    assert GenServer.stop(pid, "shutdown") == "ok"
    assert end_of(node, pid) == "noproc"


def test_twins_are_awaited(node: LocalNode) -> None:
    async def main() -> None:
        pid = await aio.GenServer.start(Stock, {"nike": 1}, name="stock")
        assert (await aio.Sys.get_state(pid))["items"] == {"nike": 1}
        assert (await aio.Sys.replace_state(pid, emptied))["items"] == {}
        assert (await aio.Sys.get_status("stock"))[1] == pid
        assert await aio.Sys.suspend(pid) == await aio.Sys.resume(pid) == "ok"
        assert await aio.Sys.trace(pid, False) == await aio.Sys.change_code(pid) == "ok"
        assert await aio.GenServer.stop(pid) == "ok"

    asyncio.run(main())


# ---------------------------------------------------------------- trace


@KINDS
def test_g28_trace_is_shown_at_the_terminal_of_who_asks(
    node: LocalNode, kind: type[Stock], capsys: pytest.CaptureFixture[str]
) -> None:
    pid = kind.start(name="stock")
    shown = ""

    def lines() -> list[str]:
        nonlocal shown
        shown += capsys.readouterr().out
        return shown.splitlines()

    assert Sys.trace(pid, True) == "ok"

    def caller() -> Pid:
        kind.add(pid, "nike", 42)
        kind.clear(pid)
        send(pid, "hello")
        kind.total(pid)
        return self()

    me = as_process(node, caller)
    assert Sys.trace(pid, False) == "ok"
    kind.total(pid)
    until(lambda: len(lines()) >= 6)
    assert lines() == [
        f"*DBG* stock got call ('add', 'nike', 42) from {me}",
        f"*DBG* stock sent 42 to {me}, new state {{'items': {{'nike': 42}}, 'boss': None}}",
        "*DBG* stock got cast 'clear'",
        "*DBG* stock got 'hello'",
        f"*DBG* stock got call 'total' from {me}",
        f"*DBG* stock sent 0 to {me}, new state {{'items': {{}}, 'boss': None}}",
    ]


# ---------------------------------------------------------------- change_code


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with a server class, which a test replaces as a reload does."""
    module = ModuleType("changing_shop")
    monkeypatch.setitem(sys.modules, "changing_shop", module)
    return module


def define(shop: ModuleType, body: str) -> Any:
    exec(f"from pyx import GenServer, handle\nclass Shop(GenServer):\n{body}", shop.__dict__)
    return shop.__dict__["Shop"]


OLD = """
    def init(self): self.total = 1
    @handle.call
    def get(self): return self.total
"""
NEW = """
    def code_change(self): self.total = [self.total]
    @handle.call
    def get(self): return self.total
    @handle.call
    def more(self): return "new"
"""
FAILING = """
    def code_change(self): raise ValueError("no way")
"""


def test_change_code_makes_the_server_one_of_the_reloaded_class(node: LocalNode, shop: ModuleType) -> None:
    old = define(shop, OLD)
    pid = old.start()
    new = define(shop, NEW)
    with pytest.raises(CallUndefined):
        new.more(pid)
    assert Sys.change_code(pid) == "ok"
    assert new.more(pid) == "new"
    assert new.get(pid) == [1]


def test_failing_code_change_leaves_the_old_class(node: LocalNode, shop: ModuleType) -> None:
    old = define(shop, OLD)
    pid = old.start()
    define(shop, FAILING)
    with pytest.raises(ValueError, match="no way"):
        Sys.change_code(pid)
    assert old.get(pid) == 1


def test_class_that_became_asynchronous_is_refused(node: LocalNode, shop: ModuleType) -> None:
    old = define(shop, OLD)
    pid = old.start()
    define(shop, "    async def handle_cast(self, request): pass")
    with pytest.raises(TypeError, match="process loop"):
        Sys.change_code(pid)
    assert old.get(pid) == 1


# ---------------------------------------------------------------- peers and the policy


@pytest.mark.parametrize("policy", ["exported", "off"])
def test_peer_does_not_see_or_change_states_without_rpc_open(nodes: LocalNodes, policy: str) -> None:
    here, there = nodes.start("here"), nodes.start("there", rpc=policy)
    as_process(there, lambda: Stock.start({"nike": 1}, name="stock"))
    server = ("stock", "there@test")

    def peer() -> None:
        for ask in (
            lambda: Sys.get_state(server),
            lambda: Sys.get_status(server),
            lambda: Sys.replace_state(server, emptied),
            lambda: Sys.trace(server, True),
            lambda: Sys.change_code(server),
        ):
            with pytest.raises(CallRefused):
                ask()
        assert Stock.total(server) == 1
        assert Sys.suspend(server) == "ok"
        assert Sys.resume(server) == "ok"

    as_process(here, peer)


def test_peer_sees_and_changes_states_with_rpc_open(nodes: LocalNodes) -> None:
    here, there = nodes.start("here"), nodes.start("there")
    as_process(there, lambda: Stock.start({"nike": 1}, name="stock"))
    server = ("stock", "there@test")

    def peer() -> None:
        assert Sys.get_state(server)["items"] == {"nike": 1}
        assert Sys.replace_state(server, emptied)["items"] == {}
        assert Sys.change_code(server) == "ok"

    as_process(here, peer)


def emptied(state: Any) -> Any:
    return {**state, "items": {}}


def test_forged_caller_does_not_pass_the_policy(nodes: LocalNodes) -> None:
    here, there = nodes.start("here"), nodes.start("there", rpc="off")
    pid = as_process(there, lambda: Stock.start({"nike": 1}, name="stock"))

    def peer() -> Any:
        ref = Process.alias()
        send(("stock", "there@test"), system_message((pid, ref), "get_state"))  # as if it was a process there
        return received((ref, ...))[1]

    assert as_process(here, peer)[0] == "$gen_refused"


def test_bare_server_has_an_empty_state(node: LocalNode) -> None:
    pid = Bare.start()
    assert Sys.get_state(pid) == {}

    def caller() -> None:
        with pytest.raises(CallError):
            Sys.get_state("nobody")
        assert is_mailbox_empty()

    as_process(node, caller)
    assert handle.__doc__
