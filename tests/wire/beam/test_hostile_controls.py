"""signal_reader.py, frames.py: what a hostile Erlang node may say once it is authenticated.

Each control message, with each of its fields replaced by each odd value, is read or breaks the protocol, and
does nothing to the kernel of this node or to its other peers.
"""

from __future__ import annotations

from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.core.peers import BEAM
from pyx.erlang_terms import BitString, ImproperList, Map, Port
from pyx.errors import ProtocolError
from pyx.signals import Ask, Call, Discover, Link, Payload, Signal, Spawn
from pyx.terms import FunctionName, Pid, Raised, Ref, Struct
from pyx.wire.beam import control as op
from pyx.wire.codec import encode
from tests.core.conversation import Node
from tests.wire.beam.recorded import GUS, A
from tests.wire.beam.test_session import Connection

THERE = Pid(201, 0, *A)
OWN = Pid(1, 0, *GUS)
REF = Ref(7, *A)
SCOPE = Pid(0, 1, *GUS)
LEADER = Pid(202, 0, *A)
MFA = (Atom("math"), Atom("sqrt"), 1)
LONG = Atom(255 * "x")

ODD: list[Any] = [
    0, -1, 1, 2**63, 2**64, 2**200, 1.5, True, None, "", "text", b"\xff", Atom(""), LONG, Atom("net_kernel"),
    Atom("rex"), Atom("chat"), (), (1, 2), [], [1], [[]], [(Atom("monitor"), 1), [Atom("link")]], {}, {1: 2},
    Map([([], 1)]), ImproperList([1], 2), BitString(b"\x80", 1), Port(A.name, 9, A.creation),
    Struct("Foo", ()),
    Raised("RuntimeError", "x"), FunctionName("Elixir.Enum", "sum", 1), Pid(1, 0, "other@vm", 4), THERE, OWN,
    Pid(1, 0, GUS.name, 4711), Pid(201, 0, A.name, 4711), Pid(0, 0, *GUS), SCOPE, Pid(0, 7, *GUS), REF,
    Ref(7, *GUS),
    Ref(2**159, *A), Ref((1 << 64) | 3, *GUS), Ref((3 << 64) | 3, *GUS), Ref((5 << 64) | 3, *GUS),
    [MFA, (Atom("a"), [1], None, 7)], "x" * 5000,
]  # fmt: skip

CONTROLS: list[tuple[Any, ...]] = [
    (op.LINK, THERE, OWN),
    (op.SEND, Atom(""), OWN),
    (op.EXIT, THERE, OWN, Atom("bad")),
    (op.REG_SEND, THERE, Atom(""), Atom("stock")),
    (op.GROUP_LEADER, LEADER, OWN),
    (op.EXIT2, THERE, OWN, Atom("bad")),
    (op.MONITOR_P, THERE, OWN, REF),
    (op.DEMONITOR_P, THERE, OWN, REF),
    (op.MONITOR_P_EXIT, THERE, OWN, Ref(7, *GUS), Atom("bad")),
    (op.SEND_SENDER, THERE, OWN),
    (op.PAYLOAD_EXIT, THERE, OWN),
    (op.PAYLOAD_EXIT2, THERE, OWN),
    (op.PAYLOAD_MONITOR_P_EXIT, THERE, OWN, Ref(7, *GUS)),
    (op.SPAWN_REQUEST, REF, THERE, LEADER, MFA, [Atom("link"), Atom("monitor")]),
    (op.SPAWN_REPLY, Ref(7, *GUS), OWN, 0, THERE),
    (op.ALIAS_SEND, THERE, Ref(7, *GUS)),
    (op.UNLINK_ID, 1, THERE, OWN),
    (op.UNLINK_ID_ACK, 1, THERE, OWN),
]

MESSAGES: list[Any] = [
    ...,
    Atom("x"),
    (Atom("$gen_call"), (THERE, ImproperList([Atom("alias")], REF)), 1),
    (Atom("$gen_call"), (THERE, (REF, Atom("x"))), (Atom("is_auth"), A.name)),
    (Atom("system"), (THERE, 1), 1),
    (Atom("$gen_call"), THERE, 1),
    (Atom("$gen_call"), (THERE, ImproperList([Atom("alias")], 7)), 1),
    (Atom("io_request"), THERE, 1, (Atom("requests"), [(Atom("put_chars"), 1, [1, [-1], 2**70])])),
    (Atom("io_request"), THERE, 1, (Atom("put_chars"), 1, Atom("io_lib"), Atom("format"), ["~p~", [1, 2]])),
    (Atom("io_request"), THERE, 1, (Atom("requests"), [7])),
    (Ref((3 << 64) | 3, *GUS), Atom("yes")),
    (Ref(7, *GUS), Atom("return"), 1),
    (Ref(7, *GUS), Atom("return"), [1]),
    (Ref(7, *GUS), Atom("return"), [(Atom("links"), [1]), (1, 2, 3)]),
    (Ref(7, *GUS), Atom("error"), Atom("undef"), [(Atom("math"), Atom("sqrt"), 1), 7]),
    (Ref(7, *GUS), Atom("error"), 1, [(1, 2, 3, [(Atom("file"), 7), (Atom("line"), {}), ([], [])])]),
    (ImproperList([Atom("alias")], Ref(7, *GUS)), 1),
    (Atom("discover"), THERE),
    (Atom("join"), THERE, Atom("room"), THERE),
    (THERE, (Atom("call"), 1, 2, [3], 4)),
    (Atom("$gen_cast"), (Atom("sync"), THERE, [(Atom("g"), [THERE])])),
]  # fmt: skip


