"""signal_stream.py: Signals pass from one stream to another; malformed and forged ones are refused."""

from __future__ import annotations

import itertools
from collections import deque
from typing import get_args

import pytest

from pyx import fast_paths, signals
from pyx.errors import DecodeError, FrameTooBig, ProtocolError
from pyx.signals import (
    Call,
    ExitSignal,
    ExitTo,
    Goodbye,
    Leader,
    Payload,
    Ping,
    Send,
    Signal,
    SplitBytes,
    Tick,
    queued_bytes,
)
from pyx.terms import Pid
from pyx.wire.codec import BYTES, decode, encode_payload
from pyx.wire.frames.fixed_writer import FIXED_WRITERS
from pyx.wire.frames.fragments import FRAGMENT_BYTES, FragmentedFrame
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT
from pyx.wire.frames.reassembly import ReassemblyBudget
from pyx.wire.frames.scheduler import sender_of
from pyx.wire.frames.signal_stream import MAX_FRAME_BYTES, SignalStream
from tests.wire.samples import (
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
    fragments_of,
    framed,
    streams,
    transmitted,
)

SMALL = [(written, read) for written, read in TABLE if BIG not in written]


class TestEverySignal:
    def test_table_holds_every_signal(self) -> None:
        assert {type(signal) for signal in WRITTEN} == set(get_args(signals.Signal))

    @pytest.mark.parametrize(
        ("written", "read"), TABLE, ids=[f"{i}-{s!r:.30}" for i, (s, _) in enumerate(TABLE)]
    )
    def test_signal_arrives_with_the_receivers_pids(self, written: Signal, read: Signal) -> None:
        gus, bob = streams()
        assert bob.receive_data(transmitted(gus, [written])) == [read]

    def test_small_signals_arrive_in_order(self) -> None:
        gus, bob = streams()
        assert bob.receive_data(transmitted(gus, [w for w, _ in SMALL] * 3)) == [r for _, r in SMALL] * 3

    def test_signals_of_one_sender_arrive_in_order_among_large_ones(self) -> None:
        gus, bob = streams()
        received = bob.receive_data(
            transmitted(gus, [signal for signal in WRITTEN * 3 if signal != Goodbye()])
        )
        expected = [signal for signal in READ * 3 if signal != Goodbye()]
        for sender in set(map(sender_of, expected)):
            assert [s for s in received if sender_of(s) == sender] == [
                s for s in expected if sender_of(s) == sender
            ]
        assert len(received) == len(expected)

    def test_stream_may_be_cut_at_every_byte(self) -> None:
        gus, bob = streams()
        stream = transmitted(gus, [w for w, _ in SMALL])
        received = list(
            itertools.chain.from_iterable(bob.receive_data(stream[i : i + 1]) for i in range(len(stream)))
        )
        assert received == [r for _, r in SMALL]

    def test_signal_sent_twice_arrives_twice(self) -> None:
        gus, bob = streams()
        for _ in range(2):
            assert bob.receive_data(transmitted(gus, [w for w, _ in SMALL])) == [r for _, r in SMALL]


class TestTransmit:
    def test_small_signals_are_one_chunk_of_bytes(self) -> None:
        gus, _ = streams()
        queue: deque[Signal] = deque([*[Send(MINE, THEIRS, ENCODED)] * 500, Tick(), Ping(1)])
        released = sum(map(queued_bytes, queue))
        assert gus.transmit(queue)[1] == released
        assert not queue

    def test_tick_is_an_empty_frame(self) -> None:
        gus, bob = streams()
        assert transmitted(gus, [Tick()]) == bytes(4)
        assert bob.receive_data(bytes(8)) == [Tick(), Tick()]

    def test_empty_queue_makes_no_bytes(self) -> None:
        assert streams()[0].transmit(deque()) == (b"", 0)

    def test_signal_with_too_long_a_head_is_reported_as_unwritten(self) -> None:
        gus = SignalStream(GUS, BOB)
        assert gus.transmit(deque([Leader(MINE, THEIRS, Pid(1, 0, "n" * 9000, 3))]))[0] == b""
        (sentence,) = gus.unwritten()
        assert "the Leader cannot be sent: its head is " in sentence

    def test_message_of_another_nodes_process_is_refused(self) -> None:
        gus, bob = streams()
        with pytest.raises(ProtocolError, match="the field frm of the signal Send cannot be"):
            bob.receive_data(transmitted(gus, [Send(OTHER, THEIRS, ENCODED)]))

    def test_message_for_another_nodes_process_is_refused(self) -> None:
        gus, bob = streams()
        with pytest.raises(ProtocolError, match="the field to of the signal Send cannot be"):
            bob.receive_data(transmitted(gus, [Send(MINE, OTHER, ENCODED)]))


