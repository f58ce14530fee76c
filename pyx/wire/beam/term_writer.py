"""Values to Erlang's external term format: the messages for Erlang nodes.

An Erlang node closes the connection for a term that it cannot read, for all processes of both nodes.  So
nothing is written that it cannot read: no nan, no key twice in a map, no atom that is too long.  Atoms are
made of `Atom` values, of None, True and False, and of names by their place (a field, a module, a node), never
of data: Erlang keeps atoms for ever.

Most messages are small and plain, and `small_terms.py` writes them. For the others, and for all that is
refused, one loop writes a message, with a stack of its own. Deep messages, and those that contain themselves,
are refused.

[measured, µs to write, those of the general path in parentheses, / to read, beside pyx's own encoding:
`("add", {"name": "nike", "n": 3})` 1.4 (2.9) / 3.3 beside 1.0 / 0.9, `{:add, pid, %{name: "nike", qty: 30}}`
2.2 (3.3) / 5.3 beside 2.7 / 4.7, a call of a server 3.0 (4.0) / 7.0 beside 6.2 / 6.5, 100 dicts of five keys
174 (268) / 413 beside 78 / 49, 1 MiB of bytes 50 (47) / 76 beside 64 / 87]
"""

from __future__ import annotations

import math
import operator
import struct
from itertools import chain
from struct import Struct as Layout
from typing import TYPE_CHECKING, Any, Final

from pyx import fast_paths
from pyx.atoms import Atom
from pyx.erlang_terms import Map, identity
from pyx.errors import EncodeError
from pyx.printable import short_repr
from pyx.terms import Pid, Ref
from pyx.wire.beam import etf_tags as tags
from pyx.wire.beam.atom_bytes import atom_bytes, bytes_of_value
from pyx.wire.beam.rare_terms import OUT_OF_RANGE, incarnation_of, write_rare
from pyx.wire.beam.small_terms import small_term
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.messages.encode import DEFAULT_MAX_BYTES
from pyx.wire.messages.encode_errors import too_long_error
from pyx.wire.messages.names import Unsendable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.terms import Incarnation
    from pyx.wire.beam.rare_terms import TermLevel

_TAG_U8: Final = Layout(">BB").pack
_TAG_U32: Final = Layout(">BI").pack
_TAG_I32: Final = Layout(">Bi").pack
_TAG_F64: Final = Layout(">Bd").pack
_PID_NUMBERS: Final = Layout(">III").pack
_LARGE: Final = 64 * 1024
_NIL: Final = bytes((tags.NIL,))
_SMALL_INTEGERS: Final = [bytes((tags.SMALL_INTEGER, number)) for number in range(256)]

_APART: Final = frozenset((str, int, Atom, float, Pid, Ref))
"""Classes of keys that a dict keeps apart as Erlang does."""


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
    if fast_paths.enabled:  # read at each call, so that tests compare both
        small = small_term(value, here)
        if small is not None and len(small) <= max_bytes:
            return small
    if type(value) is bytes and len(value) > _LARGE:
        keep_large_buffers()
    levels: list[TermLevel] = [(iter((value,)), None, (value,), "", b"")]
    out = bytearray()
    try:
        _write(levels, out, here, max_bytes)
    except _TooLong:
        raise too_long_error(what, value, len(out), max_bytes) from None
    except Unsendable as why:
        path, part = _place(levels, what)
        raise EncodeError(path, part, str(why), hint=why.hint) from None
    except (RuntimeError, ArithmeticError, TypeError, ValueError, struct.error) as cause:
        path, part = _place(levels, what)
        raise EncodeError(path, part, f"could not be encoded ({type(cause).__name__}: {cause})") from None
    if len(out) > max_bytes:
        raise too_long_error(what, value, len(out), max_bytes)
    return bytes(out)


def _write(levels: list[TermLevel], out: bytearray, here: Incarnation | None, max_bytes: int) -> None:
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
                items = tuple(chain.from_iterable(each.items()))  # another thread may change the dict
                out += _TAG_U32(tags.MAP, len(items) // 2)
                if items:
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
                name, creation = incarnation_of(each, here)
                if each.number >> 32 or each.serial >> 32:
                    raise Unsendable(OUT_OF_RANGE)
                out.append(tags.NEW_PID)
                out += atom_bytes(name)
                out += _PID_NUMBERS(each.number, each.serial, creation)
            else:
                found = _open_map(each, out, here) if cls is Map else write_rare(each, out, here)
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


def _open_map(value: Map, out: bytearray, here: Incarnation | None) -> TermLevel | None:
    _check_keys(value.keys(), here)
    out += _TAG_U32(tags.MAP, len(value))
    items = tuple(chain.from_iterable(value.pairs))
    return (iter(items), value, items, "entry", b"") if items else None


# ---------------------------------------------------------------- paths


def _too_deep(levels: list[TermLevel]) -> Unsendable:
    seen: set[int] = set()
    for index, (_, source, _, _, _) in enumerate(levels[1:], 1):
        if id(source) in seen:
            del levels[index:]  # so that the path ends at the first part that is met again
            return Unsendable("contains itself")
        seen.add(id(source))
    del levels[1:]
    return Unsendable(f"nests deeper than {tags.MAX_DEPTH} containers")


def _place(levels: list[TermLevel], what: str) -> tuple[str, Any]:
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
