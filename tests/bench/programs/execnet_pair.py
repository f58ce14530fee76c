"""execnet: a request on a channel to a loop in a gateway of its own interpreter, and the answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import execnet

from tests.bench.programs.pair import Pair, main
from tests.bench.programs.sampling import sample

if TYPE_CHECKING:
    from collections.abc import Callable

LOOP: Final = """
import os
channel.send(os.getpid())
for function, a, b in channel:
    channel.send(a + b)
"""


def cases(pair: Pair) -> dict[str, Callable[[], Any]]:
    def rpc() -> Any:
        own_cores: set[int] = set()
        if pair.server_cores:
            own_cores = os.sched_getaffinity(0)
            os.sched_setaffinity(0, pair.server_cores)  # which the gateway's process inherits
        gateway = execnet.makegateway("popen")
        if own_cores:
            os.sched_setaffinity(0, own_cores)
        channel = gateway.remote_exec(LOOP)
        pid: int = channel.receive()

        def call() -> None:
            channel.send(("add", 1, 2))
            assert channel.receive() == 3

        try:
            return sample(call, pair.secs, (*pair.pids, pid))
        finally:
            gateway.exit()

    return {"rpc": rpc}


if __name__ == "__main__":
    main(None, cases)
