"""Which classes of Python stand for which structs of Elixir; `pyx.beam.struct` enters them."""

from __future__ import annotations

from pyx.wire.messages import format
from pyx.wire.messages.classes import layout_of
from pyx.wire.messages.names import Unsendable

_classes: dict[str, type] = {}
_names: dict[int, tuple[type, str]] = {}
"""By the id of the class: hashing a class may run code of its metaclass."""


def name_class(cls: type, name: str) -> None:
    """Enters the struct's name for a class; a later class takes the name from an earlier one.

    Raises:
        TypeError: objects of the class are not data.
    """
    try:
        layout = layout_of(cls)
        problem = "is an enum" if layout.kind == format.ENUM else None
    except Unsendable as why:
        problem = str(why)
    if problem is not None:
        msg = f"an object of {cls.__qualname__} {problem}: a struct is a dataclass or a namedtuple"
        raise TypeError(msg)
    before = _classes.get(name)
    if before is not None:
        _names.pop(id(before), None)
    _classes[name] = cls
    _names[id(cls)] = cls, name


def class_named(name: str) -> type | None:
    """Returns the class for a struct of that name, if there is one."""
    return _classes.get(name)


def name_for(cls: type) -> str | None:
    """Returns the struct's name for a class, if there is one."""
    entry = _names.get(id(cls))
    return entry[1] if entry is not None else None
