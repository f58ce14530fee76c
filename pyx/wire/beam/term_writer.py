"""Values to Erlang's external term format: the messages for Erlang nodes.

An Erlang node closes the connection for a term that it cannot read, for all processes of both nodes.  So
nothing is written that it cannot read: no nan, no key twice in a map, no atom that is too long.  Atoms are
made of `Atom` values, of None, True and False, and of names by their place (a field, a module, a node), never
of data: Erlang keeps atoms for ever.

One loop writes a message, with a stack of its own.  Deep messages, and those that contain themselves, are
refused.
"""

from __future__ import annotations

import math
import operator
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from struct import Struct as Layout
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Map, Port, identity
from pyx.errors import DecodeError, EncodeError
from pyx.introspection import is_class
from pyx.printable import short_repr
from pyx.terms import FunctionName, Pid, Raised, Ref, Struct
from pyx.wire.beam import elixir_structs as elixir
from pyx.wire.beam import etf_tags as tags
from pyx.wire.beam.atom_bytes import atom_bytes, bytes_of_value
from pyx.wire.beam.named_structs import name_for
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.messages import enums, format
from pyx.wire.messages.classes import layout_of
from pyx.wire.messages.encode import DEFAULT_MAX_BYTES
from pyx.wire.messages.encode_errors import too_long_error
from pyx.wire.messages.hints import hint
from pyx.wire.messages.names import Unsendable, class_name, is_function, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyx.terms import Incarnation

_TAG_U8: Final = Layout(">BB").pack
_TAG_U16: Final = Layout(">BH").pack
_TAG_U32: Final = Layout(">BI").pack
_TAG_I32: Final = Layout(">Bi").pack
_TAG_F64: Final = Layout(">Bd").pack
_PID_NUMBERS: Final = Layout(">III").pack
_PORT_NUMBERS: Final = Layout(">QI").pack
_U32: Final = Layout(">I").pack
_LARGE: Final = 64 * 1024
_NIL: Final = bytes((tags.NIL,))
_SMALL_INTEGERS: Final = [bytes((tags.SMALL_INTEGER, number)) for number in range(256)]

_APART: Final = frozenset((str, int, Atom, float, Pid, Ref))
"""Classes of keys that a dict keeps apart as Erlang does."""


_Level: TypeAlias = "tuple[Iterator[Any], Any, Sequence[Any], str, bytes]"
"""A container being written: the items still to write, itself, all its items, what these are to it (as
`_step` has it), and what is written behind them.  A class would take a third of a small message's time."""


class _TooLong(Exception):
    """The message takes more bytes than its limit."""


def encode_term(
    value: object, here: Incarnation | None, *, what: str = "message", max_bytes: int = DEFAULT_MAX_BYTES
) -> bytes:
    """Encodes a message for an Erlang node; returns the term, without the 131 before it.

    Args:
        value: any data that Erlang has; `docs/elixir.md` has the table.
        here: this node's incarnation, to which local pids and references belong; None if it has no name.
        what: the first word of the path in an error.
        max_bytes: the longest term to return.

    Raises:
        EncodeError: a part of *value* is not data, or Erlang has nothing like it; or it would be too long,
            nests deeper than 256 containers, or contains itself.
    """
    if type(value) is bytes and len(value) > _LARGE:
        keep_large_buffers()
    levels: list[_Level] = [(iter((value,)), None, (value,), "", b"")]
    out = bytearray()
    try:
        _write(levels, out, here, max_bytes)
    except _TooLong:
        raise too_long_error(what, value, len(out), max_bytes) from None
    except Unsendable as why:
        path, part = _place(levels, what)
        raise EncodeError(path, part, str(why), hint=why.hint) from None
    except (RuntimeError, ArithmeticError, TypeError, ValueError) as cause:
        path, part = _place(levels, what)
        raise EncodeError(path, part, f"could not be encoded ({type(cause).__name__}: {cause})") from None
    if len(out) > max_bytes:
        raise too_long_error(what, value, len(out), max_bytes)
    return bytes(out)


