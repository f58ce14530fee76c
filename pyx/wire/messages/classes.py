"""How an object of a user's class is read and rebuilt without running a line of that class.

A `Plan` is made once a class.  It knows the fields, the C descriptors that hold them, and whether hashing or
comparing an object would run code that somebody wrote.  Properties, `__getattr__`, `__init__`,
`__post_init__`, `__new__`, `__setattr__` and metaclasses are all gone around.  Not here: names and marks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import weakref
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

from pyx.wire.messages import format
from pyx.wire.messages.names import (
    Unsendable,
    class_dict,
    class_mro,
    class_name,
    find,
    module_dict,
    not_found,
)

_class_flags: Final = type.__dict__["__flags__"].__get__
_class_dict_offset: Final = type.__dict__["__dictoffset__"].__get__
_HEAP_TYPE: Final = 1 << 9
_ABSTRACT: Final = 1 << 20

_ALIKE: Final = (int, float, str, bytes, list, dict, set, frozenset)
"""What is data itself, so an object of a subclass, which is not, may print the same."""

_ENUM_CLASSES: Final = frozenset(
    id(cls) for cls in vars(enum).values() if isinstance(cls, type) and issubclass(cls, enum.Enum)
)


class Plan:
    """How objects of one class are read and rebuilt.

    `kind` is DATACLASS, NAMEDTUPLE or ENUM; `joined` the field names joined by commas;
    `is_rebuildable` is false for a class that is abstract or has a `__del__`; `is_callable` says whether its
    objects can be called.
    """

    __slots__ = (
        "_class",
        "_dict",
        "_field_set",
        "_home",
        "_other_slots",
        "_root",
        "_slots",
        "_unhashed",
        "fields",
        "is_callable",
        "is_rebuildable",
        "joined",
        "kind",
        "module",
        "qualname",
    )

    def __init__(self, cls: type) -> None:
        mro = class_mro(cls)
        self._class = weakref.ref(cls)
        self._unhashed: bool | None = None
        self.module, self.qualname = class_name(cls)
        self._dict: GetSetDescriptorType | None = _dict_descriptor(mro)
        self._slots: list[MemberDescriptorType | None] = []
        self.fields: tuple[str, ...] = ()
        if issubclass(type(cls), enum.EnumMeta):
            self.kind = format.ENUM
        elif issubclass(cls, tuple):
            self.kind, self.fields = format.NAMEDTUPLE, _tuple_fields(cls, mro)
        else:
            self.kind, self.fields = format.DATACLASS, _dataclass_fields(cls, mro)
            self._slots = [_slot(mro, field) for field in self.fields]
        self.joined = ",".join(self.fields)
        self._field_set = frozenset(self.fields)
        self._other_slots = [each for each in _all_slots(mro) if each not in self._slots]
        self._root: dict[str, Any] | None = None
        self._home: dict[str, Any] = {}
        self.is_callable = _holder(mro, "__call__") is not None
        # An object with a `__del__` would run code when a half-opened payload is dropped.
        self.is_rebuildable = not _class_flags(cls) & _ABSTRACT and _holder(mro, "__del__") is None

    @property
    def owner(self) -> type | None:
        """The class, while it lives."""
        return self._class()

    def check_arrival(self) -> None:
        """Raises Unsendable where objects of this class would not arrive as such, not even on this node.

        The name is looked up along its whole path once; from then on only where it ends, for a class may be
        defined anew while objects of the old one are still about.
        """
        root = module_dict(self.module)
        if root is None or root is not self._root:
            self._root = root
            above = self.qualname.rpartition(".")[0]
            holder = find(self.module, above) if above else None
            self._home = class_dict(holder) if isinstance(holder, type) else (root or {}) if not above else {}
        if self._home.get(self.qualname.rpartition(".")[2]) is not self._class():
            raise not_found(self.module, self.qualname, "is of a class that travels by name")
        if not self.is_rebuildable:
            problem = "would not arrive as an object: its class has a `__del__`, or is abstract"
            raise Unsendable(problem, "send its values in a dict, or in a dataclass without `__del__`")

    def values(self, obj: Any) -> list[Any]:
        """The values of the fields of a dataclass or namedtuple, in order.

        Raises:
            Unsendable: a field has no value, the tuple has another length than its class says, or there are
                values that are not fields.
        """
        if self.kind == format.NAMEDTUPLE:
            values = list(tuple.__iter__(obj))
            if len(values) != len(self.fields):
                raise Unsendable(f"has {len(values)} items, and its class {len(self.fields)} fields")
            return values
        own = self._dict.__get__(obj) if self._dict is not None else {}
        if not self._field_set.issuperset(own) or (self._other_slots and self._strange_slot(obj) is not None):
            strange = next((name for name in own if name not in self._field_set), self._strange_slot(obj))
            hint = f"declare it as a field: `{strange}: Any = field(init=False)`; or delete it before"
            raise Unsendable(f"has an attribute that is not a field and would be lost ({strange})", hint)
        return [
            _field_value(obj, own, field, slot) for field, slot in zip(self.fields, self._slots, strict=True)
        ]

    def _strange_slot(self, obj: Any) -> str | None:
        """The name of a slot that is not a field and has a value."""
        for slot in self._other_slots:
            with contextlib.suppress(AttributeError):
                slot.__get__(obj)
                return slot.__name__
        return None

    def build(self, values: list[Any]) -> Any:
        """An object with these values, as many as there are fields; None when the class cannot be used."""
        cls = self._class()
        if cls is None:
            return None
        if self.kind == format.NAMEDTUPLE:
            return tuple.__new__(cls, values)
        obj: Any = object.__new__(cls)
        for field, slot, value in zip(self.fields, self._slots, values, strict=True):
            if slot is not None:
                slot.__set__(obj, value)
            elif self._dict is not None:
                self._dict.__get__(obj)[field] = value
        return obj

    @property
    def hash_runs_code(self) -> bool:
        """True when hashing or comparing an object may run code that somebody wrote, or go deep unseen."""
        if self._unhashed is None:
            cls = self._class()
            self._unhashed = cls is None or not _is_hashed_by_python_alone(cls, self.kind)
        return self._unhashed


_plans: dict[int, Plan] = {}
"""By the id of the class: hashing a class may run code of its metaclass."""


def plan_of(cls: type) -> Plan:
    """The plan for a class.

    Raises:
        Unsendable: its objects are not data; says why.
    """
    plan = _plans.get(id(cls))
    if plan is None or plan.owner is not cls:  # an id comes again after its class has gone
        plan = _plans[id(cls)] = Plan(cls)
    return plan


# ---------------------------------------------------------------- enums


def member_name(member: Any) -> str | int:
    """The name of an enum's member, or the number of a combination of flags.

    Raises:
        Unsendable: neither.
    """
    cls = type(member)
    own = _own_dict(member)
    name = own.get("_name_")
    members = class_dict(cls).get("_member_map_")
    if type(name) is str and type(members) is dict and members.get(name) is member:
        return name
    number = own.get("_value_")
    if issubclass(cls, enum.Flag) and type(number) is int:
        return number
    raise Unsendable("is no member of its enum")


def member_named(cls: Any, name: str) -> Any:
    """The member of that name; None if there is none, or *cls* is no enum."""
    members = class_dict(cls).get("_member_map_") if issubclass(type(cls), enum.EnumMeta) else None
    return members.get(name) if type(members) is dict else None


def flags_numbered(cls: Any, number: int) -> Any:
    """The combination of flags with that number; None if *cls* has no such flags.

    Where no code here has combined them yet, the standard library does, if the class leaves it its way.
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


