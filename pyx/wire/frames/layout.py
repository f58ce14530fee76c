"""The kinds of frames and the layout of each, shared by `writer` and `reader`.

The first byte of a frame's body is its kind.  An empty body is a `Tick`.

    1  Send to a pid   u8 kind | u8 sender? | u64 to number | u32 to serial | u32 to creation | FROM | payload
    2  Send to a name  u8 kind | u8 sender? | FROM | u8 length | name | payload
    3  Send to alias   u8 kind | u8 sender? | u64 number | u32 creation | FROM | payload
    25 first fragment  u8 kind | u32 stream | u32 bytes of the head | u32 bytes of the payload | piece
    26 later fragment  u8 kind | u32 stream | piece
    others             u8 kind | u32 length | header | payload

FROM is u64 number | u32 serial: zeros where there is no sender.  All before the payload is the *head* of a
frame.  A *header* is a part of some heads: the tuple of the signal's fields, encoded; the u32 is its length.
Where a field is a payload, the header holds True (encoded by the sender), or the name and creation of the
third node that encoded it, and the payload's bytes end the frame.

`KINDS` numbers the signals; which types a field may have is read from the annotations in `signals.py`.
"""

from __future__ import annotations

from struct import Struct
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from pyx import signals as sig

TO_PID: Final = Struct(">BBQIIQI")
TO_NAME: Final = Struct(">BBQIB")
TO_ALIAS: Final = Struct(">BBQIQI")
KIND_AND_LENGTH: Final = Struct(">BI")
FIRST: Final = Struct(">BIII")
LATER: Final = Struct(">BI")

SEND_PID, SEND_NAME, SEND_ALIAS = 1, 2, 3
FIRST_FRAGMENT, LATER_FRAGMENT = 25, 26

KINDS: Final[dict[type, int]] = {
    sig.Send: 4,  # the long form: for a sender or a destination that the short forms cannot hold
    sig.Link: 5,
    sig.Unlink: 6,
    sig.UnlinkAck: 7,
    sig.ExitSignal: 8,
    sig.ExitTo: 9,
    sig.Monitor: 10,
    sig.Demonitor: 11,
    sig.Down: 12,
    sig.Print: 13,
    sig.Leader: 14,
    sig.Call: 15,
    sig.Spawn: 16,
    sig.Ask: 17,
    sig.Answer: 18,
    sig.Spawned: 19,
    sig.Ping: 20,
    sig.Pong: 21,
    sig.Nodes: 22,
    sig.Goodbye: 23,
    sig.Crashed: 24,
    # 25 and 26 are fragments
    sig.Dropped: 27,
}


def _types_of(signal: Any) -> tuple[frozenset[type], ...]:
    """For each field of a signal the exact types that it may have."""
    hints = get_type_hints(signal)
    return tuple(_alternatives(hints[field]) for field in signal._fields)


def _alternatives(hint: Any) -> frozenset[type]:
    if hint is Any:  # a Body: between nodes it is always a payload
        return frozenset({sig.Payload})
    choices = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return frozenset(get_origin(choice) or choice for choice in choices)


SIGNALS: Final[dict[int, tuple[Any, tuple[frozenset[type], ...]]]] = {
    kind: (signal, _types_of(signal)) for signal, kind in KINDS.items()
}
"""By kind: the signal's class, and the types of its fields."""
