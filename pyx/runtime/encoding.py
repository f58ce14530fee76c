"""Values to payloads and back: messages, arguments, results, exit reasons.

See `wire/codec.py` for how a value becomes bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core.mailbox import Downed, Exited, NodeDown, NodeUp
from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import LONGEST_WORD, Raised
from pyx.wire.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.core.kernel import Kernel
    from pyx.signals import Reason


def encoded(value: Any, limit: int, *, what: str = "message") -> Payload:
    """*value* as a payload, which may travel.

    Args:
        value: data.
        limit: bytes, what the node lets travel (`LocalNode.max_message_bytes`); at home too, to be alike.
        what: the root of the path in the sentence of an error.

    Raises:
        EncodeError: it is not data, or too long.
    """
    return Payload(encode(value, what=what, max_bytes=limit))


def decoded(payload: Payload, kernel: Kernel) -> Any:
    """The value in a payload, as its receiver on this node sees it.

    Under `--rpc exported` and `off` what a peer sent holds nothing that can be called: a function stands in
    it as `FunctionName` unless it is exported, a class always, for a receiver may use what it was sent as a
    pattern, a callback or a sort key.

    Args:
        payload: from a peer, or of this node.
        kernel: of this node, which knows its life and its policy.

    Raises:
        DecodeError: it cannot be read.
    """
    return decode(
        payload, kernel.tables.here, trusted=payload.origin is None or kernel.tables.policy == "open"
    )


def encoded_call(module: str, function: str, args: Sequence[Any], limit: int) -> Payload:
    """The payload of a call by name; raises as `encoded`, with a path that starts at `args`."""
    try:
        return encoded((module, function, list(args)), limit)
    except EncodeError:
        encoded(list(args), limit, what="args")  # raises again, with the path the caller can read
        raise


def encoded_reason(reason: object, limit: int) -> Reason:
    """An exit reason as it travels: a plain word stays itself, any other data is encoded.

    One that is no data, or too long, becomes a `Raised` that says so: an end must not fail.
    """
    if type(reason) is str and len(reason) <= LONGEST_WORD:
        return reason
    try:
        return encoded(reason, limit, what="reason")
    except EncodeError as error:
        return encoded(Raised("EncodeError", str(error)), limit)


# ---------------------------------------------------------------- mailbox items as their reader sees them


def open_item(kernel: Kernel, item: Any) -> Any:
    """Returns the message that a mailbox item stands for; raises DecodeError."""
    kind = type(item)
    if kind is Payload:
        return decoded(item, kernel)
    if kind is Downed:
        return ("DOWN", item.ref, "process", item.target, open_reason(kernel, item.reason))
    if kind is Exited:
        return ("EXIT", item.pid, open_reason(kernel, item.reason))
    if kind is NodeUp:
        return ("nodeup", item.name)
    if kind is NodeDown:
        return ("nodedown", item.name)
    return item


def open_reason(kernel: Kernel, reason: str | Payload) -> Any:
    """Returns an exit reason as its reader sees it; `"unreadable"` if it cannot be decoded."""
    if type(reason) is str:
        return reason
    assert isinstance(reason, Payload)
    try:
        return decoded(reason, kernel)
    except DecodeError:
        return "unreadable"


def peek(kernel: Kernel, items: list[Any]) -> list[Any]:
    """Returns the messages in *items*, decoded anew, without those that cannot be decoded."""
    seen: list[Any] = []
    for item in items:
        try:
            seen.append(open_item(kernel, item))
        except DecodeError:
            continue
    return seen
