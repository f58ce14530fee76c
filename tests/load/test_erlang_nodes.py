"""Real Erlang nodes come and go at one pyx node: calls, groups, disconnects of both sides, kill -9, in turns.

What stays has what it had: the BEAM no atom more and no line in its log, the pyx node its descriptors,
threads and processes.

    PYX_ERLANG_SECONDS=60 pytest -s tests/load/test_erlang_nodes.py    a minute; -s shows the counts
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pyx import Node, pg, rpc
from pyx.atoms import Atom
from pyx.errors import PyxError
from pyx.execution import thread_pool
from tests.beam.inbox import Inbox
from tests.beam.real_nodes import cookie_file, real_nodes
from tests.local_nodes import as_process, start_node, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import IexNode, RealNode, RealNodes
    from tests.local_nodes import LocalNodes

SECONDS: Final = float(os.environ.get("PYX_ERLANG_SECONDS", "2"))
LOG_LINE: Final = re.compile(r"\[(?:error|warning|notice|info)\].*")


class Traffic:
    """A pyx node, an iex that stays, and an `erl` that is killed and started again."""

    def __init__(self, node: LocalNode, a: IexNode, real: RealNodes) -> None:
        self._chance = random.Random(os.environ.get("PYX_LOAD_SEED", "erlang"))
        self._real = real
        self.node = node
        self.a = a
        self.b = real.erl("b")
        self.stock = Inbox(node, "stock")
        self.counts: Counter[str] = Counter()
        a.ask(":pg.start(:pg)")
        a.ask(f"gus = :{node.kernel.tables.name!r}".replace("'", '"'))
        self.stock.calls(lambda: pg.join(Atom("room"), self.stock.pid))

    def disconnects_there(self) -> None:
        assert self.a.ask("Node.disconnect(gus)") in {"true", "false", ":ignored"}
        self.has_lost(self.a)

    def disconnects_here(self) -> None:
        node = self._chance.choice([self.a, self.b])
        as_process(self.node, lambda: Node.disconnect(node.name))
        # What iex sends before it notices is lost, as between two Elixir nodes.
        if node is self.a:
            until(lambda: self.a.ask("gus in Node.list(:hidden)") == "false")

    def has_lost(self, node: RealNode) -> None:
        """Waits until the pyx node knows that the connection has ended."""
        until(lambda: node.name not in as_process(self.node, lambda: Node.list("connected")))

    def is_called(self) -> None:
        assert self.a.ask(":rpc.call(gus, :math, :sqrt, [16])") == "4.0"

    def calls(self) -> None:
        def call() -> object:
            return rpc.call(self.a.name, "Enum", "sum", [[1, 2, 3]])

        assert as_process(self.node, call) == 6

    def is_sent_to(self) -> None:
        self.a.ask("send({:stock, gus}, {:add, self(), 1})")
        assert self.stock.next()[0] == "add"

    def joins_and_leaves_there(self) -> None:
        self.a.ask("p = spawn(fn -> Process.sleep(:infinity) end); :pg.join(:room, p)")
        assert self.a.ask("Node.ping(gus)") == ":pong"
        until(lambda: len(self.members()) == 2)
        self.a.ask("Process.exit(p, :kill)")
        until(lambda: len(self.members()) == 1)

    def members(self) -> list[object]:
        return as_process(self.node, lambda: list(pg.get_members("room")))

    def is_monitored_and_linked(self) -> None:
        asked = "pid = Node.spawn_link(gus, :pyx, :receive, []); r = Process.monitor(pid); "
        self.a.ask(f"Process.flag(:trap_exit, true); {asked} Process.exit(pid, :kill)")
        shown = self.a.ask("receive do {:DOWN, ^r, _, _, why} -> why end")
        assert shown == ":killed"
        self.a.ask("flush()")

    def kills(self) -> None:
        with_b = as_process(self.node, lambda: Node.ping(self.b.name))
        assert with_b == "pong"
        self.b.kill()
        self.has_lost(self.b)
        self.b.close()
        self.b = self._real.erl("b")

    def go(self, seconds: float) -> None:
        acts: list[Callable[[], None]] = [
            self.disconnects_there, self.disconnects_here, self.is_called, self.calls, self.is_sent_to,
            self.joins_and_leaves_there, self.is_monitored_and_linked,
        ]  # fmt: skip
        end = time.monotonic() + seconds
        for act in [*acts, self.kills]:
            self.does(act)
        while time.monotonic() < end:
            self.does(self._chance.choice([*acts * 3, self.kills]))

    def does(self, act: Callable[[], None]) -> None:
        self.counts[act.__name__] += 1
        try:
            act()
        except PyxError as error:  # a connection may have gone in the middle of a call
            self.counts[type(error).__name__] += 1

    def rest(self) -> tuple[int, int]:
        """The processes and peers of the pyx node, when all rest and a@vm is connected."""
        assert self.a.ask("Node.ping(gus)") == ":pong"
        as_process(self.node, lambda: Node.disconnect(self.b.name))
        until(lambda: len(self.members()) == 1)
        return len(self.node.kernel.tables.processes), len(self.node.kernel.tables.peers)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _grown_by(traffic: Traffic) -> tuple[int, int]:
    """How many atoms iex has more, and this OS process descriptors, after `SECONDS` of traffic and a rest."""
    atoms, descriptors = int(traffic.a.ask(":erlang.system_info(:atom_count)")), open_descriptors()
    traffic.go(SECONDS)
    traffic.rest()
    give_up = time.monotonic() + 2  # sockets are closed a moment after their connections have ended
    while open_descriptors() > descriptors and time.monotonic() < give_up:
        threading.Event().wait(0.02)
    more = int(traffic.a.ask(":erlang.system_info(:atom_count)")) - atoms
    return more, max(0, open_descriptors() - descriptors)


@pytest.mark.timeout(SECONDS * 8 + 120)
def test_nodes_that_come_and_go_leave_nothing_behind(
    nodes: LocalNodes, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home
    monkeypatch.setattr(thread_pool, "_IDLE_SECONDS", 1.0)  # warm threads end sooner
    with real_nodes() as real:
        a = real.iex("a")
        monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
        node = nodes.make()
        host = a.name.partition("@")[2]
        start_node(node, f"gus@{host}", beam="hidden", beam_cookie_file=cookie_file(real))
        traffic = Traffic(node, a, real)
        traffic.go(SECONDS / 4)  # the modules of both sides are loaded, and the threads are warm
        before = traffic.rest()
        threads = threading.active_count()
        a.ask(":erlang.system_info(:atom_count)")  # the question itself makes some the first time
        logged = len(LOG_LINE.findall(a.output))
        # iex loads a module, with its atoms, at the first race that needs it, and a node opens an epoll at
        # the first wait that reads by itself.  What grows without end grows in each round.
        grown = [_grown_by(traffic)]
        print(dict(traffic.counts))
        assert traffic.rest() == before
        until(lambda: threading.active_count() <= threads + 2)  # warm threads end by themselves
        while any(grown[-1]) and len(grown) < 5:
            grown.append(_grown_by(traffic))
        assert not any(grown[-1]), f"more atoms of iex, more descriptors here, round by round: {grown}"
        assert LOG_LINE.findall(a.output)[logged:] == []
