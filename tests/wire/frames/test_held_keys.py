"""held_keys.py: pieces of holdings, and the limits of what a peer may say that its processes hold."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.errors import ProtocolError
from pyx.signals import (
    LONGEST_KEY_BYTES,
    LONGEST_VALUE_BYTES,
    MOST_HELD,
    Held,
    Holdings,
    Payload,
    Send,
)
from pyx.terms import LONGEST_WORD, Pid
from pyx.wire.codec import encode, encode_key
from pyx.wire.frames.fragments import FRAGMENT_BYTES
from pyx.wire.frames.layout import KIND_AND_LENGTH, KINDS
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.scheduler import sender_of
from pyx.wire.frames.writer import Writer
from tests.wire.samples import BOB, GUS, MINE, MINE_READ, streams, transmitted

LONG_KEY = encode_key("k" * (LONGEST_KEY_BYTES - 3), max_bytes=5000)


def read(entries: Any, header: Any = (True,)) -> Any:
    head = encode(header)
    return Reader(BOB, GUS).read(KIND_AND_LENGTH.pack(KINDS[Holdings], len(head)) + head + encode(entries))


def entry(**fields: Any) -> tuple[Any, ...]:
    usual = {"number": 1, "space": "pg", "key": b"\xa1g", "pid": 5, "serial": 0, "value": b"v"}
    return tuple((usual | fields).values())


def test_entries_arrive_with_the_pids_of_the_peer() -> None:
    assert read((entry(),)) == Holdings((Held(Pid(5, 0, *GUS), 1, "pg", b"\xa1g", Payload(b"v", GUS)),), True)


def test_key_arrives_as_its_reader_writes_it() -> None:
    key = encode_key(MINE, max_bytes=100)
    [held] = read((entry(key=key),)).entries
    assert held.key == encode_key(MINE_READ, max_bytes=100)
    gus, bob = streams()
    [one] = bob.receive_data(transmitted(gus, [Held(MINE, 1, "pg", key, Payload(b"v"))]))
    assert one.key == held.key  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "entries",
    [
        [],
        "entries",
        (1,),
        ((),),
        (entry(number=0),),
        (entry(number=True),),
        (entry(number=2**64),),
        (entry(pid=0),),
        (entry(serial=2**32),),
        (entry(serial=-1),),
        (entry(space=b"pg"),),
        (entry(space="s" * (LONGEST_WORD + 1)),),
        (entry(key="g"),),
        (entry(key=b"\xc1"),),
        (entry(key=b""),),
        (entry(key=LONG_KEY + b"x"),),
        (entry(value=None),),
        (entry(value=b"v" * (LONGEST_VALUE_BYTES + 1)),),
        (entry(),) * (MOST_HELD + 1),
    ],
    ids=lambda entries: f"{entries!r:.60}",
)
def test_forged_entries_are_refused(entries: Any) -> None:
    with pytest.raises(ProtocolError):
        read(entries)


@pytest.mark.parametrize("header", [(), (1,), (True, True), [True], "x" * 100, None], ids=repr)
def test_forged_header_is_refused(header: Any) -> None:
    with pytest.raises(ProtocolError):
        read((), header)


@pytest.mark.parametrize(
    "held",
    [
        Held(MINE, 1, "pg", LONG_KEY + b"x", Payload(b"")),
        Held(MINE, 1, "pg", b"\xc1", Payload(b"")),
        Held(MINE, 1, "pg", b"\xa1g", Payload(b"v" * (LONGEST_VALUE_BYTES + 1))),
    ],
    ids=["long key", "no key", "long value"],
)
def test_forged_held_is_refused(held: Held) -> None:
    with pytest.raises(ProtocolError):
        Reader(BOB, GUS).read(b"".join(Writer(GUS, BOB).write(held)))  # type: ignore[arg-type]


def test_longest_entry_is_sent_whole() -> None:
    longest = Held(MINE, 2**64 - 1, "s" * LONGEST_WORD, LONG_KEY, Payload(b"v" * LONGEST_VALUE_BYTES))
    for signal in (longest, Holdings((longest, longest), is_last=False)):
        assert sum(map(len, Writer(GUS, BOB).write(signal))) < FRAGMENT_BYTES


def test_longest_piece_arrives() -> None:
    """It leaves in fragments, and is a small part of what a peer may have in flight."""
    longest = Held(MINE, 7, "s" * LONGEST_WORD, LONG_KEY, Payload(b"v" * LONGEST_VALUE_BYTES))
    gus, bob = streams()
    [piece] = bob.receive_data(transmitted(gus, [Holdings((longest,) * 512, is_last=False)]))
    assert isinstance(piece, Holdings)
    assert len(piece.entries) == 512


def test_entries_overtake_no_message_and_wait_for_none_of_their_process() -> None:
    """What a process holds is seen before what it sends next, though its earlier message still travels."""
    gus, bob = streams()
    large, held = Send(MINE, "stock", Payload(b"x" * 300_000)), Held(MINE, 1, "pg", b"\xa1g", Payload(b""))
    after = Send(MINE, "stock", Payload(b"after"))
    kinds = [type(signal) for signal in bob.receive_data(transmitted(gus, [large, held, after]))]
    assert kinds == [Held, Send, Send]
    assert sender_of(held) is sender_of(Holdings((), is_last=True))
