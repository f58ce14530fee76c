"""Keys that processes of this node hold, each in a space and with a value.

A process loses all of them in the step of its end: from then on no reader finds it, and a key of a unique
space is free.  What watchers and peers are told of that comes before its exits and downs, in portions with
these (`exit_notices.py`).  `groups.py` has what peers hold.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from pyx.core.effects import Released, Resume
from pyx.core.exit_notices import Forgotten
from pyx.core.mailbox import GroupChanged, KeyChanged
from pyx.core.peers import BEAM
from pyx.core.spaces import PLAIN_USE, Entry, KeyWatch, Space, holdings_of
from pyx.signals import Discover, Held, Let

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyx.core.exit_notices import Notice
    from pyx.core.peers import Peer
    from pyx.core.presence_diffs import PresenceDiffs
    from pyx.core.processes import ProcessRecord
    from pyx.core.routing import Router
    from pyx.core.spaces import ProcessHoldings, SpaceUse
    from pyx.core.tables import Tables
    from pyx.terms import Pid, Ref

BATCH: Final = 100
"""Entries of an ended process that are removed, and told of, at a time."""


class Keys:
    """The part of the kernel that alone changes `Tables.spaces` and the entries of processes."""

    def __init__(self, tables: Tables, router: Router, diffs: PresenceDiffs) -> None:
        self._tables = tables
        self._router = router
        self._diffs = diffs
        self._numbers: Final = itertools.count(1)
        """Of entries, watches and ends of processes: each is later than those with a smaller one."""

    # ------------------------------------------------------------ spaces

    def open_space(
        self,
        name: str,
        *,
        owner: ProcessRecord | None,
        unique: bool,
        replicated: bool,
        use: SpaceUse = PLAIN_USE,
    ) -> bool:
        """Makes a space; it ends with its *owner*, if it has one.  False if there is one of that name."""
        if name in self._tables.spaces or (owner is not None and not owner.alive):
            return False
        owner_pid = owner.pid if owner is not None else None
        space = Space(name, owner_pid, unique=unique, replicated=replicated, use=use)
        self._tables.spaces[name] = space
        if replicated:
            for peer in self._audience():
                if peer.dialect == BEAM:
                    self._router.enqueue(peer, Discover(name))
        if owner is not None:
            holdings_of(owner).owned.append(space)
        if use.diffs_to:
            self._diffs.space_opened(space)
        return True

    # ------------------------------------------------------------ holding

    def hold(
        self,
        space: Space,
        key: bytes,
        value: Any,
        processes: Sequence[ProcessRecord],
        *,
        label: str | None = None,
    ) -> Pid | None:
        """Gives a key to processes of this node, once for each mention; watchers are told of all at once.

        The *label* stays on this node; see `Entry`.

        Returns:
            The holder, if the space is unique and the key taken; then nothing has changed.  Else None.
        """
        entries = space.holders.get(key)
        if space.unique and entries:
            for entry in entries.values():
                if entry.process.alive:
                    return entry.held.frm
        new = [
            Entry(space, Held(process.pid, next(self._numbers), space.name, key, value), process, label)
            for process in processes
            if process.alive
        ]
        if not new:
            return None
        space.add(key, new)
        for entry in new:
            holdings = holdings_of(entry.process)
            holdings.entries.setdefault((space, key), []).append(entry)
            if label is not None:
                if holdings.labelled is None:
                    holdings.labelled = {}
                holdings.labelled[space, key, label] = entry
        space.size += len(new)
        space.stored += len(new)
        held = [entry.held for entry in new]
        if space.replicated:
            for peer in self._audience():
                for one in held:
                    self._router.enqueue(peer, one)
        self.tell(space, "join", {key: held})
        return None

    def update(self, process: ProcessRecord, space: Space, key: bytes, value: Any) -> bool:
        """Gives the latest entry of a process under *key* a new value; False if it has none."""
        holdings: ProcessHoldings | None = process.holdings
        entries = holdings.entries.get((space, key)) if holdings is not None else None
        if not entries or not process.alive:
            return False
        self.replace(entries[-1], value)
        return True

    def replace(self, entry: Entry, value: Any) -> None:
        """Gives an entry of a living process a new value."""
        before = entry.held
        entry.held = before._replace(value=value)
        if entry.space.replicated:
            for peer in self._audience():
                self._router.enqueue(peer, entry.held)
        self.tell(entry.space, "update", {before.key: (entry.held,)}, replaced=before)

    def labelled(self, process: ProcessRecord, space: Space, key: bytes, label: str) -> Entry | None:
        """Returns the entry of a process under *key* that has that label."""
        holdings: ProcessHoldings | None = process.holdings
        if holdings is None or holdings.labelled is None or not process.alive:
            return None
        return holdings.labelled.get((space, key, label))

    def let_go(self, space: Space, key: bytes, processes: Sequence[ProcessRecord]) -> bool:
        """Takes one entry of a key from each process, the latest, for each mention; False if none had any."""
        let: list[Entry] = []
        for process in processes:
            holdings: ProcessHoldings | None = process.holdings
            entries = holdings.entries.get((space, key)) if holdings is not None else None
            if entries and process.alive:
                let.append(entries[-1])
                self._remove(entries[-1])
        self._told_to_let(space, let)
        return bool(let)

    def drop(self, space: Space, entries: Sequence[Entry]) -> None:
        """Takes these entries away, those that are left of them."""
        # The latest first: what is last among the entries of its process is removed without a search.
        let = [entry for entry in reversed(entries) if entry.process.alive and self._remove(entry)]
        let.reverse()
        self._told_to_let(space, let)

    def held_by(self, process: ProcessRecord, space: Space, key: bytes | None = None) -> list[Entry]:
        """Returns the entries of a process in a space, of one key or of all, oldest key first."""
        holdings: ProcessHoldings | None = process.holdings
        if holdings is None or not process.alive:
            return []
        if key is not None:
            return list(holdings.entries.get((space, key), ()))
        return [one for (at, _), entries in holdings.entries.items() if at is space for one in entries]

    # ------------------------------------------------------------ ends

    def release(self, process: ProcessRecord) -> Iterator[Notice] | None:
        """Takes all keys, watches and spaces from a process that ends; returns what is to be told of that."""
        holdings: ProcessHoldings | None = process.holdings
        if holdings is None:
            return None
        entries = [entry for each in holdings.entries.values() for entry in each]
        for (space, _), each in holdings.entries.items():
            space.size -= len(each)
        for watch in list(holdings.watches.values()):
            self.unwatch(process, watch.ref)
        for space in holdings.owned:
            del self._tables.spaces[space.name]
            entries += space.all()
            if space.use.diffs_to:
                self._diffs.space_ended(space)
            for watches in list(space.watches.values()):
                for watch in list(watches.values()):
                    self.unwatch(watch.process, watch.ref)
        return self._goodbyes(entries, self._audience(), next(self._numbers)) if entries else None

    def _goodbyes(self, entries: list[Entry], audience: list[Peer], since: int) -> Iterator[Notice]:
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            yield None, Forgotten(batch, since)
            by_holder: dict[Pid, list[int]] = {}
            for entry in batch:
                if entry.space.replicated:
                    by_holder.setdefault(entry.held.frm, []).append(entry.held.number)
            for peer in audience:
                for frm, numbers in by_holder.items():
                    yield peer, Let(frm, tuple(numbers))

    def forget(self, batch: Forgotten) -> None:
        """Removes entries of an ended process or space, and tells those who knew of them."""
        left: dict[Space, dict[bytes, list[Held]]] = {}
        for entry in batch.entries:
            if self._remove(entry):
                left.setdefault(entry.space, {}).setdefault(entry.held.key, []).append(entry.held)
        for space, changes in left.items():
            self.tell(space, "leave", changes, since=batch.since)

    # ------------------------------------------------------------ watches

    def watch(self, process: ProcessRecord, space: Space, key: bytes | None) -> Ref:
        """Has a process told of each change of *key*, or of any key (None)."""
        ref = self._tables.make_ref()
        if process.alive:
            watch = KeyWatch(process, ref, space, key, next(self._numbers))
            space.watches.setdefault(key, {})[ref] = watch
            holdings_of(process).watches[ref] = watch
        return ref

    def unwatch(self, process: ProcessRecord, ref: Ref, *, flush: bool = False) -> bool:
        """Takes a watch back; False if the process has none of that reference.

        With *flush* its events are taken out of the mailbox too; then the caller is the process itself.
        """
        holdings: ProcessHoldings | None = process.holdings
        watch = holdings.watches.pop(ref, None) if holdings is not None else None
        if watch is None:
            return False
        watches = watch.space.watches[watch.key]
        del watches[ref]
        if not watches:
            del watch.space.watches[watch.key]
        if flush:
            mailbox = process.mailbox
            dropped = mailbox.discard(lambda item: type(item) is GroupChanged and item.ref == ref)
            self._tables.effects.append(Released(dropped))
            if mailbox.waiters:
                self._tables.effects.append(Resume(mailbox))
        return True

    def tell(
        self,
        space: Space,
        kind: str,
        changes: Mapping[bytes, Sequence[Held]],
        *,
        since: int | None = None,
        replaced: Held | None = None,
    ) -> None:
        """Tells watchers, listeners and subscribers of all that has changed in a space in one step, by key.

        Args:
            space: of this node.
            kind: `"join"`, `"leave"` or `"update"` (a value was replaced).
            changes: the entries.
            since: watches and subscriptions with a number above this one are not told: see `Forgotten`.
            replaced: the one entry as it was before the update.
        """
        self.tell_watchers(space, kind, changes, since)
        if space.use is PLAIN_USE:
            return
        if space.use.diffs_to:
            self._diffs.changed(space, kind, changes, replaced, since)
        if space.use.listeners and kind != "update":
            self._tell_listeners(space, kind, changes)

    def tell_watchers(
        self, space: Space, kind: str, changes: Mapping[bytes, Sequence[Held]], since: int | None = None
    ) -> None:
        """Tells the watchers alone; see `tell`."""
        if not space.watches:
            return
        for key, held in changes.items():
            watches = space.watches_of(key)
            if watches:
                pids = tuple([one.frm for one in held])
                for watch in watches:
                    if since is None or watch.number < since:
                        self._router.deliver(watch.process, GroupChanged(watch.ref, kind, key, pids))

    def _tell_listeners(self, space: Space, kind: str, changes: Mapping[bytes, Sequence[Held]]) -> None:
        for name in space.use.listeners:
            listener = self._tables.names.get(name)
            if listener is not None:
                for key, held in changes.items():
                    for one in held:
                        self._router.deliver(listener, KeyChanged(kind, space.name, key, one.frm, one.value))

    # ------------------------------------------------------------ parts of these

    def _audience(self) -> list[Peer]:
        """Returns the peers that are told of replicated entries; others get these as their session begins."""
        return [peer for peer in self._tables.peers.values() if peer.state == "up" and peer.shares_holdings]

    def _remove(self, entry: Entry) -> bool:
        space, key, number = entry.space, entry.held.key, entry.held.number
        by_number = space.holders.get(key)
        if by_number is None or by_number.pop(number, None) is None:
            return False
        if not by_number:
            del space.holders[key]
        space.stored -= 1
        process = entry.process
        if process.alive:
            space.size -= 1
            holdings = holdings_of(process)
            entries = holdings.entries[space, key]
            if entries[-1] is entry:
                entries.pop()
            else:
                entries.remove(entry)
            if not entries:
                del holdings.entries[space, key]
            if entry.label is not None and holdings.labelled is not None:
                del holdings.labelled[space, key, entry.label]
        return True

    def _told_to_let(self, space: Space, let: list[Entry]) -> None:
        by_key: dict[bytes, list[Held]] = {}
        by_holder: dict[Pid, list[int]] = {}
        for entry in let:
            by_key.setdefault(entry.held.key, []).append(entry.held)
            by_holder.setdefault(entry.held.frm, []).append(entry.held.number)
        if space.replicated:
            for peer in self._audience():
                for frm, numbers in by_holder.items():
                    for start in range(0, len(numbers), BATCH):
                        self._router.enqueue(peer, Let(frm, tuple(numbers[start : start + BATCH])))
        self.tell(space, "leave", by_key)
