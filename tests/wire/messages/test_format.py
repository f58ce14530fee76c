"""format.py: Assumptions of the codec about tags, and about the msgpack that carries them."""

from __future__ import annotations

import msgpack
import pytest

from pyx.errors import DecodeError
from pyx.signals import Payload
from pyx.wire.codec import decode, encode
from pyx.wire.messages import decode as decode_module
from pyx.wire.messages import format
from pyx.wire.messages.decode import TAG_READERS
from pyx.wire.messages.format import SLICE_BYTES, check_depth, slices

EXT_LEADS = {0xC7, 0xC8, 0xC9, *range(0xD4, 0xD9)}


def test_every_kind_has_a_tag_reader() -> None:
    constants = {value for name, value in vars(format).items() if name.isupper() and type(value) is int}
    kinds = {value for value in constants if value < format.MAX_DEPTH}
    assert kinds == set(TAG_READERS) == {reader.kind for reader in TAG_READERS.values()}


def test_tag_is_three_bytes_of_which_one_could_lead_an_ext() -> None:
    for kind in TAG_READERS:
        data = msgpack.packb(format.tag(kind))
        assert data == bytes((0xD4, kind, 0))
        assert not EXT_LEADS & set(data[1:])


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\0"])
def test_unpackers_stack_holds_as_many_containers_as_the_depth_check_counts_on(opening: bytes) -> None:
    check_depth(opening * 256 + b"\x01")
    with pytest.raises(msgpack.StackError):
        check_depth(opening * 257 + b"\x01")
    with pytest.raises(msgpack.StackError):
        check_depth(opening * 256 + b"\x90")


class TestSlices:
    @pytest.mark.parametrize("size", [0, 1, SLICE_BYTES])
    def test_short_payload_is_one_slice_without_a_copy(self, size: int) -> None:
        data = bytes(size)
        (piece,) = slices(data)
        assert piece is data

    @pytest.mark.parametrize("more", [1, SLICE_BYTES, SLICE_BYTES + 1])
    def test_long_payload_is_cut_into_slices_of_the_limit(self, more: int) -> None:
        data = bytes(range(251)) * 9000
        data = data[: SLICE_BYTES + more]
        pieces = list(slices(data))
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) == SLICE_BYTES

    @pytest.mark.parametrize("size", [100, 1000, 65_536])
    def test_value_is_the_same_for_every_size_of_slices(
        self, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        value = [{"name": "nike", "sizes": (41, 42)}, ["x" * 300, b"y" * 70_000], {(1, 2): {3}}, -(2**70)]
        data = encode(value)
        for module in (format, decode_module):
            monkeypatch.setattr(module, "SLICE_BYTES", size)
        assert decode(Payload(data), None) == value
        with pytest.raises(DecodeError, match="bytes follow the value"):
            decode(Payload(data + b"x"), None)
