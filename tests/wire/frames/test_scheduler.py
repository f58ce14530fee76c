"""scheduler.py: Whose words leave first: small ones at once, large ones in turns, and each process in its own
order.
"""

from __future__ import annotations

import itertools
from collections import deque

import pytest

from pyx.signals import (
    Answer,
    Down,
    ExitSignal,
    Goodbye,
    Leader,
    Link,
    Nodes,
    Payload,
    Ping,
    Print,
    Send,
    Signal,
    Spawned,
    Tick,
    queued_bytes,
)
from pyx.terms import Pid, Ref
from pyx.wire.frames.fragments import FRAGMENT_BYTES, MAX_PAYLOAD_BYTES, MAX_STREAMS
from pyx.wire.frames.scheduler import OutputScheduler, sender_of
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.frames.writer import Writer
from tests.wire.talk import BOB, GUS

ANN, BEN, CAT = Pid(1), Pid(2), Pid(3)
THERE = Pid(9, 0, *BOB)
LARGE = FRAGMENT_BYTES * 3


def say(frm: Pid | None, what: str, size: int = 0) -> Send:
    return Send(frm, THERE, Payload(what.encode() + bytes(size)))


def word(signal: Signal) -> str:
    """What one said: the words of messages, the names of other signals."""
    if isinstance(signal, Send):
        return bytes(signal.body.data).rstrip(b"\0").decode()
    return type(signal).__name__


class Talk:
    """One direction between two nodes, a gather at a time."""

    def __init__(self, *signals: Signal) -> None:
        self.queue = deque(signals)
        self.scheduler = OutputScheduler(Writer(GUS, BOB))
        self.bob = SignalStream(BOB, GUS)
        self.released = 0

    def hears(self) -> list[str]:
        """What the other hears by the next gather."""
        data, released = self.scheduler.gather(self.queue)
        self.released += released
        return [word(signal) for signal in self.bob.receive_data(data)]

    def hears_all(self) -> list[str]:
        heard = []
        while self.queue or not self.scheduler.is_empty:
            heard += self.hears()
        return heard


def test_small_signals_leave_as_they_come() -> None:
    talk = Talk(say(ANN, "a"), Ping(1), say(BEN, "b"), say(ANN, "c"), Goodbye())
    assert talk.hears() == ["a", "Ping", "b", "c", "Goodbye"]
    assert talk.scheduler.is_empty


def test_what_is_small_passes_what_is_large() -> None:
    talk = Talk(say(ANN, "large", LARGE), say(BEN, "b1"), Ping(1), say(None, "n"))
    assert talk.hears() == ["b1", "Ping", "n"]
    talk.queue.append(say(BEN, "b2"))
    assert talk.hears() == ["b2"]
    assert talk.hears_all() == ["large"]


def test_a_process_keeps_its_own_order() -> None:
    talk = Talk(say(ANN, "large", LARGE), say(ANN, "a1"), Link(ANN, THERE), say(BEN, "b"), say(ANN, "a2"))
    assert talk.hears() == ["b"]
    talk.queue.append(ExitSignal(ANN, THERE, "normal"))
    assert talk.hears_all() == ["large", "a1", "Link", "a2", "ExitSignal"]


def test_a_second_large_one_of_the_same_process_waits_for_the_first() -> None:
    talk = Talk(say(ANN, "first", LARGE), say(ANN, "a"), say(ANN, "second", LARGE), say(ANN, "b"))
    assert talk.hears_all() == ["first", "a", "second", "b"]


def test_what_no_process_sends_keeps_its_order_too() -> None:
    talk = Talk(say(None, "large", LARGE), say(None, "n"), ExitSignal(Pid(0), THERE, "x"), Tick())
    assert talk.hears() == ["Tick"]
    assert talk.hears_all() == ["large", "n", "ExitSignal"]


def test_large_ones_of_no_process_pass_and_keep_their_order() -> None:
    talk = Talk(
        say(None, "large", LARGE),
        Nodes(("n" * 240 + "@vm",) * 500),
        Nodes(()),
        Answer(1, "value", Payload(bytes(LARGE))),
        say(ANN, "a"),
    )
    assert talk.hears() == ["a"]
    assert talk.hears_all() == ["Nodes", "Nodes", "large", "Answer"]


def test_large_ones_take_turns() -> None:
    talk = Talk(
        say(ANN, "long", 10 * FRAGMENT_BYTES), say(BEN, "b1", LARGE), say(BEN, "b2"), say(CAT, "c", LARGE)
    )
    assert talk.hears_all() == ["b1", "b2", "c", "long"]