def _write(levels: list[_Level], out: bytearray, here: Incarnation | None, max_bytes: int) -> None:
    todo, closing = levels[-1][0], b""
    while True:
        for each in todo:
            cls = type(each)
            if cls is str:
                data = each.encode() if each.isascii() else _utf8(each)
                out += _TAG_U32(tags.BINARY, len(data))
                out += data
            elif cls is int:
                if 0 <= each < 256:
                    out += _SMALL_INTEGERS[each]
                elif -(2**31) <= each < 2**31:
                    out += _TAG_I32(tags.INTEGER, each)
                else:
                    _write_big(each, out)
            elif cls is Atom:
                out += atom_bytes(each)
            elif cls is tuple:
                size = len(each)
                out += _TAG_U8(tags.SMALL_TUPLE, size) if size < 256 else _TAG_U32(tags.LARGE_TUPLE, size)
                if size:
                    level = iter(each), each, each, "item", b""
                    break
            elif cls is list:
                if not each:
                    out += _NIL
                else:
                    items = tuple(each)  # another thread may change the list
                    out += _TAG_U32(tags.LIST, len(items))
                    level = iter(items), each, items, "item", _NIL
                    break
            elif cls is dict:
                out += _TAG_U32(tags.MAP, len(each))
                if each:
                    items = tuple(chain.from_iterable(each.items()))
                    if not _APART.issuperset(map(type, items[::2])):
                        _check_keys(items[::2], here)
                    level = iter(items), each, items, "entry", b""
                    break
            elif each is None or cls is bool:
                out += bytes_of_value(each)
            elif cls is float:
                if not math.isfinite(each):
                    raise Unsendable("is not a number that Erlang has")
                out += _TAG_F64(tags.NEW_FLOAT, each)
            elif cls is bytes:
                out += _TAG_U32(tags.BINARY, len(each))
                out += each
            elif cls is Pid:
                name, creation = _incarnation(each, here)
                if each.number >> 32 or each.serial >> 32:
                    raise Unsendable("cannot be an address: its numbers are too large, or below 0")
                out.append(tags.NEW_PID)
                out += atom_bytes(name)
                out += _PID_NUMBERS(each.number, each.serial, creation)
            else:
                found = _write_rare(each, out, here)
                if found is not None:
                    level = found
                    break
        else:
            out += closing
            levels.pop()
            if not levels:
                return
            todo, _, _, _, closing = levels[-1]
            continue
        if len(levels) > tags.MAX_DEPTH:
            raise _too_deep(levels)
        if len(out) > max_bytes:
            raise _TooLong
        levels.append(level)
        todo, _, _, _, closing = level


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unsendable("holds a lone surrogate, which is not a character", "send it as bytes") from None


