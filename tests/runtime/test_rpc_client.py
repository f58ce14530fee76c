"""rpc_client.py: What each answer to a call becomes for its caller, alone and in a multicall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import EncodeError, RemoteError, RpcError, RpcNoConnection, RpcRefused, RpcUndefined
from pyx.runtime.call_forms import Callee
from pyx.runtime.request import PendingAnswer
from pyx.runtime.rpc_client import destinations, encoded_callee, results_of, value_of
from pyx.signals import Payload
from pyx.terms import Raised
from pyx.wire.codec import decode
from tests.local_nodes import LocalNodes, as_process, encoded

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


class TestAsking:
    def test_keyword_arguments_are_part_of_a_payload_where_there_are_any(self, node: LocalNode) -> None:
        bare = encoded_callee(node, "", Callee("os", "getpid", [], {}))
        assert decode(bare, None) == ("os", "getpid", [])
        named = encoded_callee(node, "", Callee("shop", "total", [1], {"currency": "EUR"}))
        assert decode(named, None) == ("shop", "total", [1], {"currency": "EUR"})

    def test_argument_that_is_not_data_is_named(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"cannot send args\[1\]"):
            encoded_callee(node, "", Callee("os", "getpid", [1, object()], {}))
        with pytest.raises(EncodeError, match=r"cannot send kwargs\['x'\]"):
            encoded_callee(node, "", Callee("os", "getpid", [1], {"x": object()}))


def answered(node: LocalNode, outcome: str | None, body: Any = None) -> PendingAnswer:
    pending = PendingAnswer(node)
    if outcome is not None:
        pending.resolve(outcome, body)
    return pending


class TestAnswers:
    def value(self, node: LocalNode, outcome: str, body: Any) -> Any:
        return value_of(node, "b@test", answered(node, outcome, body))

    def test_value_is_returned(self, node: LocalNode) -> None:
        assert self.value(node, "value", encoded([1, 2])) == [1, 2]
        assert self.value(node, "value", encoded(Raised("ValueError", "as a value"))).text == "as a value"

    def test_lost_connection_raises_rpc_no_connection(self, node: LocalNode) -> None:
        with pytest.raises(RpcNoConnection, match="no connection to b@test: it hung up"):
            self.value(node, "noconnection", "it hung up")

    def test_refused_call_raises_rpc_refused(self, node: LocalNode) -> None:
        with pytest.raises(RpcRefused, match=r"b@test refuses calls \(it runs with --rpc off\)"):
            self.value(node, "refused", "off")

    def test_undefined_function_raises_rpc_undefined(self, node: LocalNode) -> None:
        with pytest.raises(RpcUndefined, match="b@test has no module nope"):
            self.value(node, "undefined", encoded(("nope", None)))
        with pytest.raises(RpcUndefined, match="b@test has no function f in module m"):
            self.value(node, "undefined", encoded(("m", "f")))

    def test_exception_raises_remote_error(self, node: LocalNode) -> None:
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
    def test_exit_raises_remote_error(self, node: LocalNode, reason: Any, text: str) -> None:
        with pytest.raises(RemoteError) as failed:
            self.value(node, "exit", reason)
        assert (failed.value.type, failed.value.text) == ("Exit", text)

    def test_undecodable_answer_raises_rpc_error(self, node: LocalNode) -> None:
        with pytest.raises(RpcError, match="the answer of b@test cannot be decoded"):
            self.value(node, "value", Payload(b"\xc1"))

    @pytest.mark.parametrize(
        ("outcome", "body"), [("undefined", 42), ("undefined", (1, 2)), ("raised", "no"), ("bliss", 42)]
    )
    def test_malformed_answer_raises_rpc_error(self, node: LocalNode, outcome: str, body: Any) -> None:
        with pytest.raises(RpcError, match="the answer of b@test is malformed"):
            self.value(node, outcome, encoded(body))


class TestMulticall:
    def test_destinations_are_given_or_all_visible_nodes(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        assert destinations(a, None) == ["a@test"]
        assert destinations(a, ["b", "c@other"]) == ["b@test", "c@other"]
        with pytest.raises(TypeError, match="multicall takes a list of nodes, not 'b'"):
            destinations(a, "b")

    def test_results_are_in_order_and_unanswered_nodes_apart(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        dests = ["a@h", "b@h", "c@h", "d@h"]
        pendings = [
            answered(node, "value", encoded(1)),
            answered(node, "noconnection", "gone"),
            answered(node, "raised", encoded(Raised("ValueError", "x"))),
            answered(node, None),
        ]
        results, unanswered = results_of(node, dests, pendings)
        assert results[0] == 1
        assert isinstance(results[1], RemoteError)
        assert unanswered == ["b@h", "d@h"]
        assert [record.getMessage() for record in caplog.records] == ["no answer from b@h: gone"]


def test_call_has_its_callers_group_leader(node: LocalNode) -> None:
    """The group leader goes with the call, also on this node."""
    from pyx import Process, rpc

    def body() -> Any:
        return rpc.call("nonode@nohost", "Process", "group_leader"), Process.group_leader()

    called, calling = as_process(node, body)
    assert called == calling
