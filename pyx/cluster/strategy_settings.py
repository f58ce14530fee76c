"""The settings of one strategy, checked; the sentences of what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.terms import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping

POLL_SECONDS: Final = 5.0
"""Seconds between two questions, as in libcluster."""

_DAY: Final = 86_400


def check_names(config: Mapping[str, Any], *known: str) -> None:
    """Raises ValueError if there is a setting that is none of *known*."""
    if unknown := sorted(set(config) - set(known)):
        msg = f"there is no setting {', '.join(map(repr, unknown))}: there are {', '.join(sorted(known))}"
        raise ValueError(msg)


def text_of(config: Mapping[str, Any], setting: str, example: str, default: str | None = None) -> str:
    """Returns a setting that is a text.

    Raises:
        ValueError: it is missing, empty or not a text.
    """
    value = config.get(setting, default)
    if type(value) is not str or not value:
        msg = f"{setting} is missing: one looks like {example!r}"
        if value:
            msg = f"{setting} is a text like {example!r}, not {value!r}"
        raise ValueError(msg)
    return value


def text_or_none(config: Mapping[str, Any], setting: str, example: str) -> str | None:
    """Returns a setting that is a text, or may be missing; raises ValueError."""
    return text_of(config, setting, example) if setting in config else None


def flag_of(config: Mapping[str, Any], setting: str, *, default: bool) -> bool:
    """Returns a setting that is true or false; raises ValueError."""
    value = config.get(setting, default)
    if type(value) is not bool:
        msg = f"{setting} is true or false, not {value!r}"
        raise ValueError(msg)
    return value


def number_of(config: Mapping[str, Any], setting: str, default: int, most: int) -> int:
    """Returns a setting that is a whole number from 1 to *most*; raises ValueError."""
    value = config.get(setting, default)
    if type(value) is not int or not 0 < value <= most:
        msg = f"{setting} is a number from 1 to {most}, not {value!r}"
        raise ValueError(msg)
    return value


def choice_of(config: Mapping[str, Any], setting: str, choices: tuple[str, ...]) -> str:
    """Returns a setting that is one of a few words, by default the first; raises ValueError."""
    value = config.get(setting, choices[0])
    if value not in choices:
        msg = f"{setting} is one of {', '.join(map(repr, choices))}, not {value!r}"
        raise ValueError(msg)
    return str(value)


def seconds_of(config: Mapping[str, Any], setting: str = "interval", default: float = POLL_SECONDS) -> float:
    """Returns a setting that is a number of seconds above 0, a day at most; raises ValueError."""
    value = config.get(setting, default)
    if type(value) not in (int, float) or not 0 < value <= _DAY:
        msg = f"{setting} is a number of seconds above 0 (a day, {_DAY:,}, at most), not {value!r}"
        raise ValueError(msg)
    return float(value)


def first_and_rest(text: str, here: str) -> tuple[str, str]:
    """Splits `gus@rest`: returns the name part of the nodes that are looked for, by default this node's.

    Raises:
        NodeNameInvalid: what stands before the @ cannot be a name.
    """
    first, _, rest = text.rpartition("@")
    first = first or here.partition("@")[0]
    full_name(first, "host")
    return first, rest
