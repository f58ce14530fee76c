"""reassembly.py: Fragments are joined; a fragment that fits no stream or budget is refused."""

from __future__ import annotations

import itertools
import random
import tracemalloc

import pytest

from pyx.errors import FrameTooBig, ProtocolError
from pyx.signals import SPLIT_BYTES, Discarded, SplitBytes
from pyx.wire.codec import BYTES
from pyx.wire.frames.fragments import (
    HEAD_BYTES,
    MAX_STREAMS,
    NODE_BUDGET_BYTES,
    PEER_BUDGET_BYTES,
    FragmentedFrame,
)
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT, LATER, LATER_FRAGMENT
from pyx.wire.frames.reassembly import Reassembly, ReassemblyBudget
from tests.wire.samples import fragments_of


def a_reassembly(*, budget: int = NODE_BUDGET_BYTES, max_payload_bytes: int = 1 << 27) -> Reassembly:
    return Reassembly(max_payload_bytes, ReassemblyBudget(budget, "all peers"))


def first(stream: int, head: int, payload: int, piece: bytes) -> bytes:
    return FIRST.pack(FIRST_FRAGMENT, stream, head, payload) + piece


def later(stream: int, piece: bytes) -> bytes:
    return LATER.pack(LATER_FRAGMENT, stream) + piece


