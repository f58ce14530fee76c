"""What the subscribers of a topic are told of changes in a space of presences.

A step is one diff for each topic: a process that tracks, updates, untracks or ends; a node that is lost; one
that is there (again).  A space may hold the loss of a node back for some seconds: its entries are *absent*
meanwhile, and readers still see them.  If the same incarnation comes back in that time, only what has changed
is told; if another one does, the entries of the old one leave at once, in the same diff.

A new space begins with a diff of all that peers hold in it, and ends with one of the same: a receiver that
adds diffs up has what readers see.  From the step of a process's end on these do not see its entries, whose
leaves follow in portions: those who have subscribed after that step are not told of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.core.effects import HoldBack
from pyx.core.mailbox import PresenceChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyx.core.broadcasts import Broadcasts
    from pyx.core.peers import Peer
    from pyx.core.spaces import Space
    from pyx.core.tables import Tables
    from pyx.signals import Held

Entries: TypeAlias = "dict[int, Held]"
"""By their numbers."""


class Absent(NamedTuple):
    """The entries of a lost node whose loss is not told yet."""

    creation: int
    entries: Entries
    number: int
    """Of this loss, for its timer."""


class PresenceDiffs:
    """The part of the kernel that makes diffs, and alone knows of absent entries."""

    def __init__(self, tables: Tables, broadcasts: Broadcasts) -> None:
        self._tables = tables
        self._broadcasts = broadcasts
        self._absent: Final[dict[tuple[Space, str], Absent]] = {}

    def changed(
        self,
        space: Space,
        kind: str,
        changes: Mapping[bytes, Sequence[Held]],
        replaced: Held | None,
        since: int | None,
    ) -> None:
        """Tells subscribers what `Keys.tell` tells watchers, one diff for each topic."""
        before = () if replaced is None else (replaced,)
        for key, held in changes.items():
            joins, leaves = ((), held) if kind == "leave" else (held, before)
            self._publish(space, key, tuple(joins), tuple(leaves), since=since)

    def absent(self, space: Space, key: bytes) -> list[Held]:
        """Returns the absent entries of a key, which readers see beside those that are held."""
        if not self._absent:
            return []
        return [
            held
            for (at, _), absent in self._absent.items()
            if at is space
            for held in absent.entries.values()
            if held.key == key
        ]

    # ------------------------------------------------------------ spaces come and go

    def space_opened(self, space: Space) -> None:
        """Tells of all that the processes of peers hold in a new space."""
        self._tell(space, self._held_by_peers(space), ())

    def space_ended(self, space: Space) -> None:
        """Tells that all that the processes of peers held in a space is gone, absent entries too."""
        gone = self._held_by_peers(space)
        for at, node in [place for place in self._absent if place[0] is space]:
            gone += self._absent.pop((at, node)).entries.values()
        self._tell(space, (), gone)

    def _held_by_peers(self, space: Space) -> list[Held]:
        ready = [peer for peer in self._tables.peers.values() if peer.is_ready]
        return [held for peer in ready for held in _entries_in(peer, space).values()]

    # ------------------------------------------------------------ nodes come and go

    def peer_is_here(self, peer: Peer) -> None:
        """Tells of all that the processes of a peer hold, beside what is known of them."""
        for space in self._spaces():
            now = _entries_in(peer, space)
            known = self._absent.pop((space, peer.name), None)
            if known is None:
                self._tell(space, now.values(), ())
            elif known.creation != peer.creation:
                self._tell(space, now.values(), known.entries.values())
            else:
                self._tell(
                    space,
                    [held for number, held in now.items() if known.entries.get(number) != held],
                    [held for number, held in known.entries.items() if now.get(number) != held],
                )

    def peer_lost(self, peer: Peer) -> None:
        """Tells that all that the processes of a peer held is gone, or holds that back."""
        for space in self._spaces():
            entries = _entries_in(peer, space)
            if space.use.down_after and entries:
                number = next(self._tables.numbers)
                self._absent[space, peer.name] = Absent(peer.creation, entries, number)
                self._tables.effects.append(HoldBack(space.use.down_after, space, peer.name, number))
            else:
                self._tell(space, (), entries.values())

    def is_over(self, space: Space, node: str, number: int) -> None:
        """Tells of a loss that was held back, if that node has not come back meanwhile."""
        absent = self._absent.get((space, node))
        if absent is not None and absent.number == number:
            del self._absent[space, node]
            self._tell(space, (), absent.entries.values())

    def _spaces(self) -> list[Space]:
        return [space for space in self._tables.spaces.values() if space.use.diffs_to]

    # ------------------------------------------------------------ diffs

    def _tell(self, space: Space, joins: Iterable[Held], leaves: Iterable[Held]) -> None:
        """Publishes one diff for each topic: a portion of the copies at once, the others in later calls."""
        topics: dict[bytes, tuple[list[Held], list[Held]]] = {}
        for index, those in enumerate((joins, leaves)):
            for held in those:
                topics.setdefault(held.key, ([], []))[index].append(held)
        told = 0
        for topic, (joined, left) in topics.items():
            is_portion = told < self._tables.fan_outs.portion
            told += self._publish(space, topic, tuple(joined), tuple(left), at_once=is_portion)

    def _publish(
        self,
        space: Space,
        topic: bytes,
        joins: tuple[Held, ...],
        leaves: tuple[Held, ...],
        *,
        at_once: bool = True,
        since: int | None = None,
    ) -> int:
        """Broadcasts a diff here, in order with the signals of its processes; returns its subscribers."""
        told = self._broadcasts.space(space.use.diffs_to)
        subscribers = len(told.holders.get(topic, ())) if told is not None else 0
        if told is None or not (subscribers or told.use.dispatches):
            return 0
        about = {held.frm for held in (*joins, *leaves)}
        diff = PresenceChanged(topic, joins, leaves)
        self._broadcasts.publish(None, told, topic, diff, at_once=at_once, about=about, since=since)
        return subscribers


def _entries_in(peer: Peer, space: Space) -> Entries:
    keys = peer.holdings.spaces.get(space.name, {}) if peer.holdings is not None else {}
    return {number: held for entries in keys.values() for number, held in entries.items()}
