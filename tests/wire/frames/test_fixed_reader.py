"""fixed_reader.py: Fixed heads are read as signals; what their layout does not exclude is refused."""

from __future__ import annotations

from random import Random

import pytest

from pyx import fast_paths
from pyx.errors import ProtocolError
from pyx.signals import (
    Answer,
    Call,
    Crashed,
    Demonitor,
    Down,
    ExitTo,
    GenCall,
    GenReply,
    Link,
    Monitor,
    Payload,
    Ping,
    Print,
    Publish,
    Signal,
    Spawned,
    Tick,
    Unlink,
)
from pyx.terms import LONGEST_WORD, Pid
from pyx.wire.frames.fixed_reader import FIXED_READERS
from pyx.wire.frames.layout import (
    ANSWER,
    FIXED,
    GEN_CALL,
    GEN_REPLY,
    KINDS,
    MONITOR,
    NUMBER,
    PAIR,
    PAIR_AND_NUMBER,
    PAIR_AND_REASON,
    PUBLISH,
)
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.writer import Writer
from tests.wire.samples import ALIAS, BIG, BOB, ENCODED, GUS, MINE, MINE_READ, THEIRS, THEIRS_READ, WRITTEN


@pytest.fixture(autouse=True)
def fast_paths_are_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_paths, "enabled", True)


def kind(signal: type) -> int:
    return FIXED + KINDS[signal]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (bytes([FIXED]), "frames of kind 64 are unknown"),
        (bytes([255]), "frames of kind 255 are unknown"),
        (bytes([kind(Link)]), "does not fit its 1 bytes"),
        (PAIR.pack(kind(Link), 1, 0, 7, 1, 22) + b"x", "does not fit its 30 bytes"),
        (PAIR.pack(kind(Link), 1, 0, 7, 1, 0), "the creation of an address is 0"),
        (PAIR_AND_NUMBER.pack(kind(Unlink), 1, 0, 7, 1, 22, 0), "the number of an unlink is 0"),
        (NUMBER.pack(kind(Ping), 1)[:-1], "does not fit its 8 bytes"),
        (ANSWER.pack(kind(Answer), 1, 5, 0, 0, 0, 0), "does not fit its 24 bytes"),
        (ANSWER.pack(kind(Answer), 1, 4, 0, 0, 0, 1) + b"\xff", "does not fit its 25 bytes"),
        (GEN_CALL.pack(kind(GenCall), 1, 0, 1, 1, 0, 0, 0, 0), "does not fit its 39 bytes"),
        (GEN_CALL.pack(kind(GenCall), 1, 0, 1, 1, 0, 0, 0, 0) + b"\x05stoc", "has 4 bytes, not 5"),
        (GEN_CALL.pack(kind(GenCall), 1, 0, 1, 1, 0, 0, 0, 0) + b"\x01\xff", "does not fit its 41 bytes"),
        (GEN_CALL.pack(kind(GenCall), 1, 0, 1, 0, 7, 1, 0, 0), "the creation of an address is 0"),
        (GEN_REPLY.pack(kind(GenReply), 1, 1, 0, 1, 0), "the creation of an address is 0"),
        (PUBLISH.pack(kind(Publish), 1, 0, 1, 0, 6, 2) + b"pubsub\xa1", "states 6 and 2 of 7 bytes"),
        (PUBLISH.pack(kind(Publish), 1, 0, 1, 0, 0, 4097) + b"t" * 4097, "states 0 and 4097 of 4097"),
        (PUBLISH.pack(kind(Publish), 0, 1, 1, 0, 1, 1) + b"pt", "states 1 and 1 of 2 bytes"),
        (PUBLISH.pack(kind(Publish), 1, 0, 1, 0, 1, 1) + b"\xfft", "does not fit its 20 bytes"),
        (PAIR.pack(kind(Print), 1, 0, 7, 1, 22) + b"\xff", "does not fit its 30 bytes"),
        (MONITOR.pack(kind(Monitor), 1, 0, 1, 0, 7, 1, 22) + b"stock", "5 bytes follow the pid of a mon"),
        (
            PAIR_AND_REASON.pack(kind(ExitTo), 1, 0, 7, 1, 22, 1) + b"w" * (LONGEST_WORD + 1),
            "a word of 256 bytes; at most 255 characters are allowed",
        ),
        (
            PAIR_AND_REASON.pack(kind(ExitTo), 1, 0, 7, 1, 22, 1) + b"w" * 60_000,
            "a word of 60000 bytes; at most 255 characters are allowed",
        ),
    ],
)
def test_malformed_frame_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        Reader(BOB, GUS).read(body)


@pytest.mark.parametrize("signal", [signal for signal in WRITTEN if type(signal) is not Tick])
def test_head_cut_anywhere_is_refused(signal: Signal) -> None:
    head, _ = Writer(GUS, BOB).write(signal)
    if head[0] not in FIXED_READERS or type(signal) in {
        Print,
        Crashed,
        Monitor,
        Demonitor,
    }:  # these end with a text
        return
    for size in range(1, min(len(head), 100)):
        with pytest.raises(ProtocolError):
            Reader(BOB, GUS).read(head[:size])


def test_longest_word_is_read() -> None:
    for word in ("w" * LONGEST_WORD, "\N{OLD ITALIC LETTER A}" * LONGEST_WORD, "\ud800" * LONGEST_WORD):
        signal = ExitTo(MINE, THEIRS, word)
        assert Reader(BOB, GUS).read(b"".join(map(bytes, Writer(GUS, BOB).write(signal)))) == ExitTo(
            MINE_READ, THEIRS_READ, word
        )


def test_pids_of_a_conversation_are_made_once() -> None:
    gus, bob = Writer(GUS, BOB), Reader(BOB, GUS)
    signals = (
        Call(MINE, 8, MINE, ENCODED),
        Answer(8, "value", ENCODED, MINE),
        Down(THEIRS, ALIAS, MINE, "normal", MINE),
    )
    pids = [
        field
        for signal in signals
        for field in tuple(bob.read(b"".join(map(bytes, gus.write(signal)))))
        if field == MINE_READ
    ]
    assert len(pids) == 5
    assert all(pid is pids[0] for pid in pids)


def test_signal_with_changed_bytes_is_a_signal_or_a_protocol_error() -> None:
    """Whatever the bytes are, pids that act stay the peer's, and those acted on this node's."""
    gus, random = Writer(GUS, BOB), Random(1)
    bodies = [b"".join(map(bytes, gus.write(signal))) for signal in WRITTEN if BIG not in signal]
    bodies = [body for body in bodies if body and body[0] in FIXED_READERS and len(body) < 200]
    for _ in range(5_000):
        body = bytearray(random.choice(bodies))
        for _ in range(random.randint(1, 4)):
            body[random.randrange(len(body))] = random.randrange(256)
        body[0] = random.choice(list(FIXED_READERS))
        bob = Reader(BOB, GUS)
        try:
            signal = bob.read(bytes(body))
        except ProtocolError:
            continue
        for field, value in zip(signal._fields, signal, strict=True):
            if field in {"frm", "pid"}:
                assert value is None or value.incarnation == GUS
            elif type(value) is Pid:
                assert value.node in {
                    "",
                    BOB.name,
                    *([GUS.name] if field in {"leader", "target", "skip"} else ()),
                }
            elif type(value) is Payload:
                assert value.origin == GUS


def test_spawned_process_is_the_peers() -> None:
    head, _ = Writer(GUS, BOB).write(Spawned(8, MINE))
    assert Reader(BOB, GUS).read(head) == Spawned(8, MINE_READ)
