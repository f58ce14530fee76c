"""What stands for a value of which only a part is known: its class, or that its first parameter is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from types import FunctionType

UNKNOWN: Final = object()
"""Stands for a value of which nothing is known."""


class InstanceOf(NamedTuple):
    """Stands for a value of which only the class is known."""

    kind: type


class BoundFunction(NamedTuple):
    """Stands for a function read from an instance, or a class method: its first parameter is given."""

    function: FunctionType


def class_of(value: object) -> type:
    """Returns the class of a known value."""
    return value.kind if type(value) is InstanceOf else type(value)
