"""Broadcasts in the simulator: who subscribes, what is broadcast, and the promises about both.

Promised: a subscriber gets a broadcast at most once for each subscription, and only while its sender and the
connection count as there; it takes its place among the messages of its sender; and one that has subscribed
before, and stays, gets it if anything later of that sender comes the same way, or if the connection stands.

The groups of the simulator are presences too: what a subscriber of a topic is told of the group of that name
fits what it knows of it, and at rest that is what all visible nodes hold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyx.core.broadcasts import PUBSUB
from pyx.signals import Payload, Publish
from pyx.wire.codec import encode
from tests.simulation.group_names import NO_VALUE, PUBSUB_NAME, SPACE, TOPICS

if TYPE_CHECKING:
    from pyx.core.mailbox import PresenceChanged
    from pyx.core.spaces import Space
    from pyx.terms import Pid
    from tests.simulation.actors import Actor
    from tests.simulation.host import Host
    from tests.simulation.network import Connection
    from tests.simulation.records import Sent
    from tests.simulation.world import World


def open_topics(host: Host) -> None:
    """Starts the instance of a host, whose fan-outs go in portions of a random size."""
    host.kernel.keys.open_space(PUBSUB + PUBSUB_NAME, owner=None, unique=False, replicated=False)
    host.kernel.tables.fan_outs.portion = host.world.random.choice((1, 2, 256))


def _space(host: Host) -> Space:
    return host.kernel.tables.spaces[PUBSUB + PUBSUB_NAME]


@dataclass(eq=False, slots=True)
class Publication:
    """One broadcast; its body is unlike any other."""

    number: int
    """Grows with everything that is sent."""
    sender: Actor
    topic: bytes
    skip: Actor | None
    void: bool
    """True if the sender was dead already."""
    carried: dict[tuple[str, int], Connection] = field(default_factory=dict)
    """By the incarnation that it was written for: the connection."""
    delivered: Counter[Actor] = field(default_factory=Counter)

    def connection_to(self, host: Host) -> Connection | None:
        """The connection that carried it to a host."""
        found = [self.carried[one] for one in host.incarnations if tuple(one) in self.carried]
        return found[-1] if found else None

    def __str__(self) -> str:
        return f"broadcast {self.number} of {self.sender} on {self.topic!r}"


class Subscriptions:
    """The subscriptions of one process, and what it has got by them."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.held: Counter[bytes] = Counter()
        self.most: Counter[bytes] = Counter()
        """The most subscriptions that it ever had at a time."""
        self.since: dict[bytes, int] = {}
        """By topic: the number of its first subscription that it has kept."""
        self.published: list[Publication] = []
        """What it has broadcast."""
        self._checked: dict[Actor, int] = {}
        self.present: dict[bytes, set[tuple[Pid, int]]] = {}
        """By topic: the entries of the group of that name, as far as it has been told."""

    # ------------------------------------------------------------ acts

    def subscribe(self, topic: bytes) -> None:
        """`PubSub.subscribe`, of a process that may have ended."""
        me = self._actor
        if me.process.alive:
            if not self.held[topic]:
                self.since[topic] = me.world.unique()
            self.held[topic] += 1
            self.most[topic] = max(self.most[topic], self.held[topic])

        def decide() -> None:
            kernel = me.host.kernel
            kernel.keys.hold(_space(me.host), topic, NO_VALUE, [me.process])
            if self.held[topic] == 1:
                members = kernel.groups.members(kernel.tables.spaces[SPACE], topic)
                self.present[topic] = {(held.frm, held.number) for held in members}
            else:  # it is told everything twice
                self.present.pop(topic, None)

        me.host.step(decide)

    def unsubscribe(self, topic: bytes) -> None:
        """`PubSub.unsubscribe`."""
        me, keys = self._actor, self._actor.host.kernel.keys
        del self.held[topic]
        self.since.pop(topic, None)
        self.present.pop(topic, None)
        me.host.step(lambda: keys.drop(_space(me.host), keys.held_by(me.process, _space(me.host), topic)))

    def publish(self, topic: bytes, *, skips_itself: bool) -> None:
        """`PubSub.broadcast`, or `broadcast_from(self(), ...)`, without what follows its kernel call."""
        me, kernel = self._actor, self._actor.host.kernel
        pid, skip = me.process.pid, me if skips_itself else None
        one = Publication(me.world.unique(), me, topic, skip, not me.process.alive)
        body = Payload(encode((one.number, "broadcast")))
        me.world.publications[bytes(body.data)] = one
        self.published.append(one)

        def decide() -> None:
            if not kernel.tables.has_ended(pid):
                skipped = pid if skips_itself else None
                kernel.broadcasts.publish_to_peers(Publish(pid, skipped, PUBSUB_NAME, topic, body))
                kernel.broadcasts.publish(pid, _space(me.host), topic, body, skip=skipped)

        me.host.step(decide)

    # ------------------------------------------------------------ checks

    def came(self, one: Publication) -> None:
        """Checks a broadcast that this process gets."""
        me, sender = self._actor, one.sender
        connection, latest = one.connection_to(me.host), me.latest.get(sender, 0)
        problem = (
            "a dead process has sent" if one.void
            else "leaves it out" if one.skip is me
            else "it has got too often" if one.delivered[me] >= self.most[one.topic]
            else "never was carried here" if sender.host is not me.host and connection is None
            else "comes after the sender's end" if sender in me.ended
            else f"comes after the loss of {connection}" if connection in me.lost_connections
            else f"comes after {latest}" if one.number < latest
            else ""
        )  # fmt: skip
        if problem:
            me.world.violated(f"{me} got {one}, which {problem}")
        one.delivered[me] += 1
        me.latest[sender] = one.number
        me.world.count("broadcast")
        me.world.count("broadcast to another node", int(sender.host is not me.host))

    def told(self, diff: PresenceChanged) -> None:
        """Checks a diff against what this process knows."""
        me, present = self._actor, self.present.get(diff.key)
        me.world.count("presence diff")
        if present is None:
            return
        leaves = {(held.frm, held.number) for held in diff.leaves}
        joins = {(held.frm, held.number) for held in diff.joins}
        me.world.must(joins or leaves, f"{me} was told of nothing: {diff}")
        me.world.must(leaves <= present, f"{me} was told that {leaves - present} leaves, which was not there")
        present = present - leaves  # an update is in both
        me.world.must(not joins & present, f"{me} was told a second time of {joins & present}")
        self.present[diff.key] = present | joins

    def knows_who_is_present(self) -> None:
        """Checks at rest that it has been told of all that is held, and of nothing else."""
        me = self._actor
        kernel = me.host.kernel
        for topic, present in self.present.items():
            members = kernel.groups.members(kernel.tables.spaces[SPACE], topic)
            held = {(one.frm, one.number) for one in members}
            me.world.must(present == held, f"{me} knows of {present} in {topic!r}, not of {held}")

    def message_came(self, sent: Sent) -> None:
        """Checks that the earlier broadcasts of the sender that took the same way are here."""
        published, me = sent.sender.subscriptions.published, self._actor
        index = self._checked.get(sent.sender, 0)
        while index < len(published) and published[index].number < sent.number:
            one = published[index]
            same_way = not sent.remote or (
                sent.connection is not None and one.connection_to(me.host) is sent.connection
            )
            if same_way:
                self._must_have(one, f"and now {sent}")
            index += 1
        self._checked[sent.sender] = index
        self._has_been_told_before(sent)

    def _has_been_told_before(self, sent: Sent) -> None:
        """Checks that the diffs about the sender, as it was then and still is, are here."""
        me, sender = self._actor, sent.sender
        if not sender.is_alive or me.host.kernel.losses or sent.memberships != sender.groups.changes:
            return
        if sent.remote:
            peer = me.host.kernel.tables.peers.get(sender.host.name)
            if peer is None or peer.hidden:
                return
        pid = sender.pid_for(me.host)
        for topic, present in self.present.items():
            known, held = sum(one == pid for one, _ in present), sender.groups.held[topic]
            me.world.must(known == held, f"{me} got {sent}, and knows it {known} times in {topic!r}")

    def _must_have(self, one: Publication, now: str) -> None:
        me = self._actor
        stays = self.since.get(one.topic, one.number) < one.number and self.held[one.topic]
        if me.is_alive and stays and not one.void and one.skip is not me:
            me.world.must(one.delivered[me], f"{me} never got {one}, {now}")

    def nothing_is_missing(self) -> None:
        """Checks at rest that all is here that was broadcast on this node, or over a standing connection."""
        me = self._actor
        for one in me.world.publications.values():
            connection = one.connection_to(me.host)
            stands = connection is not None and connection.open_ends == 2
            if one.sender.host is me.host or stands:
                self._must_have(one, "at rest")


def check_broadcasts(world: World) -> None:
    """Checks at rest that all broadcasts are delivered."""
    for host in world.running():
        fan_outs = host.kernel.tables.fan_outs
        world.must(not fan_outs.queue and not fan_outs.latest, f"{host} keeps broadcasts")
        for actor in host.actors.values():
            if actor.process.alive:
                actor.subscriptions.nothing_is_missing()
                actor.subscriptions.knows_who_is_present()


def is_written(world: World, signal: Publish, name: str, creation: int, connection: Connection) -> None:
    """Notes the connection that a broadcast is about to be written to."""
    one = world.publications.get(bytes(signal.body.data))
    if one is not None:
        one.carried[name, creation] = connection


def topic(world: World) -> bytes:
    """A topic."""
    return world.random.choice(TOPICS)
