"""Values to letters, for all that leaves a process: messages, arguments, results, reasons.

Not here: how a value becomes bytes (`wire/codec.py`), and opening (`mail.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.errors import EncodeError
from pyx.signals import Letter
from pyx.terms import LONGEST_WORD, Raised
from pyx.wire.codec import seal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.signals import Reason


def sealed(value: Any, limit: int, *, what: str = "message") -> Letter:
    """*value* as a letter, which may travel.

    Args:
        value: data.
        limit: bytes, what the node lets travel (`LocalNode.max_message_bytes`); at home too, to be alike.
        what: the root of the path in the sentence of an error.

    Raises:
        EncodeError: it is not data, or too long.
    """
    data = seal(value, what=what)
    if len(data) > limit:
        problem = f"is too long: {len(data):,} bytes sealed, at most {limit:,} can travel (--max-message)"
        raise EncodeError(what, type(value), problem)
    return Letter(data)


def sealed_call(module: str, function: str, args: Sequence[Any], limit: int) -> Letter:
    """The letter of a call by name; raises as `sealed`, with a path that starts at `args`."""
    try:
        return sealed((module, function, list(args)), limit)
    except EncodeError:
        sealed(list(args), limit, what="args")  # raises again, with the path the caller can read
        raise


def sealed_reason(reason: object, limit: int) -> Reason:
    """An exit reason as it travels: a plain word stays itself, any other data is sealed.

    One that is no data, or too long, becomes a `Raised` that says so: an end must not fail.
    """
    if type(reason) is str and len(reason) <= LONGEST_WORD:
        return reason
    try:
        return sealed(reason, limit, what="reason")
    except EncodeError as error:
        return sealed(Raised("EncodeError", str(error)), limit)
