"""Connections with real Erlang nodes that carry much: suspended nodes, large messages, ticks of 8 seconds."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from pyx import Atom, Node, rpc, send
from pyx.core.outbox import HIGH_WATER_BYTES
from tests.beam.inbox import Inbox
from tests.beam.real_nodes import cookie_file, real_nodes
from tests.local_nodes import Running, as_process, freeze, start_node, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import ErlNode, RealNodes
    from tests.local_nodes import LocalNodes

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def real() -> Iterator[RealNodes]:
    with real_nodes() as real:
        yield real


@pytest.fixture(scope="module")
def h(real: RealNodes) -> ErlNode:
    """A node with the usual ticks, which also shows how this host is called."""
    return real.erl("h")


@pytest.fixture
def gus(
    real: RealNodes, h: ErlNode, nodes: LocalNodes, home: str, monkeypatch: pytest.MonkeyPatch
) -> LocalNode:
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    assert home
    node = nodes.make()
    host = h.name.partition("@")[2]
    start_node(node, f"gus@{host}", beam="hidden", beam_cookie_file=cookie_file(real))
    return node


@pytest.fixture
def o(real: RealNodes) -> Iterator[ErlNode]:
    node = real.erl("o", "-kernel", "net_ticktime", "8")
    yield node
    node.close()


def test_suspended_erlang_node_makes_its_senders_wait(gus: LocalNode, h: ErlNode) -> None:
    h.ask(
        "register(sink, spawn(fun() -> (fun F(N) -> receive {count, P} -> P ! {counted, N}, F(N); "
        "B when is_binary(B) -> F(N + byte_size(B)) end end)(0) end))."
    )
    assert as_process(gus, lambda: Node.ping(h.name)) == "pong"
    freeze(h.pid)
    counter = Inbox(gus, "counter")
    sent = 0

    def flood() -> int:
        nonlocal sent
        for _ in range(100):
            send(("sink", h.name), MIB * b"x")
            sent += 1
        send(("sink", h.name), (Atom("count"), counter.pid))
        return sent

    running = Running(gus, flood)
    queued: list[int] = []
    until(lambda: bool(gus.kernel.tables.peers[h.name].out.waiters))
    for _ in range(25):  # a queue that grew on would show here
        queued.append(gus.kernel.tables.peers[h.name].out.queued)
        threading.Event().wait(0.02)
    stayed = sent
    h.signal(signal.SIGCONT)
    assert max(queued) < 4 * HIGH_WATER_BYTES
    assert stayed < 50
    assert running.outcome(hang=60) == 100
    assert counter.next() == ("counted", 100 * MIB)
    counter.end()


def test_fifty_mib_from_an_erlang_node_come_whole_and_in_order(gus: LocalNode, o: ErlNode) -> None:
    stock = Inbox(gus, "stock")
    name = gus.kernel.tables.name
    o.ask(f"net_kernel:connect_node('{name}').")
    sent = f"{{I, binary:copy(<<$x>>, {MIB})}}"
    o.ask(f"spawn(fun() -> [{{stock, '{name}'}} ! {sent} || I <- lists:seq(1, 50)] end).")
    for number in range(1, 51):
        got, text = stock.next()
        assert (got, len(text)) == (number, MIB)
    stock.end()


def test_node_with_short_ticks_stays_while_64_mib_travel(gus: LocalNode, o: ErlNode) -> None:
    assert as_process(gus, lambda: Node.ping(o.name)) == "pong"
    session = gus.kernel.tables.peers[o.name].session
    size = as_process(gus, lambda: rpc.call(o.name, "erlang", "byte_size", [64 * MIB * b"x"]))
    assert size == 64 * MIB
    back = as_process(gus, lambda: rpc.call(o.name, "binary", "copy", [b"x", 64 * MIB], binaries="bytes"))
    assert len(back) == 64 * MIB
    assert gus.kernel.tables.peers[o.name].session == session


def test_tasks_of_an_elixir_supervisor_call_python_under_load_and_die_with_it(
    real: RealNodes, gus: LocalNode
) -> None:
    a = real.iex("a")
    a.ask(f"gus = :{gus.kernel.tables.name!r}; Process.flag(:trap_exit, true)".replace("'", '"'))
    call = "fn n -> :rpc.call(gus, :math, :sqrt, [n * n]) end"
    for running in (50, 100, 150):  # a call goes on though its caller has ended, as in OTP
        assert a.ask("{:ok, sup} = Task.Supervisor.start_link()").startswith("{:ok, #PID<")
        answers = f"Task.Supervisor.async_stream_nolink(sup, 1..500, {call}, max_concurrency: 50)"
        assert a.ask(f"{answers} |> Enum.map(&elem(&1, 1)) |> Enum.sum()") == "125250.0"
        work = "fn -> :rpc.call(gus, :pyx, :receive, []) end"
        a.ask(f"for _ <- 1..50, do: Task.Supervisor.start_child(sup, {work})")
        until(lambda running=running: len(gus.kernel.tables.processes) >= running)  # type: ignore[misc]
        a.ask("Process.exit(sup, :kill)")
        assert a.ask(":rpc.call(gus, :math, :sqrt, [16])") == "4.0"
    assert "[error]" not in a.output
    a.ask("Node.disconnect(gus)")
