"""Values to bytes.  Not here: the way back (`opening`), the error's sentence (`refusal`), where payloads go.

Whatever is more than a few scalars is walked first (`measure`): its length and depth are known before a byte
is written.  Then the C packer writes what msgpack knows; what it lacks is handed to `_Encoder.reduce`, which
answers with an array led by a mark and never packs anything itself (nested packing kills a process with a
small stack).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgpack

from pyx.terms import FunctionName, Pid, Raised, Ref, Struct
from pyx.wire.messages import classes, format, scalars
from pyx.wire.messages.encode_errors import refusal, too_long
from pyx.wire.messages.hints import hint
from pyx.wire.messages.limits import Reduced, TooLong, is_small, measure, measure_few
from pyx.wire.messages.names import Unsendable, class_name, is_class, is_function, name_of
from pyx.wire.messages.safe_keys import check_key

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT_BYTES: Final = 64 * 1024
"""A packer keeps the memory of its largest payload, so one that grew past this is thrown away."""

_SMALL_INT_BITS: Final = 1024

_NO_ADDRESS: Final = "cannot be an address: its numbers are too large, or below 0"
"""Below 0 a shift to the right leaves -1."""

MOST_BYTES: Final = 1024 * 1024 * 1024
"""The longest message where no other limit is said."""

_TUPLE = format.mark(format.TUPLE)
_SET = format.mark(format.SET)
_FROZENSET = format.mark(format.FROZENSET)
_PID = format.mark(format.PID)
_REF = format.mark(format.REF)
_FLAG = format.mark(format.FLAG)
_ENUM = format.mark(format.ENUM)
_FUNCTION = format.mark(format.FUNCTION)
_STRUCT = format.mark(format.STRUCT)
_FUNCTION_NAME = format.mark(format.FUNCTION_NAME)
_RAISED = format.mark(format.RAISED)
_OBJECTS: Final = {kind: format.mark(kind) for kind in (format.DATACLASS, format.NAMEDTUPLE)}


def encode(value: object, *, what: str = "message", max_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a message, which nothing done to *value* afterwards changes.

    A local pid or reference is written without a node: it belongs to the node that encoded it.  An exception
    arrives as `Raised`.

    Args:
        value: any data (see the door, `codec`).
        what: what the path in an error starts with.
        max_bytes: the longest that may come out.  Memory and time are bounded by it: what is too long is
            noticed before it is written.

    Raises:
        EncodeError: something in it is not data, would arrive changed, forms a cycle, nests deeper than 256
            containers, or all of it is too long.
    """
    if is_small(value):
        pack = _idle.pop() if _idle else _packer(_reduce_small)
        try:
            # A tuple that is the message itself is taken apart here: that saves the way through the packer.
            data = pack([_TUPLE, *value] if type(value) is tuple else value)
        except Exception:  # a lone surrogate, an int of many digits: rare
            return _encode_measured(value, what, max_bytes)
        if len(data) <= max_bytes:
            _idle.append(pack)
            return data
    return _encode_measured(value, what, max_bytes)


def _encode_measured(value: object, what: str, max_bytes: int) -> bytes:
    try:
        reduced = measure_few(value, reduce_object)
        if reduced is None:
            reduced = measure(value, max_bytes, reduce_object, check_key)
        sealer = _idle_sealers.pop() if _idle_sealers else _Encoder()
        sealer.reduced, sealer.room = reduced, max_bytes
        try:
            data = sealer.pack(value)
        except UnicodeEncodeError:
            data = _packer(sealer.reduce, unicode_errors="surrogatepass")(value)
        if len(data) > max_bytes:
            raise TooLong(len(data))  # noqa: TRY301
    except MemoryError:
        raise
    except TooLong as error:
        raise too_long(what, value, error.size, max_bytes) from None
    except Exception as cause:
        raise refusal(value, what, cause, reduce_object, check_key) from None
    sealer.reduced = {}
    if len(data) <= _KEPT_BYTES:
        _idle_sealers.append(sealer)
    return data


