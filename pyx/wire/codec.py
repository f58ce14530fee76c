"""Encodes and decodes messages: the only file of `messages` that other packages import.

Exact, decided by `type(x) is`: None, bool, int of any size, float, str (lone surrogates too), bytes, list,
tuple, dict with any hashable keys in order, set, frozenset, date, time, datetime, timedelta, Decimal, UUID,
Pid, Ref, Atom, dataclasses, namedtuples and enums by class name, functions and classes by name, Struct,
FunctionName, Raised, and the terms of `erlang_terms`.  An exception arrives as `Raised`.  Every other value,
and any value that would arrive changed, raises `EncodeError` at the call, with a hint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom
from pyx.errors import DecodeError
from pyx.signals import Discarded, EncodedTerm, SplitBytes
from pyx.terms import Pid, Ref
from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.messages.decode import Decoder, UncheckedKeys
from pyx.wire.messages.encode import encode, encode_payload
from pyx.wire.messages.format import MAX_DEPTH, check_depth
from pyx.wire.messages.names import export, is_exported, name_of_callable
from pyx.wire.messages.plain import BYTES, PLAIN, decode_plain
from pyx.wire.messages.safe_keys import CollisionCheckingDecoder, KeyCheckingDecoder

if TYPE_CHECKING:
    from pyx.signals import Payload
    from pyx.terms import Incarnation

__all__ = [
    "BYTES",
    "MAX_DEPTH",
    "decode",
    "encode",
    "encode_key",
    "encode_payload",
    "export",
    "is_exported",
    "is_flat",
    "key_of_peer",
    "load_for_peers",
    "name_of_callable",
]

_FLAT: Final = frozenset((type(None), bool, int, float, str, bytes, Pid, Ref, Atom))

_KEPT_BYTES: Final = 64 * 1024
"""An unpacker keeps the memory of its largest payload; a larger payload gets an unpacker of its own."""

_SMALL_BYTES: Final = MAX_DEPTH
"""A payload up to this size cannot nest too deep, nor announce more items than its unpacker accepts."""

_idle: list[Decoder] = []
"""Decoders not in use, for payloads from `_SMALL_BYTES` to `_KEPT_BYTES`."""
_idle_small: list[Decoder] = []
"""Decoders not in use, for payloads up to `_SMALL_BYTES`, which limits what the payload may announce."""


def encode_key(value: Any, *, what: str = "key", max_bytes: int) -> bytes:
    """See `messages/key_bytes.py`, which the first key loads, or the first peer."""
    from pyx.wire.messages import key_bytes

    return key_bytes.encode_key(value, what=what, max_bytes=max_bytes)


def key_of_peer(data: bytes, here: Incarnation, there: Incarnation) -> bytes:
    """See `messages/key_bytes.py`."""
    from pyx.wire.messages import key_bytes

    return key_bytes.key_of_peer(data, here, there)


def is_flat(value: Any) -> bool:
    """True for a value that may be delivered inside a node without a copy: immutable, and of exact type.

    That is exactly None, bool, int, float, str, bytes, Pid, Ref, Atom, or a tuple of these.
    """
    cls = type(value)
    try:
        return cls in _FLAT or (cls is tuple and _FLAT.issuperset(map(type, value)))
    except Exception:  # a class may be unhashable: its metaclass says so
        return False


def load_for_peers() -> None:
    """Loads the modules that only messages of other nodes may be the first to need, before any of them.

    Decoding imports nothing.  A node without peers does without time zones: 0.24 MB [measured: CPython 3.11,
    where their search path takes the variables that Python was built with].
    """
    import zoneinfo  # noqa: F401 - for the decoder, which imports nothing

    import pyx.wire.messages.erlang
    import pyx.wire.messages.key_bytes  # noqa: F401 - the same


def decode(
    payload: Payload, here: Incarnation | None, *, trusts_peers: bool = True, binaries: str = "str"
) -> Any:
    """Decodes a payload into a new value at each call.

    No code of a user's class runs and nothing is imported: dataclasses are rebuilt without `__init__`.  An
    object arrives as a `Struct`, a function as a `FunctionName`, if this node has not loaded its module, or
    if its class has other fields here.

    Args:
        payload: the bytes, and the incarnation of the node that encoded them (None: this node).
        here: this node's incarnation, whose pids and references become local; None if it has no name.
        trusts_peers: functions and classes of other nodes too arrive as themselves where they are loaded.
            If not, those of another node arrive as `FunctionName` unless they are exported, and an object
            that can be called as a `Struct`: nothing in its payload is code that a pattern, a callback or a
            sort key would run.
        binaries: what becomes of Erlang's binaries in a message of an Erlang node: see `EncodedTerm`.

    Raises:
        DecodeError: the bytes are not a payload, or the payload was discarded on arrival.
    """
    data, origin = payload
    if type(data) is not bytes:
        if type(data) is Discarded:
            raise DecodeError(data.why)
        if type(data) is SplitBytes and data.first == BYTES:
            return data.rest
        if isinstance(data, EncodedTerm):
            return data.decode(here, binaries)
        data = bytes(data)
    if data[:1] in PLAIN:
        try:
            return decode_plain(data)
        except Exception as cause:
            raise _decode_error(cause) from None
    trusted = trusts_peers or origin is None
    idle: list[Decoder] | None
    try:
        if len(data) <= _SMALL_BYTES:
            idle = _idle_small
            decoder = idle.pop() if idle else Decoder(_SMALL_BYTES)
        else:
            check_depth(data)
            if len(data) <= _KEPT_BYTES:
                idle = _idle
                decoder = idle.pop() if idle else Decoder(_KEPT_BYTES)
            else:
                keep_large_buffers()
                idle, decoder = None, Decoder(len(data))
        decoder.origin = origin
        decoder.here = here
        decoder.trusted = trusted
        value = decoder.decode(data)
    except UncheckedKeys:
        return _decode_with(KeyCheckingDecoder(len(data)), data, origin, here, trusted=trusted)
    except Exception as cause:
        if type(cause) is ValueError and "max_map_len" in str(cause):
            return _decode_with(CollisionCheckingDecoder(len(data)), data, origin, here, trusted=trusted)
        raise _decode_error(cause) from None
    if idle is None:
        decoder.release()
    else:
        idle.append(decoder)
    return value


def _decode_with(
    decoder: Decoder, data: bytes, origin: Incarnation | None, here: Incarnation | None, *, trusted: bool
) -> Any:
    decoder.origin, decoder.here, decoder.trusted = origin, here, trusted
    try:
        value = decoder.decode(data)
    except UncheckedKeys:
        return _decode_with(KeyCheckingDecoder(len(data)), data, origin, here, trusted=trusted)
    except Exception as cause:
        raise _decode_error(cause) from None
    decoder.release()
    return value


def _decode_error(cause: Exception) -> DecodeError:
    return DecodeError(f"malformed payload: {str(cause) or type(cause).__name__}")
