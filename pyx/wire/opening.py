"""Bytes to values.  Not here: the way there (`seal`), and how one value is built (`opener`, `hashing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from pyx.errors import DecodeError
from pyx.wire import marks
from pyx.wire.assembly import Discarded
from pyx.wire.hashing import CarefulOpener, SpreadOpener
from pyx.wire.opener import Careful, Opener
from pyx.wire.slices import slices

if TYPE_CHECKING:
    from pyx.signals import Letter
    from pyx.terms import Life

_KEPT_BYTES: Final = 64 * 1024
"""An unpacker keeps the memory of its largest letter; larger letters get one of their own."""

_SMALL_BYTES: Final = marks.MAX_DEPTH
"""A letter of so many bytes cannot nest too deep, nor announce more items than its unpacker grants."""

_idle: list[Opener] = []
_idle_for_small: list[Opener] = []
"""Openers that wait, by the size of the letters they take, which is what these may announce."""


def open_letter(letter: Letter, here: Life | None, *, trusted: bool = True) -> Any:
    """The value in a letter, made anew at each call.

    No code of a user's class runs and nothing is imported: dataclasses are rebuilt without `__init__`, and
    what is not loaded here, or has other fields here, arrives as `Struct` or `FunctionName`.

    Args:
        letter: its bytes, and the life of the node that sealed them (None: this node).
        here: this node's life, whose pids and references become local; None if it has no name.
        trusted: functions and classes arrive as themselves where they are loaded.  If not, they arrive as
            `FunctionName` unless they are exported, and an object that can be called as a `Struct`: nothing
            in the letter is code that a pattern, a callback or a sort key would run.

    Raises:
        DecodeError: the bytes are no letter.
    """
    data, origin = letter
    if type(data) is Discarded:
        raise DecodeError(data.why)
    try:
        if len(data) <= _SMALL_BYTES:
            idle = _idle_for_small
            opener = idle.pop() if idle else Opener(_SMALL_BYTES)
        else:
            check_depth(data)
            if len(data) <= _KEPT_BYTES:
                idle = _idle
                opener = idle.pop() if idle else Opener(_KEPT_BYTES)
            else:
                idle, opener = [], Opener(len(data))
        opener.origin = origin
        opener.here = here
        opener.trusted = trusted
        value = opener.open(data)
    except Careful:
        return _open_with(CarefulOpener(len(data)), letter, here, trusted=trusted)
    except Exception as cause:
        if type(cause) is ValueError and "max_map_len" in str(cause):
            return _open_with(SpreadOpener(len(data)), letter, here, trusted=trusted)
        raise DecodeError(_sentence(cause)) from None
    idle.append(opener)
    return value


def _sentence(cause: Exception) -> str:
    return f"not a letter: {cause}" if str(cause) else f"not a letter: {type(cause).__name__}"


def _open_with(opener: Opener, letter: Letter, here: Life | None, *, trusted: bool) -> Any:
    opener.origin, opener.here, opener.trusted = letter.origin, here, trusted
    try:
        return opener.open(letter.data)
    except Careful:
        return _open_with(CarefulOpener(len(letter.data)), letter, here, trusted=trusted)
    except Exception as cause:
        raise DecodeError(_sentence(cause)) from None


_C_STACK: Final = 1024
_WRAPPING: Final = b"\x91" * (_C_STACK - marks.MAX_DEPTH)


def check_depth(data: bytes) -> None:
    """Walks one packed value without building it.

    Raises:
        Exception: msgpack's, when it nests too deep, is cut short, or has bytes behind it.
    """
    # The C unpacker's stack holds `_C_STACK` containers; the wrapping leaves 256 of them to the letter.
    size = len(_WRAPPING) + len(data)
    scout = msgpack.Unpacker(max_buffer_size=size, read_size=size)
    scout.feed(_WRAPPING)
    for piece in slices(data):
        scout.feed(piece)
    scout.skip()
    if scout.tell() != size:
        msg = "there are bytes behind the value"
        raise ValueError(msg)