class HostileNode(Connection):
    """A session with a hostile node, on a kernel that has a process, a registered one and a scope."""

    def __init__(self) -> None:
        super().__init__()
        self.node = Node(*GUS)
        decision = self.node.sessions.peer_claimed(*A, hidden=True, now=1.0, dialect=BEAM)
        assert decision.peer is not None
        self.peer = decision.peer
        process = self.node.process()
        assert process.pid == Pid(1)
        self.node.registry.register(process.pid, "stock")
        self.node.keys.open_space("pg chat", owner=None, unique=False, replicated=True)
        me = process.pid
        # Questions of this node, which the hostile one answers as it likes.
        asked: list[Signal] = [
            Spawn(me, 7, me, link=True, monitor=Ref(7), payload=Payload(encode(("m", "f", [])))),
            Call(me, 3, me, Payload(encode(("math", "sqrt", [16])))),
            Ask(me, 4, "info", Payload(encode((THERE, None)))),
            Discover("pg chat"),
        ]
        for signal in asked:
            self.writes(signal)

    def takes(self, *control: Any, message: Any = ...) -> None:
        """Hears a control message as the node does: it is read, or costs the connection."""
        try:
            signals = self.hears(*control, message=message)
        except ProtocolError:
            return
        self.node.signals_received(self.peer, signals, 2.0)
        if self.peer.state == "up":
            out = self.peer.out
            self.session.transmit(out)
            assert not [one for one in self.session.unwritten() if "cannot be sent" not in one]
        self.node.router.collect()


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: str(control[0]))
def test_control_message_with_any_field_replaced_is_read_or_breaks_the_protocol(
    control: tuple[Any, ...],
) -> None:
    hostile = HostileNode()
    for place in range(1, len(control)):
        for odd in ODD:
            for message in (..., MESSAGES[2]):
                changed = (*control[:place], odd, *control[place + 1 :])
                hostile.takes(*changed, message=message)
                if hostile.peer.state != "up":
                    hostile = HostileNode()


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: str(control[0]))
def test_message_of_any_shape_behind_any_control_is_read_or_breaks_the_protocol(
    control: tuple[Any, ...],
) -> None:
    hostile = HostileNode()
    targets = [control]
    if control[0] == op.REG_SEND:
        targets += [(*control[:3], Atom(name)) for name in ("rex", "net_kernel", "logger_proxy", "chat")]
    if control[0] in {op.SEND, op.SEND_SENDER}:
        targets += [(*control[:2], pid) for pid in (Pid(0, 0, *GUS), SCOPE)]
    if control[0] in {op.PAYLOAD_MONITOR_P_EXIT, op.SPAWN_REPLY}:
        numbers = ((1 << 64) | 3, (1 << 64) | 4, (5 << 64) | 1, 7)
        place = 3 if control[0] == op.PAYLOAD_MONITOR_P_EXIT else 1
        targets = [(*control[:place], Ref(number, *GUS), *control[place + 1 :]) for number in numbers]
    for target in targets:
        for message in [*MESSAGES, *ODD]:
            hostile.takes(*target, message=message)
            if control[0] == op.PAYLOAD_MONITOR_P_EXIT or hostile.peer.state != "up":
                hostile = HostileNode()


def test_each_number_of_elements_is_read_or_breaks_the_protocol() -> None:
    for number in (*range(40), 255, 2**31):
        for length in range(8):
            hostile = HostileNode()
            hostile.takes(number, *([THERE, OWN, REF, 1, [], 7, 8][:length]))


def test_hundred_thousand_links_cost_what_they_hold_and_go_with_the_connection() -> None:
    hostile = HostileNode()
    assert hostile.hears(op.LINK, THERE, OWN) == [Link(THERE, Pid(1))]
    for start in range(0, 100_000, 1000):
        links: list[Signal] = [Link(Pid(start + at, 0, *A), Pid(1)) for at in range(1000)]
        hostile.node.signals_received(hostile.peer, links, 2.0)
    process = hostile.node.tables.find(Pid(1))
    assert process is not None
    assert len(list(process.links)) == 100_000
    process.trap_exit = True
    hostile.node.sessions.lose(hostile.peer, "gone")
    hostile.node.process_signals.settle_all()
    assert not list(process.links)
