"""handshake.py, flags.py: Both ends of Erlang's handshake, against bytes of OTP 25 and of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.terms import Incarnation
from pyx.wire.beam import flags
from pyx.wire.beam.handshake import BeamAcceptor, BeamDialler, NeedStatus, digest
from pyx.wire.handshake.events import Authenticated, Established, Failed, NeedKey, Postponed, Transmit

if TYPE_CHECKING:
    from pyx.wire.beam.handshake import BeamEvent, Preview

GUS = Incarnation("gus@vm", 0x6B0ACD76)
A = Incarnation("a@vm", 0x6B0ACD6F)
COOKIE = b"ck"
HINT = "both read ~/.erlang.cookie, or pass --beam-cookie-file"

NAME_OF_OTP_25 = bytes.fromhex("4e0000000d07df7fbd6b0acd6f00046140766d")
NAME_OF_OTP_28 = bytes.fromhex("4e0000002d07df7fbd6b0ad02a00046f40766d")
REPLY_OF_OTP_25 = bytes.fromhex("72b6477dfd552a105a8292223618ed50ad13c0ccdd")


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def sent(events: list[BeamEvent]) -> list[bytes]:
    """The bodies of the frames among the events."""
    bodies = []
    for event in events:
        if isinstance(event, Transmit):
            assert int.from_bytes(event.data[:2]) == len(event.data) - 2
            bodies.append(event.data[2:])
    return bodies


def acceptor(node: Incarnation = GUS, challenge: int = 0x0839FC8A, dynamic: int = 0) -> BeamAcceptor:
    return BeamAcceptor(node, challenge, dynamic)


def challenged(status: Preview = "ok", cookie: bytes = COOKIE) -> BeamAcceptor:
    """An acceptor that has answered the name of OTP 25 with its challenge."""
    machine = acceptor()
    machine.receive_data(framed(NAME_OF_OTP_25))
    machine.events()
    machine.status_chosen(status)
    machine.key_chosen(cookie)
    return machine


def play(
    dialler: BeamDialler,
    acceptor: BeamAcceptor,
    status: Preview = "ok",
    keys: tuple[bytes, bytes] = (COOKIE, COOKIE),
) -> tuple[list[BeamEvent], list[BeamEvent]]:
    """Carries bytes between two machines until nothing moves; returns the other events of each."""
    of_dialler: list[BeamEvent] = []
    of_acceptor: list[BeamEvent] = []
    moves = True
    while moves:
        moves = False
        for machine, other, seen, key in (
            (dialler, acceptor, of_dialler, keys[0]),
            (acceptor, dialler, of_acceptor, keys[1]),
        ):
            for event in machine.events():
                moves = True
                match event:
                    case Transmit(data):
                        other.receive_data(data)
                    case NeedKey():
                        machine.key_chosen(key)
                    case NeedStatus():
                        acceptor.status_chosen(status)
                    case Authenticated():
                        seen.append(event)
                        acceptor.decide("ok")
                    case _:
                        seen.append(event)
    return of_dialler, of_acceptor


# ---------------------------------------------------------------- accepting OTP 25, byte for byte


def test_acceptor_speaks_with_otp_25() -> None:
    machine = acceptor()
    machine.receive_data(framed(NAME_OF_OTP_25))
    assert machine.events() == [NeedStatus("a@vm")]
    machine.status_chosen("ok")
    status, challenge = sent(machine.events())
    assert status == b"sok"
    # With the flags of this node: the recorded one understood neither the atom cache nor fragments.
    assert challenge == bytes.fromhex("4e0000000d07cf3fbc0839fc8a6b0acd76000667757340766d")
    machine.key_chosen(COOKIE)
    machine.receive_data(framed(REPLY_OF_OTP_25))
    assert machine.events() == [Authenticated("a@vm", 0x6B0ACD6F, True)]
    machine.decide("ok")
    events = machine.events()
    assert sent(events) == [bytes.fromhex("613e148705c0f10a679a68611b68dd01b3")]
    assert events[-1] == Established("a@vm", 0x6B0ACD6F, True)
    assert machine.flags == flags.OURS  # OTP 25 understands all of it


def test_acceptor_hears_the_name_of_otp_28() -> None:
    machine = acceptor()
    machine.receive_data(framed(NAME_OF_OTP_28))
    assert machine.events() == [NeedStatus("o@vm")]
    assert machine.flags == flags.OURS | flags.ALTACT_SIG


def test_acceptor_reads_frames_in_any_pieces() -> None:
    machine = acceptor()
    for byte in framed(NAME_OF_OTP_25):
        assert machine.events() == []
        machine.receive_data(bytes((byte,)))
    assert machine.events() == [NeedStatus("a@vm")]


def test_acceptor_ignores_what_follows_the_name() -> None:
    machine = acceptor()
    machine.receive_data(framed(NAME_OF_OTP_25 + b"later versions"))
    assert machine.events() == [NeedStatus("a@vm")]


def test_first_signals_may_follow_the_handshake_at_once() -> None:
    machine = challenged()
    machine.events()
    machine.receive_data(framed(REPLY_OF_OTP_25) + b"\0\0\0\0")
    machine.decide("ok")
    assert machine.trailing_data == b"\0\0\0\0"


# ---------------------------------------------------------------- refusals


def test_acceptor_refuses_another_cookie() -> None:
    machine = challenged(cookie=b"another")
    machine.events()
    machine.receive_data(framed(REPLY_OF_OTP_25))
    assert machine.events() == [Failed("the cookie of a@vm differs from ours", HINT)]


def test_acceptor_answers_alive_before_the_proof_and_waits() -> None:
    machine = acceptor()
    machine.receive_data(framed(NAME_OF_OTP_25))
    machine.events()
    machine.status_chosen("alive")
    assert sent(machine.events()) == [b"salive"]
    machine.receive_data(framed(b"strue"))
    (challenge,) = sent(machine.events())
    assert challenge.startswith(b"N")


def test_acceptor_believes_a_dialler_that_keeps_its_old_connection() -> None:
    machine = acceptor()
    machine.receive_data(framed(NAME_OF_OTP_25))
    machine.status_chosen("alive")
    machine.events()
    machine.receive_data(framed(b"sfalse"))
    assert machine.events() == [Failed("a@vm keeps its older connection to this node")]


def test_acceptor_says_nok_when_its_own_dial_goes_first() -> None:
    machine = acceptor()
    machine.receive_data(framed(NAME_OF_OTP_25))
    machine.events()
    machine.status_chosen("nok")
    events = machine.events()
    assert sent(events) == [b"snok"]
    assert isinstance(events[-1], Failed)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"n\0\5\0\0\0\0a@vm", "it is older than OTP 25: it speaks version 5 of the handshake"),
        (b"GET / HTTP/1.1\r\n\r\n", "it does not speak Erlang's distribution protocol"),
        (b"", "it does not speak Erlang's distribution protocol"),
        (NAME_OF_OTP_25[:-1], "its name is cut short"),
        (NAME_OF_OTP_25[:-4] + b"\xffbcd", "its name is not ASCII"),
        (NAME_OF_OTP_25[:-4] + b"abcd", "it calls itself 'abcd', which is not a node name"),
        (
            NAME_OF_OTP_25.replace(b"\x0d\x07\xdf\x7f\xbd", b"\0\0\0\0\0"),
            (
                "it is older than OTP 25: it does not understand EXTENDED_REFERENCES, FUN_TAGS, "
                "NEW_FUN_TAGS, EXTENDED_PIDS_PORTS, EXPORT_PTR_TAG, BIT_BINARIES, NEW_FLOATS, UTF8_ATOMS, "
                "MAP_TAG, BIG_CREATION, HANDSHAKE_23"
            ),
        ),
    ],
)
def test_acceptor_refuses_a_malformed_name(body: bytes, reason: str) -> None:
    machine = acceptor()
    machine.receive_data(framed(body))
    assert [event for event in machine.events() if isinstance(event, Failed)] == [Failed(reason)]


def test_acceptor_refuses_its_own_name() -> None:
    machine = acceptor(A)
    machine.receive_data(framed(NAME_OF_OTP_25))
    events = machine.events()
    assert sent(events) == [b"snot_allowed"]
    assert events[-1] == Failed("it has this node's own name")


def test_frame_over_the_limit_is_refused_on_its_length() -> None:
    machine = acceptor()
    machine.receive_data(b"\xff\xff")
    assert machine.events() == [Failed("it announced a frame of 65535 bytes; the limit is 1024")]


@pytest.mark.parametrize("body", [b"", b"r", REPLY_OF_OTP_25[:-1], REPLY_OF_OTP_25 + b"\0"])
def test_acceptor_refuses_a_malformed_proof(body: bytes) -> None:
    machine = challenged()
    machine.events()
    machine.receive_data(framed(body))
    assert machine.events() == [Failed("the proof of a@vm is malformed")]


# ---------------------------------------------------------------- both machines


def test_two_machines_prove_the_cookie_to_each_other() -> None:
    of_dialler, of_acceptor = play(BeamDialler(GUS, "a@vm", 1), acceptor(A, 2))
    assert of_dialler == [Established("a@vm", A.creation, True)]
    assert of_acceptor == [
        Authenticated("gus@vm", GUS.creation, True),
        Established("gus@vm", GUS.creation, True),
    ]


@pytest.mark.parametrize("status", ["ok_simultaneous", "alive"])
def test_dialler_goes_on_after(status: Preview) -> None:
    of_dialler, _ = play(BeamDialler(GUS, "a@vm", 1), acceptor(A, 2), status)
    assert of_dialler == [Established("a@vm", A.creation, True)]


def test_dialler_waits_for_the_dial_of_a_peer_that_says_nok() -> None:
    of_dialler, _ = play(BeamDialler(GUS, "a@vm", 1), acceptor(A, 2), "nok")
    assert of_dialler == [Postponed("a@vm")]


def test_dialler_with_another_cookie_is_hung_up_on() -> None:
    dialler = BeamDialler(GUS, "a@vm", 1)
    _, of_acceptor = play(dialler, acceptor(A, 2), keys=(b"other", COOKIE))
    assert of_acceptor == [Failed("the cookie of gus@vm differs from ours", HINT)]
    dialler.connection_lost()
    assert dialler.events() == [Failed("the cookie of a@vm differs from ours", HINT)]


def test_dialler_refuses_an_acceptor_that_does_not_prove_the_cookie() -> None:
    dialler = BeamDialler(GUS, "a@vm", 1)
    dialler.receive_data(framed(b"sok"))
    dialler.receive_data(
        framed(bytes.fromhex("4e0000000d07df7fbd00000005") + A.creation.to_bytes(4) + b"\0\4a@vm")
    )
    assert dialler.events()[-1] == NeedKey("a@vm")
    dialler.key_chosen(COOKIE)
    assert sent(dialler.events()) == [b"r\0\0\0\1" + digest(COOKIE, 5)]
    dialler.receive_data(framed(b"a" + b"\0" * 16))
    assert dialler.events() == [Failed("the cookie of a@vm differs from ours", HINT)]


def test_dialler_refuses_a_node_of_another_name() -> None:
    of_dialler, _ = play(BeamDialler(GUS, "b@vm", 1), acceptor(A, 2))
    assert of_dialler == [Failed("it is called a@vm, not b@vm")]


@pytest.mark.parametrize("status", [b"snot_allowed", b"s", b"", b"x" * 900])
def test_dialler_fails_at_another_status(status: bytes) -> None:
    dialler = BeamDialler(GUS, "a@vm", 1)
    dialler.events()
    dialler.receive_data(framed(status))
    (event,) = dialler.events()
    assert isinstance(event, Failed)


# ---------------------------------------------------------------- dynamic names


def test_acceptor_names_a_dialler_that_asks_for_a_name() -> None:
    machine = acceptor(dynamic=(35 << 32) | 77)
    asks = bytes.fromhex("4e0000000f07df7fbd00000000") + b"\0\2vm"
    machine.receive_data(framed(asks))
    assert machine.events() == [NeedStatus("Z000000@vm")]
    machine.status_chosen("ok")
    status, challenge = sent(machine.events())
    assert status == b"snamed:\0\x0aZ000000@vm\0\0\0\x4d"
    assert int.from_bytes(challenge[1:9]) & flags.NAME_ME


def test_hostile_bytes_end_in_a_failure_or_in_waiting() -> None:
    for body in (NAME_OF_OTP_25, REPLY_OF_OTP_25):
        for at in range(len(body)):
            for bit in range(8):
                changed = bytearray(body)
                changed[at] ^= 1 << bit
                machine = acceptor() if body is NAME_OF_OTP_25 else challenged()
                machine.receive_data(framed(bytes(changed)))
                assert Established not in map(type, machine.events())
