"""Groups of `pg` that a pyx node shares with real Erlang nodes: members, monitors, deaths, scopes, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import Node, Presence, Process, PubSub, pg, receive
from pyx.atoms import Atom
from tests.beam.inbox import Inbox
from tests.beam.real_nodes import cookie_file, forget, real_nodes
from tests.local_nodes import HANG, as_process, start_node, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode
    from tests.beam.real_nodes import ErlNode, IexNode, RealNodes
    from tests.local_nodes import LocalNodes

TICK = 5.0
"""Seconds: a scope that starts later is met at one of the next ticks."""


@pytest.fixture(scope="module")
def real() -> Iterator[RealNodes]:
    with real_nodes() as real:
        yield real


@pytest.fixture(scope="module")
def a(real: RealNodes) -> IexNode:
    node = real.iex("a")
    node.ask(":pg.start(:pg)")
    return node


@pytest.fixture
def gus(
    real: RealNodes, a: IexNode, nodes: LocalNodes, home: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalNode]:
    monkeypatch.setenv("ERL_EPMD_PORT", str(real.epmd_port))
    assert home
    node = nodes.make()
    host = a.name.partition("@")[2]
    start_node(node, f"gus@{host}", beam="hidden", beam_cookie_file=cookie_file(real), tick=TICK)
    a.ask(f"gus = :{node.kernel.tables.name!r}".replace("'", '"'))
    assert a.ask("Node.ping(gus)") == ":pong"
    yield node
    forget(a)


def members(node: LocalNode, group: Any, scope: str = "pg") -> list[Any]:
    return as_process(node, lambda: pg.get_members(group, scope=scope))


def seen_by(a: IexNode, group: str, number: int, scope: str = ":pg") -> None:
    """Waits until the group has that many members at iex."""
    until(lambda: a.ask(f"length(:pg.get_members({scope}, {group}))") == str(number))


def test_member_at_iex_is_seen_by_text_and_by_atom(gus: LocalNode, a: IexNode) -> None:
    as_process(gus, pg.which_groups)
    a.ask("p = spawn(fn -> Process.sleep(:infinity) end); :pg.join(:room, [p, p]); :pg.join({:room, 1}, p)")
    until(lambda: len(members(gus, "room")) == 2)
    assert members(gus, "room") == members(gus, Atom("room"))
    assert {pid.node for pid in members(gus, "room")} == {a.name}
    assert len(members(gus, ("room", 1))) == 1
    a.ask(":pg.leave(:room, p)")
    until(lambda: len(members(gus, "room")) == 1)
    a.ask("Process.exit(p, :kill)")
    until(lambda: not members(gus, "room") and not members(gus, ("room", 1)))


def test_member_here_is_seen_at_iex_by_the_name_it_has_joined(gus: LocalNode, a: IexNode) -> None:
    stock = Inbox(gus, "stock")
    stock.calls(lambda: pg.join(Atom("room"), stock.pid))
    stock.calls(lambda: pg.join("hall", stock.pid))
    seen_by(a, ":room", 1)
    seen_by(a, '"hall"', 1)
    assert a.ask(":pg.get_members(:hall)") == "[]"
    a.ask("for p <- :pg.get_members(:room), do: send(p, {:hello, :all})")
    assert stock.next() == ("hello", "all")
    stock.calls(lambda: pg.leave("room", stock.pid))  # one group here, whatever it was called
    seen_by(a, ":room", 0)
    stock.end()
    seen_by(a, '"hall"', 0)


def test_monitors_of_both_sides_hear_of_members_of_the_other(gus: LocalNode, a: IexNode) -> None:
    stock = Inbox(gus, "stock")
    ref, present = stock.calls(lambda: pg.monitor("shop"))
    assert present == []
    a.ask("{r, []} = :pg.monitor(:shop)")
    a.ask("p = spawn(fn -> Process.sleep(:infinity) end); :pg.join(:shop, p)")
    told, kind, group, (pid,) = stock.next()
    assert (told, kind, group, pid.node) == (ref, "join", "shop", a.name)
    a.ask("Process.exit(p, :kill)")
    assert stock.next() == (ref, "leave", "shop", [pid])
    stock.calls(lambda: pg.join(Atom("shop"), stock.pid))
    seen_by(a, ":shop", 1)
    stock.end()
    seen_by(a, ":shop", 0)
    shown: list[str] = []
    until(lambda: shown.append(a.ask("flush()")) is None and "".join(shown).count(":leave, :shop") == 2)
    assert "".join(shown).count(":join, :shop") == 2


def test_scope_that_starts_later_there_is_met(gus: LocalNode, a: IexNode) -> None:
    pid = as_process(gus, lambda: pg.start("late"))
    stock = Inbox(gus, "stock")
    stock.calls(lambda: pg.join(Atom("room"), stock.pid, scope="late"))
    a.ask("{:ok, late} = :pg.start(:late); :pg.join(:late, :room, self())")
    seen_by(a, ":room", 2, ":late")
    until(lambda: len(members(gus, "room", "late")) == 2)
    a.ask("GenServer.stop(late)")
    until(lambda: len(members(gus, "room", "late")) == 1)
    a.ask("{:ok, late} = :pg.start(:late)")
    seen_by(a, ":room", 1, ":late")
    stock.end()
    as_process(gus, lambda: Process.exit(pid, "kill"))
    a.ask("GenServer.stop(late)")


def test_scope_that_starts_later_here_is_met(gus: LocalNode, a: IexNode) -> None:
    a.ask("{:ok, early} = :pg.start(:early); :pg.join(:early, :room, self())")
    as_process(gus, lambda: pg.start("early"))
    until(lambda: len(members(gus, "room", "early")) == 1)
    a.ask("GenServer.stop(early)")


def test_members_go_with_the_connection_and_come_back_with_it(gus: LocalNode, a: IexNode) -> None:
    stock = Inbox(gus, "stock")
    stock.calls(lambda: pg.join(Atom("club"), stock.pid))
    a.ask("p = spawn(fn -> Process.sleep(:infinity) end); :pg.join(:club, p)")
    seen_by(a, ":club", 2)
    until(lambda: len(members(gus, "club")) == 2)
    ref, _ = stock.calls(lambda: pg.monitor("club"))
    a.ask("Node.disconnect(gus)")
    assert stock.next()[:3] == (ref, "leave", "club")
    seen_by(a, ":club", 1)
    assert a.ask("Node.ping(gus)") == ":pong"
    assert stock.next()[:3] == (ref, "join", "club")
    seen_by(a, ":club", 2)
    a.ask("Process.exit(p, :kill)")
    stock.end()


def test_members_of_elixir_nodes_are_not_passed_on(gus: LocalNode, a: IexNode, nodes: LocalNodes) -> None:
    other = nodes.make()
    start_node(other, f"mia@{a.name.partition('@')[2]}")
    mia_name = other.kernel.tables.name
    assert as_process(gus, lambda: Node.connect(mia_name)) is True
    stock = Inbox(gus, "stock")
    stock.calls(lambda: pg.join("mixed", stock.pid))
    a.ask('p = spawn(fn -> Process.sleep(:infinity) end); :pg.join("mixed", p)')
    until(lambda: len(members(gus, "mixed")) == 2)
    until(lambda: len(members(other, "mixed")) == 1)
    mia = Inbox(other, "mia")
    mia.calls(lambda: pg.join("mixed", mia.pid))
    until(lambda: len(members(gus, "mixed")) == 3)
    assert len(members(other, "mixed")) == 2
    seen_by(a, '"mixed"', 2)
    a.ask("Process.exit(p, :kill)")


@pytest.mark.parametrize("release", [25, 28])
def test_groups_are_shared_with_each_release(real: RealNodes, gus: LocalNode, release: int) -> None:
    node: ErlNode = real.erl(f"o{release}", release=release)
    node.ask("element(1, pg:start(pg)).")
    node.ask("pg:join(room, self()).")
    assert node.ask(f"net_adm:ping('{gus.kernel.tables.name}').") == "pong"
    stock = Inbox(gus, "stock")
    stock.calls(lambda: pg.join(Atom("room"), stock.pid))
    until(lambda: len(members(gus, "room")) == 2)
    until(lambda: node.ask("length(pg:get_members(room)).") == "2")
    node.kill()
    until(lambda: len(members(gus, "room")) == 1)


def test_topics_and_presences_stay_among_pyx_nodes(gus: LocalNode, a: IexNode) -> None:
    """They disturb no Erlang node: nothing of them is sent there, and the connection stands."""
    a.ask("before = :pg.which_groups(:pg)")  # one whose member has just been killed may still go

    def program() -> Any:
        PubSub.subscribe("t")
        Presence.track("room", "gus", {"device": "web"})
        done = PubSub.broadcast("t", "for all"), PubSub.direct_broadcast(a.name, "t", "for a")
        got = receive(timeout=HANG), Presence.list("room")["gus"][0]["device"]
        Presence.untrack("room", "gus")
        return done, got, Node.ping(a.name), Node.list("hidden")

    assert as_process(gus, program) == (("ok", "ok"), ("for all", "web"), "pong", [a.name])
    assert a.ask(":pg.which_groups(:pg) -- before") == "[]"
    assert a.ask("Process.info(self(), :message_queue_len)") == "{:message_queue_len, 0}"


def test_broadcast_to_an_erlang_node_that_is_not_connected_is_lost(gus: LocalNode, a: IexNode) -> None:
    def program() -> Any:
        Node.disconnect(a.name)
        return PubSub.direct_broadcast(a.name, "t", "for a"), Node.ping(a.name)

    assert as_process(gus, program) == ("ok", "pong")
