"""receiving.py, rpc_client.py, encoding.py: Binaries of Erlang nodes are texts, or bytes for who asks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Node, Process, receive, rpc
from pyx import self as own_pid
from pyx.runtime.request import PendingAnswer
from pyx.runtime.rpc_client import value_of
from pyx.signals import EncodedTerm, Payload
from tests.local_nodes import HANG, as_process, in_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Incarnation
    from tests.local_nodes import LocalNodes


class Greeting(EncodedTerm):
    """A message of another dialect, which says how its binaries are asked for."""

    __slots__ = ()

    def __len__(self) -> int:
        return 2

    def decode(self, here: Incarnation | None, binaries: str = "str") -> Any:
        return ("greet", binaries)


def test_process_asks_for_the_binaries_of_erlang_nodes_as_bytes(node: LocalNode) -> None:
    def body() -> Any:
        for _ in range(3):
            in_kernel(node, node.kernel.router.send, None, own_pid(), Payload(Greeting()))
        first = receive()
        kept = receive("other", lambda message: message == ("greet", "str"))
        flags = [Process.flag("binaries", "bytes"), Process.flag("binaries", "bytes")]
        return first, kept, flags, receive(("greet", str))

    assert as_process(node, body) == (
        ("greet", "str"),
        ("greet", "str"),
        ["str", "bytes"],
        ("greet", "bytes"),
    )
    with pytest.raises(ValueError, match="'str' or 'bytes', not as 'text'"):
        as_process(node, lambda: Process.flag("binaries", "text"))


def test_call_asks_for_the_binaries_of_its_answer_as_bytes(node: LocalNode) -> None:
    pending = PendingAnswer(node)
    pending.outcome, pending.body = "value", Payload(Greeting())
    assert value_of(node, "a@vm", pending) == ("greet", "str")
    assert value_of(node, "a@vm", pending, binaries="bytes") == ("greet", "bytes")


def test_binaries_is_an_option_of_calls_by_name_alone(nodes: LocalNodes) -> None:
    node = nodes.start("a")
    here = as_process(node, Node.self)
    by_name = as_process(node, lambda: rpc.call(here, "builtins", "len", [[1, 2]], binaries="bytes"))
    assert by_name == 2
    kinds: list[Callable[..., Any]] = [
        rpc.call,
        rpc.async_call,
        lambda one, *called, **options: rpc.multicall([one], *called, **options),
        lambda one, *called, **options: rpc.within(HANG).multicall([one], *called, **options),
    ]
    for kind in kinds:
        with pytest.raises(ValueError, match=r"^binaries of .* arrive as 'str' or 'bytes', not as 'text'$"):
            as_process(node, functools.partial(kind, here, "builtins", "len", [[1]], binaries="text"))
    assert as_process(node, lambda: rpc.call(here, takes_binaries, binaries="mine")) == "mine"
    assert as_process(node, lambda: rpc.multicall([here], takes_binaries, binaries="mine")) == (["mine"], [])
    asked = as_process(node, lambda: rpc.async_call(here, takes_binaries, binaries="mine"))
    assert asked.result(HANG) == "mine"
    with pytest.raises(TypeError, match="cast has no option binaries here"):  # it has no answer
        as_process(node, lambda: rpc.cast(here, "builtins", "len", [[1]], binaries="bytes"))  # type: ignore[call-overload]


def takes_binaries(binaries: str) -> str:
    return binaries
