"""slices.py: Large payloads in pieces; how long each keeps the others waiting is not for a test to
measure.
"""

from __future__ import annotations

import pytest

from pyx.errors import DecodeError
from pyx.signals import Payload
from pyx.wire.codec import decode, encode
from pyx.wire.messages import decode as wire_decode
from pyx.wire.messages import slices as wire_slices
from pyx.wire.messages.slices import SLICE_BYTES, slices


@pytest.mark.parametrize("size", [0, 1, SLICE_BYTES])
def test_what_is_not_large_is_one_piece_and_no_copy(size: int) -> None:
    data = bytes(size)
    (piece,) = slices(data)
    assert piece is data


@pytest.mark.parametrize("more", [1, SLICE_BYTES, SLICE_BYTES + 1])
def test_what_is_goes_in_several_none_longer_than_that(more: int) -> None:
    data = bytes(range(251)) * 9000
    data = data[: SLICE_BYTES + more]
    pieces = list(slices(data))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) == SLICE_BYTES


@pytest.mark.parametrize("size", [100, 1000, 65_536])
def test_a_payload_is_the_same_however_it_is_cut(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    value = [{"name": "nike", "sizes": (41, 42)}, ["x" * 300, b"y" * 70_000], {(1, 2): {3}}, -(2**70)]
    data = encode(value)
    for room in (wire_slices, wire_decode):
        monkeypatch.setattr(room, "SLICE_BYTES", size)
    assert decode(Payload(data), None) == value
    with pytest.raises(DecodeError, match="bytes behind the value"):
        decode(Payload(data + b"x"), None)