class TestReassembly:
    def test_streams_may_alternate(self) -> None:
        chance = random.Random(1)
        frames = {n: (b"h" * n, chance.randbytes(100_000 + 70_000 * n)) for n in range(1, 9)}
        fragments = {n: fragments_of(FragmentedFrame(n, *frame, 0)) for n, frame in frames.items()}
        reassembly, whole = a_reassembly(), []
        while fragments:
            number = chance.choice(list(fragments))
            whole.append(reassembly.add(fragments[number].pop(0)))
            if not fragments[number]:
                del fragments[number]
        assert sorted(filter(None, whole)) == sorted(frames.values())

    def test_fragments_may_have_any_size(self) -> None:
        reassembly = a_reassembly()
        assert reassembly.add(first(1, 2, 3, b"h")) is None
        assert reassembly.add(later(1, b"hl")) is None
        assert reassembly.add(later(1, b"e")) is None
        assert reassembly.add(later(1, b"t")) == (b"hh", b"let")
        assert reassembly.add(first(1, 2, 3, b"hhlet")) == (b"hh", b"let")

    def test_buffer_grows_as_bytes_arrive_not_by_what_was_announced(self) -> None:
        reassembly = a_reassembly()
        tracemalloc.start()
        for stream in range(MAX_STREAMS):
            reassembly.add(first(stream, 30, 1 << 27, b"x"))
        assert tracemalloc.get_traced_memory()[1] < 200_000
        for _ in range(16):
            reassembly.add(later(0, bytes(1 << 16)))
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
        tracemalloc.stop()

    def test_payload_is_returned_without_a_copy(self) -> None:
        reassembly = a_reassembly()
        pieces = fragments_of(FragmentedFrame(1, b"h", bytes(1 << 24), 0))
        tracemalloc.start()
        for piece in pieces:
            whole = reassembly.add(piece)
        assert whole is not None
        assert len(whole[1]) == 1 << 24
        assert tracemalloc.get_traced_memory()[1] < 1.3 * (1 << 24)
        tracemalloc.stop()

    @pytest.mark.parametrize("size", [1, 2, 50_000])
    @pytest.mark.parametrize("length", [10, SPLIT_BYTES, SPLIT_BYTES + 1, 200_000])
    def test_first_byte_of_one_large_bytes_is_kept_apart(self, size: int, length: int) -> None:
        payload = BYTES + bytes(range(251)) * (length // 251) + bytes((length - 1) % 251)
        payload = payload[:length]
        reassembly = a_reassembly()
        assert reassembly.add(first(1, 3, length, b"head"[:2])) is None
        rest = b"a" + payload
        ends = [1, *range(1 + size, len(rest), size if size > 2 else 20_000), len(rest)]
        for start, end in itertools.pairwise([0, *ends]):
            whole = reassembly.add(later(1, rest[start:end]))
        assert whole is not None
        head, data = whole
        assert (head, data) == (b"hea", payload)
        assert isinstance(data, SplitBytes) == (length > SPLIT_BYTES)
        if isinstance(data, SplitBytes):
            assert data.rest == payload[1:]

    @pytest.mark.parametrize(
        ("fragments", "complaint"),
        [
            ([first(1, 30, 30, b"")], "a fragment of 13 bytes holds nothing"),
            ([first(1, 30, 30, b"")[:5]], "a fragment of 5 bytes holds nothing"),
            ([later(1, b"x")], "continues stream 1, which was not begun"),
            ([first(1, 0, 2, b"x"), later(1, b"")], "a fragment of 5 bytes holds nothing"),
            ([first(1, 0, 2, b"x"), later(2, b"x")], "continues stream 2, which was not begun"),
            ([first(1, 0, 2, b"x"), later(1, b"xx")], "a fragment brings 2 bytes where 1 were missing"),
            ([first(1, 0, 0, b"x")], "a fragment brings 1 bytes where 0 were missing"),
            ([first(1, 0, 2, b"x"), first(1, 0, 2, b"x")], "stream 1 of fragments was begun twice"),
            ([first(1, 0, 2, b"xx"), later(1, b"x")], "continues stream 1, which was not begun"),
            (
                [first(stream, 0, 2, b"x") for stream in range(MAX_STREAMS + 1)],
                "more than 64 messages were begun and not finished",
            ),
        ],
    )
    def test_fragment_that_fits_no_stream_is_refused(self, fragments: list[bytes], complaint: str) -> None:
        reassembly = a_reassembly()
        *accepted, refused = fragments
        for fragment in accepted:
            reassembly.add(fragment)
        with pytest.raises(ProtocolError, match=complaint):
            reassembly.add(refused)

    @pytest.mark.parametrize("sizes", [(HEAD_BYTES + 1, 0), (2**32 - 1,) * 2])
    def test_head_over_the_limit_is_refused_when_announced(self, sizes: tuple[int, int]) -> None:
        with pytest.raises(FrameTooBig):
            a_reassembly(max_payload_bytes=1000).add(first(1, *sizes, b"x"))

    def test_payload_over_the_limit_is_discarded_and_its_head_kept(self) -> None:
        budget = ReassemblyBudget(100, "all peers")
        reassembly = Reassembly(1000, budget)
        *most, last = fragments_of(FragmentedFrame(1, b"h" * 30, bytes(1001), 0, fragment_bytes=50))
        for piece in most:
            assert reassembly.add(piece) is None
            assert budget.taken == 30
        whole = reassembly.add(last)
        assert whole is not None
        head, payload = whole
        assert (head, payload, budget.taken) == (b"h" * 30, b"", 0)
        assert isinstance(payload, Discarded)
        assert payload.why == "too long: 1,001 bytes, at most 1,000 are allowed (--max-message)"

    def test_longest_payload_is_kept(self) -> None:
        whole = a_reassembly(max_payload_bytes=1000).add(first(1, 1, 1000, b"h" + bytes(1000)))
        assert whole == (b"h", bytes(1000))

    def test_payload_over_the_shared_budget_is_discarded(self) -> None:
        """Other peers have used the budget up: this peer is not closed, and loses this payload alone."""
        budget = ReassemblyBudget(150, "all peers")
        others, reassembly = Reassembly(1000, budget), Reassembly(1000, budget)
        others.add(first(1, 0, 500, bytes(70)))
        reassembly.add(first(1, 10, 100, bytes(60)))
        assert budget.taken == 130
        reassembly.add(later(1, bytes(30)))
        assert budget.taken == 80
        whole = reassembly.add(later(1, bytes(20)))
        assert whole is not None
        assert isinstance(whole[1], Discarded)
        assert whole[1].why == "dropped: incomplete messages of all peers hold 80 bytes already"
        assert reassembly.add(first(2, 0, 60, bytes(60))) == (b"", bytes(60))
        assert budget.taken == 70

    def test_peer_over_its_own_budget_is_refused(self) -> None:
        reassembly = a_reassembly()
        size, piece = PEER_BUDGET_BYTES, bytes(1 << 20)
        for stream in range(2):
            reassembly.add(first(stream, 0, 1 << 27, piece))
        for held in range(2, size >> 20):
            reassembly.add(later(held % 2, piece))
        with pytest.raises(ProtocolError, match=f"unfinished messages of one peer exceed {size} bytes"):
            reassembly.add(later(1, b"x"))

    def test_completed_frame_releases_its_budget(self) -> None:
        budget = ReassemblyBudget(150, "all peers")
        reassembly = Reassembly(1000, budget)
        for _ in range(3):
            reassembly.add(first(1, 20, 80, bytes(60)))
            assert budget.taken == 60
            assert reassembly.add(later(1, bytes(40)))
            assert budget.taken == 0

    def test_budget_is_counted_right_after_a_refused_fragment(self) -> None:
        budget = ReassemblyBudget(150, "all peers")
        one, other = Reassembly(1000, budget), Reassembly(1000, budget)
        one.add(first(1, 0, 500, bytes(100)))
        with pytest.raises(ProtocolError, match="unfinished messages of all peers exceed 150 bytes"):
            other.add(
                first(1, 500, 500, bytes(100))
            )  # a head is never discarded: its signal could not be read
        other.abandon()
        assert budget.taken == 100
        one.abandon()
        assert budget.taken == 0
