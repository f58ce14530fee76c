"""What two nodes say to each other in these tests: every signal, as its writer and as its reader sees it."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, Any

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
    Signal,
    Spawn,
    Spawned,
    Tick,
    Unlink,
    UnlinkAck,
)
from pyx.terms import Incarnation, Pid, Ref
from pyx.wire.codec import encode
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import KINDS
from pyx.wire.frames.signal_stream import SignalStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.wire.frames.fragments import Parcel

GUS, BOB, CAT = Incarnation("gus@vm", 11), Incarnation("bob@vm", 22), Incarnation("cat@vm", 33)

# As gus writes them, and as bob reads them: the sender's own become foreign, the receiver's own become local.
MINE, MINE_READ = Pid(5), Pid(5, 0, *GUS)
HIS, HIS_READ = Pid(7, 1, *BOB), Pid(7, 1)
OTHER = Pid(9, 0, *CAT)
OLD = Pid(7, 1, "bob@vm", 21)
REF, REF_READ = Ref(2**63), Ref(2**63, *GUS)
ALIAS, ALIAS_READ = Ref(99, *BOB), Ref(99)
ENCODED, ENCODED_READ = Payload(b"sealed"), Payload(b"sealed", GUS)
BIG, BIG_READ = Payload(b"B" * 100_000), Payload(b"B" * 100_000, GUS)

TABLE: list[tuple[Signal, Signal]] = [
    (Send(MINE, HIS, ENCODED), Send(MINE_READ, HIS_READ, ENCODED_READ)),
    (Send(None, HIS, ENCODED), Send(None, HIS_READ, ENCODED_READ)),
    (Send(MINE, HIS, BIG), Send(MINE_READ, HIS_READ, BIG_READ)),
    (Send(MINE, HIS, Payload(b"")), Send(MINE_READ, HIS_READ, Payload(b"", GUS))),
    (Send(MINE, OLD, ENCODED), Send(MINE_READ, OLD, ENCODED_READ)),
    (Send(MINE, "stock", ENCODED), Send(MINE_READ, "stock", ENCODED_READ)),
    (Send(None, "größe\udc80", ENCODED), Send(None, "größe\udc80", ENCODED_READ)),
    (Send(MINE, "n" * 255, ENCODED), Send(MINE_READ, "n" * 255, ENCODED_READ)),
    (Send(MINE, "n" * 256, ENCODED), Send(MINE_READ, "n" * 256, ENCODED_READ)),
    (Send(MINE, ALIAS, ENCODED), Send(MINE_READ, ALIAS_READ, ENCODED_READ)),
    (Send(None, Ref(3, "bob@vm", 21), ENCODED), Send(None, Ref(3, "bob@vm", 21), ENCODED_READ)),
    (Send(MINE, Ref(2**64 - 1, *BOB), ENCODED), Send(MINE_READ, Ref(2**64 - 1), ENCODED_READ)),
    (Send(MINE, HIS, Payload(b"x", GUS)), Send(MINE_READ, HIS_READ, Payload(b"x", GUS))),
    (Send(MINE, HIS, Payload(b"x", CAT)), Send(MINE_READ, HIS_READ, Payload(b"x", CAT))),
    (Send(MINE, HIS, Payload(b"x", BOB)), Send(MINE_READ, HIS_READ, Payload(b"x", BOB))),
    (Link(MINE, HIS), Link(MINE_READ, HIS_READ)),
    (Unlink(MINE, HIS, 3), Unlink(MINE_READ, HIS_READ, 3)),
    (UnlinkAck(MINE, HIS, 2**64 - 1), UnlinkAck(MINE_READ, HIS_READ, 2**64 - 1)),
    (ExitSignal(MINE, HIS, "noproc"), ExitSignal(MINE_READ, HIS_READ, "noproc")),
    (
        ExitSignal(Pid(5, 0, "gus@vm", 10), HIS, "noproc"),
        ExitSignal(Pid(5, 0, "gus@vm", 10), HIS_READ, "noproc"),
    ),
    (ExitSignal(MINE, HIS, ENCODED), ExitSignal(MINE_READ, HIS_READ, ENCODED_READ)),
    (ExitSignal(MINE, HIS, Payload(b"", CAT)), ExitSignal(MINE_READ, HIS_READ, Payload(b"", CAT))),
    (ExitTo(MINE, HIS, "kill"), ExitTo(MINE_READ, HIS_READ, "kill")),
    (ExitTo(MINE, HIS, ENCODED), ExitTo(MINE_READ, HIS_READ, ENCODED_READ)),
    (Monitor(MINE, HIS, REF), Monitor(MINE_READ, HIS_READ, REF_READ)),
    (Monitor(MINE, "stock", REF), Monitor(MINE_READ, "stock", REF_READ)),
    (Demonitor(MINE, HIS, REF), Demonitor(MINE_READ, HIS_READ, REF_READ)),
    (Demonitor(MINE, "stock", REF), Demonitor(MINE_READ, "stock", REF_READ)),
    (Down(HIS, ALIAS, MINE, "normal"), Down(HIS_READ, ALIAS_READ, MINE_READ, "normal")),
    (Down(HIS, ALIAS, "stock", "normal", MINE), Down(HIS_READ, ALIAS_READ, "stock", "normal", MINE_READ)),
    (Down(HIS, ALIAS, "stock", ENCODED), Down(HIS_READ, ALIAS_READ, "stock", ENCODED_READ)),
    (Down(HIS, ALIAS, MINE, Payload(b"r", BOB)), Down(HIS_READ, ALIAS_READ, MINE_READ, Payload(b"r", BOB))),
    (Print(MINE, HIS, "two\nlines\n"), Print(MINE_READ, HIS_READ, "two\nlines\n")),
    (Crashed(MINE, HIS, "ValueError: no\n"), Crashed(MINE_READ, HIS_READ, "ValueError: no\n")),
    (Leader(MINE, HIS, OTHER), Leader(MINE_READ, HIS_READ, OTHER)),
    (Call(MINE, 0, MINE, ENCODED), Call(MINE_READ, 0, MINE_READ, ENCODED_READ)),
    (Call(MINE, 8, HIS, BIG), Call(MINE_READ, 8, HIS_READ, BIG_READ)),
    (Spawn(MINE, 8, MINE, True, REF, ENCODED), Spawn(MINE_READ, 8, MINE_READ, True, REF_READ, ENCODED_READ)),
    (Spawn(MINE, 8, MINE, False, None, BIG), Spawn(MINE_READ, 8, MINE_READ, False, None, BIG_READ)),
    (Ask(MINE, 8, "info", ENCODED), Ask(MINE_READ, 8, "info", ENCODED_READ)),
    (Answer(8, "value", ENCODED), Answer(8, "value", ENCODED_READ)),
    (Answer(8, "refused", "off"), Answer(8, "refused", "off")),
    (Answer(8, "value", ENCODED, MINE), Answer(8, "value", ENCODED_READ, MINE_READ)),
    (Spawned(8, MINE), Spawned(8, MINE_READ)),
    (Dropped(MINE, "too long"), Dropped(MINE_READ, "too long")),
    (Tick(), Tick()),
    (Ping(8), Ping(8)),
    (Pong(8), Pong(8)),
    (Nodes(("cat@vm", "dan@vm")), Nodes(("cat@vm", "dan@vm"))),
    (Nodes(()), Nodes(())),
    (Goodbye(), Goodbye()),
]

WRITTEN = [written for written, _ in TABLE]
READ = [read for _, read in TABLE]


def sessions() -> tuple[SignalStream, SignalStream]:
    return SignalStream(GUS, BOB), SignalStream(BOB, GUS)


def said(session: SignalStream, signals: Iterable[Signal]) -> bytes:
    """All the bytes that these signals make."""
    queue = deque(signals)
    chunks = []
    while queue or not session.is_empty:
        chunks.append(session.transmit(queue)[0])
    return b"".join(chunks)


def a_long_body(signal: type, *fields: Any, payload: bytes = b"") -> bytes:
    """The body of a frame as a peer might forge it."""
    header = encode(fields)
    return struct.pack(">BI", KINDS[signal], len(header)) + header + payload


def framed(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


def pieces_of(parcel: Parcel) -> list[bytes]:
    """The bodies of all its fragments."""
    bodies = []
    while not parcel.is_over:
        parts: list[bytes | memoryview] = []
        size, _ = parcel.cut(parts)
        frame = b"".join(parts)
        assert len(frame) == size == 4 + LENGTH.unpack_from(frame)[0]
        bodies.append(frame[4:])
    return bodies
