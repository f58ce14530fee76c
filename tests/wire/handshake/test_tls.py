"""tls.py: Two TLS machines talk to each other; attacks on them are noticed."""

from __future__ import annotations

import contextlib
import random
import ssl

import pytest

from pyx.errors import ProtocolError
from pyx.net.certificate import Certificate, listening_context, make_certificate
from pyx.terms import Incarnation
from pyx.wire.handshake.events import Authenticated, Established, Failed, NeedKey, Transmit
from pyx.wire.handshake.hello import acceptor_hello, dialler_hello
from pyx.wire.handshake.machine import Acceptor, Dialler
from pyx.wire.handshake.tls import MAX_HANDSHAKE_BYTES, RECORD_BYTES, TlsMachine, dialling_context

CERTIFICATE = make_certificate()


def dialler(context: ssl.SSLContext | None = None) -> TlsMachine:
    return TlsMachine(context or dialling_context())


def acceptor(certificate: Certificate = CERTIFICATE) -> TlsMachine:
    return TlsMachine(listening_context(certificate), certificate_sha256=certificate.sha256)


def carry(one: TlsMachine, other: TlsMachine) -> None:
    """Carries bytes between both machines until neither has any to send."""
    while True:
        there, back = one.data_to_send(), other.data_to_send()
        if not there and not back:
            return
        other.receive_data(there)
        one.receive_data(back)


def connected() -> tuple[TlsMachine, TlsMachine]:
    a, b = dialler(), acceptor()
    carry(a, b)
    return a, b


def test_channel_is_the_same_at_both_ends() -> None:
    a, b = connected()
    assert a.is_established
    assert b.is_established
    assert a.channel == b.channel == b"tls" + CERTIFICATE.sha256


def test_bytes_pass_both_ways_encrypted() -> None:
    a, b = connected()
    a.write(b"the secret of a")
    b.write(memoryview(b"the secret of b"))
    there, back = a.data_to_send(), b.data_to_send()
    assert b"secret" not in there + back
    b.receive_data(there)
    a.receive_data(back)
    assert (b.read(), a.read()) == (b"the secret of a", b"the secret of b")
    assert (b.read(), a.read()) == (b"", b"")


def test_handshake_may_be_split_at_every_byte() -> None:
    a, b = dialler(), acceptor()
    while not (a.is_established and b.is_established):
        for byte in a.data_to_send():
            b.receive_data(bytes([byte]))
        for byte in b.data_to_send():
            a.receive_data(bytes([byte]))
    a.write(b"hello")
    for byte in a.data_to_send():
        assert b.read() == b""
        b.receive_data(bytes([byte]))
    assert b.read() == b"hello"


def test_bytes_together_with_the_end_of_the_handshake_are_kept() -> None:
    a, b = dialler(), acceptor()
    b.receive_data(a.data_to_send())
    a.receive_data(b.data_to_send())
    a.write(b"my first words")
    b.receive_data(a.data_to_send())
    assert b.is_established
    assert b.may_have_unread
    assert b.read() == b"my first words"
    assert not b.may_have_unread


def test_empty_write_sends_nothing() -> None:
    a, _ = connected()
    a.write(b"")
    assert a.data_to_send() == b""


