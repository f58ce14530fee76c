"""signal_stream.py: Signals carried from one node to another by hand, and what a session refuses."""

from __future__ import annotations

import itertools
from collections import deque
from typing import get_args

import pytest

from pyx import signals
from pyx.errors import DecodeError, FrameTooBig, ProtocolError
from pyx.signals import Goodbye, Leader, Payload, Ping, Send, Signal, Tick, queued_bytes
from pyx.terms import Pid
from pyx.wire.codec import decode
from pyx.wire.frames.fragments import FRAGMENT_BYTES
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT
from pyx.wire.frames.reassembly import ReassemblyBudget
from pyx.wire.frames.scheduler import sender_of
from pyx.wire.frames.signal_stream import MAX_FRAME_BYTES, SignalStream
from tests.wire.talk import (
    BIG,
    BIG_READ,
    BOB,
    ENCODED,
    ENCODED_READ,
    GUS,
    MINE,
    MINE_READ,
    OTHER,
    READ,
    TABLE,
    THEIRS,
    THEIRS_READ,
    WRITTEN,
    framed,
    streams,
    transmitted,
)

SMALL = [(written, read) for written, read in TABLE if BIG not in written]


class TestEverySignal:
    def test_the_table_holds_every_signal(self) -> None:
        assert {type(signal) for signal in WRITTEN} == set(get_args(signals.Signal))

    @pytest.mark.parametrize(
        ("written", "read"), TABLE, ids=[f"{i}-{s!r:.30}" for i, (s, _) in enumerate(TABLE)]
    )
    def test_arrives_from_the_receivers_point_of_view(self, written: Signal, read: Signal) -> None:
        gus, bob = streams()
        assert bob.receive_data(transmitted(gus, [written])) == [read]

    def test_arrives_in_order_with_all_others(self) -> None:
        gus, bob = streams()
        assert bob.receive_data(transmitted(gus, [w for w, _ in SMALL] * 3)) == [r for _, r in SMALL] * 3

    def test_arrives_in_the_order_of_its_process_among_large_ones(self) -> None:
        gus, bob = streams()
        heard = bob.receive_data(transmitted(gus, [signal for signal in WRITTEN * 3 if signal != Goodbye()]))
        expected = [signal for signal in READ * 3 if signal != Goodbye()]
        for who in set(map(sender_of, expected)):
            assert [s for s in heard if sender_of(s) == who] == [s for s in expected if sender_of(s) == who]
        assert len(heard) == len(expected)

    def test_arrives_cut_at_every_byte(self) -> None:
        gus, bob = streams()
        stream = transmitted(gus, [w for w, _ in SMALL])
        heard = list(
            itertools.chain.from_iterable(bob.receive_data(stream[i : i + 1]) for i in range(len(stream)))
        )
        assert heard == [r for _, r in SMALL]

    def test_means_the_same_when_it_is_said_twice(self) -> None:
        gus, bob = streams()
        for _ in range(2):
            assert bob.receive_data(transmitted(gus, [w for w, _ in SMALL])) == [r for _, r in SMALL]


class TestTransmitting:
    def test_small_signals_are_one_chunk(self) -> None:
        gus, _ = streams()
        queue: deque[Signal] = deque([*[Send(MINE, THEIRS, ENCODED)] * 500, Tick(), Ping(1)])
        released = sum(map(queued_bytes, queue))
        assert gus.transmit(queue)[1] == released
        assert not queue

    def test_an_empty_frame_is_a_tick(self) -> None:
        gus, bob = streams()
        assert transmitted(gus, [Tick()]) == bytes(4)
        assert bob.receive_data(bytes(8)) == [Tick(), Tick()]

    def test_nothing_makes_no_chunk(self) -> None:
        assert streams()[0].transmit(deque()) == (b"", 0)

    def test_what_no_peer_would_take_is_not_written_and_told(self) -> None:
        gus = SignalStream(GUS, BOB)
        assert gus.transmit(deque([Leader(MINE, THEIRS, Pid(1, 0, "n" * 9000, 3))]))[0] == b""
        (sentence,) = gus.unwritten()
        assert "the Leader cannot be sent: its head is " in sentence

    def test_nobody_is_spoken_for(self) -> None:
        gus, bob = streams()
        with pytest.raises(ProtocolError, match="the field frm of a Send cannot be"):
            bob.receive_data(transmitted(gus, [Send(OTHER, THEIRS, ENCODED)]))

    def test_no_message_goes_by_way_of_another_node(self) -> None:
        gus, bob = streams()
        with pytest.raises(ProtocolError, match="the field to of a Send cannot be"):
            bob.receive_data(transmitted(gus, [Send(MINE, OTHER, ENCODED)]))


