"""A pyx node beside an Elixir node, as the peer of another one: rates and times, in turns, as ratios.

    python -m tests.bench.beside_iex [rounds]

Each round measures each operation between two Elixir nodes and between pyx and the same Elixir node, one
after the other, so that both have the same load of the machine; the ratio is the median of the rounds.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, Final

from pyx import Process, receive, rpc, self, send
from pyx.atoms import Atom
from pyx.runtime.local_node import LocalNode
from tests.beam.real_nodes import cookie_file, real_nodes
from tests.local_nodes import Running, as_process, start_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.beam.real_nodes import IexNode

MESSAGES: Final = 20_000
CALLS: Final = 500

MODULE: Final = """
defmodule Bench do
  def sink(0, to), do: send(to, :done)
  def sink(n, to), do: (receive do {"add", _} -> sink(n - 1, to) end)
  def start_sink(n, to), do: spawn(Bench, :sink, [n, to])
  def echo(), do: (receive do {from, x} -> send(from, x); echo() end)
  def start_echo(), do: spawn(Bench, :echo, [])
  def timed(f), do: elem(:timer.tc(f), 0)
  def flood(to, n), do: timed(fn ->
    for _ <- 1..n, do: send(to, {"add", %{"name" => "nike", "qty" => 30}})
    receive do :done -> :ok end
  end)
  def trips(to, n), do: timed(fn ->
    for i <- 1..n do
      send(to, {self(), i})
      receive do ^i -> :ok end
    end
  end)
  def calls(node, m, f, args, n), do: timed(fn -> (for _ <- 1..n, do: :rpc.call(node, m, f, args)) end)
end
"""


def sink(number: int, to: Any) -> None:
    """Takes messages, and says when the last one has come."""
    for _ in range(number):
        receive()
    send(to, Atom("done"))


def echo() -> None:
    """Answers each message."""
    Process.register(self(), "echo")
    while True:
        frm, value = receive()
        send(frm, value)


class Bench:
    """A pyx node and two of Elixir; each measurement returns microseconds for one operation."""

    def __init__(self, node: LocalNode, a: IexNode, b: IexNode) -> None:
        self.node, self.a, self.b = node, a, b
        for iex in (a, b):
            iex.ask(MODULE)
            iex.ask(f'gus = :"{node.kernel.tables.name}"; a = :"{a.name}"; b = :"{b.name}"')
        b.ask("Node.connect(a); Node.connect(gus)")
        a.ask("Node.connect(gus)")
        a.ask("Process.register(Bench.start_echo(), :echo)")
        self.echo = Running(node, echo)

    def elixir(self, expression: str, number: int) -> float:
        """The time that b needs for *number* operations."""
        return int(self.b.ask(expression).strip()) / number

    def timed(self, function: Callable[[], Any], number: int) -> float:
        """The time that a process of the pyx node needs for *number* operations."""

        def program() -> float:
            began = time.perf_counter()
            function()
            return time.perf_counter() - began

        return float(as_process(self.node, program)) * 1e6 / number

    # ------------------------------------------------------------ between two Elixir nodes

    def elixir_sends(self) -> float:
        call = f"Bench.flood(:erpc.call(a, Bench, :start_sink, [{MESSAGES}, self()]), {MESSAGES})"
        return self.elixir(call, MESSAGES)

    def elixir_trips(self) -> float:
        return self.elixir(f"Bench.trips({{:echo, a}}, {CALLS})", CALLS)

    def elixir_calls(self) -> float:
        return self.elixir(f"Bench.calls(a, :lists, :max, [[1, 2]], {CALLS})", CALLS)

    # ------------------------------------------------------------ with pyx

    def pyx_sends(self) -> float:
        def flood() -> None:
            to = rpc.call(self.a.name, "Bench", "start_sink", [MESSAGES, self_pid()])
            for _ in range(MESSAGES):
                send(to, ("add", {"name": "nike", "qty": 30}))
            receive("done")

        return self.timed(flood, MESSAGES)

    def pyx_receives(self) -> float:
        to = f'Node.spawn(gus, :"tests.bench.beside_iex", :sink, [{MESSAGES}, self()])'
        call = f"Bench.flood({to}, {MESSAGES})"
        return self.elixir(call, MESSAGES)

    def pyx_trips(self) -> float:
        def trips() -> None:
            me = self_pid()
            for number in range(CALLS):
                send(("echo", self.a.name), (me, number))
                receive(number)

        return self.timed(trips, CALLS)

    def pyx_answers(self) -> float:
        return self.elixir(f"Bench.trips({{:echo, gus}}, {CALLS})", CALLS)

    def pyx_calls(self) -> float:
        def calls() -> None:
            for _ in range(CALLS):
                rpc.call(self.a.name, "lists", "max", [[1, 2]])

        return self.timed(calls, CALLS)

    def pyx_is_called(self) -> float:
        return self.elixir(f"Bench.calls(gus, :builtins, :max, [1, 2], {CALLS})", CALLS)


PAIRS: Final = (
    ("a message to iex", Bench.pyx_sends, Bench.elixir_sends),
    ("a message from iex", Bench.pyx_receives, Bench.elixir_sends),
    ("a round trip from pyx", Bench.pyx_trips, Bench.elixir_trips),
    ("a round trip from iex", Bench.pyx_answers, Bench.elixir_trips),
    ("rpc to iex", Bench.pyx_calls, Bench.elixir_calls),
    ("rpc from iex", Bench.pyx_is_called, Bench.elixir_calls),
)


def self_pid() -> Any:
    """The pid of the calling process."""
    return self()


def main() -> None:
    """Prints a line for each operation: microseconds of both, and how often pyx's time is Elixir's."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if shutil.which("iex") is None:
        print("skipped: iex is not installed")
        return
    with real_nodes() as real, tempfile.TemporaryDirectory(prefix="pyx-bench-", dir="/tmp") as home:
        a, b = real.iex("a"), real.iex("b")
        os.environ.update(HOME=home, PYX_RUNTIME_DIR=home, ERL_EPMD_PORT=str(real.epmd_port))
        node = LocalNode()
        start_node(node, f"gus@{a.name.partition('@')[2]}", beam="hidden", beam_cookie_file=cookie_file(real))
        bench = Bench(node, a, b)
        found: dict[str, list[tuple[float, float]]] = {what: [] for what, _, _ in PAIRS}
        for _ in range(rounds + 1):
            for what, of_pyx, of_elixir in PAIRS:
                found[what].append((of_pyx(bench), of_elixir(bench)))
        print(f"{'':24}{'pyx':>10}{'iex':>10}  pyx/iex   (us, medians of {rounds} rounds)")
        for what, measured in found.items():
            times = measured[1:]  # the first one warms both up
            ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
            ratio = statistics.median(one / other for one, other in times)
            print(f"{what:24}{ours:10.1f}{theirs:10.1f}{ratio:9.2f}")


if __name__ == "__main__":
    main()
