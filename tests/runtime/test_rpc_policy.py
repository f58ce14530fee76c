"""rpc_functions.py, lifecycle.py: Which code of this node peers may run, under each `--rpc` policy."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Node, Process, RpcRefused, RpcUndefined, receive, rpc, self, send
from pyx.runtime import rpc_client
from pyx.runtime.call_forms import Callee, callee
from pyx.signals import Call, Spawn
from pyx.terms import FunctionName, Pid, Raised
from pyx.wire.codec import encode
from tests.hostile import Hostile
from tests.local_nodes import LocalNodes, Running, as_process, in_kernel, seen_from, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode

POLICIES = ["open", "exported", "off"]
HANG = 30.0

seen: list[str] = []


@rpc.export
def marked(word: str = "marked") -> str:
    """Marked: peers may call it."""
    seen.append(word)
    return word


def unmarked(word: str = "unmarked") -> str:
    """Not marked: peers may call it under `open` only."""
    seen.append(word)
    return word


@dataclass
class Loud:
    """A class whose `__init__` is noticed."""

    word: str

    def __post_init__(self) -> None:
        seen.append("made")


class Till:
    """Its functions are found by dots."""

    @staticmethod
    @rpc.export
    def marked(word: str = "till") -> str:
        """A nested class."""
        return marked(word)


@pytest.fixture
def nodes_and_asker(
    both_ways: bool, home: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[LocalNodes, LocalNode]]:
    seen.clear()
    monkeypatch.setitem(sys.modules, "gate_of_peers", sys.modules[__name__])
    with LocalNodes(monkeypatch) as nodes:
        yield nodes, nodes.start("asking")


def allowed(policy: str, function: str) -> bool:
    """Returns whether the policy allows the function."""
    return policy == "open" or (policy == "exported" and function.endswith("marked") and function[0] != "u")


def call(function: str) -> Any:
    return rpc.call("asked", "gate_of_peers", function)


def async_call(function: str) -> Any:
    return rpc.async_call("asked", "gate_of_peers", function).result(HANG)


def multicall(function: str) -> Any:
    (answer,), unanswered = rpc.multicall(["asked"], "gate_of_peers", function)
    assert unanswered == []
    if isinstance(answer, Exception):
        raise answer
    return answer


CALLS = {"rpc.call": call, "rpc.async_call": async_call, "rpc.multicall": multicall}


class TestCalls:
    @pytest.mark.parametrize("function", ["marked", "Till.marked", "unmarked"])
    @pytest.mark.parametrize("policy", POLICIES)
    @pytest.mark.parametrize("call", CALLS)
    def test_call_is_answered_or_refused_with_a_hint(
        self, call: str, policy: str, function: str, nodes_and_asker: tuple[LocalNodes, LocalNode]
    ) -> None:
        nodes, asking = nodes_and_asker
        nodes.start("asked", rpc=policy)
        if allowed(policy, function):
            assert as_process(asking, lambda: CALLS[call](function)) in {"marked", "till", "unmarked"}
            return
        with pytest.raises(RpcRefused) as raised:
            as_process(asking, lambda: CALLS[call](function))
        assert raised.value.policy == policy
        assert f"(it runs with --rpc {policy})" in str(raised.value)
        assert raised.value.hint is not None
        assert ("@rpc.export" in raised.value.hint) == (policy == "exported")
        assert seen == []

    @pytest.mark.parametrize("policy", POLICIES)
    def test_source_under_the_name_of_a_marked_function_is_refused(
        self, policy: str, nodes_and_asker: tuple[LocalNodes, LocalNode], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nodes, asking = nodes_and_asker
        nodes.start("asked", rpc=policy)
        source = callee("rpc.call", lambda: "from the source", (), {}).source
        disguised = Callee("gate_of_peers", "marked", [], {}, source)
        monkeypatch.setattr(rpc_client, "callee_within", lambda *_: (disguised, HANG))
        if policy == "open":
            assert as_process(asking, lambda: CALLS["rpc.call"]("")) == "from the source"
            return
        with pytest.raises(RpcRefused, match="refuses functions that come as source"):
            as_process(asking, lambda: CALLS["rpc.call"](""))
        assert seen == []

    @pytest.mark.parametrize("function", ["marked", "unmarked"])
    @pytest.mark.parametrize("policy", POLICIES)
    def test_cast_runs_or_vanishes(
        self, policy: str, function: str, nodes_and_asker: tuple[LocalNodes, LocalNode]
    ) -> None:
        nodes, asking = nodes_and_asker
        asked = nodes.start("asked", rpc=policy)

        def story() -> None:
            assert rpc.cast("asked", "gate_of_peers", function) is True
            with pytest.raises((RpcRefused, RpcUndefined)):  # arrives after it, as a ping might not
                rpc.call("asked", "gate_of_peers", "missing")

        as_process(asking, story)
        nothing_runs(asked)
        assert seen == ([function] if allowed(policy, function) else [])


def nothing_runs(node: LocalNode) -> None:
    """Waits until all processes that it started have ended."""
    until(lambda: not in_kernel(node, node.kernel.tables.processes.all))


SPAWNS = {"Node.spawn": Node.spawn, "Node.spawn_link": Node.spawn_link}


class TestSpawns:
    @pytest.mark.parametrize("function", ["marked", "unmarked"])
    @pytest.mark.parametrize("policy", POLICIES)
    @pytest.mark.parametrize("call", SPAWNS)
    def test_spawn_runs_or_does_not(
        self, call: str, policy: str, function: str, nodes_and_asker: tuple[LocalNodes, LocalNode]
    ) -> None:
        nodes, asking = nodes_and_asker
        asked = nodes.start("asked", rpc=policy)

        def story() -> None:
            Process.flag("trap_exit", True)
            SPAWNS[call]("asked", "gate_of_peers", function, [])

        if policy == "off":
            with pytest.raises(RpcRefused):
                as_process(asking, story)
        else:
            as_process(asking, story)
        nothing_runs(asked)
        assert seen == ([function] if allowed(policy, function) else [])

    @pytest.mark.parametrize("function", ["marked", "unmarked"])
    @pytest.mark.parametrize("policy", POLICIES)
    def test_spawned_process_ends_as_its_function_or_refused(
        self, policy: str, function: str, nodes_and_asker: tuple[LocalNodes, LocalNode]
    ) -> None:
        nodes, asking = nodes_and_asker
        nodes.start("asked", rpc=policy)

        def story() -> Any:
            pid, ref = Node.spawn_monitor("asked@test", "gate_of_peers", function, [])
            return receive(("DOWN", ref, "process", pid, ...), timeout=HANG)[4]

        if policy == "off":
            with pytest.raises(RpcRefused):
                as_process(asking, story)
        elif allowed(policy, function):
            assert as_process(asking, story) == "normal"
            assert seen == [function]
        else:
            reason = as_process(asking, story)
            assert isinstance(reason, Raised)
            assert (reason.type, seen) == ("RpcRefused", [])


@pytest.mark.parametrize("policy", POLICIES)
def test_inquiry_is_answered_under_each_policy(
    policy: str, nodes_and_asker: tuple[LocalNodes, LocalNode]
) -> None:
    nodes, asking = nodes_and_asker
    asked = nodes.start("asked", rpc=policy)
    waiting = Running(asked, lambda: receive(timeout=HANG))
    there = seen_from(asking, asked, waiting.pid)
    dead = Pid(999, 0, there.node, there.creation)

    def story() -> None:
        assert Node.ping("asked") == "pong"
        assert Node.list() == ["asked@test"]
        assert Process.info(there, "message_queue_len") == ("message_queue_len", 0)
        assert Process.info(dead) is None
        assert Process.is_alive(there)
        send(there, "enough")

    as_process(asking, story)
    assert waiting.outcome() == "enough"


@pytest.mark.parametrize("policy", POLICIES)
def test_message_arrives_under_each_policy_and_decoding_runs_no_code(
    policy: str, nodes_and_asker: tuple[LocalNodes, LocalNode]
) -> None:
    nodes, asking = nodes_and_asker
    asked = nodes.start("asked", rpc=policy)

    def ear() -> Any:
        Process.register(self(), "ear")
        ready.append(True)
        return receive(tuple, timeout=HANG)

    ready: list[bool] = []
    listening = Running(asked, ear)
    until(lambda: bool(ready))
    message = (Loud("hello"), marked, unmarked)
    assert seen == ["made"]
    as_process(asking, lambda: send(("ear", "asked@test"), message))
    named = unmarked if policy == "open" else FunctionName(__name__, "unmarked")
    assert listening.outcome() == (*message[:2], named)
    assert seen == ["made"]


@pytest.mark.parametrize("policy", ["exported", "off"])
def test_pattern_chosen_by_a_peer_runs_no_code(
    policy: str, nodes_and_asker: tuple[LocalNodes, LocalNode]
) -> None:
    """The usual idiom of a server: it waits for messages with the tag that its client chose."""
    nodes, asking = nodes_and_asker
    asked = nodes.start("asked", rpc=policy)

    def serve() -> Any:
        Process.register(self(), "server")
        ready.append(True)
        tag = receive((..., ...), timeout=HANG)[1]
        return receive(tag, (tag, ...), "enough", timeout=HANG)

    ready: list[bool] = []
    serving = Running(asked, serve)
    until(lambda: bool(ready))
    for message in (("ask", unmarked), "argument", ("argument", 1), "enough"):
        as_process(asking, functools.partial(send, ("server", "asked@test"), message))
    assert serving.outcome() == "enough"
    assert seen == []


def test_policy_does_not_apply_inside_a_node(nodes_and_asker: tuple[LocalNodes, LocalNode]) -> None:
    nodes, _ = nodes_and_asker
    asked = nodes.start("asked", rpc="off")
    assert as_process(asked, lambda: rpc.call("asked", "gate_of_peers", "unmarked")) == "unmarked"


class TestExported:
    def test_peer_cannot_have_a_module_imported(
        self, nodes_and_asker: tuple[LocalNodes, LocalNode], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nodes, asking = nodes_and_asker
        nodes.start("asked", rpc="exported")
        (tmp_path / "loads_and_harms.py").write_text("raise SystemExit('it was run')\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(RpcRefused):
            as_process(asking, lambda: rpc.call("asked", "loads_and_harms", "anything"))
        assert "loads_and_harms" not in sys.modules

    def test_look_for_the_mark_runs_no_code(
        self, nodes_and_asker: tuple[LocalNodes, LocalNode], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nodes, asking = nodes_and_asker
        nodes.start("asked", rpc="exported")

        class Trap(ModuleType):
            def __getattr__(self, name: str) -> Any:
                seen.append(name)
                return marked

        monkeypatch.setitem(sys.modules, "trap", Trap("trap"))
        with pytest.raises(RpcRefused):
            as_process(asking, lambda: rpc.call("asked", "trap", "anything"))
        assert seen == []

    def test_public_module_is_not_marked(self, nodes_and_asker: tuple[LocalNodes, LocalNode]) -> None:
        nodes, asking = nodes_and_asker
        nodes.start("asked", rpc="exported")
        with pytest.raises(RpcRefused):
            as_process(asking, lambda: rpc.call("asked", "Node", "stop"))

    @pytest.mark.parametrize("thing", [Till, len, "word"])
    def test_only_a_plain_function_can_be_marked(self, thing: Any) -> None:
        with pytest.raises(TypeError, match="only a plain function can be exported"):
            rpc.export(thing)


class TestPayloadOfForgedOrigin:
    """Payloads of this node may come back from a peer, and a peer could claim that of any payload."""

    @pytest.mark.parametrize("policy", ["exported", "off"])
    @pytest.mark.parametrize("kind", [Call, Spawn])
    def test_payload_of_forged_origin_runs_no_code(self, policy: str, kind: type, nodes: LocalNodes) -> None:
        victim = nodes.start("victim", rpc=policy)
        payload = encode((__name__, "unmarked", []))
        between = () if kind is Call else (False, None)
        with Hostile(victim) as evil:
            evil.forges(kind, Pid(1), 5, Pid(1), *between, tuple(evil.there), payload=payload)
            assert evil.is_disconnected()
        nothing_runs(victim)
        assert "unmarked" not in seen

    def test_payload_of_forged_origin_ends_only_its_connection(self, nodes: LocalNodes) -> None:
        victim, honest = nodes.start("victim", rpc="exported"), nodes.start("honest")
        with Hostile(victim) as evil:
            assert as_process(honest, lambda: Node.ping("victim")) == "pong"
            evil.forges(Call, Pid(1), 5, Pid(1), tuple(evil.there), payload=encode(("math", "sqrt", [4])))
            assert evil.is_disconnected()
            assert as_process(honest, Node.list) == ["victim@test"]


class TestPrivateKeys:
    @pytest.mark.parametrize("policy", ["exported", "off"])
    @pytest.mark.parametrize("keys", [["messages"], ["dictionary"], ["status", "messages"]])
    def test_private_keys_are_shown_only_where_peers_may_run_code(
        self, policy: str, keys: list[str], nodes: LocalNodes
    ) -> None:
        asking, asked = nodes.start("asking"), nodes.start("asked", rpc=policy)
        there = seen_from(asking, asked, Running(asked, lambda: receive("enough", timeout=HANG)).pid)
        with pytest.raises(RpcRefused) as refused:
            as_process(asking, lambda: Process.info(there, keys))
        assert refused.value.policy == policy
        assert "refuses to show the messages and the dictionary of a process" in str(refused.value)
        facts = as_process(asking, lambda: Process.info(there))
        assert "status" in facts
        assert "dictionary" not in facts
        as_process(asking, lambda: send(there, "enough"))

    def test_private_keys_are_shown_under_open_and_inside_a_node(self, nodes: LocalNodes) -> None:
        asking, asked = nodes.start("asking"), nodes.start("asked")
        waiting = Running(asked, lambda: receive("enough", timeout=HANG))
        there = seen_from(asking, asked, waiting.pid)
        as_process(asking, lambda: send(there, "a token"))
        until(
            lambda: as_process(asking, lambda: Process.info(there, "messages")) == ("messages", ["a token"])
        )
        as_process(asking, lambda: send(there, "enough"))
