"""cluster.py, cluster_server.py, awaitable_cluster.py, cluster_log.py: Clusters as programs use them."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pyx import (
    Application,
    CallUndefined,
    Cluster,
    ClusterIncomplete,
    ClusterInvalid,
    ClusterNotStarted,
    GenServer,
    Node,
    NodeNotAlive,
    NotAProcess,
    Process,
    RemoteError,
    ServerAlreadyStarted,
    Sighting,
    StartFailed,
    Supervisor,
    aio,
    child,
    receive,
    send,
)
from pyx import self as own_pid
from pyx.runtime import start_stop
from tests.local_nodes import HANG, LocalNodes, as_process, connected, in_kernel, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from pyx.runtime.local_node import LocalNode

LOCAL = {"mine": {"strategy": "local", "interval": 0.05}}


class Scripted:
    """A strategy that yields, or raises, what a test tells it; `fresh` counts how often it was made."""

    script: ClassVar[list[Any]] = []
    told: ClassVar[threading.Event] = threading.Event()
    fresh: ClassVar[list[str]] = []

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        self.fresh.append(here)

    async def sightings(self) -> AsyncIterator[Sighting]:
        while True:
            step = self.script.pop(0) if self.script else None
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, set):
                yield Sighting(frozenset(step))
            elif step is not None:
                yield step
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    """The strategy above, importable by its dotted name."""
    monkeypatch.setitem(sys.modules, "scripted_cluster", sys.modules[Scripted.__module__])
    Scripted.script, Scripted.fresh = [], []
    return Scripted


FAR = {"x": {"strategy": "static", "nodes": ["far@away"]}}
SCRIPTED = {"script": {"strategy": "scripted_cluster:Scripted"}}


def follow(node: LocalNode, topologies: Any = LOCAL, **options: Any) -> Any:
    """Starts a cluster of *node* that no process is linked to."""
    return as_process(node, lambda: Cluster.start(topologies, **options))


def told(node: LocalNode, steps: list[Any], sightings: int) -> None:
    """Has the strategy take *steps*, and waits until the cluster has followed so many sightings in all."""
    Scripted.script.extend(steps)
    until(lambda: start_stop.info(node)["cluster"]["sightings"] >= sightings)
    as_process(node, Cluster.info)


class TestWait:
    def test_48_52_nodes_of_this_user_find_each_other_and_a_restarted_one_is_back(
        self, nodes: LocalNodes
    ) -> None:
        a, b = nodes.start("a", seeds=["local:"]), nodes.start("b", seeds=["local:"])
        waits = threading.Thread(target=lambda: results.append(as_process(a, wait_for_three)))
        results: list[Any] = []

        def wait_for_three() -> list[str]:
            return Cluster.wait(3, timeout=HANG)

        waits.start()
        c = nodes.start("c", seeds=["local:"])
        waits.join()
        assert results == [["a@test", "b@test", "c@test"]]
        start_stop.stop(c)
        until(lambda: connected(a) == ["b@test"] and connected(b) == ["a@test"])
        nodes.start("c", seeds=["local:"])
        until(lambda: connected(a) == ["b@test", "c@test"])

    def test_52_too_few_nodes_are_named(self, nodes: LocalNodes) -> None:
        a = nodes.start("a", seeds=["b"])
        nodes.start("b")
        until(lambda: connected(a) == ["b@test"])
        with pytest.raises(
            ClusterIncomplete, match=r"^2 of 3 nodes are there after 0\.2 s: a@test, b@test\n"
        ) as caught:
            as_process(a, lambda: Cluster.wait(3, timeout=0.2))
        assert (caught.value.wanted, caught.value.nodes) == (3, ["a@test", "b@test"])

    def test_wait_works_on_any_thread_and_in_coroutines(self, nodes: LocalNodes) -> None:
        nodes.start("a", seeds=["b"])
        nodes.start("b")
        assert Cluster.wait(2, timeout=HANG) == ["a@test", "b@test"]
        assert asyncio.run(aio.Cluster.wait(2, HANG)) == ["a@test", "b@test"]
        assert asyncio.run(aio.Cluster.info())["nodes"] == ["a@test", "b@test"]

    @pytest.mark.parametrize("number", [0, "3", True])
    def test_wait_takes_a_number_of_nodes(self, nodes: LocalNodes, number: Any) -> None:
        nodes.start("a", seeds=["b"])
        with pytest.raises(ValueError, match="a number of nodes from 1"):
            Cluster.wait(number, timeout=1)

    @pytest.mark.parametrize("timeout", [None, -1, 1e12, float("nan")])
    def test_wait_has_an_end(self, nodes: LocalNodes, timeout: Any) -> None:
        nodes.start("a", seeds=["b"])
        with pytest.raises((ValueError, TypeError)):
            Cluster.wait(2, timeout=timeout)

    @pytest.mark.parametrize(
        "request_", [("wait", "x", 1.0), ("wait", 1, float("nan")), ("wait",), "stop", 7]
    )
    def test_bad_request_of_a_peer_ends_nothing(self, nodes: LocalNodes, request_: Any) -> None:
        a = nodes.start("a", seeds=["b"])
        b = nodes.start("b")
        until(lambda: connected(a) == ["b@test"])
        with pytest.raises((RemoteError, CallUndefined, ValueError)):
            as_process(b, lambda: GenServer.call(("cluster", "a@test"), request_))
        assert Cluster.wait(2, timeout=HANG) == ["a@test", "b@test"]

    def test_child_that_waits_delays_those_after_it(self, nodes: LocalNodes) -> None:
        a = nodes.start("a", seeds=["b"])
        begun = threading.Event()

        def shop() -> None:
            begun.set()
            receive()

        def tree() -> list[str]:
            nodes.start("b")
            children = [Cluster.waiting(2, timeout=HANG), child(shop, id="shop")]
            top = Supervisor.start_link(children, strategy="one_for_one")
            assert begun.wait(HANG)
            names = Node.list()
            Supervisor.stop(top)
            return names

        assert as_process(a, tree) == ["b@test"]

    def test_supervisor_does_not_start_without_the_nodes(self, nodes: LocalNodes) -> None:
        a = nodes.start("a", seeds=["b"])

        def tree() -> None:
            Process.flag("trap_exit", True)
            Supervisor.start_link([Cluster.waiting(2, timeout=0.05)], strategy="one_for_one")

        with pytest.raises(StartFailed, match=r"1 of 2 nodes are there after 0\.05 s: a@test"):
            as_process(a, tree)


class TestStart:
    def test_cluster_is_a_child_of_a_supervisor(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        nodes.start("b")

        def tree() -> list[str]:
            top = Supervisor.start_link([child(Cluster, LOCAL)], strategy="one_for_one")
            found = Cluster.wait(2, timeout=HANG)
            Supervisor.stop(top)
            return found

        assert as_process(a, tree) == ["a@test", "b@test"]
        assert connected(a) == ["b@test"]

    def test_bad_setting_starts_nothing(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        with pytest.raises(ClusterInvalid, match=r"^cluster x: there is no strategy 'gossip'"):
            Cluster.start({"x": {"strategy": "gossip"}})
        with pytest.raises(ClusterNotStarted, match=r"^there is no cluster 'other' on the node a\n"):
            Cluster.info(("other", "a"))
        with pytest.raises(ClusterNotStarted, match=r"^there is no cluster 'cluster' on this node"):
            Cluster.info()

    def test_node_without_a_name_has_no_cluster(self, nodes: LocalNodes) -> None:
        nodes.make()
        with pytest.raises(NodeNotAlive):
            Cluster.start(LOCAL)

    def test_name_is_taken_by_the_cluster_of_the_seeds(self, nodes: LocalNodes) -> None:
        a = nodes.start("a", seeds=["b"])
        until(lambda: "cluster" in start_stop.info(a)["registered"])
        with pytest.raises(ServerAlreadyStarted):
            Cluster.start(LOCAL)
        Cluster.start(LOCAL, name="other")
        assert Cluster.info("other")["topologies"]["mine"]["strategy"] == "local"

    def test_start_link_needs_a_process(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        with pytest.raises(NotAProcess):
            Cluster.start_link(LOCAL)

    def test_stopped_cluster_keeps_its_connections(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        nodes.start("b")
        follow(a)
        Cluster.wait(2, timeout=HANG)
        assert Cluster.stop() == "ok"
        assert connected(a) == ["b@test"]
        with pytest.raises(ClusterNotStarted):
            Cluster.stop()
        until(lambda: start_stop.info(a)["processes"] == 0)

    def test_application_may_start_it(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
        module: Any = type(sys)("clustered_shop")
        module.application = lambda: [child(Cluster, LOCAL)]
        monkeypatch.setitem(sys.modules, "clustered_shop", module)
        nodes.start("a")
        nodes.start("b")
        Application.start("clustered_shop:application")
        assert Cluster.wait(2, timeout=HANG) == ["a@test", "b@test"]
        Application.stop("clustered_shop")


class TestSightings:
    def test_49_error_and_empty_answer_disconnect_nothing(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        for name in ("b", "c"):
            nodes.start(name, hidden=True)
        follow(a, {"script": {**SCRIPTED["script"], "prune": True}})
        told(a, [{"b", "c"}], 1)
        Cluster.wait(3, timeout=HANG)
        told(a, [OSError("SERVFAIL"), set(), set(), set()], 4)
        assert Cluster.info()["nodes"] == ["a@test", "b@test", "c@test"]
        assert start_stop.info(a)["cluster"]["prunes"] == 0

    def test_49_with_prune_the_second_whole_answer_disconnects_one(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")
        for name in ("b", "c"):
            nodes.start(name, hidden=True)
        follow(a, {"script": {**SCRIPTED["script"], "prune": True}})
        told(a, [{"b", "c"}], 1)
        Cluster.wait(3, timeout=HANG)
        told(a, [{"a", "b"}], 2)
        assert start_stop.info(a)["hidden_nodes"] == ["b@test", "c@test"]
        told(a, [{"a", "b"}], 3)
        until(lambda: start_stop.info(a)["hidden_nodes"] == ["b@test"])
        assert caplog.text.count("c@test is disconnected: it was found no more, twice in a row") == 1

    def test_50_strategy_that_raises_is_one_line_and_starts_anew(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")
        nodes.start("b")
        follow(a, SCRIPTED)
        told(a, [{"b"}], 1)
        Cluster.wait(2, timeout=HANG)
        made = len(Scripted.fresh)
        Scripted.script.extend([ValueError("consul is\nmoody"), ValueError("consul is\nmoody"), {"b"}])
        until(lambda: start_stop.info(a)["cluster"]["sightings"] >= 2)
        assert len(Scripted.fresh) == made + 2
        lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        [line] = lines
        assert line.startswith("cluster script: the search has failed: ValueError: consul is")
        assert "\n" not in line
        assert connected(a) == ["b@test"]

    def test_strategy_whose_process_is_killed_starts_anew(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        cluster = follow(a, SCRIPTED)
        told(a, [{"a"}], 1)
        [search] = [
            process.pid for process in in_kernel(a, a.kernel.tables.processes.all) if process.pid != cluster
        ]
        in_kernel(a, a.kernel.process_signals.exit, search, search, "kill")
        told(a, [{"a"}], 2)
        assert start_stop.info(a)["cluster"]["failed_searches"] == 1

    def test_hostile_names_of_a_sighting_keep_no_other_from_being_found(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")
        nodes.start("b")
        follow(a, SCRIPTED)
        hostile = {"b\nc@test", "x" * 10_000, "\x1b[2J@test", "@", "", "a@test", "d@e@f", "b"}
        told(a, [hostile, hostile], 2)
        assert Cluster.wait(2, timeout=HANG) == ["a@test", "b@test"]
        about = Cluster.info()["topologies"]["script"]
        assert about["found"] == ["b@test"]
        failed = [one for one in caplog.records if getattr(one, "event", None) == "search_failed"]
        [line] = [one.getMessage() for one in failed]
        assert line == f"cluster script: the search has failed: {about['reason']}"
        assert "is not a node name" in line
        assert line.isprintable()
        assert len(line) < 400

    def test_name_that_is_wrong_prunes_nothing(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        nodes.start("b", hidden=True)
        follow(a, {"script": {**SCRIPTED["script"], "prune": True}})
        told(a, [{"b"}], 1)
        Cluster.wait(2, timeout=HANG)
        told(a, [{"a", "c d"}, {"a", "c d"}, {"a", "c d"}], 4)
        assert Cluster.info()["nodes"] == ["a@test", "b@test"]

    @pytest.mark.parametrize(
        ("rubbish", "sentence"),
        [
            ("ab", "TypeError: it has yielded 'ab', which is not Sighting(nodes, whole)"),
            (("ab", True), "TypeError: it has yielded ('ab', True), which is not Sighting(nodes, whole)"),
            (Sighting(iter("ab")), "TypeError: it has yielded Sighting(nodes="),  # type: ignore[arg-type]
            (7, "TypeError: it has yielded 7, which"),
            (Sighting({1, None}), "node name"),  # type: ignore[arg-type]
            (
                Sighting(frozenset(f"n{n}@h" for n in range(10_000))),
                "it has found 10,000 nodes, and at most 4,096 are",
            ),
            (GeneratorExit("x"), "the search has failed: GeneratorExit: x"),
            (asyncio.CancelledError(), "the search has failed: CancelledError"),
            (SystemExit(3), "the search has failed: SystemExit: 3"),
        ],
        ids=[
            "text",
            "text as nodes",
            "iterator",
            "number",
            "no texts",
            "10,000",
            "GeneratorExit",
            "cancelled",
            "SystemExit",
        ],
    )
    def test_rubbish_of_a_strategy_is_one_line(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, rubbish: Any, sentence: str
    ) -> None:
        a = nodes.start("a")
        nodes.start("b")
        follow(a, SCRIPTED)
        told(a, [{"b"}], 1)
        Cluster.wait(2, timeout=HANG)
        Scripted.script.extend([rubbish])
        until(lambda: sentence in caplog.text)
        told(a, [{"a"}], 2)
        assert connected(a) == ["b@test"]
        assert caplog.text.count("the search has failed") == 1
        assert "Traceback" not in caplog.text

    @pytest.mark.parametrize("kind", ["coroutine", "list", "nothing"])
    def test_sightings_that_cannot_be_iterated_are_one_line(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        async def coroutine(self: Any) -> None:
            pass

        def a_list(self: Any) -> list[Any]:
            return []

        def nothing(self: Any) -> None:
            return None

        chosen = {"coroutine": coroutine, "list": a_list, "nothing": nothing}[kind]
        monkeypatch.setattr(Scripted, "sightings", chosen)
        follow(nodes.start("a"), SCRIPTED)
        until(lambda: "the search has failed: TypeError: " in caplog.text)
        assert caplog.text.count("the search has failed") == 1
        assert "asynchronous generator" in caplog.text

    def test_strategy_without_a_pause_keeps_no_other_coroutine_from_running(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def spin(self: Any) -> AsyncIterator[Sighting]:
            while True:
                yield Sighting(frozenset({"b"}))

        monkeypatch.setattr(Scripted, "sightings", spin)
        a = nodes.start("a")
        nodes.start("b")
        follow(a, SCRIPTED)
        assert Cluster.wait(2, timeout=HANG) == ["a@test", "b@test"]
        assert Cluster.stop() == "ok"

    def test_strategy_that_hangs_is_named(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        follow(a, SCRIPTED)
        assert Cluster.info()["topologies"]["script"]["reason"] == "it has not answered yet"
        told(a, [{"a"}], 1)
        assert Cluster.info()["topologies"]["script"]["reason"] is None
        assert Cluster.stop() == "ok"
        until(lambda: start_stop.info(a)["processes"] == 0)

    def test_other_node_cannot_say_what_is_found(self, nodes: LocalNodes) -> None:
        a = nodes.start("a", seeds=["b"])
        b = nodes.start("b")
        until(lambda: connected(a) == ["b@test"])
        forged = ("$sighted", "seed", ["x@test"], True, "")
        as_process(b, lambda: send(("cluster", "a@test"), forged))
        as_process(b, lambda: Cluster.info(("cluster", "a@test")))
        assert Cluster.info()["topologies"]["seed"]["found"] == ["b@test"]


class TestConnections:
    def test_51_wrong_cookie_is_one_line(self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture) -> None:
        a = nodes.start("a")
        nodes.start("b")
        nodes.start("eve", cookie="another-cookie-altogether-and-long")
        follow(a, {"two": {"strategy": "static", "nodes": ["b", "eve"]}})
        until(lambda: start_stop.info(a)["cluster"]["failed_dials"] >= 1)
        assert Cluster.wait(2, timeout=HANG) == ["a@test", "b@test"]
        own = [one for one in caplog.records if getattr(one, "topology", None) == "two"]
        [record] = [one for one in own if one.levelno >= logging.WARNING]
        assert record.getMessage().startswith(
            "cluster two: eve@test cannot be reached: the cookie of eve@test differs from ours"
        )
        state, reason = Cluster.info()["found"]["eve@test"]
        assert (state, "the cookie of eve@test differs from ours" in reason) == ("resting", True)

    def test_seed_without_an_argument_is_named_by_its_kind(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        nodes.start("a", seeds=["local:"])
        nodes.start("eve", cookie="another-cookie-altogether-and-long")
        until(lambda: "cluster local: eve@test cannot be reached: the cookie of" in caplog.text)

    def test_l7_records_have_fields(self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, logger="pyx.node")
        a, b = nodes.start("a"), nodes.start("b")
        follow(a, {"two": {"strategy": "static", "nodes": ["b", "none"]}})
        Cluster.wait(2, timeout=HANG)
        until(lambda: start_stop.info(a)["cluster"]["failed_dials"] >= 1)
        start_stop.stop(b)
        until(lambda: start_stop.info(a)["cluster"]["losses"] == 1)

        def events() -> set[tuple[Any, ...]]:
            facts = [vars(record) for record in caplog.records]
            fields = ("event", "topology", "node", "reason")
            return {tuple(fact.get(field) for field in fields) for fact in facts if "event" in fact}

        expected = {
            ("connect", "two", "b@test", None),
            ("connect_failed", "two", "none@test", "no node of that name runs on this host"),
            ("lost", "two", "b@test", None),
        }
        until(lambda: expected <= events())


class TestHooks:
    def test_l5_connect_is_called_again_while_list_nodes_does_not_show_the_node(
        self, nodes: LocalNodes
    ) -> None:
        a = nodes.start("a")
        asked: list[str] = []
        up: list[str] = []

        def connect(node: str) -> bool:
            asked.append(node)
            if len(asked) == 3:
                up.append(node)
            return True

        def list_nodes() -> list[str]:
            return up

        follow(
            a, {"x": {"strategy": "static", "nodes": ["far@away"]}}, connect=connect, list_nodes=list_nodes
        )
        assert Cluster.wait(2, timeout=HANG) == ["a@test", "far@away"]
        assert asked == ["far@away"] * 3
        assert connected(a) == []

    def test_hooks_may_be_coroutines_and_disconnect_prunes(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        up: set[str] = set()

        async def connect(node: str) -> bool:
            await asyncio.sleep(0)
            up.add(node)
            return True

        async def disconnect(node: str) -> None:
            up.discard(node)

        async def list_nodes() -> set[str]:
            return up

        topologies = {"script": {**SCRIPTED["script"], "prune": True}}
        follow(a, topologies, connect=connect, disconnect=disconnect, list_nodes=list_nodes)
        told(a, [{"far@away"}], 1)
        Cluster.wait(2, timeout=HANG)
        told(a, [{"a"}, {"a"}], 3)
        until(lambda: not up)

    @pytest.mark.parametrize("hook", ["connect", "disconnect", "list_nodes"])
    def test_hook_is_a_function(self, nodes: LocalNodes, hook: str) -> None:
        nodes.start("a")
        with pytest.raises(TypeError, match=f"^the {hook} of a cluster is a function, not 3$"):
            Cluster.start(FAR, **{hook: 3})  # type: ignore[arg-type]

    def test_hook_that_fails_is_the_reason(self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture) -> None:
        a = nodes.start("a")
        answers = iter([False, "ignored"])

        def connect(_: str) -> Any:
            return next(answers)  # at last StopIteration, which no future can bear

        follow(a, FAR, connect=connect)
        until(lambda: start_stop.info(a)["cluster"]["failed_dials"] >= 3)
        assert "far@away cannot be reached: connect() returned False" in caplog.text
        assert "far@away cannot be reached: connect() returned 'ignored'" in caplog.text

    def test_list_nodes_that_raises_changes_nothing(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")

        def list_nodes() -> list[str]:
            raise OSError("no answer")

        follow(a, {"x": {"strategy": "static", "nodes": ["b"]}}, list_nodes=list_nodes)
        until(lambda: "the function list_nodes has raised: OSError: no answer" in caplog.text)
        assert Cluster.info()["nodes"] == ["a@test"]

    def test_def_of_a_program_runs_outside_of_the_cluster(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        seen: list[Any] = []

        def connect(_: str) -> bool:
            try:
                seen.append(own_pid())
            except NotAProcess as error:
                seen.append(error)
            return True

        follow(a, FAR, connect=connect)
        until(lambda: bool(seen))
        assert isinstance(seen[0], NotAProcess)


def test_counters_of_a_node_without_a_cluster_are_empty(nodes: LocalNodes) -> None:
    nodes.start("a")
    assert Node.info()["cluster"] == {}
