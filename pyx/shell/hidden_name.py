"""A name for a node that only asks another one (`--remsh` and `--rpc-eval` without a name): `rem-3fa9c1`.

Such a node is hidden: it joins no mesh, and no other node is told of it.
"""

from __future__ import annotations

import socket
from secrets import randbelow, token_hex
from typing import Any

from pyx.options import NodeOptions

_DISCARD_PORT = 9


def hidden_options(node: str, **chosen: Any) -> NodeOptions:
    """Returns the options of a hidden node with a new name, of the kind that can reach *node*.

    Args:
        node: a node name; with an address or a domain behind the @ it is a long one.
        chosen: further options.
    """
    name = f"rem-{token_hex(3)}"
    _, _, host = node.partition("@")
    if is_long(node):
        if chosen.get("port") and chosen.get("listen") is None:
            # The port is that of all nodes, and perhaps taken here: another loopback address has it free.
            chosen["listen"] = f"127.{randbelow(254) + 1}.{randbelow(254) + 1}.{randbelow(254) + 1}"
        return NodeOptions(f"{name}@{_address_towards(host)}", long=True, **{**chosen, "hidden": True})
    return NodeOptions(f"{name}@{host}" if host else name, **{**chosen, "hidden": True})


def is_long(node: str) -> bool:
    """Returns True for a long node name: behind its @ is an address or a domain."""
    host = node.partition("@")[2]
    return "." in host or ":" in host


def _address_towards(host: str) -> str:
    """Returns the address of this host from which packets to *host* leave; sends none."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, _DISCARD_PORT, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)
            own: str = probe.getsockname()[0]
    except OSError:  # the dial will say what is wrong with that host
        return "127.0.0.1"
    return own
