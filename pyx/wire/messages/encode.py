"""The packer and its hook: from values to bytes.

A message of more than a few scalars is walked first (`limits`), so its length and depth are known before a
byte is written.  Then the C packer writes the values that msgpack has; any other is passed to
`_Encoder.reduce`, which returns an array led by a tag and never packs anything itself (nested packing
overflows a small stack, which kills the process).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from pyx import fast_paths
from pyx.atoms import Atom
from pyx.signals import SPLIT_BYTES, SplitBytes
from pyx.terms import Pid, Ref
from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.messages import format
from pyx.wire.messages.encode_errors import encode_error, too_long_error
from pyx.wire.messages.limits import Measured, Reduced, TooLong, measure, measure_short
from pyx.wire.messages.plain import (
    BYTES,
    LIST,
    LISTS,
    ODD_KEY,
    TAG,
    TUPLE,
    TUPLE_OF_LISTS,
    encode_plain,
    form_of,
)
from pyx.wire.messages.reduce import reduce_object, reduce_pid

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.signals import PayloadBytes

_KEPT_BYTES: Final = 64 * 1024
"""A packer keeps the memory of its largest payload, so a packer that grew past this is dropped."""

_SMALL_ITEMS: Final = 16
_SMALL_LENGTH: Final = 4096
_SMALL_INT_BITS: Final = 1024
"""The limits of a small message: items of one container, items and bytes of text in all, bits of an int."""

DEFAULT_MAX_BYTES: Final = 1024 * 1024 * 1024
"""The longest message unless the caller sets another limit."""

_TUPLE = format.tag(format.TUPLE)
_fast: Final = fast_paths.enabled


def encode(value: object, *, what: str = "message", max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
    """Encodes a message; later changes of *value* do not reach the bytes.

    A local pid or reference is written without a node: it belongs to the node that encoded it.  An exception
    arrives as `Raised`.

    Args:
        value: any data (`codec` lists the types).
        what: the first word of the path in an error.
        max_bytes: the longest payload to return.  It bounds memory and time too: a longer message is noticed
            before it is written.

    Raises:
        EncodeError: some part of *value* is not data, would arrive changed, forms a cycle, or nests deeper
            than 256 containers; or the payload would be too long.
    """
    form = _small_form(value)
    if form is not None:
        try:
            if form and _fast:
                pack = _idle_plain.pop() if _idle_plain else msgpack.Packer(buf_size=4096).pack
                data = form + pack(value)
                if len(data) <= max_bytes:
                    _idle_plain.append(pack)
                    return data
            else:
                pack = _idle.pop() if _idle else _packer(_reduce_small)
                # The outermost tuple is reduced here, which saves a call from the packer.
                data = pack([_TUPLE, *value] if type(value) is tuple else value)
                if len(data) <= max_bytes:
                    _idle.append(pack)
                    return data
        except Exception:  # a lone surrogate, an int of many digits: rare
            return _encode_measured(value, what, max_bytes)
    elif type(value) is bytes and _fast:
        if len(value) >= max_bytes:
            raise too_long_error(what, value, len(value) + 1, max_bytes)
        return BYTES + value
    return _encode_measured(value, what, max_bytes)


def encode_payload(
    value: object, *, what: str = "message", max_bytes: int = DEFAULT_MAX_BYTES
) -> PayloadBytes:
    """Encodes as `encode` does, and raises as it does, but copies no message that is one large `bytes`."""
    if type(value) is bytes and SPLIT_BYTES <= len(value) < max_bytes and _fast:
        return SplitBytes(BYTES, value)
    return encode(value, what=what, max_bytes=max_bytes)


def _small_form(value: Any) -> bytes | None:
    """The form of a scalar, or of a few short scalars in lists and dicts of two levels: no walk is needed.

    Empty for the general form, None for any other message.  Most messages are small, and this is cheaper than
    the walk; written out by hand for that.  The outer level may be a tuple too.
    """
    cls = type(value)
    if cls is tuple or cls is list:
        items = value
    elif cls is dict:
        items = (value,)
    elif (
        cls is int
        or cls is float
        or cls is bool
        or value is None
        or ((cls is str or cls is bytes) and len(value) <= _SMALL_LENGTH)
    ):
        return LISTS
    else:
        return None
    size = len(items)
    if size > _SMALL_ITEMS:
        return None
    found = 0
    for each in items:
        cls = type(each)
        if cls is str or cls is bytes:
            size += len(each)
        elif cls is int:
            pass
        elif cls is dict:
            if len(each) > _SMALL_ITEMS:
                return None
            for key, part in each.items():
                if type(key) is str:
                    size += len(key)
                elif type(key) is int:
                    found |= ODD_KEY
                elif type(key) is Atom:
                    found |= TAG
                else:
                    return None
                cls = type(part)
                if cls is str or cls is bytes:
                    size += len(part)
                elif cls is Atom:
                    found |= TAG
                elif cls is not int and cls is not float and part is not None and cls is not bool:
                    return None
        elif cls is list or cls is tuple:
            found |= LIST if cls is list else TUPLE
            if len(each) > _SMALL_ITEMS:
                return None
            for part in each:
                cls = type(part)
                if cls is str or cls is bytes:
                    size += len(part)
                elif cls is Atom:
                    found |= TAG
                elif cls is not int and cls is not float and part is not None and cls is not bool:
                    return None
        elif cls is Pid or cls is Ref or cls is Atom:
            found |= TAG
        elif cls is not float and each is not None and cls is not bool:
            return None
    if size > _SMALL_LENGTH:
        return None
    # The common cases of `form_of`, without the call.
    if found <= LIST:
        return TUPLE_OF_LISTS if type(value) is tuple else LISTS
    return b"" if found >= TAG else form_of(type(value), found)


def _encode_measured(value: object, what: str, max_bytes: int) -> bytes:
    try:
        measured = measure_short(value)
        if measured is None:
            measured = measure(value, max_bytes)
        data = _encode_walked(value, measured, max_bytes)
    except MemoryError:
        raise
    except TooLong as error:
        raise too_long_error(what, value, error.size, max_bytes) from None
    except Exception as cause:
        raise encode_error(value, what, cause) from None
    return data


def _encode_walked(value: object, measured: Measured, max_bytes: int) -> bytes:
    reduced, found, size = measured
    if _fast and (form := form_of(type(value), found)):
        try:
            data = encode_plain(form, value, size)
        except (OverflowError, UnicodeEncodeError):
            pass  # an int past 64 bits, or a lone surrogate
        else:
            if len(data) > max_bytes:
                raise TooLong(len(data))
            return data
    if size > _KEPT_BYTES:
        keep_large_buffers()
    encoder = _idle_encoders.pop() if _idle_encoders else _Encoder()
    encoder.reduced, encoder.bytes_left = reduced, max_bytes
    try:
        data = encoder.pack(value)
    except UnicodeEncodeError:
        data = _packer(encoder.reduce, unicode_errors="surrogatepass")(value)
    if len(data) > max_bytes:
        raise TooLong(len(data))
    encoder.reduced = {}
    if len(data) <= _KEPT_BYTES:
        _idle_encoders.append(encoder)
    else:
        encoder.release()
    return data


# ---------------------------------------------------------------- packing


class _Encoder:
    """A packer with its `default` hook, and the facts about the current message that the hook needs.

    `reduced` holds the arrays for the objects in the message, `bytes_left` the rest of the limit.

    Packers and encoders are used by one call at a time: they are taken from a list of idle ones and put back,
    each a single operation under the GIL, so neither a second thread nor a finalizer that encodes while its
    thread is encoding can mix its bytes in.  After an exception an encoder is not put back.
    """

    __slots__ = ("bytes_left", "pack", "reduced")

    def __init__(self) -> None:
        self.reduced: Reduced = {}
        self.bytes_left = 0
        self.pack = _packer(self.reduce)

    def release(self) -> None:
        """Frees the packer and its buffer at once: by its hook it holds the encoder, which holds it."""
        del self.pack

    def reduce(self, value: Any) -> list[Any]:
        """Returns the array that stands in the payload for a value that msgpack lacks."""
        if type(value) is tuple:
            return [_TUPLE, *value]
        if (known := self.reduced.get(id(value))) is not None:
            return known[1]
        parts = reduce_object(value)
        if type(value) is not set and type(value) is not frozenset:  # a big int: the walk counts none
            self.bytes_left -= sum([len(part) for part in parts if type(part) is bytes or type(part) is str])
            if self.bytes_left < 0:
                raise TooLong(-self.bytes_left)
        return parts


def _reduce_small(value: Any) -> list[Any]:
    if type(value) is Pid:  # the most frequent: a call less
        return reduce_pid(value)
    if type(value) is int and value.bit_length() > _SMALL_INT_BITS:
        raise TooLong(value.bit_length() // 8)
    return reduce_object(value)


def _packer(
    reduce: Callable[[Any], list[Any]], *, unicode_errors: str | None = None
) -> Callable[[object], bytes]:
    packer = msgpack.Packer(default=reduce, strict_types=True, unicode_errors=unicode_errors, buf_size=4096)
    return packer.pack  # type: ignore[no-any-return]


_idle: list[Callable[[object], bytes]] = []
"""The `pack` methods of packers not in use, for small messages."""
_idle_plain: list[Callable[[object], bytes]] = []
"""The same without a hook, for small plain messages."""
_idle_encoders: list[_Encoder] = []
