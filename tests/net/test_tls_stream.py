"""tls_stream.py: A stream over TLS and real sockets: sent bytes arrive at the other end, however few of
them the kernel accepts at a time.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import queue
import select
import socket
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, NoReturn

import pytest

from pyx.core.outbox import Outbox
from pyx.errors import ProtocolError
from pyx.net.certificate import listening_context, make_certificate
from pyx.net.connection import Connection
from pyx.net.stream import BUFFER_BYTES
from pyx.net.tls_stream import MAX_COMPUTED_AT_ONCE, TlsHandshakeStream, TlsStream, handshake_limit
from pyx.signals import Payload, Send, Signal
from pyx.terms import Incarnation, Pid
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.handshake.events import Authenticated, Established, NeedKey, Transmit
from pyx.wire.handshake.hello import acceptor_hello, dialler_hello
from pyx.wire.handshake.machine import Acceptor, Dialler
from pyx.wire.handshake.tls import TlsMachine, dialling_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from tests.net.conftest import LoopThread

GUS, BOB = Incarnation("gus@vm", 11), Incarnation("bob@vm", 22)
HANG = 30.0
CERTIFICATE = make_certificate()


def sockets() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection, non-blocking."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        a = socket.create_connection(listening.getsockname())
        b, _ = listening.accept()
    a.setblocking(False)
    b.setblocking(False)
    return a, b


def machines(context: ssl.SSLContext | None = None) -> tuple[TlsMachine, TlsMachine]:
    return TlsMachine(context or dialling_context()), TlsMachine(
        listening_context(CERTIFICATE), certificate_sha256=CERTIFICATE.sha256
    )


@pytest.fixture
def streams() -> Iterator[tuple[TlsStream, TlsStream]]:
    """Two ends of a TCP connection inside TLS."""
    a, b = sockets()
    tls_a, tls_b = machines()

    async def main() -> None:
        channels = await asyncio.gather(
            TlsHandshakeStream(a, tls_a).open_channel(), TlsHandshakeStream(b, tls_b).open_channel()
        )
        assert set(channels) == {b"tls" + CERTIFICATE.sha256}

    asyncio.run(main())
    one, other = TlsStream(a, tls_a), TlsStream(b, tls_b)
    yield one, other
    one.close()
    other.close()


def receive(stream: TlsStream, buffer: memoryview) -> bytes:
    """Returns the next bytes, once some have arrived."""
    while True:
        try:
            return bytes(buffer[: stream.receive_into(buffer)])
        except BlockingIOError:
            select.select([stream.fileno()], [], [])


def receive_all(stream: TlsStream, size: int, buffer_bytes: int = 128 * 1024) -> bytes:
    """Returns the next *size* bytes."""
    buffer = memoryview(bytearray(buffer_bytes))
    got = bytearray()
    while len(got) < size:
        more = receive(stream, buffer)
        assert more
        got += more
    return bytes(got)


def send_all(stream: TlsStream, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[stream.send(rest) :]
        except BlockingIOError:
            select.select([], [stream.fileno()], [])


def send_for_ever(stream: TlsStream) -> NoReturn:
    while True:
        send_all(stream, b"is there a reader?")


def in_a_thread(step: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=step)
    thread.start()
    return thread


def noise(size: int) -> bytes:
    """Returns bytes in which no two pieces are equal."""
    return b"".join(hashlib.sha256(at.to_bytes(4)).digest() for at in range(size // 32))


def test_both_kernel_buffers_are_set(streams: tuple[TlsStream, TlsStream]) -> None:
    stream = streams[0]._socket
    with socket.socket(stream.family, stream.type) as requested:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            unrequested = requested.getsockopt(socket.SOL_SOCKET, option)
            requested.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
            found = stream.getsockopt(socket.SOL_SOCKET, option)
            assert unrequested != found == requested.getsockopt(socket.SOL_SOCKET, option)


class TestSending:
    def test_tls_stream_carries_bytes_both_ways(self, streams: tuple[TlsStream, TlsStream]) -> None:
        a, b = streams
        assert a.send(b"ping") == 4
        assert receive_all(b, 4) == b"ping"
        assert b.send(memoryview(b"pong")) == 4
        assert receive_all(a, 4) == b"pong"

    def test_send_of_a_large_payload_takes_its_first_64_kib(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        payload = noise(100_000)
        assert a.send(payload) == 64 * 1024
        assert receive_all(b, 64 * 1024) == payload[: 64 * 1024]

    @pytest.mark.parametrize("buffer_bytes", [128 * 1024, 32 * 1024, 1000])
    def test_megabytes_arrive_through_buffers_of_any_size(
        self, streams: tuple[TlsStream, TlsStream], buffer_bytes: int
    ) -> None:
        a, b = streams
        payload = noise(4_000_000)
        sender = in_a_thread(lambda: send_all(a, payload))
        assert receive_all(b, len(payload), buffer_bytes) == payload
        sender.join()

    def test_tls_stream_carries_megabytes_both_ways_at_once(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        payload, answer = noise(8_000_000), noise(8_000_000)[::-1]
        at_b: list[bytes] = []
        threads = [
            in_a_thread(lambda: send_all(a, payload)),
            in_a_thread(lambda: send_all(b, answer)),
            in_a_thread(lambda: at_b.append(receive_all(b, len(payload)))),
        ]
        assert receive_all(a, len(answer)) == answer
        for thread in threads:
            thread.join()
        assert at_b == [payload]


def fill(stream: TlsStream, piece: bytes) -> int:
    """Sends *piece* until the kernel accepts no more; returns the number of sent pieces."""
    times = 0
    while True:
        try:
            assert stream.send(piece) == len(piece)
        except BlockingIOError:
            return times
        times += 1


class TestFullSocket:
    def test_bytes_count_as_sent_when_the_last_of_them_has_been_written(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        piece = noise(50_016)
        taken = fill(a, piece)
        assert a._encoded  # a part of the next piece is not written yet
        got = receive_all(b, taken * len(piece))
        # The same bytes again, as a connection sends them: they are not written twice.
        select.select([], [a.fileno()], [])
        assert a.send(piece) == len(piece)
        assert not a._encoded
        got += receive_all(b, (taken + 1) * len(piece) - len(got))
        assert got == piece * (taken + 1)

    def test_piece_in_flight_may_be_sent_again_with_more_behind_it(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        piece = noise(3200)
        taken = fill(a, piece)
        got = receive_all(b, taken * len(piece))
        select.select([], [a.fileno()], [])
        assert a.send(piece + b"and more") == len(piece)
        got += receive_all(b, (taken + 1) * len(piece) - len(got))
        assert got == piece * (taken + 1)

    def test_receiving_goes_on_while_the_socket_is_full(self, streams: tuple[TlsStream, TlsStream]) -> None:
        a, b = streams
        fill(a, noise(64_000))
        assert b.send(b"slow data") == 9
        assert receive_all(a, 9) == b"slow data"


class TestReading:
    def test_read_without_data_raises_blocking_io_error(self, streams: tuple[TlsStream, TlsStream]) -> None:
        _, b = streams
        with pytest.raises(BlockingIOError):
            b.receive_into(memoryview(bytearray(100)))

    def test_half_a_record_raises_blocking_io_error(self, streams: tuple[TlsStream, TlsStream]) -> None:
        a, b = streams
        a._machine.write(b"hello")
        data = a._machine.data_to_send()
        a._socket.send(data[:9])
        select.select([b.fileno()], [], [])
        with pytest.raises(BlockingIOError):
            b.receive_into(memoryview(bytearray(100)))
        a._socket.send(data[9:])
        assert receive_all(b, 5) == b"hello"

    def test_one_read_for_each_event_misses_nothing(self, streams: tuple[TlsStream, TlsStream]) -> None:
        # Whenever the socket is not readable, all received bytes have been returned.
        a, b = streams
        buffer = memoryview(bytearray(32 * 1024))
        sent: deque[bytes] = deque(noise(32 * size) for size in range(1, 2000, 37))
        everything = b"".join(sent)
        got = bytearray()
        while sent:
            payload = sent.popleft()
            send_all(a, payload)
            while select.select([b.fileno()], [], [], 0)[0]:
                try:
                    got += buffer[: b.receive_into(buffer)]
                except BlockingIOError:
                    continue
        while len(got) < len(everything):
            select.select([b.fileno()], [], [])
            got += buffer[: b.receive_into(buffer)]
        assert got == everything


class TestEnding:
    def test_end_of_writing_arrives_after_the_sent_bytes(self, streams: tuple[TlsStream, TlsStream]) -> None:
        a, b = streams
        a.send(b"goodbye")
        a.end_writing()
        assert receive_all(b, 7) == b"goodbye"
        buffer = memoryview(bytearray(100))
        assert receive(b, buffer) == b""
        assert b.receive_into(buffer) == 0

    def test_data_in_flight_to_an_end_that_has_ended_writing_arrives(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        payload = noise(200_000)
        sender = in_a_thread(lambda: send_all(b, payload))
        a.end_writing()
        assert receive_all(a, len(payload)) == payload
        sender.join()
        b.end_writing()
        assert receive(a, memoryview(bytearray(100))) == b""

    def test_crash_of_the_peer_is_distinguished_from_its_close(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        a.send(b"I am")
        a.close()
        assert receive_all(b, 4) == b"I am"
        with pytest.raises(ConnectionError, match=r"^it hung up without closing TLS$"):
            receive(b, memoryview(bytearray(100)))

    def test_damaged_tls_record_is_a_connection_error(self, streams: tuple[TlsStream, TlsStream]) -> None:
        a, b = streams
        a._socket.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises(ConnectionError, match=r"^a TLS record was damaged on the way$"):
            receive(b, memoryview(bytearray(100)))

    def test_end_writing_on_a_broken_connection_does_not_raise(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        b.close()
        with pytest.raises(ConnectionError):
            send_for_ever(a)
        a.end_writing()

    def test_end_writing_on_a_full_socket_ends_the_connection(
        self, streams: tuple[TlsStream, TlsStream]
    ) -> None:
        a, b = streams
        taken = fill(a, noise(64_000))
        a.end_writing()
        receive_all(b, taken * 64_000)
        with pytest.raises(ConnectionError, match="without closing TLS"):
            receive_all(b, 64_000 * 2)


class End:
    """One end of a connection over TLS, and the signals that it has received."""

    def __init__(
        self, loop_thread: LoopThread, stream: TlsStream, here: Incarnation, there: Incarnation
    ) -> None:
        self.out = Outbox(there.name)
        self.received: queue.SimpleQueue[Signal] = queue.SimpleQueue()
        self.lost: queue.SimpleQueue[str] = queue.SimpleQueue()
        signal_stream = SignalStream(here, there)
        self.connection = Connection(loop_thread.loop, stream, signal_stream, self.out, self)
        loop_thread.call(self.connection.start)

    def signals_received(self, signals: list[Signal]) -> None:
        for signal in signals:
            self.received.put(signal)

    def connection_lost(self, reason: str) -> None:
        self.lost.put(reason)

    def signal_not_sent(self, reason: str) -> None:
        raise AssertionError(reason)

    def send(self, signal: Signal) -> None:
        self.out.put(signal)
        self.connection.flush()

    def receive(self) -> Signal:
        return self.received.get(timeout=HANG)


@pytest.fixture
def ends(loop_thread: LoopThread, streams: tuple[TlsStream, TlsStream]) -> Iterator[tuple[End, End]]:
    gus, bob = End(loop_thread, streams[0], GUS, BOB), End(loop_thread, streams[1], BOB, GUS)
    yield gus, bob
    for end in (gus, bob):
        end.connection.close(gracefully=False)
    loop_thread.settle()


def payload(frm: int, number: int, size: int) -> Send:
    return Send(Pid(frm), "server", Payload(number.to_bytes(4) + bytes(size)))


class TestConnectionOverTls:
    """`Connection` over TLS, which it does not know of, must not lose a byte or a wake-up."""

    def test_payloads_of_several_threads_arrive_in_order_both_ways(self, ends: tuple[End, End]) -> None:
        sizes = (10, 70_000, 3, 16_384, 1_000_000, 0, 64 * 1024)

        def write(end: End, frm: int) -> None:
            for number in range(70):
                end.send(payload(frm, number, sizes[(number + frm) % len(sizes)]))

        writers = [in_a_thread(functools.partial(write, end, frm)) for end in ends for frm in (1, 2, 3)]
        for end in ends:
            received: dict[int, list[int]] = {1: [], 2: [], 3: []}
            for _ in range(210):
                signal = end.receive()
                assert isinstance(signal, Send)
                assert signal.frm is not None
                number = int.from_bytes(signal.body.data[:4])
                assert len(signal.body.data) == 4 + sizes[(number + signal.frm.number) % len(sizes)]
                received[signal.frm.number].append(number)
            assert list(received.values()) == [list(range(70))] * 3
        for writer in writers:
            writer.join()

    def test_last_signal_after_a_full_socket_arrives(
        self, loop_thread: LoopThread, ends: tuple[End, End]
    ) -> None:
        # Its last record is encrypted while the socket is full, and nothing comes after it: the connection
        # has to go on waiting until the socket is writable.
        gus, bob = ends
        loop_thread.call(lambda: bob.connection._loop.remove_reader(bob.connection._descriptor))
        sent = 0
        while not gus.connection._full:
            gus.send(payload(1, sent, 60_000))
            sent += 1
        assert not gus.out
        loop_thread.call(
            lambda: bob.connection._loop.add_reader(bob.connection._descriptor, bob.connection._readable)
        )
        for number in range(sent):
            assert bob.receive() == Send(
                Pid(1, 0, *GUS), "server", Payload(number.to_bytes(4) + bytes(60_000), GUS)
            )

    def test_graceful_close_delivers_queued_signals_first(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        for number in range(40):
            gus.send(payload(1, number, 50_000))
        gus.connection.close(gracefully=True)
        for _ in range(40):
            bob.receive()
        assert bob.lost.get(timeout=HANG) == "it closed the connection"
        assert gus.lost.get(timeout=HANG)

    def test_abrupt_close_is_reported_as_a_broken_connection(self, ends: tuple[End, End]) -> None:
        gus, bob = ends
        gus.connection.close(gracefully=False)
        assert bob.lost.get(timeout=HANG) == "the connection broke (it hung up without closing TLS)"


class TestHandshakeStream:
    def test_handshake_frames_pass_before_the_stream(self) -> None:
        a, b = sockets()
        tls_a, tls_b = machines()

        async def dial() -> None:
            handshake = TlsHandshakeStream(a, tls_a)
            await handshake.open_channel()
            await handshake.send_all(b"a hello")
            assert await handshake.receive() == b"b"
            tls_a.finish()
            await handshake.send_all(b"")

        async def accept() -> None:
            handshake = TlsHandshakeStream(b, tls_b)
            await handshake.open_channel()
            assert await handshake.receive() == b"a hello"
            await handshake.send_all(b"b")
            assert await handshake.receive() == b""

        async def main() -> None:
            await asyncio.gather(dial(), accept())

        with a, b:
            asyncio.run(main())

    @pytest.mark.parametrize("sent", [None, b"nonsense of connections"])
    def test_eight_handshakes_are_computed_in_one_loop_iteration(self, sent: bytes | None) -> None:
        """The limit holds for any number of connections and any data, and each is computed in the end."""
        pairs = [sockets() for _ in range(30)]
        for connection, _ in pairs:
            connection.sendall(sent or machines()[0].data_to_send())
        computed: Counter[int] = Counter()
        iteration = 0
        all_computed = asyncio.Event()

        class Counted(TlsMachine):
            def receive_data(self, data: bytes | memoryview) -> None:
                computed[iteration] += 1
                if computed.total() == len(pairs):
                    all_computed.set()
                super().receive_data(data)

        async def count() -> None:
            nonlocal iteration
            while True:
                await asyncio.sleep(0)
                iteration += 1

        async def main() -> None:
            limit, context = handshake_limit(), listening_context(CERTIFICATE)
            handshakes = [
                TlsHandshakeStream(here, Counted(context, certificate_sha256=CERTIFICATE.sha256), limit)
                for _, here in pairs
            ]
            counting = asyncio.create_task(count())
            handshaking = [asyncio.create_task(handshake.open_channel()) for handshake in handshakes]
            await all_computed.wait()
            for task in (*handshaking, counting):
                task.cancel()
            await asyncio.gather(*handshaking, counting, return_exceptions=True)

        asyncio.run(main())
        assert max(computed.values()) == MAX_COMPUTED_AT_ONCE
        for pair in pairs:
            for end in pair:
                end.close()

    def test_silent_peer_delays_no_other_handshake(self) -> None:
        pairs = [sockets() for _ in range(2 * MAX_COMPUTED_AT_ONCE)]
        a, b = sockets()
        tls_a, tls_b = machines()

        async def main() -> None:
            limit = handshake_limit()
            silent = [
                asyncio.create_task(TlsHandshakeStream(here, machines()[1], limit).open_channel())
                for _, here in pairs
            ]
            await asyncio.sleep(0)
            async with asyncio.timeout(HANG):
                await asyncio.gather(
                    TlsHandshakeStream(a, tls_a, limit).open_channel(),
                    TlsHandshakeStream(b, tls_b, limit).open_channel(),
                )
            for task in silent:
                task.cancel()
            await asyncio.gather(*silent, return_exceptions=True)

        asyncio.run(main())
        for pair in ((a, b), *pairs):
            for end in pair:
                end.close()

    def test_bytes_received_with_the_end_of_the_handshake_are_passed_on(self) -> None:
        a, b = sockets()
        tls_a, tls_b = machines()
        # The dialler does not wait: its last flight and its first bytes arrive together.
        a.sendall(tls_a.data_to_send())
        select.select([b.fileno()], [], [])
        tls_b.receive_data(b.recv(4096))
        tls_a.receive_data(tls_b.data_to_send())
        tls_a.write(b"first words")
        a.sendall(tls_a.data_to_send())
        select.select([b.fileno()], [], [])

        async def main() -> None:
            handshake = TlsHandshakeStream(b, tls_b)
            await handshake.open_channel()
            stream, trailing = handshake.stream()
            assert trailing == b"first words"
            with pytest.raises(BlockingIOError):
                stream.receive_into(memoryview(bytearray(100)))

        with a, b:
            asyncio.run(main())

    def test_tls_handshake_proof_and_signals_share_one_connection(self, loop_thread: LoopThread) -> None:
        a, b = sockets()
        tls_a, tls_b = machines()

        async def prove(handshake: TlsHandshakeStream, machine: Dialler | Acceptor) -> Established:
            while True:
                events = machine.events()
                for event in events:
                    match event:
                        case Transmit(data):
                            await handshake.send_all(data)
                        case NeedKey():
                            machine.key_chosen(b"one key for both".ljust(32))
                        case Authenticated():
                            assert isinstance(machine, Acceptor)
                            machine.decide("ok")
                            decision, established = machine.events()
                            assert isinstance(decision, Transmit)
                            await handshake.send_all(decision.data)
                            assert isinstance(established, Established)
                            return established
                        case Established():
                            return event
                        case other:
                            pytest.fail(f"no session: {other}")
                if not events:
                    machine.receive_data(await handshake.receive())

        async def dial() -> tuple[Established, TlsStream, bytes]:
            handshake = TlsHandshakeStream(a, tls_a)
            hello = dialler_hello(GUS, BOB.name, b"a" * 32, hidden=False)
            machine = Dialler(hello, await handshake.open_channel())
            established = await prove(handshake, machine)
            stream, trailing = handshake.stream()
            return established, stream, machine.trailing_data + trailing

        async def accept() -> tuple[Established, TlsStream, bytes]:
            handshake = TlsHandshakeStream(b, tls_b)
            machine = Acceptor(acceptor_hello(BOB, b"b" * 32, hidden=False), await handshake.open_channel())
            established = await prove(handshake, machine)
            stream, trailing = handshake.stream()
            return established, stream, machine.trailing_data + trailing

        async def both() -> list[tuple[Established, TlsStream, bytes]]:
            return list(await asyncio.gather(dial(), accept()))

        at_gus, at_bob = loop_thread.run(both())
        assert at_gus[0] == Established(*BOB, hidden=False)
        assert at_bob[0] == Established(*GUS, hidden=False)
        assert at_gus[2] == at_bob[2] == b""
        gus, bob = End(loop_thread, at_gus[1], GUS, BOB), End(loop_thread, at_bob[1], BOB, GUS)
        gus.send(Send(None, "server", Payload(b"hello")))
        assert bob.receive() == Send(None, "server", Payload(b"hello", GUS))
        gus.connection.close(gracefully=False)
        bob.connection.close(gracefully=False)
        loop_thread.settle()

    def test_peer_with_older_tls_is_refused_at_both_ends(self) -> None:
        a, b = sockets()
        old = dialling_context()
        old.minimum_version = old.maximum_version = type(old.maximum_version).TLSv1_2
        tls_a, tls_b = machines(old)

        async def main() -> None:
            outcomes = await asyncio.gather(
                TlsHandshakeStream(a, tls_a).open_channel(),
                TlsHandshakeStream(b, tls_b).open_channel(),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [ProtocolError] * 2
            assert [str(outcome) for outcome in outcomes] == ["it does not speak TLS 1.3"] * 2

        with a, b:
            asyncio.run(main())

    def test_peer_that_closes_during_tls_is_a_protocol_error(self) -> None:
        a, b = sockets()
        _, tls_b = machines()

        async def main() -> None:
            handshake = TlsHandshakeStream(b, tls_b)
            a.close()
            with pytest.raises(ProtocolError, match=r"^it hung up during the TLS handshake$"):
                await handshake.open_channel()

        with a, b:
            asyncio.run(main())
