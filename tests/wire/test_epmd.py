"""epmd.py: EPMD's protocol; the bytes of the server's side were recorded from `epmd` of OTP 25."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyx.errors import ProtocolError
from pyx.wire.epmd import (
    LEAVE_REQUEST,
    LIST_REQUEST,
    Leave,
    ListNames,
    LookUp,
    NodeEntry,
    Register,
    Registered,
    Request,
    RequestReader,
    left_answer,
    listed_answer,
    look_up_request,
    looked_up_answer,
    read_listed,
    read_looked_up,
    read_registered,
    register_request,
    registered_answer,
)

GUS = NodeEntry("gus", 4444)
OLD = NodeEntry("old", 4446, highest=5, lowest=5, extra=b"xy")
HID = NodeEntry("hid", 4447, hidden=True)


def read(*pieces: bytes) -> Request | None:
    reader = RequestReader()
    for piece in pieces:
        reader.receive_data(piece)
    return reader.request()


class TestRegister:
    def test_request_bytes(self) -> None:
        assert register_request(GUS) == b"\0\x10x\x11\\M\0\0\x06\0\x06\0\x03gus\0\0"
        assert register_request(HID) == b"\0\x10x\x11_H\0\0\x06\0\x06\0\x03hid\0\0"

    @pytest.mark.parametrize("entry", [GUS, OLD, HID, NodeEntry("é" * 255, 65535)])
    def test_register_request_is_read_back(self, entry: NodeEntry) -> None:
        assert read(register_request(entry)) == Register(entry)

    @pytest.mark.parametrize(
        ("data", "answer", "highest"),
        [
            (b"v\x00k\x05\xe9^", Registered(accepted=True, creation=0x6B05E95E), 6),
            (b"v\x01\x00\x00\x00c", Registered(accepted=False, creation=99), 6),
            (b"y\x01\x00c", Registered(accepted=False, creation=99), 5),
        ],
    )
    def test_answer_in_both_forms(self, data: bytes, answer: Registered, highest: int) -> None:
        for end in range(len(data)):
            assert read_registered(data[:end]) is None
        assert read_registered(data) == answer
        assert registered_answer(answer, highest) == data

    def test_older_node_gets_a_creation_from_1_to_3(self) -> None:
        data = registered_answer(Registered(accepted=True, creation=0x6B05E960), 5)
        assert data == b"y\x00\x00\x01"
        assert read_registered(data) == Registered(accepted=True, creation=1)

    def test_malformed_answer_is_refused(self) -> None:
        with pytest.raises(ProtocolError, match=r"^it does not speak EPMD's protocol: b'HTTP/1\.1 400"):
            read_registered(b"HTTP/1.1 400")
        with pytest.raises(ProtocolError, match=r"^it does not speak EPMD's protocol: b'yyyy'"):
            read_registered(b"yyyy")


class TestLookUp:
    def test_request_bytes(self) -> None:
        assert look_up_request("gus") == b"\0\x04zgus"
        assert read(b"\0\x04zgus") == LookUp("gus")

    @pytest.mark.parametrize(
        ("data", "entry"),
        [
            (b"w\x00\x11\\M\x00\x00\x06\x00\x06\x00\x03gus\x00\x00", GUS),
            (b"w\x00\x11^M\x00\x00\x05\x00\x05\x00\x03old\x00\x02xy", OLD),
            (b"w\x00\x11_H\x00\x00\x06\x00\x06\x00\x03hid\x00\x00", HID),
            (b"w\x01", None),
        ],
    )
    def test_answer_bytes(self, data: bytes, entry: NodeEntry | None) -> None:
        assert read_looked_up(data) == entry
        assert looked_up_answer(entry) == data

    @pytest.mark.parametrize("end", range(17))
    def test_answer_cut_short_is_refused(self, end: int) -> None:
        with pytest.raises(ProtocolError, match=r"EPMD"):
            read_looked_up(looked_up_answer(GUS)[:end])


class TestList:
    ANSWER = (
        b"\x00\x00\xd2'name hid at port 4447\nname old at port 4446\nname gus at port 4444\n"  # as recorded
    )

    def test_request_bytes(self) -> None:
        assert LIST_REQUEST == b"\0\1n"
        assert read(LIST_REQUEST) == ListNames()

    def test_answer_bytes(self) -> None:
        assert listed_answer(0xD227, [HID, OLD, GUS]) == self.ANSWER
        assert read_listed(self.ANSWER) == [("gus", 4444), ("hid", 4447), ("old", 4446)]
        assert read_listed(b"\0\0\x11\x11") == []

    def test_invalid_lines_are_left_out(self) -> None:
        # epmd lets a local process register a name with a newline in it.
        assert read_listed(b"\0\0\x11\x11name a\n at port 1\nname b at port 2\n\xff\n") == [("b", 2)]

    @pytest.mark.parametrize(
        "line",
        [
            b"name \x1b]0;owned\x07\x1b[2J at port 1234",
            b"name a\x00b at port 1234",
            "name a\u202eb at port 1234".encode(),
            "name a\u2028b at port 1234".encode(),
            b"name " + b"a" * 100_000 + b" at port 1234",
            b"name a at port 99999",
            b"name a at port 99999999999",
        ],
    )
    def test_invalid_names_are_left_out(self, line: bytes) -> None:
        assert read_listed(b"\0\0\x11\x11" + line + b"\nname b at port 2\n") == [("b", 2)]

    def test_empty_answer_is_refused(self) -> None:
        with pytest.raises(ProtocolError, match=r"^EPMD hung up without an answer$"):
            read_listed(b"")

    def test_malformed_answer_is_refused(self) -> None:
        with pytest.raises(ProtocolError, match=r"^it does not speak EPMD's protocol: b'HTTP/1\.1 400"):
            read_listed(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_leave_request_and_answers() -> None:
    assert read(LEAVE_REQUEST) == Leave()
    assert (left_answer(leaves=True), left_answer(leaves=False)) == (b"OK", b"NO")


class TestRequests:
    @pytest.mark.parametrize("request_bytes", [register_request(OLD), look_up_request("gus"), LIST_REQUEST])
    def test_request_may_be_split_at_every_byte(self, request_bytes: bytes) -> None:
        reader = RequestReader()
        for byte in request_bytes:
            assert reader.request() is None
            reader.receive_data(bytes([byte]))
        assert reader.request() is not None

    def test_bytes_after_the_request_are_ignored(self) -> None:
        assert read(LIST_REQUEST, b"and more") == ListNames()

    @given(st.binary(max_size=80), st.integers(0, 80))
    def test_random_bytes_are_a_request_or_refused(self, data: bytes, cut: int) -> None:
        with contextlib.suppress(ProtocolError):
            request = read(data[:cut], data[cut:])
            assert request is None or isinstance(request, Register | LookUp | ListNames | Leave)

    @given(st.sampled_from([b"v", b"w\0", b"w", b"y", b""]), st.binary(max_size=80))
    def test_random_answers_are_read_or_refused(self, kind: bytes, data: bytes) -> None:
        answer = kind + data
        with contextlib.suppress(ProtocolError):
            assert isinstance(read_registered(answer), Registered | None)
        with contextlib.suppress(ProtocolError):
            assert isinstance(read_looked_up(answer), NodeEntry | None)
        with contextlib.suppress(ProtocolError):
            assert isinstance(read_listed(answer), list)

    @pytest.mark.parametrize(
        "data",
        [
            b"\0\0",
            b"\x04\0",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0\1\1",
            b"\0\1x",
            register_request(GUS)[:2] + b"x" + register_request(GUS)[3:12] + b"\xff\xff" + bytes(6),
            b"\0\2z\xff",
        ],
    )
    def test_malformed_request_is_refused(self, data: bytes) -> None:
        with pytest.raises(ProtocolError):
            read(data)
