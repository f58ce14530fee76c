"""The limits of a message, checked before it is packed: its least length in bytes, and its depth.

The C packer writes a shared part out each time it meets it, recurses for each level, and cannot be stopped:
forty lists that hold each other twice would block the interpreter for ever, and a cycle overflows the stack
of a small thread.  So every message is walked first, level by level, in Python, where other threads run
meanwhile.  The walk also reduces every value that msgpack lacks, once, for the packer to use.

The walks look alike and are written out on purpose: they are the most expensive part of encoding.
"""

from __future__ import annotations

from gc import get_referents
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyx.atoms import Atom
from pyx.terms import Pid, Ref
from pyx.wire.messages.format import MAX_DEPTH, TAG_IDS
from pyx.wire.messages.names import Unsendable
from pyx.wire.messages.plain import LIST, ODD_KEY, TAG, TUPLE
from pyx.wire.messages.reduce import reduce_object
from pyx.wire.messages.safe_keys import check_key

if TYPE_CHECKING:
    from collections.abc import Iterable

Reduced = dict[int, tuple[Any, list[Any]]]
"""By id: an object, held so that its id stays its own, and the array that stands for it."""

_MANY: Final = 256 * 1024
"""Items of one level above which shared containers are looked for, and walked once."""

_SOME: Final = 128
"""Values of a message up to which `measure_short` looks at them."""
_SHORT: Final = 4096
"""Bytes of text, and items, up to which a message is short."""
_SHORT_KEY: Final = 64
"""Characters of a key up to which its length is not counted."""
_LARGE: Final = 256
"""Items of one level from which C iterates over them instead of Python."""

_PLAIN: Final = frozenset((
    type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset, Pid, Ref, Atom
))  # fmt: skip
_BITS: Final[dict[type, int]] = {tuple: TUPLE, list: LIST, dict: 0}
_TEXTS: Final = frozenset((str, bytes))
_SCALARS: Final = frozenset((type(None), bool, int, float, str, bytes))
_WITH_ITEMS: Final = frozenset((str, bytes, list, tuple, dict, set, frozenset))


Measured: TypeAlias = "tuple[Reduced, int, int]"
"""The arrays for the objects in a message that msgpack lacks; what was found in it, as bits (`plain`); its
least length in bytes."""


