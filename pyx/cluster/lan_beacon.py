"""`lan`: nodes that say their names on the local network, by IPv4 multicast; `--seed lan:`.

As libcluster's Gossip, whose datagrams are encrypted by a secret of their own; here the cookie is the secret.
A beacon and not mDNS by the library zeroconf, which takes 1.6 to 1.7 s to register a name, 70 to 100 ms and
6 MB to import, and tells the names to all who ask [measured on loopback; the beacon: 12 ms and 0.7 MB, and
the first datagram is the registration].  Nothing but nodes of pyx has to read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.lan_datagram import MOST_BYTES, datagram_of, name_in
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names, seconds_of, text_of
from pyx.runtime.local_node import this_node
from pyx.terms import host_of, is_long

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

GROUP: Final = "239.255.43.70"
"""A multicast address that stays inside an organization (RFC 2365)."""
PORT: Final = 4370
BEAT_SECONDS: Final = 1.0
_HEARD_BEATS: Final = 5
"""A node that was not heard for so many beats is not looked for any more."""
_MOST_AT_ONCE: Final = 256
"""Datagrams that are read before other coroutines have their turn."""
MOST_NAMES: Final = 1024
"""Nodes that are remembered; strangers, who lack the cookie, cannot add one."""


class LanBeacon:
    """Finds the nodes of the local network that hold this node's cookie; see `Strategy`.

    Settings: `group`, a multicast address; `port`; `interval`, between two datagrams.
    """

    seed_setting: Final = "group"
    prunes: Final = False
    """A datagram is easily lost: silence is never a reason to disconnect."""

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "group", "port", "interval")
        self._here = here
        self._group = text_of(config, "group", GROUP, default=GROUP) if config.get("group") else GROUP
        self._port = config.get("port", PORT)
        self._interval = seconds_of(config, default=BEAT_SECONDS)
        if type(self._port) is not int or not 0 < self._port <= 65535:
            msg = f"port is a number from 1 to 65535, not {self._port!r}"
            raise ValueError(msg)
        if not _is_multicast(self._group):
            msg = f"group is a multicast address of IPv4 like {GROUP!r}, not {self._group!r}"
            raise ValueError(msg)
        if not is_long(host_of(here)):
            msg = f"other hosts reach nodes with long names (--name), and {here} has a short one"
            raise ValueError(msg)
        self._heard: dict[str, float] = {}

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields the nodes that were heard lately, whenever one comes or falls silent."""
        node = this_node()
        assert node.transport is not None
        key = node.transport.cookies.key_for("")
        own = datagram_of(self._here, node.kernel.tables.creation, key)
        beacon = _socket(self._group, self._port, interface_of(host_of(self._here)))
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(beacon, readable.set)
        known: frozenset[str] = frozenset()
        try:
            while True:
                beacon.sendto(own, (self._group, self._port))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._interval):
                        while (now_known := self._lately()) == known:
                            await readable.wait()
                            readable.clear()
                            self._hear_all(beacon, key)
                if now_known != known:
                    known = now_known
                    yield Sighting(known)
        finally:
            loop.remove_reader(beacon)
            beacon.close()

    def _hear_all(self, beacon: socket.socket, key: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_MOST_AT_ONCE):
                self._hear(name_in(beacon.recv(MOST_BYTES + 1), key))

    def _hear(self, name: str | None) -> None:
        if name is not None and (name in self._heard or len(self._heard) < MOST_NAMES):
            self._heard[name] = time.monotonic()

    def _lately(self) -> frozenset[str]:
        oldest = time.monotonic() - _HEARD_BEATS * self._interval
        self._heard = {name: at for name, at in self._heard.items() if at >= oldest}
        return frozenset({self._here, *self._heard})


def interface_of(host: str) -> str:
    """Returns the IPv4 address of this host by which it speaks: that of the node's name, if there is one."""
    try:
        socket.inet_aton(host)
    except OSError:
        return "0.0.0.0"  # noqa: S104 - the system chooses the interface; nothing is served there
    return host


def _is_multicast(address: str) -> bool:
    try:
        return 224 <= socket.inet_aton(address)[0] <= 239
    except OSError:
        return False


def _socket(group: str, port: int, interface: str) -> socket.socket:
    """Returns a socket that hears and speaks to the group; several nodes of a host share its port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((group, port))
        member = struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(interface))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if interface != "0.0.0.0":  # noqa: S104 - compared only
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    except BaseException:
        made.close()
        raise
    return made
