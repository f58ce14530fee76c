"""Faults around the kernels of the simulator: connections break or fall silent, nodes die, stop or freeze.

Each seed has its own share of every fault, often none of some.  What a broken connection does: `network.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation import acts
from tests.simulation.host import GOODBYE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.host import Host
    from tests.simulation.world import World


class Faults:
    """Causes a fault now and then, until it is `stopped`; `heal` ends the lasting ones.

    Args:
        world: in which they occur.
        pace: seconds between two faults, on average.
    """

    def __init__(self, world: World, pace: float) -> None:
        self.world = world
        self.pace = pace
        self.stopped = False
        self._kinds: list[Callable[[], None]] = []
        for kind in (self._cut, self._silence, self._kill, self._restart, self._freeze, self._part):
            self._kinds += [kind] * world.random.choice((0, 1, 1, 2))
        if self._kinds:
            self._next()

    def _next(self) -> None:
        self.world.at(self.world.random.expovariate(1 / self.pace), None, self._one)

    def _one(self) -> None:
        if not self.stopped:
            self._next()
            fault = self.world.random.choice(self._kinds)
            self.world.note(fault.__name__)
            self.world.count(fault.__name__)
            fault()

    def heal(self) -> None:
        """Lets every host run and dial every other."""
        self.stopped = True
        self.world.blocked.clear()
        for host in self.world.running():
            if host.frozen:
                host.thaw()

    def _some_host(self) -> Host | None:
        return self.world.random.choice(self.world.running()) if self.world.running() else None

    def _cut(self) -> None:
        """Connections break; usually one."""
        whole = [one for one in self.world.connections if one.open_ends == 2 and not one.broken]
        for connection in self.world.random.sample(
            whole, min(len(whole), self.world.random.choice((1, 1, 3)))
        ):
            connection.cut()

    def _silence(self) -> None:
        """One direction, or both, of a connection delivers late: perhaps later than the other end waits."""
        random = self.world.random
        whole = [one for one in self.world.connections if one.open_ends == 2 and not one.broken]
        if whole:
            for end in random.sample(random.choice(whole).ends, random.choice((1, 2))):
                end.silence(random.choice((0.5, 3.0, 5.5)))

    def _kill(self) -> None:
        """`kill -9`, and the node starts again."""
        host = self._some_host()
        if host is not None:
            self.world.note(f"{host} is killed")
            host.die()
            self.world.at(self.world.random.choice((0.0, 0.1, 1.0)), None, self._boot, host)

    def _boot(self, dead: Host) -> None:
        populate(self.world.boot(dead.name, hidden=dead.hidden))

    def _restart(self) -> None:
        """`Node.stop()`, then `Node.start()` in the same OS process: pids stay, the creation is another."""
        host = self._some_host()
        if host is not None and host.incarnation is not None and not host.frozen:
            host.stop()
            self.world.at(GOODBYE_SECONDS, host, self._stopped, host)

    def _stopped(self, host: Host) -> None:
        host.close_all()
        self.world.at(self.world.random.random(), host, self._start, host)

    def _start(self, host: Host) -> None:
        host.start()
        self.world.note(f"{host} starts again")

    def _freeze(self) -> None:
        """`kill -STOP`, and some time later `kill -CONT`."""
        host = self._some_host()
        if host is not None and not host.frozen:
            host.freeze()
            self.world.at(self.world.random.choice((0.3, 1.0, 6.0)), None, self._thaw, host)

    def _thaw(self, host: Host) -> None:
        if host.frozen:
            host.thaw()

    def _part(self) -> None:
        """Two hosts cannot reach each other for a while."""
        random = self.world.random
        names = sorted(self.world.hosts)
        pair = frozenset(random.sample(names, 2))
        self.world.blocked[pair] = random.choice(("refused", "silent"))
        for connection in self.world.connections:
            if frozenset(end.host.name for end in connection.ends) == pair and not connection.broken:
                connection.cut()
        self.world.at(random.choice((1.0, 5.0)), None, self._meet, pair)

    def _meet(self, pair: frozenset[str]) -> None:
        self.world.blocked.pop(pair, None)


def populate(host: Host) -> None:
    """Starts the first processes of a host, and perhaps its first dial."""
    random = host.world.random
    for _ in range(random.randint(2, 4)):
        host.kernel.process_signals.set_trap_exit(acts.new_process(host).process, random.random() < 0.5)
    if random.random() < 0.2:
        acts.new_process(host, shell=True)
    if random.random() < 0.7:
        others = [name for name in sorted(host.world.hosts) if name != host.name]
        if others:
            host.step(host.kernel.sessions.connect, None, random.choice(others), host.world.now)
