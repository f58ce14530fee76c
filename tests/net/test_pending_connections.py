"""pending_connections.py: When the table is full, one pending connection is dropped."""

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


class FilledTable:
    """A table of pending connections from *addresses*, in this order; needs a running loop."""

    def __init__(self, addresses: list[str]) -> None:
        self.connections = PendingConnections()
        self.tasks: list[asyncio.Task[None]] = []
        for address in addresses:
            self.add(address)

    def add(self, address: str) -> None:
        self.connections.drop_one_if_full()
        task = asyncio.get_running_loop().create_task(_wait())
        self.tasks.append(task)
        self.connections.add(task, PendingConnection(socket.socket(), address))

    async def dropped(self) -> list[int]:
        """Returns the positions, in the order of arrival, of the dropped connections; ends all."""
        dropped = [at for at, task in enumerate(self.tasks) if task.cancelling()]
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert not list(self.connections)
        return dropped


async def _wait() -> None:
    await asyncio.get_running_loop().create_future()


def dropped_of(addresses: list[str]) -> list[int]:
    async def main() -> list[int]:
        return await FilledTable(addresses).dropped()

    return asyncio.run(main())


def test_pending_connections_below_the_limit_are_all_kept() -> None:
    assert dropped_of(["10.0.0.1"] * MAX_PENDING) == []


def test_oldest_pending_connection_is_dropped_for_the_newest() -> None:
    assert dropped_of([f"10.0.0.{at}" for at in range(MAX_PENDING + 2)]) == [0, 1]


def test_address_over_its_share_is_dropped_first() -> None:
    peer = ["10.0.0.1"] * FAIR_SHARE
    flood = ["10.0.0.66"] * MAX_PENDING
    assert dropped_of([*peer, *flood]) == list(range(FAIR_SHARE, 2 * FAIR_SHARE))


@pytest.mark.parametrize("address", ["", "127.0.0.5", "::1"])
def test_connections_of_this_host_have_no_share_limit(address: str) -> None:
    assert dropped_of(["10.0.0.1", *[address] * MAX_PENDING]) == [0]


@pytest.mark.parametrize(
    ("address", "here"),
    [("", True), ("127.0.0.9", True), ("::1", True), ("10.0.0.1", False), ("fe80::1%eth0", False)],
)
def test_loopback_addresses_are_of_this_host(address: str, here: bool) -> None:
    assert is_here(address) is here


def test_authenticated_connection_stays_open() -> None:
    async def main() -> None:
        table = FilledTable(["10.0.0.1", "10.0.0.2"])
        kept = table.connections._by_task[table.tasks[0]].connection
        lost = table.connections._by_task[table.tasks[1]].connection
        table.connections.authenticated(table.tasks[0])
        await table.dropped()
        assert kept.fileno() >= 0
        assert lost.fileno() < 0
        kept.close()

    asyncio.run(main())
