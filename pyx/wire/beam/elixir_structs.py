"""Elixir's structs and the values of Python that stand for them: dates, decimals, sets, exceptions, objects.

A struct that fits no class of Python exactly arrives as a `Struct`, so that nothing of it is lost.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom, is_module
from pyx.introspection import find_loaded, is_class
from pyx.terms import Raised, Struct
from pyx.wire.beam.named_structs import class_named
from pyx.wire.messages import format
from pyx.wire.messages.classes import layout_of
from pyx.wire.messages.names import Unsendable
from pyx.wire.messages.scalars import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.wire.messages.classes import ClassLayout

_PREFIX: Final = "Elixir."
_ISO: Final = "Elixir.Calendar.ISO"
_MOST_DIGIT_BITS: Final = 12_000
"""A longer number takes Python too long to write in decimal digits."""


class _AnotherShape(Exception):
    """The struct is not of the shape that a class of Python has."""


def struct_value(fields: dict[Any, Any]) -> Any:
    """Returns the value of a map with the key `:__struct__`, whose value is an atom.

    Args:
        fields: the map.
    """
    if set(map(type, fields)) != {Atom}:
        return fields
    struct = str(fields["__struct__"])
    name = struct.removeprefix(_PREFIX)
    if struct_atom(name) != struct:
        return fields  # `:Foo`, which is not the module Foo
    rest = {str(key): value for key, value in fields.items() if key != "__struct__"}
    read = _READERS.get(struct) or (_exception if "__exception__" in rest else None)
    if read is not None:
        try:
            return read(name, rest)
        except (_AnotherShape, ArithmeticError, KeyError, TypeError, ValueError):
            pass
    cls = class_named(name) or _loaded_class(name)
    layout = None if cls is None else _layout(cls)
    if layout is not None and rest.keys() == set(layout.fields):
        return layout.build([rest[field] for field in layout.fields])
    return Struct(name, tuple(sorted(rest.items())))


def _loaded_class(name: str) -> type | None:
    """The class of Python with that full name, if its module is loaded: an object that comes back."""
    module, dot, qualname = name.rpartition(".")
    while dot:
        found = find_loaded(module, qualname)
        if found is not None:
            return found if is_class(found) else None
        module, dot, last = module.rpartition(".")
        qualname = f"{last}.{qualname}"
    return None


def _layout(cls: type) -> ClassLayout | None:
    """How objects of the class are built; None for a class whose objects are not data, or can be called."""
    try:
        layout = layout_of(cls)
    except Unsendable:
        return None
    is_object = layout.kind != format.ENUM and layout.is_rebuildable and not layout.is_callable
    return layout if is_object else None


def struct_atom(name: str) -> str:
    """Returns the text of the atom of a struct's name: a module of Elixir's begins with a capital letter."""
    return _PREFIX + name if is_module(_PREFIX + name) else name


# ---------------------------------------------------------------- from Elixir


def _expect(condition: object) -> None:
    if not condition:
        raise _AnotherShape


def _take(fields: dict[str, Any], *names: str) -> list[Any]:
    """The values of these fields, which have to be all, and ints unless their names end with `?`."""
    _expect(len(fields) == len(names))
    return [fields[name] for name in names]


def _ints(*values: Any) -> None:
    _expect(all(type(value) is int for value in values))


def _date(_: str, fields: dict[str, Any]) -> date:
    year, month, day, calendar = _take(fields, "year", "month", "day", "calendar")
    _ints(year, month, day)
    _expect(calendar == _ISO)
    return date(year, month, day)


def _time(_: str, fields: dict[str, Any]) -> time:
    hour, minute, second, fraction, calendar = _take(
        fields, "hour", "minute", "second", "microsecond", "calendar"
    )
    _ints(hour, minute, second)
    _expect(calendar == _ISO)
    return time(hour, minute, second, _microsecond(fraction))


def _microsecond(fraction: Any) -> int:
    value, precision = fraction
    _expect(type(fraction) is tuple)
    _ints(value, precision)
    return value  # type: ignore[no-any-return]


def _naive(_: str, fields: dict[str, Any]) -> datetime:
    year, month, day, hour, minute, second, fraction, calendar = _take(
        fields, "year", "month", "day", "hour", "minute", "second", "microsecond", "calendar"
    )
    _ints(year, month, day, hour, minute, second)
    _expect(calendar == _ISO)
    return datetime(year, month, day, hour, minute, second, _microsecond(fraction))  # noqa: DTZ001 - naive


def _aware(name: str, fields: dict[str, Any]) -> datetime:
    rest = dict(fields)
    zone, _, offset, summer = (
        rest.pop(each) for each in ("time_zone", "zone_abbr", "utc_offset", "std_offset")
    )
    value = _naive(name, rest)
    _ints(offset, summer)
    if zone == "Etc/UTC":
        _expect(not offset and not summer)
        return value.replace(tzinfo=UTC)
    _expect(type(zone) is str)
    found = zone_named(zone)
    _expect(found is not None)
    for fold in (0, 1):
        local = value.replace(tzinfo=found, fold=fold)
        if local.utcoffset() == timedelta(seconds=offset + summer):
            return local
    raise _AnotherShape


def _decimal(_: str, fields: dict[str, Any]) -> Decimal:
    sign, coefficient, exponent = _take(fields, "sign", "coef", "exp")
    _ints(sign, exponent)
    _expect(sign in {1, -1})
    if type(coefficient) is Atom:
        _expect(exponent == 0 and coefficient in {"NaN", "inf"})
        return Decimal(("-" if sign < 0 else "") + str(coefficient))
    _ints(coefficient)
    _expect(coefficient >= 0 and coefficient.bit_length() <= _MOST_DIGIT_BITS)
    return Decimal((int(sign < 0), tuple(map(int, str(coefficient))), exponent))


def _set(_: str, fields: dict[str, Any]) -> frozenset[Any]:
    members = fields["map"]
    _expect(type(members) is dict and all(type(value) is list and not value for value in members.values()))
    _expect(len(fields) == 1 or (len(fields) == 2 and fields["version"] == 2))
    return frozenset(members)


def _exception(name: str, fields: dict[str, Any]) -> Raised:
    message, mark = _take(fields, "message", "__exception__")
    _expect(type(message) is str and mark is True)
    return Raised(name, message)


_READERS: Final[dict[str, Callable[[str, dict[str, Any]], Any]]] = {
    "Elixir.Date": _date,
    "Elixir.Time": _time,
    "Elixir.NaiveDateTime": _naive,
    "Elixir.DateTime": _aware,
    "Elixir.Decimal": _decimal,
    "Elixir.MapSet": _set,
}
"""By struct: a function from its name and its fields to the value of Python."""


# ---------------------------------------------------------------- to Elixir


def _fields(struct: str, **fields: Any) -> list[Any]:
    items: list[Any] = [Atom("__struct__"), Atom(_PREFIX + struct)]
    for name, value in fields.items():
        items += (Atom(name), value)
    return items


def _day(value: date | datetime) -> dict[str, Any]:
    return {"calendar": Atom(_ISO), "year": value.year, "month": value.month, "day": value.day}


def _clock(value: time | datetime) -> dict[str, Any]:
    fraction = value.microsecond
    return {
        "hour": value.hour, "minute": value.minute, "second": value.second,
        "microsecond": (fraction, 6 if fraction else 0),
    }  # fmt: skip


def date_fields(value: date) -> list[Any]:
    """Returns keys and values of `%Date{}`."""
    return _fields("Date", **_day(value))


def time_fields(value: time) -> list[Any]:
    """Returns keys and values of `%Time{}`; raises Unsendable for one with a time zone."""
    if value.tzinfo is not None:
        raise Unsendable("has a time zone, and a Time of Elixir has none", "send a datetime")
    return _fields("Time", calendar=Atom(_ISO), **_clock(value))


def datetime_fields(value: datetime) -> list[Any]:
    """Returns keys and values of `%DateTime{}`, or without a time zone of `%NaiveDateTime{}`.

    A fixed offset is converted to UTC: Elixir has zones by name alone.
    """
    zone: Any = value.tzinfo
    if zone is None:
        return _fields("NaiveDateTime", **_day(value), **_clock(value))
    if type(zone) is type(UTC):
        value = value.astimezone(UTC)
        key, offset, summer = "Etc/UTC", timedelta(), timedelta()
    elif type(zone) is _zone_class() and type(zone.key) is str:
        key, offset, summer = zone.key, value.utcoffset() or timedelta(), value.dst() or timedelta()
    else:
        raise Unsendable("has a time zone that Elixir cannot name", "send x.astimezone(datetime.UTC)")
    if key in {"UTC", "Etc/UTC"}:
        key, name = "Etc/UTC", "UTC"
    else:
        name = value.tzname() or key
    return _fields(
        "DateTime", **_day(value), **_clock(value), time_zone=key, zone_abbr=name,
        utc_offset=_seconds(offset - summer), std_offset=_seconds(summer),
    )  # fmt: skip


def _zone_class() -> Any:
    """The class of zones with a name; where its module is not loaded there are none."""
    return getattr(sys.modules.get("zoneinfo"), "ZoneInfo", None)


def _seconds(offset: timedelta) -> int:
    return offset.days * 86400 + offset.seconds


def decimal_fields(value: Decimal) -> list[Any]:
    """Returns keys and values of `%Decimal{}`; raises Unsendable for a nan that Elixir's package lacks."""
    sign, digits, exponent = value.as_tuple()
    if exponent == "N" or (exponent == "n" and digits):
        raise Unsendable("is a kind of nan that Elixir's Decimal lacks")
    coefficient: Any
    if isinstance(exponent, str):
        coefficient, exponent = Atom("inf" if exponent == "F" else "NaN"), 0
    elif len(digits) > _MOST_DIGIT_BITS // 4:
        raise Unsendable(f"has {len(digits)} digits", "send it as a text: str(x)")
    else:
        coefficient = int("".join(map(str, digits)))
    return _fields("Decimal", sign=-1 if sign else 1, coef=coefficient, exp=exponent)


def set_fields(members: dict[Any, Any]) -> list[Any]:
    """Returns keys and values of `%MapSet{}`.

    Args:
        members: a dict of each member to an empty list.
    """
    return _fields("MapSet", map=members, version=2)


def range_fields(value: range) -> list[Any]:
    """Returns keys and values of `%Range{}`, whose last number is part of it."""
    last = value.stop - (1 if value.step > 0 else -1)
    return _fields("Range", first=value.start, last=last, step=value.step)


def raised_fields(value: Raised) -> list[Any]:
    """Returns keys and values of `%RuntimeError{}`, whose message tells the class of Python's exception."""
    text = value.text if value.type == "RuntimeError" else f"{value.type}: {value.text}"
    return _fields("RuntimeError", __exception__=True, message=text)
