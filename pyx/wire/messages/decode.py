"""The unpacker and its hooks: from bytes to arrays, and from tagged arrays to values.

The C unpacker builds from the inside out: it passes every ext to `Decoder.read_tag` and every finished array
to `Decoder.build_array`, which turns an array led by a tag into its value.  The unpacker keeps its own stack
on the heap, so nested payloads do not use the thread's stack (`msgpack.unpackb` does: its 40 KiB of state
overflow a small one).  Nothing here unpacks inside a hook, imports, or calls what a payload names.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

import msgpack

from pyx.atoms import Atom
from pyx.introspection import find_loaded, is_class
from pyx.printable import short_repr
from pyx.terms import REFERENCE_BITS, FunctionName, Incarnation, Pid, Ref, Struct, is_full_name
from pyx.wire.messages import classes, enums, format, scalars
from pyx.wire.messages.format import SLICE_BYTES, MalformedPayload, exact, slices
from pyx.wire.messages.hash_safety import class_hash_runs_code
from pyx.wire.messages.names import Unsendable, is_exported, is_function

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_MAP_KEYS: Final = 64
"""A dict up to this size is made without checking its keys: if all have one hash, that still costs little."""

_MAX_SAME_HASH: Final = 16
"""How many keys of a dict may have one hash; among keys that Python itself hashes, a few do (-1 and -2)."""

_GROWING_BYTES: Final = 64 * 1024
"""The largest payload for which an unpacker's buffer grows; for a larger one it is made of that size."""

MAX_FAST_DEPTH: Final = 16
"""Tags inside tags up to which keys are hashed unchecked; a deeper key could overflow a small stack."""


class UncheckedKeys(Exception):
    """The payload may hold keys that must not be hashed before they are checked; see `safe_keys`."""


class TagReader:
    """The tag of an array, as read: it builds the value from the array.  It never leaves the decoder."""

    __slots__ = ("build", "kind")

    def __init__(self, kind: int, build: Callable[[Decoder, list[Any]], Any]) -> None:
        self.kind = kind
        self.build = build