def _write_big(value: int, out: bytearray) -> None:
    size = abs(value)
    data = size.to_bytes((size.bit_length() + 7) // 8, "little")
    out += _TAG_U8(tags.SMALL_BIG, len(data)) if len(data) < 256 else _TAG_U32(tags.LARGE_BIG, len(data))
    out.append(value < 0)
    out += data


def _incarnation(value: Pid | Ref, here: Incarnation | None) -> tuple[str, int]:
    if value.node:
        return value.node, value.creation
    if here is None:
        raise Unsendable("belongs to this node, which has no name")
    return here


def _check_keys(keys: Sequence[Any], here: Incarnation | None) -> None:
    """Raises Unsendable if two keys are one in Erlang: a str and the bytes of its UTF-8, 0.0 and -0.0."""
    seen: dict[str, Any] = {}
    for key in keys:
        # As read back: what is written alike is one key.
        try:
            read = decode_term(encode_term(key, here), 0, (), here)[0]
        except EncodeError:
            return  # raised again with its path, where the key is written
        text = identity(read).replace("float-0.0.", "float0.0.")
        if text in seen:
            raise Unsendable(
                f"has two keys that are one in Erlang: {short_repr(seen[text])}, {short_repr(key)}"
            )
        seen[text] = key


# ---------------------------------------------------------------- paths


def _too_deep(levels: list[_Level]) -> Unsendable:
    seen: set[int] = set()
    for index, (_, source, _, _, _) in enumerate(levels[1:], 1):
        if id(source) in seen:
            del levels[index:]  # so that the path ends at the first part that is met again
            return Unsendable("contains itself")
        seen.add(id(source))
    del levels[1:]
    return Unsendable(f"nests deeper than {tags.MAX_DEPTH} containers")


def _place(levels: list[_Level], what: str) -> tuple[str, Any]:
    """The path of the part that was being written, and the part."""
    path, part = what, levels[0][2][0]
    for todo, _, items, kind, _ in levels[1:]:
        index = len(items) - operator.length_hint(todo) - 1
        part = items[index]
        path = _step(path, kind, items, index)
    return path, part


def _step(path: str, kind: str, items: Sequence[Any], index: int) -> str:
    match kind:
        case "entry" if index % 2 == 0:
            return f"a key of {path}"
        case "entry":
            return f"{path}[{short_repr(items[index - 1])}]"
        case "field":
            return f"{path}.{items[index - 1]}" if index % 2 else path
        case "member":
            return f"a member of {path}"
        case "improper":
            is_tail = index == len(items) - 1
            return f"{path}.tail" if is_tail else f"{path}.items[{index}]"
    return f"{path}[{index}]"


# ---------------------------------------------------------------- rare values


def _write_rare(value: Any, out: bytearray, here: Incarnation | None) -> _Level | None:
    """Writes a value; returns it as a level if it has items, which are to be written next."""
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


def _opened(source: Any, items: Sequence[Any], out: bytearray) -> _Level:
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
    number = value.number
    if number < 0 or number >> 160:
        raise Unsendable("cannot be an address: its numbers are too large, or below 0")
    name, creation = _incarnation(value, here)
    words = 3 if not number >> 96 else tags.MOST_WORDS
    out += _TAG_U16(tags.NEWER_REFERENCE, words)
    out += atom_bytes(name)
    out += _U32(creation)
    for _ in range(words):
        out += _U32(number & 0xFFFFFFFF)
        number >>= 32


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
    out += _SMALL_INTEGERS[arity]


def _write_beam_function(value: BeamFunction, out: bytearray, here: Incarnation | None) -> None:
    try:
        found, end = decode_term(value.data, 0, (), here)
    except DecodeError:
        found, end = None, 0
    if type(found) is not BeamFunction or end != len(value.data):
        raise Unsendable("is not a function as an Erlang node made it")
    out += value.data


def _open_improper_list(value: ImproperList, out: bytearray, _: Incarnation | None) -> _Level:
    out += _TAG_U32(tags.LIST, len(value.items))
    items = (*value.items, value.tail)
    return iter(items), value, items, "improper", b""


def _open_map(value: Map, out: bytearray, here: Incarnation | None) -> _Level | None:
    _check_keys(value.keys(), here)
    out += _TAG_U32(tags.MAP, len(value))
    items = tuple(chain.from_iterable(value.pairs))
    return (iter(items), value, items, "entry", b"") if items else None


def _open_set(value: set[Any] | frozenset[Any], out: bytearray, _: Incarnation | None) -> _Level:
    return _opened(value, elixir.set_fields({member: [] for member in value}), out)


def _open_struct(value: Struct, out: bytearray, _: Incarnation | None) -> _Level:
    names = [name for name, _ in value.fields]
    return _opened(value, _struct_items(value.name, names, [each for _, each in value.fields]), out)


def _open_raised(value: Raised, out: bytearray, _: Incarnation | None) -> _Level:
    return _opened(value, elixir.raised_fields(value), out)


def _raised(value: BaseException, cls: type) -> Raised:
    module, qualname = class_name(cls)
    try:
        text = str(value)
    except Exception:  # its `__str__` is user code
        text = ""
    return Raised(qualname if module == "builtins" else f"{module}.{qualname}", text)


def _as_struct(fields: Callable[[Any], list[Any]]) -> Callable[[Any, bytearray, Incarnation | None], _Level]:
    return lambda value, out, _: _opened(value, fields(value), out)


_WRITERS: Final[dict[type, Callable[[Any, bytearray, Incarnation | None], _Level | None]]] = {
    Ref: _write_ref,
    ImproperList: _open_improper_list,
    Map: _open_map,
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
