"""pending_connections.py: Which pending connection is dropped when the table is full."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pyx.net.pending_connections import (
    FAIR_SHARE,
    MAX_PENDING,
    PendingConnection,
    PendingConnections,
    is_here,
)


class Crowd:
    """Pending connections from these addresses, in this order; made in a running loop."""

    def __init__(self, addresses: list[str]) -> None:
        self.connections = PendingConnections()
        self.tasks: list[asyncio.Task[None]] = []
        for address in addresses:
            self.comes(address)

    def comes(self, address: str) -> None:
        self.connections.drop_one_if_full()
        task = asyncio.get_running_loop().create_task(_wait())
        self.tasks.append(task)
        self.connections.add(task, PendingConnection(socket.socket(), address))

    async def gone(self) -> list[int]:
        """The places in the order of coming of those who had to go; then everybody goes."""
        gone = [at for at, task in enumerate(self.tasks) if task.cancelling()]
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert not list(self.connections)
        return gone


async def _wait() -> None:
    await asyncio.get_running_loop().create_future()


def gone_of(addresses: list[str]) -> list[int]:
    async def story() -> list[int]:
        return await Crowd(addresses).gone()

    return asyncio.run(story())


def test_pending_connections_below_the_limit_are_all_kept() -> None:
    assert gone_of(["10.0.0.1"] * MAX_PENDING) == []


def test_oldest_pending_connection_is_dropped_for_the_newest() -> None:
    assert gone_of([f"10.0.0.{at}" for at in range(MAX_PENDING + 2)]) == [0, 1]


def test_address_over_its_share_is_dropped_first() -> None:
    legal = ["10.0.0.1"] * FAIR_SHARE
    flood = ["10.0.0.66"] * MAX_PENDING
    assert gone_of([*legal, *flood]) == list(range(FAIR_SHARE, 2 * FAIR_SHARE))


@pytest.mark.parametrize("address", ["", "127.0.0.5", "::1"])
def test_connections_of_this_host_have_no_share_limit(address: str) -> None:
    assert gone_of(["10.0.0.1", *[address] * MAX_PENDING]) == [0]


@pytest.mark.parametrize(
    ("address", "here"),
    [("", True), ("127.0.0.9", True), ("::1", True), ("10.0.0.1", False), ("fe80::1%eth0", False)],
)
def test_loopback_addresses_are_of_this_host(address: str, here: bool) -> None:
    assert is_here(address) is here


def test_authenticated_connection_stays_open() -> None:
    async def story() -> None:
        crowd = Crowd(["10.0.0.1", "10.0.0.2"])
        kept = crowd.connections._by_task[crowd.tasks[0]].connection
        lost = crowd.connections._by_task[crowd.tasks[1]].connection
        crowd.connections.authenticated(crowd.tasks[0])
        await crowd.gone()
        assert kept.fileno() >= 0
        assert lost.fileno() < 0
        kept.close()

    asyncio.run(story())
