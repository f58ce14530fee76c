"""Bytes to values.  Not here: the way there (`seal`), and how one value is built (`opener`, `hashing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from pyx.errors import DecodeError
from pyx.wire.frames.reassembly import Discarded
from pyx.wire.messages import format
from pyx.wire.messages.decode import Careful, Decoder
from pyx.wire.messages.safe_keys import CarefulDecoder, SpreadDecoder
from pyx.wire.messages.slices import slices

if TYPE_CHECKING:
    from pyx.signals import Payload
    from pyx.terms import Incarnation

_KEPT_BYTES: Final = 64 * 1024
"""An unpacker keeps the memory of its largest payload; larger payloads get one of their own."""

_SMALL_BYTES: Final = format.MAX_DEPTH
"""A payload of so many bytes cannot nest too deep, nor announce more items than its unpacker grants."""

_idle: list[Decoder] = []
_idle_for_small: list[Decoder] = []
"""Openers that wait, by the size of the payloads they take, which is what these may announce."""


def decode(payload: Payload, here: Incarnation | None, *, trusted: bool = True) -> Any:
    """The value in a payload, made anew at each call.

    No code of a user's class runs and nothing is imported: dataclasses are rebuilt without `__init__`, and
    what is not loaded here, or has other fields here, arrives as `Struct` or `FunctionName`.

    Args:
        payload: its bytes, and the life of the node that encoded them (None: this node).
        here: this node's life, whose pids and references become local; None if it has no name.
        trusted: functions and classes arrive as themselves where they are loaded.  If not, they arrive as
            `FunctionName` unless they are exported, and an object that can be called as a `Struct`: nothing
            in the payload is code that a pattern, a callback or a sort key would run.

    Raises:
        DecodeError: the bytes are no payload.
    """
    data, origin = payload
    if type(data) is Discarded:
        raise DecodeError(data.why)
    try:
        if len(data) <= _SMALL_BYTES:
            idle = _idle_for_small
            opener = idle.pop() if idle else Decoder(_SMALL_BYTES)
        else:
            check_depth(data)
            if len(data) <= _KEPT_BYTES:
                idle = _idle
                opener = idle.pop() if idle else Decoder(_KEPT_BYTES)
            else:
                idle, opener = [], Decoder(len(data))
        opener.origin = origin
        opener.here = here
        opener.trusted = trusted
        value = opener.open(data)
    except Careful:
        return _open_with(CarefulDecoder(len(data)), payload, here, trusted=trusted)
    except Exception as cause:
        if type(cause) is ValueError and "max_map_len" in str(cause):
            return _open_with(SpreadDecoder(len(data)), payload, here, trusted=trusted)
        raise DecodeError(_sentence(cause)) from None
    idle.append(opener)
    return value


def _sentence(cause: Exception) -> str:
    return f"not a letter: {cause}" if str(cause) else f"not a letter: {type(cause).__name__}"


def _open_with(opener: Decoder, payload: Payload, here: Incarnation | None, *, trusted: bool) -> Any:
    opener.origin, opener.here, opener.trusted = payload.origin, here, trusted
    try:
        return opener.open(payload.data)
    except Careful:
        return _open_with(CarefulDecoder(len(payload.data)), payload, here, trusted=trusted)
    except Exception as cause:
        raise DecodeError(_sentence(cause)) from None


_C_STACK: Final = 1024
_WRAPPING: Final = b"\x91" * (_C_STACK - format.MAX_DEPTH)


def check_depth(data: bytes) -> None:
    """Walks one packed value without building it.

    Raises:
        Exception: msgpack's, when it nests too deep, is cut short, or has bytes behind it.
    """
    # The C unpacker's stack holds `_C_STACK` containers; the wrapping leaves 256 of them to the payload.
    size = len(_WRAPPING) + len(data)
    scout = msgpack.Unpacker(max_buffer_size=size, read_size=size)
    scout.feed(_WRAPPING)
    for piece in slices(data):
        scout.feed(piece)
    scout.skip()
    if scout.tell() != size:
        msg = "there are bytes behind the value"
        raise ValueError(msg)