class TestReceive:
    def test_pids_of_known_addresses_are_reused(self) -> None:
        gus, bob = streams()
        first, second = bob.receive_data(transmitted(gus, [Send(MINE, THEIRS, ENCODED)] * 2))
        assert isinstance(first, Send)
        assert isinstance(second, Send)
        assert first.frm is second.frm

    def test_large_payload_arrives_from_any_cut_of_the_stream(self) -> None:
        payload = bytes(range(251)) * 1000
        stream = transmitted(streams()[0], [Send(MINE, THEIRS, Payload(payload)), Ping(1)])
        for size in (1009, FRAGMENT_BYTES, len(stream)):
            bob = SignalStream(BOB, GUS)
            pieces = (stream[i : i + size] for i in range(0, len(stream), size))
            received = list(itertools.chain.from_iterable(map(bob.receive_data, pieces)))
            assert sorted(received, key=lambda signal: type(signal).__name__) == [
                Ping(1),
                Send(MINE_READ, THEIRS_READ, Payload(payload, GUS)),
            ]

    @pytest.mark.parametrize("size", [FRAGMENT_BYTES, 1 << 20])
    def test_one_large_bytes_is_decoded_without_a_copy(self, size: int) -> None:
        value = bytes(range(256)) * (size // 256)
        gus, bob = streams()
        body = Payload(encode_payload(value))
        stream = transmitted(gus, [Send(MINE, THEIRS, body), Call(MINE, 8, MINE, body)])
        message, call = bob.receive_data(stream)
        assert isinstance(message, Send)
        assert isinstance(call, Call)
        assert decode(message.body, BOB) == decode(call.payload, BOB) == value
        if fast_paths.enabled:
            assert decode(message.body, BOB) is decode(message.body, BOB)

    def test_one_large_bytes_is_passed_on_to_the_next_node(self) -> None:
        gus, bob = streams()
        body = Payload(encode_payload(bytes(200_000)))
        (received,) = bob.receive_data(transmitted(gus, [ExitSignal(MINE, THEIRS, body)]))
        assert isinstance(received, ExitSignal)
        back, again = SignalStream(BOB, GUS), SignalStream(GUS, BOB)
        (passed,) = again.receive_data(
            transmitted(back, [ExitSignal(Pid(5), Pid(1, 0, *GUS), received.reason)])
        )
        assert isinstance(passed, ExitSignal)
        assert isinstance(passed.reason, Payload)
        assert passed.reason.origin == GUS
        assert decode(passed.reason, BOB) == bytes(200_000)

    def test_word_that_is_longer_than_a_fragment_is_refused(self) -> None:
        _, bob = streams()
        written = FIXED_WRITERS[ExitTo](ExitTo(MINE, THEIRS, "word"), GUS, BOB)
        assert written is not None
        head, _ = written
        frame = FragmentedFrame(1, head, SplitBytes(BYTES, bytes(100_000)), 0)
        with pytest.raises(ProtocolError, match="a word of 100001 bytes"):
            bob.receive_data(b"".join(map(framed, fragments_of(frame))))

    @pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 1, 2**32 - 1])
    def test_frame_over_the_limit_is_refused(self, size: int) -> None:
        with pytest.raises(FrameTooBig, match=f"a frame of {size:,} bytes is over the limit"):
            streams()[1].receive_data(LENGTH.pack(size))

    def test_closed_stream_releases_its_budget(self) -> None:
        budget = ReassemblyBudget(1000, "all peers")
        bob = SignalStream(BOB, GUS, budget=budget)
        bob.receive_data(framed(FIRST.pack(FIRST_FRAGMENT, 1, 0, 5000) + bytes(700)))
        assert budget.taken == 700
        bob.close()
        assert budget.taken == 0

    def test_budget_is_shared_between_peers(self) -> None:
        budget = ReassemblyBudget(1000, "all peers")
        first, second = SignalStream(BOB, GUS, budget=budget), SignalStream(BOB, GUS, budget=budget)
        unfinished = framed(FIRST.pack(FIRST_FRAGMENT, 1, 0, 5000) + bytes(700))
        first.receive_data(unfinished)
        second.receive_data(unfinished)  # read, and discarded
        assert budget.taken == 700

    @pytest.mark.parametrize(
        ("written", "read"),
        [pair for pair in TABLE if BIG in pair[0]],
        ids=lambda signal: type(signal).__name__,
    )
    def test_too_long_payload_arrives_as_discarded(self, written: Signal, read: Signal) -> None:
        """The signal arrives with its other fields; decoding the payload reports the reason."""
        bob = SignalStream(BOB, GUS, max_payload_bytes=99_999)
        stream = transmitted(streams()[0], [written, Ping(1), Send(MINE, THEIRS, ENCODED)])
        received = bob.receive_data(stream)
        assert Ping(1) in received
        assert received[-1] == Send(MINE_READ, THEIRS_READ, ENCODED_READ)
        (signal,) = [one for one in received if type(one) is type(written) and one != received[-1]]
        assert list(signal) == [Payload(b"", GUS) if field == BIG_READ else field for field in read]
        (payload,) = [field for field in signal if type(field) is Payload]
        with pytest.raises(
            DecodeError, match=r"too long: 100,000 bytes, at most 99,999 are allowed \(--max-"
        ):
            decode(payload, BOB)
