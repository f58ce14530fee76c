"""machine.py, party.py, events.py, short_frames.py, failure_texts.py: Both ends prove the cookie."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest

from pyx.terms import Incarnation
from pyx.wire.handshake.events import (
    Authenticated,
    Established,
    Event,
    Failed,
    NeedKey,
    Postponed,
    Status,
    Transmit,
)
from pyx.wire.handshake.hello import Hello, acceptor_hello, dialler_hello, pack_hello
from pyx.wire.handshake.machine import Acceptor, Dialler
from pyx.wire.handshake.short_frames import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NONCE_A, NONCE_B = b"a" * 32, b"b" * 32
FAILURE = b"\x00\x01\x05"
COOKIE_HINT = "both read ~/.pyx.cookie, or pass --cookie-file"

Party = Dialler | Acceptor


def dialler(
    name: str = "gus@vm",
    dialled: str = "bob@vm",
    *,
    creation: int = 11,
    nonce: bytes = NONCE_A,
    hidden: bool = False,
    versions: tuple[int, int] = (1, 1),
    channel: bytes = b"unix",
) -> Dialler:
    node = Incarnation(name, creation)
    return Dialler(dialler_hello(node, dialled, nonce, hidden=hidden, versions=versions), channel)


def acceptor(
    name: str = "bob@vm",
    *,
    creation: int = 22,
    nonce: bytes = NONCE_B,
    hidden: bool = False,
    versions: tuple[int, int] = (1, 1),
    channel: bytes = b"unix",
) -> Acceptor:
    node = Incarnation(name, creation)
    return Acceptor(acceptor_hello(node, nonce, hidden=hidden, versions=versions), channel)


def advance(party: Party, key: bytes = KEY, status: Status = "ok") -> tuple[bytes, list[Event]]:
    """Returns (bytes that *party* sends now, its other events); answers its `NeedKey` and `Authenticated`."""
    sent = b""
    heard: list[Event] = []
    while events := party.events():
        for event in events:
            if isinstance(event, Transmit):
                sent += event.data
                continue
            heard.append(event)
            if isinstance(event, NeedKey):
                party.key_chosen(key)
            elif isinstance(event, Authenticated):
                assert isinstance(party, Acceptor)
                party.decide(status)
    return sent, heard


def converse(
    one: Dialler,
    two: Acceptor,
    *,
    keys: tuple[bytes, bytes] = (KEY, KEY),
    status: Status = "ok",
    step: int = 1024,
) -> tuple[list[Event], list[Event]]:
    """Carries bytes between both sides, *step* at a time, until neither sends any."""
    heard_one: list[Event] = []
    heard_two: list[Event] = []
    while True:
        sent, heard = advance(one, keys[0])
        heard_one += heard
        for place in range(0, len(sent), step):
            two.receive_data(sent[place : place + step])
        answered, heard = advance(two, keys[1], status)
        heard_two += heard
        for place in range(0, len(answered), step):
            one.receive_data(answered[place : place + step])
        if not sent and not answered:
            return heard_one, heard_two


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def hello(role: int, **changes: object) -> bytes:
    """A hello as a forging peer would write it: gus dialling bob, or bob answering."""
    usual: dict[str, object] = {
        1: {"creation": 11, "nonce": NONCE_A, "name": "gus@vm", "dialled": "bob@vm"},
        2: {"creation": 22, "nonce": NONCE_B, "name": "bob@vm", "dialled": ""},
    }[role]
    fields = {"role": role, "lowest": 1, "highest": 1, "flags": 0, **usual, **changes}
    return framed(pack_hello(Hello(**fields)))  # type: ignore[arg-type]


def failure_of(events: list[Event]) -> str:
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert not [event for event in events if isinstance(event, (Established, Postponed))]
    return failed.reason


class TestHandshake:
    def test_two_nodes_with_one_cookie_are_established(self) -> None:
        assert converse(dialler(), acceptor()) == (
            [NeedKey("bob@vm"), Established("bob@vm", 22, False)],
            [NeedKey("gus@vm"), Authenticated("gus@vm", 11, False), Established("gus@vm", 11, False)],
        )

    def test_hidden_flag_is_exchanged(self) -> None:
        one, two = converse(dialler(hidden=True), acceptor(hidden=True))
        assert one[-1] == Established("bob@vm", 22, True)
        assert two[-2:] == [Authenticated("gus@vm", 11, True), Established("gus@vm", 11, True)]

    @pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
    def test_bytes_may_come_in_any_pieces(self, step: int) -> None:
        one, two = converse(dialler(), acceptor(), step=step)
        assert isinstance(one[-1], Established)
        assert isinstance(two[-1], Established)

    def test_frames_of_the_longest_names_are_within_the_limit(self) -> None:
        name = "n" * 251 + "@vm"
        one, two = dialler(name, name[1:]), acceptor(name[1:])
        sent = advance(one)[0]
        assert len(sent) <= MAX_FRAME_BYTES
        two.receive_data(sent)
        assert len(advance(two)[0]) <= MAX_FRAME_BYTES

    def test_overlapping_ranges_of_versions_are_accepted(self) -> None:
        one, two = converse(dialler(versions=(1, 4)), acceptor(versions=(3, 9)))
        assert isinstance(one[-1], Established)
        assert isinstance(two[-1], Established)

    def test_bytes_after_the_handshake_are_trailing_data(self) -> None:
        one, two = dialler(), acceptor()
        two.receive_data(advance(one)[0])
        one.receive_data(advance(two)[0])
        two.receive_data(advance(one)[0])
        one.receive_data(advance(two)[0] + b"first signals")
        assert isinstance(advance(one)[1][-1], Established)
        one.receive_data(b", and more")
        assert one.trailing_data == b"first signals, and more"

    def test_proof_waits_for_the_key(self) -> None:
        one, two = dialler(), acceptor()
        two.receive_data(advance(one)[0])
        answer, asked = two.events()
        assert isinstance(answer, Transmit)
        assert asked == NeedKey("gus@vm")
        one.receive_data(answer.data)
        two.receive_data(advance(one)[0])  # the proof, which cannot be checked yet
        assert two.events() == []
        two.key_chosen(KEY)
        assert two.events() == [Authenticated("gus@vm", 11, False)]

    def test_key_is_asked_for_by_the_peers_name(self) -> None:
        one, two = converse(dialler(), acceptor(), keys=(OTHER_KEY, OTHER_KEY))
        assert one[0] == NeedKey("bob@vm")
        assert two[0] == NeedKey("gus@vm")
        assert isinstance(one[-1], Established)

    def test_frames_have_the_documented_layout(self) -> None:
        """The layout in the module docstrings of machine.py and proof.py, computed by hand."""
        one, two = dialler(), acceptor()
        hello_a, hello_b = advance(one)[0], hello(2)
        assert hello_a == hello(1)
        transcript = hashlib.sha256(hello_a + hello_b + b"unix").digest()
        two.receive_data(hello_a)
        assert advance(two)[0] == hello_b
        one.receive_data(hello_b)
        proof = framed(b"\x03" + hmac.digest(KEY, b"pyx-1 dialler" + transcript, "sha256"))
        assert advance(one)[0] == proof
        two.receive_data(proof)
        assert advance(two)[0] == framed(
            b"\x04\x00" + hmac.digest(KEY, b"pyx-1 acceptor\x00" + transcript, "sha256")
        )


class TestDecisions:
    def test_simultaneous_postpones_the_dialler(self) -> None:
        one, two = converse(dialler(), acceptor(), status="simultaneous")
        assert one[-1] == Postponed("bob@vm")
        assert failure_of(two) == "gus@vm was answered: simultaneous"

    def test_refused_fails_at_both_ends(self) -> None:
        one, two = converse(dialler(), acceptor(), status="refused")
        assert failure_of(one) == "it refused the connection"
        assert failure_of(two) == "gus@vm was answered: refused"

    def test_decision_changed_on_the_way_breaks_the_proof(self) -> None:
        one, two = dialler(), acceptor()
        two.receive_data(advance(one)[0])
        one.receive_data(advance(two)[0])
        two.receive_data(advance(one)[0])
        decision = bytearray(advance(two, status="refused")[0])
        decision[3] = 0  # "ok"
        one.receive_data(bytes(decision))
        assert failure_of(advance(one)[1]) == "the cookie of bob@vm differs from ours"


class TestWrongCookie:
    def test_wrong_cookie_is_named_at_both_ends(self) -> None:
        one, two = converse(dialler(), acceptor(), keys=(KEY, OTHER_KEY))
        assert one[-1] == Failed("the cookie of bob@vm differs from ours", COOKIE_HINT)
        assert two[-1] == Failed("the cookie of gus@vm differs from ours", COOKIE_HINT)

    def test_wrong_cookie_is_answered_without_a_reason(self) -> None:
        one, two = dialler(), acceptor()
        two.receive_data(advance(one)[0])
        one.receive_data(advance(two)[0])
        two.receive_data(advance(one, OTHER_KEY)[0])
        assert advance(two)[0] == FAILURE

    def test_wrong_cookie_and_wrong_name_get_the_same_answer_for_the_same_work(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worked: list[str] = []
        for name, work in (("digest", hmac.digest), ("compare_digest", hmac.compare_digest)):
            monkeypatch.setattr(
                hmac, name, lambda *frame, name=name, work=work: worked.append(name) or work(*frame)
            )
        answers = []
        for dialled, key in (("bob@vm", OTHER_KEY), ("cat@vm", OTHER_KEY), ("cat@vm", KEY)):
            two, proof = acceptor(), framed(bytes((3,)) + hmac.digest(key, b"proof", "sha256"))
            worked.clear()
            sent = []
            for frame in (hello(1, dialled=dialled), proof):
                two.receive_data(frame)
                sent.append(advance(two)[0])
            answers.append((sent, tuple(worked)))
        assert answers == [([hello(2), FAILURE], ("digest", "compare_digest"))] * 3

    def test_impostor_that_accepts_is_noticed(self) -> None:
        one = dialler()
        one.receive_data(hello(2))
        advance(one)
        one.receive_data(framed(b"\x04\x00" + bytes(32)))
        assert advance(one)[1] == [Failed("the cookie of bob@vm differs from ours", COOKIE_HINT)]


def _broken(frame: bytes, place: int, value: int) -> bytes:
    return frame[:place] + bytes((value,)) + frame[place + 1 :]


_NAME_AT = 2 + 8 + 40 + 1
BAD_HELLOS: list[tuple[str, Callable[[int], bytes], str]] = [
    ("other magic", lambda r: _broken(hello(r), 2, 0), "it does not speak pyx's protocol"),
    ("http", lambda _: b"\x00\x10GET / HTTP/1.1\r\n", "it does not speak pyx's protocol"),
    ("empty", lambda _: framed(b""), "it does not speak pyx's protocol"),
    ("magic only", lambda _: framed(b"pyx"), "it does not speak pyx's protocol"),
    ("own role", lambda r: hello(3 - r), "it sent this side's own kind of hello back"),
    ("no role", lambda r: _broken(hello(r), 5, 9), "its hello has the unknown role 9"),
    ("a proof instead", lambda _: framed(b"\x03" + bytes(32)), "it does not speak pyx's protocol"),
    ("newer", lambda r: hello(r, lowest=3, highest=4), "it speaks pyx protocol 3 to 4, this node 1"),
    ("older", lambda r: hello(r, lowest=0, highest=0), "it speaks pyx protocol 0, this node 1"),
    ("a needed flag", lambda r: hello(r, flags=0x8001), "it requires what this node lacks (flags 0x8001)"),
    ("creation 0", lambda r: hello(r, creation=0), "its creation is 0"),
    ("name without host", lambda r: hello(r, name="eve"), "it calls itself 'eve', which is not a node name"),
    ("path as name", lambda r: hello(r, name="/e@vm"), "it calls itself '/e@vm', which is not a node name"),
    ("empty name", lambda r: hello(r, name=""), "it calls itself '', which is not a node name"),
    ("bad UTF-8", lambda r: _broken(hello(r), _NAME_AT, 0xFF), "its hello holds a name that is not ASCII"),
    ("UTF-8", lambda r: hello(r, name="gürs@vm"), "its hello holds a name that is not ASCII"),
    ("long", lambda r: framed(hello(r)[2:] + b"!"), "its hello is 1 bytes too long"),
]  # fmt: skip


class TestHellos:
    @pytest.mark.parametrize(("bad", "reason"), [b[1:] for b in BAD_HELLOS], ids=[b[0] for b in BAD_HELLOS])
    def test_malformed_hello_is_refused_by_the_acceptor(
        self, bad: Callable[[int], bytes], reason: str
    ) -> None:
        two = acceptor()
        two.receive_data(bad(1))
        sent, heard = advance(two)
        assert sent in {FAILURE, hello(2) + FAILURE}
        assert failure_of(heard) == reason

    @pytest.mark.parametrize(("bad", "reason"), [b[1:] for b in BAD_HELLOS], ids=[b[0] for b in BAD_HELLOS])
    def test_malformed_hello_is_refused_by_the_dialler(
        self, bad: Callable[[int], bytes], reason: str
    ) -> None:
        one = dialler()
        advance(one)
        one.receive_data(bad(2))
        sent, heard = advance(one)
        assert not sent
        assert failure_of(heard) == reason

    @pytest.mark.parametrize("size", range(1, len(hello(1)) - 2))
    def test_short_hello_is_refused(self, size: int) -> None:
        two = acceptor()
        two.receive_data(framed(hello(1)[2 : 2 + size]))
        assert failure_of(advance(two)[1])

    def test_unknown_advice_flags_are_ignored(self) -> None:
        two = acceptor()
        two.receive_data(hello(1, flags=0xFFFE0000))
        assert advance(two)[1] == [NeedKey("gus@vm")]

    def test_hello_with_this_nodes_own_name_is_refused(self) -> None:
        two = acceptor()
        two.receive_data(hello(1, name="bob@vm"))
        assert failure_of(advance(two)[1]) == "it has this node's own name"

    @pytest.mark.parametrize("key", [KEY, OTHER_KEY])
    def test_hello_for_another_name_is_refused_at_the_step_of_a_wrong_cookie(self, key: bytes) -> None:
        one, two = dialler(dialled="cat@vm"), acceptor()
        two.receive_data(advance(one)[0])
        assert advance(two) == (hello(2), [NeedKey("gus@vm")])
        one = dialler()  # which continues regardless
        advance(one)
        one.receive_data(hello(2))
        two.receive_data(advance(one, key)[0])
        sent, heard = advance(two)
        assert sent == FAILURE
        assert failure_of(heard) == "gus@vm dialled 'cat@vm', this is bob@vm"

    def test_hello_for_another_name_is_the_reason_when_the_dialler_leaves(self) -> None:
        two = acceptor()
        two.receive_data(hello(1, dialled="cat@vm"))
        advance(two)
        two.connection_lost()
        assert failure_of(advance(two)[1]) == "gus@vm dialled 'cat@vm', this is bob@vm"

    def test_hello_from_another_name_is_refused(self) -> None:
        one, _ = converse(dialler(dialled="cat@vm"), acceptor())
        assert failure_of(one) == "it is called bob@vm, not cat@vm"

    def test_versions_without_overlap_are_refused_at_both_ends(self) -> None:
        one, two = converse(dialler(), acceptor(versions=(3, 4)))
        assert failure_of(one) == "it speaks pyx protocol 3 to 4, this node 1"
        assert failure_of(two) == "it speaks pyx protocol 1, this node 3 to 4"

    def test_hello_with_this_nodes_own_nonce_is_refused(self) -> None:
        one, two = converse(dialler(), acceptor(nonce=NONCE_A))
        assert failure_of(one) == failure_of(two) == "it sent this node's own nonce back"


class TestFrames:
    @pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 0xFFFF])
    def test_frame_over_the_limit_is_refused_by_its_length(self, length: int) -> None:
        two = acceptor()
        two.receive_data(length.to_bytes(2))
        sent, heard = advance(two)
        assert sent == FAILURE
        assert failure_of(heard) == f"it announced a frame of {length} bytes; the limit is 1024"

    @pytest.mark.parametrize(
        "proof",
        [b"", b"\x03", b"\x03" + bytes(31), b"\x03" + bytes(33), b"\x04" + bytes(32), b"\x05", hello(1)[2:]],
    )
    def test_malformed_proof_is_refused(self, proof: bytes) -> None:
        two = acceptor()
        two.receive_data(hello(1))
        advance(two)
        two.receive_data(framed(proof))
        sent, heard = advance(two)
        assert sent == FAILURE
        assert failure_of(heard) == "the proof of gus@vm is malformed"

    @pytest.mark.parametrize(
        "decision",
        [
            b"",
            b"\x04",
            b"\x04\x00" + bytes(31),
            b"\x04\x00" + bytes(33),
            b"\x04\x03" + bytes(32),
            b"\x03" + bytes(33),
        ],
    )
    def test_malformed_decision_is_refused(self, decision: bytes) -> None:
        one = dialler()
        one.receive_data(hello(2))
        advance(one)
        one.receive_data(framed(decision))
        assert failure_of(advance(one)[1]) == "its decision is malformed"

    def test_frame_before_the_decision_is_refused(self) -> None:
        one, two = dialler(), acceptor()
        two.receive_data(advance(one)[0])
        one.receive_data(advance(two)[0])
        two.receive_data(advance(one)[0] + framed(b"hurry"))
        assert failure_of(advance(two)[1]) == "gus@vm sent more before it was answered"

    def test_frames_after_a_failure_are_ignored(self) -> None:
        two = acceptor()
        two.receive_data(framed(b"nonsense"))
        advance(two)
        two.receive_data(hello(1))
        two.connection_lost()
        assert advance(two) == (b"", [])


class TestAttacks:
    def test_proof_replayed_to_another_nonce_is_refused(self) -> None:
        one, two = dialler(), acceptor()
        hello_a = advance(one)[0]
        two.receive_data(hello_a)
        one.receive_data(advance(two)[0])
        proof = advance(one)[0]
        again = acceptor(nonce=b"c" * 32)
        again.receive_data(hello_a)
        advance(again)
        again.receive_data(proof)
        assert failure_of(advance(again)[1]) == "the cookie of gus@vm differs from ours"

    def test_proof_reflected_as_the_decision_is_refused(self) -> None:
        one = dialler()
        one.receive_data(hello(2))
        proof = advance(one)[0].removeprefix(hello(1))
        one.receive_data(framed(b"\x04\x00" + proof[3:]))
        assert failure_of(advance(one)[1]) == "the cookie of bob@vm differs from ours"

    def test_reflected_hello_is_refused(self) -> None:
        one = dialler()
        sent = advance(one)[0]
        one.receive_data(sent)
        assert failure_of(advance(one)[1]) == "it sent this side's own kind of hello back"
        one = dialler()
        advance(one)
        one.receive_data(hello(2, nonce=NONCE_A))
        assert failure_of(advance(one)[1]) == "it sent this node's own nonce back"

    def test_relay_between_two_channels_is_refused_by_both(self) -> None:
        one, two = converse(dialler(channel=b"tls" + b"1" * 32), acceptor(channel=b"tls" + b"2" * 32))
        assert failure_of(one) == "the cookie of bob@vm differs from ours"
        assert failure_of(two) == "the cookie of gus@vm differs from ours"

    @pytest.mark.parametrize(
        "change",
        [
            {"lowest": 0},
            {"highest": 2},
            {"flags": 1 << 16},
            {"flags": 1 << 31},
            {"creation": 12},
            {"nonce": b"n" * 32},
            {"name": "eve@vm"},
        ],
        ids=str,
    )
    def test_hello_changed_on_the_way_breaks_the_proof(self, change: dict[str, object]) -> None:
        one, two = dialler(), acceptor()
        advance(one)
        two.receive_data(hello(1, **change))
        one.receive_data(advance(two)[0])
        two.receive_data(advance(one)[0])
        assert "differs from ours" in failure_of(advance(two)[1])


class TestConnectionLost:
    def test_connection_lost_is_a_failure_at_every_step(self) -> None:
        fresh = dialler()
        fresh.connection_lost()
        assert failure_of(advance(fresh)[1]) == "it hung up"
        waiting = dialler()
        waiting.receive_data(hello(2))
        advance(waiting)
        waiting.connection_lost()
        assert failure_of(advance(waiting)[1]) == "it hung up"
        met = acceptor()
        met.receive_data(hello(1))
        advance(met)
        met.connection_lost()
        assert failure_of(advance(met)[1]) == "it hung up"

    def test_connection_lost_after_the_handshake_is_ignored(self) -> None:
        one, two = dialler(), acceptor()
        converse(one, two)
        one.connection_lost()
        assert advance(one) == (b"", [])

    def test_failure_before_the_proof_is_a_refusal(self) -> None:
        one = dialler()
        one.receive_data(FAILURE)
        assert failure_of(advance(one)[1]) == "it refused the connection"
