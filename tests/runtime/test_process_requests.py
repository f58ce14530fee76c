"""process_requests.py: `Process.info` of pids of this node and of others, and malformed answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process, receive
from pyx import self as own_pid
from pyx.errors import NoConnection
from pyx.runtime import process_requests, request
from pyx.runtime.process_requests import checked_keys, facts_of
from pyx.runtime.request import PendingAnswer, wait
from pyx.signals import Payload
from pyx.terms import Pid
from tests.local_nodes import HANG, LocalNodes, Running, as_process, encoded, seen_from, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode

    Asker = Callable[[LocalNode, Pid, list[str] | None], Any]


def by_thread(node: LocalNode, pid: Pid, keys: list[str] | None) -> Any:
    return as_process(node, lambda: wait("Process.info", process_requests.info(pid, keys)))


def by_coroutine(_: LocalNode, pid: Pid, keys: list[str] | None) -> Any:
    return asyncio.run(process_requests.info(pid, keys))


@pytest.fixture(params=[by_thread, by_coroutine])
def asking(request: pytest.FixtureRequest) -> Asker:
    asker: Asker = request.param
    return asker


class TestKeys:
    def test_one_key_and_several_become_a_list(self) -> None:
        assert checked_keys(None) is None
        assert checked_keys("status") == ["status"]
        assert checked_keys(["status", "kind"]) == ["status", "kind"]

    @pytest.mark.parametrize("keys", [1, [1], {"status"}, b"status"])
    def test_value_that_is_not_a_key_is_refused(self, keys: Any) -> None:
        with pytest.raises(TypeError, match="a key is a str, or a list of them"):
            checked_keys(keys)

    def test_unknown_key_is_refused(self) -> None:
        with pytest.raises(ValueError, match="unknown key 'colour'"):
            checked_keys("colour")

    def test_answer_has_the_shape_of_the_question(self, node: LocalNode) -> None:
        pid = Running(node, receive).pid
        assert Process.info(pid, "kind") == ("kind", "def")
        assert Process.info(pid, ["kind"]) == {"kind": "def"}
        assert "kind" in Process.info(pid)
        assert Process.info(Pid(4711), "kind") is None


class TestThisNode:
    def test_facts_of_a_local_pid_are_looked_up(self, node: LocalNode, asking: Asker) -> None:
        pid = Running(node, receive).pid
        assert asking(node, pid, ["kind"]) == {"kind": "def"}
        assert asking(node, Pid(4711), None) is None


class TestAnotherNode:
    def test_facts_of_a_remote_pid_are_asked_for(self, nodes: LocalNodes, asking: Asker) -> None:
        a, b = nodes.start("a"), nodes.start("b")

        def body() -> None:
            Process.register(own_pid(), "stock")
            Process.put("unsendable", receive)
            Process.put("lock", (x for x in ()))  # type: ignore[var-annotated]
            receive("end")

        pid = Running(b, body).pid
        until(lambda: b.kernel.registry.whereis("stock") is not None)
        b.sending.send(pid, {"name": "nike"})
        facts = asking(a, seen_from(a, b, pid), ["registered_name", "messages", "links", "group_leader"])
        assert facts == {
            "registered_name": "stock",
            "messages": [{"name": "nike"}],
            "links": [],
            "group_leader": seen_from(a, b, Pid(0)),
        }

    def test_value_that_is_not_data_is_replaced_by_its_error(self, nodes: LocalNodes, asking: Asker) -> None:
        a, b = nodes.start("a"), nodes.start("b")

        def body() -> None:
            Process.put("count", 3)
            Process.put("handle", (x for x in ()))  # type: ignore[var-annotated]
            receive("end")

        pid = Running(b, body).pid
        process = b.kernel.tables.find(pid)
        assert process is not None
        until(lambda: len(process.dictionary) == 2)
        dictionary = asking(a, seen_from(a, b, pid), ["dictionary"])["dictionary"]
        assert dictionary["count"] == 3
        assert dictionary["handle"].startswith("cannot send message: <generator object")

    def test_dead_remote_process_is_none(self, nodes: LocalNodes, asking: Asker) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        assert asking(a, seen_from(a, b, Pid(4711)), None) is None
        assert asking(a, Pid(1, node="b@test", creation=b.kernel.tables.creation + 1), None) is None

    def test_pid_of_an_earlier_incarnation_is_dead(self, nodes: LocalNodes, asking: Asker) -> None:
        a = nodes.start("a")
        pid = Running(a, receive).pid
        earlier = Pid(pid.number, node="a@test", creation=a.kernel.tables.creation + 1)
        assert asking(a, earlier, None) is None

    def test_unreachable_node_raises_no_connection(self, nodes: LocalNodes, asking: Asker) -> None:
        with pytest.raises(NoConnection, match="no connection to missing@test: no node of that name runs"):
            asking(nodes.start("a"), Pid(1, node="missing@test", creation=1), None)

    def test_node_without_a_name_raises_no_connection(self, node: LocalNode, asking: Asker) -> None:
        with pytest.raises(NoConnection, match="this Python is not a node"):
            asking(node, Pid(1, node="b@test", creation=1), None)

    def test_node_that_does_not_answer_raises_after_the_limit(
        self, nodes: LocalNodes, asking: Asker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(request, "ANSWER_SECONDS", 0.01)
        a, b = nodes.start("a"), nodes.start("b")
        import threading

        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        with pytest.raises(NoConnection, match=r"no answer within 0\.01 s"):
            asking(a, seen_from(a, b, Pid(1)), None)
        go_on.set()


class TestAnswers:
    """A peer may answer anything."""

    def answer(self, node: LocalNode, outcome: str, body: Any) -> Any:
        pending = PendingAnswer(node)
        pending.resolve(outcome, body)
        return facts_of(node, "b@test", None, pending)

    def test_facts_and_none_are_returned(self, node: LocalNode) -> None:
        assert self.answer(node, "value", encoded({"kind": "def"})) == {"kind": "def"}
        assert self.answer(node, "value", encoded(None)) is None

    def test_error_as_an_answer_raises_no_connection(self, node: LocalNode) -> None:
        with pytest.raises(NoConnection, match="it cannot answer: unknown key"):
            self.answer(node, "value", encoded(ValueError("unknown key 'x'")))

    def test_malformed_answer_raises_no_connection(self, node: LocalNode) -> None:
        with pytest.raises(NoConnection, match="its answer is malformed: no answer to an Ask"):
            self.answer(node, "nonsense", "no answer to an Ask")
        with pytest.raises(NoConnection, match="its answer is malformed: 42"):
            self.answer(node, "value", encoded(42))
        with pytest.raises(NoConnection, match="it cannot answer: malformed payload"):
            self.answer(node, "value", Payload(b"\xc1"))


class TestQuestions:
    """A peer may ask anything; it gets an answer."""

    @pytest.mark.parametrize(
        "question", [42, ("no pid", None), (Pid(1), 42), (Pid(1), ["colour"]), (Pid(1), [["x"]]), ()]
    )
    def test_malformed_question_is_answered_with_an_error(self, nodes: LocalNodes, question: Any) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        Running(b, receive)

        def body() -> Any:
            with PendingAnswer(a) as pending:
                with a.kernel_call as kernel:
                    pending.number = kernel.requests.info(
                        pending, own_pid(), "b@test", "info", encoded(question)
                    )
                assert wait("test", pending.wait(HANG))
            return facts_of(a, "b@test", None, pending)

        with pytest.raises(NoConnection, match="it cannot answer"):
            as_process(a, body)
