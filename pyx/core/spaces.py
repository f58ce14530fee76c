"""Spaces and their entries: which process holds which key, with a value.

A space is *unique* (a key has one holder) or not, and *replicated* (visible peers are told) or not.  What is
held here stands in the space; what is held elsewhere stands in the holdings of its peer, so that the loss of
a peer is one step, and no side ever merges another's entries.  `keys.py` and `groups.py` change these values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pyx.core.holder_blocks import BLOCK, HolderBlocks
from pyx.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.core.processes import ProcessRecord
    from pyx.signals import Held
    from pyx.terms import Pid, Ref


class Entry:
    """One key of one process of this node; `held` is replaced when its value changes.

    A `label` tells the entries of one process under one key apart, where that is needed.
    """

    __slots__ = ("held", "label", "process", "space")

    def __init__(self, space: Space, held: Held, process: ProcessRecord, label: str | None) -> None:
        self.space: Final = space
        self.held = held
        self.process: Final = process
        self.label: Final = label


Holders: TypeAlias = "dict[int, Entry] | HolderBlocks[Entry]"
"""The entries of one key by their numbers, oldest first."""


class KeyWatch(NamedTuple):
    """A process that is told of changes of one key, or (None) of all keys of a space."""

    process: ProcessRecord
    ref: Ref
    space: Space
    key: bytes | None
    number: int
    """Grows with each watch and each entry."""


class SpaceUse(NamedTuple):
    """What follows from entries of a space beside that they can be looked up.

    Args:
        listeners: names of processes that are told of each entry of this node.
        dispatches: a broadcast goes to the owner of the space, and not to its holders.
        diffs_to: the instance of PubSub whose subscribers are told of changes; "" for none.
        down_after: seconds by which the loss of a node is told later there.
    """

    listeners: tuple[str, ...] = ()
    dispatches: bool = False
    diffs_to: str = ""
    down_after: float = 0.0


PLAIN_USE: Final = SpaceUse()


class Space:
    """A named table of keys, and the entries of the processes of this node in it.

    Entries of a process that has ended are removed in portions; readers leave them out from the step of its
    end on.

    Args:
        name: of the space, unlike any other on this node.
        owner: the process that it ends with, if there is one.
        unique: a key has one holder at most.
        replicated: visible peers are told of the entries.
        use: what follows from its entries.
    """

    __slots__ = (
        "holders",
        "meta",
        "name",
        "owner",
        "replicated",
        "size",
        "stored",
        "unique",
        "use",
        "watches",
    )

    def __init__(
        self,
        name: str,
        owner: Pid | None,
        *,
        unique: bool,
        replicated: bool,
        use: SpaceUse = PLAIN_USE,
    ) -> None:
        self.name: Final = name
        self.owner: Final = owner
        self.unique: Final = unique
        self.replicated: Final = replicated
        self.use: Final = use
        self.holders: Final[dict[bytes, Holders]] = {}
        """By key: its entries by their numbers, oldest first."""
        self.size = 0
        """The number of entries of living processes."""
        self.stored = 0
        """The number of entries in `holders`."""
        self.watches: Final[dict[bytes | None, dict[Ref, KeyWatch]]] = {}
        self.meta: Final[dict[bytes, Any]] = {}
        """Values of the space itself, by encoded key."""

    def add(self, key: bytes, entries: Sequence[Entry]) -> None:
        """Adds entries of a key, whose numbers are higher than those of all before them."""
        holders: Holders = self.holders.setdefault(key, {})
        if type(holders) is dict and holders and len(holders) + len(entries) > BLOCK:
            holders = self.holders[key] = HolderBlocks(holders)
        for entry in entries:
            holders[entry.held.number] = entry

    def newest(self, key: bytes) -> int:
        """Returns the number of the newest entry of a key, 0 if there is none."""
        return next(reversed(self.holders.get(key, {})), 0)

    def entries_after(self, key: bytes, number: int, last: int, most: int) -> list[Entry]:
        """Returns up to *most* entries of a key, those that follow *number*, up to the number *last*."""
        holders = self.holders.get(key, {})
        found: list[Entry] = []
        for block in holders.from_number(number) if isinstance(holders, HolderBlocks) else (holders,):
            for at, entry in block.items():
                if at > last or len(found) == most:
                    return found
                if at > number:
                    found.append(entry)
        return found

    def entries_of(self, key: bytes) -> list[Entry]:
        """Returns the entries of a key, oldest first, by C code; those of ended processes too.

        Their reader leaves these out, outside of the kernel, by `entry.process.alive`.
        """
        return list(self.holders.get(key, {}).values())

    def living(self, key: bytes) -> list[Entry]:
        """Returns the entries of a key, oldest first, without those of ended processes."""
        entries = self.entries_of(key)
        if self.size == self.stored:  # no process of these has ended
            return entries
        return [entry for entry in entries if entry.process.alive]

    def keys(self) -> list[bytes]:
        """Returns the keys that a living process holds, in the order in which they were first held."""
        if self.size == self.stored:  # of no ended process: by C code alone
            return list(self.holders)
        return [
            key for key, entries in self.holders.items() if any(one.process.alive for one in entries.values())
        ]

    def all(self) -> Iterator[Entry]:
        """The entries of living processes, by key."""
        return (
            entry for entries in self.holders.values() for entry in entries.values() if entry.process.alive
        )

    def watches_of(self, key: bytes) -> list[KeyWatch]:
        """Who is told of changes of *key*."""
        watches = self.watches
        return [*watches.get(key, {}).values(), *watches.get(None, {}).values()] if watches else []


class ProcessHoldings:
    """What one process has in the spaces of its node; its record has none until the first."""

    __slots__ = ("copied", "entries", "labelled", "owned", "watches")

    def __init__(self) -> None:
        self.entries: Final[dict[tuple[Space, bytes], list[Entry]]] = {}
        self.labelled: dict[tuple[Space, bytes, str], Entry] | None = None
        """The entries with a label, which are found by it; made for the first."""
        self.copied = 0
        """The number of the fan-out up to which it has got its copies out of turn (`fan_outs.py`)."""
        self.watches: Final[dict[Ref, KeyWatch]] = {}
        self.owned: Final[list[Space]] = []
        """The spaces that end with it."""


def holdings_of(process: ProcessRecord) -> ProcessHoldings:
    """Returns the holdings of a process, made for it if it has none."""
    holdings: ProcessHoldings | None = process.holdings
    if holdings is None:
        holdings = process.holdings = ProcessHoldings()
    return holdings


class PeerHoldings:
    """What the processes of a peer hold in replicated spaces."""

    __slots__ = ("_entries", "spaces")

    def __init__(self) -> None:
        self._entries: dict[int, Held] = {}
        self.spaces: dict[str, dict[bytes, dict[int, Held]]] = {}
        """By the name of the space and the key: the entries by their numbers, oldest first."""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, held: Held) -> Held | None:
        """Adds an entry, or replaces the value of one; returns the one that it replaces.

        Raises:
            ProtocolError: the number is that of another entry.
        """
        before = self._entries.get(held.number)
        if before is not None and before[:4] != held[:4]:
            msg = f"the number {held.number} of an entry is used a second time"
            raise ProtocolError(msg)
        self._entries[held.number] = held
        self.spaces.setdefault(held.space, {}).setdefault(held.key, {})[held.number] = held
        return before

    def remove(self, frm: Pid, number: int) -> Held | None:
        """Removes an entry of a process and returns it; None if that process has none of that number."""
        held = self._entries.get(number)
        if held is None or held.frm != frm:
            return None
        del self._entries[number]
        keys = self.spaces[held.space]
        entries = keys[held.key]
        del entries[number]
        if not entries:
            del keys[held.key]
            if not keys:
                del self.spaces[held.space]
        return held

    def take(self) -> object:
        """Forgets all entries in one step, and returns what holds them, to be freed elsewhere."""
        taken = self._entries, self.spaces
        self._entries, self.spaces = {}, {}
        return taken

    def of(self, space: str, key: bytes) -> list[Held]:
        """Returns the entries of a key."""
        keys = self.spaces.get(space)
        return list(keys[key].values()) if keys is not None and key in keys else []
