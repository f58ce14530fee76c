"""Values that few messages hold, written as terms: references, structs, objects, functions."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from struct import Struct as Layout
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Port
from pyx.errors import DecodeError
from pyx.introspection import is_class
from pyx.printable import short_repr
from pyx.terms import FunctionName, Pid, Raised, Ref, Struct
from pyx.wire.beam import elixir_structs as elixir
from pyx.wire.beam import etf_tags as tags
from pyx.wire.beam.atom_bytes import atom_bytes
from pyx.wire.beam.named_structs import name_for
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.messages import enums, format
from pyx.wire.messages.classes import layout_of
from pyx.wire.messages.hints import hint
from pyx.wire.messages.names import Unsendable, class_name, is_function, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyx.terms import Incarnation

_TAG_U16: Final = Layout(">BH").pack
_TAG_U32: Final = Layout(">BI").pack
_PORT_NUMBERS: Final = Layout(">QI").pack
_U32: Final = Layout(">I").pack

TermLevel: TypeAlias = "tuple[Iterator[Any], Any, Sequence[Any], str, bytes]"
"""A container being written: the items still to write, itself, all its items, what these are to it (for
the path of an error), and what is written behind them.  A class would take longer
[measured: a third of a small message's time]."""

OUT_OF_RANGE: Final = "cannot be an address: its numbers are too large, or below 0"


def write_rare(value: Any, out: bytearray, here: Incarnation | None) -> TermLevel | None:
    """Writes a value; returns its level if it has items, which are to be written next.

    Raises:
        Unsendable: Erlang has nothing like the value.
    """
    cls = type(value)
    # Only a class whose metaclass is `type`: hashing another may run code of its metaclass.
    if type(cls) is type and (write := _WRITERS.get(cls)) is not None:
        return write(value, out, here)
    if is_function(value) or is_class(value):
        _write_function_of_python(value, out)
        return None
    if issubclass(cls, BaseException):
        return _opened(value, elixir.raised_fields(_raised(value, cls)), out)
    try:
        layout = layout_of(cls)
    except Unsendable as why:
        why.hint = why.hint or hint(value)
        raise
    if layout.kind == format.ENUM:
        name = enums.member_name(value)
        if type(name) is not str:
            raise Unsendable("is a combination of flags, and Elixir has none", "send x.value")
        out += _named_atom(name)
        return None
    struct = name_for(cls)
    name = f"{layout.module}.{layout.qualname}" if struct is None else struct
    return _opened(value, _struct_items(name, layout.fields, layout.values(value)), out)


def incarnation_of(value: Pid | Ref, here: Incarnation | None) -> tuple[str, int]:
    """Returns name and creation of the node of a pid or reference; raises Unsendable if it has none."""
    if value.node:
        return value.node, value.creation
    if here is None:
        raise Unsendable("belongs to this node, which has no name")
    return here


def _opened(source: Any, items: Sequence[Any], out: bytearray) -> TermLevel:
    """Begins the map of a struct, or of an object, of these keys and values."""
    out += _TAG_U32(tags.MAP, len(items) // 2)
    return iter(items), source, items, "field", b""


def _struct_items(name: str, fields: Sequence[str], values: Sequence[Any]) -> list[Any]:
    items: list[Any] = [Atom("__struct__"), _name(elixir.struct_atom(name))]
    if len({"__struct__", *fields}) != len(fields) + 1:
        raise Unsendable("has two fields of one name")
    for field, value in zip(fields, values, strict=True):
        items += (_name(field), value)
    return items


def _name(text: str) -> Atom:
    try:
        return Atom(text)
    except (TypeError, ValueError):
        raise Unsendable(f"has a name that cannot be an atom ({short_repr(text)})") from None


def _named_atom(text: str) -> bytes:
    return atom_bytes(_name(text))


def _write_ref(value: Ref, out: bytearray, here: Incarnation | None) -> None:
    out += ref_bytes(value, here)


def ref_bytes(value: Ref, here: Incarnation | None) -> bytes:
    """Returns the term of a reference; raises Unsendable if Erlang cannot read such a number."""
    number = value.number
    if number < 0 or number >> 160:
        raise Unsendable(OUT_OF_RANGE)
    name, creation = incarnation_of(value, here)
    words = 3 if not number >> 96 else tags.MOST_WORDS
    low_first, big_endian = tags.WORDS[words]
    numbers = low_first.unpack(number.to_bytes(4 * words, "little"))
    head = _TAG_U16(tags.NEWER_REFERENCE, words) + atom_bytes(name) + _U32(creation)
    return head + big_endian.pack(*numbers)


def _write_port(value: Port, out: bytearray, _: Incarnation | None) -> None:
    out.append(tags.V4_PORT)
    out += _named_atom(value.node)
    out += _PORT_NUMBERS(value.number, value.creation)


def _write_bit_string(value: BitString, out: bytearray, _: Incarnation | None) -> None:
    out += _TAG_U32(tags.BIT_BINARY, len(value.data))
    out.append(value.bits)
    out += value.data


def _write_bytes_like(value: Any, out: bytearray, _: Incarnation | None) -> None:
    data = bytes(value)
    out += _TAG_U32(tags.BINARY, len(data))
    out += data


def _write_uuid(value: UUID, out: bytearray, here: Incarnation | None) -> None:
    _write_bytes_like(str(value).encode(), out, here)


def _write_function_name(value: FunctionName, out: bytearray, _: Incarnation | None) -> None:
    if value.arity is None:
        problem = "has no number of arguments, and a function of Erlang has one"
        raise Unsendable(problem, f"send FunctionName({value.module!r}, {value.name!r}, 1)")
    _write_export(value.module, value.name, value.arity, out)


def _write_function_of_python(value: Any, out: bytearray) -> None:
    module, name = name_of(value)
    if type(value) is not FunctionType:
        raise Unsendable("has no number of arguments, and a function of Erlang has one", "send it in a `def`")
    _write_export(module, name, value.__code__.co_argcount, out)


def _write_export(module: str, name: str, arity: int, out: bytearray) -> None:
    if not 0 <= arity <= 255:
        raise Unsendable("has more than 255 arguments, or fewer than none")
    out.append(tags.EXPORT)
    out += _named_atom(module)
    out += _named_atom(name)
    out += bytes((tags.SMALL_INTEGER, arity))


def _write_beam_function(value: BeamFunction, out: bytearray, here: Incarnation | None) -> None:
    try:
        found, end = decode_term(value.data, 0, (), here)
    except DecodeError:
        found, end = None, 0
    if type(found) is not BeamFunction or end != len(value.data):
        raise Unsendable("is not a function as an Erlang node made it")
    out += value.data


def _open_improper_list(value: ImproperList, out: bytearray, _: Incarnation | None) -> TermLevel:
    out += _TAG_U32(tags.LIST, len(value.items))
    items = (*value.items, value.tail)
    return iter(items), value, items, "improper", b""


def _open_set(value: set[Any] | frozenset[Any], out: bytearray, _: Incarnation | None) -> TermLevel:
    return _opened(value, elixir.set_fields({member: [] for member in value}), out)


def _open_struct(value: Struct, out: bytearray, _: Incarnation | None) -> TermLevel:
    names = [name for name, _ in value.fields]
    return _opened(value, _struct_items(value.name, names, [each for _, each in value.fields]), out)


def _open_raised(value: Raised, out: bytearray, _: Incarnation | None) -> TermLevel:
    return _opened(value, elixir.raised_fields(value), out)


def _raised(value: BaseException, cls: type) -> Raised:
    module, qualname = class_name(cls)
    try:
        text = str(value)
    except Exception:  # its `__str__` is user code
        text = ""
    return Raised(qualname if module == "builtins" else f"{module}.{qualname}", text)


def _as_struct(
    fields: Callable[[Any], list[Any]],
) -> Callable[[Any, bytearray, Incarnation | None], TermLevel]:
    return lambda value, out, _: _opened(value, fields(value), out)


_WRITERS: Final[dict[type, Callable[[Any, bytearray, Incarnation | None], TermLevel | None]]] = {
    Ref: _write_ref,
    ImproperList: _open_improper_list,
    Struct: _open_struct,
    Raised: _open_raised,
    set: _open_set,
    frozenset: _open_set,
    date: _as_struct(elixir.date_fields),
    time: _as_struct(elixir.time_fields),
    datetime: _as_struct(elixir.datetime_fields),
    Decimal: _as_struct(elixir.decimal_fields),
    range: _as_struct(elixir.range_fields),
    UUID: _write_uuid,
    BitString: _write_bit_string,
    Port: _write_port,
    FunctionName: _write_function_name,
    BeamFunction: _write_beam_function,
    bytearray: _write_bytes_like,
    memoryview: _write_bytes_like,
}
"""By class: a function that writes a value, or its tag, and returns its items."""
