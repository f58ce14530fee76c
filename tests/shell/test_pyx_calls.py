"""pyx_calls.py: calls of pyx's own functions on another node."""

from __future__ import annotations

import pytest

from pyx.errors import RpcError, RpcUndefined
from pyx.runtime.local_node import LocalNode
from pyx.shell.pyx_calls import call_pyx
from tests.local_nodes import LocalNodes, as_process


def test_an_erlang_node_is_named_as_one_and_not_by_what_it_lacks(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = nodes.start("a")
    nodes.start("b")
    monkeypatch.setattr(LocalNode, "is_erlang", lambda _, node: node == "b@test")
    with pytest.raises(RpcError, match=r"^b@test is an Erlang node, and runs no Python\n") as refused:
        as_process(a, lambda: call_pyx("b", "pyx.shell.pyx_calls", "nope"))
    assert not isinstance(refused.value, RpcUndefined)
    assert "iex --sname NAME --remsh b@test" in (refused.value.hint or "")


def test_a_node_of_another_pyx_says_what_it_lacks(nodes: LocalNodes) -> None:
    a = nodes.start("a")
    nodes.start("b")
    with pytest.raises(RpcUndefined, match="b@test has no function nope"):
        as_process(a, lambda: call_pyx("b", "pyx.shell.pyx_calls", "nope"))