class Decoder:
    """An unpacker, its hooks, and the facts about the current payload.

    `origin` is the incarnation that encoded it (None: this node), `here` this node's; `trusted` payloads may
    name functions; `open_tags` counts the tags whose array is not complete yet.  A decoder is used by one
    call at a time.

    Args:
        max_bytes: the longest payload that it takes.
    """

    __slots__ = ("_bytes_fed", "_feed", "_tell", "_unpack", "here", "open_tags", "origin", "trusted")

    max_open_tags = MAX_FAST_DEPTH

    def __init__(self, max_bytes: int) -> None:
        unpacker = msgpack.Unpacker(
            list_hook=self.build_array, ext_hook=self.read_tag, strict_map_key=False,
            unicode_errors="surrogatepass", max_ext_len=1, max_buffer_size=max_bytes, **self.options(),
            read_size=min(max_bytes, 4096) if max_bytes <= _GROWING_BYTES else max_bytes,
        )  # fmt: skip
        self._feed: Callable[[bytes | memoryview], None] = unpacker.feed
        self._unpack: Callable[[], Any] = unpacker.unpack
        self._tell: Callable[[], int] = unpacker.tell
        self._bytes_fed = 0
        self.origin: Incarnation | None = None
        self.here: Incarnation | None = None
        self.trusted = True
        self.open_tags = 0

    def options(self) -> dict[str, Any]:
        """Further arguments of the unpacker: a limit here, hooks in subclasses."""
        return {"max_map_len": MAX_MAP_KEYS}

    def decode(self, data: bytes) -> Any:
        """Returns the value in *data*; after an exception the decoder cannot be used again."""
        if len(data) <= SLICE_BYTES:
            self._feed(data)
        else:
            for piece in slices(data):
                self._feed(piece)
        value = self._unpack()
        self._bytes_fed += len(data)
        if self._tell() != self._bytes_fed:
            raise MalformedPayload("bytes follow the value")
        if self.open_tags:
            raise MalformedPayload("a tag leads no array")
        return value

    def release(self) -> None:
        """Frees the unpacker and its buffer at once: by its hooks it holds the decoder, which holds it."""
        del self._feed, self._unpack, self._tell

    def read_tag(self, kind: int, _data: bytes) -> TagReader:
        """Returns the unpacker's hook for every ext."""
        self.open_tags += 1
        if self.open_tags > self.max_open_tags:
            raise UncheckedKeys
        tag = TAG_READERS.get(kind)
        if tag is None:
            raise MalformedPayload(f"unknown kind {kind}")
        return tag

    def build_array(self, items: list[Any]) -> Any:
        """Returns the unpacker's hook for every array, the inner ones first."""
        if items:
            head = items[0]
            if type(head) is TagReader:
                self.open_tags -= 1
                if head is _TUPLE:
                    del items[0]
                    return tuple(items)
                return head.build(self, items)
        return items

    # ------------------------------------------------------------ one value of each kind

    def build_set(self, items: list[Any]) -> set[Any]:
        """Builds a set; raises MalformedPayload if many members have one hash."""
        members = items[1:]
        check_collisions(members)
        return set(members)

    def build_frozenset(self, items: list[Any]) -> frozenset[Any]:
        """Builds a frozenset; raises MalformedPayload if many members have one hash."""
        members = items[1:]
        check_collisions(members)
        return frozenset(members)

    def build_object(self, items: list[Any]) -> Any:
        """Builds a dataclass or namedtuple; a Struct if its class is not loaded here with the same fields."""
        tag, module, qualname, joined, *values = items
        fields = exact(joined, str).split(",") if joined else []
        if len(fields) != len(values):
            raise MalformedPayload(f"{len(values)} values for {len(fields)} fields")
        cls = self._find(module, qualname)
        if cls is not None and is_class(cls):
            try:
                layout = classes.layout_of(cls)
            except Unsendable:
                layout = None
            if (
                layout is not None
                and (layout.kind, layout.joined) == (tag.kind, joined)
                and layout.is_rebuildable
                and (self.trusted or not layout.is_callable)
            ):
                return self.build_instance(layout, values)
        return self.struct(f"{module}.{qualname}", tuple(zip(fields, values, strict=True)))

    def build_instance(self, layout: classes.ClassLayout, values: list[Any]) -> Any:
        """Builds an object of a class that is loaded here."""
        if layout.hash_runs_code:
            raise UncheckedKeys
        return layout.build(values)

    def struct(self, name: str, fields: tuple[tuple[str, Any], ...]) -> Struct:
        """Returns the stand-in for an object of a class that is not loaded here."""
        return Struct(name, fields)

    def build_struct(self, items: list[Any]) -> Struct:
        """Builds a Struct that was sent as one."""
        _, name, *rest = items
        fields = tuple((exact(rest[i], str), rest[i + 1]) for i in range(0, len(rest), 2))
        return self.struct(exact(name, str), fields)

    def build_enum(self, items: list[Any]) -> Any:
        """Finds a member of an enum; a Struct if the enum is not loaded here with that member."""
        _, module, qualname, name = items
        cls = self._find(module, qualname)
        member = None if cls is None else enums.member_named(cls, exact(name, str))
        if member is None or not self._is_allowed(type(member)):
            return self.struct(f"{module}.{qualname}", (("name", exact(name, str)),))
        return self.member(member)

    def build_flag(self, items: list[Any]) -> Any:
        """Finds a combination of flags; a Struct if the enum is not loaded here with these flags."""
        _, module, qualname, number = items
        cls = self._find(module, qualname)
        member = None if cls is None else enums.flags_numbered(cls, exact(number, int))
        if member is None or not self._is_allowed(type(member)):
            return self.struct(f"{module}.{qualname}", (("value", exact(number, int)),))
        return self.member(member)

    def _is_allowed(self, cls: type) -> bool:
        return self.trusted or not classes.layout_of(cls).is_callable

    def member(self, member: Any) -> Any:
        """Returns a member that was found, unless its hash must be checked first."""
        if classes.layout_of(type(member)).hash_runs_code:
            raise UncheckedKeys
        return member

    def build_function(self, items: list[Any]) -> Any:
        """Finds a function or class; a FunctionName if it is not loaded here, or not allowed."""
        _, module, qualname = items
        found = self._find(module, qualname)
        name = FunctionName(module, qualname)
        if not self.trusted:
            return found if is_exported(found) else name
        if found is not None and is_class(found):
            return self.found_class(found)
        return found if found is not None and is_function(found) else name

    def term(self, term: Any, _parts: list[Any]) -> Any:
        """Returns a term of Erlang that was built of these parts."""
        return term

    def found_class(self, cls: type) -> Any:
        """Returns a class that is loaded here, unless its hash must be checked first."""
        if class_hash_runs_code(cls):
            raise UncheckedKeys
        return cls

    def _find(self, module: Any, qualname: Any) -> Any:
        # Every prompt and script is a `__main__`: a name in it means something on its own node only.
        if exact(module, str) == "__main__" and self.origin is not None:
            exact(qualname, str)
            return None
        return find_loaded(module, exact(qualname, str))


def check_collisions(keys: list[Any]) -> None:
    """Raises MalformedPayload if so many keys have one hash that building their dict takes quadratic time."""
    if len(keys) <= MAX_MAP_KEYS:
        return
    if (
        len(keys) - len(set(map(hash, keys))) > _MAX_SAME_HASH
        and max(Counter(map(hash, keys)).values()) > _MAX_SAME_HASH
    ):
        raise MalformedPayload("many keys of a dict or set have the same hash")


