"""Values without parts that msgpack lacks, reduced to arrays and rebuilt: big ints, dates, decimals, UUIDs,
function names, raised exceptions.

A hostile payload may hold any arguments, so every constructor checks them; `codec.decode` makes a
`DecodeError` of whatever it raises.
"""

from __future__ import annotations

import contextlib
import re
import sys
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, SafeUUID

from pyx.introspection import type_name
from pyx.terms import FunctionName, Raised
from pyx.wire.messages import format
from pyx.wire.messages.format import exact
from pyx.wire.messages.names import Unsendable

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_MICROSECOND: Final = timedelta(microseconds=1)

_INT = format.tag(format.INT)
_DATE = format.tag(format.DATE)
_TIME = format.tag(format.TIME)
_DATETIME = format.tag(format.DATETIME)
_TIMEDELTA = format.tag(format.TIMEDELTA)
_DECIMAL = format.tag(format.DECIMAL)
_UUID = format.tag(format.UUID)
_FUNCTION_NAME = format.tag(format.FUNCTION_NAME)
_RAISED = format.tag(format.RAISED)


def reduce_int(value: int) -> list[Any]:
    """Returns the array that stands in a payload for an int past 64 bits."""
    return [_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)]


def build_int(items: list[Any]) -> int:
    """Returns the int past 64 bits of a tagged array."""
    _, data = items
    return int.from_bytes(exact(data, bytes), "big", signed=True)


def reduce_date(value: date) -> list[Any]:
    """Returns the array that stands in a payload for a date."""
    return [_DATE, value.year, value.month, value.day]


def build_date(items: list[Any]) -> date:
    """Returns the date of a tagged array."""
    _, year, month, day = items
    return date(year, month, day)


def reduce_time(value: time) -> list[Any]:
    """Returns the array that stands in a payload for a time."""
    return [
        _TIME, value.hour, value.minute, value.second, value.microsecond, value.fold,
        *_reduce_zone(value.tzinfo, value),
    ]  # fmt: skip


def build_time(items: list[Any]) -> time:
    """Returns the time of a tagged array."""
    _, hour, minute, second, microsecond, fold, *zone = items
    return time(hour, minute, second, microsecond, _build_zone(zone), fold=fold)


def reduce_datetime(value: datetime) -> list[Any]:
    """Returns the array that stands in a payload for a datetime."""
    return [
        _DATETIME, value.year, value.month, value.day,
        value.hour, value.minute, value.second, value.microsecond, value.fold,
        *_reduce_zone(value.tzinfo, value),
    ]  # fmt: skip


def build_datetime(items: list[Any]) -> datetime:
    """Returns the datetime of a tagged array."""
    _, year, month, day, hour, minute, second, microsecond, fold, *zone = items
    return datetime(year, month, day, hour, minute, second, microsecond, _build_zone(zone), fold=fold)


def reduce_timedelta(value: timedelta) -> list[Any]:
    """Returns the array that stands in a payload for a timedelta."""
    return [_TIMEDELTA, value.days, value.seconds, value.microseconds]


def build_timedelta(items: list[Any]) -> timedelta:
    """Returns the timedelta of a tagged array."""
    _, days, seconds, microseconds = items
    # Checked, because a float among them would be rounded instead of refused.
    return timedelta(exact(days, int), exact(seconds, int), exact(microseconds, int))


def reduce_decimal(value: Decimal) -> list[Any]:
    """Returns the array that stands in a payload for a Decimal."""
    return [_DECIMAL, str(value)]


def build_decimal(items: list[Any]) -> Decimal:
    """Returns the Decimal of a tagged array."""
    _, text = items
    return Decimal(exact(text, str))


def reduce_uuid(value: UUID) -> list[Any]:
    """Returns the array that stands in a payload for a UUID, with its `is_safe` if that is known."""
    safety = value.is_safe
    return [_UUID, value.bytes] if safety is SafeUUID.unknown else [_UUID, value.bytes, safety.value]


def build_uuid(items: list[Any]) -> UUID:
    """Returns the UUID of a tagged array."""
    _, data, *safety = items
    return UUID(bytes=exact(data, bytes), is_safe=SafeUUID(*safety) if safety else SafeUUID.unknown)


def reduce_function_name(value: FunctionName) -> list[Any]:
    """Returns the array that stands in a payload for a FunctionName."""
    arity = [] if value.arity is None else [value.arity]
    return [_FUNCTION_NAME, value.module, value.name, *arity]


def build_function_name(items: list[Any]) -> FunctionName:
    """Returns the FunctionName of a tagged array."""
    _, module, name, *arity = items
    numbers = [exact(number, int) for number in arity]
    return FunctionName(exact(module, str), exact(name, str), *numbers)


def reduce_raised(value: Raised) -> list[Any]:
    """Returns the array that stands in a payload for a Raised."""
    frames = [[list(frame) for frame in value.frames]] if value.frames else []
    return [_RAISED, value.type, value.text, value.traceback, *frames]


def build_raised(items: list[Any]) -> Raised:
    """Returns the Raised of a tagged array."""
    _, kind, text, traceback, *rest = items
    (frames,) = rest or ([],)
    return Raised(
        exact(kind, str),
        exact(text, str),
        exact(traceback, str),
        frames=tuple(map(_frame, exact(frames, list))),
    )


def _frame(item: Any) -> tuple[str, int, str, int]:
    file, line, function, parameters = exact(item, list)
    return exact(file, str), exact(line, int), exact(function, str), exact(parameters, int)


# ---------------------------------------------------------------- time zones


def _reduce_zone(zone: Any, value: time | datetime) -> list[Any]:
    if zone is None:
        return []
    if type(zone) is timezone:
        # The arguments that pickle would use: the only way to tell a given name from a generated one.
        offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]
        return [offset // _MICROSECOND, name[0] if name else None, False]
    # Where it is not loaded, no zone is of that class.
    zone_class = getattr(sys.modules.get("zoneinfo"), "ZoneInfo", None)
    if type(zone) is zone_class:
        if type(zone.key) is not str:
            raise Unsendable("has a time zone without a name")
        if zone.key not in _zones:  # `zone_named` would not find a key that only `tzdata` has
            with contextlib.suppress(Exception):
                if zone_class(zone.key) is zone:
                    _zones[zone.key] = zone
        offset = value.utcoffset()
        return [None if offset is None else offset // _MICROSECOND, zone.key, True]
    raise Unsendable(f"has a time zone of a user-defined class ({type_name(zone)})")


def _build_zone(parts: list[Any]) -> tzinfo | None:
    if not parts:
        return None
    offset, name, is_key = parts
    if is_key is True and (zone := zone_named(exact(name, str))) is not None:
        return zone
    # A zone that this host does not know keeps at least its name and its offset at that time.
    fixed = timedelta(microseconds=exact(offset, int))
    return timezone(fixed) if name is None else timezone(fixed, exact(name, str))


_KEY: Final = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)
_zones: dict[str, ZoneInfo] = {}
"""Zones found so far, so that each file is read once; bounded by the zones that this host has."""


def zone_named(key: str) -> ZoneInfo | None:
    """Returns the time zone of that name; None if this host has none.  Only its file is read, and once."""
    zone = _zones.get(key)
    if zone is not None or len(key) > 64 or not _KEY.fullmatch(key):
        return zone
    import zoneinfo  # loaded already for payloads of peers: `codec.load_for_peers`

    # Where no directory has the key, `ZoneInfo` would import the `tzdata` package to look there.
    if not any(Path(root, key).is_file() for root in zoneinfo.TZPATH):
        return None
    return _zones.setdefault(key, zoneinfo.ZoneInfo(key))
