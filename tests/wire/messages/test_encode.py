"""encode.py, reduce.py: Forged tags are refused; threads and re-entry do not mix bytes."""

from __future__ import annotations

import threading
from typing import Any

import msgpack
import pytest

from pyx import fast_paths
from pyx.errors import EncodeError
from pyx.signals import SPLIT_BYTES, Payload, SplitBytes
from pyx.terms import Pid, Ref
from pyx.wire.codec import decode, encode, encode_payload
from pyx.wire.messages.decode import TAG_READERS
from pyx.wire.messages.encode import _small_form


def error_of(value: object) -> str:
    with pytest.raises(EncodeError) as caught:
        encode(value)
    return str(caught.value)


class TestForgedTags:
    """A tag in user data, alone or as a key, is refused."""

    @pytest.mark.parametrize("code", [*TAG_READERS, 0, 50, 127])
    @pytest.mark.parametrize(
        "payload", [b"\0", b"", b"\0\0", b"x" * 4, b"x" * 8, b"x" * 16, b"x" * 300, b"x" * 70000]
    )
    def test_ext_is_not_data(self, code: int, payload: bytes) -> None:
        ext = msgpack.ExtType(code, payload)
        assert "is not data" in error_of(ext)
        assert "cannot send message[1][0]: " in error_of((1, [ext, 2]))
        assert "cannot send a key of message: " in error_of({ext: 1})
        assert "cannot send a member of message: " in error_of({ext})

    @pytest.mark.parametrize("seconds", [0, 2**33, 2**40, -1])
    def test_timestamp_is_not_data(self, seconds: int) -> None:
        stamp = msgpack.Timestamp(seconds, 5)
        assert "cannot send message[0]: " in error_of([stamp])
        assert "is not data" in error_of((b"\xd4" * 20, {stamp: 1}))

    def test_forged_tag_beside_bytes_that_look_like_tags_is_refused(self) -> None:
        look_alike = bytes(range(0xC7, 0xDA)) * 3
        assert decode(Payload(encode((look_alike, 0xD4, -45.5))), None) == (look_alike, 0xD4, -45.5)
        assert "cannot send message[1]: " in error_of((look_alike, msgpack.ExtType(1, b"\0")))
        assert "cannot send message[1]: " in error_of(("\ud800", msgpack.ExtType(1, b"\0")))


class TestOwnership:
    """Packers are used by one call at a time."""

    def test_concurrent_threads_do_not_mix_their_bytes(self) -> None:
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

    def test_encode_called_inside_encode_does_not_mix_the_bytes(self) -> None:
        inner: list[bytes] = []

        class Encoding(Exception):
            def __str__(self) -> str:
                inner.append(encode(("inner", (1,))))
                return "text"

        outer = encode(("outer", Encoding(), (2,)))
        assert decode(Payload(inner[0]), None) == ("inner", (1,))
        assert decode(Payload(outer), None)[::2] == ("outer", (2,))

    def test_message_after_an_encode_error_is_whole(self) -> None:
        for _ in range(3):
            error_of(("x" * 1000, object()))
            assert decode(Payload(encode(("a", "b"))), None) == ("a", "b")

    def test_large_message_is_encoded(self) -> None:
        value = [("x" * 100_000, b"\xd4" * 100_000), list(range(100_000))]
        assert decode(Payload(encode(value)), None) == value


def test_small_messages_are_not_walked() -> None:
    small: tuple[Any, ...] = (
        None, 1, "a", ("add", {"name": "nike", "qty": 30}), (Ref(1), Pid(2), [1, 2], (3,), 2.5), {"a": 1},
    )  # fmt: skip
    assert None not in map(_small_form, small)
    others: tuple[Any, ...] = (
        "a" * 5000, list(range(100)), [[[1]]], object(), ("a" * 5000,), [{(1,): 2}], 1j, {"a": [1]},
    )  # fmt: skip
    assert set(map(_small_form, others)) == {None}


class TestPayload:
    @pytest.mark.parametrize("size", [0, SPLIT_BYTES - 1, SPLIT_BYTES, 200_000])
    def test_payload_has_the_bytes_of_the_encoding(self, size: int) -> None:
        for value in (b"x" * size, "x" * size, [b"x" * size]):
            assert encode_payload(value) == encode(value)

    def test_message_of_one_large_bytes_is_not_copied(self) -> None:
        value = b"x" * SPLIT_BYTES
        payload = encode_payload(value)
        assert bytes(payload) == encode(value)
        if fast_paths.enabled:
            assert isinstance(payload, SplitBytes)
            assert payload.rest is value
            assert decode(Payload(payload), None) is value

    def test_limit_is_the_same(self) -> None:
        value = b"x" * SPLIT_BYTES
        assert len(encode_payload(value, max_bytes=len(encode(value)))) == len(encode(value))
        with pytest.raises(EncodeError) as of_payload:
            encode_payload(value, max_bytes=SPLIT_BYTES)
        with pytest.raises(EncodeError) as of_encode:
            encode(value, max_bytes=SPLIT_BYTES)
        assert str(of_payload.value) == str(of_encode.value)
