"""msgpack over a unix socket by hand, one thread on both ends: the cost of a message without any promise."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import msgpack

from tests.bench.programs.pair import Pair, main, ready
from tests.bench.programs.sampling import now, rate, sample, seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = ("add", {"name": "nike", "qty": 30})
READ_BYTES = 65536


def serve(directory: str) -> None:
    """Adds two numbers, echoes, and counts messages until it has as many as `take` said."""
    path = f"{directory}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        ready(path)
        connection, _ = listener.accept()
    unpacker = msgpack.Unpacker(max_buffer_size=0)
    expected = 0
    while data := connection.recv(READ_BYTES):
        unpacker.feed(data)
        for message in unpacker:
            if expected:
                expected -= 1
                if not expected:
                    connection.sendall(msgpack.packb("done"))
            elif message[0] == "take":
                expected = message[1]
            elif message[0] == "echo":
                connection.sendall(msgpack.packb(message[1]))
            else:
                connection.sendall(msgpack.packb(message[1] + message[2]))


def cases(pair: Pair) -> dict[str, Callable[[], Any]]:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(pair.address)
    unpacker = msgpack.Unpacker()

    def answer() -> Any:
        while True:
            for message in unpacker:
                return message
            unpacker.feed(connection.recv(READ_BYTES))

    def ask(*request: Any) -> Any:
        connection.sendall(msgpack.packb(request))
        return answer()

    def call() -> None:
        assert ask("add", 1, 2) == 3

    def flood(message: Any, count: int) -> float:
        """Gathers 64 KiB for each write."""
        began = now()
        parts, size = [msgpack.packb(("take", count))], 0
        for _ in range(count):
            packed = msgpack.packb(message)
            parts.append(packed)
            size += len(packed)
            if size > READ_BYTES:
                connection.sendall(b"".join(parts))
                parts, size = [], 0
        connection.sendall(b"".join(parts))
        assert answer() == "done"
        return seconds_since(began)

    def flooded(message: Any) -> Any:
        return rate(lambda count: flood(message, count), pair.secs, pair.pids)

    return {
        "rpc": lambda: sample(call, pair.secs, pair.pids),
        "message": lambda: sample(lambda: ask("echo", 1), pair.secs, pair.pids),
        "oneway_tuple": lambda: flooded(("add", 1, 30)),
        "oneway_dict": lambda: flooded(MESSAGE),
        "oneway_1k": lambda: flooded(b"\7" * 1024),
        "oneway_64k": lambda: flooded(b"\7" * 65536),
    }


if __name__ == "__main__":
    main(serve, cases)
