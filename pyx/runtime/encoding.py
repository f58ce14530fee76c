"""Values to payloads and back: messages, arguments, results, exit reasons.

See `wire/codec.py` for how a value becomes bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom
from pyx.core.mailbox import (
    Called,
    Downed,
    Exited,
    GroupChanged,
    KeyChanged,
    NodeDown,
    NodeUp,
    PresenceChanged,
    Published,
    Replied,
)
from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import LONGEST_WORD, REASON_WORDS, Raised
from pyx.wire.codec import decode, encode, encode_payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyx.core.kernel import Kernel
    from pyx.signals import Held, Reason


CALL_TAG: Final = "$gen_call"
SYSTEM_TAG: Final = "system"
REFUSED_TAG: Final = "$gen_refused"
"""The first fields of calls and of one reply; `otp/protocol.py` has the messages."""

PUBLISH_TAG: Final = "$publish"
"""The first field of a broadcast as the process of an instance with a dispatcher gets it."""


def encoded(value: Any, limit: int, *, what: str = "message") -> Payload:
    """Returns *value* as a payload.

    Args:
        value: data.
        limit: bytes (`LocalNode.max_message_bytes`); the same inside a node and between nodes.
        what: the root of the path in an error's sentence.

    Raises:
        EncodeError: *value* is not data, or too long.
    """
    return Payload(encode_payload(value, what=what, max_bytes=limit))


def decoded(payload: Payload, kernel: Kernel, binaries: str = "str") -> Any:
    """Returns the value in a payload, as a receiver on this node sees it.

    Under `--rpc exported` and `off` a peer's message holds nothing that can be called: a function that is not
    exported arrives as `FunctionName`, and so does every class, because a receiver may use a message as a
    pattern, a callback or a sort key.

    Args:
        payload: from a peer, or of this node.
        kernel: of this node, for its incarnation and its policy.
        binaries: `"bytes"` leaves the binaries of Erlang nodes bytes.

    Raises:
        DecodeError: the payload cannot be decoded.
    """
    tables = kernel.tables
    return decode(payload, tables.here, trusts_peers=tables.trusts_peers, binaries=binaries)


def encoded_call(
    module: str,
    function: str,
    args: Sequence[Any],
    limit: int,
    kwargs: Mapping[str, Any] | None = None,
    source: tuple[Any, ...] | None = None,
) -> Payload:
    """Returns the payload of a call; raises as `encoded`, with a path that starts at `args`.

    Keyword arguments and a source follow only where there are any: all versions read
    `(module, function, args)`.
    """
    more: tuple[Any, ...] = () if not kwargs and source is None else (dict(kwargs or {}),)
    if source is not None:
        more = (*more, source)
    try:
        return Payload(encode((module, function, list(args), *more), max_bytes=limit))
    except EncodeError:
        encoded(list(args), limit, what="args")  # raises again, with a path that the caller understands
        encoded(dict(kwargs or {}), limit, what="kwargs")
        raise


def encoded_reason(reason: object, limit: int) -> Reason:
    """Returns an exit reason as it is sent: a short str stays itself, any other data is encoded.

    The atoms of OTP's own reasons are the kernel's words: `Exit(Atom("normal"))` is a normal end.
    A reason that is not data, or too long, becomes a `Raised` that says so: the end of a process must not
    fail.
    """
    if type(reason) is str and len(reason) <= LONGEST_WORD:
        return reason
    if type(reason) is Atom and reason in REASON_WORDS:
        return str(reason)
    if type(reason) is Payload:
        return reason  # the result of a call by an Erlang node (`erpc.py`)
    try:
        return encoded(reason, limit, what="reason")
    except EncodeError as error:
        return encoded(Raised("EncodeError", str(error)), limit)


# ---------------------------------------------------------------- mailbox items as their reader sees them


def decode_item(kernel: Kernel, item: Any, binaries: str = "str") -> Any:
    """Returns the message that a mailbox item stands for; arguments and errors as of `decoded`."""
    kind = type(item)
    if kind is Payload:
        return decoded(item, kernel, binaries)
    if kind is Downed:
        return ("DOWN", item.ref, "process", item.target, decode_reason(kernel, item.reason, binaries))
    if kind is Exited:
        return ("EXIT", item.pid, decode_reason(kernel, item.reason, binaries))
    if kind is Called:
        tag = SYSTEM_TAG if item.is_system else CALL_TAG
        return tag, (item.pid, item.ref), decode_body(kernel, item.body, binaries)
    if kind is Replied:
        return item.ref, decode_body(kernel, item.body, binaries)
    if kind is GroupChanged:  # a key of a peer is as untrusted as a message of one
        group = decoded(Payload(item.key, kernel.tables.here), kernel)
        return item.ref, item.kind, group, list(item.pids)
    if kind is KeyChanged:
        told = item.registry.partition(" ")[2], decoded(Payload(item.key), kernel), item.pid
        if item.kind == "leave":
            return ("unregister", *told)
        return ("register", *told, decode_body(kernel, item.value))
    if kind is Published:
        message = decode_item(kernel, item.body, binaries)
        return PUBLISH_TAG, item.skip, decoded(Payload(item.key), kernel), message
    if kind is PresenceChanged:
        diff = {"joins": presences(kernel, item.joins), "leaves": presences(kernel, item.leaves)}
        return "presence_diff", decoded(Payload(item.key), kernel), diff
    if kind is NodeUp:
        return ("nodeup", *_name_and_facts(item.name, {"node_type": item.node_type}))
    if kind is NodeDown:
        facts = {"node_type": item.node_type, "nodedown_reason": item.reason}
        return ("nodedown", *_name_and_facts(item.name, facts))
    return item


def _name_and_facts(name: str, facts: dict[str, str]) -> tuple[Any, ...]:
    """Returns what follows `"nodeup"` or `"nodedown"`: the facts too, if they were asked for."""
    return (name, facts) if facts["node_type"] else (name,)


def decode_body(kernel: Kernel, body: Any, binaries: str = "str") -> Any:
    """Returns the value of a payload, or the flat value that came as it is; raises DecodeError."""
    return decoded(body, kernel, binaries) if type(body) is Payload else body


def presences(kernel: Kernel, entries: Iterable[Held]) -> dict[str, list[dict[Any, Any]]]:
    """Returns the metas of presences by their keys; without those that a peer has malformed."""
    found: dict[str, list[dict[Any, Any]]] = {}
    for held in entries:
        try:
            value = decode_body(kernel, held.value)
        except DecodeError:
            continue
        match value:
            case (key, meta) if type(key) is str and type(meta) is dict:
                found.setdefault(key, []).append(meta)
    return found


def decode_reason(kernel: Kernel, reason: str | Payload, binaries: str = "str") -> Any:
    """Returns an exit reason as its reader sees it; `"unreadable"` if it cannot be decoded."""
    if type(reason) is str:
        return reason
    assert isinstance(reason, Payload)
    try:
        return decoded(reason, kernel, binaries)
    except DecodeError:
        return "unreadable"


def peek(kernel: Kernel, items: list[Any]) -> list[Any]:
    """Returns the messages in *items*, decoded anew, without those that cannot be decoded."""
    seen: list[Any] = []
    for item in items:
        try:
            seen.append(decode_item(kernel, item))
        except DecodeError:
            continue
    return seen
