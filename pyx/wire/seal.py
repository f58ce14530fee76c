"""Values to bytes.  Not here: the way back (`opening`), the error's sentence (`refusal`), where letters go.

The C packer walks what msgpack knows; what it lacks is handed to `_Sealer.reduce`, which answers with an
array led by a mark and never packs anything itself (nested packing kills a process with a small stack).
The packer takes msgpack's own ext objects from anyone, so a forged mark in a message is found by counting:
the exts in the bytes must be those that were made here.

The packer recurses up to 1024 levels, which is how a cycle is found: that takes a thread's stack of 512 KiB.
"""

from __future__ import annotations

from collections import deque
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgpack

from pyx.terms import FunctionName, Pid, Raised, Ref, Struct
from pyx.wire import classes, leaves, marks
from pyx.wire.names import Unsendable, class_name, is_class, is_function, name_of
from pyx.wire.refusal import refusal
from pyx.wire.slices import SLICE_BYTES, slices

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT_BYTES: Final = 64 * 1024
"""A packer keeps the memory of its largest letter, so one that grew past this is thrown away."""

_TUPLE = marks.mark(marks.TUPLE)
_SET = marks.mark(marks.SET)
_FROZENSET = marks.mark(marks.FROZENSET)
_PID = marks.mark(marks.PID)
_REF = marks.mark(marks.REF)
_FLAG = marks.mark(marks.FLAG)
_ENUM = marks.mark(marks.ENUM)
_FUNCTION = marks.mark(marks.FUNCTION)
_STRUCT = marks.mark(marks.STRUCT)
_FUNCTION_NAME = marks.mark(marks.FUNCTION_NAME)
_RAISED = marks.mark(marks.RAISED)
_OBJECTS: Final = {kind: marks.mark(kind) for kind in (marks.DATACLASS, marks.NAMEDTUPLE)}


def seal(value: object, *, what: str = "message") -> bytes:
    """The bytes of a message, which nothing done to *value* afterwards changes.

    A local pid or reference is written without a node: it belongs to the node that sealed it.  A bytearray or
    memoryview arrives as bytes, an exception as `Raised`.

    Args:
        value: any data (see the door, `codec`).
        what: what the path in an error starts with.

    Raises:
        EncodeError: something in it is not data, forms a cycle or nests deeper than 256 containers.
    """
    try:
        sealer = _idle.pop()
    except IndexError:
        sealer = _Sealer()
    sealer.made = 0
    try:
        data: bytes = sealer.pack(value)
        # The fast test takes every byte that could lead an ext for one; where it differs, they are counted.
        if len(data) <= SLICE_BYTES:
            leads = len(data.translate(None, _NO_EXT_LEADS))
        else:
            leads = sum(len(bytes(piece).translate(None, _NO_EXT_LEADS)) for piece in slices(data))
        if leads != sealer.made and _exts(data) != sealer.made:
            raise Unsendable("holds a msgpack ext")  # noqa: TRY301
        if len(data) > marks.MAX_DEPTH:
            check_depth(data)
    except MemoryError:
        raise
    except UnicodeEncodeError:
        return _seal_with_surrogates(value, what)
    except Exception as cause:
        raise refusal(value, what, cause, _Sealer().reduce) from None
    if len(data) <= _KEPT_BYTES:
        _idle.append(sealer)
    return data


def check_depth(data: bytes) -> None:
    """Walks one packed value without building it.

    Raises:
        Exception: msgpack's, when it nests too deep, is cut short, or has bytes behind it.
    """
    # The C unpacker's stack holds `_C_STACK` containers; the wrapping leaves 256 of them to the letter.
    size = len(_WRAPPING) + len(data)
    scout = msgpack.Unpacker(max_buffer_size=size, read_size=size)
    scout.feed(_WRAPPING)
    for piece in slices(data):
        scout.feed(piece)
    scout.skip()
    if scout.tell() != size:
        msg = "there are bytes behind the value"
        raise ValueError(msg)


_C_STACK: Final = 1024
_WRAPPING: Final = b"\x91" * (_C_STACK - marks.MAX_DEPTH)


# ---------------------------------------------------------------- packing


