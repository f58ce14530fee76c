"""Members of enums and flags by name and by number, without running code of the enum's class."""

from __future__ import annotations

import enum
from types import FunctionType
from typing import Any, Final

from pyx.introspection import class_dict, class_mro, instance_dict_descriptor, is_built_only_on, is_builtin
from pyx.wire.messages.names import Unsendable

_STDLIB_ENUMS: Final = frozenset(
    id(cls) for cls in vars(enum).values() if isinstance(cls, type) and issubclass(cls, enum.Enum)
)


def is_stdlib_enum(cls: Any) -> bool:
    """True for `Enum`, `Flag`, `StrEnum` and the other base classes in the module `enum`."""
    return id(cls) in _STDLIB_ENUMS


def member_name(member: Any) -> str | int:
    """Returns the name of an enum's member, or the number of a combination of flags.

    Raises:
        Unsendable: *member* is neither.
    """
    cls = type(member)
    descriptor = instance_dict_descriptor(class_mro(cls))
    own: dict[str, Any] = {} if descriptor is None else descriptor.__get__(member)
    name = own.get("_name_")
    members = class_dict(cls).get("_member_map_")
    if type(name) is str and type(members) is dict and members.get(name) is member:
        return name
    number = own.get("_value_")
    if issubclass(cls, enum.Flag) and type(number) is int:
        return number
    raise Unsendable("is not a member of its enum")


def member_named(cls: Any, name: str) -> Any:
    """Returns the member of that name; None if there is none, or *cls* is not an enum."""
    members = class_dict(cls).get("_member_map_") if issubclass(type(cls), enum.EnumMeta) else None
    return members.get(name) if type(members) is dict else None


def flags_numbered(cls: Any, number: int) -> Any:
    """Returns the combination of flags with that number; None if *cls* has no such flags.

    A combination that no code here has made yet is made by the standard library, if the class does not
    override how.
    """
    if not issubclass(type(cls), enum.EnumMeta) or not issubclass(cls, enum.Flag):
        return None
    known = class_dict(cls).get("_value2member_map_")
    if type(known) is not dict:
        return None
    member: Any = known.get(number)
    if member is None and _is_plain_flag(cls):
        try:
            member = enum.Flag._missing_.__func__(cls, number)  # type: ignore[attr-defined]
        except ValueError:
            return None
    # Python 3.11.2 leaves out bits that no flag has, where 3.11.7 refuses the number.
    return member if type(member) is cls and member._value_ == number else None


_LEFT_TO_ENUM: Final = (
    "__getattribute__", "__getattr__", "__setattr__", "__init__", "_missing_", "_iter_member_",
    "_iter_member_by_value_", "_numeric_repr_", "_generate_next_value_", "__or__", "__hash__", "__eq__",
    "__del__",
)  # fmt: skip
"""Methods that run while `Flag` makes a combination: a class that overrides one is not a plain flag."""


def _is_plain_flag(cls: type) -> bool:
    mro = class_mro(cls)
    overrides = [class_dict(base) for base in mro if not is_builtin(base) and not is_stdlib_enum(base)]
    return (
        type(cls) is enum.EnumMeta
        and is_built_only_on(mro, int, object)
        and any(class_dict(cls).get("_member_type_") is each for each in (int, object))
        and not any(
            name in names and _is_user_code(names[name]) for names in overrides for name in _LEFT_TO_ENUM
        )
    )


def _is_user_code(attribute: Any) -> bool:
    # `EnumMeta` copies some of its own methods into every class it makes.
    function = getattr(attribute, "__func__", attribute)
    return not (type(function) is FunctionType and function.__globals__ is vars(enum))