# ---------------------------------------------------------------- packing


class _Encoder:
    """A packer, the `default` it calls, and what that needs to know of the payload in hand: the objects in it
    as they were `reduced`, and how many bytes there is `room` for.

    Packers and sealers are owned by one call at a time: they are taken from the idle ones and put back, each
    a single step under the GIL, so neither a second thread nor a finalizer that seals while its thread is
    sealing can meet another's bytes.  One that failed is not put back.
    """

    __slots__ = ("pack", "reduced", "room")

    def __init__(self) -> None:
        self.reduced: Reduced = {}
        self.room = 0
        self.pack = _packer(self.reduce)

    def reduce(self, value: Any) -> list[Any]:
        """What stands in the payload for a value that msgpack lacks."""
        if type(value) is tuple:
            return [_TUPLE, *value]
        if (known := self.reduced.get(id(value))) is not None:
            return known[1]
        parts = reduce_object(value)
        if type(value) is not set and type(value) is not frozenset:  # a leaf that was not measured
            self.room -= sum([len(part) for part in parts if type(part) is bytes or type(part) is str])
            if self.room < 0:
                raise TooLong(-self.room)
        return parts


def _reduce_small(value: Any) -> list[Any]:
    if type(value) is int and value.bit_length() > _SMALL_INT_BITS:
        raise TooLong(value.bit_length() // 8)
    return reduce_object(value)


def _packer(
    reduce: Callable[[Any], list[Any]], *, unicode_errors: str | None = None
) -> Callable[[object], bytes]:
    packer = msgpack.Packer(default=reduce, strict_types=True, unicode_errors=unicode_errors, buf_size=4096)
    return packer.pack  # type: ignore[no-any-return]


_idle: list[Callable[[object], bytes]] = []
"""Of small payloads."""
_idle_sealers: list[_Encoder] = []


# ---------------------------------------------------------------- one value


def _reduce_set(value: set[Any]) -> list[Any]:
    return [_SET, *value]


def _reduce_frozenset(value: frozenset[Any]) -> list[Any]:
    return [_FROZENSET, *value]


def _reduce_pid(value: Pid) -> list[Any]:
    if value.number >> 64 or value.serial >> 32:
        raise Unsendable(_NO_ADDRESS)
    if value.node:
        return [_PID, value.number, value.serial, value.node, value.creation]
    return [_PID, value.number, value.serial]


def _reduce_ref(value: Ref) -> list[Any]:
    if value.number >> 64:
        raise Unsendable(_NO_ADDRESS)
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
    int: scalars.reduce_int,
    Pid: _reduce_pid,
    Ref: _reduce_ref,
    date: scalars.reduce_date,
    time: scalars.reduce_time,
    datetime: scalars.reduce_datetime,
    timedelta: scalars.reduce_timedelta,
    Decimal: scalars.reduce_decimal,
    UUID: scalars.reduce_uuid,
    Struct: _reduce_struct,
    FunctionName: _reduce_function_name,
    Raised: _reduce_raised,
}


def reduce_object(value: Any) -> list[Any]:
    """The array that stands for a value that msgpack lacks.

    Raises:
        Unsendable: it is not data.
    """
    cls = type(value)
    # Only classes of plain metaclass: hashing any other may run code of its metaclass.
    if type(cls) is type and (reduce := _REDUCERS.get(cls)) is not None:
        return reduce(value)
    if is_function(value) or is_class(value):
        return [_FUNCTION, *name_of(value)]
    if issubclass(cls, BaseException):
        return _reduce_exception(value, cls)
    try:
        plan = classes.plan_of(cls)
    except Unsendable as why:
        why.hint = why.hint or hint(value)
        raise
    plan.check_arrival()
    if plan.kind == format.ENUM:
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
