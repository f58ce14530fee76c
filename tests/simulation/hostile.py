"""A hostile node in the simulator: it holds the cookie, and sends whatever signals it likes.

Well-formed signals with pids, references, names and numbers of others; forged frames; floods; and signals
that it may send, whose effects the processes of other nodes have to expect (`hostile_reason`).  It neither
reads nor answers.  What must be true of the others all the same: `actors.py` and `invariants.py`.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from pyx.signals import (
    MOST_NODES,
    Answer,
    Call,
    Crashed,
    Demonitor,
    Down,
    Dropped,
    ExitSignal,
    ExitTo,
    GenCall,
    GenReply,
    Held,
    Holdings,
    Leader,
    Let,
    Link,
    Monitor,
    Nodes,
    Payload,
    Ping,
    Pong,
    Print,
    Publish,
    Send,
    Spawn,
    Spawned,
    Tick,
    Unlink,
    UnlinkAck,
)
from pyx.terms import Incarnation, Pid, Ref
from pyx.wire.codec import encode
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import KINDS
from pyx.wire.frames.signal_stream import SignalStream
from tests.simulation.group_names import KEYS, NO_VALUE, PUBSUB_NAME, SPACE, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.signals import Signal
    from tests.simulation.host import Host
    from tests.simulation.network import End
    from tests.simulation.world import World

NAME = "evil@h"
MARK = "evil"
"""The beginning of its exit reasons and of its messages."""


class HostileNode:
    """To the network it is a host like others.

    Args:
        world: in which it acts.
        pace: seconds between two acts, on average.
    """

    def __init__(self, world: World, pace: float) -> None:
        self.world = world
        self.name = NAME
        self.ends: set[End] = set()
        self.dead = self.frozen = False
        self.deferred: list[Any] = []
        self._pace = pace
        self._sessions: dict[str, HostileSession] = {}
        self._next()

    def leaves(self) -> None:
        """Kills its OS process."""
        self.dead = True
        for end in sorted(self.ends, key=lambda end: end.connection.number):
            end.close()

    def _next(self) -> None:
        self.world.at(self.world.random.expovariate(1 / self._pace), None, self._one)

    def _one(self) -> None:
        if self.dead:
            return
        self._next()
        random = self.world.random
        hosts = self.world.running()
        host = random.choice(hosts) if hosts else None
        if host is None or host.incarnation is None or host.frozen:
            return
        session = self._sessions.get(host.name)
        if session is None or session.end.closed:
            self._connect(host)
        elif random.random() < 0.02:
            session.end.close()
        else:
            session.sends_something()

    def _connect(self, host: Host) -> None:
        """Begins a session, without the handshake, which it could pass."""
        world, incarnation = self.world, Incarnation(NAME, self.world.new_creation())
        mine, theirs = world.connected(self, host).ends  # type: ignore[arg-type]
        decision = host.step(
            host.kernel.sessions.peer_claimed, *incarnation, hidden=world.random.random() < 0.2, now=world.now
        )
        world.count(f"hostile node: {decision.kind}")
        if decision.kind == "accept":
            self._sessions[host.name] = HostileSession(self, host, incarnation, mine)
            host.attach(decision.peer, theirs, b"", b"")
        else:
            mine.close()
            theirs.close()


class HostileSession:
    """One session with a victim."""

    def __init__(self, hostile_node: HostileNode, victim: Host, incarnation: Incarnation, end: End) -> None:
        assert victim.incarnation is not None
        self.end = end
        self._world = hostile_node.world
        self._victim = victim
        self._incarnation = incarnation
        self._there = victim.incarnation
        self._session = SignalStream(incarnation, victim.incarnation)
        end.hand_to(self)
        if not self._world.has_groups or self._world.random.random() < 0.8:
            end.write(self._session.transmit(deque([self._holdings(is_last=True)]))[0])

    def readable(self, data: bytes) -> None:
        """See `Reader`: it ignores them."""

    def ended(self, reason: str) -> None:
        """See `Reader`."""
        del reason
        self.end.close()

    def sends_something(self) -> None:
        """Sends one signal or several, seldom very many, seldom a frame that breaks the protocol."""
        random = self._world.random
        if random.random() < 0.03:
            self.end.write(self._forged())
            return
        one = random.choice(self._signals())
        times = random.choice((1, 1, 1, 3, 60))
        self._world.note(f"{NAME} sends {one.__name__} {times} times to {self._victim}")
        queue: deque[Signal] = deque([Tick(), *(one() for _ in range(times))])
        while queue or not self._session.is_empty:
            self.end.write(self._session.transmit(queue)[0])

    def _signals(self) -> list[Callable[[], Signal]]:
        return [
            self._send, self._link, self._unlink, self._ack, self._exit, self._exit_to, self._monitor,
            self._monitor, self._demonitor, self._down, self._down, self._prints, self._crashed, self._leader,
            self._dropped, self._gen_call, self._gen_reply, self._answer, self._spawned, self._nodes,
            self._ping, self._pong,
            *self._of_groups(),
        ]  # fmt: skip

    def _of_groups(self) -> list[Callable[[], Signal]]:
        return [self._held, self._held, self._let, self._publish] if self._world.has_groups else []

    # ------------------------------------------------------------ names

    def _mine(self) -> Pid:
        return Pid(self._world.random.randint(1, 3))

    def _victim_pid(self) -> Pid:
        """A process of the victim, alive, dead or invented, of this incarnation or another."""
        random = self._world.random
        numbers = [number for number, _ in self._victim.actors] or [1]
        incarnation = (
            self._there if random.random() < 0.9 else Incarnation(self._there.name, random.randint(1, 5))
        )
        return Pid(random.choice([*numbers, 99]), 0, *incarnation)

    def _any_pid(self) -> Pid:
        """A process of any node."""
        incarnations = list(self._world.incarnations)
        return Pid(self._world.random.randint(1, 9), 0, *self._world.random.choice(incarnations))

    def _ref(self) -> Ref:
        return Ref(self._world.random.randint(1, 4))

    def _victim_ref(self) -> Ref:
        """A reference that a process of the victim uses, if one does."""
        random = self._world.random
        used = [ref.number for actor in self._victim.actors.values() for ref in actor.watches] or [1]
        return Ref(random.choice(used), *self._there)

    def _word(self) -> str:
        return self._world.hostile_reason(f"{MARK} {self._world.unique()}")

    def _reason(self) -> str:
        return self._world.random.choice(("normal", "noproc", "noconnection", self._word()))

    # ------------------------------------------------------------ signals

    def _send(self) -> Send:
        payload = Payload(encode((MARK, self._world.unique())))
        return Send(
            self._mine(),
            self._world.random.choice((self._victim_pid(), "stock", self._victim_ref())),
            payload,
        )

    def _gen_call(self) -> GenCall:
        """A call, most often by a new reference: one that is used twice ends the session."""
        random, number = self._world.random, self._world.unique()
        target = self._victim_pid() if random.random() < 0.8 else "stock"
        ref = Ref(number if random.random() < 0.99 else 1)
        return GenCall(self._mine(), target, ref, random.random() < 0.5, Payload(encode((MARK, number))))

    def _gen_reply(self) -> GenReply:
        return GenReply(self._mine(), self._victim_ref(), Payload(encode((MARK, self._world.unique()))))

    def _link(self) -> Link:
        return Link(self._mine(), self._victim_pid())

    def _unlink(self) -> Unlink:
        return Unlink(self._mine(), self._victim_pid(), self._world.random.randint(1, 9))

    def _ack(self) -> UnlinkAck:
        return UnlinkAck(self._mine(), self._victim_pid(), self._world.random.randint(1, 9))

    def _exit(self) -> ExitSignal:
        return ExitSignal(self._mine(), self._victim_pid(), self._reason())

    def _exit_to(self) -> ExitTo:
        return ExitTo(self._mine(), self._victim_pid(), self._reason())

    def _monitor(self) -> Monitor:
        target = self._victim_pid() if self._world.random.random() < 0.8 else "stock"
        return Monitor(self._mine(), target, self._ref())

    def _demonitor(self) -> Demonitor:
        return Demonitor(self._mine(), self._victim_pid(), self._ref())

    def _down(self) -> Down:
        target = self._world.random.choice((self._mine(), "stock"))
        return Down(self._victim_pid(), self._victim_ref(), target, self._reason(), None)

    def _held(self) -> Held:
        """An entry, of a number that it may have used before; of other keys that ends the session."""
        random = self._world.random
        key = random.choice(KEYS)
        number = KEYS.index(key) + 1 + 3 * random.randint(0, 3)
        mine = Pid(1 + number % 3) if random.random() < 0.95 else self._mine()
        return Held(mine, number, random.choice((SPACE, SPACE, "elsewhere")), key, NO_VALUE)

    def _publish(self) -> Publish:
        random = self._world.random
        skip = random.choice((None, self._victim_pid()))
        body = Payload(encode(("hostile", self._world.unique())))
        return Publish(
            self._mine(), skip, random.choice((PUBSUB_NAME, "nobody")), random.choice(TOPICS), body
        )

    def _let(self) -> Let:
        numbers = self._world.random.sample(range(1, 20), self._world.random.randint(1, 5))
        return Let(self._mine(), tuple(numbers))

    def _holdings(self, *, is_last: bool) -> Holdings:
        random = self._world.random
        if not self._world.has_groups:
            return Holdings((), is_last=is_last)
        entries = [
            Held(Pid(1 + number % 3), number, SPACE, KEYS[(number - 1) % 3], NO_VALUE)
            for number in range(1, 4)
        ]
        return Holdings(tuple(entries[: random.randint(0, 3)]), is_last=is_last)

    def _prints(self) -> Print:
        return Print(self._mine(), self._victim_pid(), "\x1b[2J\n")

    def _crashed(self) -> Crashed:
        return Crashed(self._mine(), self._victim_pid(), "forged\n")

    def _leader(self) -> Leader:
        return Leader(self._mine(), self._victim_pid(), self._any_pid())

    def _dropped(self) -> Dropped:
        return Dropped(self._mine(), "x\n2026 CRITICAL")

    def _answer(self) -> Answer:
        outcome = self._world.random.choice(("value", "refused", "exit", "noconnection", "bananas"))
        payload = self._world.random.choice((Payload(encode(MARK)), "off"))
        return Answer(self._world.random.randint(1, 60), outcome, payload)

    def _spawned(self) -> Spawned:
        return Spawned(self._world.random.randint(1, 60), self._mine())

    def _nodes(self) -> Nodes:
        names = [*self._world.hosts, *(f"n{self._world.unique()}@h" for _ in range(5)), NAME]
        return Nodes(tuple(self._world.random.sample(names, self._world.random.randint(0, len(names)))))

    def _ping(self) -> Ping:
        return Ping(self._world.random.randint(0, 2**64 - 1))

    def _pong(self) -> Pong:
        return Pong(self._world.random.randint(1, 60))

    def _forged(self) -> bytes:
        """Bytes that no honest node writes: each ends the session."""
        random, mine, theirs, other = self._world.random, self._mine(), self._victim_pid(), self._any_pid()
        self._world.note(f"{NAME} forges a frame for {self._victim}")
        there = tuple(self._there)
        signal, fields, payload = random.choice(
            [
                (Call, (mine, 0, mine, there), encode(("os", "getpid", []))),
                (Spawn, (mine, 0, mine, True, None, there), encode(("os", "getpid", []))),
                (Spawn, (mine, 1, mine, True, self._victim_ref(), True), encode(("os", "getpid", []))),
                (Monitor, (mine, theirs, self._victim_ref()), b""),
                (Link, (theirs, theirs), b""),
                (Link, (mine, mine), b""),
                (ExitSignal, (theirs, theirs, "killed"), b""),
                (ExitTo, (mine, theirs, "x" * 300), b""),
                (Down, (theirs, self._ref(), mine, "noproc", None), b""),
                (Leader, (other, theirs), b""),
                (Nodes, (("n@h",) * (MOST_NODES + 1),), b""),
                (Unlink, (mine, theirs, 10**5000), b""),
            ]
        )
        header = encode(fields)
        body = struct.pack(">BI", KINDS[signal], len(header)) + header + payload
        cut = random.choice((0, 0, 3))
        return random.choice((LENGTH.pack(len(body)) + body[cut:], b"\xff" * 20, LENGTH.pack(2**20)))
