"""Detects overlapping partitions: visible peers that do not see each other, though this node sees both.

Peers announce which nodes they see; `membership.py` feeds the detector and logs what it finds.  BEAM's
`global` cuts healthy sessions to make the halves of a partition disjoint; pyx cuts nothing and reports.  A
pair has to lack each other for a while before it counts, because every join and every death looks like that
for a moment.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Pair: TypeAlias = tuple[str, str]
"""Two nodes, the lesser name first."""


class Looked(NamedTuple):
    """The changes that `PartitionDetector.look` has found, each pair once."""

    doubted: list[Pair]
    """Pairs that begin to lack each other, by what they announced: ask them what they see now."""
    apart: list[Pair]
    """Pairs that have lacked each other long enough to be reported."""
    healed: list[Pair]
    """Reported pairs that see each other again."""


class PartitionDetector:
    """Fed with `said` and `lost`, asked by `look`."""

    __slots__ = ("_apart", "_changed", "_doubted", "_sees")

    def __init__(self) -> None:
        self._sees: Final[dict[str, frozenset[str]]] = {}
        """Peer -> the nodes that it has announced."""
        self._doubted: dict[Pair, float] = {}
        """Pairs that lack each other -> since when this node knows."""
        self._apart: set[Pair] = set()
        """Those of them that were reported."""
        self._changed = False
        """True when an announcement came since the last `look`."""

    def said(self, node: str, names: Collection[str]) -> bool:
        """Notes the nodes that a visible peer announces; True the first time in its session."""
        first = node not in self._sees
        self._sees[node] = frozenset(names)
        self._changed = True
        return first

    def lost(self, node: str) -> None:
        """Forgets what a visible peer has announced, when its session is over."""
        self._sees.pop(node, None)
        self._doubted = {pair: since for pair, since in self._doubted.items() if node not in pair}
        self._apart = {pair for pair in self._apart if node not in pair}

    def stood_still(self, seconds: float) -> None:
        """Excludes a time in which this node was frozen, and may have missed announcements."""
        if seconds:
            self._doubted = {pair: since + seconds for pair, since in self._doubted.items()}

    def look(self, now: float, patience: float, quiet: Collection[str] = ()) -> Looked:
        """Compares the announcements; a pair is apart when one has lacked the other for *patience* seconds.

        Nothing came lately from *quiet* peers: their announcements may be old, and they may soon be lost.
        """
        doubted: list[Pair] = []
        if self._changed:
            self._changed = False
            before, self._doubted = self._doubted, {}
            for pair in self._lacking():
                self._doubted[pair] = before.get(pair, now)
                if pair not in before:
                    doubted.append(pair)
        apart = [
            pair
            for pair, since in self._doubted.items()
            if now - since >= patience and pair not in self._apart and not set(pair).intersection(quiet)
        ]
        healed = sorted(pair for pair in self._apart if pair not in self._doubted)
        self._apart.update(apart)
        self._apart.difference_update(healed)
        return Looked(doubted, apart, healed)

    def partitions(self) -> list[Pair]:
        """Returns the pairs that are apart, sorted."""
        return sorted(self._apart)

    def _lacking(self) -> Iterable[Pair]:
        sees = self._sees
        for one, other in itertools.combinations(sorted(sees), 2):
            if other not in sees[one] or one not in sees[other]:
                yield one, other
