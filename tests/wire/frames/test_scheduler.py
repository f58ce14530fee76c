"""scheduler.py: Small signals leave at once, large ones in turns, those of one sender in order."""

from __future__ import annotations

import itertools
from collections import deque

import pytest

from pyx.signals import (
    Answer,
    Down,
    ExitSignal,
    Goodbye,
    Held,
    Holdings,
    Leader,
    Let,
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
from tests.wire.samples import BOB, GUS

ANN, BEN, CAT = Pid(1), Pid(2), Pid(3)
THERE = Pid(9, 0, *BOB)
LARGE = FRAGMENT_BYTES * 3


def say(frm: Pid | None, what: str, size: int = 0) -> Send:
    return Send(frm, THERE, Payload(what.encode() + bytes(size)))


def word(signal: Signal) -> str:
    """The text of a message; the class name of any other signal."""
    if isinstance(signal, Send):
        return bytes(signal.body.data).rstrip(b"\0").decode()
    return type(signal).__name__


class Conversation:
    """One direction between two nodes, a gather at a time."""

    def __init__(self, *signals: Signal) -> None:
        self.queue = deque(signals)
        self.scheduler = OutputScheduler(Writer(GUS, BOB))
        self.bob = SignalStream(BOB, GUS)
        self.released = 0

    def receive(self) -> list[str]:
        """The signals that the peer reads from the next gather."""
        data, released = self.scheduler.gather(self.queue)
        self.released += released
        return [word(signal) for signal in self.bob.receive_data(data)]

    def receive_all(self) -> list[str]:
        received = []
        while self.queue or not self.scheduler.is_empty:
            received += self.receive()
        return received


def test_small_signals_leave_in_the_order_in_which_they_came() -> None:
    connection = Conversation(say(ANN, "a"), Ping(1), say(BEN, "b"), say(ANN, "c"), Goodbye())
    assert connection.receive() == ["a", "Ping", "b", "c", "Goodbye"]
    assert connection.scheduler.is_empty


def test_small_signals_overtake_a_large_one_of_another_sender() -> None:
    connection = Conversation(say(ANN, "large", LARGE), say(BEN, "b1"), Ping(1), say(None, "n"))
    assert connection.receive() == ["b1", "Ping", "n"]
    connection.queue.append(say(BEN, "b2"))
    assert connection.receive() == ["b2"]
    assert connection.receive_all() == ["large"]


def test_signals_of_one_process_stay_in_order_behind_a_large_one() -> None:
    connection = Conversation(
        say(ANN, "large", LARGE), say(ANN, "a1"), Link(ANN, THERE), say(BEN, "b"), say(ANN, "a2")
    )
    assert connection.receive() == ["b"]
    connection.queue.append(ExitSignal(ANN, THERE, "normal"))
    assert connection.receive_all() == ["large", "a1", "Link", "a2", "ExitSignal"]


def test_every_signal_waits_behind_holdings_that_leave_in_fragments() -> None:
    """What a process holds is known before anything that it sends afterwards, however long they are."""
    held = tuple(Held(ANN, n, "pg", b"\xa1g", Payload(bytes(16 * 1024))) for n in range(1, 8))
    later = [say(BEN, "of another"), say(BEN, "large", LARGE), say(CAT, "third"), say(BEN, "behind it")]
    conversation = Conversation(Holdings(held, is_last=True), Let(ANN, (1,)), *later, Goodbye())
    received = conversation.receive_all()
    assert received[:3] == ["Holdings", "Let", "of another"]
    assert received[3:] == ["third", "large", "behind it", "Goodbye"]


def test_second_large_signal_of_a_process_waits_for_the_first() -> None:
    connection = Conversation(
        say(ANN, "first", LARGE), say(ANN, "a"), say(ANN, "second", LARGE), say(ANN, "b")
    )
    assert connection.receive_all() == ["first", "a", "second", "b"]


def test_messages_of_no_process_stay_in_order() -> None:
    connection = Conversation(
        say(None, "large", LARGE), say(None, "n"), ExitSignal(Pid(0), THERE, "x"), Tick()
    )
    assert connection.receive() == ["Tick"]
    assert connection.receive_all() == ["large", "n", "ExitSignal"]


def test_large_node_signals_overtake_and_stay_in_order() -> None:
    connection = Conversation(
        say(None, "large", LARGE),
        Nodes(("n" * 240 + "@vm",) * 500),
        Nodes(()),
        Answer(1, "value", Payload(bytes(LARGE))),
        say(ANN, "a"),
    )
    assert connection.receive() == ["a"]
    assert connection.receive_all() == ["Nodes", "Nodes", "large", "Answer"]


def test_large_signals_of_several_senders_take_turns() -> None:
    connection = Conversation(
        say(ANN, "long", 10 * FRAGMENT_BYTES), say(BEN, "b1", LARGE), say(BEN, "b2"), say(CAT, "c", LARGE)
    )
    assert connection.receive_all() == ["b1", "b2", "c", "long"]


def test_gather_is_never_much_larger_than_a_fragment() -> None:
    connection = Conversation(
        *[say(Pid(n), "x", 50_000) for n in range(1, 50)], *[say(Pid(n), "y", LARGE) for n in range(60, 90)]
    )
    while connection.queue or not connection.scheduler.is_empty:
        data, _ = connection.scheduler.gather(connection.queue)
        assert 0 < len(data) < 3 * FRAGMENT_BYTES


def test_large_signal_is_not_starved_by_a_flood_of_small_ones() -> None:
    connection = Conversation(say(ANN, "large", LARGE))
    for _ in itertools.count():
        connection.queue.extend(say(BEN, "b", 1000) for _ in range(100))
        if "large" in connection.receive():
            break


def test_goodbye_leaves_last() -> None:
    connection = Conversation(say(ANN, "large", LARGE), say(BEN, "b"), say(ANN, "a"), Goodbye())
    assert connection.receive() == ["b"]
    assert connection.receive_all() == ["large", "a", "Goodbye"]


def test_bytes_released_sum_up_to_the_queued_bytes_of_all_signals() -> None:
    signals: list[Signal] = [
        *[say(Pid(n % 5 + 1), "x", n * 3000) for n in range(100)],
        Print(ANN, THERE, "line\n" * 100_000),
        Goodbye(),
    ]
    connection = Conversation(*signals)
    connection.receive_all()
    assert connection.released == sum(map(queued_bytes, signals))


def test_frames_in_flight_are_no_more_than_the_peer_reassembles() -> None:
    """The receiving stream would refuse more."""
    connection = Conversation(*[say(Pid(n), str(n), LARGE) for n in range(1, 3 * MAX_STREAMS)])
    assert sorted(map(int, connection.receive_all())) == list(range(1, 3 * MAX_STREAMS))


def test_bytes_in_flight_are_within_the_peers_budget() -> None:
    connection = Conversation(*[say(Pid(n), str(n), 60 << 20) for n in range(1, 5)], say(Pid(9), "9", 100))
    assert connection.receive() == ["9"]
    assert connection.receive_all() == ["1", "2", "3", "4"]


def test_longest_message_is_sent() -> None:
    connection = Conversation(Send(ANN, "n" * 1000, Payload(bytes(MAX_PAYLOAD_BYTES))), say(BEN, "b", LARGE))
    assert connection.receive_all() == ["b", ""]


class TestUnwrittenSignal:
    TOO_LONG = Leader(ANN, THERE, Pid(1, 0, "n" * 9000, 3))
    NO_DATA = ExitSignal(ANN, THERE, object())  # type: ignore[arg-type]

    @pytest.mark.parametrize("signal", [TOO_LONG, NO_DATA], ids=["too long", "no data"])
    def test_unwritten_signal_is_reported_and_the_others_arrive(self, signal: Signal) -> None:
        connection = Conversation(say(ANN, "a"), signal, say(ANN, "b"))
        assert connection.receive_all() == ["a", "b"]
        assert connection.released == queued_bytes(say(ANN, "a")) * 2 + queued_bytes(signal)
        (sentence,) = connection.scheduler.unwritten()
        assert sentence.startswith(f"the {type(signal).__name__} cannot be sent: ")
        assert connection.scheduler.unwritten() == []

    @pytest.mark.parametrize("signal", [TOO_LONG, NO_DATA], ids=["too long", "no data"])
    def test_unwritten_signal_behind_a_large_one_is_reported(self, signal: Signal) -> None:
        connection = Conversation(say(ANN, "large", LARGE), signal, say(ANN, "b"))
        assert connection.receive_all() == ["large", "b"]
        assert len(connection.scheduler.unwritten()) == 1
        assert connection.scheduler.is_empty


@pytest.mark.parametrize(
    ("signal", "sender"),
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
def test_sender_of_each_signal(signal: Signal, sender: object) -> None:
    assert sender_of(signal) == sender
