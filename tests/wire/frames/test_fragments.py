"""fragments.py: Large frames go to pieces; how they come together again is told by `test_reassembly.py`."""

from __future__ import annotations

import tracemalloc

import pytest

from pyx.wire.frames.fragments import FRAGMENT_BYTES, NODE_ROOM_BYTES, Parcel
from pyx.wire.frames.layout import FIRST, LATER
from pyx.wire.frames.reassembly import Reassembly, ReassemblyBudget
from tests.wire.talk import pieces_of


class TestAParcel:
    @pytest.mark.parametrize(
        ("head", "payload"), [(30, 200_000), (30, FRAGMENT_BYTES * 3 - 30), (200_000, 0)]
    )
    def test_comes_together_again(self, head: int, payload: int) -> None:
        said, encoded = b"h" * head, bytes(range(250)) * (payload // 250) + bytes(payload % 250)
        *most, last = pieces_of(Parcel(7, said, encoded, 1000))
        assembly = Reassembly(1 << 27, ReassemblyBudget(NODE_ROOM_BYTES, "all peers"))
        assert [assembly.add(piece) for piece in most] == [None] * len(most)
        assert assembly.add(memoryview(last)) == (said, encoded)

    def test_is_cut_into_pieces_of_64_kib(self) -> None:
        pieces = pieces_of(Parcel(7, b"h" * 30, bytes(FRAGMENT_BYTES * 2), 1000))
        assert [len(piece) for piece in pieces] == [
            FIRST.size + FRAGMENT_BYTES,
            LATER.size + FRAGMENT_BYTES,
            LATER.size + 30,
        ]

    @pytest.mark.parametrize("weight", [0, 64, 100_000, 300_000])
    def test_weighs_in_the_end_what_it_weighed_at_first(self, weight: int) -> None:
        parcel = Parcel(7, b"h" * 30, bytes(200_000), weight)
        lighter = 0
        while not parcel.is_over:
            by = parcel.cut([])[1]
            assert by >= 0
            lighter += by
        assert lighter == weight

    def test_is_not_copied_to_be_cut(self) -> None:
        payload = bytes(1 << 24)
        tracemalloc.start()
        parcel = Parcel(7, b"h", payload, 0)
        while not parcel.is_over:
            parcel.cut([])
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.stop()
