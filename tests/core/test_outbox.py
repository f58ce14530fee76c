"""outbox.py: the size of the queue of a peer, its marks, and the load of the peer."""

from __future__ import annotations

import pytest

from pyx.core.effects import Inquire, Resume, Suspend
from pyx.core.outbox import HIGH_WATER_BYTES, LOW_WATER_BYTES, Outbox
from pyx.signals import (
    SIGNAL_BYTES,
    Ask,
    Down,
    Monitor,
    Nodes,
    Payload,
    Ping,
    Pong,
    Print,
    Send,
    Signal,
    Tick,
    UnlinkAck,
    queued_bytes,
)
from pyx.terms import Pid, Ref
from tests.core.conversation import World


def a_message(size: int) -> Send:
    return Send(Pid(1), "server", Payload(bytes(size)))


def test_queued_is_the_difference_of_enqueued_and_written() -> None:
    outbox = Outbox("b@h")
    assert not outbox.put(a_message(1000))
    assert list(outbox) == [a_message(1000)]
    assert outbox.queued == queued_bytes(a_message(1000)) > 1000
    outbox.written += outbox.queued
    assert outbox.queued == 0


def test_put_asks_the_sender_to_wait_from_a_mebibyte_on() -> None:
    outbox = Outbox("b@h")
    message = a_message(1000)
    while not outbox.put(message):
        assert not outbox.is_busy
    assert outbox.is_busy
    assert HIGH_WATER_BYTES <= outbox.queued < HIGH_WATER_BYTES + queued_bytes(message)


def test_low_water_mark_is_half_of_the_high() -> None:
    outbox = Outbox("b@h")
    outbox.put(a_message(HIGH_WATER_BYTES))
    outbox.written = outbox.queued - LOW_WATER_BYTES - 1
    assert not outbox.is_busy
    assert not outbox.is_below_low_water
    outbox.written += 1
    assert outbox.is_below_low_water


def test_closed_outbox_keeps_no_sender_waiting() -> None:
    outbox = Outbox("b@h")
    outbox.put(a_message(HIGH_WATER_BYTES))
    outbox.closed = True
    assert outbox.is_below_low_water
    assert not outbox.is_busy


@pytest.mark.parametrize("signal", [Tick(), Ping(1), Pong(1), Nodes(("c@h",))])
def test_node_signals_pass_all_others_and_are_not_counted(signal: Signal) -> None:
    outbox = Outbox("b@h")
    outbox.put(a_message(10))
    queued = outbox.queued
    outbox.put(signal)
    assert list(outbox.first) == [signal]
    assert outbox.queued == queued


def test_text_of_a_signal_is_counted() -> None:
    outbox = Outbox("b@h")
    assert outbox.put(Print(Pid(1), Pid(2, 0, "b@h", 1), "x" * HIGH_WATER_BYTES))


