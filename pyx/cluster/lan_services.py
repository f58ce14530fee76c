"""`lan`: nodes of the local network, which say their names by multicast DNS; `--seed lan:`.

As libcluster's Gossip, whose datagrams are encrypted by a secret of their own; here the cookie is the secret.
Needs the extra `pyxnode[lan]`, the library zeroconf, which takes some 100 ms to import.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from typing import TYPE_CHECKING, Any, Final

from pyx.aio import detached
from pyx.cluster.lan_records import MOST_NAME_BYTES, SERVICE, instance_of, name_in, records_of
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names, text_of
from pyx.errors import PyxError
from pyx.net.addresses import why_not_own
from pyx.runtime.local_node import this_node
from pyx.terms import host_of, is_long

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from zeroconf import ServiceInfo, ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncZeroconf

MOST_INSTANCES: Final = 4096
"""Services that are remembered; a stranger, who lacks the cookie, cannot add one."""

KEPT_SECONDS: Final = 1200
"""For how long others keep the name of a node that was killed; zeroconf takes no less than 1,125."""

RESCAN_SECONDS: Final = 30.0
"""How often the networks of this host are looked up: a laptop has others tomorrow."""


class LanServices:
    """Finds the nodes of the local network that hold this node's cookie; see `Strategy`.

    Setting: `interface`, an address of this host whose network is used; by default that of the node's name,
    or the networks of all its addresses where the name has none.
    """

    seed_setting: Final = "interface"
    prunes: Final = False
    """All that hear a name can say that it is gone: never a reason to disconnect."""

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "interface")
        self._here = here
        host = host_of(here)
        self._interface = _address(host)
        if config.get("interface"):
            self._interface = _address(given := text_of(config, "interface", "10.0.0.5"))
            if self._interface is None:
                msg = f"interface is an address of this host like '10.0.0.5', not {given!r}"
                raise ValueError(msg)
        if not is_long(host):
            msg = f"other hosts reach nodes with long names (--name), and {here} has a short one"
            raise ValueError(msg)
        if len(here) > MOST_NAME_BYTES:
            msg = f"the name of this node has {len(here)} bytes, and {MOST_NAME_BYTES} at most can be told"
            raise ValueError(msg)
        try:
            import zeroconf  # noqa: F401 - looked for here, so that a missing library is one line at the start
        except ImportError:
            msg = "it needs the library zeroconf: pip install 'pyxnode[lan]'"
            raise ValueError(msg) from None
        self._names: dict[str, str] = {}
        """Of each service that a node of this cluster is."""
        self._changed = asyncio.Event()
        self._key = b""

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields the nodes that say their names, whenever one comes or goes.

        Raises:
            PyxError: this host does not have the address of the interface.
            OSError: it has no multicast.
        """
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

        node = this_node()
        assert node.transport is not None
        self._key = node.transport.cookies.key_for("")
        if self._interface is not None and (problem := why_not_own(self._interface)):
            msg = f"{self._interface} is not an address of this host: {problem}"
            raise PyxError(msg)
        with detached():  # its tasks end when it is closed, in its own order
            network = AsyncZeroconf([self._interface] if self._interface else InterfaceChoice.All)
            ending = contextlib.AsyncExitStack()
            ending.push_async_callback(_close, network)
        async with ending:
            with detached():
                browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[self._heard])
                ending.push_async_callback(browser.async_cancel)
                # A name with the creation in it belongs to this node alone, so no probe is needed.
                own = self._own_service(node.kernel.tables.creation)
                saying = await network.async_register_service(own, cooperating_responders=True)
                ending.callback(asyncio.ensure_future(saying).cancel)  # it says the name three times
            known = None
            while True:
                self._changed.clear()
                names = frozenset({self._here, *self._names.values()})
                if names != known:
                    known = names
                    yield Sighting(names)
                try:
                    async with asyncio.timeout(RESCAN_SECONDS):
                        await self._changed.wait()
                except TimeoutError:
                    with detached():
                        await network.async_update_interfaces()

    def _heard(
        self, *, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        """Notes a service that has come, has changed or is gone.  Asks nothing: its records come with it."""
        from zeroconf import ServiceInfo, ServiceStateChange

        if state_change is ServiceStateChange.Removed:
            self._names.pop(name, None)
        else:
            service = ServiceInfo(service_type, name)
            service.load_from_cache(zeroconf)
            found = name_in(name, service.properties, self._key)
            if found is not None and (name in self._names or len(self._names) < MOST_INSTANCES):
                self._names[name] = found
        self._changed.set()

    def _own_service(self, creation: int) -> ServiceInfo:
        from zeroconf import ServiceInfo

        instance = instance_of(self._here, creation)
        return ServiceInfo(
            SERVICE,
            instance,
            port=0,  # a node is dialled by its name
            other_ttl=KEPT_SECONDS,
            properties=records_of(self._here, creation, self._key),
            server=f"{instance.partition('.')[0]}.local.",
            parsed_addresses=[self._interface] if self._interface else None,
        )


def _address(host: str) -> str | None:
    """Returns *host* if it is an address, else None."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


async def _close(network: AsyncZeroconf) -> None:
    """Says that this node is gone, once and at once: its process may be about to end; closes the sockets."""
    goodbye = network.zeroconf.generate_unregister_all_services()
    if goodbye is not None:
        network.zeroconf.async_send(goodbye)
    await network.async_close()
