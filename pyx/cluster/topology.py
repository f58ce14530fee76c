"""What a node's topologies have found, and what follows: whom to dial, when, and whom to disconnect.

A machine: fed with sightings, connections and failures, then asked for what is `due`.  Time and jitter are
arguments.  Follows libcluster's strategies, with these differences: a node that is lost is always dialled
again, after a back-off; an answer that is empty or has failed changes nothing; nothing is disconnected unless
the topology says `prune`, and then only what this topology has found, and two whole sightings in a row lack.
"""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pyx.core.backoff import LONGEST_DELAY, Backoff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOTHING_FOUND: Final = "it found nothing, which changes nothing"
"""Why a whole sighting without any node is not believed."""

NO_ANSWER_YET: Final = "it has not answered yet"
"""Of a strategy that has neither found anything nor failed so far."""

MOST_DIALS: Final = 128
"""Dials at a time: each has a descriptor, of which a process has 1,024 by default."""

REFUSED_SECONDS: Final = 60.0
"""The pause after a refusal."""

LOSS_SECONDS: Final = 6.0
"""For how long the failed dials of a lost node are not news: it has mostly ended, or is being restarted, and
the next answer of its strategy (5 s, by default) lacks it or finds it there."""

_SIGHTINGS_TO_PRUNE: Final = 2
_QUIET_SECONDS: Final = 60.0
"""A search that fails now and then, by the same reason, is news once in that time."""
_NEVER: Final = float("inf")

COUNTERS: Final = (
    "sightings",
    "failed_searches",
    "dials",
    "failed_dials",
    "connections",
    "losses",
    "prunes",
)
"""What is counted, as `Node.info()["cluster"]` names it."""


class BeginSearch(NamedTuple):
    """An action: start the strategy of the topology; answered by `search_failed` or `search_ended`."""

    topology: str


class DialFound(NamedTuple):
    """An action: dial that node; answered by `dialled`."""

    node: str
    topology: str


class Prune(NamedTuple):
    """An action: disconnect that node, which the topology has lost sight of."""

    node: str
    topology: str


Action: TypeAlias = BeginSearch | DialFound | Prune


class _Findings:
    """What one topology has found."""

    __slots__ = ("began_at", "found", "has_answered", "missed", "prune", "reason", "search_at", "told")

    def __init__(self, *, prune: bool) -> None:
        self.prune = prune
        self.found: set[str] = set()
        self.missed: dict[str, int] = {}
        """Of nodes that it had found: how many whole sightings in a row lack them."""
        self.has_answered = False
        self.reason: str | None = None
        """Why its last search failed; None if it did not."""
        self.search_at = 0.0
        """When its strategy is to be started; infinity while it runs."""
        self.began_at = 0.0
        """When it was started."""
        self.told = ("", -_QUIET_SECONDS)
        """The reason that was news last, and when."""