class TestReadInto:
    def test_buffer_is_filled_from_many_records(self) -> None:
        a, b = connected()
        payload = bytes(range(256)) * 400
        a.write(payload)
        b.receive_data(a.data_to_send())
        buffer = memoryview(bytearray(len(payload) + 1))
        assert b.read_into(buffer) == len(payload)
        assert buffer[:-1] == payload
        assert b.read_into(buffer) == 0

    def test_small_buffer_is_filled_repeatedly(self) -> None:
        a, b = connected()
        payload = bytes(range(256)) * 100
        a.write(payload)
        b.receive_data(a.data_to_send())
        buffer = memoryview(bytearray(1000))
        got = bytearray()
        while size := b.read_into(buffer):
            got += buffer[:size]
        assert got == payload

    def test_unread_bytes_are_reported(self) -> None:
        a, b = connected()
        a.write(b"x" * 40_000)
        data = a.data_to_send()
        buffer = memoryview(bytearray(128 * 1024))
        b.receive_data(data[: RECORD_BYTES + 10])
        assert b.read_into(buffer) == 2**14
        b.receive_data(data[RECORD_BYTES + 10 :])
        assert b.read_into(buffer) == 40_000 - 2**14
        assert not b.may_have_unread

    @pytest.mark.parametrize("seed", range(20))
    def test_bytes_that_arrive_in_the_buffer_leave_nothing_unread(self, seed: int) -> None:
        chance = random.Random(seed)
        a, b = connected()
        sent, got, encrypted = bytearray(), bytearray(), bytearray()
        buffer = memoryview(bytearray(chance.choice([1_000, RECORD_BYTES, 64 * 1024])))
        for is_last in [*[False] * 20, True]:
            piece = chance.randbytes(chance.choice([1, 50, 1_000, 2**14, 40_000]))
            sent += piece
            encrypted += a.encrypt(piece)
            while encrypted and (is_last or chance.random() < 0.8):
                arrived = min(len(encrypted), chance.randint(1, len(buffer)))
                buffer[:arrived] = encrypted[:arrived]
                del encrypted[:arrived]
                got += buffer[: b.read_into(buffer, arrived)]
                while b.may_have_unread:
                    got += buffer[: b.read_into(buffer)]
                assert b._tls.pending() == 0
                assert b.read() == b""
        assert got == sent


class TestFinish:
    def test_finish_is_seen_by_the_other_end(self) -> None:
        a, b = connected()
        a.write(b"last words")
        a.finish()
        b.receive_data(a.data_to_send())
        assert b.read() == b"last words"
        assert b.peer_has_finished
        b.connection_lost()

    def test_finished_end_still_reads_bytes_in_flight(self) -> None:
        a, b = connected()
        b.write(b"come before, ")
        a.receive_data(b.data_to_send())
        a.finish()
        b.write(b"come after")
        b.receive_data(a.data_to_send())
        assert b.read() == b""
        b.finish()
        a.receive_data(b.data_to_send())
        assert a.read() == b"come before, come after"
        assert a.peer_has_finished

    def test_finished_end_cannot_write(self) -> None:
        a, _ = connected()
        a.finish()
        with pytest.raises(ProtocolError, match="TLS failed"):
            a.write(b"one more thing")

    def test_connection_lost_without_finish_is_an_error(self) -> None:
        a, _ = connected()
        with pytest.raises(ProtocolError, match=r"^it hung up without closing TLS$"):
            a.connection_lost()

    def test_connection_lost_in_the_handshake_is_an_error(self) -> None:
        a, b = dialler(), acceptor()
        b.receive_data(a.data_to_send())
        with pytest.raises(ProtocolError, match=r"^it hung up during the TLS handshake$"):
            b.connection_lost()


