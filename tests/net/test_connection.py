"""connection.py: The two ends of a connection: order, back-pressure, one report of a loss, graceful close."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import pytest

from pyx.core.outbox import LOADED_BYTES, Outbox
from pyx.net import connection, stall
from pyx.net.connection import _NO_OWNER, Connection
from pyx.net.stall import Stall
from pyx.net.stream import PlainStream
from pyx.signals import SIGNAL_BYTES, Goodbye, Leader, Nodes, Payload, Ping, Pong, Send, Signal, Tick
from pyx.terms import Incarnation, Pid
from pyx.wire.frames.reassembly import ReassemblyBudget
from pyx.wire.frames.signal_stream import SignalStream
from tests.wire.samples import transmitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.net.conftest import LoopThread

GUS, BOB = Incarnation("gus@vm", 11), Incarnation("bob@vm", 22)
HANG = 30.0
Sockets = tuple[socket.socket, socket.socket]


class End:
    """One end of a connection, and the signals that it has received."""

    def __init__(
        self,
        loop_thread: LoopThread,
        connection: socket.socket,
        here: Incarnation,
        there: Incarnation,
        *,
        first: bytes = b"",
        max_payload_bytes: int = 1 << 27,
        budget: ReassemblyBudget | None = None,
    ) -> None:
        self.loop_thread = loop_thread
        self.out = Outbox(there.name)
        self.received: queue.SimpleQueue[Signal] = queue.SimpleQueue()
        self.lost: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.batches: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.unsent: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.connection = Connection(
            loop_thread.loop,
            PlainStream(connection),
            SignalStream(here, there, max_payload_bytes=max_payload_bytes, budget=budget),
            self.out,
            self,
            first=first,
        )

    def connection_lost(self, reason: str) -> None:
        self.lost.put(reason)

    def signal_not_sent(self, reason: str) -> None:
        self.unsent.put(reason)

    def signals_received(self, signals: list[Signal]) -> None:
        self.batches.put(len(signals))
        for signal in signals:
            self.received.put(signal)

    def start(self, trailing: bytes = b"") -> End:
        self.loop_thread.call(lambda: self.connection.start(trailing))
        return self

    def send(self, *signals: Signal) -> None:
        for signal in signals:
            self.out.put(signal)
        self.connection.flush()

    def receive(self, count: int) -> list[Signal]:
        return [self.received.get(timeout=HANG) for _ in range(count)]

    def loss(self) -> str:
        """Returns the reason of the loss, which is reported once."""
        reason = self.lost.get(timeout=HANG)
        self.loop_thread.settle()
        assert self.lost.empty()
        return reason


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    one, two = socket.socketpair()
    yield one, two
    one.close()
    two.close()


@pytest.fixture
def ends(loop_thread: LoopThread, sockets: Sockets) -> Iterator[tuple[End, End]]:
    gus = End(loop_thread, sockets[0], GUS, BOB).start()
    bob = End(loop_thread, sockets[1], BOB, GUS).start()
    yield gus, bob
    for end in (gus, bob):
        end.connection.close(gracefully=False)
    loop_thread.settle()


@pytest.fixture
def lone(loop_thread: LoopThread, sockets: Sockets) -> Iterator[tuple[End, socket.socket]]:
    """One end, and a bare socket in place of the other."""
    gus = End(loop_thread, sockets[0], GUS, BOB).start()
    sockets[1].settimeout(HANG)
    yield gus, sockets[1]
    gus.connection.close(gracefully=False)
    loop_thread.settle()


def payload(number: int, size: int = 8) -> Send:
    return Send(Pid(1), Pid(2, 0, *BOB), Payload(number.to_bytes(8) + bytes(size - 8)))


def number_in(signal: Signal) -> int:
    assert isinstance(signal, Send)
    return int.from_bytes(signal.body.data[:8])


class TestConnection:
    def test_connection_carries_signals_both_ways(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        gus.send(Ping(1), Tick(), Ping(2))
        assert bob.receive(3) == [Ping(1), Tick(), Ping(2)]
        bob.send(Ping(3))
        assert gus.receive(1) == [Ping(3)]

    def test_connection_sends_the_handshakes_last_bytes_first_and_reads_trailing_ones(
        self, loop_thread: LoopThread, sockets: Sockets
    ) -> None:
        gus = End(loop_thread, sockets[0], GUS, BOB, first=b"decision")
        gus.out.put(Tick())
        gus.start(trailing=b"\0\0\0\0\0\0")  # a tick, and the beginning of another
        sockets[1].settimeout(HANG)
        transmitted = b""
        while len(transmitted) < 12:
            transmitted += sockets[1].recv(100)
        assert transmitted == b"decision\0\0\0\0"
        sockets[1].send(b"\0\0")
        assert gus.receive(2) == [Tick(), Tick()]
        gus.connection.close(gracefully=False)
        gus.loss()

    def test_trailing_byte_that_breaks_the_protocol_ends_the_connection(
        self, loop_thread: LoopThread, sockets: Sockets
    ) -> None:
        gus = End(loop_thread, sockets[0], GUS, BOB).start(trailing=b"\0\0\0\1\xff")
        assert gus.loss() == "it broke the protocol: frames of kind 255 are unknown"

    def test_flush_later_sends_signals_of_many_calls_in_order(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        for number in range(1000):
            gus.out.put(payload(number))
            gus.connection.flush_later()
        assert [number_in(signal) for signal in bob.receive(1000)] == list(range(1000))

    def test_signals_beyond_the_size_of_one_flush_are_all_sent(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        gus.send(*[payload(number) for number in range(20_000)])
        assert [number_in(signal) for signal in bob.receive(20_000)] == list(range(20_000))

    def test_connection_keeps_the_order_of_each_thread(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        order = threading.Lock()  # the kernel's
        together = threading.Barrier(8)

        def write(writer: int) -> None:
            together.wait(HANG)
            for count in range(2000):
                with order:
                    gus.out.put(payload(writer << 32 | count, 8 + count % 200))
                gus.connection.flush()

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
        for thread in threads:
            thread.start()
        received = [number_in(signal) for signal in bob.receive(16_000)]
        for thread in threads:
            thread.join(HANG)
        for writer in range(8):
            assert [n & 0xFFFFFFFF for n in received if n >> 32 == writer] == list(range(2000))

    def test_large_payloads_among_small_ones_arrive_whole_and_in_order(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        sizes = [8, 3_000_000, 8, 70_000, 16_384, 16_385, 1_000_000, 8]
        gus.send(*[payload(number, size) for number, size in enumerate(sizes)])
        received = bob.receive(len(sizes))
        assert [number_in(signal) for signal in received] == list(range(len(sizes)))
        assert [len(signal.body.data) for signal in received if isinstance(signal, Send)] == sizes


class TestFullSocket:
    def test_full_socket_does_not_block_the_sender_and_loses_no_signal(
        self, lone: tuple[End, socket.socket]
    ) -> None:
        gus, reader = lone
        for number in range(100):
            gus.send(payload(number, 65_536))  # 6 MiB: far more than the kernel takes
        bob = SignalStream(BOB, GUS)
        received: list[int] = []
        while len(received) < 100:
            received += [number_in(signal) for signal in bob.receive_data(reader.recv(1 << 16))]
        assert received == list(range(100))

    def test_full_socket_keeps_the_order_of_each_writing_thread(
        self, lone: tuple[End, socket.socket]
    ) -> None:
        gus, reader = lone
        bob = SignalStream(BOB, GUS)
        received: list[int] = []
        order = threading.Lock()

        def write(writer: int) -> None:
            for count in range(300):
                with order:
                    gus.out.put(payload(writer << 32 | count, 5000))
                gus.connection.flush()

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
        for thread in threads:
            thread.start()
        while len(received) < 1200:  # a slow reader: the socket is full and writable by turns all the time
            received += [number_in(signal) for signal in bob.receive_data(reader.recv(10_000))]
        for thread in threads:
            thread.join(HANG)
        for writer in range(4):
            assert [n & 0xFFFFFFFF for n in received if n >> 32 == writer] == list(range(300))


class Slot(threading.Event):
    """The slot of a process that waits for the low-water mark of the queue."""

    wake = threading.Event.set


class TestLargeSignal:
    def test_large_signal_is_overtaken_by_small_ones_of_other_senders(
        self, lone: tuple[End, socket.socket]
    ) -> None:
        gus, reader = lone
        gus.send(payload(1, 20_000_000))  # more than the kernel takes, and more than one flush would send
        gus.send(payload(2)._replace(frm=Pid(3)), Ping(1))
        bob = SignalStream(BOB, GUS)
        received: list[Signal] = []
        while len(received) < 3:
            received += bob.receive_data(reader.recv(1 << 16))
        assert received[0] == Ping(1)
        assert [number_in(signal) for signal in received[1:]] == [2, 1]

    def test_fragment_of_a_large_signal_counts_as_received_data(
        self, lone: tuple[End, socket.socket]
    ) -> None:
        gus, other = lone
        piece, _ = SignalStream(BOB, GUS).transmit(deque([payload(1, 200_000)._replace(to="server")]))
        other.sendall(piece)
        assert gus.batches.get(timeout=HANG) == 0

    def test_unfinished_signal_releases_its_budget_when_the_connection_ends(
        self, loop_thread: LoopThread, sockets: Sockets
    ) -> None:
        budget = ReassemblyBudget(1 << 20, "all peers")
        gus = End(loop_thread, sockets[0], GUS, BOB, budget=budget).start()
        piece, _ = SignalStream(BOB, GUS).transmit(deque([payload(1, 200_000)._replace(to="server")]))
        sockets[1].sendall(piece)
        gus.batches.get(timeout=HANG)
        assert budget.taken
        sockets[1].close()
        gus.loss()
        assert budget.taken == 0


class TestQueueSize:
    def test_queue_size_returns_to_zero_when_all_signals_have_been_written(
        self, ends: tuple[End, End]
    ) -> None:
        gus, bob = ends
        gus.send(*[payload(number, 100 + number * 1000) for number in range(200)])
        bob.receive(200)
        gus.loop_thread.settle()
        assert gus.out.queued == 0
        assert gus.out.written > 199 * 100 * 1000

    def test_queue_size_is_not_reduced_by_uncounted_bytes(self, ends: tuple[End, End]) -> None:
        """With a tick every few seconds, a sender would be suspended a mebibyte too late after a day."""
        gus, bob = ends
        gus.send(Ping(1), Nodes(("c@h",)), payload(1), Tick())
        bob.receive(4)
        gus.loop_thread.settle()
        assert gus.out.queued == 0

    def test_queue_below_the_low_water_mark_wakes_its_waiters(self, lone: tuple[End, socket.socket]) -> None:
        gus, reader = lone
        gus.send(*[payload(number, 65_536) for number in range(50)])
        slot = Slot()
        gus.out.waiters.add(slot)
        while not slot.is_set():
            assert not gus.out.is_below_low_water or slot.wait(HANG)
            reader.recv(1 << 16)
        assert gus.out.is_below_low_water

    def test_late_waiter_is_woken_or_finds_the_queue_below_the_low_water_mark(
        self, lone: tuple[End, socket.socket]
    ) -> None:
        """A waiter that reads the size after it has added its slot is woken, or finds the size low enough."""
        gus, reader = lone
        reader.setblocking(False)
        for number in range(300):
            while not gus.out.is_busy:
                gus.send(payload(number, 300_000))
            slot = Slot()
            gus.out.waiters.add(slot)
            while not (gus.out.is_below_low_water or slot.is_set()):
                with contextlib.suppress(BlockingIOError):
                    reader.recv(1 << 20)
            assert slot.wait(HANG) or gus.out.is_below_low_water
            gus.out.waiters.discard(slot)


class TestPeerThatReadsNothing:
    """`test_stall.py` tests the exact time."""

    def test_peer_that_reads_nothing_is_disconnected(
        self, lone: tuple[End, socket.socket], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stall, "STALLED_SECONDS", 0.01)
        gus, _ = lone
        gus.send(*[payload(number, 65_536) for number in range(50)])
        loss = gus.loss()
        assert loss.startswith("it accepted no data for 0.01 s, ")
        assert loss.endswith(" bytes queued")

    def test_slow_reader_is_not_disconnected(self, lone: tuple[End, socket.socket]) -> None:
        gus, reader = lone
        gus.send(*[payload(number, 65_536) for number in range(50)])
        before = gus.connection._taken
        while gus.connection._taken == before:
            reader.recv(1 << 16)
            gus.loop_thread.settle()
        long_ago = Stall(before, time.monotonic() - 29.0)
        long_ago.look(before, time.monotonic() - 1.0)  # it accepted no data for 28 s
        gus.loop_thread.call(lambda: gus.connection._look(long_ago))
        assert long_ago.look(gus.connection._taken, time.monotonic() + 2.0)
        assert gus.lost.empty()

    def test_stall_timer_is_cancelled_when_the_connection_ends(self, lone: tuple[End, socket.socket]) -> None:
        gus, reader = lone
        gus.send(*[payload(number, 65_536) for number in range(50)])
        gus.loop_thread.settle()
        waiting = gus.connection._next_look
        assert waiting is not None
        reader.close()
        gus.loss()
        assert waiting.cancelled()


class TestLoss:
    def test_loss_by_the_end_of_the_stream_is_reported_once(self, lone: tuple[End, socket.socket]) -> None:
        gus, other = lone
        other.close()
        assert gus.loss() == "it closed the connection"
        gus.send(Ping(1))
        gus.connection.close(gracefully=True)
        gus.connection.close(gracefully=False)
        gus.loop_thread.settle()
        assert gus.lost.empty()

    def test_loss_by_a_reset_is_reported_once(self, lone: tuple[End, socket.socket]) -> None:
        gus, other = lone
        gus.send(Ping(1))
        other.close()  # without having read: the connection is reset
        assert gus.loss() in {"it closed the connection", "the connection broke (Connection reset by peer)"}

    def test_loss_while_the_socket_is_full_is_reported_once(self, lone: tuple[End, socket.socket]) -> None:
        gus, other = lone
        gus.send(*[payload(number, 65_536) for number in range(50)])
        other.close()
        assert gus.loss()

    def test_loss_noticed_by_writing_still_delivers_the_last_signals(
        self, lone: tuple[End, socket.socket]
    ) -> None:
        """The peer sends signals and closes, and this end notices it first by writing."""
        gus, other = lone
        blocked = threading.Event()
        gus.loop_thread.loop.call_soon_threadsafe(blocked.wait, HANG)
        other.sendall(transmitted(SignalStream(BOB, GUS), [Ping(1), Goodbye()]))
        other.close()
        gus.send(Ping(2))  # a broken pipe
        blocked.set()
        assert gus.loss()
        assert gus.receive(2) == [Ping(1), Goodbye()]

    def test_loss_by_a_protocol_error_names_the_broken_rule(self, lone: tuple[End, socket.socket]) -> None:
        gus, other = lone
        other.sendall(b"\xff\xff\xff\xff")
        assert gus.loss().startswith(
            "it broke the protocol: a frame of 4,294,967,295 bytes is over the limit"
        )
        assert other.recv(1) == b""

    def test_signal_that_cannot_be_sent_does_not_end_the_connection(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        gus.send(payload(1), Leader(Pid(1), Pid(2), Pid(3, 0, "n" * 9000, 4)), payload(2))
        assert [number_in(signal) for signal in bob.receive(2)] == [1, 2]
        assert gus.unsent.get(timeout=HANG).startswith("the Leader cannot be sent: its head is 90")
        assert gus.lost.empty()

    @pytest.mark.parametrize("fault", [RecursionError(), ValueError("of a peer's text")])
    def test_bug_in_decoding_ends_one_connection(
        self, ends: tuple[End, End], fault: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gus, bob = ends

        def fails(_: object) -> list[Signal]:
            raise fault

        monkeypatch.setattr(gus.connection._session, "receive_data", fails)
        bob.send(Ping(1))
        assert gus.loss() == f"its data cannot be decoded: {type(fault).__name__}"
        assert bob.loss() == "it closed the connection"

    def test_loss_during_writes_raises_in_no_writing_thread(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        started = threading.Barrier(5)
        errors: list[BaseException] = []

        def write() -> None:
            started.wait(HANG)
            try:
                for count in range(3000):
                    gus.send(payload(count, 100))
            except BaseException as error:
                errors.append(error)
                raise

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        started.wait(HANG)
        bob.receive(100)
        gus.connection.close(gracefully=False)
        assert gus.loss() == "it was closed by this node"
        for thread in threads:
            thread.join(HANG)
        assert errors == []
        assert bob.loss()

    def test_descriptor_reused_after_a_loss_serves_the_next_connection(self, loop_thread: LoopThread) -> None:
        """The system gives the lowest free descriptor to the next connection, which must lose nothing."""
        seen: set[int] = set()
        for round_ in range(200):
            one, two = socket.socketpair()
            seen |= {one.fileno(), two.fileno()}
            gus = End(loop_thread, one, GUS, BOB).start()
            bob = End(loop_thread, two, BOB, GUS).start()
            gus.send(*[payload(number, 3000) for number in range(3)])
            assert [number_in(signal) for signal in bob.receive(3)] == [0, 1, 2]
            (gus if round_ % 2 else bob).connection.close(gracefully=False)
            assert gus.loss()
            assert bob.loss()
        assert len(seen) < 40


class TestGracefulClose:
    def test_graceful_close_delivers_queued_signals_first(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        for number in range(100):
            gus.out.put(payload(number, 50_000))
        gus.out.put(Goodbye())
        gus.connection.close(gracefully=True)
        received = bob.receive(101)
        assert [number_in(signal) for signal in received[:100]] == list(range(100))
        assert received[100] == Goodbye()
        assert bob.loss() == "it closed the connection"
        assert gus.loss() == "it was closed by this node"

    def test_graceful_close_at_both_ends_at_once_delivers_both_ends_signals(
        self, ends: tuple[End, End]
    ) -> None:
        for end in ends:
            end.send(Ping(1), Goodbye())
        for end in ends:
            end.connection.close(gracefully=True)
        for end in ends:
            assert end.receive(2) == [Ping(1), Goodbye()]
            assert end.loss() in {"it was closed by this node", "it closed the connection"}

    def test_graceful_close_of_an_idle_connection_ends_at_once(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        gus.connection.close(gracefully=True)
        assert bob.loss() == "it closed the connection"
        assert gus.loss() == "it was closed by this node"

    def test_graceful_close_gives_up_when_the_peer_reads_nothing(
        self, lone: tuple[End, socket.socket], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "_LINGER_SECONDS", 0.01)
        gus, _ = lone  # which reads nothing
        gus.send(*[payload(number, 65_536) for number in range(50)])
        gus.connection.close(gracefully=True)
        assert gus.loss() == "it was closed by this node"
        assert gus.connection.unsent_bytes > 2_000_000

    def test_graceful_close_waits_while_the_peer_still_reads(
        self, loop_thread: LoopThread, lone: tuple[End, socket.socket]
    ) -> None:
        gus, bob = lone
        gus.send(*[payload(number, 65_536) for number in range(50)], Goodbye())
        gus.connection.close(gracefully=True)
        loop_thread.settle()
        before = gus.connection.taken
        bob.settimeout(HANG)
        while gus.connection.taken == before:
            bob.recv(65_536)
        loop_thread.call(lambda: gus.connection._linger_on(before))
        loop_thread.settle()
        assert gus.lost.empty()
        while bob.recv(65_536):
            pass
        assert gus.connection.unsent_bytes == 0
        loop_thread.call(lambda: gus.connection._linger_on(gus.connection.taken))
        assert gus.loss() == "it was closed by this node"


def test_flush_after_the_loop_is_closed_is_ignored(sockets: Sockets) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    stream, signal_stream = PlainStream(sockets[0]), SignalStream(GUS, BOB)
    out = Outbox(BOB.name)
    out.put(payload(1, 5_000_000))
    connection = Connection(loop, stream, signal_stream, out, _NO_OWNER)
    connection.flush_later()
    connection.flush()
    connection.close(gracefully=True)
    connection.close(gracefully=False)


OVERLOADED = 2 * LOADED_BYTES
"""A lower limit, which makes these tests shorter."""


class Answering(End):
    """An end that answers each ping at once, as a kernel does."""

    def signals_received(self, signals: list[Signal]) -> None:
        super().signals_received(signals)
        self.largest_load = max(self.out.load, getattr(self, "largest_load", 0))
        self.send(*(Pong(signal.number) for signal in signals if isinstance(signal, Ping)))


class TestLoadedPeer:
    """It sends many requests and reads few of the answers."""

    PING = transmitted(SignalStream(BOB, GUS), [Ping(1)])

    @pytest.fixture
    def asked(
        self, loop_thread: LoopThread, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[tuple[Answering, socket.socket]]:
        monkeypatch.setattr(connection, "OVERLOADED_BYTES", OVERLOADED)
        gus = Answering(loop_thread, sockets[0], GUS, BOB)
        gus.start()
        sockets[1].setblocking(False)
        yield gus, sockets[1]
        gus.connection.close(gracefully=False)
        loop_thread.settle()

    def ask(self, bob: socket.socket) -> int:
        """Sends pings until the socket is full; returns the number of bytes."""
        total = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                total += bob.send(self.PING * 1000)
        return total

    def test_loaded_peer_is_not_read_beyond_a_limit_and_loses_no_answer(
        self, asked: tuple[Answering, socket.socket]
    ) -> None:
        gus, bob = asked
        total = 0
        while gus.out.load < OVERLOADED:
            total += self.ask(bob)
        assert gus.largest_load < OVERLOADED + SIGNAL_BYTES * 128 * 1024 / len(self.PING)
        assert gus.lost.empty()
        bob.setblocking(True)
        rest = -total % len(self.PING)  # the last one was cut
        listening = threading.Thread(target=bob.sendall, args=(self.PING[len(self.PING) - rest :],))
        listening.start()
        answers = SignalStream(BOB, GUS)
        received = 0
        while received < (total + rest) // len(self.PING):
            received += len(answers.receive_data(bob.recv(1 << 20)))
        listening.join(HANG)
        assert received == (total + rest) // len(self.PING)

    def test_loaded_peer_counts_as_alive_while_it_reads(
        self, lone: tuple[End, socket.socket], loop_thread: LoopThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "OVERLOADED_BYTES", 0)  # nothing is read at all
        gus, bob = lone

        def asked() -> None:
            gus.out.put(payload(1, 8 * LOADED_BYTES))
            gus.out.charge((0, 0))

        loop_thread.call(asked)
        bob.sendall(self.PING)
        assert gus.batches.get(timeout=HANG) == 1
        gus.connection.flush()
        for _ in range(3):
            taken = gus.connection._taken
            while gus.connection._taken == taken:
                bob.recv(1 << 16)
            assert gus.batches.get(timeout=HANG) == 0
        assert gus.lost.empty()

    def test_two_loaded_peers_answer_each_other_completely(
        self, loop_thread: LoopThread, sockets: Sockets
    ) -> None:
        """Each sends more requests than the other reads before its own answers are written."""
        ends = [
            Answering(loop_thread, sockets[0], GUS, BOB),
            Answering(loop_thread, sockets[1], BOB, GUS),
        ]
        for end in ends:
            for number in range(30_000):
                end.out.put(Ping(number))
        for end in ends:
            end.start()
        for end in ends:
            received = [signal for signal in end.receive(60_000) if isinstance(signal, Pong)]
            assert received == [Pong(number) for number in range(30_000)]
            assert end.lost.empty()
        for end in ends:
            end.connection.close(gracefully=False)
        loop_thread.settle()


class TestHeldConnection:
    def test_held_connection_passes_nothing_and_loses_nothing(
        self, loop_thread: LoopThread, ends: tuple[End, End]
    ) -> None:
        gus, bob = ends
        gus.send(payload(1))
        assert [number_in(signal) for signal in bob.receive(1)] == [1]
        loop_thread.call(bob.connection.hold)
        loop_thread.call(bob.connection.hold)
        gus.send(payload(2))
        bob.send(Send(None, Pid(2, 0, *GUS), payload(9).body))
        loop_thread.settle()
        assert bob.received.empty()
        assert gus.received.empty()
        loop_thread.call(bob.connection.release)
        loop_thread.call(bob.connection.release)
        gus.send(payload(3))
        assert [number_in(signal) for signal in bob.receive(2)] == [2, 3]
        assert [number_in(signal) for signal in gus.receive(1)] == [9]

    def test_held_connection_notices_the_peers_end_after_its_release(
        self, loop_thread: LoopThread, ends: tuple[End, End]
    ) -> None:
        gus, bob = ends
        loop_thread.call(gus.connection.hold)
        bob.connection.close(gracefully=False)
        bob.loss()
        assert gus.lost.empty()
        loop_thread.call(gus.connection.release)
        assert gus.loss() == "it closed the connection"

    def test_held_connection_can_be_closed(self, loop_thread: LoopThread, ends: tuple[End, End]) -> None:
        gus, bob = ends
        loop_thread.call(gus.connection.hold)
        gus.connection.close(gracefully=False)
        assert gus.loss() == "it was closed by this node"
        assert bob.loss() == "it closed the connection"
        loop_thread.call(gus.connection.release)
