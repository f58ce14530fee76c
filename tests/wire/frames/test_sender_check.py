"""sender_check.py: Forged fields of a peer are refused."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.errors import ProtocolError
from pyx.signals import (
    LONGEST_TEXT,
    MOST_LET,
    MOST_NODES,
    Answer,
    Ask,
    Call,
    Crashed,
    Demonitor,
    Down,
    Dropped,
    ExitSignal,
    ExitTo,
    GenCall,
    GenReply,
    Held,
    Leader,
    Let,
    Link,
    Monitor,
    Nodes,
    Payload,
    Ping,
    Print,
    Publish,
    Send,
    Spawn,
    Spawned,
    Unlink,
    UnlinkAck,
)
from pyx.terms import LONGEST_WORD, Pid, Ref
from pyx.wire.frames.head_limits import SHORT_HEAD_BYTES
from pyx.wire.frames.reader import Reader
from tests.wire.samples import ALIAS, BOB, CAT, GUS, MINE, MINE_READ, OTHER, REF, THEIRS, general_form

PAST = Pid(5, 0, "gus@vm", 10)
"""A process of an earlier incarnation of gus."""
REF_OF_CAT = Ref(3, *CAT)

WORD = "w" * LONGEST_WORD


def read(signal: type, *fields: Any, payload: bytes = b"") -> Any:
    return Reader(BOB, GUS).read(general_form(signal, *fields, payload=payload))


@pytest.mark.parametrize(
    ("signal", "fields", "field"),
    [
        # acting for processes that are not the peer's own, or of an earlier incarnation
        (Link, (OTHER, THEIRS), "frm"),
        (Link, (PAST, THEIRS), "frm"),
        (ExitTo, (PAST, THEIRS, "kill"), "frm"),
        (ExitSignal, (OTHER, THEIRS, "noproc"), "frm"),
        (ExitSignal, (THEIRS, THEIRS, "noproc"), "frm"),
        (Print, (PAST, THEIRS, "x\n"), "frm"),
        (Crashed, (OTHER, THEIRS, "x\n"), "frm"),
        (GenCall, (OTHER, THEIRS, REF, False, True), "frm"),
        (GenReply, (OTHER, ALIAS, True), "frm"),
        (Publish, (OTHER, None, "pubsub", b"\xa1t", True), "frm"),
        (Publish, (THEIRS, None, "pubsub", b"\xa1t", True), "frm"),
        (Leader, (OTHER, THEIRS, OTHER), "frm"),
        (Dropped, (PAST, "too long"), "frm"),
        (Held, (OTHER, 1, "pg", b"\xa1g", True), "frm"),
        (Held, (PAST, 1, "pg", b"\xa1g", True), "frm"),
        (Held, (THEIRS, 1, "pg", b"\xa1g", True), "frm"),
        (Let, (OTHER, (1,)), "frm"),
        (Spawned, (1, OTHER), "pid"),
        (Down, (THEIRS, ALIAS, OTHER, "noproc", None), "target"),
        (Down, (THEIRS, ALIAS, THEIRS, "noproc", None), "target"),
        (Down, (THEIRS, ALIAS, MINE, "noproc", OTHER), "frm"),
        # references that the peer has not made
        (Monitor, (MINE, THEIRS, ALIAS), "ref"),
        (Monitor, (MINE, THEIRS, REF_OF_CAT), "ref"),
        (Demonitor, (MINE, THEIRS, ALIAS), "ref"),
        (GenCall, (MINE, THEIRS, ALIAS, False, True), "ref"),
        (GenCall, (MINE, THEIRS, REF_OF_CAT, False, True), "ref"),
        (Spawn, (MINE, 1, MINE, False, ALIAS, True), "monitor"),
        (Spawn, (MINE, 1, MINE, False, REF_OF_CAT, True), "monitor"),
        (Down, (THEIRS, REF_OF_CAT, MINE, "noproc", None), "ref"),
        (Down, (THEIRS, REF, MINE, "noproc", None), "ref"),
        # acting on processes of other nodes
        (GenCall, (MINE, OTHER, REF, False, True), "target"),
        (GenReply, (MINE, REF_OF_CAT, True), "to"),
        (Link, (MINE, OTHER), "to"),
        (Link, (MINE, MINE), "to"),
        (Send, (MINE, OTHER, True), "to"),
        (Send, (MINE, REF_OF_CAT, True), "to"),
        (Monitor, (MINE, OTHER, REF), "target"),
        (Print, (MINE, OTHER, "x\n"), "to"),
        # over a limit
        (Publish, (MINE, None, "p" * 256, b"\xa1t", True), "pubsub"),
        (Publish, (MINE, None, "pubsub", b"t" * 4097, True), "topic"),
        (Ping, (-1,), "number"),
        (Ping, (2**64,), "number"),
        (Unlink, (MINE, THEIRS, 0), "number"),
        (Held, (MINE, 0, "pg", b"\xa1g", True), "number"),
        (Held, (MINE, 2**64, "pg", b"\xa1g", True), "number"),
        (Let, (MINE, ()), "numbers"),
        (Let, (MINE, (0,)), "numbers"),
        (Let, (MINE, (True,)), "numbers"),
        (Let, (MINE, ("1",)), "numbers"),
        (Let, (MINE, (1,) * (MOST_LET + 1)), "numbers"),
        (UnlinkAck, (MINE, THEIRS, 0), "number"),
        (ExitSignal, (MINE, THEIRS, WORD + "w"), "reason"),
        (Answer, (1, WORD + "w", True, None), "outcome"),
        (Answer, (1, "refused", WORD + "w", None), "payload"),
        (Ask, (MINE, 1, WORD + "w", True), "subject"),
        (Nodes, (("cat@vm",) * (MOST_NODES + 1),), "names"),
    ],
)
def test_forged_field_is_refused(signal: type, fields: tuple[Any, ...], field: str) -> None:
    with pytest.raises(ProtocolError, match=f"the field {field} of the signal {signal.__name__} cannot be"):
        read(signal, *fields, payload=b"x" if True in fields else b"")


@pytest.mark.parametrize(
    ("signal", "fields"),
    [
        (ExitSignal, (MINE, THEIRS, WORD)),
        (ExitSignal, (PAST, THEIRS, "noproc")),  # a process here linked to one of that incarnation
        (UnlinkAck, (PAST, THEIRS, 1)),
        (Down, (THEIRS, ALIAS, PAST, "noproc", None)),
        (Link, (MINE, Pid(7, 1, BOB.name, 21))),
        (Nodes, (("cat@vm",) * MOST_NODES,)),
        (Nodes, (("n" * 240 + "@vm",) * MOST_NODES,)),
        (Print, (MINE, THEIRS, "\N{OLD ITALIC LETTER A}" * LONGEST_TEXT)),
        (Unlink, (MINE, THEIRS, 2**64 - 1)),
        (Let, (MINE, (2**64 - 1,) * MOST_LET)),
    ],
)
def test_field_at_its_limit_is_allowed(signal: type, fields: tuple[Any, ...]) -> None:
    assert type(read(signal, *fields)) is signal


@pytest.mark.parametrize(
    ("signal", "fields"),
    [
        (Call, (MINE, 1, MINE)),
        (Spawn, (MINE, 1, MINE, False, None)),
        (Ask, (MINE, 1, "info")),
        (Held, (MINE, 1, "pg", b"\xa1g")),
    ],
)
def test_payload_of_a_request_must_be_encoded_by_the_peer(signal: type, fields: tuple[Any, ...]) -> None:
    assert read(signal, *fields, True, payload=b"x")[-1] == Payload(b"x", GUS)
    for another in (BOB, CAT):
        with pytest.raises(ProtocolError, match=f"{signal.__name__}: the origin of the payload cannot be"):
            read(signal, *fields, tuple(another), payload=b"x")


def test_payload_from_a_peer_never_counts_as_encoded_here() -> None:
    assert read(ExitTo, MINE, THEIRS, tuple(BOB), payload=b"x") == ExitTo(
        MINE_READ, Pid(7, 1), Payload(b"x", BOB)
    )


@pytest.mark.parametrize("signal", [Link, Call, Dropped, Nodes])
def test_too_long_head_is_refused_before_it_is_decoded(signal: type) -> None:
    longest = SHORT_HEAD_BYTES if signal is not Nodes else MOST_NODES * 270
    with pytest.raises(ProtocolError, match=f"the head of the signal {signal.__name__} is too long"):
        read(signal, [[]] * longest)


@pytest.mark.parametrize("signal", [Print, Crashed])
def test_head_with_output_may_be_long_for_its_text_alone(signal: type) -> None:
    for text in ("x" * SHORT_HEAD_BYTES, "ä" * LONGEST_TEXT, "\ud800" * 40_000):
        assert read(signal, MINE, THEIRS, text)[2] == text
    many: list[Any] = [[]] * (2 * SHORT_HEAD_BYTES)
    for fields in (
        (MINE, THEIRS, many),
        (MINE, many, "x\n"),
        (many, THEIRS, "x" * SHORT_HEAD_BYTES),
        (many,),
    ):
        with pytest.raises(
            ProtocolError,
            match=f"the head of the signal {signal.__name__} is longer than its text accounts for",
        ):
            read(signal, *fields)
