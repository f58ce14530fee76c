"""tcp.py: Sockets that listen and connect over TCP."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pyx.errors import PyxError
from pyx.net.tcp import connect, listen


def test_connection_by_host_name_is_made() -> None:
    async def main() -> None:
        with listen("127.0.0.1", 0) as listening:
            port = listening.getsockname()[1]
            # localhost may be ::1 first, without a listener: the next address is tried.
            with await connect("localhost", port) as there:
                here, _ = await asyncio.get_running_loop().sock_accept(listening)
                with here:
                    here.sendall(b"hello")
                    assert await asyncio.get_running_loop().sock_recv(there, 100) == b"hello"
                    assert not there.getblocking()

    asyncio.run(main())


def test_port_without_a_listener_is_unreachable() -> None:
    async def main() -> None:
        with socket.socket() as bound:  # and not listening: the port is not given to others
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            words = f"^cannot connect to 127.0.0.1 port {port}: Connection refused$"
            with pytest.raises(PyxError, match=words):
                await connect("127.0.0.1", port)

    asyncio.run(main())


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_host_without_an_address_is_one_clear_error(host: str) -> None:
    with pytest.raises(PyxError, match=f"^the host '{host}' has no address: "):
        asyncio.run(connect(host, 1))


def test_port_in_use_is_one_clear_error() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(
            PyxError, match=f"^cannot listen on 127.0.0.1 port {port}: Address already in use$"
        ):
            listen("127.0.0.1", port)


def test_foreign_address_cannot_be_listened_on() -> None:
    with pytest.raises(PyxError, match=r"^cannot listen on 192.0.2.1 port 0: "):
        listen("192.0.2.1", 0)


def test_connection_over_ipv6_is_made() -> None:
    async def main() -> None:
        try:
            listening = listen("::1", 0)
        except PyxError as error:
            pytest.skip(f"no IPv6 here: {error}")
        with listening, await connect("::1", listening.getsockname()[1]) as there:
            assert there.getpeername()[0] == "::1"

    asyncio.run(main())
