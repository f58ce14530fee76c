"""Reduces each value that msgpack lacks to an array led by a tag."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pyx.atoms import Atom
from pyx.introspection import class_module, is_class
from pyx.terms import REFERENCE_BITS, FunctionName, Pid, Raised, Ref, Struct
from pyx.wire.messages import classes, enums, format, scalars
from pyx.wire.messages.hints import hint
from pyx.wire.messages.names import ERLANG_TERMS, Unsendable, class_name, is_function, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SET = format.tag(format.SET)
_FROZENSET = format.tag(format.FROZENSET)
_PID = format.tag(format.PID)
_REF = format.tag(format.REF)
_FLAG = format.tag(format.FLAG)
_ENUM = format.tag(format.ENUM)
_FUNCTION = format.tag(format.FUNCTION)
_STRUCT = format.tag(format.STRUCT)
_ATOM = format.tag(format.ATOM)
_OBJECTS: Final = {kind: format.tag(kind) for kind in (format.DATACLASS, format.NAMEDTUPLE)}


_OUT_OF_RANGE: Final = "cannot be an address: its numbers are too large, or below 0"
"""Shifting a number below 0 to the right leaves -1, so one test finds both."""


def _reduce_set(value: set[Any]) -> list[Any]:
    return [_SET, *value]


def _reduce_frozenset(value: frozenset[Any]) -> list[Any]:
    return [_FROZENSET, *value]


def reduce_pid(value: Pid) -> list[Any]:
    """Returns the array that stands in a payload for a pid; raises as `reduce_object`."""
    if value.number >> 64 or value.serial >> 32:
        raise Unsendable(_OUT_OF_RANGE)
    if value.node:
        return [_PID, value.number, value.serial, value.node, value.creation]
    return [_PID, value.number, value.serial]


def _reduce_ref(value: Ref) -> list[Any]:
    if value.number >> REFERENCE_BITS:
        raise Unsendable(_OUT_OF_RANGE)
    return [_REF, value.number, value.node, value.creation] if value.node else [_REF, value.number]


def _reduce_atom(value: Atom) -> list[Any]:
    return [_ATOM, str(value)]


def _reduce_struct(value: Struct) -> list[Any]:
    return [_STRUCT, value.name, *(each for field in value.fields for each in field)]


_REDUCERS: Final[dict[type, Callable[[Any], list[Any]]]] = {
    set: _reduce_set,
    frozenset: _reduce_frozenset,
    int: scalars.reduce_int,
    Pid: reduce_pid,
    Ref: _reduce_ref,
    Atom: _reduce_atom,
    date: scalars.reduce_date,
    time: scalars.reduce_time,
    datetime: scalars.reduce_datetime,
    timedelta: scalars.reduce_timedelta,
    Decimal: scalars.reduce_decimal,
    UUID: scalars.reduce_uuid,
    Struct: _reduce_struct,
    FunctionName: scalars.reduce_function_name,
    Raised: scalars.reduce_raised,
}


def reduce_object(value: Any) -> list[Any]:
    """Returns the array that stands in a payload for a value that msgpack lacks.

    Raises:
        Unsendable: the value is not data.
    """
    cls = type(value)
    # Only a class whose metaclass is `type`: hashing another may run code of its metaclass.
    if type(cls) is type and (reduce := _REDUCERS.get(cls)) is not None:
        return reduce(value)
    if class_module(cls) == ERLANG_TERMS and (parts := _reduced_erlang_term(value)) is not None:
        return parts
    if is_function(value) or is_class(value):
        return [_FUNCTION, *name_of(value)]
    if issubclass(cls, BaseException):
        return _reduce_exception(value, cls)
    try:
        layout = classes.layout_of(cls)
    except Unsendable as why:
        why.hint = why.hint or hint(value)
        raise
    layout.check_arrival()
    if layout.kind == format.ENUM:
        name = enums.member_name(value)
        return [_ENUM if type(name) is str else _FLAG, layout.module, layout.qualname, name]
    return [_OBJECTS[layout.kind], layout.module, layout.qualname, layout.joined, *layout.values(value)]


def _reduced_erlang_term(value: Any) -> list[Any] | None:
    """Returns the array for a term of `erlang_terms`, which is loaded once there is such a value."""
    from pyx.wire.messages.erlang import REDUCERS

    _REDUCERS.update(REDUCERS)
    cls = type(value)
    return _REDUCERS[cls](value) if type(cls) is type and cls in REDUCERS else None


def _reduce_exception(value: BaseException, cls: type) -> list[Any]:
    module, qualname = class_name(cls)
    try:
        text = str(value)
    except Exception:  # its `__str__` is user code
        text = ""
    name = qualname if module == "builtins" else f"{module}.{qualname}"
    return scalars.reduce_raised(Raised(name, text))
