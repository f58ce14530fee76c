"""Values to letters, for all that leaves a process: messages, arguments, results, reasons.

Not here: how a value becomes bytes (`wire/codec.py`), and opening (`mail.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.errors import EncodeError
from pyx.signals import Letter
from pyx.terms import Raised
from pyx.wire.codec import seal
from pyx.wire.fragments import MAX_LETTER_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.signals import Reason


def sealed(value: Any, *, what: str = "message") -> Letter:
    """*value* as a letter, which may travel.

    Raises:
        EncodeError: it is not data, or too long; *what* is the root of the path in its sentence.
    """
    data = seal(value, what=what)
    if len(data) > MAX_LETTER_BYTES:  # a session would be lost by it; refused at home too, to be alike
        problem = f"is too long: {len(data):,} bytes sealed, at most {MAX_LETTER_BYTES:,} can travel"
        raise EncodeError(what, type(value), problem)
    return Letter(data)


def sealed_call(module: str, function: str, args: Sequence[Any]) -> Letter:
    """The letter of a call by name; raises as `sealed`, with a path that starts at `args`."""
    try:
        return sealed((module, function, list(args)))
    except EncodeError:
        sealed(list(args), what="args")  # raises again, with the path the caller can read
        raise


def sealed_reason(reason: object) -> Reason:
    """An exit reason as it travels: a plain word stays itself, any other data is sealed.

    One that is no data becomes a `Raised` that says so: an end must not fail.
    """
    if type(reason) is str:
        return reason
    try:
        return sealed(reason, what="reason")
    except EncodeError as error:
        return sealed(Raised("EncodeError", str(error)))
