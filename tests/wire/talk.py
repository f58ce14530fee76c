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
    Exit,
    ExitTo,
    Goodbye,
    Leader,
    Letter,
    Link,
    Monitor,
    Nodes,
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
from pyx.terms import Life, Pid, Ref
from pyx.wire.codec import seal
from pyx.wire.frame import LENGTH
from pyx.wire.kinds import KINDS
from pyx.wire.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.wire.fragments import Parcel

GUS, BOB, CAT = Life("gus@vm", 11), Life("bob@vm", 22), Life("cat@vm", 33)

# As gus writes them, and as bob reads them: the sender's own become foreign, the receiver's own become local.
MINE, MINE_READ = Pid(5), Pid(5, 0, *GUS)
HIS, HIS_READ = Pid(7, 1, *BOB), Pid(7, 1)
OTHER = Pid(9, 0, *CAT)
OLD = Pid(7, 1, "bob@vm", 21)
REF, REF_READ = Ref(2**63), Ref(2**63, *GUS)
ALIAS, ALIAS_READ = Ref(99, *BOB), Ref(99)
SEALED, SEALED_READ = Letter(b"sealed"), Letter(b"sealed", GUS)
BIG, BIG_READ = Letter(b"B" * 100_000), Letter(b"B" * 100_000, GUS)

TABLE: list[tuple[Signal, Signal]] = [
    (Send(MINE, HIS, SEALED), Send(MINE_READ, HIS_READ, SEALED_READ)),
    (Send(None, HIS, SEALED), Send(None, HIS_READ, SEALED_READ)),
    (Send(MINE, HIS, BIG), Send(MINE_READ, HIS_READ, BIG_READ)),
    (Send(MINE, HIS, Letter(b"")), Send(MINE_READ, HIS_READ, Letter(b"", GUS))),
    (Send(MINE, OLD, SEALED), Send(MINE_READ, OLD, SEALED_READ)),
    (Send(MINE, "stock", SEALED), Send(MINE_READ, "stock", SEALED_READ)),
    (Send(None, "größe\udc80", SEALED), Send(None, "größe\udc80", SEALED_READ)),
    (Send(MINE, "n" * 255, SEALED), Send(MINE_READ, "n" * 255, SEALED_READ)),
    (Send(MINE, "n" * 256, SEALED), Send(MINE_READ, "n" * 256, SEALED_READ)),
    (Send(MINE, ALIAS, SEALED), Send(MINE_READ, ALIAS_READ, SEALED_READ)),
    (Send(None, Ref(3, "bob@vm", 21), SEALED), Send(None, Ref(3, "bob@vm", 21), SEALED_READ)),
    (Send(MINE, Ref(2**64 - 1, *BOB), SEALED), Send(MINE_READ, Ref(2**64 - 1), SEALED_READ)),
    (Send(MINE, HIS, Letter(b"x", GUS)), Send(MINE_READ, HIS_READ, Letter(b"x", GUS))),
    (Send(MINE, HIS, Letter(b"x", CAT)), Send(MINE_READ, HIS_READ, Letter(b"x", CAT))),
    (Send(MINE, HIS, Letter(b"x", BOB)), Send(MINE_READ, HIS_READ, Letter(b"x", BOB))),
    (Link(MINE, HIS), Link(MINE_READ, HIS_READ)),
    (Unlink(MINE, HIS, 3), Unlink(MINE_READ, HIS_READ, 3)),
    (UnlinkAck(MINE, HIS, 2**64 - 1), UnlinkAck(MINE_READ, HIS_READ, 2**64 - 1)),
    (Exit(MINE, HIS, "noproc"), Exit(MINE_READ, HIS_READ, "noproc")),
    (Exit(Pid(5, 0, "gus@vm", 10), HIS, "noproc"), Exit(Pid(5, 0, "gus@vm", 10), HIS_READ, "noproc")),
    (Exit(MINE, HIS, SEALED), Exit(MINE_READ, HIS_READ, SEALED_READ)),
    (Exit(MINE, HIS, Letter(b"", CAT)), Exit(MINE_READ, HIS_READ, Letter(b"", CAT))),
    (ExitTo(MINE, HIS, "kill"), ExitTo(MINE_READ, HIS_READ, "kill")),
    (ExitTo(MINE, HIS, SEALED), ExitTo(MINE_READ, HIS_READ, SEALED_READ)),
    (Monitor(MINE, HIS, REF), Monitor(MINE_READ, HIS_READ, REF_READ)),
    (Monitor(MINE, "stock", REF), Monitor(MINE_READ, "stock", REF_READ)),
    (Demonitor(MINE, HIS, REF), Demonitor(MINE_READ, HIS_READ, REF_READ)),
    (Demonitor(MINE, "stock", REF), Demonitor(MINE_READ, "stock", REF_READ)),
    (Down(HIS, ALIAS, MINE, "normal"), Down(HIS_READ, ALIAS_READ, MINE_READ, "normal")),
    (Down(HIS, ALIAS, "stock", "normal", MINE), Down(HIS_READ, ALIAS_READ, "stock", "normal", MINE_READ)),
    (Down(HIS, ALIAS, "stock", SEALED), Down(HIS_READ, ALIAS_READ, "stock", SEALED_READ)),
    (Down(HIS, ALIAS, MINE, Letter(b"r", BOB)), Down(HIS_READ, ALIAS_READ, MINE_READ, Letter(b"r", BOB))),
    (Print(MINE, HIS, "two\nlines\n"), Print(MINE_READ, HIS_READ, "two\nlines\n")),
    (Crashed(MINE, HIS, "ValueError: no\n"), Crashed(MINE_READ, HIS_READ, "ValueError: no\n")),
    (Leader(MINE, HIS, OTHER), Leader(MINE_READ, HIS_READ, OTHER)),
    (Call(MINE, 0, MINE, SEALED), Call(MINE_READ, 0, MINE_READ, SEALED_READ)),
    (Call(MINE, 8, HIS, BIG), Call(MINE_READ, 8, HIS_READ, BIG_READ)),
    (Spawn(MINE, 8, MINE, True, REF, SEALED), Spawn(MINE_READ, 8, MINE_READ, True, REF_READ, SEALED_READ)),
    (Spawn(MINE, 8, MINE, False, None, BIG), Spawn(MINE_READ, 8, MINE_READ, False, None, BIG_READ)),
    (Ask(MINE, 8, "info", SEALED), Ask(MINE_READ, 8, "info", SEALED_READ)),
    (Answer(8, "value", SEALED), Answer(8, "value", SEALED_READ)),
    (Answer(8, "refused", "off"), Answer(8, "refused", "off")),
    (Answer(8, "value", SEALED, MINE), Answer(8, "value", SEALED_READ, MINE_READ)),
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


def sessions() -> tuple[Session, Session]:
    return Session(GUS, BOB), Session(BOB, GUS)


def said(session: Session, signals: Iterable[Signal]) -> bytes:
    """All the bytes that these signals make."""
    queue = deque(signals)
    chunks = []
    while queue or not session.is_empty:
        chunks.append(session.transmit(queue)[0])
    return b"".join(chunks)


def a_long_body(signal: type, *fields: Any, letter: bytes = b"") -> bytes:
    """The body of a frame as a peer might forge it."""
    header = seal(fields)
    return struct.pack(">BI", KINDS[signal], len(header)) + header + letter


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
