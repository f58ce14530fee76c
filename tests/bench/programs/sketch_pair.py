"""The two ends of the sketch (`sketch.py`) in each of its ways, with a unix socket between them.

`limit`: the thread that asks reads the socket itself, and the other side's reading thread runs the function.
`limit_hops`: a reading thread on both ends, and a thread for the function.
`limit_aio`: one event loop on both ends.
`oneway_dict`: messages gathered into writes of 64 KiB, taken from a mailbox by another thread.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from contextvars import Context
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pyx.signals import Payload
from pyx.wire.codec import decode, encode
from tests.bench.programs.pair import Pair, main, ready
from tests.bench.programs.sampling import now, rate, sample, sample_async, seconds_since
from tests.bench.programs.sketch import (
    HERE,
    LENGTH_BYTES,
    READ_BYTES,
    SINK,
    THERE,
    Record,
    answered,
    asked,
    begun,
    called,
    current,
    cut,
    ended,
    lock,
    processes,
    read_frames,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SEND: Final = Struct(">IBII")
MESSAGE: Final = ("add", {"name": "nike", "qty": 30})

# ---------------------------------------------------------------- the asked ends


def serve_here(connection: socket.socket) -> None:
    def take(frame: bytes) -> None:
        process, payload = begun(frame)
        connection.send(ended(process, Context().run(called, process, payload)))

    read_frames(connection, take)


def serve_by_a_thread(connection: socket.socket) -> None:
    jobs: deque[tuple[Record, Payload]] = deque()
    has_job = threading.Lock()
    has_job.acquire()

    def work() -> None:
        while True:
            has_job.acquire()
            process, payload = jobs.popleft()
            connection.send(ended(process, Context().run(called, process, payload)))

    def take(frame: bytes) -> None:
        jobs.append(begun(frame))
        has_job.release()

    threading.Thread(target=work, daemon=True).start()
    read_frames(connection, take)


def serve_by_a_loop(connection: socket.socket) -> None:
    connection.setblocking(False)
    loop = new_loop()
    asyncio.set_event_loop(loop)
    tasks: set[asyncio.Task[None]] = set()
    rest = b""

    async def work(process: Record, payload: Payload) -> None:
        connection.send(ended(process, await called(process, payload)))

    def readable() -> None:
        nonlocal rest
        data = connection.recv(READ_BYTES)
        if not data:
            loop.stop()
        frames, rest = cut(data, rest)
        for frame in frames:
            process, payload = begun(frame)
            task = loop.create_task(work(process, payload), context=Context())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    loop.add_reader(connection.fileno(), readable)
    loop.run_forever()


def serve_messages(connection: socket.socket) -> None:
    """A process that receives; None ends a flood, and is answered by the number of messages before it."""
    process = processes[SINK] = Record(SINK, 0, 0)
    incoming: deque[Payload] = deque()
    process.incoming = incoming
    wake = threading.Lock()
    wake.acquire()
    known: dict[bytes, int] = {}
    rest = b""

    def receive() -> Any:
        while not incoming:
            process.waiting = True
            if incoming:
                process.waiting = False
                break
            wake.acquire()
        return decode(incoming.popleft(), HERE)

    def work() -> None:
        seen = 0
        while True:
            if receive() is None:
                connection.send(b"%016d" % seen)
                seen = 0
            else:
                seen += 1

    threading.Thread(target=work, daemon=True).start()
    while data := connection.recv(READ_BYTES):
        frames, rest = cut(data, rest)
        with lock:
            for frame in frames:
                head = frame[LENGTH_BYTES : SEND.size]
                number = known.get(head)
                if number is None:
                    number = known[head] = SEND.unpack_from(frame)[2]
                box = processes[number].incoming
                assert box is not None
                box.append(Payload(frame[SEND.size :], THERE))
            must_wake, process.waiting = process.waiting, False
        if must_wake and wake.locked():  # else an earlier wake-up is still there
            wake.release()


SERVERS: Final = {
    "limit": serve_here,
    "limit_hops": serve_by_a_thread,
    "limit_aio": serve_by_a_loop,
    "oneway_dict": serve_messages,
}


def serve(directory: str) -> None:
    """Serves one connection after the other; the first byte of a connection tells which way."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{directory}/socket")
        listener.listen(1)
        ready(f"{directory}/socket")
        while True:
            connection, _ = listener.accept()
            SERVERS[connection.recv(16).decode().strip()](connection)


