"""Why a value cannot be sent, and where in it the trouble is.  Not here: packing (`seal`).

Packing in C says neither, so a message that failed is walked once more, slowly, from the left.
"""

from __future__ import annotations

from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import EncodeError
from pyx.terms import Struct
from pyx.wire import marks
from pyx.wire.names import Unsendable, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def refusal(value: object, what: str, cause: Exception, reduce: Callable[[Any], list[Any]]) -> EncodeError:
    """The error for a value that could not be packed: the first place in it that is no data.

    Args:
        value: the message.
        what: what paths start with.
        cause: what packing said, for the case that the walk finds nothing (another thread changed the value).
        reduce: what the packer asks for values that msgpack lacks.
    """
    todo: list[_Place] = [_Place(value, what, None)]
    while todo:
        place = todo.pop()
        if place.depth > marks.MAX_DEPTH:
            return place.too_deep()
        try:
            parts = list(_parts(place, reduce))
        except Unsendable as why:
            return EncodeError(place.path, place.value, str(why), hint=_hint(type(place.value)))
        todo.extend(_Place(part, path, place) for part, path in reversed(parts))
    return EncodeError(what, value, f"could not be packed ({type(cause).__name__}: {cause})")


def _hint(cls: type) -> str | None:
    """What to send in place of a value of this class, where that is known."""
    if issubclass(cls, AsyncGeneratorType):
        return "send a list of what it yields: [item async for item in ...]"
    if "__next__" in {name for base in cls.__mro__ for name in vars(base)}:  # its class's code is not run
        return "send a list of what it yields: list(...)"
    return None


class _Place:
    """A value inside a message, its path, and what it stands in."""

    __slots__ = ("depth", "inside", "path", "value")

    def __init__(self, value: Any, path: str, inside: _Place | None) -> None:
        self.value = value
        self.path = path
        self.inside = inside
        is_scalar = id(type(value)) in _SCALARS
        self.depth: int = (0 if inside is None else inside.depth) + (not is_scalar)

    def too_deep(self) -> EncodeError:
        way = [self]
        while way[-1].inside is not None:
            way.append(way[-1].inside)
        seen: set[int] = set()
        for place in reversed(way):
            if id(place.value) in seen:
                return EncodeError(place.path, place.value, "contains itself")
            seen.add(id(place.value))
        return EncodeError(way[-1].path, way[-1].value, f"nests deeper than {marks.MAX_DEPTH} containers")


# By id: hashing a class may run code of its metaclass.
_SCALARS: Final = frozenset(map(id, (type(None), bool, int, float, str, bytes, bytearray, memoryview)))


def _parts(place: _Place, reduce: Callable[[Any], list[Any]]) -> Iterator[tuple[Any, str]]:
    value, path = place.value, place.path
    cls = type(value)
    if cls is memoryview:
        if not value.contiguous:
            raise Unsendable("is not contiguous: send bytes(view)")
    elif cls is dict:
        for key, each in value.items():
            yield key, f"a key of {path}"
            yield each, f"{path}[{shown(key)}]"
    elif cls is list or cls is tuple:
        for index, each in enumerate(value):
            yield each, f"{path}[{index}]"
    elif cls is set or cls is frozenset:
        for each in value:
            yield each, f"a member of {path}"
    elif cls is Struct:
        for field, each in value.fields:
            yield field, f"a field name of {path}"
            yield each, f"{path}[{field!r}]"
    elif id(cls) not in _SCALARS:
        head, *parts = reduce(value)
        if head.code in {marks.DATACLASS, marks.NAMEDTUPLE}:
            _module, _qualname, joined, *values = parts
            yield from zip(values, (f"{path}.{field}" for field in joined.split(",")), strict=False)


def shown(value: object) -> str:
    """A value inside a sentence about it, in 40 characters; of what is no scalar, its class.

    A repr may be user code, and that of an int may be too long for Python.
    """
    is_short = id(type(value)) in _SCALARS and not (type(value) is int and value.bit_length() > 128)
    text = repr(value) if is_short else f"<{type_name(value)}>"
    return text if len(text) <= 40 else text[:37] + "..."
