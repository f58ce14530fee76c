"""fragments.py: Large frames are cut into fragments."""

from __future__ import annotations

import tracemalloc

import pytest

from pyx.wire.frames.fragments import FRAGMENT_BYTES, NODE_BUDGET_BYTES, FragmentedFrame
from pyx.wire.frames.layout import FIRST, LATER
from pyx.wire.frames.reassembly import Reassembly, ReassemblyBudget
from tests.wire.samples import fragments_of


class TestFragmentedFrame:
    @pytest.mark.parametrize(
        ("head", "payload"), [(30, 200_000), (30, FRAGMENT_BYTES * 3 - 30), (200_000, 0)]
    )
    def test_fragments_are_reassembled(self, head: int, payload: int) -> None:
        transmitted, encoded = b"h" * head, bytes(range(250)) * (payload // 250) + bytes(payload % 250)
        *most, last = fragments_of(FragmentedFrame(7, transmitted, encoded, 1000))
        reassembly = Reassembly(1 << 27, ReassemblyBudget(NODE_BUDGET_BYTES, "all peers"))
        assert [reassembly.add(piece) for piece in most] == [None] * len(most)
        assert reassembly.add(memoryview(last)) == (transmitted, encoded)

    def test_fragments_are_of_64_kib(self) -> None:
        pieces = fragments_of(FragmentedFrame(7, b"h" * 30, bytes(FRAGMENT_BYTES * 2), 1000))
        assert [len(piece) for piece in pieces] == [
            FIRST.size + FRAGMENT_BYTES,
            LATER.size + FRAGMENT_BYTES,
            LATER.size + 30,
        ]

    @pytest.mark.parametrize("queued", [0, 64, 100_000, 300_000])
    def test_bytes_released_sum_up_to_the_queued_bytes(self, queued: int) -> None:
        frame = FragmentedFrame(7, b"h" * 30, bytes(200_000), queued)
        released = 0
        while not frame.is_sent:
            by = frame.cut([])[1]
            assert by >= 0
            released += by
        assert released == queued

    def test_cutting_copies_no_payload(self) -> None:
        payload = bytes(1 << 24)
        tracemalloc.start()
        frame = FragmentedFrame(7, b"h", payload, 0)
        while not frame.is_sent:
            frame.cut([])
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.stop()
