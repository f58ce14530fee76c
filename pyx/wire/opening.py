"""Bytes to values.  Not here: the way there (`seal`), and how one value is built (`opener`, `hashing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import DecodeError
from pyx.wire import marks
from pyx.wire.assembly import Discarded
from pyx.wire.hashing import CarefulOpener
from pyx.wire.opener import Careful, Opener
from pyx.wire.seal import check_depth

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


def open_letter(letter: Letter, here: Life | None) -> Any:
    """The value in a letter, made anew at each call.

    No code of a user's class runs and nothing is imported: dataclasses are rebuilt without `__init__`, and
    what is not loaded here, or has other fields here, arrives as `Struct` or `FunctionName`.

    Args:
        letter: its bytes, and the life of the node that sealed them (None: this node).
        here: this node's life, whose pids and references become local; None if it has no name.

    Raises:
        DecodeError: the bytes are no letter.
    """
    data, origin = letter
    if type(data) is Discarded:
        raise DecodeError(data.why)
    try:
        if len(data) <= _SMALL_BYTES:
            idle = _idle_for_small
        else:
            idle = _idle
            check_depth(data)
        try:
            opener = idle.pop() if len(data) <= _KEPT_BYTES else Opener(len(data))
        except IndexError:
            opener = Opener(_SMALL_BYTES if idle is _idle_for_small else _KEPT_BYTES)
        opener.origin = origin
        opener.here = here
        value = opener.open(data)
    except Careful:
        return _open_carefully(letter, here)
    except Exception as cause:
        raise DecodeError(_sentence(cause)) from None
    if len(data) <= _KEPT_BYTES:
        idle.append(opener)
    return value


def _sentence(cause: Exception) -> str:
    return f"not a letter: {cause}" if str(cause) else f"not a letter: {type(cause).__name__}"


def _open_carefully(letter: Letter, here: Life | None) -> Any:
    opener = CarefulOpener(len(letter.data))
    opener.origin, opener.here = letter.origin, here
    try:
        return opener.open(letter.data)
    except Exception as cause:
        raise DecodeError(_sentence(cause)) from None
