"""A pyx node and a node of OTP 28: what `test_erlang_nodes.py` and `test_erlang_servers.py` prove of OTP 25.

These need `erl` alone; they are skipped where OTP 28 is not here (`tests/README.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import GenServer, Node, Process, Supervisor, Sys, handle, receive, rpc
from pyx.atoms import Atom
from pyx.errors import RpcUndefined
from pyx.terms import Pid, Ref
from tests.beam.inbox import Inbox
from tests.beam.real_nodes import cookie_file
from tests.local_nodes import LocalNodes, as_process, start_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import ErlNode, RealNodes


class Shop(GenServer):
    """A server of Python."""

    def init(self) -> None:
        self.total = 0

    @handle.call
    def add(self, number: int) -> int:
        self.total += number
        return self.total


@pytest.fixture(scope="module")
def o(real: RealNodes) -> ErlNode:
    """A node of OTP 28."""
    return real.erl("o", release=28)


@pytest.fixture
def ann(
    real: RealNodes, o: ErlNode, nodes: LocalNodes, home: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalNode]:
    """A pyx node that is connected with it."""
    assert home
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    node = nodes.make()
    start_node(node, f"ann@{o.name.partition('@')[2]}", beam="hidden", beam_cookie_file=cookie_file(real))
    assert asked(o, node, "net_adm:ping(ANN)") == "pong"
    yield node
    asked(o, node, "erlang:disconnect_node(ANN)")


def asked(o: ErlNode, ann: LocalNode, expression: str) -> str:
    """The value of an expression, in which `ANN` is the name of the pyx node."""
    return o.ask(expression.replace("ANN", f"'{ann.kernel.tables.name}'") + ".")


def test_pyx_node_is_a_hidden_node_of_otp_28(ann: LocalNode, o: ErlNode) -> None:
    assert asked(o, ann, "{nodes(), nodes(hidden) =:= [ANN]}") == "{[],true}"
    assert as_process(ann, lambda: Node.list("connected")) == [o.name]
    assert as_process(ann, lambda: Node.ping(o.name)) == "pong"


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("rpc:call(ANN, math, sqrt, [16])", "4.0"),
        ("rpc:call(ANN, math, nope, [1])", "{badrpc,{'EXIT',{undef,[{math,nope,[1],[]}]}}}"),
        ("rpc:call(ANN, pyx, 'receive', [], 50)", "{badrpc,timeout}"),
        ("rpc:block_call(ANN, math, sqrt, [16])", "4.0"),
        ("erpc:call(ANN, math, sqrt, [16])", "4.0"),
        ("erpc:cast(ANN, math, sqrt, [16])", "ok"),
        ("erpc:receive_response(erpc:send_request(ANN, math, sqrt, [16]))", "4.0"),
        ("erpc:multicall([ANN, node()], erlang, node, []) =:= [{ok, ANN}, {ok, node()}]", "true"),
    ],
)
def test_call_from_otp_28_is_answered(ann: LocalNode, o: ErlNode, call: str, shown: str) -> None:
    assert asked(o, ann, call) == shown


def test_call_of_otp_28_is_answered(ann: LocalNode, o: ErlNode) -> None:
    assert as_process(ann, lambda: rpc.call(o.name, "lists", "sum", [[1, 2]])) == 3
    with pytest.raises(RpcUndefined):
        as_process(ann, lambda: rpc.call(o.name, "lists", "nope", []))


def test_server_of_python_is_called_looked_into_and_stopped(ann: LocalNode, o: ErlNode) -> None:
    as_process(ann, lambda: Shop.start(name="shop"))
    assert asked(o, ann, "gen_server:call({shop, ANN}, {add, 3})") == "3"
    assert asked(o, ann, "sys:get_state({shop, ANN})") == '#{<<"total">> => 3}'
    assert "CallUndefined" in asked(o, ann, "catch gen_server:call({shop, ANN}, nope)")
    assert asked(o, ann, "gen_server:stop({shop, ANN})") == "ok"
    assert asked(o, ann, "catch gen_server:call({shop, ANN}, {add, 3})").startswith("{'EXIT',{noproc,")


def test_servers_of_otp_are_looked_into(ann: LocalNode, o: ErlNode) -> None:
    children = as_process(ann, lambda: Supervisor.which_children(("kernel_sup", o.name)))
    assert "code_server" in [name for name, _, _ in children]
    status = as_process(ann, lambda: Sys.get_status(("kernel_sup", o.name)))
    assert status[2] == ("module", "gen_server")
    assert as_process(ann, lambda: Sys.get_state(("kernel_sup", o.name)))[0] == "state"


def test_alias_of_five_words_is_an_address(ann: LocalNode, o: ErlNode) -> None:
    stock = Inbox(ann, "stock")
    o.write(f"begin Al = alias([reply]), {{stock, '{ann.kernel.tables.name}'}} ! Al, receive X -> X end end.")
    alias = stock.next()
    assert type(alias) is Ref
    assert alias.number >= 2**96
    stock.sends(alias, (Atom("hi"), "there"))
    assert o.wait_for("\n<done>\n") == '{hi,<<"there">>}\n<done>\n'
    stock.end()


def test_ends_are_told_both_ways(ann: LocalNode, o: ErlNode) -> None:
    stock = Inbox(ann, "stock")
    o.write(
        f"begin R = monitor(process, {{stock, '{ann.kernel.tables.name}'}}), {{stock, "
        f"'{ann.kernel.tables.name}'}} ! ready, receive {{'DOWN', R, _, _, Why}} -> Why end end."
    )
    assert stock.next() == "ready"
    stock.exits((Atom("bad"), "day"))
    assert o.wait_for("\n<done>\n") == '{bad,<<"day">>}\n<done>\n'

    def linked() -> Any:
        Process.flag("trap_exit", True)
        pid, ref = Node.spawn_monitor(o.name, "timer", "sleep", [Atom("infinity")])
        Process.link(pid)
        Process.exit(pid, "kill")
        return receive(("EXIT", pid, ...), timeout=30)[2], receive(("DOWN", ref, ..., pid, ...), timeout=30)[
            4
        ]

    assert as_process(ann, linked) == ("killed", "killed")


def test_large_message_goes_in_fragments_both_ways(ann: LocalNode, o: ErlNode) -> None:
    stock = Inbox(ann, "stock")
    asked(o, ann, 'begin {stock, ANN} ! {binary:copy(<<"x">>, 1000000), self()}, ok end')
    text, pid = stock.next()
    assert text == "x" * 1_000_000
    assert type(pid) is Pid
    stock.sends(pid, "y" * 1_000_000)
    assert asked(o, ann, "receive B -> byte_size(B) after 30_000 -> none end") == "1000000"
    stock.end()


def test_node_is_watched_both_ways(ann: LocalNode, o: ErlNode) -> None:
    stock = Inbox(ann, "stock")
    stock.calls(lambda: Node.monitor(o.name, True))
    down = "receive {nodedown, ANN} -> down after 30_000 -> none end"
    assert asked(o, ann, f"begin monitor_node(ANN, true), erlang:disconnect_node(ANN), {down} end") == "down"
    assert stock.next() == ("nodedown", o.name)
    stock.end()
