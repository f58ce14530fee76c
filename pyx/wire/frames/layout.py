"""The kinds of frames, and how each is laid out: what `writer.py` and `reader.py` agree on.

The body of a frame opens with its kind.  An empty frame is `Tick`.

    1 Send to a pid     u8 kind | u8 sender? | u64 to number | u32 to serial | u32 to creation | FROM |
    payload 2 Send to a name    u8 kind | u8 sender? | FROM | u8 length | name | payload 3 Send to an alias
    u8 kind | u8 sender? | u64 number | u32 creation | FROM | payload
                        FROM = u64 number | u32 serial, zeros where there is no sender
    25 first fragment   u8 kind | u32 stream | u32 bytes of the head | u32 bytes of the payload | piece
    26 later fragment   u8 kind | u32 stream | piece
    others              u8 kind | u32 length | header | payload

All before the payload is the *head* of a frame.  A header is the tuple of the signal's fields, encoded.
Where a field is a payload, the header holds True (encoded by the sender), or the name and creation of the
third node that encoded it, and the payload's bytes end the frame.

The kinds of signals are the table `KINDS`; which types a field may have is read from `signals.py` itself.
"""

from __future__ import annotations

from struct import Struct
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from pyx.signals import (
    Answer,
    Ask,
    Call,
    Crashed,
    Demonitor,
    Down,
    Dropped,
    ExitSignal,
    ExitTo,
    Goodbye,
    Leader,
    Link,
    Monitor,
    Nodes,
    Payload,
    Ping,
    Pong,
    Print,
    Send,
    Spawn,
    Spawned,
    Unlink,
    UnlinkAck,
)

TO_PID: Final = Struct(">BBQIIQI")
TO_NAME: Final = Struct(">BBQIB")
TO_ALIAS: Final = Struct(">BBQIQI")
HEADER: Final = Struct(">BI")
FIRST: Final = Struct(">BIII")
LATER: Final = Struct(">BI")

SEND_PID, SEND_NAME, SEND_ALIAS = 1, 2, 3
FIRST_FRAGMENT, LATER_FRAGMENT = 25, 26

KINDS: Final[dict[type, int]] = {
    Send: 4,  # the long form: a sender or a destination that the short ones cannot say
    Link: 5,
    Unlink: 6,
    UnlinkAck: 7,
    ExitSignal: 8,
    ExitTo: 9,
    Monitor: 10,
    Demonitor: 11,
    Down: 12,
    Print: 13,
    Leader: 14,
    Call: 15,
    Spawn: 16,
    Ask: 17,
    Answer: 18,
    Spawned: 19,
    Ping: 20,
    Pong: 21,
    Nodes: 22,
    Goodbye: 23,
    Crashed: 24,
    # 25 and 26 are fragments
    Dropped: 27,
}


def _types_of(signal: Any) -> tuple[frozenset[type], ...]:
    """For each field of a signal the exact types it may have."""
    hints = get_type_hints(signal)
    return tuple(_alternatives(hints[field]) for field in signal._fields)


def _alternatives(hint: Any) -> frozenset[type]:
    if hint is Any:  # a Body: between nodes it is always a payload
        return frozenset({Payload})
    choices = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return frozenset(get_origin(choice) or choice for choice in choices)


FORMS: Final[dict[int, tuple[Any, tuple[frozenset[type], ...]]]] = {
    kind: (signal, _types_of(signal)) for signal, kind in KINDS.items()
}
"""By kind: the signal, and the types of its fields."""