class TooLong(Exception):
    """The message takes at least `size` bytes, more than the limit."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"at least {size} bytes")


class TooDeep(Unsendable):
    """The message nests deeper than `MAX_DEPTH` containers, or contains itself."""


def measure_short(value: Any) -> Measured | None:
    """Does what `measure` does for a message of a few short values without objects in its keys; else None.

    So few values cannot nest too deep.  Raises Unsendable as `measure` does.
    """
    reduced: Reduced = {}
    found = 0
    size = 0
    keys: list[Any] = []
    todo = [value]
    for each in todo:
        cls = type(each)
        if cls is str or cls is bytes:
            size += len(each)
        elif cls is int or cls is float or each is None or cls is bool:
            pass
        elif cls is Pid or cls is Ref or cls is Atom:
            found |= TAG
        elif len(todo) > _SOME:
            return None
        elif cls is tuple or cls is list:
            if each is not value:
                found |= TUPLE if cls is tuple else LIST
            size += len(each)
            if size <= _SHORT:
                todo += each
        elif cls is dict:
            size += len(each)
            if size <= _SHORT:
                keys += each
                todo += each.values()
        elif cls is set or cls is frozenset:
            found |= TAG
            size += len(each)
            if size <= _SHORT:
                keys += each
        elif id(each) not in TAG_IDS:
            found |= TAG
            if id(each) not in reduced:
                reduced[id(each)] = each, reduce_object(each)
            todo += reduced[id(each)][1]
        if size > _SHORT:
            return None
    for each in keys:
        cls = type(each)
        if cls is str or cls is bytes:
            size += len(each)
        elif cls is int or each is None:
            found |= ODD_KEY
        elif (cls is tuple or cls is frozenset) and len(keys) <= _SOME:
            found |= TAG
            keys += each
        elif cls is Pid or cls is Ref or cls is Atom:
            found |= TAG
        else:
            return None
    return (reduced, found, size) if size <= _SHORT else None


def measure(value: Any, limit: int) -> Measured:
    """Walks a message; returns what the packer has to know about it.

    Args:
        value: the message.
        limit: bytes.

    Raises:
        TooLong: the message takes more bytes than *limit*.
        TooDeep: the message nests too deep.
        Unsendable: a part of the message is not data, or may not be a key of a dict or a member of a set.
    """
    collector = _Collector()
    size = collector.collect([value], top := _Containers(1), hashed=False)
    if type(value) is list or type(value) is tuple:
        collector.found = 0
    level = [top]
    for _ in range(MAX_DEPTH):
        level = [containers for containers in level if not containers.is_empty]
        if not level:
            return collector.reduced, collector.found, size
        slots = 0
        for containers in level:
            containers.count()
            slots += containers.slots
            size += containers.times * containers.slots
        if size > limit:
            raise TooLong(size)
        if slots > _MANY:
            level = _merged(level)
        below = []
        for containers in level:
            inside = _Containers(containers.times)
            size += containers.times * collector.collect_inside(containers, inside)
            below.append(inside)
        if size > limit:
            raise TooLong(size)
        level = below
    if any(not containers.is_empty for containers in level):
        raise TooDeep(f"nests deeper than {MAX_DEPTH} containers")
    return collector.reduced, collector.found, size


class _Containers:
    """The containers of one level that occur in the message equally often, `times`."""

    __slots__ = ("dict_slots", "dicts", "hashed_rows", "rows", "slots", "times")

    def __init__(self, times: int) -> None:
        self.times = times
        self.rows: list[Any] = []
        """Lists, tuples, and the arrays for objects."""
        self.hashed_rows: list[Any] = []
        """The same as keys or parts of keys; and sets: containers whose items are hashed."""
        self.dicts: list[dict[Any, Any]] = []
        self.slots = self.dict_slots = 0
        """How many items are in them, and in the dicts alone; set by `count`."""

    @property
    def is_empty(self) -> bool:
        """True if there are no containers."""
        return not (self.rows or self.dicts or self.hashed_rows)

    def count(self) -> None:
        """Counts the items: sets `slots` and `dict_slots`."""
        self.dict_slots = 2 * sum(map(len, self.dicts))
        self.slots = self.dict_slots + sum(map(len, self.rows)) + sum(map(len, self.hashed_rows))


class _Collector:
    """Collects the containers of the next level, and reduces the objects of one message."""

    __slots__ = ("found", "reduced")

    def __init__(self) -> None:
        self.reduced: Reduced = {}
        self.found = 0

    def collect(self, values: Iterable[Any], found: _Containers, *, hashed: bool) -> int:
        """Adds the containers among *values* to *found*; returns the length of the texts among them."""
        size = 0
        rows = found.hashed_rows if hashed else found.rows
        for each in values:
            cls = type(each)
            if cls is str or cls is bytes:
                size += len(each)
            elif cls is int or cls is float or each is None or cls is bool:
                if hashed:
                    self.found |= ODD_KEY
            elif cls is Pid or cls is Ref or cls is Atom:
                self.found |= TAG
            elif cls is dict:
                found.dicts.append(each)
            elif cls is list or cls is tuple:
                self.found |= TAG if hashed else TUPLE if cls is tuple else LIST
                rows.append(each)
            elif cls is set or cls is frozenset:
                self.found |= TAG
                found.hashed_rows.append(each)
            elif id(each) not in TAG_IDS:
                self.found |= TAG
                known = self.reduced.get(id(each))
                if known is None:
                    known = self.reduced[id(each)] = each, reduce_object(each)
                if hashed:
                    check_key(each)
                rows.append(known[1])
        return size

    def collect_inside(self, containers: _Containers, found: _Containers) -> int:
        """Calls `collect` on all items of these containers; returns the length of the texts."""
        size = 0
        dicts = containers.dicts
        for hashed, rows in ((False, containers.rows), (True, containers.hashed_rows)):
            if containers.slots < _LARGE:
                for row in rows:
                    size += self.collect(row, found, hashed=hashed)
            elif rows:
                size += self._collect_many(get_referents(*rows), found, hashed=hashed)
        if containers.slots < _LARGE:
            for each in dicts:
                size += self.collect(each, found, hashed=True)
                size += self.collect(each.values(), found, hashed=False)
        elif dicts:
            values = get_referents(*dicts)
            if 2 * len(values) == containers.dict_slots:  # `get_referents` skips keys if all are texts
                size += _length_of_keys(dicts, exactly=containers.times > 1)
            else:
                values = list(chain.from_iterable(map(dict.values, dicts)))
                size += self._collect_many(list(chain.from_iterable(dicts)), found, hashed=True)
            size += self._collect_many(values, found, hashed=False)
        return size

    def _collect_many(self, values: list[Any], found: _Containers, *, hashed: bool) -> int:
        """`collect` for many values: by calls into C, one for each type."""
        try:
            kinds = set(map(type, values))
        except Exception:  # a metaclass hashes its classes by user code
            return self.collect(values, found, hashed=hashed)
        if not kinds <= _PLAIN:
            return self.collect(values, found, hashed=hashed)
        if hashed:
            self.found |= TAG if kinds - _SCALARS else 0 if kinds <= _TEXTS else ODD_KEY
        else:
            for cls in kinds - _SCALARS:
                self.found |= _BITS.get(cls, TAG)
        size = 0
        for cls in kinds & _WITH_ITEMS:
            those: list[Any] = values if len(kinds) == 1 else [each for each in values if type(each) is cls]
            if cls is str or cls is bytes:
                size += sum(map(len, those))
            elif cls is dict:
                found.dicts += those
            elif hashed or cls is set or cls is frozenset:
                found.hashed_rows += those
            else:
                found.rows += those
        return size


def _length_of_keys(dicts: list[dict[Any, Any]], *, exactly: bool) -> int:
    """The length of the keys of these dicts, all of them texts; 0 if all are short, unless *exactly*."""
    if not exactly and max(map(len, set[str]().union(*dicts)), default=0) <= _SHORT_KEY:
        return 0
    return sum(map(len, chain.from_iterable(dicts)))


def _merged(level: list[_Containers]) -> list[_Containers]:
    """The containers of a level without repetitions, grouped by how often each occurs in the message."""
    times: dict[tuple[int, int], int] = {}
    those: dict[tuple[int, int], Any] = {}
    for containers in level:
        for kind, group in enumerate((containers.rows, containers.hashed_rows, containers.dicts)):
            for each in group:
                those[kind, id(each)] = each
                times[kind, id(each)] = times.get((kind, id(each)), 0) + containers.times
    merged: dict[int, _Containers] = {}
    for ident, each in those.items():
        containers = merged.setdefault(times[ident], _Containers(times[ident]))
        (containers.rows, containers.hashed_rows, containers.dicts)[ident[0]].append(each)
    for containers in merged.values():
        containers.count()
    return list(merged.values())
