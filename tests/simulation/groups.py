"""Groups in the simulator: what processes hold, what watchers are told, and the promises about both.

A *view* is what a watcher knows: the members at the time of its watch, and every event since.  Promised: all
events fit the view; at rest it is what every visible node holds; a node's members are there at its `nodeup`
(and when a connect or a ping says so), and in no view any more at its `nodedown`; a member's join is in the
tables before any later message of it; an ended member is in no view at its DOWN.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.simulation.group_names import KEYS, NO_VALUE, SPACE
from tests.simulation.hostile import NAME as HOSTILE

if TYPE_CHECKING:
    from pyx.core.kernel import Kernel
    from pyx.core.mailbox import GroupChanged
    from pyx.core.spaces import Space
    from pyx.terms import Pid, Ref
    from tests.simulation.actors import Actor
    from tests.simulation.host import Host
    from tests.simulation.records import Sent
    from tests.simulation.world import World


def space_of(host: Host) -> Space:
    return host.kernel.tables.spaces[SPACE]


class Memberships:
    """The groups of one process, and its views."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.held: Counter[bytes] = Counter()
        self.changed: dict[bytes, float] = {}
        """When it last joined or left each group."""
        self.changes = 0
        """The number of its joins and leaves."""
        self.views: dict[Ref, Counter[tuple[bytes, Pid]]] = {}
        self.watched: dict[Ref, bytes | None] = {}
        """What each view is of: one group, or all."""

    # ------------------------------------------------------------ acts

    def _change(self, key: bytes, by: int) -> None:
        self.held[key] += by
        self.held += Counter()  # drops the zeros
        self.changed[key] = self._actor.world.now
        self.changes += 1

    def join(self, key: bytes, times: int) -> None:
        """`pg.join`, of a process that may have ended."""
        me = self._actor
        if me.process.alive:
            self._change(key, times)
        me.host.step(me.host.kernel.keys.hold, space_of(me.host), key, NO_VALUE, [me.process] * times)

    def leave(self, key: bytes) -> None:
        """`pg.leave`."""
        me = self._actor
        was_in = me.process.alive and self.held[key] > 0
        if was_in:
            self._change(key, -1)
        has_left = me.host.step(me.host.kernel.keys.let_go, space_of(me.host), key, [me.process])
        me.world.must(has_left == was_in, f"{me} left {key!r}: {has_left}")

    def watch(self, key: bytes | None) -> None:
        """`pg.monitor` or `pg.monitor_scope`."""
        me, groups = self._actor, self._actor.host.kernel.groups

        def decide() -> None:
            if key is None:
                ref, found = groups.watch_all(me.process, space_of(me.host))
            else:
                ref, members = groups.watch(me.process, space_of(me.host), key)
                found = {key: members}
            if me.process.alive:
                self.watched[ref] = key
                self.views[ref] = Counter((at, held.frm) for at, those in found.items() for held in those)

        me.host.step(decide)

    def unwatch(self, ref: Ref) -> None:
        """`pg.demonitor`."""
        me = self._actor
        was = me.host.step(me.host.kernel.keys.unwatch, me.process, ref)
        me.world.must(was == me.process.alive, f"{me} took back its watch {ref}: {was}")
        del self.views[ref], self.watched[ref]

    # ------------------------------------------------------------ what it is told

    def told(self, event: GroupChanged) -> None:
        """Checks an event against the view that it is for."""
        me, view = self._actor, self.views.get(event.ref)
        if view is None:
            me.world.violated(f"{me} was told of {event}, which it does not watch")
        me.world.must(self.watched[event.ref] in {None, event.key}, f"{me} was told of another key: {event}")
        me.world.must(event.pids, f"{me} was told of nothing: {event}")
        for pid in event.pids:
            if event.kind == "join":
                view[event.key, pid] += 1
                continue
            me.world.must(view[event.key, pid] > 0, f"{me} was told of no member: {event}")
            if event.kind == "leave":
                view[event.key, pid] -= 1
        self.views[event.ref] = view + Counter()
        me.world.count(f"group {event.kind}")

    def has_ended(self, pid: Pid) -> None:
        """Checks that an ended process has left all views: promise 4."""
        if pid.node != HOSTILE:
            self._must_not_hold(lambda other: other == pid, f"the DOWN of {pid}")

    def node_is_down(self, name: str) -> None:
        """Checks that the processes of a lost node have left all views: promise 2."""
        self._must_not_hold(lambda pid: pid.node == name, f"nodedown {name}")

    def _must_not_hold(self, is_meant: object, what: str) -> None:
        assert callable(is_meant)
        for view in self.views.values():
            left = [pid for _, pid in view if is_meant(pid)]
            self._actor.world.must(not left, f"{self._actor} got {what} before the leave of {left}")

    def message_came(self, sent: Sent) -> None:
        """Checks that the sender's joins and leaves came before its message: promise 3."""
        me, sender = self._actor, sent.sender
        if not sender.is_alive or me.host.kernel.losses or sent.memberships != sender.groups.changes:
            return
        if sent.remote:
            peer = me.host.kernel.tables.peers.get(sender.host.name)
            if peer is None or peer.hidden:
                return
        _must_be_seen(me.host, sender, f"{me} got {sent}")


