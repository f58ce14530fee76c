"""The error for a message that cannot be encoded: its first part that is not data, the path, the reason.

The C packer reports neither path nor reason, so a message that failed is walked once more, slowly, from the
left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.errors import EncodeError
from pyx.printable import is_scalar_class, short_repr
from pyx.terms import Struct
from pyx.wire.messages import format
from pyx.wire.messages.names import Unsendable
from pyx.wire.messages.reduce import reduce_object
from pyx.wire.messages.safe_keys import check_key

if TYPE_CHECKING:
    from collections.abc import Iterator


def encode_error(value: object, what: str, cause: Exception) -> EncodeError:
    """Returns the error for a message that could not be packed.

    Args:
        value: the message.
        what: the first word of the path.
        cause: the packer's exception, reported if the walk finds nothing (another thread changed the value).
    """
    todo: list[_Place] = [_Place(value, what, None)]
    seen: dict[tuple[int, bool], int] = {}
    """By (id, hashed): the depth at which a container was walked; it is walked again only if found deeper."""
    while todo:
        place = todo.pop()
        if place.depth > format.MAX_DEPTH:
            return place.too_deep()
        ident = id(place.value), place.hashed
        if place.is_container and seen.get(ident, 0) >= place.depth:
            continue
        try:
            parts = list(_parts(place))
        except Unsendable as why:
            return EncodeError(place.path, place.value, str(why), hint=why.hint)
        if place.is_container:
            seen[ident] = place.depth
        todo.extend(_Place(part, path, place, hashed=hashed) for part, path, hashed in reversed(parts))
    return EncodeError(what, value, f"could not be packed ({type(cause).__name__}: {cause})")


def too_long_error(what: str, value: object, size: int, most: int) -> EncodeError:
    """Returns the error for a message of at least *size* bytes, where *most* are allowed."""
    problem = f"is too long: at least {size:,} bytes, at most {most:,} are allowed (--max-message)"
    hint = "send it in parts, or the path of a file that holds it"
    return EncodeError(what, type(value), problem, hint=hint)


class _Place:
    """A value inside a message, its path, the place of its container, and whether it is hashed there."""

    __slots__ = ("depth", "hashed", "is_container", "outer", "path", "value")

    def __init__(self, value: Any, path: str, outer: _Place | None, *, hashed: bool = False) -> None:
        self.value = value
        self.path = path
        self.outer = outer
        self.hashed = hashed
        self.is_container = not is_scalar_class(type(value))
        self.depth: int = (0 if outer is None else outer.depth) + self.is_container

    def too_deep(self) -> EncodeError:
        """The error for a place below `MAX_DEPTH`: a cycle, if a value contains itself on the way to it."""
        way = [self]
        while way[-1].outer is not None:
            way.append(way[-1].outer)
        seen: set[int] = set()
        for place in reversed(way):
            if id(place.value) in seen:
                return place.error_without_repr("contains itself")
            seen.add(id(place.value))
        return way[-1].error_without_repr(f"nests deeper than {format.MAX_DEPTH} containers")

    def error_without_repr(self, problem: str) -> EncodeError:
        """The error with the class in place of the value, whose repr would overflow the stack as well."""
        error = EncodeError(self.path, type(self.value), problem)
        error.value = self.value
        return error


def _parts(place: _Place) -> Iterator[tuple[Any, str, bool]]:
    """The parts of a value: (part, its path, whether it is hashed)."""
    value, path, hashed = place.value, place.path, place.hashed
    cls = type(value)
    if cls is dict:
        for key, each in value.items():
            yield key, f"a key of {path}", True
            yield each, f"{path}[{short_repr(key)}]", False
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
    elif not is_scalar_class(cls):
        if hashed:
            check_key(value)
        head, *parts = reduce_object(value)
        if head.code in {format.DATACLASS, format.NAMEDTUPLE}:
            _module, _qualname, joined, *values = parts
            for part, field in zip(values, joined.split(","), strict=False):
                yield part, f"{path}.{field}", hashed
        elif head.code == format.IMPROPER_LIST:
            for index, part in enumerate(parts[1:]):
                yield part, f"{path}.items[{index}]", hashed
            yield parts[0], f"{path}.tail", hashed
        elif head.code == format.MAP:
            for key, part in zip(parts[::2], parts[1::2], strict=True):
                yield key, f"a key of {path}", hashed
                yield part, f"{path}[{short_repr(key)}]", hashed
