"""fixed_writer.py: Signals have a fixed head where it holds them, and mean the same in the general form."""

from __future__ import annotations

import pytest

from pyx import fast_paths
from pyx.signals import (
    LONGEST_TEXT,
    Answer,
    Call,
    Demonitor,
    Down,
    ExitSignal,
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
    Spawn,
    Spawned,
    Unlink,
    UnlinkAck,
)
from pyx.terms import LONGEST_WORD, Pid, Ref
from pyx.wire.frames.fixed_reader import FIXED_READERS
from pyx.wire.frames.fixed_writer import FIXED_WRITERS, MOST_BEHIND_NAME
from pyx.wire.frames.layout import FIXED, KINDS
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.writer import Writer
from tests.wire.samples import (
    ALIAS,
    BOB,
    CAT,
    ENCODED,
    GUS,
    MINE,
    MINE_READ,
    OTHER,
    REF,
    TABLE,
    THEIRS,
    THEIRS_READ,
    WRITTEN,
    streams,
    transmitted,
)

PAST = Pid(5, 0, "gus@vm", 10)


@pytest.fixture(autouse=True)
def fast_paths_are_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_paths, "enabled", True)


@pytest.mark.parametrize(
    ("signal", "head", "payload"),
    [
        (Call(MINE, 8, MINE, ENCODED), 1 + 12 + 8 + 1 + 16, ENCODED.data),
        (Call(MINE, 8, THEIRS, ENCODED), 1 + 12 + 8 + 1 + 16, ENCODED.data),
        (Answer(8, "value", ENCODED, MINE), 1 + 8 + 1 + 1 + 12 + 1, ENCODED.data),
        (Answer(8, "refused", "off"), 1 + 8 + 1 + 1 + 12 + 1, b"off"),
        (Spawn(MINE, 8, MINE, True, REF, ENCODED), 1 + 12 + 8 + 1 + 16 + 1 + 1 + 8, ENCODED.data),
        (Spawned(8, MINE), 1 + 8 + 12, b""),
        (Down(THEIRS, ALIAS, MINE, "normal", MINE), 1 + 16 + 8 + 4 + 1 + 12 + 1, b"normal"),
        (Monitor(MINE, THEIRS, REF), 1 + 12 + 8 + 1 + 16, b""),
        (Demonitor(MINE, "stock", REF), 1 + 12 + 8 + 1 + 16 + 5, b""),
        (GenCall(MINE, THEIRS, REF, False, ENCODED), 1 + 12 + 8 + 1 + 16 + 1, ENCODED.data),
        (GenCall(MINE, "stock", REF, True, ENCODED), 1 + 12 + 8 + 1 + 16 + 1 + 1 + 5, ENCODED.data),
        (GenReply(MINE, ALIAS, ENCODED), 1 + 1 + 12 + 8 + 4, ENCODED.data),
        (Publish(MINE, MINE, "pubsub", b"\xa1t", ENCODED), 1 + 1 + 1 + 12 + 1 + 2 + 8, ENCODED.data),
        (Link(MINE, THEIRS), 1 + 12 + 16, b""),
        (Unlink(MINE, THEIRS, 3), 1 + 12 + 16 + 8, b""),
        (ExitTo(MINE, THEIRS, "kill"), 1 + 12 + 16 + 1, b"kill"),
        (Print(MINE, THEIRS, "ä\n"), 1 + 12 + 16 + 3, b""),
        (Ping(8), 1 + 8, b""),
    ],
)
def test_signal_has_a_head_of_this_length(signal: Signal, head: int, payload: bytes) -> None:
    written = Writer(GUS, BOB).write(signal)
    assert written[0][0] == FIXED + KINDS[type(signal)]
    assert (len(written[0]), written[1]) == (head, payload)


