"""The door of the codec: messages to bytes and back, exactly.  Not here: frames, signals.

Exact, decided by `type(x) is`: None, bool, int of any size, float, str (lone surrogates too), bytes, list,
tuple, dict with any hashable keys in order, set, frozenset, date, time, datetime, timedelta, Decimal, UUID,
Pid, Ref, dataclasses, namedtuples and enums by class name, functions and classes by name, Struct,
FunctionName, Raised.  An exception arrives as `Raised`.  All else, and what would arrive changed, is an
`EncodeError` at the call, with a hint (`refusal`, `hints`).

Inside: `marks` (the format), `encode` after `measure`, `opening` by `opener` or `hashing` (payloads whose
keys need care), `classes` and `names` (a user's code, handled without running it), `leaves` (dates and the
like).
"""

from __future__ import annotations

from typing import Any, Final, cast

from pyx.terms import Pid, Ref
from pyx.wire.messages.encode import encode
from pyx.wire.messages.format import MAX_DEPTH
from pyx.wire.messages.names import name_of_callable
from pyx.wire.messages.opening import decode

__all__ = ["MAX_DEPTH", "decode", "encode", "is_flat", "name_of_callable"]

_FLAT: Final = frozenset((type(None), bool, int, float, str, bytes, Pid, Ref))


def is_flat(value: object) -> bool:
    """True for what may stay itself inside a node, because nobody can change it or tell the difference.

    That is exactly None, bool, int, float, str, bytes, Pid, Ref, or a tuple of these.
    """
    cls = type(value)
    try:
        return cls in _FLAT or (cls is tuple and _FLAT.issuperset(map(type, cast("tuple[Any, ...]", value))))
    except Exception:  # a class may be unhashable: its metaclass says so
        return False
