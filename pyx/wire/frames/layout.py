"""The kinds of frames and the layout of each, shared by the writers and the readers of this package.

The first byte of a frame's body is its kind.  An empty body is a `Tick`.  All before the payload is the
*head* of a frame.

    1  Send to a pid    u8 kind | u8 sender? | TO | FROM | payload
    2  Send to a name   u8 kind | u8 sender? | FROM | u8 length | name | payload
    3  Send to alias    u8 kind | u8 sender? | u64 number | u32 creation | FROM | payload
    25 first fragment   u8 kind | u32 stream | u32 bytes of the head | u32 bytes of the payload | piece
    26 later fragment   u8 kind | u32 stream | piece
    4 to 24, 27 to 35   the general form of each signal, `KINDS`
                        u8 kind | u32 length | header | payload
    64 + that kind      the fixed form: the same signal in fewer bytes, if its pids and words fit
        Link                    u8 kind | FROM | TO
        Unlink, UnlinkAck       u8 kind | FROM | TO | u64 number
        ExitSignal, ExitTo      u8 kind | FROM | TO | u8 word? | WORD or payload
        Print, Crashed          u8 kind | FROM | TO | text
        Monitor, Demonitor      u8 kind | FROM | u64 reference | u8 name? | TO | name
        Down                    u8 kind | TO | u64 reference | u32 creation | u8 did it live? | FROM target
                                | u8 word? | WORD or payload
        Call                    u8 kind | FROM | u64 number | LEADER | payload
        Spawn                   u8 kind | FROM | u64 number | LEADER | u8 link? | u8 monitor? | u64 reference
                                | payload
        Answer                  u8 kind | u64 number | u8 outcome | u8 process? | FROM | u8 word?
                                | WORD or payload
        Spawned                 u8 kind | u64 number | FROM
        Ping, Pong              u8 kind | u64 number
        GenCall                 u8 kind | FROM | u64 reference | u8 name? | TO | u8 system? | payload;
                                with a name, u8 length | name before the payload
        GenReply                u8 kind | u8 process? | FROM | u64 reference | u32 creation | payload
        Publish                 u8 kind | u8 process? | u8 skipped? | FROM | u8 length | u16 length | payload;
                                the name of the instance and the topic, of these lengths, before the payload

FROM is a process of the sending node, u64 number | u32 serial; zeros where there is none.  TO is a process of
the receiving node, u64 number | u32 serial | u32 creation.  LEADER is u8 receiver's? | TO: a process of the
receiving node, or of the sending node with creation 0.  A byte with a question mark is 0 for no.  Texts are
UTF-8; a WORD has at most `LONGEST_WORD` characters.

A *header* is the tuple of the signal's fields, encoded; the u32 is its length.  Where a field is a payload,
the header holds True (encoded by the sender), or the name and creation of the third node that encoded it, and
the payload's bytes end the frame.  `KINDS` numbers the signals; which types a field may have is read from the
annotations in `signals.py`.
"""

from __future__ import annotations

from struct import Struct
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from pyx import signals as sig

FROM: Final = Struct(">QI")
TO: Final = Struct(">QII")
TO_PID: Final = Struct(">BBQIIQI")
TO_NAME: Final = Struct(">BBQIB")
TO_ALIAS: Final = Struct(">BBQIQI")
KIND_AND_LENGTH: Final = Struct(">BI")
FIRST: Final = Struct(">BIII")
LATER: Final = Struct(">BI")

SEND_PID, SEND_NAME, SEND_ALIAS = 1, 2, 3
FIRST_FRAGMENT, LATER_FRAGMENT = 25, 26

KINDS: Final[dict[type, int]] = {
    sig.Send: 4,  # for a sender or a destination that the kinds 1 to 3 cannot hold
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
    sig.Held: 28,
    sig.Let: 29,
    sig.Holdings: 30,  # see `held_keys.py`
    sig.GenCall: 32,
    sig.GenReply: 33,
    sig.Discover: 34,
    sig.Publish: 35,
}


FIXED: Final = 64
"""What the kind of a signal's fixed form adds to the kind of its general form."""


class FixedLayout:
    """The layout of a fixed head: written from numbers, and read with each pid as its bytes.

    Args:
        fields: what follows the kind, as `struct` has it, and F for FROM, T for TO.
    """

    __slots__ = ("pack", "size", "unpack", "unpack_from")

    def __init__(self, fields: str) -> None:
        written = Struct(">B" + fields.replace("F", "QI").replace("T", "QII"))
        read = Struct(">B" + fields.replace("F", "12s").replace("T", "16s"))
        self.pack: Final = written.pack
        self.unpack: Final = read.unpack
        self.unpack_from: Final = read.unpack_from
        self.size: Final = read.size


PAIR: Final = FixedLayout("FT")
PAIR_AND_NUMBER: Final = FixedLayout("FTQ")
PAIR_AND_REASON: Final = FixedLayout("FT?")
MONITOR: Final = FixedLayout("FQ?T")
DOWN: Final = FixedLayout("TQI?F?")
CALL: Final = FixedLayout("FQ?T")
SPAWN: Final = FixedLayout("FQ?T??Q")
ANSWER: Final = FixedLayout("QB?F?")
GEN_CALL: Final = FixedLayout("FQ?T?")
GEN_REPLY: Final = FixedLayout("?FQI")
PUBLISH: Final = FixedLayout("??FBH")
NUMBER_AND_PID: Final = FixedLayout("QF")
NUMBER: Final = FixedLayout("Q")

OUTCOMES: Final = ("value", "raised", "undefined", "exit", "refused")
"""The outcomes of an `Answer`, by their byte."""


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