def _is_plain_flag(cls: type) -> bool:
    mro = class_mro(cls)
    own = [class_dict(base) for base in mro if not _is_builtin(base) and id(base) not in _ENUM_CLASSES]
    return (
        type(cls) is enum.EnumMeta
        and _only_from(mro, int, object)
        and any(class_dict(cls).get("_member_type_") is each for each in (int, object))
        and not any(name in names and _is_written(names[name]) for names in own for name in _LEFT_TO_ENUM)
    )


def _is_written(attribute: Any) -> bool:
    # `EnumMeta` copies some of its own methods into every class it makes.
    function = getattr(attribute, "__func__", attribute)
    return not (type(function) is FunctionType and function.__globals__ is vars(enum))


# ---------------------------------------------------------------- reading a class


def _holder(mro: tuple[type, ...], name: str) -> type | None:
    return next((cls for cls in mro if name in class_dict(cls)), None)


def _attribute(mro: tuple[type, ...], name: str) -> Any:
    holder = _holder(mro, name)
    return None if holder is None else class_dict(holder)[name]


def _dict_descriptor(mro: tuple[type, ...]) -> GetSetDescriptorType | None:
    found = (class_dict(cls).get("__dict__") for cls in reversed(mro))
    return next((each for each in found if type(each) is GetSetDescriptorType), None)


def _own_dict(obj: Any) -> dict[str, Any]:
    descriptor = _dict_descriptor(class_mro(type(obj)))
    return {} if descriptor is None else descriptor.__get__(obj)


def _only_from(mro: tuple[type, ...], *builtins: type) -> bool:
    return all(not _is_builtin(cls) or cls in builtins for cls in mro)


def _checked(fields: tuple[str, ...]) -> tuple[str, ...]:
    if not all(type(field) is str and field.isidentifier() for field in fields):
        raise Unsendable("has a field whose name is no identifier")
    return fields


