"""fragments.py: Large frames go to pieces; how they come together again is told by `test_reassembly.py`."""

from __future__ import annotations

import tracemalloc

import pytest

from pyx.wire.frames.fragments import FRAGMENT_BYTES, NODE_BUDGET_BYTES, FragmentedFrame
from pyx.wire.frames.layout import FIRST, LATER
from pyx.wire.frames.reassembly import Reassembly, ReassemblyBudget
from tests.wire.talk import fragments_of


class TestAParcel:
    @pytest.mark.parametrize(
        ("head", "payload"), [(30, 200_000), (30, FRAGMENT_BYTES * 3 - 30), (200_000, 0)]
    )
    def test_comes_together_again(self, head: int, payload: int) -> None:
        transmitted, encoded = b"h" * head, bytes(range(250)) * (payload // 250) + bytes(payload % 250)
        *most, last = fragments_of(FragmentedFrame(7, transmitted, encoded, 1000))
        reassembly = Reassembly(1 << 27, ReassemblyBudget(NODE_BUDGET_BYTES, "all peers"))
        assert [reassembly.add(piece) for piece in most] == [None] * len(most)
        assert reassembly.add(memoryview(last)) == (transmitted, encoded)

    def test_is_cut_into_pieces_of_64_kib(self) -> None:
        pieces = fragments_of(FragmentedFrame(7, b"h" * 30, bytes(FRAGMENT_BYTES * 2), 1000))
        assert [len(piece) for piece in pieces] == [
            FIRST.size + FRAGMENT_BYTES,
            LATER.size + FRAGMENT_BYTES,
            LATER.size + 30,
        ]

    @pytest.mark.parametrize("weight", [0, 64, 100_000, 300_000])
    def test_weighs_in_the_end_what_it_weighed_at_first(self, weight: int) -> None:
        frame = FragmentedFrame(7, b"h" * 30, bytes(200_000), weight)
        released = 0
        while not frame.is_sent:
            by = frame.cut([])[1]
            assert by >= 0
            released += by
        assert released == weight

    def test_is_not_copied_to_be_cut(self) -> None:
        payload = bytes(1 << 24)
        tracemalloc.start()
        frame = FragmentedFrame(7, b"h", payload, 0)
        while not frame.is_sent:
            frame.cut([])
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.stop()
