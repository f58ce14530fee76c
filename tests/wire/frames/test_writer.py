"""writer.py: A signal is written as a head and a payload, messages in a short form where possible."""

from __future__ import annotations

import pytest

from pyx.signals import Answer, Down, ExitSignal, Payload, Ping, Send, Signal, Tick
from pyx.terms import Ref
from pyx.wire.beam.term import ErlangTerm
from pyx.wire.beam.term_writer import encode_term
from pyx.wire.codec import encode
from pyx.wire.frames.layout import KIND_AND_LENGTH, KINDS, TO_ALIAS, TO_NAME, TO_PID
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.writer import Writer
from tests.wire.samples import ALIAS, BOB, CAT, ENCODED, GUS, MINE, OTHER, TABLE, THEIRS


@pytest.mark.parametrize(
    ("signal", "size"),
    [
        (Send(MINE, THEIRS, ENCODED), TO_PID.size),
        (Send(None, THEIRS, ENCODED), TO_PID.size),
        (Send(MINE, "stock", ENCODED), TO_NAME.size + 5),
        (Send(MINE, ALIAS, ENCODED), TO_ALIAS.size),
    ],
)
def test_message_between_pids_names_and_aliases_has_a_short_head(signal: Signal, size: int) -> None:
    head, payload = Writer(GUS, BOB).write(signal)
    assert len(head) == size
    assert payload is ENCODED.data


@pytest.mark.parametrize(
    "signal",
    [
        Send(OTHER, THEIRS, ENCODED),
        Send(MINE, OTHER, ENCODED),
        Send(MINE, "n" * 256, ENCODED),
        Send(MINE, Ref(3, *CAT), ENCODED),
        Send(MINE, THEIRS, Payload(b"encoded elsewhere", CAT)),
    ],
)
def test_message_that_no_short_head_can_hold_has_the_general_form(signal: Signal) -> None:
    head, _ = Writer(GUS, BOB).write(signal)
    kind, length = KIND_AND_LENGTH.unpack_from(head)
    assert kind == KINDS[Send]
    assert len(head) == KIND_AND_LENGTH.size + length


TERM = Payload(ErlangTerm(encode_term(("ref", MINE), GUS)), CAT)


@pytest.mark.parametrize(
    "signal",
    [
        ExitSignal(MINE, THEIRS, TERM),
        Down(THEIRS, ALIAS, MINE, TERM, MINE),
        Answer(4, "exit", TERM),
    ],
)
def test_reason_of_a_call_by_an_erlang_node_is_encoded_anew(signal: Signal) -> None:
    _, payload = Writer(GUS, BOB).write(signal)
    assert payload == encode(("ref", MINE))


def test_head_is_reused_between_the_same_two_processes() -> None:
    writer = Writer(GUS, BOB)
    first, _ = writer.write(Send(MINE, THEIRS, ENCODED))
    assert writer.write(Send(MINE, THEIRS, Payload(b"next")))[0] is first
    assert writer.write(Send(MINE, "stock", ENCODED))[0] != first
    assert writer.write(Send(MINE, THEIRS, ENCODED))[0] == first


def test_tick_has_no_bytes() -> None:
    assert Writer(GUS, BOB).write(Tick()) == (b"", b"")


def test_signal_without_payload_has_an_empty_payload() -> None:
    assert Writer(GUS, BOB).write(Ping(1))[1] == b""


@pytest.mark.parametrize(("written", "read"), TABLE)
def test_written_signal_is_read_back(written: Signal, read: Signal) -> None:
    head, payload = Writer(GUS, BOB).write(written)
    assert Reader(BOB, GUS).read(head + bytes(payload)) == read