def _tuple_fields(cls: type, mro: tuple[type, ...]) -> tuple[str, ...]:
    fields = _attribute(mro, "_fields")
    if type(fields) is not tuple or not _only_from(mro, tuple, object):
        raise Unsendable("is not data: it is a subclass of tuple")
    if _class_dict_offset(cls):
        raise Unsendable("is not data: attributes beside its fields would be lost (give it `__slots__ = ()`)")
    return _checked(fields)


def _dataclass_fields(cls: type, mro: tuple[type, ...]) -> tuple[str, ...]:
    declared = class_dict(cls).get("__dataclass_fields__")
    if type(declared) is not dict:
        if _holder(mro, "__dataclass_fields__") is not None:
            raise Unsendable("is not data: it is a subclass of a dataclass, and none itself")
        base = next((each.__name__ for each in _ALIKE if issubclass(cls, each)), None)
        if base is not None:
            raise Unsendable(f"is not data: its class is a subclass of {base}")
        raise Unsendable("is not data")
    if not _only_from(mro, object):
        raise Unsendable("is not data: its class is built on a builtin one")
    return _checked(tuple(field.name for field in _fields(declared)))


def _fields(declared: dict[str, Any]) -> tuple[dataclasses.Field[Any], ...]:
    # `dataclasses.fields` asks its argument with getattr, so it gets one that is nobody's.
    stand_in = type("stand_in", (), {"__dataclass_fields__": declared})
    return dataclasses.fields(stand_in)


def _slot(mro: tuple[type, ...], field: str) -> MemberDescriptorType | None:
    """The slot of a field, or None if it stands in the object's dict."""
    attribute = _attribute(mro, field)
    if type(attribute) is MemberDescriptorType:
        return attribute
    if _holder(class_mro(type(attribute)), "__set__") is not None:
        raise Unsendable(f"has a field that is computed ({field})")
    return None


def _all_slots(mro: tuple[type, ...]) -> list[MemberDescriptorType]:
    """The slots of a class and its bases, those included that have the name of another."""
    every = (each for cls in mro if not _is_builtin(cls) for each in class_dict(cls).values())
    return [each for each in every if type(each) is MemberDescriptorType]


def _field_value(obj: Any, own: dict[str, Any], field: str, slot: MemberDescriptorType | None) -> Any:
    try:
        if slot is not None:
            return slot.__get__(obj)
        if field in own:
            return own[field]
    except AttributeError:
        pass
    else:
        # A default that no instance has overwritten (`field(default=0, init=False)`) stands in the class.
        mro = class_mro(type(obj))
        default = _attribute(mro, field)
        if _holder(mro, field) is not None and _holder(class_mro(type(default)), "__get__") is None:
            return default
    raise Unsendable(f"has no value in its field {field}")


# ---------------------------------------------------------------- hashing


def class_hash_runs_code(cls: type) -> bool:
    """True when hashing or comparing the class itself may run code of its metaclass."""
    mro = class_mro(type(cls))
    return not all(_is_builtin(_holder(mro, name)) for name in ("__hash__", "__eq__"))


def _is_hashed_by_python_alone(cls: type, kind: int) -> bool:
    mro = class_mro(cls)
    if not _is_builtin(_holder(mro, "__getattribute__")) or not _is_builtin(_holder(mro, "__class__")):
        return False
    return all(
        _is_builtin(holder)
        or (kind == format.ENUM and id(holder) in _ENUM_CLASSES)
        or (kind == format.DATACLASS and holder is not None and _is_written_by_dataclasses(holder))
        for holder in (_holder(mro, "__hash__"), _holder(mro, "__eq__"))
    )


def _is_builtin(cls: Any) -> bool:
    return not _class_flags(cls) & _HEAP_TYPE


def _is_written_by_dataclasses(cls: type) -> bool:
    """True when `dataclasses` wrote this class's `__eq__` and `__hash__`, over the same fields."""
    names = class_dict(cls)
    declared = names.get("__dataclass_fields__")
    if type(declared) is not dict:
        return False
    fields = _fields(declared)
    # A field that is compared and not hashed may hold a list, and comparing goes down into it unseen.
    if any(field.hash is not None and field.hash is not field.compare for field in fields):
        return False
    model = dataclasses.make_dataclass(
        "model",
        [(each.name, object, dataclasses.field(hash=each.hash, compare=each.compare)) for each in fields],
        frozen=True,
    )
    return all(_same(names.get(name), class_dict(model)[name]) for name in ("__hash__", "__eq__"))


def _same(function: Any, model: Any) -> bool:
    if function is None:
        return True  # `__hash__ = None`: Python refuses to hash it
    if type(function) is not FunctionType:
        return False
    code, wanted = function.__code__, model.__code__
    return (
        all(getattr(code, each) == getattr(wanted, each) for each in ("co_code", "co_names", "co_consts"))
        and not {"hash", "NotImplemented"} & function.__globals__.keys()
    )
