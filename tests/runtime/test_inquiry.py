"""inquiry.py: `Process.info` of any pid: at home by a look, abroad by a question; and answers that make no
sense.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process, receive
from pyx import self as own_pid
from pyx.errors import NoConnection
from pyx.runtime import inquiry
from pyx.runtime.inquiry import as_asked, ask, ask_async, checked_keys, is_here
from pyx.runtime.pending_answer import PendingAnswer
from pyx.signals import Payload
from pyx.terms import Pid
from tests.staging import HANG, Running, Stage, as_process, encoded, seen_from, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode

    Asker = Callable[[LocalNode, Pid, list[str] | None], Any]


def plainly(node: LocalNode, pid: Pid, keys: list[str] | None) -> Any:
    return as_process(node, lambda: ask(node, pid, keys))


def by_coroutine(node: LocalNode, pid: Pid, keys: list[str] | None) -> Any:
    return asyncio.run(ask_async(node, pid, keys))


@pytest.fixture(params=[plainly, by_coroutine])
def asking(request: pytest.FixtureRequest) -> Asker:
    asker: Asker = request.param
    return asker


class TestKeys:
    def test_none_means_all_one_stays_one(self) -> None:
        assert checked_keys(None) is None
        assert checked_keys("status") == ["status"]
        assert checked_keys(["status", "kind"]) == ["status", "kind"]

    @pytest.mark.parametrize("keys", [1, [1], {"status"}, b"status"])
    def test_what_is_no_key(self, keys: Any) -> None:
        with pytest.raises(TypeError, match="a key is a str, or a list of them"):
            checked_keys(keys)

    def test_unknown_ones_are_refused_here_not_there(self) -> None:
        with pytest.raises(ValueError, match="unknown key 'colour'"):
            checked_keys("colour")

    def test_answers_have_the_shape_of_the_question(self) -> None:
        facts = {"status": "waiting"}
        assert as_asked(facts, "status") == ("status", "waiting")
        assert as_asked(facts, ["status"]) == facts
        assert as_asked(facts, None) == facts
        assert as_asked(None, "status") is None


def test_whose_a_pid_is(stage: Stage) -> None:
    a, b = stage.start("a"), stage.start("b")
    assert is_here(a, Pid(1))
    assert is_here(a, seen_from(b, a, Pid(1)))
    assert not is_here(a, seen_from(a, b, Pid(1)))
    assert not is_here(a, Pid(1, node="a@test", creation=a.kernel.creation + 1))


class TestAtHome:
    def test_it_is_looked_up(self, node: LocalNode, asking: Asker) -> None:
        pid = Running(node, receive).pid
        assert asking(node, pid, ["kind"]) == {"kind": "def"}
        assert asking(node, Pid(4711), None) is None


class TestAbroad:
    def test_it_is_asked_for(self, stage: Stage, asking: Asker) -> None:
        a, b = stage.start("a"), stage.start("b")

        def body() -> None:
            Process.register(own_pid(), "stock")
            Process.put("unsendable", receive)
            Process.put("lock", (x for x in ()))  # type: ignore[var-annotated]
            receive("end")

        pid = Running(b, body).pid
        until(lambda: b.kernel.whereis("stock") is not None)
        b.sending.send(pid, {"name": "nike"})
        facts = asking(a, seen_from(a, b, pid), ["registered_name", "messages", "links", "group_leader"])
        assert facts == {
            "registered_name": "stock",
            "messages": [{"name": "nike"}],
            "links": [],
            "group_leader": seen_from(a, b, Pid(0)),
        }

    def test_a_dictionary_that_is_no_data_is_shown_as_it_prints(self, stage: Stage, asking: Asker) -> None:
        a, b = stage.start("a"), stage.start("b")

        def body() -> None:
            Process.put("count", 3)
            Process.put("handle", (x for x in ()))  # type: ignore[var-annotated]
            receive("end")

        pid = Running(b, body).pid
        process = b.kernel.find(pid)
        assert process is not None
        until(lambda: len(process.dictionary) == 2)
        dictionary = asking(a, seen_from(a, b, pid), ["dictionary"])["dictionary"]
        assert dictionary["count"] == 3
        assert dictionary["handle"].startswith("cannot send message: <generator object")

    def test_a_dead_process_there_is_nobody(self, stage: Stage, asking: Asker) -> None:
        a, b = stage.start("a"), stage.start("b")
        assert asking(a, seen_from(a, b, Pid(4711)), None) is None
        assert asking(a, Pid(1, node="b@test", creation=b.kernel.creation + 1), None) is None

    def test_one_of_our_own_earlier_incarnation_is_dead(self, stage: Stage, asking: Asker) -> None:
        a = stage.start("a")
        pid = Running(a, receive).pid
        earlier = Pid(pid.number, node="a@test", creation=a.kernel.creation + 1)
        assert asking(a, earlier, None) is None

    def test_a_node_that_is_not_there(self, stage: Stage, asking: Asker) -> None:
        with pytest.raises(NoConnection, match="no connection to nobody@test: no node of that name runs"):
            asking(stage.start("a"), Pid(1, node="nobody@test", creation=1), None)

    def test_a_node_without_a_name_reaches_nobody(self, node: LocalNode, asking: Asker) -> None:
        with pytest.raises(NoConnection, match="this process is not a node"):
            asking(node, Pid(1, node="b@test", creation=1), None)

    def test_one_that_does_not_answer_costs_no_more_than_the_limit(
        self, stage: Stage, asking: Asker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inquiry, "SECONDS", 0.01)
        a, b = stage.start("a"), stage.start("b")
        import threading

        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        with pytest.raises(NoConnection, match=r"no answer within 0\.01 s"):
            asking(a, seen_from(a, b, Pid(1)), None)
        go_on.set()


class TestAnswers:
    """What a peer says is not taken at its word."""

    def answer(self, node: LocalNode, outcome: str, body: Any) -> Any:
        pending = PendingAnswer(node)
        pending.resolve(outcome, body)
        return inquiry.answer(node, Pid(1, node="b@test", creation=1), None, pending, in_time=True)

    def test_facts_or_nobody(self, node: LocalNode) -> None:
        assert self.answer(node, "value", encoded({"kind": "def"})) == {"kind": "def"}
        assert self.answer(node, "value", encoded(None)) is None

    def test_it_could_not_tell(self, node: LocalNode) -> None:
        with pytest.raises(NoConnection, match="it cannot answer: unknown key"):
            self.answer(node, "value", encoded(ValueError("unknown key 'x'")))

    def test_nonsense(self, node: LocalNode) -> None:
        with pytest.raises(NoConnection, match="its answer is malformed: no answer to an Ask"):
            self.answer(node, "nonsense", "no answer to an Ask")
        with pytest.raises(NoConnection, match="its answer is malformed: 42"):
            self.answer(node, "value", encoded(42))
        with pytest.raises(NoConnection, match="it cannot answer: malformed payload"):
            self.answer(node, "value", Payload(b"\xc1"))


class TestQuestions:
    """A peer may ask what it likes: it gets an answer, and nothing here breaks."""

    @pytest.mark.parametrize(
        "question", [42, ("no pid", None), (Pid(1), 42), (Pid(1), ["colour"]), (Pid(1), [["x"]]), ()]
    )
    def test_nonsense_is_answered(self, stage: Stage, question: Any) -> None:
        a, b = stage.start("a"), stage.start("b")
        Running(b, receive)

        def body() -> Any:
            with PendingAnswer(a) as pending:
                pending.ask(a.kernel.request_info, own_pid(), "b@test", "info", encoded(question))
                assert pending.wait(HANG)
            return inquiry.answer(a, Pid(1, node="b@test", creation=1), None, pending, in_time=True)

        with pytest.raises(NoConnection, match="it cannot answer"):
            as_process(a, body)
