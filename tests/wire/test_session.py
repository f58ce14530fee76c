"""Signals carried from one node to another by hand, and what a session refuses."""

from __future__ import annotations

import itertools
import struct
from typing import Any, get_args

import pytest

from pyx import signals
from pyx.errors import FrameTooBig, ProtocolError
from pyx.signals import (
    Answer,
    Ask,
    Call,
    Crashed,
    Demonitor,
    Down,
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
from pyx.wire.session import _KINDS, Session

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
    (Send(MINE, Ref(2**64, *BOB), SEALED), Send(MINE_READ, Ref(2**64), SEALED_READ)),
    (Send(MINE, Ref(3, *CAT), SEALED), Send(MINE_READ, Ref(3, *CAT), SEALED_READ)),
    (Send(MINE, HIS, Letter(b"x", GUS)), Send(MINE_READ, HIS_READ, Letter(b"x", GUS))),
    (Send(MINE, HIS, Letter(b"x", CAT)), Send(MINE_READ, HIS_READ, Letter(b"x", CAT))),
    (Send(MINE, HIS, Letter(b"x", BOB)), Send(MINE_READ, HIS_READ, Letter(b"x"))),
    (Link(MINE, HIS), Link(MINE_READ, HIS_READ)),
    (Unlink(MINE, HIS, 3), Unlink(MINE_READ, HIS_READ, 3)),
    (UnlinkAck(MINE, HIS, 2**70), UnlinkAck(MINE_READ, HIS_READ, 2**70)),
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
    (Down(HIS, ALIAS, "stock", SEALED), Down(HIS_READ, ALIAS_READ, "stock", SEALED_READ)),
    (Down(HIS, ALIAS, MINE, Letter(b"r", BOB)), Down(HIS_READ, ALIAS_READ, MINE_READ, Letter(b"r"))),
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
    (Spawned(8, MINE), Spawned(8, MINE_READ)),
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


def a_long_frame(signal: type, *fields: Any, letter: bytes = b"") -> bytes:
    """A frame as a peer might forge it."""
    header = seal(fields)
    body = struct.pack(">BI", _KINDS[signal], len(header)) + header + letter
    return LENGTH.pack(len(body)) + body


class TestEverySignal:
    def test_the_table_holds_every_signal(self) -> None:
        assert {type(signal) for signal in WRITTEN} == set(get_args(signals.Signal))

    @pytest.mark.parametrize(
        ("written", "read"), TABLE, ids=[f"{i}-{s!r:.30}" for i, (s, _) in enumerate(TABLE)]
    )
    def test_arrives_from_the_receivers_point_of_view(self, written: Signal, read: Signal) -> None:
        gus, bob = sessions()
        assert bob.receive_data(b"".join(gus.transmit([written]))) == [read]

    def test_arrives_in_order_with_all_others(self) -> None:
        gus, bob = sessions()
        assert bob.receive_data(b"".join(gus.transmit(WRITTEN * 3))) == READ * 3

    def test_arrives_cut_at_every_byte(self) -> None:
        small = [(w, r) for w, r in TABLE if BIG.data not in [getattr(f, "data", b"") for f in w]]
        gus, bob = sessions()
        stream = b"".join(gus.transmit(w for w, _ in small))
        heard = list(
            itertools.chain.from_iterable(bob.receive_data(stream[i : i + 1]) for i in range(len(stream)))
        )
        assert heard == [r for _, r in small]

    def test_means_the_same_when_it_is_said_twice(self) -> None:
        gus, bob = sessions()
        for _ in range(2):
            assert bob.receive_data(b"".join(gus.transmit(WRITTEN))) == READ


class TestTransmitting:
    def test_small_signals_are_one_chunk(self) -> None:
        gus, _ = sessions()
        assert len(gus.transmit([Send(MINE, HIS, SEALED)] * 500 + [Tick(), Ping(1)])) == 1

    def test_a_large_letters_bytes_are_not_copied(self) -> None:
        gus, _ = sessions()
        chunks = gus.transmit([Tick(), Send(MINE, HIS, BIG), Tick()])
        assert len(chunks) == 3
        assert chunks[1] is BIG.data

    def test_an_empty_frame_is_a_tick(self) -> None:
        gus, bob = sessions()
        assert gus.transmit([Tick()]) == [bytes(4)]
        assert bob.receive_data(bytes(8)) == [Tick(), Tick()]

    def test_nothing_makes_no_chunk(self) -> None:
        assert sessions()[0].transmit([]) == []

    def test_a_letter_that_no_peer_would_take_is_not_written(self) -> None:
        gus = Session(GUS, BOB, max_frame_bytes=100)
        with pytest.raises(FrameTooBig):
            gus.transmit([Send(MINE, HIS, Letter(b"x" * 100))])

    def test_nobody_is_spoken_for(self) -> None:
        gus, bob = sessions()
        with pytest.raises(ProtocolError, match="the field frm of a Send cannot be"):
            bob.receive_data(b"".join(gus.transmit([Send(OTHER, HIS, SEALED)])))

    def test_a_pid_of_a_third_node_is_written_in_full(self) -> None:
        gus, bob = sessions()
        assert bob.receive_data(b"".join(gus.transmit([Send(MINE, OTHER, SEALED)]))) == [
            Send(MINE_READ, OTHER, SEALED_READ)
        ]


class TestReceiving:
    def test_one_stream_of_messages_makes_its_pids_once(self) -> None:
        gus, bob = sessions()
        first, second = bob.receive_data(b"".join(gus.transmit([Send(MINE, HIS, SEALED)] * 2)))
        assert isinstance(first, Send)
        assert isinstance(second, Send)
        assert first.frm is second.frm

    def test_the_addresses_remembered_are_bounded(self) -> None:
        gus, bob = sessions()
        for start in range(0, 10_000, 1000):
            batch = [Send(Pid(n), HIS, SEALED) for n in range(start + 1, start + 1001)]
            heard = bob.receive_data(b"".join(gus.transmit(batch)))
            assert [s.frm.number for s in heard if isinstance(s, Send) and s.frm] == list(
                range(start + 1, start + 1001)
            )
        assert len(bob._heard) <= 4096

    @pytest.mark.parametrize(
        ("stream", "complaint"),
        [
            (LENGTH.pack(1) + b"\x00", "frames of kind 0 are unknown"),
            (LENGTH.pack(1) + b"\xff", "frames of kind 255 are unknown"),
            (LENGTH.pack(1) + b"\x01", "shorter than its own addresses"),
            (LENGTH.pack(29) + b"\x01" + bytes(28), "shorter than its own addresses"),
            (LENGTH.pack(1) + b"\x02", "shorter than its own addresses"),
            (LENGTH.pack(16) + b"\x02" + bytes(13) + b"\x05abc"[:2], "shorter than its own addresses"),
            (LENGTH.pack(25) + b"\x03" + bytes(24), "shorter than its own addresses"),
            (LENGTH.pack(30) + b"\x01\x02" + bytes(28), "sender flag is 2"),
            (LENGTH.pack(16) + b"\x02" + bytes(13) + b"\x01\xff", "no text"),
            (LENGTH.pack(1) + bytes([_KINDS[Link]]), "does not fit its frame of 1 bytes"),
            (LENGTH.pack(6) + bytes([_KINDS[Link], 0, 0, 0, 2, 0x90]), "does not fit its frame"),
            (LENGTH.pack(5) + bytes([_KINDS[Link], 0, 0, 0, 0]), "does not fit its frame"),
            (LENGTH.pack(6) + bytes([_KINDS[Link], 0, 0, 0, 1, 0xC1]), "the header of a Link cannot be read"),
            (a_long_frame(Link, Pid(1)), "holds no 2 fields"),
            (a_long_frame(Link, Pid(1), Pid(2), Pid(3)), "holds no 2 fields"),
            (a_long_frame(Link, Pid(1), "stock"), "the field to of a Link cannot be 'stock'"),
            (a_long_frame(Link, OTHER, Pid(2)), "the field frm of a Link cannot be"),
            (a_long_frame(Link, HIS, Pid(2)), "the field frm of a Link cannot be"),
            (a_long_frame(Ping, True), "the field number of a Ping cannot be True"),
            (a_long_frame(Ping, 1.0), "the field number of a Ping cannot be 1.0"),
            (a_long_frame(Ping, 1, letter=b"x"), "1 bytes follow a Ping that holds no letter"),
            (a_long_frame(Answer, 1, "refused", "off", letter=b"x"), "1 bytes follow an? Answer"),
            (a_long_frame(Answer, 1, "value", None), "the letter of an? Answer is marked None"),
            (a_long_frame(Answer, 1, "value", False), "the letter of an? Answer is marked False"),
            (a_long_frame(Answer, 1, "value", ("cat@vm",)), "is marked"),
            (a_long_frame(Answer, 1, "value", ("cat@vm", 0)), "is marked"),
            (a_long_frame(Answer, 1, "value", ("cat@vm", 2**32)), "is marked"),
            (a_long_frame(Answer, 1, "value", ("cat", 1)), "is marked"),
            (a_long_frame(Call, Pid(1), 1, Pid(1), "word"), "the field letter of a Call cannot be 'word'"),
            (a_long_frame(Spawn, Pid(1), 1, Pid(1), 1, None, True), "the field link of a Spawn cannot be 1"),
            (a_long_frame(Nodes, ["cat@vm"]), "the field names of a Nodes cannot be"),
            (a_long_frame(Nodes, ("cat@vm", 1)), "the field names of a Nodes cannot be"),
            (a_long_frame(Nodes, ("../../etc",)), "the field names of a Nodes cannot be"),
            (a_long_frame(Print, Pid(1), Pid(2), b"bytes"), "the field text of a Print cannot be"),
            (LENGTH.pack(2**32 - 1), "a frame of 4294967295 bytes was announced"),
        ],
    )
    def test_a_peer_that_breaks_the_rules_is_told_apart(self, stream: bytes, complaint: str) -> None:
        _, bob = sessions()
        with pytest.raises(ProtocolError, match=complaint):
            bob.receive_data(stream)

    def test_a_header_that_is_no_tuple_is_refused(self) -> None:
        header = seal([1])
        body = struct.pack(">BI", _KINDS[Ping], len(header)) + header
        with pytest.raises(ProtocolError, match="holds no 1 fields"):
            sessions()[1].receive_data(LENGTH.pack(len(body)) + body)

    def test_every_mutilated_frame_is_a_signal_or_a_protocol_error(self) -> None:
        gus, _ = sessions()
        for written in WRITTEN:
            if isinstance(written, Tick):
                continue
            frame = b"".join(gus.transmit([written]))[:200]
            for place in range(4, len(frame)):
                for value in (0, 1, 0x7F, 0xC1, 0xFF, frame[place] ^ 1):
                    forged = frame[:place] + bytes((value,)) + frame[place + 1 :]
                    body = forged[4:]
                    try:
                        Session(BOB, GUS).receive_data(LENGTH.pack(len(body)) + body)
                    except ProtocolError:
                        continue
