"""lone_frame.py: A lone frame is written and read as it is among others; what is not one is left alone."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING

import pytest

from pyx import fast_paths
from pyx.core.outbox import Outbox
from pyx.errors import ProtocolError
from pyx.signals import NODE_SIGNALS, Answer, Call, Goodbye, Link, Payload, Send, Tick
from pyx.terms import Pid
from pyx.wire.frames.fragments import FRAGMENT_BYTES
from pyx.wire.frames.lone_frame import read_lone, write_lone
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.frames.writer import Writer
from tests.wire.samples import BOB, CAT, ENCODED, GUS, MINE, TABLE, THEIRS, framed, transmitted

if TYPE_CHECKING:
    from pyx.signals import Signal

SEND, CALL, ANSWER = Send(MINE, THEIRS, ENCODED), Call(MINE, 3, THEIRS, ENCODED), Answer(3, "value", ENCODED)
SENT = [signal for signal, _ in TABLE]


@pytest.fixture(autouse=True)
def fast_paths_are_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_paths, "enabled", True)


def stream(monkeypatch: pytest.MonkeyPatch, *, is_fast: bool, to_bob: bool = True) -> SignalStream:
    monkeypatch.setattr(fast_paths, "enabled", is_fast)
    return SignalStream(GUS, BOB) if to_bob else SignalStream(BOB, GUS)


def written(monkeypatch: pytest.MonkeyPatch, *signals: Signal) -> list[bytes]:
    """Each signal as a write of its own; fixed heads, but by the general way."""
    gus = stream(monkeypatch, is_fast=True)
    gus._is_fast = False
    return [transmitted(gus, [signal]) for signal in signals]


class TestBothWays:
    @pytest.mark.parametrize("signals", [SENT, SENT[::-1], [*SENT, *SENT]], ids=["once", "back", "twice"])
    def test_lone_signals_make_the_bytes_of_gathered_ones(
        self, monkeypatch: pytest.MonkeyPatch, signals: list[Signal]
    ) -> None:
        lone, general = (stream(monkeypatch, is_fast=True) for _ in range(2))
        general._is_fast = False
        for signal in signals:
            queues = deque([signal]), deque([signal])
            while queues[1] or not general.is_empty:
                assert lone.transmit(queues[0]) == general.transmit(queues[1])
                assert queues[0] == queues[1]
                assert lone.is_empty == general.is_empty

    @pytest.mark.parametrize("seed", range(20))
    def test_reads_of_any_size_bring_the_same_signals(
        self, monkeypatch: pytest.MonkeyPatch, seed: int
    ) -> None:
        random = Random(seed)
        signals = random.choices([s for s in SENT if type(s) is not Goodbye], k=60)
        frames = written(monkeypatch, *signals)
        reads: list[bytes] = []
        while frames:
            together = b"".join(frames[: (count := random.choice((1, 1, 1, 2, 5)))])
            del frames[:count]
            cut = random.choice((0, 0, 1, 4, 5, len(together) // 2))
            reads += [part for part in (together[:cut], together[cut:]) if part]
        fast = stream(monkeypatch, is_fast=True, to_bob=False)
        general = stream(monkeypatch, is_fast=False, to_bob=False)
        for data in reads:
            assert fast.receive_data(memoryview(data)) == general.receive_data(data)

    @pytest.mark.parametrize("seed", range(20))
    def test_broken_frames_are_refused_with_the_same_words(
        self, monkeypatch: pytest.MonkeyPatch, seed: int
    ) -> None:
        random = Random(seed)
        frame = bytearray(random.choice(written(monkeypatch, SEND, CALL, ANSWER, Link(MINE, THEIRS)))[4:])
        for _ in range(200):
            broken = frame[: random.randrange(1, len(frame) + 1)]
            broken[random.randrange(len(broken))] = random.randrange(256)
            ends = []
            for is_fast in (True, False):
                bob = stream(monkeypatch, is_fast=is_fast, to_bob=False)
                try:
                    ends.append(repr(bob.receive_data(framed(bytes(broken)))))
                except ProtocolError as error:
                    ends.append(str(error))
            assert ends[0] == ends[1]

    @pytest.mark.parametrize("is_fast", [True, False])
    @pytest.mark.parametrize("signal", [SEND, CALL, ANSWER, Answer(3, "exit", "größer"), Link(MINE, THEIRS)])
    def test_what_was_queued_is_released(
        self, monkeypatch: pytest.MonkeyPatch, signal: Signal, is_fast: bool
    ) -> None:
        gus, out = stream(monkeypatch, is_fast=is_fast), Outbox("bob@vm")
        for _ in range(3):
            out.put(signal)
            _, released = gus.transmit(out)
            out.written += released
            assert out.written == out.enqueued


class TestReadLone:
    def test_frames_of_a_conversation_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name = Send(MINE, "stock", ENCODED)
        reader = Reader(BOB, GUS)
        for frame in written(monkeypatch, SEND, name):
            reader.read(frame[4:])
        for signal in (SEND, name, SEND, CALL, ANSWER):
            (frame,) = written(monkeypatch, signal)
            assert read_lone(frame, reader) == Reader(BOB, GUS).read(frame[4:])

    def test_anything_else_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (frame,) = written(monkeypatch, CALL)
        reader = Reader(BOB, GUS)
        long = framed(frame[4:] + bytes(5000))
        for data in (b"", frame[:3], framed(b""), frame[:-1], frame + b"x", frame * 2, long):
            assert read_lone(data, reader) is None
        assert read_lone(framed(frame[4:10]), reader) is None  # no such head
        assert read_lone(framed(b"\x7fmore"), reader) is None  # no such kind

    def test_part_of_a_frame_is_not_taken_for_a_frame(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (inner,) = written(monkeypatch, CALL)
        (outer,) = written(monkeypatch, Send(MINE, THEIRS, Payload(inner)))
        bob = stream(monkeypatch, is_fast=True, to_bob=False)
        assert bob.receive_data(outer[: -len(inner)]) == []
        (message,) = bob.receive_data(inner)
        assert type(message) is Send
        assert message.body == Payload(inner, GUS)


class TestWriteLone:
    @pytest.mark.parametrize("signal", [SEND, CALL, ANSWER])
    def test_frequent_signal_is_written(self, signal: Signal) -> None:
        writer = Writer(GUS, BOB)
        head, payload = writer.write(signal)
        queue = deque([signal])
        taken = write_lone(queue, writer, FRAGMENT_BYTES)
        assert taken is not None
        assert taken[0] == framed(head + bytes(payload))
        assert not queue

    @pytest.mark.parametrize(
        "signal",
        [
            Send(Pid(6), THEIRS, ENCODED),  # another sender than last
            Send(MINE, THEIRS, Payload(b"x", CAT)),
            Send(MINE, THEIRS, Payload(b"x" * FRAGMENT_BYTES)),
            Call(MINE, 2**64, THEIRS, ENCODED),
            Call(Pid(9, 0, *CAT), 3, THEIRS, ENCODED),
            Answer(3, "exit", "normal"),
            Link(MINE, THEIRS),
            Tick(),
            Goodbye(),
        ],
    )
    def test_any_other_stays_in_the_queue(self, signal: Signal) -> None:
        writer = Writer(GUS, BOB)
        writer.write(SEND)
        queue = deque([signal])
        assert write_lone(queue, writer, FRAGMENT_BYTES) is None
        assert list(queue) == [signal]

    def test_nothing_passes_a_large_signal_of_its_sender(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gus, bob = stream(monkeypatch, is_fast=True), stream(monkeypatch, is_fast=True, to_bob=False)
        large = Send(MINE, THEIRS, Payload(b"L" * (3 * FRAGMENT_BYTES)))
        received = bob.receive_data(gus.transmit(deque([large]))[0])
        assert received == []
        queue: deque[Signal] = deque([SEND])
        for _ in range(4):
            received += bob.receive_data(gus.transmit(queue)[0])
        assert [len(signal.body.data) for signal in received if type(signal) is Send] == [
            3 * FRAGMENT_BYTES,
            len(ENCODED.data),
        ]


def test_signals_between_nodes_are_none_of_the_frequent_ones() -> None:
    assert not {Send, Call, Answer} & set(NODE_SIGNALS)