def test_a_gather_is_never_much_larger_than_a_fragment() -> None:
    talk = Talk(
        *[say(Pid(n), "x", 50_000) for n in range(1, 50)], *[say(Pid(n), "y", LARGE) for n in range(60, 90)]
    )
    while talk.queue or not talk.scheduler.is_empty:
        data, _ = talk.scheduler.gather(talk.queue)
        assert 0 < len(data) < 3 * FRAGMENT_BYTES


def test_a_flood_of_small_ones_stops_no_large_one() -> None:
    talk = Talk(say(ANN, "large", LARGE))
    for _ in itertools.count():
        talk.queue.extend(say(BEN, "b", 1000) for _ in range(100))
        if "large" in talk.hears():
            break


def test_the_last_goodbye_comes_last() -> None:
    talk = Talk(say(ANN, "large", LARGE), say(BEN, "b"), say(ANN, "a"), Goodbye())
    assert talk.hears() == ["b"]
    assert talk.hears_all() == ["large", "a", "Goodbye"]


def test_the_queue_is_as_much_lighter_as_it_was_heavy() -> None:
    signals: list[Signal] = [
        *[say(Pid(n % 5 + 1), "x", n * 3000) for n in range(100)],
        Print(ANN, THERE, "line\n" * 100_000),
        Goodbye(),
    ]
    talk = Talk(*signals)
    talk.hears_all()
    assert talk.released == sum(map(queued_bytes, signals))


def test_no_more_are_begun_than_the_peer_puts_together() -> None:
    """The receiving session is the judge: it would refuse the stream."""
    talk = Talk(*[say(Pid(n), str(n), LARGE) for n in range(1, 3 * MAX_STREAMS)])
    assert sorted(map(int, talk.hears_all())) == list(range(1, 3 * MAX_STREAMS))


def test_no_more_bytes_are_begun_than_the_peer_has_room_for() -> None:
    talk = Talk(*[say(Pid(n), str(n), 60 << 20) for n in range(1, 5)], say(Pid(9), "9", 100))
    assert talk.hears() == ["9"]
    assert talk.hears_all() == ["1", "2", "3", "4"]


def test_the_longest_message_travels() -> None:
    talk = Talk(Send(ANN, "n" * 1000, Payload(bytes(MAX_PAYLOAD_BYTES))), say(BEN, "b", LARGE))
    assert talk.hears_all() == ["b", ""]


class TestASignalThatCannotBeWritten:
    TOO_LONG = Leader(ANN, THERE, Pid(1, 0, "n" * 9000, 3))
    NO_DATA = ExitSignal(ANN, THERE, object())  # type: ignore[arg-type]

    @pytest.mark.parametrize("signal", [TOO_LONG, NO_DATA], ids=["too long", "no data"])
    def test_is_left_out_and_told_and_the_others_arrive(self, signal: Signal) -> None:
        talk = Talk(say(ANN, "a"), signal, say(ANN, "b"))
        assert talk.hears_all() == ["a", "b"]
        assert talk.released == queued_bytes(say(ANN, "a")) * 2 + queued_bytes(signal)
        (sentence,) = talk.scheduler.unwritten()
        assert sentence.startswith(f"the {type(signal).__name__} cannot be sent: ")
        assert talk.scheduler.unwritten() == []

    @pytest.mark.parametrize("signal", [TOO_LONG, NO_DATA], ids=["too long", "no data"])
    def test_is_left_out_where_it_waits_behind_a_large_one(self, signal: Signal) -> None:
        talk = Talk(say(ANN, "large", LARGE), signal, say(ANN, "b"))
        assert talk.hears_all() == ["large", "b"]
        assert len(talk.scheduler.unwritten()) == 1
        assert talk.scheduler.is_empty


@pytest.mark.parametrize(
    ("signal", "who"),
    [
        (say(ANN, "x"), ANN),
        (say(None, "x"), Pid(0)),
        (Link(ANN, THERE), ANN),
        (Print(ANN, THERE, "x"), ANN),
        (Answer(1, "value", Payload(b""), ANN), ANN),
        (Answer(1, "refused", "off"), Answer),
        (Spawned(1, ANN), ANN),
        (Down(THERE, Ref(1), ANN, "noproc"), ANN),
        (Down(THERE, Ref(1), "server", "noproc"), Down),
        (Down(THERE, Ref(1), "server", "normal", ANN), ANN),
        (Tick(), Tick),
        (Ping(1), Ping),
        (Goodbye(), Goodbye),
    ],
)
def test_whose_order_a_signal_belongs_to(signal: Signal, who: object) -> None:
    assert sender_of(signal) == who