@pytest.mark.parametrize(
    "signal",
    [
        Call(MINE, 8, OTHER, ENCODED),
        Call(MINE, 2**64, MINE, ENCODED),
        Call(PAST, 8, MINE, ENCODED),
        Call(MINE, 8, MINE, Payload(b"x", CAT)),
        Spawn(MINE, 8, OTHER, False, None, ENCODED),
        Spawn(MINE, 8, MINE, False, Ref(3, *CAT), ENCODED),
        Spawned(8, OTHER),
        Answer(8, "bananas", ENCODED),
        Answer(8, "value", Payload(b"x", CAT)),
        Answer(8, "value", ENCODED, OTHER),
        Answer(8, "refused", "w" * (LONGEST_WORD + 1)),
        Down(THEIRS, ALIAS, "stock", "normal", MINE),
        Down(THEIRS, ALIAS, PAST, "noproc", None),
        Down(THEIRS, ALIAS, MINE, "normal", Pid(6)),
        Down(THEIRS, ALIAS, MINE, "w" * (LONGEST_WORD + 1)),
        Down(THEIRS, Ref(3, *CAT), MINE, "normal"),
        Down(OTHER, ALIAS, MINE, "normal"),
        Monitor(MINE, "n" * (LONGEST_WORD + 1), REF),
        Monitor(MINE, OTHER, REF),
        Monitor(MINE, THEIRS, ALIAS),
        GenCall(PAST, THEIRS, REF, False, ENCODED),
        GenCall(MINE, OTHER, REF, False, ENCODED),
        GenCall(MINE, THEIRS, ALIAS, False, ENCODED),
        GenCall(MINE, THEIRS, REF, False, Payload(b"x", CAT)),
        GenCall(MINE, "n" * 256, REF, False, ENCODED),
        GenCall(MINE, "stock", REF, False, Payload(b"x" * (MOST_BEHIND_NAME + 1))),
        GenReply(PAST, ALIAS, ENCODED),
        GenReply(MINE, REF, ENCODED),
        GenReply(MINE, ALIAS, Payload(b"x", CAT)),
        Publish(PAST, None, "pubsub", b"\xa1t", ENCODED),
        Publish(MINE, THEIRS, "pubsub", b"\xa1t", ENCODED),
        Publish(MINE, None, "pubsub", b"\xa1t", Payload(b"x", CAT)),
        Publish(MINE, None, "p" * 256, b"\xa1t", ENCODED),
        Publish(MINE, None, "pubsub", b"\xa1t", Payload(b"x" * (MOST_BEHIND_NAME + 1))),
        Link(PAST, THEIRS),
        Link(MINE, OTHER),
        UnlinkAck(PAST, THEIRS, 1),
        ExitSignal(PAST, THEIRS, "noproc"),
        ExitSignal(MINE, THEIRS, Payload(b"x", CAT)),
        Print(PAST, THEIRS, "x\n"),
        Ping(2**64),
    ],
)
def test_signal_that_the_fixed_form_cannot_hold_has_the_general_form(signal: Signal) -> None:
    assert Writer(GUS, BOB).write(signal)[0][0] == KINDS[type(signal)]


def test_reader_knows_every_signal_that_the_writer_writes() -> None:
    assert {FIXED + KINDS[signal] for signal in FIXED_WRITERS} == set(FIXED_READERS)


def test_both_forms_are_read_as_the_same_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_paths, "enabled", False)
    general = Writer(GUS, BOB)
    monkeypatch.setattr(fast_paths, "enabled", True)
    fixed = Writer(GUS, BOB)
    forms = set()
    for written, read in TABLE:
        for writer in (general, fixed):
            head, payload = writer.write(written)
            assert Reader(BOB, GUS).read(head + bytes(payload)) == read
            forms.add((writer, bool(head) and head[0] > FIXED))
    assert forms == {(general, False), (fixed, False), (fixed, True)}


def test_streams_of_both_forms_bring_the_same_signals_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fast_paths, "enabled", True)
    gus, bob = streams()
    of_fixed = bob.receive_data(transmitted(gus, WRITTEN))
    monkeypatch.setattr(fast_paths, "enabled", False)
    gus, bob = streams()
    assert bob.receive_data(transmitted(gus, WRITTEN)) == of_fixed


@pytest.mark.parametrize(
    "text", ["x" * LONGEST_TEXT, "\N{OLD ITALIC LETTER A}" * LONGEST_TEXT, "\ud800" * 40_000]
)
def test_long_output_arrives_whole_in_fragments(text: str) -> None:
    gus, bob = streams()
    assert bob.receive_data(transmitted(gus, [Print(MINE, THEIRS, text)])) == [
        Print(MINE_READ, THEIRS_READ, text)
    ]
