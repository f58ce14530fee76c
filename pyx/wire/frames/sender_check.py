"""What a peer may say: each field of each signal, compared with who the peer is.

A peer speaks for its own processes, to those of this node, and in words, numbers and lists of bounded length.
See `layout.py` for the types of the fields, and `core` for what a signal brings about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from pyx.signals import (
    MOST_NODES,
    Ask,
    Call,
    Crashed,
    Down,
    ExitSignal,
    Nodes,
    Print,
    Spawn,
    Unlink,
    UnlinkAck,
)
from pyx.terms import LONGEST_WORD, MAX_NODE_NAME_BYTES, Pid, is_full_name
from pyx.wire.frames.fragments import HEAD_BYTES

if TYPE_CHECKING:
    from pyx.terms import Incarnation, Ref

SHORT_HEAD_BYTES: Final = 8 * 1024
"""The longest head of a signal without output or a list of nodes: it holds some pids, words and numbers."""

LONGEST_HEADS: Final[dict[type, int]] = {
    Print: HEAD_BYTES,
    Crashed: HEAD_BYTES,
    Nodes: MOST_NODES * (MAX_NODE_NAME_BYTES + 5) + 64,
}
"""The longest heads of the others."""

ENCODED_BY_THE_PEER: Final = frozenset({Call, Spawn, Ask})
"""The payload of these is the peer's own wish; that of any other signal may be what a third node said."""

_OF_ITS_PAST: Final = frozenset({ExitSignal, UnlinkAck})
"""What was for a process of an earlier life of the peer is answered by these in that life's name."""


def may_say(signal: type, field: str, value: Any, here: Incarnation, there: Incarnation) -> bool:
    """Whether a field, which has the right type, may have that value.

    Args:
        signal: the class of the signal.
        field: its name.
        value: what it is to be.
        here: this node's life.
        there: the peer's.
    """
    match field:
        case "frm" if signal in _OF_ITS_PAST:
            return type(value) is Pid and value.node == there.name
        case "frm" | "pid" | "monitor":
            return _is_own(value, there)
        case "ref":
            return _is_here(value, here) if signal is Down else _is_own(value, there)
        case "target" if type(value) is Pid and signal is Down:
            return bool(value.node == there.name)
        case "to" | "target":
            return type(value) is str or _is_here(value, here)
        case "number":
            return bool((1 if signal in {Unlink, UnlinkAck} else 0) <= value < 2**64)
        case "reason" | "outcome" | "subject" | "payload":
            return type(value) is not str or len(value) <= LONGEST_WORD
        case "names":
            return len(value) <= MOST_NODES and all(
                type(name) is str and is_full_name(name) for name in value
            )
    return True


def is_filled_by_text(header: bytes) -> bool:
    """True for a header whose last field is a text that takes nearly all of it.

    The header of a signal with output may be long for the sake of its text alone: of so many lists or objects
    decoding would take long and much memory, and that is done on the transport's loop.
    """
    scout = msgpack.Unpacker(max_buffer_size=len(header), read_size=len(header))
    scout.feed(header)
    try:
        for _ in range(scout.read_array_header() - 1):
            scout.skip()
    except Exception:
        return False
    start: int = scout.tell()
    width = {0xDA: 2, 0xDB: 4}.get(header[start], 0) if start < SHORT_HEAD_BYTES else 0
    text = start + 1 + width
    return width > 0 and int.from_bytes(header[start + 1 : text], "big") == len(header) - text


def _is_own(value: Pid | Ref | None, there: Incarnation) -> bool:
    return value is None or value.incarnation == there


def _is_here(value: Pid | Ref, here: Incarnation) -> bool:
    return not value.node or value.node == here.name