# ---------------------------------------------------------------- the asking ends


def cases(pair: Pair) -> dict[str, Callable[[], Any]]:
    secs, pids = pair.secs, pair.pids
    return {
        "limit": lambda: call_here(connected(pair, "limit"), secs, pids),
        "limit_hops": lambda: call_by_threads(connected(pair, "limit_hops"), secs, pids),
        "limit_aio": lambda: call_by_a_loop(connected(pair, "limit_aio"), secs, pids),
        "oneway_dict": lambda: flood(connected(pair, "oneway_dict"), secs, pids),
    }


def connected(pair: Pair, way: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(pair.address)
    connection.send(f"{way:16}".encode())
    return connection


def call_here(connection: socket.socket, secs: float, pids: tuple[int, ...]) -> Any:
    with connection:

        def call() -> None:
            waiter: list[Any] = [None]
            connection.send(asked("add", waiter))
            rest = b""
            while waiter[0] is None:
                frames, rest = cut(connection.recv(READ_BYTES), rest)
                for frame in frames:
                    answered(frame)
            assert decode(waiter[0], HERE) == 3

        return sample(call, secs, pids)


def call_by_threads(connection: socket.socket, secs: float, pids: tuple[int, ...]) -> Any:
    with connection:
        reader = threading.Thread(
            target=read_frames, args=(connection, lambda frame: answered(frame)[1].release()), daemon=True
        )
        reader.start()

        def call() -> None:
            done = threading.Lock()
            done.acquire()
            waiter = [None, done]
            connection.send(asked("add", waiter))
            done.acquire()
            payload: Any = waiter[0]
            assert decode(payload, HERE) == 3

        measured = sample(call, secs, pids)
        connection.shutdown(socket.SHUT_RDWR)
        reader.join()
        return measured


def call_by_a_loop(connection: socket.socket, secs: float, pids: tuple[int, ...]) -> Any:
    with connection:
        connection.setblocking(False)
        loop = new_loop()
        rest = b""

        def readable() -> None:
            nonlocal rest
            frames, rest = cut(connection.recv(READ_BYTES), rest)
            for frame in frames:
                answered(frame)[1].set_result(None)

        async def call() -> None:
            waiter: list[Any] = [None, loop.create_future()]
            connection.send(asked("add_async", waiter))
            await waiter[1]
            assert decode(waiter[0], HERE) == 3

        loop.add_reader(connection.fileno(), readable)
        try:
            return loop.run_until_complete(sample_async(call, secs, pids))
        finally:
            loop.remove_reader(connection.fileno())
            loop.close()


def flood(connection: socket.socket, secs: float, pids: tuple[int, ...]) -> Any:
    """Gathers 64 KiB for each write."""
    gathered: deque[tuple[bytes, bytes]] = deque()
    head = SEND.pack(0, 1, SINK, 1)[LENGTH_BYTES:]
    length = Struct(">I")
    size = 0

    def write() -> None:
        nonlocal size
        parts: list[bytes] = []
        while gathered:
            own, payload = gathered.popleft()
            parts += (length.pack(len(payload) + len(own)), own, payload)
        connection.sendall(b"".join(parts))
        size = 0

    def send(message: Any) -> None:
        nonlocal size
        current.get()
        payload = encode(message)
        with lock:
            gathered.append((head, payload))
            size += len(payload) + 64
        if size > 65536:
            write()

    def sent(count: int) -> float:
        began = now()
        for _ in range(count):
            send(MESSAGE)
        send(None)
        write()
        assert int(connection.recv(16)) == count
        return seconds_since(began)

    with connection:
        return rate(sent, secs, pids)


def new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


if __name__ == "__main__":
    main(serve, cases)