class _Sealer:
    """A packer, the `default` it calls, and the count of marks made for the letter in hand.

    Owned by one call at a time: it is taken from `_idle` and put back, each a single step under the GIL, so
    neither a second thread nor a finalizer that seals while its thread is sealing can meet another's bytes.
    One that failed is not put back.
    """

    __slots__ = ("made", "pack")

    def __init__(self, unicode_errors: str | None = None) -> None:
        self.made = 0
        self.pack = msgpack.Packer(
            default=self.reduce, strict_types=True, unicode_errors=unicode_errors, buf_size=4096
        ).pack

    def reduce(self, value: Any) -> list[Any]:
        """What stands in the letter for a value that msgpack lacks."""
        self.made += 1
        cls = type(value)
        if cls is tuple:
            return [_TUPLE, *value]
        # Only classes of plain metaclass: hashing any other may run code of its metaclass.
        if type(cls) is type and (reduce := _REDUCERS.get(cls)) is not None:
            return reduce(value)
        return _reduce_object(value, cls)


_idle: list[_Sealer] = []

_EXT_LEADS: Final = frozenset((0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8))
_NO_EXT_LEADS: Final = bytes(byte for byte in range(256) if byte not in _EXT_LEADS)


def _exts(data: bytes) -> int:
    """How many marks are in the bytes; -1 if there is an ext that cannot be one."""
    try:
        return _counted(data, None)
    except TypeError:  # a key holds a dict, which the user's class hashes in its own way
        return _counted(data, _drop)


def _counted(data: bytes, pairs_hook: Callable[[object], None] | None) -> int:
    found: deque[bytes] = deque()
    counter = msgpack.Unpacker(
        raw=True, use_list=False, strict_map_key=False, object_pairs_hook=pairs_hook,
        # Called with type and payload: `insert` takes them for place and item, so C counts alone.
        ext_hook=found.insert, max_ext_len=1, max_buffer_size=len(data), read_size=1,
    )  # fmt: skip
    counter.feed(data)
    try:
        counter.unpack()
    except ValueError:
        return -1
    return len(found)


def _drop(_pairs: object) -> None:
    """What a dict is to a counter that does not hash."""


def _seal_with_surrogates(value: object, what: str) -> bytes:
    sealer = _Sealer(unicode_errors="surrogatepass")
    try:
        data: bytes = sealer.pack(value)
        if _exts(data) != sealer.made:
            raise Unsendable("holds a msgpack ext")  # noqa: TRY301
        check_depth(data)
    except MemoryError:
        raise
    except Exception as cause:
        raise refusal(value, what, cause, _Sealer().reduce) from None
    return data


# ---------------------------------------------------------------- one value


def _reduce_set(value: set[Any]) -> list[Any]:
    return [_SET, *value]


def _reduce_frozenset(value: frozenset[Any]) -> list[Any]:
    return [_FROZENSET, *value]


def _reduce_pid(value: Pid) -> list[Any]:
    if value.node:
        return [_PID, value.number, value.serial, value.node, value.creation]
    return [_PID, value.number, value.serial]


def _reduce_ref(value: Ref) -> list[Any]:
    return [_REF, value.number, value.node, value.creation] if value.node else [_REF, value.number]


def _reduce_struct(value: Struct) -> list[Any]:
    return [_STRUCT, value.name, *(each for field in value.fields for each in field)]


def _reduce_function_name(value: FunctionName) -> list[Any]:
    return [_FUNCTION_NAME, value.module, value.name]


def _reduce_raised(value: Raised) -> list[Any]:
    return [_RAISED, value.type, value.text, value.traceback]


_REDUCERS: Final[dict[type, Callable[[Any], list[Any]]]] = {
    set: _reduce_set,
    frozenset: _reduce_frozenset,
    int: leaves.reduce_int,
    Pid: _reduce_pid,
    Ref: _reduce_ref,
    date: leaves.reduce_date,
    time: leaves.reduce_time,
    datetime: leaves.reduce_datetime,
    timedelta: leaves.reduce_timedelta,
    Decimal: leaves.reduce_decimal,
    UUID: leaves.reduce_uuid,
    Struct: _reduce_struct,
    FunctionName: _reduce_function_name,
    Raised: _reduce_raised,
}


def _reduce_object(value: Any, cls: type) -> list[Any]:
    if is_function(value) or is_class(value):
        return [_FUNCTION, *name_of(value)]
    if issubclass(cls, BaseException):
        return _reduce_exception(value, cls)
    plan = classes.plan_of(cls)
    if plan.kind == marks.ENUM:
        name = classes.member_name(value)
        return [_ENUM if type(name) is str else _FLAG, plan.module, plan.qualname, name]
    return [_OBJECTS[plan.kind], plan.module, plan.qualname, plan.joined, *plan.values(value)]


def _reduce_exception(value: BaseException, cls: type) -> list[Any]:
    module, qualname = class_name(cls)
    try:
        text = str(value)
    except Exception:  # its `__str__` is user code
        text = ""
    return [_RAISED, qualname if module == "builtins" else f"{module}.{qualname}", text, ""]
