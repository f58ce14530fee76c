"""erlang_payloads.py, acquaintance.py: What an Erlang node cannot hold is refused at the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.errors import EncodeError
from pyx.runtime.acquaintance import met
from pyx.runtime.erlang_payloads import erlang_call, erlang_message
from pyx.runtime.request import wait
from pyx.terms import Incarnation
from pyx.wire.beam.term import ErlangCall, ErlangTerm
from tests.local_nodes import in_kernel, until

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

HERE = Incarnation("gus@vm", 3)
LIMIT = 1000


def test_message_is_a_term() -> None:
    payload = erlang_message({"a": 1}, HERE, LIMIT)
    assert isinstance(payload.data, ErlangTerm)
    assert payload.data.decode(HERE) == {"a": 1}


@pytest.mark.parametrize("message", [float("nan"), [float("inf")], "x" * 2000, object()])
def test_message_that_erlang_has_not_is_refused(message: object) -> None:
    with pytest.raises(EncodeError, match="cannot send message"):
        erlang_message(message, HERE, LIMIT)


def test_call_names_its_function_as_erlang_does() -> None:
    call = erlang_call("Enum", "sum", [[1]], None, None, HERE, LIMIT).data
    assert isinstance(call, ErlangCall)
    assert (call.module, call.function, call.arity) == ("Elixir.Enum", "sum", 1)


def test_call_that_cannot_be_made_says_how() -> None:
    with pytest.raises(EncodeError, match=r"cannot send args\[0\]"):
        erlang_call("Enum", "sum", [float("nan")], None, None, HERE, LIMIT)
    with pytest.raises(EncodeError, match="kwargs"):
        erlang_call("Enum", "sum", [], {"a": 1}, None, HERE, LIMIT)
    with pytest.raises(EncodeError) as refused:
        erlang_call("__main__", "<lambda>", [], None, ("source",), HERE, LIMIT)
    assert refused.value.hint is not None
    assert '("IO", "puts", ["hi"])' in refused.value.hint


def test_node_is_met_before_what_is_encoded_for_it(nodes: LocalNodes) -> None:
    a, b = nodes.start("a"), nodes.start("b")
    wait("rpc.call", met(a, "b@test"))
    assert a.kernel.tables.peers["b@test"].state == "up"
    assert not a.is_erlang("b@test")
    wait("rpc.call", met(a, "b@test"))
    wait("rpc.call", met(a, "a@test"))
    wait("rpc.call", met(a, "nosuch@test"))
    until(lambda: in_kernel(b, b.kernel.membership.nodes, ("visible",)) == ["a@test"])


def test_node_without_beam_speaks_with_no_erlang_nodes(node: LocalNode) -> None:
    assert not node.speaks_with_erlang
