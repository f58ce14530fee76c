"""The unpacker and its hooks: from arrays to values.  Not here: who opens payloads (`opening`).

The C unpacker builds from the inside out: it hands every ext to `Decoder.mark` and every finished array to
`Decoder.rebuild`, which turns those led by a mark into what they stand for.  It keeps its own stack on the
heap, so no nesting of payloads reaches the thread's (`msgpack.unpackb` does not: its 40 KiB of state kill a
small one).  Nothing here unpacks inside a hook, imports, or calls what a payload names.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

import msgpack

from pyx.terms import FunctionName, Incarnation, Pid, Raised, Ref, Struct, is_full_name
from pyx.wire.messages import classes, format, scalars
from pyx.wire.messages.names import Unsendable, find, is_class, is_exported, is_function, type_name
from pyx.wire.messages.slices import SLICE_BYTES, slices

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_MAP_KEYS: Final = 64
"""A dict up to this is made without a look at its keys: if all have one hash, that still costs little."""

_KNOWN_NAMES: Final = 4096

_MAX_SAME_HASH: Final = 16
"""So many keys of a dict may have one hash; of what Python itself hashes, a few do (-1 and -2)."""

MAX_SHALLOW: Final = 16
"""Marks inside marks up to which a payload is opened the fast way; a deeper key could exhaust a stack."""


class Careful(Exception):
    """This payload may hold keys that must not be hashed as they are."""


class Mark:
    """The ext that leads an array, once read.  It never leaves the opener."""

    __slots__ = ("build", "kind")

    def __init__(self, kind: int, build: Callable[[Decoder, list[Any]], Any]) -> None:
        self.kind = kind
        self.build = build


class Decoder:
    """An unpacker, its hooks, and what the payload in hand needs: `origin`, `here`, whether its functions are
    `trusted`, and the marks not yet undone.

    Owned by one call at a time, as the sealers are.
    """

    __slots__ = ("_feed", "_tell", "_told", "_unpack", "here", "open_marks", "origin", "trusted")

    max_marks = MAX_SHALLOW

    def __init__(self, max_bytes: int) -> None:
        unpacker = msgpack.Unpacker(
            list_hook=self.rebuild, ext_hook=self.mark, strict_map_key=False, unicode_errors="surrogatepass",
            max_ext_len=1, max_buffer_size=max_bytes, **self.options(),
            read_size=min(max_bytes, 4096) if max_bytes <= SLICE_BYTES else max_bytes,
        )  # fmt: skip
        self._feed: Callable[[bytes | memoryview], None] = unpacker.feed
        self._unpack: Callable[[], Any] = unpacker.unpack
        self._tell: Callable[[], int] = unpacker.tell
        self._told = 0
        self.origin: Incarnation | None = None
        self.here: Incarnation | None = None
        self.trusted = True
        self.open_marks = 0

    def options(self) -> dict[str, Any]:
        """More hooks and limits."""
        return {"max_map_len": MAX_MAP_KEYS}

    def open(self, data: bytes) -> Any:
        """The value in these bytes; after an exception the opener is spent."""
        if len(data) <= SLICE_BYTES:
            self._feed(data)
        else:
            for piece in slices(data):
                self._feed(piece)
        value = self._unpack()
        self._told += len(data)
        if self._tell() != self._told:
            raise Malformed("there are bytes behind the value")
        if self.open_marks:
            raise Malformed("there is a mark that leads no array")
        return value

    def mark(self, code: int, _payload: bytes) -> Mark:
        """Called for every ext."""
        self.open_marks += 1
        if self.open_marks > self.max_marks:
            raise Careful
        mark = MARKS.get(code)
        if mark is None:
            raise Malformed(f"there is no kind {code}")
        return mark

    def rebuild(self, items: list[Any]) -> Any:
        """Called for every array, the inner ones first."""
        if items:
            head = items[0]
            if type(head) is Mark:
                self.open_marks -= 1
                if head is _TUPLE:
                    del items[0]
                    return tuple(items)
                return head.build(self, items)
        return items

    # ------------------------------------------------------------ one value of each kind

    def build_set(self, items: list[Any]) -> set[Any]:
        """A set."""
        members = items[1:]
        check_spread(members)
        return set(members)

    def build_frozenset(self, items: list[Any]) -> frozenset[Any]:
        """A frozenset."""
        members = items[1:]
        check_spread(members)
        return frozenset(members)

    def build_pid(self, items: list[Any]) -> Pid:
        """A Pid, seen from here."""
        _, number, serial, *incarnation = items
        return Pid(_count(number, 64), _count(serial, 32), *self._incarnation(incarnation))

    def build_ref(self, items: list[Any]) -> Ref:
        """A Ref, seen from here."""
        _, number, *incarnation = items
        return Ref(_count(number, 64), *self._incarnation(incarnation))

    def _incarnation(self, parts: list[Any]) -> tuple[str, int]:
        """Whose pid or reference it is: name and creation, or ("", 0) for this node."""
        if parts:
            name, creation = parts
            incarnation = Incarnation(_node_name(name), _count(creation, 32))
            if not creation:
                raise Malformed("a pid of no node")
        elif self.origin is None:
            return "", 0
        else:
            incarnation = self.origin
        return ("", 0) if incarnation == self.here else incarnation

    def build_object(self, items: list[Any]) -> Any:
        """A dataclass or namedtuple."""
        mark, module, qualname, joined, *values = items
        fields = _text(joined).split(",") if joined else []
        if len(fields) != len(values):
            raise Malformed("as many fields as values are wanted")
        cls = self._find(module, qualname)
        if cls is not None and is_class(cls):
            try:
                plan = classes.plan_of(cls)
            except Unsendable:
                plan = None
            if (
                plan is not None
                and (plan.kind, plan.joined) == (mark.kind, joined)
                and plan.is_rebuildable
                and (self.trusted or not plan.is_callable)
            ):
                return self.rebuilt(plan, values)
        return self.struct(f"{module}.{qualname}", tuple(zip(fields, values, strict=True)))

    def rebuilt(self, plan: classes.Plan, values: list[Any]) -> Any:
        """An object of a class that is here."""
        if plan.hash_runs_code:
            raise Careful
        return plan.build(values)

    def struct(self, name: str, fields: tuple[tuple[str, Any], ...]) -> Struct:
        """What stands for an object of a class that is not here."""
        return Struct(name, fields)

    def build_struct(self, items: list[Any]) -> Struct:
        """A Struct."""
        _, name, *rest = items
        fields = tuple((_text(rest[i]), rest[i + 1]) for i in range(0, len(rest), 2))
        return self.struct(_text(name), fields)

    def build_enum(self, items: list[Any]) -> Any:
        """A member of an enum."""
        _, module, qualname, name = items
        cls = self._find(module, qualname)
        member = None if cls is None else classes.member_named(cls, _text(name))
        if member is None or not self._may_be_here(type(member)):
            return self.struct(f"{module}.{qualname}", (("name", _text(name)),))
        return self.member(member)

    def build_flag(self, items: list[Any]) -> Any:
        """A combination of flags."""
        _, module, qualname, number = items
        cls = self._find(module, qualname)
        member = None if cls is None else classes.flags_numbered(cls, _number(number))
        if member is None or not self._may_be_here(type(member)):
            return self.struct(f"{module}.{qualname}", (("value", _number(number)),))
        return self.member(member)

    def _may_be_here(self, cls: type) -> bool:
        return self.trusted or not classes.plan_of(cls).is_callable

    def member(self, member: Any) -> Any:
        """A member that was found."""
        if classes.plan_of(type(member)).hash_runs_code:
            raise Careful
        return member

    def build_function(self, items: list[Any]) -> Any:
        """A function or class."""
        _, module, qualname = items
        found = self._find(module, qualname)
        name = FunctionName(module, qualname)
        if not self.trusted:
            return found if is_exported(found) else name
        if found is not None and is_class(found):
            return self.class_found(found, name)
        return found if found is not None and is_function(found) else name

    def class_found(self, cls: type, _name: FunctionName) -> Any:
        """A class that is here."""
        if classes.class_hash_runs_code(cls):
            raise Careful
        return cls

    def build_function_name(self, items: list[Any]) -> FunctionName:
        """A FunctionName."""
        _, module, name = items
        return FunctionName(_text(module), _text(name))

    def build_raised(self, items: list[Any]) -> Raised:
        """A Raised."""
        _, kind, text, traceback = items
        return Raised(_text(kind), _text(text), _text(traceback))

    def _find(self, module: Any, qualname: Any) -> Any:
        # Everybody's prompt and script is `__main__`; a name in it means something at its home only.
        if _text(module) == "__main__" and self.origin is not None:
            _text(qualname)
            return None
        return find(module, _text(qualname))


class Malformed(Exception):
    """Says what is wrong with a payload, to `open_letter`."""


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Malformed(f"text is wanted, not {type_name(value)}")
    return value


def _number(value: Any) -> int:
    if type(value) is not int:
        raise Malformed(f"a number is wanted, not {type_name(value)}")
    return value


def _count(value: Any, bits: int) -> int:
    if _number(value) < 0 or value >> bits:
        raise Malformed(f"a number that is not between 0 and 2**{bits}")
    return cast("int", value)


_known_names: set[str] = set()
"""Names of nodes that were looked at already, for the pids of a stream of payloads are of few nodes."""


def _node_name(name: Any) -> str:
    if _text(name) not in _known_names:
        if not is_full_name(name):
            raise Malformed("the node of a pid has a name that cannot be one")
        if len(_known_names) >= _KNOWN_NAMES:
            _known_names.clear()
        _known_names.add(name)
    return cast("str", name)


def check_spread(keys: list[Any]) -> None:
    """Raises Malformed where a dict or set of these keys would take quadratic time, because hashes agree."""
    if len(keys) <= MAX_MAP_KEYS:
        return
    if (
        len(keys) - len(set(map(hash, keys))) > _MAX_SAME_HASH
        and max(Counter(map(hash, keys)).values()) > _MAX_SAME_HASH
    ):
        raise Malformed("many keys of a dict or set have the same hash")


def _leaf(build: Callable[[list[Any]], Any]) -> Callable[[Decoder, list[Any]], Any]:
    return lambda _opener, items: build(items)


_TUPLE: Final = Mark(format.TUPLE, lambda _opener, items: tuple(items[1:]))

MARKS: Final = {
    mark.kind: mark
    for mark in (
        _TUPLE,
        Mark(format.SET, lambda opener, items: opener.build_set(items)),
        Mark(format.FROZENSET, lambda opener, items: opener.build_frozenset(items)),
        Mark(format.INT, _leaf(scalars.build_int)),
        Mark(format.PID, Decoder.build_pid),
        Mark(format.REF, Decoder.build_ref),
        Mark(format.DATE, _leaf(scalars.build_date)),
        Mark(format.TIME, _leaf(scalars.build_time)),
        Mark(format.DATETIME, _leaf(scalars.build_datetime)),
        Mark(format.TIMEDELTA, _leaf(scalars.build_timedelta)),
        Mark(format.DECIMAL, _leaf(scalars.build_decimal)),
        Mark(format.UUID, _leaf(scalars.build_uuid)),
        Mark(format.DATACLASS, Decoder.build_object),
        Mark(format.NAMEDTUPLE, Decoder.build_object),
        Mark(format.ENUM, Decoder.build_enum),
        Mark(format.FLAG, Decoder.build_flag),
        Mark(format.FUNCTION, Decoder.build_function),
        Mark(format.STRUCT, Decoder.build_struct),
        Mark(format.FUNCTION_NAME, Decoder.build_function_name),
        Mark(format.RAISED, Decoder.build_raised),
    )
}
"""By ext type.  A mark elsewhere than in front of an array leaves `open_marks` above 0 and is refused."""