def _must_be_seen(host: Host, member: Actor, what: str, before: float | None = None) -> None:
    """Checks that a host sees what a process holds; *before*: in the groups that have not changed since."""
    pid = member.pid_for(host)
    for key in KEYS:
        if before is None or member.groups.changed.get(key, 0.0) < before:
            seen = Counter(held.frm for held in host.kernel.groups.members(space_of(host), key))[pid]
            there = member.groups.held[key]
            host.world.must(seen == there, f"{what}, and sees {member} {seen} times in {key!r}, not {there}")


def node_is_up(host: Host, name: str, what: str) -> None:
    """Checks that the members of a node are seen, as something has said that it is up: promise 1."""
    peer, other = host.kernel.tables.peers.get(name), host.world.hosts.get(name)
    if not host.world.has_groups or peer is None or other is None or peer.hidden:
        return
    host.world.must(peer.is_ready, f"{what}, and the holdings of {name} are not in place")
    opposite = other.kernel.tables.peers.get(host.name)
    same = (
        opposite is not None
        and opposite.connection is not None
        and peer.connection is not None
        and opposite.connection.connection is peer.connection.connection
    )
    if not same or other.dead:
        return
    assert opposite is not None
    for actor in other.actors.values():
        if actor.process.alive:
            _must_be_seen(host, actor, what, opposite.since)


def check_groups(world: World) -> None:
    """Checks at rest that each node, and each view, has what all visible nodes hold."""
    for host in world.running():
        visible = {host.name, *host.kernel.membership.nodes(["visible"])}
        for key in KEYS:
            actual: Counter[Pid] = Counter()
            for other in world.running():
                if other.name in visible:
                    for actor in other.actors.values():
                        if actor.process.alive and actor.groups.held[key]:
                            actual[actor.pid_for(host)] += actor.groups.held[key]
            seen = Counter(held.frm for held in host.kernel.groups.members(space_of(host), key))
            world.must(seen == actual, f"{host} sees {seen} in {key!r}, not {actual}")
            for actor in host.actors.values():
                if actor.process.alive:
                    for ref, view in actor.groups.views.items():
                        if actor.groups.watched[ref] in {None, key}:
                            known = Counter({pid: n for (at, pid), n in view.items() if at == key})
                            world.must(known == actual, f"{actor} knows of {known} in {key!r}, not {actual}")
        world.count("groups with members", len(host.kernel.groups.keys(space_of(host))))


def disagreements_of_keys(kernel: Kernel) -> list[str]:
    """The contradictions between spaces, processes and peers of one kernel."""
    found: list[str] = []
    for space in kernel.tables.spaces.values():
        entries = [entry for by_number in space.holders.values() for entry in by_number.values()]
        living = [entry for entry in entries if entry.process.alive]
        if space.stored != len(entries) or space.size != len(living):
            found.append(f"the size of the space {space.name}")
        if any(not by_number for by_number in space.holders.values()):
            found.append(f"an empty key of the space {space.name}")
        if len(entries) != len(living) and not kernel.tables.exit_notices:
            found.append(f"the space {space.name} keeps entries of ended processes")
        found += [
            f"{entry.process} does not know of {entry.held}"
            for entry in living
            if entry not in entry.process.holdings.entries.get((space, entry.held.key), ())
        ]
        for watches in space.watches.values():
            found += [f"a watch of {w.process}" for w in watches.values() if not w.process.alive]
    for peer in kernel.tables.peers.values():
        if peer.is_ready and peer.state != "up":
            found.append(f"{peer} is ready")
        if peer.holdings and (peer.hidden or peer.state != "up"):
            found.append(f"the holdings of {peer}")
    return found
