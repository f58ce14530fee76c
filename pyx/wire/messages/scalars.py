"""Values that msgpack lacks, taken apart into what it has, and put together again: big ints, dates,
decimals, UUIDs.

Not here: anything that holds other values.  What is put together may come from a hostile payload, so every
constructor checks its arguments; whatever it raises, the opener turns into a `DecodeError`.
"""

from __future__ import annotations

import contextlib
import re
import zoneinfo
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID, SafeUUID
from zoneinfo import ZoneInfo

from pyx.wire.messages import format
from pyx.wire.messages.names import Unsendable, type_name

_MICROSECOND: Final = timedelta(microseconds=1)

_INT = format.mark(format.INT)
_DATE = format.mark(format.DATE)
_TIME = format.mark(format.TIME)
_DATETIME = format.mark(format.DATETIME)
_TIMEDELTA = format.mark(format.TIMEDELTA)
_DECIMAL = format.mark(format.DECIMAL)
_UUID = format.mark(format.UUID)


def reduce_int(value: int) -> list[Any]:
    """What stands in a payload for an int past 64 bits."""
    return [_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)]


def build_int(items: list[Any]) -> int:
    """An int past 64 bits, from its marked array."""
    _, data = items
    return int.from_bytes(_exact(data, bytes), "big", signed=True)


def reduce_date(value: date) -> list[Any]:
    """What stands in a payload for a date."""
    return [_DATE, value.year, value.month, value.day]


def build_date(items: list[Any]) -> date:
    """A date, from its marked array."""
    _, year, month, day = items
    return date(year, month, day)


def reduce_time(value: time) -> list[Any]:
    """What stands in a payload for a time."""
    return [
        _TIME, value.hour, value.minute, value.second, value.microsecond, value.fold,
        *_reduce_zone(value.tzinfo, value),
    ]  # fmt: skip


def build_time(items: list[Any]) -> time:
    """A time, from its marked array."""
    _, hour, minute, second, microsecond, fold, *zone = items
    return time(hour, minute, second, microsecond, _build_zone(zone), fold=fold)


def reduce_datetime(value: datetime) -> list[Any]:
    """What stands in a payload for a datetime."""
    return [
        _DATETIME, value.year, value.month, value.day,
        value.hour, value.minute, value.second, value.microsecond, value.fold,
        *_reduce_zone(value.tzinfo, value),
    ]  # fmt: skip


def build_datetime(items: list[Any]) -> datetime:
    """A datetime, from its marked array."""
    _, year, month, day, hour, minute, second, microsecond, fold, *zone = items
    return datetime(year, month, day, hour, minute, second, microsecond, _build_zone(zone), fold=fold)


def reduce_timedelta(value: timedelta) -> list[Any]:
    """What stands in a payload for a timedelta."""
    return [_TIMEDELTA, value.days, value.seconds, value.microseconds]


def build_timedelta(items: list[Any]) -> timedelta:
    """A timedelta, from its marked array."""
    _, days, seconds, microseconds = items
    # Checked, because a float among them would be rounded instead of refused.
    return timedelta(_exact(days, int), _exact(seconds, int), _exact(microseconds, int))


def reduce_decimal(value: Decimal) -> list[Any]:
    """What stands in a payload for a Decimal."""
    return [_DECIMAL, str(value)]


def build_decimal(items: list[Any]) -> Decimal:
    """A Decimal, from its marked array."""
    _, text = items
    return Decimal(_exact(text, str))


def reduce_uuid(value: UUID) -> list[Any]:
    """What stands in a payload for a UUID: what it knows of how it was made, if it does."""
    safety = value.is_safe
    return [_UUID, value.bytes] if safety is SafeUUID.unknown else [_UUID, value.bytes, safety.value]


def build_uuid(items: list[Any]) -> UUID:
    """A UUID, from its marked array."""
    _, data, *safety = items
    return UUID(bytes=_exact(data, bytes), is_safe=SafeUUID(*safety) if safety else SafeUUID.unknown)


def _exact(value: Any, cls: type) -> Any:
    if type(value) is not cls:
        msg = f"{cls.__name__} expected, not {type_name(value)}"
        raise TypeError(msg)
    return value


# ---------------------------------------------------------------- time zones


def _reduce_zone(zone: tzinfo | None, value: time | datetime) -> list[Any]:
    if zone is None:
        return []
    if type(zone) is timezone:
        # What pickle would call it with: the only way to tell a name that was given from one made up.
        offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]
        return [offset // _MICROSECOND, name[0] if name else None, False]
    if type(zone) is ZoneInfo:
        if type(zone.key) is not str:
            raise Unsendable("has a time zone without a name")
        if zone.key not in _zones:  # where only the `tzdata` package has it, it is known by having been here
            with contextlib.suppress(Exception):
                if ZoneInfo(zone.key) is zone:
                    _zones[zone.key] = zone
        offset = value.utcoffset()
        return [None if offset is None else offset // _MICROSECOND, zone.key, True]
    raise Unsendable(f"has a time zone of a class of its own ({type_name(zone)})")


def _build_zone(parts: list[Any]) -> tzinfo | None:
    if not parts:
        return None
    offset, name, is_key = parts
    if is_key is True and (zone := _zone_named(_exact(name, str))) is not None:
        return zone
    # A zone that this host does not know keeps at least its name and the offset of this moment.
    fixed = timedelta(microseconds=_exact(offset, int))
    return timezone(fixed) if name is None else timezone(fixed, _exact(name, str))


_KEY: Final = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)
_zones: dict[str, ZoneInfo] = {}
"""Zones found so far, so that a stream of datetimes reads no file again; at most those this host has."""


def _zone_named(key: str) -> ZoneInfo | None:
    zone = _zones.get(key)
    if zone is not None or len(key) > 64 or not _KEY.fullmatch(key):
        return zone
    # Where no directory has the key, `ZoneInfo` would import the `tzdata` package to look there.
    if not any(Path(root, key).is_file() for root in zoneinfo.TZPATH):
        return None
    return _zones.setdefault(key, ZoneInfo(key))
