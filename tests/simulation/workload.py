"""The acts of the processes: one random act after another, among those this seed has chosen.

Each seed leaves out some acts and favours others, so that rare combinations come up in some run ("swarm
testing").  The acts themselves: `acts.py`; faults meanwhile: `faults.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation import acts
from tests.simulation.broadcasts import topic
from tests.simulation.group_names import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.signals import Reason
    from pyx.terms import Pid
    from tests.simulation.actors import Actor
    from tests.simulation.host import Host
    from tests.simulation.records import Waiter
    from tests.simulation.world import World

NAMES = ("stock", "shop", "shell")
MAX_PROCESSES = 12
"""A host with more processes starts no more."""


class Workload:
    """Chooses acts and processes, until it is `stopped`.

    Args:
        world: in which they act.
        pace: seconds between two acts, on average.
    """

    def __init__(self, world: World, pace: float) -> None:
        self.world = world
        self.pace = pace
        self.stopped = False
        self.waiters: list[Waiter] = []
        self.names = sorted(world.hosts)
        """The names of all nodes that may run."""
        random = world.random
        self._acts: list[Callable[[Actor], None]] = []
        for verb in self._all_acts():
            self._acts += [verb] * random.choice((0, 1, 1, 3))
        self._acts += [self._send] * 8
        self._next()

    def _all_acts(self) -> list[Callable[[Actor], None]]:
        return [
            self._send_by_name, self._send_by_alias, self._exit_signal, self._link, self._link, self._unlink,
            self._monitor, self._monitor, self._monitor_name, self._demonitor, self._trap, self._register,
            self._unregister, self._alias, self._unalias, self._monitor_node, self._monitor_nodes,
            self._spawn_here, self._spawn_at, self._call, self._gen_call, self._gen_call, self._gen_reply,
            self._gen_reply, self._cast, self._ask, self._connect,
            self._disconnect, self._abandon, self._exit, self._busy, self._cross, self._cross,
            *([self._join, self._join, self._join, self._leave, self._leave, self._watch, self._unwatch,
               self._subscribe, self._subscribe, self._unsubscribe, self._publish, self._publish]
              * self.world.has_groups),
        ]  # fmt: skip

    def _next(self) -> None:
        if not self.stopped:
            self.world.at(self.world.random.expovariate(1 / self.pace), None, self._one)

    def _one(self) -> None:
        self._next()
        living = self.world.living()
        if self.stopped or not living:
            return
        random = self.world.random
        me = random.choice(living)
        if random.random() < 0.01:  # its thread has not noticed its end yet
            dead = [actor for actor in me.host.actors.values() if not actor.process.alive]
            me = random.choice(dead) if dead else me
        verb = random.choice(self._acts)
        self.world.note(f"{me} {verb.__name__}")
        verb(me)

    # ------------------------------------------------------------ addresses

    def _some_actor(self, me: Actor) -> tuple[Pid, Actor]:
        """A process of the present or (seldom) of an earlier incarnation, as *me* would write its pid."""
        random, world = self.world.random, self.world
        hosts = [host for host in world.hosts.values() if host.actors]
        if random.random() < 0.1:
            hosts = [host for host in world.incarnations.values() if host.actors]
        host = random.choice(hosts)
        actors = list(host.actors.values())
        living = [actor for actor in actors if actor.process.alive]
        to = random.choice(living if living and random.random() < 0.9 else actors)
        incarnation = random.choice(host.incarnations) if random.random() < 0.05 else None
        return to.pid_for(me.host, incarnation), to

    def _some_node(self) -> str:
        return self.world.random.choice(self.names)

    def _another(self, me: Actor) -> str:
        node = self._some_node()
        return node if node != me.host.name else "nobody@h"

    def _some_reason(self) -> Reason:
        random = self.world.random
        if random.random() < 0.5:
            return f"reason {self.world.unique()}"
        return self.world.unique_payload("reason")

    def _coin(self) -> bool:
        return self.world.random.random() < 0.5

    # ------------------------------------------------------------ acts

    def _send(self, me: Actor) -> None:
        address, to = self._some_actor(me)
        for _ in range(self.world.random.choice((1, 1, 3))):
            acts.send(me, "pid", address, to)

    def _send_by_name(self, me: Actor) -> None:
        node = "" if self.world.random.random() < 0.2 else self._some_node()
        acts.send(me, "name", (self.world.random.choice(NAMES), node))

    def _send_by_alias(self, me: Actor) -> None:
        owners = [actor for actor in self.world.living() if actor.aliases]
        if owners:
            owner = self.world.random.choice(owners)
            ref = self.world.random.choice(list(owner.aliases))
            acts.send(me, "alias", acts.alias_for(owner, ref, me.host), owner)

    def _exit_signal(self, me: Actor) -> None:
        address, to = self._some_actor(me)
        if to is not me:
            plain = self.world.random.choice(("normal", "kill", "", ""))
            acts.exit_signal(me, address, to, plain or self._some_reason())

    def _link(self, me: Actor) -> None:
        acts.link(me, *self._some_actor(me))

    def _unlink(self, me: Actor) -> None:
        linked = list(me.process.links)
        if linked and self.world.random.random() < 0.8:
            pid = self.world.random.choice(linked)
            to = self.world.resolve(me.host, pid)
            if to is not None:
                acts.unlink(me, pid, to)
                if self.world.random.random() < 0.3:
                    acts.link(me, pid, to)
        else:
            acts.unlink(me, *self._some_actor(me))

    def _monitor(self, me: Actor) -> None:
        acts.monitor(me, *self._some_actor(me))

    def _monitor_name(self, me: Actor) -> None:
        name = self.world.random.choice(NAMES)
        acts.monitor(me, name if self.world.random.random() < 0.2 else (name, self._some_node()))

    def _demonitor(self, me: Actor) -> None:
        known = [ref for ref, watch in me.watches.items() if watch.target is not None]
        known += me.fired
        if known and me.process.alive:
            acts.demonitor(me, self.world.random.choice(known), flush=self._coin())

    def _trap(self, me: Actor) -> None:
        me.trap_changes += 1
        me.host.step(
            me.host.kernel.process_signals.set_trap_exit, me.process, self.world.random.random() < 0.7
        )

    def _register(self, me: Actor) -> None:
        acts.register(me, self.world.random.choice(NAMES))

    def _unregister(self, me: Actor) -> None:
        acts.unregister(me, self.world.random.choice(NAMES))

    def _alias(self, me: Actor) -> None:
        if me.process.alive:
            acts.alias(me, once=self._coin())

    def _unalias(self, me: Actor) -> None:
        if me.aliases and me.process.alive:
            acts.unalias(me, self.world.random.choice(list(me.aliases)))

    def _monitor_node(self, me: Actor) -> None:
        acts.monitor_node(me, self._some_node(), on=self.world.random.random() < 0.8)

    def _monitor_nodes(self, me: Actor) -> None:
        acts.monitor_nodes(me, on=self.world.random.random() < 0.8)

    def _spawn_here(self, me: Actor) -> None:
        if me.process.alive and self._may_spawn(me.host):
            acts.spawn_here(me, linked=self._coin(), monitored=self._coin())

    def _spawn_at(self, me: Actor) -> None:
        node = self._some_node()
        if self._may_spawn(self.world.hosts[node]):
            self.waiters.append(acts.spawn_at(me, node, linked=self._coin(), monitored=self._coin()))

    def _call(self, me: Actor) -> None:
        self.waiters.append(acts.call(me, self._some_node()))

    def _gen_call(self, me: Actor) -> None:
        dest: Pid | tuple[str, str] = self._some_actor(me)[0]
        if self.world.random.random() < 0.3:
            dest = self.world.random.choice(NAMES), self._some_node()
        self.waiters.append(acts.gen_call(me, dest, of_the_node=self.world.random.random() < 0.2))

    def _gen_reply(self, me: Actor) -> None:
        servers = [actor for actor in self.world.living() if actor.calls]
        if servers:
            server = self.world.random.choice(servers)
            called = server.calls.pop(self.world.random.randrange(len(server.calls)))
            acts.gen_reply(server, called, by_hand=self._coin())

    def reply_to_all(self) -> None:
        """Lets every server reply to every call that it has left."""
        for server in self.world.living():
            while server.calls:
                acts.gen_reply(server, server.calls.pop(), by_hand=self._coin())

    def _cast(self, me: Actor) -> None:
        node = self._some_node()
        if self._may_spawn(self.world.hosts[node]):
            acts.cast(me, node)

    def _ask(self, me: Actor) -> None:
        self.waiters.append(self.world.random.choice((acts.ping, acts.info))(me, self._some_node()))

    def _connect(self, me: Actor) -> None:
        node = self._another(me)
        self.waiters.append(acts.connect(me, node))
        if self._coin():  # the other node dials at the same time
            others = [actor for actor in self.world.living() if actor.host.name == node]
            if others:
                self.waiters.append(acts.connect(others[0], me.host.name))

    def _disconnect(self, me: Actor) -> None:
        if self.world.random.random() < 0.3:
            acts.disconnect(me, self._some_node())

    def _abandon(self, me: Actor) -> None:
        waiting = [waiter for waiter in self.waiters if waiter.actor.host is me.host and not waiter.done]
        if waiting:
            acts.abandon(self.world.random.choice(waiting))

    def _exit(self, me: Actor) -> None:
        plain = self.world.random.choice(("normal", "kill", "", "", ""))
        acts.exits(me, plain or self._some_reason())

    def _busy(self, me: Actor) -> None:
        """Makes several acts without time between, so that their signals cross."""
        for _ in range(5):
            self.world.random.choice((self._send, self._link, self._unlink, self._monitor))(me)

    def _cross(self, me: Actor) -> None:
        """Links and unlinks two processes from both sides at once, so that the signals cross."""
        address, to = self._some_actor(me)
        if to.is_alive and not to.host.frozen and to is not me:
            back = me.pid_for(to.host)
            for _ in range(self.world.random.randint(2, 6)):
                one = self.world.random.choice(((me, address, to), (to, back, me)))
                self.world.random.choice((acts.link, acts.unlink))(*one)

    def _join(self, me: Actor) -> None:
        me.groups.join(self.world.random.choice(KEYS), self.world.random.choice((1, 1, 2)))

    def _leave(self, me: Actor) -> None:
        me.groups.leave(self.world.random.choice(KEYS))

    def _watch(self, me: Actor) -> None:
        me.groups.watch(self.world.random.choice((*KEYS, None)))

    def _unwatch(self, me: Actor) -> None:
        if me.groups.views:
            me.groups.unwatch(self.world.random.choice(list(me.groups.views)))

    def _subscribe(self, me: Actor) -> None:
        me.subscriptions.subscribe(topic(self.world))

    def _unsubscribe(self, me: Actor) -> None:
        me.subscriptions.unsubscribe(topic(self.world))

    def _publish(self, me: Actor) -> None:
        """Broadcasts between messages to one process, mostly."""
        random = self.world.random
        address, to = self._some_actor(me)
        for _ in range(random.choice((1, 1, 3))):
            me.subscriptions.publish(topic(self.world), skips_itself=random.random() < 0.2)
            if random.random() < 0.7:
                acts.send(me, "pid", address, to)

    @staticmethod
    def _may_spawn(host: Host) -> bool:
        return sum(actor.process.alive for actor in host.actors.values()) < MAX_PROCESSES
