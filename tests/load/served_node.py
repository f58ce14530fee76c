"""A node with a server named `bucket`, for `test_lost_servers.py`: `python served_node.py NAME COOKIE`."""

from __future__ import annotations

import json
import sys

from pyx import Node, Process, receive, self, spawn
from pyx.otp.server_calls import reply


def serve() -> None:
    """Replies to each request with itself; holds what it is asked to hold."""
    Process.register(self(), "bucket")
    write_event("ready")
    while True:
        match receive():
            case ("$gen_call", _, "hold"):
                pass
            case ("$gen_call", frm, "who"):
                reply(frm, self())
            case ("$gen_call", frm, request):
                reply(frm, request)


def write_event(event: str) -> None:
    sys.stdout.write(json.dumps({"event": event}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Node.start(sys.argv[1], cookie=sys.argv[2])
    spawn(serve)
    for line in sys.stdin:
        write_event(json.loads(line)["do"])
