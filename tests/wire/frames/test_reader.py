"""reader.py: Heads and payloads are read as signals; malformed ones are refused."""

from __future__ import annotations

import struct

import pytest

from pyx.errors import ProtocolError
from pyx.signals import Answer, Call, Link, Nodes, Payload, Ping, Print, Send, Signal, Spawn, Tick
from pyx.terms import Pid
from pyx.wire.codec import encode
from pyx.wire.frames.layout import KINDS, SEND_NAME, SEND_PID
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.writer import Writer
from tests.wire.messages.test_classes import Loud, LoudPair, Point, WithMeta, ran
from tests.wire.samples import (
    BIG,
    BOB,
    ENCODED,
    ENCODED_READ,
    GUS,
    MINE,
    MINE_READ,
    OTHER,
    TABLE,
    THEIRS,
    THEIRS_READ,
    WRITTEN,
    general_form,
)


@pytest.mark.parametrize(("written", "read"), TABLE)
def test_signal_is_read_from_a_separate_head_and_payload(written: Signal, read: Signal) -> None:
    head, payload = Writer(GUS, BOB).write(written)
    if not isinstance(written, Tick):
        assert Reader(BOB, GUS).read_parts(head, payload) == read


def test_empty_frame_is_a_tick() -> None:
    assert Reader(BOB, GUS).read(b"") == Tick()


def test_pids_of_a_stream_of_messages_are_made_once() -> None:
    head, _ = Writer(GUS, BOB).write(Send(MINE, THEIRS, ENCODED))
    bob = Reader(BOB, GUS)
    first, second = bob.read(head + b"one"), bob.read(head + b"two")
    assert first == Send(MINE_READ, THEIRS_READ, Payload(b"one", GUS))
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert first.frm is second.frm


def test_known_addresses_are_bounded() -> None:
    gus, bob = Writer(GUS, BOB), Reader(BOB, GUS)
    for number in range(1, 10_001):
        assert bob.read(b"".join(map(bytes, gus.write(Send(Pid(number), THEIRS, ENCODED))))) == Send(
            Pid(number, 0, *GUS), THEIRS_READ, ENCODED_READ
        )
    assert len(bob.known_addresses) <= 4096


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x00", "frames of kind 0 are unknown"),
        (b"\xff", "frames of kind 255 are unknown"),
        (b"\x01", "the head of a frame of kind . does not fit its"),
        (b"\x01" + bytes(28), "the head of a frame of kind . does not fit its"),
        (b"\x02", "the head of a frame of kind . does not fit its"),
        (b"\x02" + bytes(13) + b"\x05abc"[:2], "the head of a frame of kind . does not fit its"),
        (b"\x03" + bytes(24), "the head of a frame of kind . does not fit its"),
        (b"\x01\x02" + bytes(28), "sender flag is 2"),
        (b"\x02" + bytes(13) + b"\x01\xff", "is not UTF-8"),
        (bytes([KINDS[Link]]), "does not fit its 1 bytes"),
        (bytes([KINDS[Link], 0, 0, 0, 2, 0x90]), "does not fit its 6 bytes"),
        (bytes([KINDS[Link], 0, 0, 0, 0]), "the header of the signal Link cannot be read"),
        (bytes([KINDS[Link], 0, 0, 0, 1, 0xC1]), "the header of the signal Link cannot be read"),
        (general_form(Link, Pid(1)), "does not hold 2 fields"),
        (general_form(Link, Pid(1), Pid(2), Pid(3)), "does not hold 2 fields"),
        (general_form(Link, Pid(1), "stock"), "the field to of the signal Link cannot be 'stock'"),
        (general_form(Link, OTHER, Pid(2)), "the field frm of the signal Link cannot be"),
        (general_form(Link, THEIRS, Pid(2)), "the field frm of the signal Link cannot be"),
        (general_form(Ping, True), "the field number of the signal Ping cannot be True"),
        (general_form(Ping, 1 << 20_000, 1), "does not hold 1 fields"),
        (general_form(Link, Pid(1), 1 << 20_000), "the field to of the signal Link cannot be <int>"),
        (general_form(Link, Pid(1), Point(1)), "the field to of the signal Link cannot be <Point>"),
        (general_form(Ping, 1.0), "the field number of the signal Ping cannot be 1.0"),
        (general_form(Ping, 1, payload=b"x"), "1 bytes follow a Ping, which has no payload"),
        (general_form(Answer, 1, "refused", "off", None, payload=b"x"), "1 bytes follow an? Answer"),
        (general_form(Answer, 1, "value", None, None), "Answer: the origin of the payload cannot be None"),
        (general_form(Answer, 1, "value", False, None), "Answer: the origin of the payload cannot be False"),
        (general_form(Answer, 1, "value", ("cat@vm",), None), "Answer: the origin of the payload cannot be"),
        (
            general_form(Answer, 1, "value", ("cat@vm", 0), None),
            "Answer: the origin of the payload cannot be",
        ),
        (
            general_form(Answer, 1, "value", ("cat@vm", 2**32), None),
            "Answer: the origin of the payload cannot be",
        ),
        (general_form(Answer, 1, "value", ("cat", 1), None), "Answer: the origin of the payload cannot be"),
        (
            general_form(Call, Pid(1), 1, Pid(1), "word"),
            "the field payload of the signal Call cannot be 'word'",
        ),
        (
            general_form(Spawn, Pid(1), 1, Pid(1), 1, None, True),
            "the field link of the signal Spawn cannot be 1",
        ),
        (general_form(Nodes, ["cat@vm"]), "the field names of the signal Nodes cannot be"),
        (general_form(Nodes, ("cat@vm", 1)), "the field names of the signal Nodes cannot be"),
        (general_form(Nodes, ("../../etc",)), "the field names of the signal Nodes cannot be"),
        (general_form(Print, Pid(1), THEIRS, b"bytes"), "the field text of the signal Print cannot be"),
    ],
)
def test_malformed_frame_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        Reader(BOB, GUS).read(body)


def test_header_that_is_not_a_tuple_is_refused() -> None:
    header = encode([1])
    with pytest.raises(ProtocolError, match="does not hold 1 fields"):
        Reader(BOB, GUS).read(struct.pack(">BI", KINDS[Ping], len(header)) + header)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        bytes([SEND_PID]),
        bytes([SEND_NAME]) * 14,
        general_form(Ping, 1)[:-1],
        general_form(Ping, 1) + b"x",
    ],
)
def test_separate_head_of_another_length_is_refused(head: bytes) -> None:
    with pytest.raises(ProtocolError):
        Reader(BOB, GUS).read_parts(head, b"payload")


def test_frame_with_a_changed_byte_is_a_signal_or_a_protocol_error() -> None:
    gus = Writer(GUS, BOB)
    for written in WRITTEN:
        body = b"".join(map(bytes, gus.write(written)))[: 200 if BIG in written else None]
        for place in range(len(body)):
            for value in (0, 1, 0x7F, 0xC1, 0xFF, body[place] ^ 1):
                try:
                    Reader(BOB, GUS).read(body[:place] + bytes((value,)) + body[place + 1 :])
                except ProtocolError:
                    continue


@pytest.mark.parametrize("value", [WithMeta(1), (Loud("a"), 1), LoudPair("cat@vm", 1)])
def test_object_in_the_place_of_a_field_runs_no_code(value: object) -> None:
    bodies = [general_form(Link, Pid(1), value), general_form(Call, Pid(1), 1, Pid(1), value)]
    ran.clear()
    for body in bodies:
        with pytest.raises(ProtocolError):
            Reader(BOB, GUS).read(body)
    assert ran == []
