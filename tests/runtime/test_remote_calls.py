"""remote_calls.py: The end of a call as its caller sees it, for everything that may come back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import EncodeError, RemoteError, RpcError, RpcNoConnection, RpcRefused, RpcUndefined
from pyx.runtime.pending_answer import PendingAnswer
from pyx.runtime.remote_calls import encoded_call, sorted_out, targets, value_of
from pyx.signals import Payload
from pyx.terms import Raised
from pyx.wire.codec import decode
from tests.staging import Stage, as_process, encoded

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


class TestAsking:
    def test_both_forms_make_one_payload(self, node: LocalNode) -> None:
        named = decode(encoded_call(node, "posixpath", "join", ["a", "b"]), None)
        assert named == ("posixpath", "join", ["a", "b"])
        assert decode(encoded_call(node, os.path.join, ["a", "b"], ()), None) == named
        assert decode(encoded_call(node, "os", "getpid", []), None) == ("os", "getpid", [])

    def test_too_many_arguments_for_a_function(self, node: LocalNode) -> None:
        with pytest.raises(TypeError, match="the arguments come as one list"):
            encoded_call(node, os.path.join, ["a"], ["b"])

    def test_what_is_no_data_is_named(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"cannot send args\[1\]"):
            encoded_call(node, "os", "getpid", [1, object()])


def answered(node: LocalNode, outcome: str | None, body: Any = None) -> PendingAnswer:
    pending = PendingAnswer(node)
    if outcome is not None:
        pending.resolve(outcome, body)
    return pending


class TestEnds:
    def value(self, node: LocalNode, outcome: str, body: Any) -> Any:
        return value_of(node, "b@test", answered(node, outcome, body))

    def test_a_value(self, node: LocalNode) -> None:
        assert self.value(node, "value", encoded([1, 2])) == [1, 2]
        assert self.value(node, "value", encoded(Raised("ValueError", "as a value"))).text == "as a value"

    def test_no_connection(self, node: LocalNode) -> None:
        with pytest.raises(RpcNoConnection, match="no connection to b@test: it hung up"):
            self.value(node, "noconnection", "it hung up")

    def test_refused(self, node: LocalNode) -> None:
        with pytest.raises(RpcRefused, match=r"b@test refuses calls \(it runs with --rpc off\)"):
            self.value(node, "refused", "off")

    def test_undefined(self, node: LocalNode) -> None:
        with pytest.raises(RpcUndefined, match="b@test has no module nope"):
            self.value(node, "undefined", encoded(("nope", None)))
        with pytest.raises(RpcUndefined, match="b@test has no function f in module m"):
            self.value(node, "undefined", encoded(("m", "f")))

    def test_raised(self, node: LocalNode) -> None:
        with pytest.raises(RemoteError) as failed:
            self.value(node, "raised", encoded(Raised("ValueError", "no stock", "Traceback ...")))
        error = failed.value
        assert (error.node, error.type, error.text, error.traceback) == (
            ("b@test", "ValueError", "no stock", "Traceback ...")
        )  # fmt: skip
        assert str(error) == "ValueError: no stock"

    @pytest.mark.parametrize(
        ("reason", "text"), [("killed", "killed"), (encoded(("shutdown", 3)), "('shutdown', 3)")]
    )
    def test_ended(self, node: LocalNode, reason: Any, text: str) -> None:
        with pytest.raises(RemoteError) as failed:
            self.value(node, "exit", reason)
        assert (failed.value.type, failed.value.text) == ("Exit", text)

    def test_an_answer_that_cannot_be_read(self, node: LocalNode) -> None:
        with pytest.raises(RpcError, match="the answer of b@test cannot be read"):
            self.value(node, "value", Payload(b"\xc1"))

    @pytest.mark.parametrize(
        ("outcome", "body"), [("undefined", 42), ("undefined", (1, 2)), ("raised", "no"), ("bliss", 42)]
    )
    def test_an_answer_that_makes_no_sense(self, node: LocalNode, outcome: str, body: Any) -> None:
        with pytest.raises(RpcError, match="the answer of b@test is malformed"):
            self.value(node, outcome, encoded(body))


class TestMany:
    def test_whom_a_multicall_means(self, stage: Stage) -> None:
        a = stage.start("a")
        assert targets(a, None) == ["a@test"]
        assert targets(a, ["b", "c@other"]) == ["b@test", "c@other"]
        with pytest.raises(TypeError, match="multicall takes a list of nodes, not 'b'"):
            targets(a, "b")

    def test_answers_in_order_failures_among_them_and_who_did_not_answer(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        dests = ["a@h", "b@h", "c@h", "d@h"]
        pendings = [
            answered(node, "value", encoded(1)),
            answered(node, "noconnection", "gone"),
            answered(node, "raised", encoded(Raised("ValueError", "x"))),
            answered(node, None),
        ]
        results, unanswered = sorted_out(node, dests, pendings)
        assert results[0] == 1
        assert isinstance(results[1], RemoteError)
        assert unanswered == ["b@h", "d@h"]
        assert [record.getMessage() for record in caplog.records] == ["no answer from b@h: gone"]


def test_a_call_prints_on_its_callers_terminal(node: LocalNode) -> None:
    """The leader goes with the call, also to this node itself."""
    from pyx import Process, rpc

    def body() -> Any:
        return rpc.call("nonode@nohost", "Process", "group_leader"), Process.group_leader()

    called, calling = as_process(node, body)
    assert called == calling
