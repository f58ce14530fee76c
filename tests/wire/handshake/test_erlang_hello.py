"""erlang_hello.py: An Erlang node that dials the port of pyx nodes is named; nothing else is taken so."""

from __future__ import annotations

import pytest

from pyx.errors import ProtocolError
from pyx.net.certificate import listening_context, make_certificate
from pyx.terms import Incarnation
from pyx.wire.handshake.erlang_hello import refusal_of_erlang_node, unframed
from pyx.wire.handshake.events import Failed, Transmit
from pyx.wire.handshake.hello import acceptor_hello, dialler_hello, pack_hello
from pyx.wire.handshake.machine import Acceptor
from pyx.wire.handshake.tls import TlsMachine

NAME_OF_OTP_25 = bytes.fromhex("4e0000000d07df7fbd6b0acd6f00046140766d")
NAME_OF_OTP_28 = bytes.fromhex("4e0000002d07df7fbd6b0ad02a00046f40766d")
NAME_IN_VERSION_5 = bytes.fromhex("6e0005") + bytes.fromhex("07df7fbd") + b"a@vm"
REFUSAL = (
    "a@vm is an Erlang node, and this port is for pyx nodes (hint: pyx --beam opens a port for Erlang nodes)"
)
BOB = Incarnation("bob@vm", 22)


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


@pytest.mark.parametrize(
    ("body", "who"),
    [
        (NAME_OF_OTP_25, "a@vm"),
        (NAME_OF_OTP_28, "o@vm"),
        (NAME_OF_OTP_25 + b"what later versions add", "a@vm"),
        (NAME_IN_VERSION_5, "a@vm"),
        (NAME_OF_OTP_25[:-6] + b"\0\2vm", "it"),  # erl -sname undefined
        (NAME_OF_OTP_25[:-6] + b"\0\4\x1b[2J", "it"),
        (NAME_OF_OTP_25[:-6] + b"\0\4\xff@vm", "it"),
    ],
)
def test_first_frame_of_an_erlang_node_is_recognized(body: bytes, who: str) -> None:
    assert refusal_of_erlang_node(body) == REFUSAL.replace("a@vm", who)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0\0",
        b"\0\4GET /",
        b"CONNECT vm:80 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\2\0\1\0",  # TLS
        framed(pack_hello(dialler_hello(BOB, "a@vm", bytes(32), hidden=False))),
        *(framed(NAME_OF_OTP_25)[:size] for size in range(len(NAME_OF_OTP_25) + 2)),
        *(framed(NAME_OF_OTP_25[:size]) for size in range(len(NAME_OF_OTP_25))),
    ],
)
def test_nothing_else_is_taken_for_an_erlang_node(data: bytes) -> None:
    assert refusal_of_erlang_node(unframed(data)) is None


def test_acceptor_fails_with_the_refusal_and_says_nothing_of_itself() -> None:
    acceptor = Acceptor(acceptor_hello(BOB, bytes(32), hidden=False), b"unix")
    acceptor.receive_data(framed(NAME_OF_OTP_25))
    assert acceptor.events() == [Transmit(b"\0\1\5"), Failed(REFUSAL)]


def test_tls_machine_fails_with_the_refusal_and_sends_nothing() -> None:
    certificate = make_certificate()
    machine = TlsMachine(listening_context(certificate), certificate_sha256=certificate.sha256)
    with pytest.raises(ProtocolError) as failed:
        machine.receive_data(framed(NAME_OF_OTP_25))
    assert str(failed.value) == REFUSAL
    assert machine.data_to_send() == b""