class TestAttacks:
    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            (b"GET / HTTP/1.1\r\n\r\n", "^it does not speak TLS but HTTP$"),
            (b"\x00\x0enabcdefghijklmnop", "^it does not speak TLS$|^TLS failed"),
        ],
    )
    def test_other_protocols_are_refused(self, said: bytes, sentence: str) -> None:
        for machine in (acceptor(), dialler()):
            with pytest.raises(ProtocolError, match=sentence):
                machine.receive_data(said)

    def test_older_tls_version_is_refused_by_both_ends(self) -> None:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname = False
        old.verify_mode = ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        a, b = dialler(old), acceptor()
        with pytest.raises(ProtocolError, match=r"^it does not speak TLS 1.3$"):
            b.receive_data(a.data_to_send())
        with pytest.raises(ProtocolError, match=r"^it does not speak TLS 1.3$"):  # by the alert
            a.receive_data(b.data_to_send())

    def test_endless_handshake_is_refused(self) -> None:
        # A hello may be cut into records of one byte each; all of it would be some 30 KiB here.
        body = b"\x01\x00\x80\x00" + b"\x03\x03" + bytes(30_000)
        records = b"".join(b"\x16\x03\x01\x03\xe8" + body[at : at + 1000] for at in range(0, 30_000, 1000))
        b = acceptor()
        with pytest.raises(ProtocolError, match=f"longer than {MAX_HANDSHAKE_BYTES} bytes"):
            b.receive_data(records)

    def test_single_changed_bit_is_refused(self) -> None:
        a, b = connected()
        a.write(b"pay 10")
        data = bytearray(a.data_to_send())
        data[-1] ^= 1
        b.receive_data(bytes(data))
        with pytest.raises(ProtocolError, match=r"^a TLS record was damaged on the way$"):
            b.read()

    @pytest.mark.parametrize("at", range(5 + 6 + 17))
    def test_changed_byte_anywhere_is_refused(self, at: int) -> None:
        a, b = connected()
        a.write(b"pay 10")
        data = bytearray(a.data_to_send())
        assert len(data) == 5 + 6 + 17  # header, text, type and tag
        data[at] ^= 0x41
        with contextlib.suppress(ProtocolError):
            b.receive_data(bytes(data))
            assert b.read() == b""  # its length has grown: the machine waits for the rest
            b.receive_data(bytes(2**14 + 300))
            b.read()
            pytest.fail("a damaged record was taken")

    def test_record_sent_twice_is_refused(self) -> None:
        a, b = connected()
        a.write(b"pay 10")
        data = a.data_to_send()
        b.receive_data(data)
        assert b.read() == b"pay 10"
        b.receive_data(data)
        with pytest.raises(ProtocolError, match="damaged"):
            b.read()

    def test_no_session_ticket_is_sent(self) -> None:
        a, b = dialler(), acceptor()
        b.receive_data(a.data_to_send())
        a.receive_data(b.data_to_send())
        b.receive_data(a.data_to_send())
        assert b.is_established
        assert b.data_to_send() == b""


# ---------------------------------------------------------------- handshake inside TLS


def prove(
    tls_a: TlsMachine, tls_b: TlsMachine, channel_b: bytes | None = None
) -> tuple[Dialler, Acceptor, list[object]]:
    """Runs the handshake with one key, carrying its bytes; returns both sides and their outcomes."""
    a = Dialler(dialler_hello(Incarnation("a@h", 1), "b@h", b"a" * 32, hidden=False), tls_a.channel)
    b = Acceptor(acceptor_hello(Incarnation("b@h", 2), b"b" * 32, hidden=False), channel_b or tls_b.channel)
    ends: list[object] = []
    quiet = False
    while not quiet:
        quiet = True
        for machine, other in ((a, b), (b, a)):
            for event in machine.events():
                quiet = False
                match event:
                    case Transmit(data):
                        other.receive_data(data)
                    case NeedKey():
                        machine.key_chosen(b"one key for both".ljust(32))
                    case Authenticated():
                        assert isinstance(machine, Acceptor)
                        machine.decide("ok")
                    case Established() | Failed():
                        ends.append(event)
    return a, b, ends


def test_handshake_over_one_tls_connection_succeeds() -> None:
    a, b = connected()
    *_, ends = prove(a, b)
    assert [type(end) for end in ends] == [Established, Established]


def test_handshake_through_a_relay_fails_at_both_ends() -> None:
    # The relay has no cookie, but a certificate of its own: it has one TLS connection to each end, and passes
    # the handshake on unchanged.
    certificate = make_certificate()
    a, relay_front = dialler(), acceptor(certificate)
    carry(a, relay_front)
    relay_back, b = dialler(), acceptor()
    carry(relay_back, b)
    assert a.channel != b.channel
    *_, ends = prove(a, b)
    assert [type(end) for end in ends] == [Failed, Failed]
    assert [end.reason for end in ends if isinstance(end, Failed)] == [
        "the cookie of a@h differs from ours",
        "the cookie of b@h differs from ours",
    ]