class Topology:
    """The topologies of one cluster, which share their dials.

    Args:
        topologies: by name, whether each prunes.
        here: the full name of this node, which it never dials.
        counts: the numbers of `COUNTERS`, which are raised.
    """

    def __init__(self, topologies: Mapping[str, bool], here: str, counts: dict[str, int]) -> None:
        self._here = here
        self._counts = counts
        for counter in COUNTERS:
            counts.setdefault(counter, 0)
        self._findings = {name: _Findings(prune=prune) for name, prune in topologies.items()}
        self._dials = Backoff()
        self._searches = Backoff()
        self._dial_at: dict[str, float] = {}
        """When each node that was found is due; infinity while it is dialled or up."""
        self._in_progress: set[str] = set()
        self._lost_at: dict[str, float] = {}
        """Of nodes that were up: since when they are not; until a failed dial of theirs is news."""
        self._up: frozenset[str] = frozenset()
        self._hidden: frozenset[str] = frozenset()
        self._prunes: list[Prune] = []

    # ------------------------------------------------------------ collected

    def due(self, now: float) -> list[Action]:
        """Returns the actions that are due; each is in progress until its outcome is fed."""
        due: list[Action] = list(self._prunes)
        self._prunes.clear()
        for topology, findings in self._findings.items():
            if findings.search_at <= now:
                findings.search_at = _NEVER
                findings.began_at = now
                due.append(BeginSearch(topology))
        waiting = ((at, node) for node, at in self._dial_at.items() if at <= now)
        for _, node in nsmallest(MOST_DIALS - len(self._in_progress), waiting):
            self._dial_at[node] = _NEVER
            self._in_progress.add(node)
            self._counts["dials"] += 1
            due.append(DialFound(node, self.finder(node)))
        return due

    def next_due(self) -> float | None:
        """Returns when to call `due` again; None: after the next event."""
        times = [findings.search_at for findings in self._findings.values()]
        if len(self._in_progress) < MOST_DIALS:
            times.extend(self._dial_at.values())
        at = min(times, default=_NEVER)
        return None if at == _NEVER else at

    def finder(self, node: str) -> str:
        """Returns the first topology that has found *node*; empty if none has."""
        return next((name for name, findings in self._findings.items() if node in findings.found), "")

    # ------------------------------------------------------------ fed: searches

    def sighted(
        self, topology: str, nodes: Iterable[str], now: float, *, whole: bool = True, problem: str = ""
    ) -> bool:
        """Notes what a topology has found; returns True if `reason` is news, and is to be logged.

        New nodes are due now; what a whole sighting lacks is not dialled any more.

        Args:
            topology: its name.
            nodes: full names.
            now: monotonic seconds.
            whole: True if these are all nodes that there are.
            problem: a sentence about a part of the sighting that is wrong, which is not whole then.
        """
        seen = set(nodes)
        findings = self._findings[topology]
        self._counts["sightings"] += 1
        findings.has_answered = True
        if whole and not seen:
            return self._not_believed(findings, NOTHING_FOUND, now)
        if not problem:
            findings.reason = None
        seen.discard(self._here)
        if whole:
            gone = findings.found - seen
            findings.found = seen
            if findings.prune:
                self._count_missing(topology, findings, gone)
            self._forget_unwanted()
        else:
            findings.found |= seen
        for node in seen:
            findings.missed.pop(node, None)
        for node in sorted(seen):
            self._dial_at.setdefault(node, _NEVER if node in self._up else now)
        return bool(problem) and self._not_believed(findings, problem, now)

    def search_failed(self, topology: str, reason: str, now: float, jitter: float) -> bool:
        """Notes that a strategy has raised; what it found stays.  Returns True if the reason is a new one."""
        findings = self._findings[topology]
        self._counts["failed_searches"] += 1
        if now - findings.began_at > LONGEST_DELAY:  # not one that finds, fails, and is back in no time
            self._searches.forget(topology)
        findings.search_at = self._searches.failed(topology, reason, now, jitter)
        return self._not_believed(findings, reason, now)

    def search_ended(self, topology: str) -> None:
        """Notes that a strategy has found all that it will ever find."""
        self._findings[topology].missed.clear()

    @staticmethod
    def _not_believed(findings: _Findings, reason: str, now: float) -> bool:
        findings.missed = dict.fromkeys(findings.missed, 0)  # whole sightings count in a row
        told, at = findings.told
        is_news = findings.reason != reason and (told != reason or now - at >= _QUIET_SECONDS)
        findings.reason = reason
        if is_news:
            findings.told = reason, now
        return is_news

    def _count_missing(self, topology: str, findings: _Findings, gone: set[str]) -> None:
        for node in sorted(gone | (findings.missed.keys() - findings.found)):
            findings.missed[node] = findings.missed.get(node, 0) + 1
            if findings.missed[node] < _SIGHTINGS_TO_PRUNE:
                continue
            del findings.missed[node]
            if node in self._up and not self.finder(node):
                self._counts["prunes"] += 1
                self._prunes.append(Prune(node, topology))

    def _forget_unwanted(self) -> None:
        wanted = set().union(*(findings.found for findings in self._findings.values()))
        for node in self._dial_at.keys() - wanted:
            del self._dial_at[node]
            self._lost_at.pop(node, None)

    # ------------------------------------------------------------ fed: connections

    def connected(
        self, nodes: Iterable[str], now: float, jitter: float, *, hidden: Iterable[str] = ()
    ) -> tuple[list[str], list[str]]:
        """Notes which nodes are connected; returns those of the found ones that have come, and have gone.

        A lost node is due after a back-off, which *jitter* (random, 0 to 1) shortens.  Those of them that are
        *hidden* belong to the cluster only if they were found: others only ask something here.
        """
        self._hidden = frozenset(hidden)
        before, self._up = self._up, frozenset(nodes)
        come = sorted((self._up - before) & self._dial_at.keys())
        gone = sorted((before - self._up) & self._dial_at.keys())
        for node in self._up - before:
            self._dials.forget(node)
            self._lost_at.pop(node, None)
        for node in come:
            self._dial_at[node] = _NEVER
        for node in gone:
            self._lost_at[node] = now
            if node not in self._in_progress:
                self._dial_at[node] = self._dials.failed(node, "it was lost", now, jitter)
        self._counts["connections"] += len(come)
        self._counts["losses"] += len(gone)
        return come, gone

    def dialled(
        self, node: str, reason: str | None, now: float, jitter: float, *, refused: bool = False
    ) -> bool:
        """Notes the end of a dial, after `connected`; *reason* says why it failed, None: it did not.

        One that was *refused* for its cookie rests for long: each dial is a warning there.

        Returns True if that node is not there, for a reason that the dial before did not have.  Of a node
        that was lost just now no failure is news, except a refusal.
        """
        self._in_progress.discard(node)
        if node in self._up or node not in self._dial_at:
            return False  # it may have dialled this node meanwhile, or is not wanted any more
        words = reason or "it was connected, and is not listed as such"
        is_news = self._dials.reason(node) != words
        if (lost_at := self._lost_at.get(node)) is not None:
            is_news = refused or now - lost_at >= LOSS_SECONDS
            if is_news:
                del self._lost_at[node]
        self._dial_at[node] = self._dials.failed(node, words, now, jitter)
        if refused:
            self._dial_at[node] = now + REFUSED_SECONDS * (1 - jitter / 2)
        self._counts["failed_dials"] += 1
        return is_news

    # ------------------------------------------------------------ asked

    def reason(self, topology: str) -> str:
        """Returns why the last search of a topology has failed; empty if it has not."""
        return self._findings[topology].reason or ""

    def dial_reason(self, node: str) -> str:
        """Returns why the last dial of *node* has failed; empty if it has not."""
        return self._dials.reason(node) or ""

    @property
    def nodes(self) -> list[str]:
        """The nodes of this cluster that are there, with this one, sorted."""
        there = (node for node in self._up if node not in self._hidden or node in self._dial_at)
        return sorted({self._here, *there})

    def facts(self) -> dict[str, Any]:
        """Returns what `Cluster.info` shows."""
        return {
            "nodes": self.nodes,
            "topologies": {
                name: {
                    "found": sorted(findings.found),
                    "prune": findings.prune,
                    "reason": findings.reason or (None if findings.has_answered else NO_ANSWER_YET),
                }
                for name, findings in self._findings.items()
            },
            "found": {node: self._state(node) for node in sorted(self._dial_at)},
        }

    def _state(self, node: str) -> str | tuple[str, str]:
        if node in self._up:
            return "up"
        if node in self._in_progress:
            return "dialling"
        reason = self._dials.reason(node)
        return ("resting", reason) if reason is not None else "waiting"
