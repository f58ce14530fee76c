"""remote_work.py, chosen_functions.py: What peers may have processes here run under each `--rpc` policy."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pyx import EncodeError, Process, RpcRefused, Struct, UndefinedFunction, receive, rpc, self, send
from pyx.execution.context import require
from pyx.otp import server_calls
from pyx.otp.remote_work import LocalWork, WorkRequest, admitted, check_admitted, shown_message, work_for
from pyx.runtime.local_node import node_of
from pyx.runtime.receiving import ReceiveSearch
from pyx.runtime.request import wait
from pyx.signals import Payload, Send
from pyx.terms import Incarnation, Pid
from pyx.wire.codec import encode
from tests.hostile import Hostile
from tests.local_nodes import HANG, LocalNodes, Running, as_process, in_kernel, new_runner, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode

POLICIES = ["open", "exported", "off"]

HERE = "asked_to_work"
"""The name of this file as a module that is loaded on both nodes."""

seen: list[Any] = []


@rpc.export
def marked(*args: Any) -> str:
    seen.append(("marked", *args))
    return "marked"


def unmarked(*args: Any) -> str:
    seen.append(("unmarked", *args))
    return "unmarked"


def receive_any(timeout: float) -> tuple[Any, Incarnation | None]:
    """Returns the next message of the running process, and where it is from, as a server takes it."""
    return next_message(require("a test"), timeout)


def next_message(runner: Runner, timeout: float) -> tuple[Any, Incarnation | None]:
    receiving = node_of(runner).receiving
    search = ReceiveSearch(receiving, runner, ())
    return receiving.receive(runner, (), timeout, search), search.origin


@pytest.fixture
def here(nodes: LocalNodes) -> LocalNode:
    """A node without a name."""
    seen.clear()
    return nodes.make()


@pytest.fixture
def asking(
    both_ways: bool, home: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[LocalNodes, LocalNode]]:
    seen.clear()
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
    with LocalNodes(monkeypatch) as nodes:
        yield nodes, nodes.start("asking")


def worker() -> None:
    """Runs what it is asked to, and answers with the value or the name of the error."""
    Process.register(self(), "worker")
    seen.append("ready")
    while True:
        (frm, work), origin = receive_any(HANG)
        try:
            value = admitted(origin, work)("state")
        except Exception as error:
            value = type(error).__name__
        send(frm, ("answer", value))


def start_worker(node: LocalNode) -> None:
    Running(node, worker)
    until(lambda: "ready" in seen)
    seen.clear()


def ask(work: Any, node: str = "asked@test") -> Any:
    send(("worker", node), (self(), work))
    return receive(("answer", ...), timeout=HANG)[1]


class TestPeer:
    @pytest.mark.parametrize("function", ["marked", "unmarked"])
    @pytest.mark.parametrize("policy", POLICIES)
    def test_work_of_a_peer_runs_as_a_call_would(
        self, policy: str, function: str, asking: tuple[LocalNodes, LocalNode]
    ) -> None:
        nodes, node = asking
        start_worker(nodes.start("asked", rpc=policy))
        answer = as_process(node, lambda: ask(work_for("t", "asked@test", HERE, (function, [1]), {})))
        if policy == "open" or (policy, function) == ("exported", "marked"):
            assert answer == function
            assert seen == [(function, "state", 1)]
        else:
            assert answer == "RpcRefused"
            assert seen == []

    @pytest.mark.parametrize("policy", POLICIES)
    def test_source_of_a_peer_runs_under_open_only(
        self, policy: str, asking: tuple[LocalNodes, LocalNode]
    ) -> None:
        nodes, node = asking
        start_worker(nodes.start("asked", rpc=policy))
        work = as_process(node, lambda: work_for("t", "asked@test", lambda state, n: (state, n), (2,), {}))
        answer = as_process(node, lambda: ask(work))
        assert answer == (("state", 2) if policy == "open" else "RpcRefused")

    @pytest.mark.parametrize("policy", ["exported", "off"])
    def test_pid_in_the_message_proves_nothing(
        self, policy: str, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        victim = nodes.start("victim", rpc=policy)
        monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
        start_worker(victim)
        said: list[Any] = []
        ear = Running(victim, lambda: said.append(receive(("answer", ...), timeout=HANG)[1]))
        with Hostile(victim) as evil:
            own = Pid(ear.pid.number, ear.pid.serial, *evil.there)  # a process of the victim
            message: Any = (own, (HERE, "unmarked", [], {}, None))
            evil.forges(Send, Pid(1), "worker", True, payload=encode(message))
            ear.outcome()
        assert said == ["RpcRefused"]
        assert seen == []

    @pytest.mark.parametrize("policy", ["exported", "off"])
    def test_message_that_is_said_to_be_of_this_node_is_of_a_peer(
        self, policy: str, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        victim = nodes.start("victim", rpc=policy)
        monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
        start_worker(victim)
        said: list[Any] = []
        ear = Running(victim, lambda: said.append(receive(("answer", ...), timeout=HANG)[1]))
        with Hostile(victim) as evil:
            message: Any = (Pid(ear.pid.number, ear.pid.serial), (HERE, "unmarked", [], {}, None))
            evil.forges(Send, Pid(1), "worker", tuple(evil.there), payload=encode(message))
            ear.outcome()
        assert said == ["RpcRefused"]
        assert seen == []

    def test_module_is_imported_by_the_call_and_not_by_the_check(
        self, nodes: LocalNodes, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nodes.start("asked")
        (tmp_path / "noticed_import.py").write_text("def f():\n    return 'ran'\n")
        monkeypatch.syspath_prepend(tmp_path)
        origin = peer_origin(nodes)
        work = admitted(origin, ("noticed_import", "f", [], {}, None))
        assert "noticed_import" not in sys.modules
        assert work() == "ran"
        assert work.initial_call == ("noticed_import", "f", 0)


def peer_origin(nodes: LocalNodes) -> Incarnation | None:
    """The incarnation of a peer."""
    return nodes.start("peer").kernel.tables.here


class TestHere:
    @pytest.mark.parametrize("policy", POLICIES)
    def test_process_of_this_node_has_anything_run(
        self, policy: str, asking: tuple[LocalNodes, LocalNode]
    ) -> None:
        nodes, _ = asking
        asked = nodes.start("asked", rpc=policy)
        start_worker(asked)
        answer = as_process(asked, lambda: ask((HERE, "unmarked", [], {}, None)))
        assert answer == "unmarked"

    def test_function_stays_as_it_is_with_copies_of_its_arguments(self, here: LocalNode) -> None:
        kept, given = object(), [1]
        work: Any = as_process(
            here, lambda: work_for("t", "", lambda state, a: (kept, state, a), (given,), {})
        )
        given.append(2)
        state = object()
        first, second = work(state), work(state)
        assert first == (kept, state, [1])
        assert first[2] is not second[2]
        assert work.initial_call[1].endswith("<lambda>")
        assert repr(work).startswith("<function ")

    def test_keyword_arguments_are_copied_too(self, here: LocalNode) -> None:
        work: Any = as_process(here, lambda: work_for("t", "", dict, (), {"a": [1]}))
        assert work() == {"a": [1]}

    def test_argument_that_is_not_data_is_refused_by_its_place(self, here: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"args\[0\]"):
            as_process(here, lambda: work_for("t", "", unmarked, (object(),), {}))
        with pytest.raises(EncodeError, match=r"args\[0\]"):
            as_process(here, lambda: work_for("t", "b@test", HERE, ("unmarked", [object()]), {}))

    def test_missing_function_is_a_failure_of_the_call(self, here: LocalNode) -> None:
        work = as_process(here, lambda: admitted(None, ("math", "nope", [], {}, None)))
        with pytest.raises(UndefinedFunction, match="no function nope in module math"):
            as_process(here, work)

    def test_function_as_it_is_cannot_be_sent(self, here: LocalNode) -> None:
        work = as_process(here, lambda: LocalWork(here, unmarked, (), {}))
        with pytest.raises(EncodeError):
            encode(("request", work))


@pytest.mark.parametrize(
    "work",
    [
        None,
        "Node",
        ("math", "sqrt"),
        ("math", "sqrt", (4,), {}, None),
        ("math", 1, [4], {}, None),
        ("math", "sqrt", [4], {1: 2}, None),
        ("math", "sqrt", [4], {}, "source"),
        Struct("pyx.otp.remote_work.LocalWork", ()),
    ],
)
def test_anything_else_in_place_of_work_is_refused(work: Any, here: LocalNode) -> None:
    with pytest.raises(ValueError, match="work is"):
        as_process(here, lambda: admitted(None, work))


def test_check_raises_what_the_call_would(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = nodes.start("asked", rpc="exported")
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])
    origin = peer_origin(nodes)

    def check(function: str, *, has_source: bool = False) -> None:
        as_process(asked, lambda: check_admitted(origin, HERE, function, has_source=has_source))

    check("marked")
    with pytest.raises(RpcRefused, match="not marked"):
        check("unmarked")
    with pytest.raises(RpcRefused, match="come as source"):
        check("marked", has_source=True)
    as_process(asked, lambda: check_admitted(None, HERE, "unmarked"))


def register(name: str) -> None:
    Process.register(self(), name)


class TestReceive:
    def test_message_comes_with_its_origin(self, nodes: LocalNodes) -> None:
        asked, peer = nodes.start("asked"), nodes.start("peer")

        def listen() -> list[Any]:
            register("ear")
            send("ear", "flat")
            send("ear", ["encoded"])
            seen.append("listening")
            return [receive_any(HANG) for _ in range(3)]

        seen.clear()
        listening = Running(asked, listen)
        until(lambda: "listening" in seen)
        as_process(peer, lambda: send(("ear", "asked@test"), "from afar"))
        assert listening.outcome() == [
            ("flat", None),
            (["encoded"], None),
            ("from afar", peer.kernel.tables.here),
        ]

    def test_message_that_was_looked_at_before_keeps_its_origin(self, nodes: LocalNodes) -> None:
        asked, peer = nodes.start("asked"), nodes.start("peer")

        def listen() -> Any:
            register("ear")
            seen.append("listening")
            receive("second", timeout=HANG)
            return receive_any(0)

        seen.clear()
        listening = Running(asked, listen)
        until(lambda: "listening" in seen)
        as_process(peer, lambda: [send(("ear", "asked@test"), word) for word in ("first", "second")])
        assert listening.outcome() == ("first", peer.kernel.tables.here)

    def test_item_with_a_body_has_the_origin_of_that(self, here: LocalNode) -> None:
        class Call(NamedTuple):
            body: Any

        origin = Incarnation("peer@test", 7)
        runner = new_runner(here)
        calls = [Call(Payload(encode("asked"), origin)), Call(Payload(encode("asked"))), Call("flat")]
        for call in calls:
            in_kernel(here, runner.process.mailbox.deliver, call)
        found = [next_message(runner, 0) for _ in calls]
        assert [origin for _, origin in found] == [origin, None, None]

    def test_call_of_a_server_has_the_origin_of_its_caller(self, nodes: LocalNodes) -> None:
        asked, peer = nodes.start("asked"), nodes.start("peer")

        def serve() -> list[Any]:
            register("server")
            seen.append("listening")
            found = []
            for _ in range(2):
                (_, frm, request), origin = receive_any(HANG)
                found.append((request, origin))
                server_calls.reply(frm, "ok")
            return found

        seen.clear()
        serving = Running(asked, serve)
        until(lambda: "listening" in seen)
        for node in (peer, asked):
            call = server_calls.call(("server", "asked@test"), ("do", [1]))
            as_process(node, functools.partial(wait, "call", call))
        assert serving.outcome() == [(("do", [1]), peer.kernel.tables.here), (("do", [1]), None)]


class TestShown:
    """In errors and reports a function is its name, however long its source is."""

    NAMED = "shop", "total", [1], {"by": "name"}, (("source", "def total(): ..."),)

    def test_request_names_its_functions(self) -> None:
        request = WorkRequest("get", self.NAMED, 3)
        assert repr(request) == "('get', <function shop.total>, 3)"
        assert request.parts == ("get", self.NAMED, 3)

    @pytest.mark.parametrize(
        ("message", "text"),
        [
            (
                ("$gen_call", (Pid(1), 2), ("get", NAMED)),
                f"('$gen_call', {(Pid(1), 2)!r}, ('get', <function shop.total>))",
            ),
            (("$gen_cast", ("cast", NAMED)), "('$gen_cast', ('cast', <function shop.total>))"),
            (
                ("$gen_call", (Pid(1), 2), "which_children"),
                f"('$gen_call', {(Pid(1), 2)!r}, 'which_children')",
            ),
            ("hello", "'hello'"),
        ],
    )
    def test_message_names_its_functions(self, message: Any, text: str) -> None:
        assert repr(shown_message(message)) == text
