"""Why a value cannot be sent, and where in it the trouble is.  Not here: packing (`seal`).

Packing in C says neither, so a message that failed is walked once more, slowly, from the left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import EncodeError
from pyx.terms import Struct
from pyx.wire.messages import format
from pyx.wire.messages.names import Unsendable, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def refusal(
    value: object,
    what: str,
    cause: Exception,
    reduce: Callable[[Any], list[Any]],
    check_key: Callable[[Any], None],
) -> EncodeError:
    """The error for a value that could not be packed: the first place in it that is no data.

    Args:
        value: the message.
        what: what paths start with.
        cause: what packing said, for the case that the walk finds nothing (another thread changed the value).
        reduce: what the packer asks for values that msgpack lacks.
        check_key: raises Unsendable for such a value where it may not be a key.
    """
    todo: list[_Place] = [_Place(value, what, None)]
    seen: dict[tuple[int, bool], int] = {}
    """By id: how deep a container stood; what stands nowhere deeper need not be walked again."""
    while todo:
        place = todo.pop()
        if place.depth > format.MAX_DEPTH:
            return place.too_deep()
        ident = id(place.value), place.hashed
        if place.is_container and seen.get(ident, 0) >= place.depth:
            continue
        try:
            parts = list(_parts(place, reduce, check_key))
        except Unsendable as why:
            return EncodeError(place.path, place.value, str(why), hint=why.hint)
        if place.is_container:
            seen[ident] = place.depth
        todo.extend(_Place(part, path, place, hashed=hashed) for part, path, hashed in reversed(parts))
    return EncodeError(what, value, f"could not be packed ({type(cause).__name__}: {cause})")


def too_long(what: str, value: object, size: int, most: int) -> EncodeError:
    """The error for a message that takes *size* bytes at least, where *most* can travel."""
    problem = f"is too long: at least {size:,} bytes, at most {most:,} can travel (--max-message)"
    hint = "send it in parts, or the path of a file that holds it"
    return EncodeError(what, type(value), problem, hint=hint)


class _Place:
    """A value inside a message, its path, what it stands in, and whether it is hashed there."""

    __slots__ = ("depth", "hashed", "inside", "is_container", "path", "value")

    def __init__(self, value: Any, path: str, inside: _Place | None, *, hashed: bool = False) -> None:
        self.value = value
        self.path = path
        self.inside = inside
        self.hashed = hashed
        self.is_container = id(type(value)) not in _SCALARS
        self.depth: int = (0 if inside is None else inside.depth) + self.is_container

    def too_deep(self) -> EncodeError:
        way = [self]
        while way[-1].inside is not None:
            way.append(way[-1].inside)
        seen: set[int] = set()
        for place in reversed(way):
            if id(place.value) in seen:
                return place.unshown("contains itself")
            seen.add(id(place.value))
        return way[-1].unshown(f"nests deeper than {format.MAX_DEPTH} containers")

    def unshown(self, problem: str) -> EncodeError:
        """The error with the class in place of the value, whose repr would take as much stack."""
        error = EncodeError(self.path, type(self.value), problem)
        error.value = self.value
        return error


# By id: hashing a class may run code of its metaclass.
_SCALARS: Final = frozenset(map(id, (type(None), bool, int, float, str, bytes)))


def _parts(
    place: _Place, reduce: Callable[[Any], list[Any]], check_key: Callable[[Any], None]
) -> Iterator[tuple[Any, str, bool]]:
    """What stands in a value, where, and whether it is hashed."""
    value, path, hashed = place.value, place.path, place.hashed
    cls = type(value)
    if cls is dict:
        for key, each in value.items():
            yield key, f"a key of {path}", True
            yield each, f"{path}[{shown(key)}]", False
    elif cls is list or cls is tuple:
        for index, each in enumerate(value):
            yield each, f"{path}[{index}]", hashed
    elif cls is set or cls is frozenset:
        for each in value:
            yield each, f"a member of {path}", True
    elif cls is Struct:
        for field, each in value.fields:
            yield field, f"a field name of {path}", hashed
            yield each, f"{path}[{field!r}]", hashed
    elif id(cls) not in _SCALARS:
        if hashed:
            check_key(value)
        head, *parts = reduce(value)
        if head.code in {format.DATACLASS, format.NAMEDTUPLE}:
            _module, _qualname, joined, *values = parts
            for part, field in zip(values, joined.split(","), strict=False):
                yield part, f"{path}.{field}", hashed


def shown(value: object) -> str:
    """A value inside a sentence about it, in 40 characters; of what is no scalar, its class.

    A repr may be user code, and that of an int may be too long for Python.
    """
    is_short = id(type(value)) in _SCALARS and not (type(value) is int and value.bit_length() > 128)
    text = repr(value) if is_short else f"<{type_name(value)}>"
    return text if len(text) <= 40 else text[:37] + "..."
