"""reaching.py: Ping, connect, spawn there: the question, and what its caller makes of the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import EncodeError, NodeNameInvalid, RpcRefused
from pyx.runtime import reaching
from pyx.runtime.pending_answer import PendingAnswer
from tests.staging import HANG, Stage, as_process, in_kernel, wait_for

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid


class TestPing:
    def test_of_a_node_without_a_name_nobody_has_to_be_asked(self, node: LocalNode) -> None:
        assert reaching.ping(node, PendingAnswer(node), "b@test") == "pang"

    def test_a_name_that_is_none_is_refused_all_the_same(self, node: LocalNode) -> None:
        with pytest.raises(NodeNameInvalid):
            reaching.ping(node, PendingAnswer(node), "no good")

    def test_itself(self, stage: Stage) -> None:
        a = stage.start("a")
        pending = PendingAnswer(a)
        assert reaching.ping(a, pending, "a") is None
        assert pending.wait(HANG)
        assert reaching.pong(a, "a", pending, in_time=True) == "pong"

    def test_nobody(self, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
        a = stage.start("a")
        pending = PendingAnswer(a)
        assert reaching.ping(a, pending, "nobody") is None
        assert pending.wait(HANG)
        assert reaching.pong(a, "nobody", pending, in_time=True) == "pang"
        assert "cannot connect to nobody@test: no node of that name runs on this host" in caplog.text

    def test_one_that_does_not_answer_in_time_is_named(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        a, _ = stage.start("a"), stage.start("b")
        pending = PendingAnswer(a)
        reaching.ping(a, pending, "b")
        assert pending.wait(HANG)
        assert reaching.pong(a, "b", PendingAnswer(a), in_time=False) == "pang"
        assert caplog.messages == ["no answer from b@test within 5 s"]

    def test_one_that_could_not_be_dialled_in_time_is_named_once(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        a, b = stage.start("a"), stage.start("b")
        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        with PendingAnswer(a) as pending:
            assert reaching.ping(a, pending, "b") is None
        assert reaching.pong(a, "b", pending, in_time=False) == "pang"
        in_kernel(a, a.kernel.dial_failed, "b@test", "it did not answer within 5 s", time.monotonic())
        go_on.set()
        assert caplog.messages == ["cannot connect to b@test: it did not answer within 5 s"]


class TestConnect:
    def test_of_a_node_without_a_name_is_ignored(self, node: LocalNode) -> None:
        assert reaching.connect(node, PendingAnswer(node), "b@test") == "ignored"

    @pytest.mark.parametrize(("name", "ok"), [("a", True), ("b", True), ("nobody", False)])
    def test_ends(self, stage: Stage, name: str, ok: bool) -> None:
        a, _ = stage.start("a"), stage.start("b")
        pending = PendingAnswer(a)
        assert reaching.connect(a, pending, name) is None
        assert pending.wait(HANG)
        assert reaching.connected(pending, in_time=True) is ok

    def test_one_that_never_ends_is_a_failure(self, node: LocalNode) -> None:
        assert reaching.connected(PendingAnswer(node), in_time=False) is False


class TestSpawn:
    def test_the_pid_comes_from_there(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        call = ("pyx", "receive", [])  # type: ignore[var-annotated]
        pid, ref = as_process(a, lambda: reaching.spawn("b", call, link=False, monitor=True))
        assert (pid.node, pid.creation) == ("b@test", b.kernel.creation)
        assert ref is not None

    def test_an_argument_that_is_no_data(self, stage: Stage) -> None:
        a = stage.start("a")
        with pytest.raises(EncodeError, match=r"cannot send args\[0\]"):
            as_process(a, lambda: reaching.spawn("a", ("os", "f", [object()]), link=False, monitor=False))

    def test_one_that_may_not(self, stage: Stage) -> None:
        a, _ = stage.start("a"), stage.start("b", rpc="off")
        with pytest.raises(RpcRefused, match="b@test refuses calls"):
            as_process(a, lambda: reaching.spawn("b", ("os", "getpid", []), link=False, monitor=False))

    def test_out_of_reach_it_is_a_dead_process_here_and_a_warning(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = stage.start("a")

        def body() -> tuple[Pid, Any]:
            return reaching.spawn("nobody", ("os", "getpid", []), link=False, monitor=False)

        pid, ref = as_process(a, body)
        assert pid.is_local
        assert a.kernel.find(pid) is None
        assert ref is None
        assert [record.getMessage() for record in caplog.records] == [
            "cannot start os.getpid on nobody@test: no node of that name runs on this host"
        ]

    def test_the_dead_pid_is_the_one_that_its_monitor_names(self, stage: Stage) -> None:
        from pyx import receive

        a = stage.start("a")

        def body() -> tuple[Any, ...]:
            pid, ref = reaching.spawn("nobody", ("os", "getpid", []), link=False, monitor=True)
            return receive(timeout=HANG), ("DOWN", ref, "process", pid, "noconnection")

        message, expected = as_process(a, body)
        assert message == expected
