"""Two pyx nodes for a tracer: starts a server, and a client that calls one function so often.

python -m tests.bench.programs.pyx_pair FUNCTION CALLS
"""

from __future__ import annotations

import os
import sys

from tests.bench.children import Child
from tests.bench.peers.pyx_nodes import server_command


def main(function: str, calls: str) -> None:
    code = f"for _ in range({calls}): assert rpc.call('server', 'work', {function!r}, [1, 2]) == 3"
    client = [sys.executable, "-m", "pyx", "--sname", "client", "-e", code, "-e", "print('DONE', flush=True)"]
    with Child(server_command(["--sname", "server"]), os.environ, set()) as server:
        server.says("READY")
        with Child(client, os.environ, set()) as node:
            node.says("DONE")


if __name__ == "__main__":
    main(*sys.argv[1:])
