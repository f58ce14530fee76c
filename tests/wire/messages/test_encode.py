"""encode.py: Sealing finds forged marks, and is safe from threads and re-entry."""

from __future__ import annotations

import threading
from typing import Any

import msgpack
import pytest

from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.wire.codec import decode, encode
from pyx.wire.messages.decode import TAG_READERS


def refusal(value: object) -> str:
    with pytest.raises(EncodeError) as caught:
        encode(value)
    return str(caught.value)


class TestForgedMarks:
    """A marker in user data, alone or as a key, is refused."""

    @pytest.mark.parametrize("code", [*TAG_READERS, 0, 50, 127])
    @pytest.mark.parametrize(
        "payload", [b"\0", b"", b"\0\0", b"x" * 4, b"x" * 8, b"x" * 16, b"x" * 300, b"x" * 70000]
    )
    def test_an_ext_is_no_data(self, code: int, payload: bytes) -> None:
        ext = msgpack.ExtType(code, payload)
        assert "is not data" in refusal(ext)
        assert "cannot send message[1][0]: " in refusal((1, [ext, 2]))
        assert "cannot send a key of message: " in refusal({ext: 1})
        assert "cannot send a member of message: " in refusal({ext})

    @pytest.mark.parametrize("seconds", [0, 2**33, 2**40, -1])
    def test_a_timestamp_is_no_data(self, seconds: int) -> None:
        stamp = msgpack.Timestamp(seconds, 5)
        assert "cannot send message[0]: " in refusal([stamp])
        assert "is not data" in refusal((b"\xd4" * 20, {stamp: 1}))

    def test_beside_bytes_that_look_like_marks(self) -> None:
        look_alike = bytes(range(0xC7, 0xDA)) * 3
        assert decode(Payload(encode((look_alike, 0xD4, -45.5))), None) == (look_alike, 0xD4, -45.5)
        assert "cannot send message[1]: " in refusal((look_alike, msgpack.ExtType(1, b"\0")))
        assert "cannot send message[1]: " in refusal(("\ud800", msgpack.ExtType(1, b"\0")))


class TestOwnership:
    """Packers are owned by one call at a time."""

    def test_threads_do_not_meet_each_others_bytes(self) -> None:
        wrong: list[Any] = []

        def work(number: int) -> None:
            value = [(number, "x" * number, {number: (number,)})] * 20
            wrong.extend(number for _ in range(200) if decode(Payload(encode(value)), None) != value)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_one_that_seals_while_its_thread_is_sealing(self) -> None:
        inner: list[bytes] = []

        class Sealing(Exception):
            def __str__(self) -> str:
                inner.append(encode(("inner", (1,))))
                return "text"

        outer = encode(("outer", Sealing(), (2,)))
        assert decode(Payload(inner[0]), None) == ("inner", (1,))
        assert decode(Payload(outer), None)[::2] == ("outer", (2,))

    def test_after_a_refusal_the_next_message_is_whole(self) -> None:
        for _ in range(3):
            refusal(("x" * 1000, object()))
            assert decode(Payload(encode(("a", "b"))), None) == ("a", "b")

    def test_large_messages(self) -> None:
        value = [("x" * 100_000, b"\xd4" * 100_000), list(range(100_000))]
        assert decode(Payload(encode(value)), None) == value
