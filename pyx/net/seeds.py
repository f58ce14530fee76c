"""The seeds of a node (`--seed`): nodes that it dials without being asked, and when.

A seed is a hint: the handshake decides whether a node is trusted, and the mesh announces the other nodes.

    --seed gus@10.0.0.5         that node, until it is connected, and again when it is lost
    --seed dns:pyx.default.svc  the nodes at all addresses of that domain (a headless service of Kubernetes
                                has one for each pod), with this node's name before the @; resolved
                                repeatedly
    --seed dns:gus@DOMAIN       the same, for nodes named gus

`SeedPlan` is a machine: fed with events, then asked for what is `due`.  Time and jitter are arguments.
Follows libcluster's strategies Epmd and DNSPoll (Elixir).
"""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.core.backoff import Backoff
from pyx.errors import PyxError
from pyx.terms import full_name, host_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

POLL_SECONDS: Final = 5.0
"""Seconds between two look-ups of a domain, as in libcluster."""

_RESOLVE_SECONDS: Final = 5.0
_DNS: Final = "dns:"
_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


class NameSeed(NamedTuple):
    """A node to dial."""

    node: str


class DnsSeed(NamedTuple):
    """A domain; each of its addresses is the host of a node with the name part `first`."""

    first: str
    domain: str


Seed: TypeAlias = NameSeed | DnsSeed


def parse_seed(text: str, here: str) -> Seed:
    """Reads the value of `--seed`; *here* is this node's full name.

    Raises:
        NodeNameInvalid: the text is not a node name.
        ValueError: no domain follows `dns:`.
    """
    if not text.startswith(_DNS):
        return NameSeed(full_name(text, host_of(here)))
    first, _, domain = text.removeprefix(_DNS).rpartition("@")
    if not _DOMAIN.fullmatch(domain):
        msg = (
            f"the seed {text!r} has no domain: one looks like 'dns:pyx.default.svc' or 'dns:gus@example.org'"
        )
        raise ValueError(msg)
    first = first or here.partition("@")[0]
    full_name(first, "host")
    return DnsSeed(first, domain)


class DialSeed(NamedTuple):
    """An action: dial that node; answered by `node_up` or `dial_failed`."""

    node: str


class ResolveSeed(NamedTuple):
    """An action: resolve the seed's domain; answered by `resolved` or `not_resolved`."""

    seed: DnsSeed


class SeedPlan:
    """The plan of one node: which seeds to dial and to resolve, and when.

    Args:
        seeds: the seeds of the command line.
        here: the full name of this node, which it never dials.
    """

    def __init__(self, seeds: Iterable[Seed], here: str) -> None:
        self._here = here
        self._backoff = Backoff()
        self._named: set[str] = set()
        self._found: dict[DnsSeed, set[str]] = {}
        self._up: set[str] = set()
        # When each is due; infinity while it is in progress or connected.
        self._dial_at: dict[str, float] = {}
        self._resolve_at: dict[DnsSeed, float] = {}
        for seed in seeds:
            if isinstance(seed, DnsSeed):
                self._resolve_at[seed] = 0.0
            elif seed.node != here:
                self._named.add(seed.node)
                self._dial_at[seed.node] = 0.0

    # ------------------------------------------------------------ collected

    def due(self, now: float) -> list[DialSeed | ResolveSeed]:
        """Returns the actions that are due; each is in progress until the plan is fed with its outcome."""
        due: list[DialSeed | ResolveSeed] = []
        for node, at in self._dial_at.items():
            if at <= now:
                due.append(DialSeed(node))
                self._dial_at[node] = _NEVER
        for seed, at in self._resolve_at.items():
            if at <= now:
                due.append(ResolveSeed(seed))
                self._resolve_at[seed] = _NEVER
        return due

    def next_due(self) -> float | None:
        """Returns when to call `due` again; None: after the next event."""
        at = min((*self._dial_at.values(), *self._resolve_at.values()), default=_NEVER)
        return None if at == _NEVER else at

    # ------------------------------------------------------------ fed

    def node_up(self, node: str) -> None:
        """Handles a new connection with *node*, dialled by either side."""
        self._up.add(node)
        self._backoff.forget(node)
        if node in self._dial_at:
            self._dial_at[node] = _NEVER

    def node_down(self, node: str, now: float, jitter: float) -> None:
        """Handles the loss of *node*; *jitter* (random, 0 to 1) shortens the back-off."""
        self._up.discard(node)
        self._again(node, "it was lost", now, jitter)

    def dial_failed(self, node: str, reason: str, now: float, jitter: float) -> bool:
        """Handles a failed dial; returns True if the previous dial failed for another reason."""
        if node in self._up:
            return False  # that node has dialled this one meanwhile
        return self._again(node, reason, now, jitter)

    def resolved(self, seed: DnsSeed, addresses: Sequence[str], now: float, jitter: float) -> None:
        """Handles the addresses of a domain: new ones are due now, missing ones are not dialled any more."""
        self._backoff.forget(seed.domain)
        self._resolve_at[seed] = now + POLL_SECONDS * (1 - jitter / 2)
        self._found[seed] = {f"{seed.first}@{address}" for address in addresses} - {self._here}
        wanted = self._wanted()
        for node in [node for node in self._dial_at if node not in wanted]:
            del self._dial_at[node]
        for node in sorted(self._found[seed]):
            self._dial_at.setdefault(node, _NEVER if node in self._up else now)

    def not_resolved(self, seed: DnsSeed, reason: str, now: float, jitter: float) -> bool:
        """Handles a failed look-up; known nodes stay.  Returns True as `dial_failed` does."""
        is_news = self._backoff.reason(seed.domain) != reason
        self._resolve_at[seed] = self._backoff.failed(seed.domain, reason, now, jitter)
        return is_news

    def _wanted(self) -> set[str]:
        return self._named.union(*self._found.values())

    def _again(self, node: str, reason: str, now: float, jitter: float) -> bool:
        if node not in self._dial_at:
            return False  # not a seed, or not one any more
        is_news = self._backoff.reason(node) != reason
        self._dial_at[node] = self._backoff.failed(node, reason, now, jitter)
        return is_news


_NEVER: Final = float("inf")


async def addresses_of(domain: str, here: str) -> list[str]:
    """Returns the addresses of *domain*, sorted: IPv6 if the name *here* has an IPv6 address, else IPv4.

    A node name has one address, so addresses of the other family would not lead to a node of that name.

    Raises:
        PyxError: the domain has no addresses; the sentence has the reason.
    """
    family = socket.AF_INET6 if ":" in host_of(here) else socket.AF_INET
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                domain, None, family=family, type=socket.SOCK_STREAM
            )
    except TimeoutError:
        msg = f"{domain} has no addresses: no answer within {_RESOLVE_SECONDS:g} s"
        raise PyxError(msg) from None
    except (OSError, UnicodeError) as error:
        msg = f"{domain} has no addresses: {getattr(error, 'strerror', None) or error}"
        raise PyxError(msg) from error
    return sorted({str(address[0]) for *_, address in found})
