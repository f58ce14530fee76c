"""The simulator finds what it is there to find: each kernel here breaks a promise, an early run says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.effects import Wake
from pyx.core.mailbox import NodeDown
from pyx.signals import Demonitor, Down, ExitSignal, Link, Nodes, Send, Signal, UnlinkAck
from pyx.terms import Pid
from tests.simulation.host import WatchedKernel
from tests.simulation.hostile import NAME as HOSTILE
from tests.simulation.simulation import simulate
from tests.simulation.world import Violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.core.peers import Peer, Verdict
    from pyx.core.processes import ProcessRecord, Watcher
    from pyx.signals import Payload, Reason
    from pyx.terms import Ref

RUNS = 600
"""Each is found in the first of so many runs; most in the first one."""


class ForgetsCreations(WatchedKernel):
    """A restarted node gets its predecessor's mail."""

    def find(self, pid: Pid) -> ProcessRecord | None:
        return super().find(Pid(pid.number, pid.serial))


class FiresTwice(WatchedKernel):
    """A monitor gives two DOWNs when its node is lost."""

    def _sever(self, process: ProcessRecord, node: str) -> None:
        monitors = dict(process.monitors)
        super()._sever(process, node)
        self._settle()
        process.monitors.update(monitors)
        super()._sever(process, node)


class ForgetsWatchers(WatchedKernel):
    """An end of a process is not told to who monitors it from elsewhere."""

    def _enqueue(self, peer: Peer, signal: Signal) -> None:
        if not isinstance(signal, Down) or signal.reason in {"noproc", "normal"}:
            super()._enqueue(peer, signal)


class Overtakes(WatchedKernel):
    """An exit passes the messages that were sent before it."""

    def _enqueue(self, peer: Peer, signal: Signal) -> None:
        super()._enqueue(peer, signal)
        if isinstance(signal, (ExitSignal, Down)):
            peer.out.rotate(1)


class Reorders(WatchedKernel):
    """Of two messages that wait the later goes first."""

    def _enqueue(self, peer: Peer, signal: Signal) -> None:
        super()._enqueue(peer, signal)
        if len(peer.out) > 1 and isinstance(signal, Send):
            peer.out.rotate(1)


class SaysNodedownFirst(WatchedKernel):
    """The loss of a node is told before what was lost with it."""

    def _over(self, peer: Peer, reason: str) -> None:
        for process in peer.bonds:
            for _ in range(process.node_monitors.pop(peer.name, 0)):
                self._deliver(process, NodeDown(peer.name))
        super()._over(peer, reason)


class UnlinksWithoutProtocol(WatchedKernel):
    """An unlink needs no acknowledgement, so what crosses it counts."""

    def unlink(self, process: ProcessRecord, to: Pid) -> None:
        super().unlink(process, to)
        process.links._states.pop(to, None)

    def _carry_out(self, signal: Signal) -> None:
        if not isinstance(signal, UnlinkAck):
            super()._carry_out(signal)


class AlwaysAccepts(WatchedKernel):
    """Two that dial each other get two sessions."""

    def peer_claimed(self, name: str, creation: int, *, hidden: bool, now: float) -> Verdict:
        proper, self.name = self.name, ""
        self.name = "!" + proper  # less than any other: its own dial never goes first
        verdict = super().peer_claimed(name, creation, hidden=hidden, now=now)
        self.name = proper
        return verdict


class HearsTheLost(WatchedKernel):
    """What comes over a session that is given up still counts."""

    def signals_received(self, peer: Peer, signals: Sequence[Signal], now: float) -> None:
        if not self._is_current(peer):
            for signal in signals:
                if isinstance(signal, Send):
                    self._receive_message(signal.to, signal.body)
        super().signals_received(peer, signals, now)


class ForgetsToWake(WatchedKernel):
    """A process that waits is not woken."""

    def _deliver(self, process: ProcessRecord, item: Any) -> None:
        super()._deliver(process, item)
        if self.effects and self.effects[-1] == Wake(process):
            self.effects.pop()


class KeepsAliases(WatchedKernel):
    """A late reply litters the mailbox."""

    def unalias(self, process: ProcessRecord, ref: Ref) -> bool:
        return process.aliases.pop(ref, None) is not None


class LetsTheDeadAct(WatchedKernel):
    """A killed process goes on until its thread has heard of it."""

    def _has_ended(self, frm: Pid) -> bool:
        return super()._has_ended(frm) and not frm.number


class BindsOneEnd(WatchedKernel):
    """A spawned process is linked to its spawner, and not the other way."""

    def _start_spawn(self, frm: Pid, leader: Pid | None, payload: Payload, **bonds: Any) -> Pid:
        return super()._start_spawn(frm, leader, payload, **{**bonds, "link": False})


class ForgetsRequests(WatchedKernel):
    """Who waits for a lost node waits for ever."""

    def _fail_requests(self, peer: Peer, reason: str) -> None:
        pass


class AnswersTheAbandoned(WatchedKernel):
    """A late answer does not vanish."""

    def abandon(self, number: int) -> None:
        pass


class ForgetsDemonitors(WatchedKernel):
    """A monitor that was taken back stays at its other end."""

    def _carry_out(self, signal: Signal) -> None:
        if not isinstance(signal, Demonitor):
            super()._carry_out(signal)