# ---------------------------------------------------------------- pids and references

_KNOWN_NAMES: Final = 4096
_known_names: set[str] = set()
"""Node names already validated: the pids in a stream of payloads are of few nodes.  Emptied when full."""


_pid: Final = functools.lru_cache(maxsize=1024)(Pid)
"""Pids decoded before: most messages of a conversation hold the same few [measured: 0.5 us less a pid]."""


def _build_pid(decoder: Decoder, items: list[Any]) -> Pid:
    _, number, serial, *incarnation = items
    if type(number) is not int or type(serial) is not int or number >> 64 or serial >> 32:  # two calls less
        _unsigned(number, 64)
        _unsigned(serial, 32)
    return _pid(number, serial, *_incarnation(decoder, incarnation))


def _build_ref(decoder: Decoder, items: list[Any]) -> Ref:
    _, number, *incarnation = items
    return Ref(_unsigned(number, REFERENCE_BITS), *_incarnation(decoder, incarnation))


def _incarnation(decoder: Decoder, parts: list[Any]) -> tuple[str, int]:
    """Name and creation of the node that a pid or reference belongs to; ("", 0) for this node."""
    if parts:
        name, creation = parts
        incarnation = Incarnation(_node_name(name), _unsigned(creation, 32))
        if not creation:
            raise MalformedPayload("the creation of a pid or reference is 0")
    elif decoder.origin is None:
        return "", 0
    else:
        incarnation = decoder.origin
    return ("", 0) if incarnation == decoder.here else incarnation


def _node_name(name: Any) -> str:
    if exact(name, str) not in _known_names:
        if not is_full_name(name):
            raise MalformedPayload("a pid or reference has an invalid node name")
        if len(_known_names) >= _KNOWN_NAMES:
            _known_names.clear()
        _known_names.add(name)
    return cast("str", name)


def _unsigned(value: Any, bits: int) -> int:
    if type(value) is not int or value < 0 or value >> bits:
        raise MalformedPayload(f"a pid or reference has {short_repr(value)} for a number of {bits} bits")
    return value


# ---------------------------------------------------------------- the kinds


_atom: Final = functools.lru_cache(maxsize=1024)(Atom)


def _build_atom(_decoder: Decoder, items: list[Any]) -> Atom:
    _, text = items
    return _atom(exact(text, str))


def _build_erlang_term(decoder: Decoder, items: list[Any]) -> Any:
    from pyx.wire.messages import erlang  # loaded already: see there

    return decoder.term(erlang.build(items[0].kind, items), items)


def _scalar(build: Callable[[list[Any]], Any]) -> Callable[[Decoder, list[Any]], Any]:
    return lambda _decoder, items: build(items)


_TUPLE: Final = TagReader(format.TUPLE, lambda _decoder, items: tuple(items[1:]))

TAG_READERS: Final = {
    tag.kind: tag
    for tag in (
        _TUPLE,
        TagReader(format.SET, lambda decoder, items: decoder.build_set(items)),
        TagReader(format.FROZENSET, lambda decoder, items: decoder.build_frozenset(items)),
        TagReader(format.INT, _scalar(scalars.build_int)),
        TagReader(format.PID, _build_pid),
        TagReader(format.REF, _build_ref),
        TagReader(format.DATE, _scalar(scalars.build_date)),
        TagReader(format.TIME, _scalar(scalars.build_time)),
        TagReader(format.DATETIME, _scalar(scalars.build_datetime)),
        TagReader(format.TIMEDELTA, _scalar(scalars.build_timedelta)),
        TagReader(format.DECIMAL, _scalar(scalars.build_decimal)),
        TagReader(format.UUID, _scalar(scalars.build_uuid)),
        TagReader(format.DATACLASS, Decoder.build_object),
        TagReader(format.NAMEDTUPLE, Decoder.build_object),
        TagReader(format.ENUM, Decoder.build_enum),
        TagReader(format.FLAG, Decoder.build_flag),
        TagReader(format.FUNCTION, Decoder.build_function),
        TagReader(format.STRUCT, Decoder.build_struct),
        TagReader(format.FUNCTION_NAME, _scalar(scalars.build_function_name)),
        TagReader(format.RAISED, _scalar(scalars.build_raised)),
        TagReader(format.ATOM, _build_atom),
        TagReader(format.IMPROPER_LIST, _build_erlang_term),
        TagReader(format.MAP, _build_erlang_term),
        TagReader(format.BIT_STRING, _build_erlang_term),
        TagReader(format.PORT, _build_erlang_term),
        TagReader(format.BEAM_FUNCTION, _build_erlang_term),
    )
}
"""By kind, which is the ext type.  A tag that does not lead an array leaves `open_tags` above 0: an error."""
