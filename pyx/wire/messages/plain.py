"""Plain messages: msgpack's C code alone encodes and decodes them, because nothing in them needs a tag.

A fast path beside the general form.  Measured: decoding ("add", {"name": "nike", "qty": 30}) 1.31 -> 0.93 us,
("add", 1, 30) 1.03 -> 0.64, ten tuples in a tuple 5.1 -> 1.1; encoding 1 MiB of bytes 530 -> 23 us and
decoding it 580 -> 23, most of which was memory that waited for the cycle collector with the hooks.

The first byte of a payload says which arrays in it are tuples; no payload in the general form begins so.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import msgpack

from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.messages.decode import MAX_MAP_KEYS, check_collisions
from pyx.wire.messages.format import MAX_DEPTH, MalformedPayload, check_depth, exact, slices

LISTS: Final = b"\xd5"
"""Arrays are lists."""
TUPLES: Final = b"\xd6"
"""Arrays are tuples; keys of dicts are texts or bytes."""
TUPLE_OF_LISTS: Final = b"\xd7"
"""The outermost array is a tuple, the others are lists."""
BYTES: Final = b"\xd8"
"""The rest of the payload is a `bytes`."""

PLAIN: Final = frozenset((LISTS, TUPLES, TUPLE_OF_LISTS, BYTES))
"""The first bytes of plain payloads."""

_KEPT_BYTES: Final = 64 * 1024
"""Packers and unpackers keep the memory of their largest payload: those that grew past this are dropped."""

_SMALL_BYTES: Final = MAX_DEPTH
"""A payload up to this size cannot nest too deep."""


# ---------------------------------------------------------------- encoding


ODD_KEY, LIST, TUPLE, TAG = 1, 2, 4, 8
"""What may be found in a message, its own array left out: a key that is neither a text nor bytes, a list, a
tuple, a value that needs a tag."""


def form_of(cls: type, found: int) -> bytes:
    """Returns the first byte of a plain message; nothing if it needs the general form.

    Args:
        cls: the type of the message.
        found: the bits of what was found in it.
    """
    if found <= LIST | ODD_KEY:
        return TUPLE_OF_LISTS if cls is tuple else LISTS
    return TUPLES if found == TUPLE and cls is not list else b""


def encode_plain(form: bytes, value: object, size: int) -> bytes:
    """Encodes a message of that form, of at least *size* bytes.

    Raises:
        Exception: the packer's, for an int past 64 bits or a lone surrogate, which need the general form.
    """
    if size > _KEPT_BYTES:
        keep_large_buffers()
        # With its final size from the start: a buffer that grows is twice as large in the end.
        packer = msgpack.Packer(autoreset=False, buf_size=size + size // 16)
    else:
        packer = _idle_packers.pop() if _idle_packers else msgpack.Packer(autoreset=False, buf_size=4096)
    packer.pack(value)
    data = b"".join((form, packer.getbuffer()))
    if len(data) <= _KEPT_BYTES:
        packer.reset()
        _idle_packers.append(packer)
    return data


_idle_packers: Final[list[Any]] = []
"""Packers not in use; of one call at a time, and after an exception one is not put back."""


# ---------------------------------------------------------------- decoding


def decode_plain(data: bytes) -> Any:
    """Decodes a payload that begins with one of the bytes in `PLAIN`.

    Raises:
        Exception: msgpack's, or MalformedPayload, for any other bytes.
    """
    form = data[:1]
    if form == BYTES:
        return data[1:]
    if len(data) > _SMALL_BYTES:
        return _decode_large(form, memoryview(data)[1:])
    idle = _idle_small[form]
    unpacker = idle.pop() if idle else _unpacker(form, _SMALL_BYTES)
    unpacker.feed(data[1:])
    try:
        value = unpacker.unpack()
    except ValueError as error:
        return _decode_checked(form, data[1:], error)
    if unpacker.read_bytes(1):
        raise MalformedPayload("bytes follow the value")
    idle.append(unpacker)
    if form == TUPLE_OF_LISTS:
        return tuple(value if type(value) is list else exact(value, list))
    return value


def _decode_large(form: bytes, rest: memoryview) -> Any:
    size = len(rest)
    if size > _KEPT_BYTES:
        keep_large_buffers()
    check_depth(rest)
    if size <= _KEPT_BYTES:
        idle = _idle[form]
        unpacker = idle.pop() if idle else _unpacker(form, _KEPT_BYTES)
    else:
        idle, unpacker = [], _unpacker(form, size)
    for piece in slices(rest):
        unpacker.feed(piece)
    try:
        value = unpacker.unpack()
    except ValueError as error:
        return _decode_checked(form, rest, error)
    idle.append(unpacker)
    return tuple(exact(value, list)) if form == TUPLE_OF_LISTS else value


def _decode_checked(form: bytes, rest: bytes | memoryview, error: ValueError) -> Any:
    """Decodes a payload with a large dict: checks the hashes of the keys before it builds a dict."""
    if "max_map_len" not in str(error):
        raise error
    unpacker = _unpacker(form, len(rest), object_pairs_hook=_build_dict, max_map_len=len(rest))
    for piece in slices(rest):
        unpacker.feed(piece)
    value = unpacker.unpack()
    if unpacker.read_bytes(1):
        raise MalformedPayload("bytes follow the value")
    return tuple(exact(value, list)) if form == TUPLE_OF_LISTS else value


def _unpacker(form: bytes, size: int, **options: Any) -> Any:
    return msgpack.Unpacker(
        max_buffer_size=size, read_size=min(size, 4096) if size <= _KEPT_BYTES else size,
        use_list=form != TUPLES, strict_map_key=form == TUPLES,
        ext_hook=_refuse_ext, max_ext_len=0, **{"max_map_len": MAX_MAP_KEYS, **options},
    )  # fmt: skip


def _refuse_ext(_kind: int, _data: bytes) -> NoReturn:
    raise MalformedPayload("a plain payload holds a tag")


def _build_dict(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    check_collisions([key for key, _ in pairs])
    return dict(pairs)


_idle_small: Final[dict[bytes, list[Any]]] = {form: [] for form in (LISTS, TUPLES, TUPLE_OF_LISTS)}
"""By form: unpackers not in use, for payloads up to `_SMALL_BYTES`.

They are used as the packers are.
"""
_idle: Final[dict[bytes, list[Any]]] = {form: [] for form in (LISTS, TUPLES, TUPLE_OF_LISTS)}
"""The same for payloads up to `_KEPT_BYTES`."""
