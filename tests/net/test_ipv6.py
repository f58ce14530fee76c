"""Nodes at IPv6 addresses, from end to end: names, EPMD, TCP and TLS, messages.

The host part of such a name is the bare address (`gus@::1`, `gus@fe80::1%eth0`), as in Erlang's `inet6_tcp`.
`tests/partition/test_namespaces.py` tests them on separate hosts.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from pyx import Node, receive, rpc, send
from pyx.net import resolver
from pyx.net.epmd_client import names
from tests.local_nodes import Running, as_process, in_kernel, start_node, until
from tests.net.test_epmd_client import kind, port

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

__all__ = ["kind", "port"]  # fixtures


@pytest.fixture(autouse=True)
def ipv6() -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError as error:
        pytest.skip(f"this host has no IPv6: {error.strerror}")


def start(nodes: LocalNodes, name: str) -> LocalNode:
    node = nodes.make()
    start_node(node, name, long=True)
    return node


@pytest.mark.usefixtures("kind", "port")
class TestNodesAtTheLoopbackOfIPv6:
    def test_nodes_at_ipv6_loopback_find_each_other_and_exchange_messages(self, nodes: LocalNodes) -> None:
        gus, bob = start(nodes, "gus@::1"), start(nodes, "bob@::1")
        assert (
            as_process(gus, lambda: Node.ping("bob")) == "pong"
        )  # a bare name has the host part of this node
        until(lambda: in_kernel(bob, bob.kernel.membership.nodes, ("visible",)) == ["gus@::1"])
        receiver = Running(bob, receive)
        in_kernel(bob, bob.kernel.registry.register, receiver.pid, "receiver")
        as_process(gus, lambda: send(("receiver", "bob@::1"), {"big": bytes(300_000)}))
        assert receiver.outcome() == {"big": bytes(300_000)}
        assert as_process(bob, lambda: rpc.call("gus@::1", "math", "sqrt", [16])) == 4.0
        carrier = gus.transport._tcp if gus.transport else None
        assert carrier is not None
        assert carrier.address == "::1"
        assert not carrier.is_beyond_this_host  # so no warning is logged

    def test_node_of_ipv6_and_node_of_ipv4_find_each_other(self, nodes: LocalNodes) -> None:
        gus, bob = start(nodes, "gus@::1"), start(nodes, "bob@127.0.0.1")
        assert as_process(gus, lambda: Node.ping("bob@127.0.0.1")) == "pong"
        until(lambda: in_kernel(bob, bob.kernel.membership.nodes, ("visible",)) == ["gus@::1"])


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_epmd_answers_over_ipv6(
    host: str, port: int, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a host where `localhost` is ::1 alone."""

    asked = []

    async def only_ipv6(_host: str, port: int) -> resolver.Found:
        asked.append(port)
        return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("::1", port, 0, 0))]

    async def main() -> list[tuple[str, int]]:
        monkeypatch.setattr(resolver, "resolve", only_ipv6)
        return await names(host)

    start(nodes, "gus@::1")
    ((name, _),) = asyncio.run(main())
    assert name == "gus"
    assert asked == [port]


def test_error_for_an_address_in_brackets_says_what_a_name_may_hold(nodes: LocalNodes) -> None:
    with pytest.raises(ValueError, match=r"'gus@\[::1\]' is not a node name: the host after @"):
        start(nodes, "gus@[::1]")
