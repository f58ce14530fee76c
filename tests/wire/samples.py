"""Every signal as its sender writes it and as its receiver reads it, for tests of frames."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from pyx import signals as sig
from pyx.terms import Incarnation, Pid, Ref
from pyx.wire.codec import encode
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import KINDS
from pyx.wire.frames.signal_stream import SignalStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.wire.frames.fragments import FragmentedFrame

GUS, BOB, CAT = Incarnation("gus@vm", 11), Incarnation("bob@vm", 22), Incarnation("cat@vm", 33)

# As gus writes them and as bob reads them: gus's own pids become foreign, bob's own become local.
MINE, MINE_READ = Pid(5), Pid(5, 0, *GUS)
THEIRS, THEIRS_READ = Pid(7, 1, *BOB), Pid(7, 1)
OTHER = Pid(9, 0, *CAT)
OLD = Pid(7, 1, "bob@vm", 21)
REF, REF_READ = Ref(2**63), Ref(2**63, *GUS)
ALIAS, ALIAS_READ = Ref(99, *BOB), Ref(99)
ENCODED, ENCODED_READ = sig.Payload(b"encoded"), sig.Payload(b"encoded", GUS)
BIG, BIG_READ = sig.Payload(b"B" * 100_000), sig.Payload(b"B" * 100_000, GUS)

TABLE: list[tuple[sig.Signal, sig.Signal]] = [
    (sig.Send(MINE, THEIRS, ENCODED), sig.Send(MINE_READ, THEIRS_READ, ENCODED_READ)),
    (sig.Send(None, THEIRS, ENCODED), sig.Send(None, THEIRS_READ, ENCODED_READ)),
    (sig.Send(MINE, THEIRS, BIG), sig.Send(MINE_READ, THEIRS_READ, BIG_READ)),
    (sig.Send(MINE, THEIRS, sig.Payload(b"")), sig.Send(MINE_READ, THEIRS_READ, sig.Payload(b"", GUS))),
    (sig.Send(MINE, OLD, ENCODED), sig.Send(MINE_READ, OLD, ENCODED_READ)),
    (sig.Send(MINE, "stock", ENCODED), sig.Send(MINE_READ, "stock", ENCODED_READ)),
    (sig.Send(None, "größe\udc80", ENCODED), sig.Send(None, "größe\udc80", ENCODED_READ)),
    (sig.Send(MINE, "n" * 255, ENCODED), sig.Send(MINE_READ, "n" * 255, ENCODED_READ)),
    (sig.Send(MINE, "n" * 256, ENCODED), sig.Send(MINE_READ, "n" * 256, ENCODED_READ)),
    (sig.Send(MINE, ALIAS, ENCODED), sig.Send(MINE_READ, ALIAS_READ, ENCODED_READ)),
    (sig.Send(None, Ref(3, "bob@vm", 21), ENCODED), sig.Send(None, Ref(3, "bob@vm", 21), ENCODED_READ)),
    (sig.Send(MINE, Ref(2**64 - 1, *BOB), ENCODED), sig.Send(MINE_READ, Ref(2**64 - 1), ENCODED_READ)),
    (sig.Send(MINE, Ref(2**160 - 1, *BOB), ENCODED), sig.Send(MINE_READ, Ref(2**160 - 1), ENCODED_READ)),
    (
        sig.Monitor(MINE, THEIRS, Ref(2**159)),
        sig.Monitor(MINE_READ, THEIRS_READ, Ref(2**159, *GUS)),
    ),
    (
        sig.Down(THEIRS, Ref(2**64, *BOB), MINE, "normal", MINE),
        sig.Down(THEIRS_READ, Ref(2**64), MINE_READ, "normal", MINE_READ),
    ),
    (
        sig.Send(MINE, THEIRS, sig.Payload(b"x", GUS)),
        sig.Send(MINE_READ, THEIRS_READ, sig.Payload(b"x", GUS)),
    ),
    (
        sig.Send(MINE, THEIRS, sig.Payload(b"x", CAT)),
        sig.Send(MINE_READ, THEIRS_READ, sig.Payload(b"x", CAT)),
    ),
    (
        sig.Send(MINE, THEIRS, sig.Payload(b"x", BOB)),
        sig.Send(MINE_READ, THEIRS_READ, sig.Payload(b"x", BOB)),
    ),
    (sig.Link(MINE, THEIRS), sig.Link(MINE_READ, THEIRS_READ)),
    (sig.Unlink(MINE, THEIRS, 3), sig.Unlink(MINE_READ, THEIRS_READ, 3)),
    (
        sig.UnlinkAck(Pid(5, 0, "gus@vm", 10), THEIRS, 3),
        sig.UnlinkAck(Pid(5, 0, "gus@vm", 10), THEIRS_READ, 3),
    ),
    (sig.Link(Pid(2**64 - 1, 2**32 - 1), OLD), sig.Link(Pid(2**64 - 1, 2**32 - 1, *GUS), OLD)),
    (sig.UnlinkAck(MINE, THEIRS, 2**64 - 1), sig.UnlinkAck(MINE_READ, THEIRS_READ, 2**64 - 1)),
    (sig.ExitSignal(MINE, THEIRS, "noproc"), sig.ExitSignal(MINE_READ, THEIRS_READ, "noproc")),
    (
        sig.ExitSignal(Pid(5, 0, "gus@vm", 10), THEIRS, "noproc"),
        sig.ExitSignal(Pid(5, 0, "gus@vm", 10), THEIRS_READ, "noproc"),
    ),
    (sig.ExitSignal(MINE, THEIRS, ENCODED), sig.ExitSignal(MINE_READ, THEIRS_READ, ENCODED_READ)),
    (
        sig.ExitSignal(MINE, THEIRS, sig.Payload(b"", CAT)),
        sig.ExitSignal(MINE_READ, THEIRS_READ, sig.Payload(b"", CAT)),
    ),
    (sig.ExitTo(MINE, THEIRS, "kill"), sig.ExitTo(MINE_READ, THEIRS_READ, "kill")),
    (sig.ExitTo(MINE, THEIRS, ENCODED), sig.ExitTo(MINE_READ, THEIRS_READ, ENCODED_READ)),
    (sig.Monitor(MINE, THEIRS, REF), sig.Monitor(MINE_READ, THEIRS_READ, REF_READ)),
    (sig.Monitor(MINE, "stock", REF), sig.Monitor(MINE_READ, "stock", REF_READ)),
    (sig.Demonitor(MINE, THEIRS, REF), sig.Demonitor(MINE_READ, THEIRS_READ, REF_READ)),
    (
        sig.Monitor(MINE, "größe\udc80", REF),
        sig.Monitor(MINE_READ, "größe\udc80", REF_READ),
    ),
    (sig.Monitor(MINE, OLD, REF), sig.Monitor(MINE_READ, OLD, REF_READ)),
    (sig.Demonitor(MINE, "stock", REF), sig.Demonitor(MINE_READ, "stock", REF_READ)),
    (sig.Down(THEIRS, ALIAS, MINE, "normal"), sig.Down(THEIRS_READ, ALIAS_READ, MINE_READ, "normal")),
    (
        sig.Down(THEIRS, ALIAS, "stock", "normal", MINE),
        sig.Down(THEIRS_READ, ALIAS_READ, "stock", "normal", MINE_READ),
    ),
    (sig.Down(THEIRS, ALIAS, "stock", ENCODED), sig.Down(THEIRS_READ, ALIAS_READ, "stock", ENCODED_READ)),
    (
        sig.Down(THEIRS, ALIAS, MINE, "größe\udc80", MINE),
        sig.Down(THEIRS_READ, ALIAS_READ, MINE_READ, "größe\udc80", MINE_READ),
    ),
    (
        sig.Down(THEIRS, Ref(3, "bob@vm", 21), MINE, BIG),
        sig.Down(THEIRS_READ, Ref(3, "bob@vm", 21), MINE_READ, BIG_READ),
    ),
    (
        sig.Down(THEIRS, ALIAS, MINE, sig.Payload(b"r", BOB)),
        sig.Down(THEIRS_READ, ALIAS_READ, MINE_READ, sig.Payload(b"r", BOB)),
    ),
    (sig.Print(MINE, THEIRS, "two\nlines\n"), sig.Print(MINE_READ, THEIRS_READ, "two\nlines\n")),
    (sig.Print(MINE, THEIRS, "größe\udc80\n"), sig.Print(MINE_READ, THEIRS_READ, "größe\udc80\n")),
    (sig.Print(MINE, THEIRS, ""), sig.Print(MINE_READ, THEIRS_READ, "")),
    (sig.Crashed(MINE, THEIRS, "ValueError: no\n"), sig.Crashed(MINE_READ, THEIRS_READ, "ValueError: no\n")),
    (sig.Leader(MINE, THEIRS, OTHER), sig.Leader(MINE_READ, THEIRS_READ, OTHER)),
    (sig.Call(MINE, 0, MINE, ENCODED), sig.Call(MINE_READ, 0, MINE_READ, ENCODED_READ)),
    (sig.Call(MINE, 8, THEIRS, BIG), sig.Call(MINE_READ, 8, THEIRS_READ, BIG_READ)),
    (
        sig.Spawn(MINE, 8, MINE, True, REF, ENCODED),
        sig.Spawn(MINE_READ, 8, MINE_READ, True, REF_READ, ENCODED_READ),
    ),
    (sig.Spawn(MINE, 8, MINE, False, None, BIG), sig.Spawn(MINE_READ, 8, MINE_READ, False, None, BIG_READ)),
    (sig.Call(MINE, 8, OTHER, ENCODED), sig.Call(MINE_READ, 8, OTHER, ENCODED_READ)),
    (sig.Call(MINE, 8, OLD, ENCODED), sig.Call(MINE_READ, 8, OLD, ENCODED_READ)),
    (
        sig.Call(MINE, 8, MINE, sig.Payload(b"", GUS)),
        sig.Call(MINE_READ, 8, MINE_READ, sig.Payload(b"", GUS)),
    ),
    (
        sig.Spawn(MINE, 8, THEIRS, False, REF, ENCODED),
        sig.Spawn(MINE_READ, 8, THEIRS_READ, False, REF_READ, ENCODED_READ),
    ),
    (
        sig.Spawn(MINE, 8, OTHER, True, None, ENCODED),
        sig.Spawn(MINE_READ, 8, OTHER, True, None, ENCODED_READ),
    ),
    (sig.Ask(MINE, 8, "info", ENCODED), sig.Ask(MINE_READ, 8, "info", ENCODED_READ)),
    (sig.Answer(8, "value", ENCODED), sig.Answer(8, "value", ENCODED_READ)),
    (sig.Answer(8, "refused", "off"), sig.Answer(8, "refused", "off")),
    (sig.Answer(8, "value", ENCODED, MINE), sig.Answer(8, "value", ENCODED_READ, MINE_READ)),
    (sig.Answer(8, "raised", BIG, MINE), sig.Answer(8, "raised", BIG_READ, MINE_READ)),
    (sig.Answer(8, "exit", "killed", MINE), sig.Answer(8, "exit", "killed", MINE_READ)),
    (sig.Answer(2**64 - 1, "bananas", ENCODED), sig.Answer(2**64 - 1, "bananas", ENCODED_READ)),
    (
        sig.Answer(8, "value", sig.Payload(b"x", CAT)),
        sig.Answer(8, "value", sig.Payload(b"x", CAT)),
    ),
    (
        sig.GenCall(MINE, THEIRS, REF, False, ENCODED),
        sig.GenCall(MINE_READ, THEIRS_READ, REF_READ, False, ENCODED_READ),
    ),
    (
        sig.GenCall(MINE, "größe\udc80", REF, True, ENCODED),
        sig.GenCall(MINE_READ, "größe\udc80", REF_READ, True, ENCODED_READ),
    ),
    (
        sig.GenCall(MINE, "n" * 256, REF, True, ENCODED),
        sig.GenCall(MINE_READ, "n" * 256, REF_READ, True, ENCODED_READ),
    ),
    (
        sig.GenCall(MINE, "stock", REF, False, BIG),
        sig.GenCall(MINE_READ, "stock", REF_READ, False, BIG_READ),
    ),
    (sig.GenCall(MINE, OLD, REF, False, BIG), sig.GenCall(MINE_READ, OLD, REF_READ, False, BIG_READ)),
    (
        sig.GenCall(MINE, THEIRS, REF, False, sig.Payload(b"x", CAT)),
        sig.GenCall(MINE_READ, THEIRS_READ, REF_READ, False, sig.Payload(b"x", CAT)),
    ),
    (sig.GenReply(MINE, ALIAS, ENCODED), sig.GenReply(MINE_READ, ALIAS_READ, ENCODED_READ)),
    (sig.GenReply(MINE, ALIAS, BIG), sig.GenReply(MINE_READ, ALIAS_READ, BIG_READ)),
    (sig.GenReply(None, ALIAS, ENCODED), sig.GenReply(None, ALIAS_READ, ENCODED_READ)),
    (
        sig.GenReply(MINE, Ref(3, "bob@vm", 21), ENCODED),
        sig.GenReply(MINE_READ, Ref(3, "bob@vm", 21), ENCODED_READ),
    ),
    (
        sig.GenReply(MINE, ALIAS, sig.Payload(b"x", BOB)),
        sig.GenReply(MINE_READ, ALIAS_READ, sig.Payload(b"x", BOB)),
    ),
    (
        sig.Publish(MINE, None, "pubsub", b"\xa1t", ENCODED),
        sig.Publish(MINE_READ, None, "pubsub", b"\xa1t", ENCODED_READ),
    ),
    (
        sig.Publish(MINE, MINE, "pubsub", b"\xa1t", ENCODED),
        sig.Publish(MINE_READ, MINE_READ, "pubsub", b"\xa1t", ENCODED_READ),
    ),
    (
        sig.Publish(None, THEIRS, "pubsub", b"\xa1t", ENCODED),
        sig.Publish(None, THEIRS_READ, "pubsub", b"\xa1t", ENCODED_READ),
    ),
    (sig.Publish(MINE, MINE, "p", b"\xa1t", BIG), sig.Publish(MINE_READ, MINE_READ, "p", b"\xa1t", BIG_READ)),
    (
        sig.Publish(MINE, None, "p" * 255, b"t" * 4096, ENCODED),
        sig.Publish(MINE_READ, None, "p" * 255, b"t" * 4096, ENCODED_READ),
    ),
    (sig.Spawned(8, MINE), sig.Spawned(8, MINE_READ)),
    (sig.Dropped(MINE, "too long"), sig.Dropped(MINE_READ, "too long")),
    (sig.Held(MINE, 7, "pg", b"\xa1g", ENCODED), sig.Held(MINE_READ, 7, "pg", b"\xa1g", ENCODED_READ)),
    (sig.Let(MINE, (7, 2**64 - 1)), sig.Let(MINE_READ, (7, 2**64 - 1))),
    (
        sig.Holdings((sig.Held(MINE, 7, "pg", b"\xa1g", ENCODED),), is_last=False),
        sig.Holdings((sig.Held(MINE_READ, 7, "pg", b"\xa1g", ENCODED_READ),), is_last=False),
    ),
    (sig.Holdings((), is_last=True), sig.Holdings((), is_last=True)),
    (sig.Discover("pg chat"), sig.Discover("pg chat")),
    (sig.Tick(), sig.Tick()),
    (sig.Ping(8), sig.Ping(8)),
    (sig.Pong(8), sig.Pong(8)),
    (sig.Nodes(("cat@vm", "dan@vm")), sig.Nodes(("cat@vm", "dan@vm"))),
    (sig.Nodes(()), sig.Nodes(())),
    (sig.Goodbye(), sig.Goodbye()),
]

WRITTEN = [written for written, _ in TABLE]
READ = [read for _, read in TABLE]


def streams() -> tuple[SignalStream, SignalStream]:
    return SignalStream(GUS, BOB), SignalStream(BOB, GUS)


def transmitted(stream: SignalStream, signals: Iterable[sig.Signal]) -> bytes:
    """All the bytes by which these signals are sent."""
    queue = deque(signals)
    chunks = []
    while queue or not stream.is_empty:
        chunks.append(stream.transmit(queue)[0])
    return b"".join(chunks)


def general_form(signal: type, *fields: Any, payload: bytes = b"") -> bytes:
    """The body of a frame as a peer might forge it."""
    header = encode(fields)
    return struct.pack(">BI", KINDS[signal], len(header)) + header + payload


def framed(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


def fragments_of(frame: FragmentedFrame) -> list[bytes]:
    """The bodies of all fragments."""
    bodies = []
    while not frame.is_sent:
        parts: list[bytes | memoryview] = []
        size, _ = frame.cut(parts)
        data = b"".join(parts)
        assert len(data) == size == 4 + LENGTH.unpack_from(data)[0]
        bodies.append(data[4:])
    return bodies
