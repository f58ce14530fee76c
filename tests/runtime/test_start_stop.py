"""start_stop.py: A node is started and stopped: names, options, refusals, what is left behind."""

from __future__ import annotations

import asyncio
import io
import os
import queue
import signal
import socket
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest

from pyx import receive
from pyx.errors import AlreadyStarted, NameTaken, NodeNameInvalid, PyxError
from pyx.execution import interrupts
from pyx.execution.stdout_router import StdoutRouter
from pyx.options import NodeOptions
from pyx.runtime import start_stop
from pyx.wire.frames.fragments import MAX_PAYLOAD_BYTES
from tests.local_nodes import (
    COOKIE,
    HANG,
    LocalNodes,
    Running,
    as_process,
    killed_in_c,
    start_node,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyx.runtime.local_node import LocalNode


def start(node: LocalNode, name: str = "a@test", **options: Any) -> str:
    return start_node(node, name, **options)


@pytest.fixture(autouse=True)
def own_handler() -> Iterator[None]:
    """The test runner's handler of Ctrl-C stays what it was."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def unknown(hostname: str) -> None:
    """A resolver that does not know this host, or is asked for what cannot be a host."""
    hostname.encode("idna")
    raise OSError(f"unknown host {hostname}")


class TestStart:
    def test_start_returns_the_full_name(self, node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pyx.runtime.local_node.socket.gethostname", lambda: "vm")
        assert start(node, "billing") == "billing@vm"
        assert node.kernel.tables.name == "billing@vm"
        assert 0 < node.kernel.tables.creation < 2**32

    @pytest.mark.parametrize("hostname", ["vm", "b\u00fcro.local", "gus pc.lan", "", "h" * 64])
    def test_long_name_needs_a_host_that_others_can_dial(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch, hostname: str
    ) -> None:
        """This host's own name is taken where none is given."""
        monkeypatch.setattr(socket, "gethostname", lambda: hostname)
        monkeypatch.setattr(socket, "gethostbyaddr", unknown)
        with pytest.raises(NodeNameInvalid, match="a long name has a host with a dot, or an") as caught:
            start(node, "gus", long=True)
        assert caught.value.hint == "name the host: gus@10.0.0.5, gus@host.example"

    def test_long_name_without_a_host_is_of_this_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getfqdn", lambda: "vm.example.org")
        assert start_stop._long_name("gus") == "gus@vm.example.org"

    def test_each_start_is_an_incarnation_of_its_own(self, node: LocalNode) -> None:
        start(node)
        first = node.kernel.tables.creation
        start_stop.stop(node)
        start(node)
        assert node.kernel.tables.creation != first

    def test_second_start_is_refused(self, node: LocalNode) -> None:
        start(node)
        with pytest.raises(AlreadyStarted, match="this process is already the node a@test"):
            start(node, "b@test")
        assert node.kernel.tables.name == "a@test"

    def test_two_starts_at_once_are_one_start_and_one_refusal(self, node: LocalNode, home: str) -> None:
        results: queue.SimpleQueue[str] = queue.SimpleQueue()
        together = threading.Barrier(2)

        def starts(name: str) -> None:
            together.wait(HANG)
            try:
                results.put(start(node, name))
            except AlreadyStarted as error:
                results.put(str(error))

        names = ("one@test", "two@test")
        for name in names:
            threading.Thread(target=starts, args=(name,)).start()
        seen = {results.get(timeout=HANG) for _ in names}
        winner = node.kernel.tables.name
        assert seen == {winner, f"this process is already the node {winner}"}
        start_stop.stop(node)
        assert not [file for file in os.listdir(home) if file.endswith((".sock", ".lock"))]

    def test_two_stops_at_once_are_one_stop(self, node: LocalNode) -> None:
        start(node)
        results: queue.SimpleQueue[bool] = queue.SimpleQueue()
        together = threading.Barrier(2)

        def stops() -> None:
            together.wait(HANG)
            results.put(start_stop.stop(node))

        for _ in range(2):
            threading.Thread(target=stops).start()
        assert sorted(results.get(timeout=HANG) for _ in range(2)) == [False, True]
        assert not node.kernel.tables.name

    @pytest.mark.parametrize(
        ("module", "library", "question"),
        [
            ("gevent.monkey", "gevent", "is_module_patched"),
            ("eventlet.patcher", "eventlet", "is_monkey_patched"),
        ],
    )
    def test_start_in_a_program_of_green_threads_is_refused(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch, module: str, library: str, question: str
    ) -> None:
        patched = types.SimpleNamespace(**{question: lambda _: True})
        monkeypatch.setitem(sys.modules, module, patched)
        with pytest.raises(PyxError, match=f"{library} has replaced the threads of this program") as refused:
            start(node)
        assert refused.value.hint == f"run the node in a program without {library}"
        assert not node.kernel.tables.name

    def test_invalid_name_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(NodeNameInvalid):
            start(node, "no good")

    def test_refused_start_leaves_no_files_and_no_name(self, node: LocalNode, home: str) -> None:
        before = sorted(os.listdir(home))
        for options in (
            {"tick": 0},
            {"rpc": "?"},
            {"name": "no good"},
            {"cookie": None, "cookie_file": "/x"},
        ):
            name = options.pop("name", "a@test")
            with pytest.raises((ValueError, PyxError)):
                start(node, str(name), **options)
        assert sorted(os.listdir(home)) == before
        assert not node.kernel.tables.name
        assert start(node)

    def test_options_are_applied(self, node: LocalNode) -> None:
        start(node, hidden=True, tick=3.0, rpc="off", max_message_mib=2)
        kernel = node.kernel
        assert (kernel.tables.hidden, kernel.sessions.tick_seconds, kernel.tables.policy) == (
            True,
            3.0,
            "off",
        )
        assert node.max_message_bytes == 2 * 1024 * 1024

    def test_options_of_the_last_incarnation_are_not_kept(self, node: LocalNode) -> None:
        start(node, max_message_mib=2)
        start_stop.stop(node)
        start(node)
        assert node.max_message_bytes == MAX_PAYLOAD_BYTES

    def test_cookie_is_read_from_a_file(self, node: LocalNode, tmp_path: Path) -> None:
        (tmp_path / "cookie").write_text("pyx1-" + "2" * 43 + "\n")
        (tmp_path / "cookie").chmod(0o600)
        start(node, cookie=None, cookie_file=str(tmp_path / "cookie"))
        assert node.transport is not None
        assert node.transport.cookies.cookie.text == "pyx1-" + "2" * 43

    def test_cookie_of_the_home_directory_is_made(self, node: LocalNode, home: str) -> None:
        start(node, cookie=None)
        assert ".pyx.cookie" in os.listdir(home)

    def test_async_processes_run_in_the_applications_loop(self, node: LocalNode) -> None:
        async def application() -> Any:
            start(node, loop=asyncio.get_running_loop())
            ran: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

            async def process() -> None:
                ran.set_result(asyncio.get_running_loop())

            node.processes.spawn(process, ())
            return await asyncio.wait_for(ran, HANG) is asyncio.get_running_loop()

        assert asyncio.run(application())

    def test_output_is_routed_only_with_route_output(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        start(node)
        assert not isinstance(sys.stdout, StdoutRouter)
        start_stop.stop(node)
        start(node, route_output=True)
        assert isinstance(sys.stdout, StdoutRouter)

    def test_start_guards_pyx_from_ctrl_c(self, node: LocalNode) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        start(node)
        assert signal.getsignal(signal.SIGINT) is interrupts.interrupted

    def test_start_in_a_process(self, node: LocalNode) -> None:
        assert as_process(node, lambda: start(node)) == "a@test"

    def test_two_starts_of_processes_at_once_are_one_start(self, node: LocalNode) -> None:
        barrier, outcomes = threading.Barrier(2), list[str]()

        def begin() -> None:
            barrier.wait(HANG)
            try:
                outcomes.append(start(node))
            except PyxError as error:
                outcomes.append(type(error).__name__)

        both = [threading.Thread(target=begin) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join(HANG)
        assert "a@test" in outcomes
        assert set(outcomes) - {"a@test"} <= {"NameTaken", "AlreadyStarted"}
        assert len(outcomes) == 2


class TestStop:
    def test_stop_gives_up_the_name(self, node: LocalNode, home: str) -> None:
        start(node)
        assert start_stop.stop(node) is True
        assert not node.kernel.tables.name
        assert [name for name in os.listdir(home) if name.endswith((".lock", ".sock"))] == []

    def test_stop_without_a_name_is_false(self, node: LocalNode) -> None:
        assert start_stop.stop(node) is False
        start(node)
        start_stop.stop(node)
        assert start_stop.stop(node) is False

    def test_processes_and_their_pids_survive_stop_and_start(self, node: LocalNode) -> None:
        running = Running(node, receive)
        start(node)
        assert node.kernel.tables.find(running.pid)
        start_stop.stop(node)
        node.sending.send(running.pid, "still here")
        assert running.outcome() == "still here"

    def test_nodes_stop_with_the_interpreter(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        start_stop._stop_all()
        assert (a.kernel.tables.name, b.kernel.tables.name) == ("", "")
        assert not {a, b} & set(start_stop._started)


class TestInfo:
    def test_info_of_a_node_without_a_name(self, node: LocalNode) -> None:
        facts = start_stop.info(node)
        assert facts["name"] is None
        assert facts["nodes"] == []
        assert facts["processes"] == 0

    def test_info_of_a_node_with_a_name(self, nodes: LocalNodes) -> None:
        a = nodes.start("a", hidden=True)
        facts = start_stop.info(a)
        assert (facts["name"], facts["host"], facts["hidden"]) == ("a@test", "test", True)
        assert (facts["policy"], facts["tick"], facts["registered"]) == ("open", 15.0, [])
        assert facts["creation"] == a.kernel.tables.creation
        assert facts["threads"] >= 2
        assert facts["dying_threads"] == 0
        assert facts["max_message_mib"] == 128

    def test_info_has_the_delay_of_a_blocked_loop(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        assert a.transport is not None
        standing, go_on = threading.Event(), threading.Event()

        def stand_still() -> None:
            standing.set()
            wait_for(go_on)

        a.transport_loop.soon(stand_still)
        wait_for(standing)
        until(lambda: start_stop.info(a)["loop_lag"] > 0.0)  # measured once a second, and late here
        go_on.set()

    def test_info_without_a_name_has_no_loop_lag(self, node: LocalNode) -> None:
        assert start_stop.info(node)["loop_lag"] is None

    def test_info_counts_threads_that_outlive_their_process(self, node: LocalNode) -> None:
        with killed_in_c(node):
            assert start_stop.info(node)["dying_threads"] == 1
        until(lambda: start_stop.info(node)["dying_threads"] == 0)


def test_numbered_nodes_share_a_name(nodes: LocalNodes) -> None:
    started = [start_node(nodes.make(), "shop@test", numbered=True) for _ in range(3)]
    assert started == ["shop@test", "shop-2@test", "shop-3@test"]
    with pytest.raises(NameTaken) as taken:
        start_node(nodes.make(), "shop@test")
    assert taken.value.hint is None
    with pytest.raises(NameTaken, match="the name shop@test is in use") as taken:
        start_stop.start_in_program(nodes.make(), NodeOptions("shop@test", cookie=COOKIE))
    assert taken.value.hint == "numbered=True lets the workers of a service share a name"


def test_numbered_name_that_is_free_again_is_taken_again(nodes: LocalNodes) -> None:
    first = nodes.make()
    start_node(first, "shop@test", numbered=True)
    start_node(nodes.make(), "shop@test", numbered=True)
    start_stop.stop(first)
    assert start_node(nodes.make(), "shop@test", numbered=True) == "shop@test"