class TestBusyPeer:
    def test_suspends_its_senders(self) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        a = world["a@h"]
        sender = a.process()
        a.router.send(sender.pid, ("server", "b@h"), Payload(bytes(HIGH_WATER_BYTES // 2)))
        assert a.saw(Suspend) == []
        a.router.send(sender.pid, ("server", "b@h"), Payload(bytes(HIGH_WATER_BYTES // 2)))
        assert a.saw(Suspend) == [Suspend(a.peer("b@h").out)]

    def test_suspends_its_senders_while_it_is_being_dialled(self) -> None:
        a = World("a@h")["a@h"]
        a.router.send(None, ("server", "b@h"), Payload(bytes(HIGH_WATER_BYTES)))
        queue = a.peer("b@h").out
        assert a.saw(Suspend) == [Suspend(queue)]
        a.sessions.dial_failed("b@h", "nobody", 0.0)
        assert a.saw(Resume) == [Resume(queue)]
        assert queue.is_below_low_water

    def test_resumes_its_senders_when_its_session_is_lost(self) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        a = world["a@h"]
        queue = a.peer("b@h").out
        a.router.send(None, ("server", "b@h"), Payload(bytes(HIGH_WATER_BYTES)))
        world.cut("a@h", "b@h")
        assert a.saw(Resume) == [Resume(queue)]
        assert queue.is_below_low_water


class TestLoadOfAPeer:
    def test_load_of_a_peer_is_what_its_signals_have_queued(self) -> None:
        outbox = Outbox("b@h")
        outbox.put(a_message(1000))
        mark = outbox.mark()
        outbox.put(UnlinkAck(Pid(1), Pid(2, 0, "b@h", 1), 1))
        outbox.charge(mark)
        outbox.put(a_message(1000))
        assert outbox.load == SIGNAL_BYTES
        assert outbox.queued > 2000

    def test_load_of_a_peer_is_released_when_its_answers_have_been_sent(self) -> None:
        outbox = Outbox("b@h")
        outbox.put(a_message(1000))
        mark = outbox.mark()
        outbox.put(UnlinkAck(Pid(1), Pid(2, 0, "b@h", 1), 1))
        outbox.charge(mark)
        outbox.written += queued_bytes(a_message(1000))
        assert outbox.load == SIGNAL_BYTES
        outbox.written += SIGNAL_BYTES
        assert outbox.load == 0

    def test_load_of_a_peer_includes_pongs(self) -> None:
        outbox = Outbox("b@h")
        outbox.put(Pong(1))
        outbox.put(Pong(2))
        assert outbox.load == 2 * SIGNAL_BYTES
        outbox.first.clear()
        assert outbox.load == 0

    def test_load_of_a_peer_is_counted_once_if_a_part_was_counted_before(self) -> None:
        outbox = Outbox("b@h")
        mark = outbox.mark()
        outbox.put(a_message(100))
        part = outbox.mark()
        outbox.put(a_message(100))
        outbox.charge(part)
        outbox.put(a_message(100))
        outbox.charge(mark)
        assert outbox.load == outbox.queued == 3 * queued_bytes(a_message(100))
        outbox.written = outbox.enqueued
        assert outbox.load == 0

    def test_load_of_a_peer_is_counted_for_that_peer_alone(self) -> None:
        world = World("a@h", "b@h", "c@h")
        world.connect("a@h", "b@h", "c@h")
        b = world["b@h"]
        asker, dead = Pid(1, 0, "a@h", world["a@h"].tables.creation), Pid(99)
        asked = [Monitor(asker, dead, Ref(n, "a@h", asker.creation)) for n in range(1, 4)]
        b.signals_received(b.peer("a@h"), asked, world.now)
        assert b.peer("a@h").out.load == b.peer("a@h").out.queued > 0
        assert b.peer("c@h").out.load == 0
        world.carry()
        assert b.peer("a@h").out.load == 0

    def test_load_of_a_peer_includes_answers_behind_exit_notices(self) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        b = world["b@h"]
        b.tables.exit_notices.portion = 10
        out = b.peer("a@h").out
        asker, dead = Pid(1, 0, "a@h", world["a@h"].tables.creation), Pid(99)
        asked = [Monitor(asker, dead, Ref(n, "a@h", asker.creation)) for n in range(1, 101)]
        b.signals_received(b.peer("a@h"), asked, world.now)
        answer = Down(asker, Ref(1, "a@h", asker.creation), dead, "noproc")
        assert len(out) < 100
        assert out.load == 100 * queued_bytes(answer)
        while b.tables.exit_notices:
            b.continue_exits()
            assert out.load == 100 * queued_bytes(answer)
        assert out.queued == out.load
        world.carry()
        assert (out.queued, out.load, out.promised) == (0, 0, 0)

    def test_load_of_a_peer_includes_answers_to_its_questions(self) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        b = world["b@h"]
        out = b.peer("a@h").out
        asker = Pid(1, 0, "a@h", world["a@h"].tables.creation)
        b.signals_received(b.peer("a@h"), [Ask(asker, 7, "info", Payload(b"x"))], world.now)
        (question,) = b.saw(Inquire)
        assert out.load == 0
        b.requests.answer(question, Payload(bytes(1000)))
        assert out.load == out.queued > 1000