class TestReceiving:
    def test_messages_of_two_that_have_met_are_read_the_short_way(self) -> None:
        gus, bob = streams()
        first, second = bob.receive_data(transmitted(gus, [Send(MINE, THEIRS, ENCODED)] * 2))
        assert isinstance(first, Send)
        assert isinstance(second, Send)
        assert first.frm is second.frm

    def test_a_large_payload_arrives_cut_anywhere(self) -> None:
        payload = bytes(range(251)) * 1000
        stream = transmitted(streams()[0], [Send(MINE, THEIRS, Payload(payload)), Ping(1)])
        for size in (1009, FRAGMENT_BYTES, len(stream)):
            bob = SignalStream(BOB, GUS)
            pieces = (stream[i : i + size] for i in range(0, len(stream), size))
            heard = list(itertools.chain.from_iterable(map(bob.receive_data, pieces)))
            assert sorted(heard, key=lambda signal: type(signal).__name__) == [
                Ping(1),
                Send(MINE_READ, THEIRS_READ, Payload(payload, GUS)),
            ]

    @pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 1, 2**32 - 1])
    def test_no_frame_is_longer_than_16_mib(self, size: int) -> None:
        with pytest.raises(FrameTooBig, match=f"a frame of {size:,} bytes is over the limit"):
            streams()[1].receive_data(LENGTH.pack(size))

    def test_a_session_that_is_over_holds_nothing_any_more(self) -> None:
        budget = ReassemblyBudget(1000, "all peers")
        bob = SignalStream(BOB, GUS, budget=budget)
        bob.receive_data(framed(FIRST.pack(FIRST_FRAGMENT, 1, 0, 5000) + bytes(700)))
        assert budget.taken == 700
        bob.close()
        assert budget.taken == 0

    def test_what_one_peer_leaves_unfinished_is_no_room_for_another(self) -> None:
        budget = ReassemblyBudget(1000, "all peers")
        first, second = SignalStream(BOB, GUS, budget=budget), SignalStream(BOB, GUS, budget=budget)
        begun = framed(FIRST.pack(FIRST_FRAGMENT, 1, 0, 5000) + bytes(700))
        first.receive_data(begun)
        second.receive_data(begun)  # it is read, and not kept
        assert budget.taken == 700

    @pytest.mark.parametrize(
        ("written", "read"),
        [pair for pair in TABLE if BIG in pair[0]],
        ids=lambda signal: type(signal).__name__,
    )
    def test_a_payload_that_is_too_long_arrives_as_one_that_cannot_be_read(
        self, written: Signal, read: Signal
    ) -> None:
        """Whatever it belongs to goes its way: its receiver hears why, and everybody else of nothing."""
        bob = SignalStream(BOB, GUS, max_payload_bytes=99_999)
        stream = transmitted(streams()[0], [written, Ping(1), Send(MINE, THEIRS, ENCODED)])
        heard = bob.receive_data(stream)
        assert Ping(1) in heard
        assert heard[-1] == Send(MINE_READ, THEIRS_READ, ENCODED_READ)
        (signal,) = [one for one in heard if type(one) is type(written) and one != heard[-1]]
        assert list(signal) == [Payload(b"", GUS) if field == BIG_READ else field for field in read]
        (payload,) = [field for field in signal if type(field) is Payload]
        with pytest.raises(
            DecodeError, match=r"too long: 100,000 bytes, at most 99,999 are allowed \(--max-"
        ):
            decode(payload, BOB)
