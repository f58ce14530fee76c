"""Whether hashing or comparing an object of a class would run user code.

Keys of dicts and members of sets are hashed, and compared where hashes agree, while a payload is decoded.
"""

from __future__ import annotations

import dataclasses
from types import FunctionType
from typing import Any

from pyx.introspection import class_dict, class_mro, definer, is_builtin
from pyx.wire.messages import format
from pyx.wire.messages.enums import is_stdlib_enum


def class_hash_runs_code(cls: type) -> bool:
    """True if hashing or comparing the class itself may run code of its metaclass."""
    mro = class_mro(type(cls))
    return not all(is_builtin(definer(mro, name)) for name in ("__hash__", "__eq__"))


def instance_hash_runs_code(cls: type, kind: int) -> bool:
    """True if hashing or comparing objects of the class may run user code, or recurse deeper than is checked.

    Args:
        cls: the class.
        kind: how its objects travel: DATACLASS, NAMEDTUPLE or ENUM of `format`.
    """
    mro = class_mro(cls)
    if not is_builtin(definer(mro, "__getattribute__")) or not is_builtin(definer(mro, "__class__")):
        return True
    return not all(
        is_builtin(found)
        or (kind == format.ENUM and is_stdlib_enum(found))
        or (kind == format.DATACLASS and found is not None and _is_generated_by_dataclasses(found))
        for found in (definer(mro, "__hash__"), definer(mro, "__eq__"))
    )


def fields_of(declared: dict[str, Any]) -> tuple[dataclasses.Field[Any], ...]:
    """Returns the fields in a `__dataclass_fields__`, pseudo-fields (`ClassVar`, `InitVar`) left out."""
    # `dataclasses.fields` asks its argument with getattr, so it is asked about a class made here.
    stand_in = type("stand_in", (), {"__dataclass_fields__": declared})
    return dataclasses.fields(stand_in)


def _is_generated_by_dataclasses(cls: type) -> bool:
    """True if `dataclasses` generated this class's `__eq__` and `__hash__`, over the same fields."""
    names = class_dict(cls)
    declared = names.get("__dataclass_fields__")
    if type(declared) is not dict:
        return False
    fields = fields_of(declared)
    # A field that is compared and not hashed may hold a list, and comparing recurses into it unchecked.
    if any(field.hash is not None and field.hash is not field.compare for field in fields):
        return False
    model = dataclasses.make_dataclass(
        "model",
        [(each.name, object, dataclasses.field(hash=each.hash, compare=each.compare)) for each in fields],
        frozen=True,
    )
    return all(_same_code(names.get(name), class_dict(model)[name]) for name in ("__hash__", "__eq__"))


def _same_code(function: Any, model: Any) -> bool:
    if function is None:
        return True  # `__hash__ = None`: Python refuses to hash it
    if type(function) is not FunctionType:
        return False
    code, wanted = function.__code__, model.__code__
    return (
        all(getattr(code, each) == getattr(wanted, each) for each in ("co_code", "co_names", "co_consts"))
        and not {"hash", "NotImplemented"} & function.__globals__.keys()
    )
