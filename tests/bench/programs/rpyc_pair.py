"""RPyC: a call of a function of the server's service, over a unix socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rpyc
from rpyc.utils.server import ThreadedServer

from tests.bench.programs.pair import Pair, main, ready
from tests.bench.programs.sampling import sample

if TYPE_CHECKING:
    from collections.abc import Callable


class Adder(rpyc.Service):  # type: ignore[misc] # RPyC has no types
    def exposed_add(self, a: int, b: int) -> int:
        return a + b


def serve(directory: str) -> None:
    path = f"{directory}/socket"
    server = ThreadedServer(Adder, socket_path=path)
    ready(path)
    server.start()


def cases(pair: Pair) -> dict[str, Callable[[], Any]]:
    def rpc() -> Any:
        connection = rpyc.utils.factory.unix_connect(pair.address)
        add = connection.root.add  # asked for once: `connection.root.add(1, 2)` costs another round trip

        def call() -> None:
            assert add(1, 2) == 3

        return sample(call, pair.secs, pair.pids)

    return {"rpc": rpc}


if __name__ == "__main__":
    main(serve, cases)
