"""Checks each field of a received signal against the identity of the peer that sent it.

A peer may act for its own processes only, and only on processes of this node; words, numbers and lists have
bounded lengths.  `layout` has the types of the fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from pyx.signals import (
    LONGEST_KEY_BYTES,
    MOST_LET,
    MOST_NODES,
    Ask,
    Call,
    Down,
    ExitSignal,
    Held,
    Publish,
    Spawn,
    Unlink,
    UnlinkAck,
)
from pyx.terms import LONGEST_WORD, Pid, is_full_name
from pyx.wire.frames.head_limits import SHORT_HEAD_BYTES

if TYPE_CHECKING:
    from pyx.terms import Incarnation, Ref

PAYLOAD_OF_PEER_ONLY: Final = frozenset({Call, Spawn, Ask, Held, Publish})
"""Signals whose payload the peer itself must have encoded; in any other, a third node may have."""

_FROM_PAST_INCARNATIONS: Final = frozenset({ExitSignal, UnlinkAck})
"""Signals by which a peer answers for processes of an earlier incarnation, with their pids."""


def is_allowed(signal: type, field: str, value: Any, here: Incarnation, there: Incarnation) -> bool:
    """True if a peer may send that value, which has the right type, in that field.

    Args:
        signal: the class of the signal.
        field: the name of the field.
        value: the field's value.
        here: this node's incarnation.
        there: the peer's.
    """
    match field:
        case "frm" if signal in _FROM_PAST_INCARNATIONS:
            return type(value) is Pid and value.node == there.name
        case "frm" | "pid" | "monitor":
            return _is_of_peer(value, there)
        case "ref":
            return _is_of_this_node(value, here) if signal is Down else _is_of_peer(value, there)
        case "target" if type(value) is Pid and signal is Down:
            return bool(value.node == there.name)
        case "to" | "target":
            return type(value) is str or _is_of_this_node(value, here)
        case "number":
            return bool((1 if signal in {Unlink, UnlinkAck, Held} else 0) <= value < 2**64)
        case "reason" | "outcome" | "subject" | "payload":
            return type(value) is not str or len(value) <= LONGEST_WORD
        case "numbers":
            return 0 < len(value) <= MOST_LET and all(type(one) is int and 0 < one < 2**64 for one in value)
        case "topic":
            return len(value) <= LONGEST_KEY_BYTES
        case "pubsub":
            return len(value) <= LONGEST_WORD
        case "names":
            return len(value) <= MOST_NODES and all(
                type(name) is str and is_full_name(name) for name in value
            )
    return True


def is_mostly_text(header: bytes) -> bool:
    """True for a header whose last field is a text that takes nearly all of it.

    The header of a signal with output may be long for the sake of its text alone: decoding as many bytes of
    lists or objects would take long and much memory, on the transport's loop.
    """
    walker = msgpack.Unpacker(max_buffer_size=len(header), read_size=len(header))
    walker.feed(header)
    try:
        for _ in range(walker.read_array_header() - 1):
            walker.skip()
    except Exception:
        return False
    start: int = walker.tell()
    width = {0xDA: 2, 0xDB: 4}.get(header[start], 0) if start < SHORT_HEAD_BYTES else 0
    text = start + 1 + width
    return width > 0 and int.from_bytes(header[start + 1 : text], "big") == len(header) - text


def _is_of_peer(value: Pid | Ref | None, there: Incarnation) -> bool:
    return value is None or value.incarnation == there


def _is_of_this_node(value: Pid | Ref, here: Incarnation) -> bool:
    return not value.node or value.node == here.name
