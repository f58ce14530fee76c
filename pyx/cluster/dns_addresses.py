"""`dns`: a node at each address of a domain, as libcluster's DNSPoll; `--seed dns:pyx.default.svc`.

A headless service of Kubernetes has one address for each pod.
"""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.polling import pause
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names, first_and_rest, seconds_of, text_of
from pyx.errors import PyxError
from pyx.net.error_words import system_text
from pyx.net.resolver import resolve
from pyx.terms import host_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

RESOLVE_SECONDS: Final = 5.0
"""The time that a resolver has for an answer."""

_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


def domain_of(query: str, here: str, example: str) -> tuple[str, str]:
    """Splits `gus@domain` or `domain`; returns the first name of the nodes there, and the domain.

    Raises:
        ValueError: there is no domain; the sentence has *example*.
        NodeNameInvalid: what stands before the @ cannot be a name.
    """
    domain = query.rpartition("@")[2]
    if not _DOMAIN.fullmatch(domain):
        msg = f"{query!r} has no domain: one looks like {example!r} or {'gus@' + example!r}"
        raise ValueError(msg)
    return first_and_rest(query, here)


class DnsAddresses:
    """Finds the nodes of its setting `query`; see `Strategy`.

    Settings: `query`, a domain, or `gus@domain` for nodes named gus; `interval`.
    """

    seed_setting: Final = "query"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "query", "interval")
        example = "pyx.default.svc"
        self._first, self._domain = domain_of(text_of(config, "query", example), here, example)
        self._interval = seconds_of(config)
        self._here = here

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields a node for each address; raises PyxError where there is none."""
        while True:
            addresses = await addresses_of(self._domain, self._here)
            yield Sighting(frozenset(f"{self._first}@{address}" for address in addresses))
            await pause(self._interval)


async def addresses_of(domain: str, here: str) -> list[str]:
    """Returns the addresses of *domain*, sorted: IPv6 if the name *here* has an IPv6 address, else IPv4.

    A node name has one address, so addresses of the other family would not lead to a node of that name.

    Raises:
        PyxError: the domain has no addresses; the sentence has the reason.
    """
    family = socket.AF_INET6 if ":" in host_of(here) else socket.AF_INET
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await resolve(domain, None, family)
    except TimeoutError:
        msg = f"{domain} has no addresses: no answer within {RESOLVE_SECONDS:g} s"
        raise PyxError(msg) from None
    except (OSError, UnicodeError) as error:
        msg = f"{domain} has no addresses: {system_text(error)}"
        raise PyxError(msg) from error
    return sorted({str(address[0]) for *_, address in found})
