"""What stands for a value of which only a part is known: its class, or that its first parameter is given."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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


def function_of_helper(value: object) -> object | None:
    """Returns the function that a helper of the prompt calls; None for any other value."""
    helpers: Any = sys.modules.get("pyx.shell.helpers")
    helper: Any = value
    return helper.__wrapped__ if helpers is not None and type(value) is helpers.Helper else None


def class_of(value: object) -> type:
    """Returns the class of a known value."""
    return value.kind if type(value) is InstanceOf else type(value)
