"""Whom the visible peers see, as they say themselves; and which two of them do not see each other.

Such a pair is an overlapping partition: this node sees both halves.  BEAM's `global` cuts healthy sessions to
make the halves disjoint; pyx cuts nothing and reports.  A pair has to lack each other for a while before it
counts, because every join and every death looks like that for a moment.  Not here: when peers say what they
see, and who is told of the pairs (`mesh.py`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Pair: TypeAlias = tuple[str, str]
"""Two nodes, the lesser name first."""


class Looked(NamedTuple):
    """What a look at the views has shown, each pair once."""

    doubted: list[Pair]
    """They begin to lack each other, as far as this node has heard: ask them what they see now."""
    apart: list[Pair]
    """They have lacked each other long enough to say so."""
    healed: list[Pair]
    """They see each other again."""


class PartitionDetector:
    """See the file.  Fed with `said` and `lost`, asked by `look`."""

    __slots__ = ("_apart", "_changed", "_doubted", "_sees")

    def __init__(self) -> None:
        self._sees: Final[dict[str, frozenset[str]]] = {}
        self._doubted: dict[Pair, float] = {}
        """Pairs that lack each other, and since when this node knows."""
        self._apart: set[Pair] = set()
        """Those of them that were reported."""
        self._changed = False

    def said(self, node: str, names: Collection[str]) -> bool:
        """A visible peer says whom it sees; True the first time in its session."""
        first = node not in self._sees
        self._sees[node] = frozenset(names)
        self._changed = True
        return first

    def lost(self, node: str) -> None:
        """The session with a visible peer is over: what it said counts no more."""
        self._sees.pop(node, None)
        self._doubted = {pair: since for pair, since in self._doubted.items() if node not in pair}
        self._apart = {pair for pair in self._apart if node not in pair}

    def stood_still(self, seconds: float) -> None:
        """So long this node was frozen, and may have missed what its peers said: that time does not count."""
        if seconds:
            self._doubted = {pair: since + seconds for pair, since in self._doubted.items()}

    def look(self, now: float, patience: float, quiet: Collection[str] = ()) -> Looked:
        """Compares the views; a pair is apart when one of the two lacks the other for *patience* seconds.

        Of *quiet* peers nothing was heard lately: what they said once is no news, and soon they may be lost.
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
        """The pairs that are apart, sorted."""
        return sorted(self._apart)

    def _lacking(self) -> Iterable[Pair]:
        sees = self._sees
        for one, other in itertools.combinations(sorted(sees), 2):
            if other not in sees[one] or one not in sees[other]:
                yield one, other