class LosesALink(WatchedKernel):
    """A link to a dead process of another node is no exit."""

    def _post(self, node: str, signal: Signal, *, connect: bool = False, quiet: bool = False) -> bool:
        if isinstance(signal, ExitSignal) and signal.reason == "noproc":
            return True
        return super()._post(node, signal, connect=connect, quiet=quiet)


class TrapsKill(WatchedKernel):
    """`kill` is an exit signal like others."""

    def _kill(self, process: ProcessRecord, reason: Reason) -> None:
        if reason != "killed":
            super()._kill(process, reason)


class SpreadsNormal(WatchedKernel):
    """A normal end takes linked processes along."""

    def _obey(self, process: ProcessRecord, frm: Pid, reason: Reason) -> None:
        super()._obey(process, frm, "normally" if reason == "normal" else reason)


class SaysNothingOfPartitions(WatchedKernel):
    """Nobody is told when a node is lost to somebody."""

    def tick(self, now: float) -> None:
        for peer in self._peers.values():
            peer.told = self._sight
        super().tick(now)


class TellsTheHidden(WatchedKernel):
    """Hidden nodes become known."""

    def _up(self, peer: Peer, creation: int, *, hidden: bool, now: float) -> None:
        super()._up(peer, creation, hidden=hidden and self.hidden, now=now)


class ForgetsToSever(WatchedKernel):
    """The bonds with a node outlive the session."""

    def _sever(self, process: ProcessRecord, node: str) -> None:
        pass


class BelievesNoTicks(WatchedKernel):
    """A silent peer is never given up."""

    def tick(self, now: float) -> None:
        for peer in self._peers.values():
            peer.heard = now
        super().tick(now)


class LinksAtOnce(WatchedKernel):
    """A LINK that arrives while an unlink is outstanding counts."""

    def _carry_out(self, signal: Signal) -> None:
        if isinstance(signal, Link) and (process := self.find(signal.to)) is not None:
            process.links._states.pop(signal.frm, None)
        super()._carry_out(signal)


class ForgetsTheRest(WatchedKernel):
    """Of an end that many are to hear of, some do not."""

    def go_on(self) -> None:
        self._notices._waiting.clear()
        super().go_on()


class DropsAWord(WatchedKernel):
    """One of very many messages is lost."""

    def signals_received(self, peer: Peer, signals: Sequence[Signal], now: float) -> None:
        kept = [signal for signal in signals if isinstance(signal, Nodes) or signal != signals[-1]]
        super().signals_received(peer, kept if len(signals) > 4 else signals, now)


class TakesAReferenceTwice(WatchedKernel):
    """A monitor by a reference that is in use takes the place of the first."""

    def _check_new(self, watcher: Watcher) -> None:
        pass


class ByReferenceAlone(dict[Any, Any]):
    """What a peer chooses is the key."""

    def __setitem__(self, watcher: Watcher, process: ProcessRecord) -> None:
        super().__setitem__(watcher.ref, process)

    def __contains__(self, watcher: Any) -> bool:
        return super().__contains__(watcher.ref)

    def pop(self, watcher: Watcher, *_: object) -> Any:
        return super().pop(watcher.ref)


class WatchesByReference(TakesAReferenceTwice):
    """A reference stands for one monitor, whoever says it."""

    def __init__(self) -> None:
        super().__init__()
        self._watched = ByReferenceAlone()  # type: ignore[misc]


class BelievesAnyDown(WatchedKernel):
    """A peer tells of processes that are not its own."""

    def _may_tell(self, to: Pid, ref: Ref, node: str) -> bool:
        del node
        process = self.find(to)
        return process is not None and ref in process.monitors


class FollowsTheVillain(WatchedKernel):
    """What a peer says may raise in the kernel."""

    def _receive_signal(self, peer: Peer, signal: Signal) -> None:
        if isinstance(signal, UnlinkAck) and peer.name == HOSTILE:
            raise KeyError(signal)
        super()._receive_signal(peer, signal)


SABOTAGED = [
    ForgetsCreations, FiresTwice, ForgetsWatchers, Overtakes, Reorders, SaysNodedownFirst,
    UnlinksWithoutProtocol, HearsTheLost, ForgetsToWake, KeepsAliases, LetsTheDeadAct, BindsOneEnd,
    ForgetsRequests, AnswersTheAbandoned, ForgetsDemonitors, LosesALink, TrapsKill, SpreadsNormal,
    SaysNothingOfPartitions, TellsTheHidden, ForgetsToSever, LinksAtOnce, DropsAWord, AlwaysAccepts,
    BelievesNoTicks, ForgetsTheRest, TakesAReferenceTwice, WatchesByReference, BelievesAnyDown,
    FollowsTheVillain,
]  # fmt: skip


@pytest.mark.parametrize("kernel", SABOTAGED)
def test_a_broken_kernel_is_found(kernel: type[WatchedKernel]) -> None:
    assert any(breaks(kernel, seed) for seed in range(RUNS))


def breaks(kernel: type[WatchedKernel], seed: int) -> bool:
    try:
        simulate(seed, kernel)
    except (Violation, KeyError):
        return True
    return False
