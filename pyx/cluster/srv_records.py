"""`srv`: a node at each target of the SRV records of a domain; `--seed srv:_pyx._tcp.example.org`.

As libcluster's Kubernetes.DNSSRV: the targets are host names, so the nodes are named by hosts and not by
addresses.  The port of a record is not used: nodes are found by EPMD, or have one port (`--port`).
Needs the extra `pyxnode[dns]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.dns_addresses import RESOLVE_SECONDS, domain_of
from pyx.cluster.polling import pause
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names, number_of, seconds_of, text_of
from pyx.errors import PyxError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class SrvRecords:
    """Finds the nodes of its setting `query`; see `Strategy`.

    Settings: `query`, a domain with SRV records, or `gus@domain`; `interval`; `server`, the address of a name
    server, and `port`, where the resolver of this host is not to be asked.
    """

    seed_setting: Final = "query"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "query", "interval", "server", "port")
        example = "_pyx._tcp.example.org"
        self._first, self._domain = domain_of(text_of(config, "query", example), here, example)
        self._interval = seconds_of(config)
        try:
            from dns.asyncresolver import Resolver
        except ImportError:
            msg = "it needs the library dnspython: pip install 'pyxnode[dns]'"
            raise ValueError(msg) from None
        self._resolver = Resolver(configure="server" not in config)
        if "port" in config and "server" not in config:
            msg = "port is that of a name server: server, its address, is missing"
            raise ValueError(msg)
        if "server" in config:
            server = text_of(config, "server", "10.0.0.2")
            try:
                self._resolver.nameservers = [server]
            except ValueError:
                msg = f"server is the address of a name server like '10.0.0.2', not {server!r}"
                raise ValueError(msg) from None
            self._resolver.port = number_of(config, "port", 53, most=65535)

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields a node for each target; raises PyxError where there is none."""
        while True:
            targets = await self._targets()
            yield Sighting(frozenset(f"{self._first}@{target}" for target in targets))
            await pause(self._interval)

    async def _targets(self) -> list[str]:
        from dns.exception import DNSException
        from dns.name import root

        try:
            answer = await self._resolver.resolve(self._domain, "SRV", lifetime=RESOLVE_SECONDS)
        except DNSException as error:
            msg = f"{self._domain} has no SRV records: {error}"
            raise PyxError(msg) from error
        targets = [record.target.to_text(omit_final_dot=True) for record in answer if record.target != root]
        if not targets:
            msg = f"{self._domain} has no such service: the target of its SRV record is '.' (RFC 2782)"
            raise PyxError(msg)
        return targets
