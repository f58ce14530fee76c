"""Objects of user classes, read into field values and rebuilt from them without running the class's code.

A `ClassLayout` is made once per class: its fields and the C descriptors that hold them.  Properties,
`__getattr__`, `__init__`, `__post_init__`, `__new__`, `__setattr__` and metaclasses are all bypassed.
"""

from __future__ import annotations

import contextlib
import enum
import weakref
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

from pyx.introspection import (
    class_attribute,
    class_dict,
    class_dict_offset,
    class_flags,
    class_mro,
    definer,
    find_loaded,
    instance_dict_descriptor,
    is_built_only_on,
    is_builtin,
    module_dict,
)
from pyx.wire.messages import format
from pyx.wire.messages.hash_safety import fields_of, instance_hash_runs_code
from pyx.wire.messages.names import Unsendable, class_name, not_found

_ABSTRACT: Final = 1 << 20

_DATA_CLASSES: Final = (int, float, str, bytes, list, dict, set, frozenset)
"""Classes whose own objects are data, so the error names them where an object of a subclass is refused."""


class ClassLayout:
    """The fields of one class, and how objects of it are read and rebuilt.

    `kind` is DATACLASS, NAMEDTUPLE or ENUM; `joined` the field names joined by commas;
    `is_rebuildable` is false for a class that is abstract or has a `__del__`; `is_callable` tells whether
    its objects can be called.

    Raises:
        Unsendable: objects of the class are not data.
    """

    __slots__ = (
        "_class",
        "_dict",
        "_field_set",
        "_hash_runs_code",
        "_names_around",
        "_other_slots",
        "_root",
        "_slots",
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
        self._hash_runs_code: bool | None = None
        self.module, self.qualname = class_name(cls)
        self._dict: GetSetDescriptorType | None = instance_dict_descriptor(mro)
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
        self._names_around: dict[str, Any] = {}
        self.is_callable = definer(mro, "__call__") is not None
        # An object with a `__del__` would run code when a half-decoded payload is dropped.
        self.is_rebuildable = not class_flags(cls) & _ABSTRACT and definer(mro, "__del__") is None

    @property
    def owner(self) -> type | None:
        """The class; None once it was garbage-collected."""
        return self._class()

    def check_arrival(self) -> None:
        """Raises Unsendable if objects of this class would not arrive as such, not even on this node.

        The qualified name is looked up along its whole path once; from then on only its last part, because a
        class may be defined anew while objects of the old one still exist.
        """
        root = module_dict(self.module)
        if root is None or root is not self._root:
            self._root = root
            above = self.qualname.rpartition(".")[0]
            outer = find_loaded(self.module, above) if above else None
            inside_class = class_dict(outer) if isinstance(outer, type) else {}
            self._names_around = inside_class if above else root or {}
        if self._names_around.get(self.qualname.rpartition(".")[2]) is not self._class():
            raise not_found(self.module, self.qualname, "is of a class that travels by name")
        if not self.is_rebuildable:
            problem = "would not arrive as an object: its class has a `__del__`, or is abstract"
            raise Unsendable(problem, "send its values in a dict, or in a dataclass without `__del__`")

    def values(self, obj: Any) -> list[Any]:
        """Returns the values of the fields of a dataclass or namedtuple, in order.

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
        if not self._field_set.issuperset(own) or (self._other_slots and self._filled_slot(obj) is not None):
            extra = next((name for name in own if name not in self._field_set), self._filled_slot(obj))
            hint = f"declare it as a field: `{extra}: Any = field(init=False)`; or delete it before"
            raise Unsendable(f"has an attribute that is not a field and would be lost ({extra})", hint)
        return [
            _field_value(obj, own, field, slot) for field, slot in zip(self.fields, self._slots, strict=True)
        ]

    def _filled_slot(self, obj: Any) -> str | None:
        """Returns the name of a slot that is not a field and has a value."""
        for slot in self._other_slots:
            with contextlib.suppress(AttributeError):
                slot.__get__(obj)
                return slot.__name__
        return None

    def build(self, values: list[Any]) -> Any:
        """An object with these values, one for each field; None once the class was garbage-collected."""
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
        """True if hashing or comparing an object may run user code, or recurse deeper than is checked."""
        if self._hash_runs_code is None:
            cls = self._class()
            self._hash_runs_code = cls is None or instance_hash_runs_code(cls, self.kind)
        return self._hash_runs_code


_layouts: dict[int, ClassLayout] = {}
"""By the id of the class: hashing a class may run code of its metaclass."""


def layout_of(cls: type) -> ClassLayout:
    """Returns the layout of a class.

    Raises:
        Unsendable: its objects are not data; the reason.
    """
    layout = _layouts.get(id(cls))
    if layout is None or layout.owner is not cls:  # an id is used again after its class has gone
        layout = _layouts[id(cls)] = ClassLayout(cls)
    return layout


# ---------------------------------------------------------------- fields


def _checked(fields: tuple[str, ...]) -> tuple[str, ...]:
    if not all(type(field) is str and field.isidentifier() for field in fields):
        raise Unsendable("has a field whose name is not an identifier")
    return fields


def _tuple_fields(cls: type, mro: tuple[type, ...]) -> tuple[str, ...]:
    fields = class_attribute(mro, "_fields")
    if type(fields) is not tuple or not is_built_only_on(mro, tuple, object):
        raise Unsendable("is not data: it is a subclass of tuple")
    if class_dict_offset(cls):
        raise Unsendable("is not data: attributes beside its fields would be lost (give it `__slots__ = ()`)")
    return _checked(fields)


def _dataclass_fields(cls: type, mro: tuple[type, ...]) -> tuple[str, ...]:
    declared = class_dict(cls).get("__dataclass_fields__")
    if type(declared) is not dict:
        if definer(mro, "__dataclass_fields__") is not None:
            raise Unsendable("is not data: its class is a subclass of a dataclass, but not a dataclass")
        base = next((each.__name__ for each in _DATA_CLASSES if issubclass(cls, each)), None)
        if base is not None:
            raise Unsendable(f"is not data: its class is a subclass of {base}")
        raise Unsendable("is not data")
    if not is_built_only_on(mro, object):
        raise Unsendable("is not data: its class is a subclass of a builtin one")
    return _checked(tuple(field.name for field in fields_of(declared)))


def _slot(mro: tuple[type, ...], field: str) -> MemberDescriptorType | None:
    """Returns the slot of a field, or None if its value is kept in the object's `__dict__`."""
    attribute = class_attribute(mro, field)
    if type(attribute) is MemberDescriptorType:
        return attribute
    if definer(class_mro(type(attribute)), "__set__") is not None:
        raise Unsendable(f"has a field that is computed ({field})")
    return None


def _all_slots(mro: tuple[type, ...]) -> list[MemberDescriptorType]:
    """Returns the slots of a class and its bases, those hidden by another of the same name included."""
    every = (each for cls in mro if not is_builtin(cls) for each in class_dict(cls).values())
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
        # A default that no instance has overwritten (`field(default=0, init=False)`) is kept in the class.
        mro = class_mro(type(obj))
        default = class_attribute(mro, field)
        if definer(mro, field) is not None and definer(class_mro(type(default)), "__get__") is None:
            return default
    raise Unsendable(f"has no value in its field {field}")
