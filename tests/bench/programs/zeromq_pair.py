"""ZeroMQ with msgpack, over a unix socket: REQ and REP, and PUSH and PULL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack
import zmq

from tests.bench.programs.pair import Pair, main, ready
from tests.bench.programs.sampling import now, rate, sample, seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = ("add", {"name": "nike", "qty": 30})


def serve(directory: str) -> None:
    """Adds two numbers, echoes, and answers `take` when PUSH has brought as many messages as it says."""
    context = zmq.Context()
    calls, pushed = context.socket(zmq.REP), context.socket(zmq.PULL)
    pushed.set_hwm(0)
    calls.bind(f"ipc://{directory}/calls")
    pushed.bind(f"ipc://{directory}/pushed")
    ready(directory)
    while True:
        function, *numbers = msgpack.unpackb(calls.recv())
        if function == "take":
            for _ in range(numbers[0]):
                msgpack.unpackb(pushed.recv())
            calls.send(msgpack.packb("done"))
        elif function == "echo":
            calls.send(msgpack.packb(numbers[0]))
        else:
            calls.send(msgpack.packb(sum(numbers)))


def cases(pair: Pair) -> dict[str, Callable[[], Any]]:
    context = zmq.Context()
    calls, pushed = context.socket(zmq.REQ), context.socket(zmq.PUSH)
    pushed.set_hwm(0)
    calls.connect(f"ipc://{pair.address}/calls")
    pushed.connect(f"ipc://{pair.address}/pushed")

    def ask(*request: Any) -> Any:
        calls.send(msgpack.packb(request))
        return msgpack.unpackb(calls.recv())

    def call() -> None:
        assert ask("add", 1, 2) == 3

    def flood(message: Any, count: int) -> float:
        began = now()
        calls.send(msgpack.packb(("take", count)))
        for _ in range(count):
            pushed.send(msgpack.packb(message))
        assert msgpack.unpackb(calls.recv()) == "done"
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
