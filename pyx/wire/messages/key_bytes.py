"""Keys as bytes: equal keys are equal bytes, on every node.

A key is encoded in the general form of `format`, in one way only: members of frozensets are sorted, numbers
are as short as they can be.  `1`, `1.0` and `True` are three keys.  Pids and references in it stand as this
node writes them, so a key that comes from another node is written anew; its classes need not be loaded here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from pyx.errors import DecodeError
from pyx.introspection import type_name
from pyx.wire.messages import format
from pyx.wire.messages.encode import encode
from pyx.wire.messages.plain import PLAIN, decode_plain

if TYPE_CHECKING:
    from pyx.terms import Incarnation

_TUPLE: Final = format.tag(format.TUPLE)
_SET_MARK: Final = bytes((0xD4, format.FROZENSET, 0))
"""How the tag of a frozenset is written; other bytes may look like it."""

_ADDRESSES: Final = {format.PID: 3, format.REF: 2}
"""By the kind of an address: the length of its array if its node is the one that wrote it."""


def encode_key(value: Any, *, what: str = "key", max_bytes: int) -> bytes:
    """Returns the bytes of a key.

    Args:
        value: hashable data.
        what: a word for the key, for errors.
        max_bytes: the longest key.

    Raises:
        TypeError: it is not hashable.
        EncodeError: it is not data, or too long.
    """
    try:
        hash(value)
    except TypeError:
        msg = f"a {what} is data that is hashable (a str, a number, a tuple ...), not {type_name(value)}"
        raise TypeError(msg) from None
    data = encode(value, what=what, max_bytes=max_bytes)
    if data[:1] in PLAIN:
        return _pack(decode_plain(data))
    return _pack(_sorted(_unpack(data))) if _SET_MARK in data else data


def key_of_peer(data: bytes, here: Incarnation, there: Incarnation) -> bytes:
    """Returns the bytes of a key that a peer has written, as this node writes it.

    Args:
        data: the peer's bytes.
        here: this node's incarnation.
        there: the peer's.

    Raises:
        DecodeError: they are not those of a key.
    """
    if (
        len(data) < _LONGEST_TEXT and data[:1] and 0xA0 <= data[0] == 0x9F + len(data)
    ):  # a short text: most keys
        return data
    try:
        format.check_depth(data)
        return _pack(_sorted(_rewritten(_unpack(data), here, there)))
    except Exception as cause:
        msg = f"malformed key: {str(cause) or type(cause).__name__}"
        raise DecodeError(msg) from None


_LONGEST_TEXT: Final = 33
"""A text of up to 31 bytes is one byte, which holds its length, and these."""


def _unpack(data: bytes) -> Any:
    return msgpack.unpackb(
        data, strict_map_key=False, object_pairs_hook=_refuse_dict, unicode_errors="surrogatepass"
    )


def _refuse_dict(_: Any) -> Any:
    raise format.MalformedPayload("a key holds no dict")


def _pack(value: Any) -> bytes:
    data: bytes = msgpack.packb(value, default=_reduce, strict_types=True, unicode_errors="surrogatepass")
    return data


def _reduce(value: Any) -> list[Any]:
    """Writes a tuple of a plain message in the general form."""
    if type(value) is not tuple:
        raise TypeError(type_name(value))
    return [_TUPLE, *value]


def _kind(value: Any) -> int | None:
    """Returns the kind of a tagged array; None for any other value."""
    if type(value) is not list or not value:
        return None
    lead = value[0]
    return lead.code if type(lead) is msgpack.ExtType and lead.data == b"\0" else None


def _sorted(value: Any) -> Any:
    """Sorts the members of all frozensets."""
    if type(value) is not list:
        return value
    items = [_sorted(item) for item in value]
    if _kind(items) == format.FROZENSET:
        return [items[0], *sorted(items[1:], key=_pack)]
    return items


def _rewritten(value: Any, here: Incarnation, there: Incarnation) -> Any:
    """Writes the addresses of *there* as *here* writes them."""
    if type(value) is not list:
        return value
    kind = _kind(value)
    local = _ADDRESSES.get(kind) if kind is not None else None
    if local is None:
        return [_rewritten(item, here, there) for item in value]
    if len(value) == local:
        return [*value, *there]
    return value[:local] if tuple(value[local:]) == here else value
