"""The nodes that a node dials of its own accord (`--seed`): which, and when.  Not here: dialling itself, and
who is trusted: a seed only suggests, the handshake decides, and the mesh tells the rest.

    --seed gus@10.0.0.5         that node, until it is up, and again when it is lost
    --seed dns:pyx.default.svc  the nodes at all addresses of that domain (a headless service of Kubernetes
                                has one for each pod), called as this node is before the @; looked up again
                                and again
    --seed dns:gus@DOMAIN       the same, for nodes called gus

`SeedPlan` is a machine: told what happened, then asked what is `due`.  Time and chance are arguments.
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
"""Between two looks at a domain, as in libcluster."""

_RESOLVE_SECONDS: Final = 5.0
_DNS: Final = "dns:"
_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


class NameSeed(NamedTuple):
    """A node to dial."""

    node: str


class DnsSeed(NamedTuple):
    """A domain whose addresses are those of nodes called `first`."""

    first: str
    domain: str


Seed: TypeAlias = NameSeed | DnsSeed


def parse_seed(text: str, here: str) -> Seed:
    """Reads the value of `--seed`; *here* is this node's full name.

    Raises:
        NodeNameInvalid: it is no node name.
        ValueError: it has no domain behind `dns:`.
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
    """Connect to that node; then `node_up` or `dial_failed`."""

    node: str


class ResolveSeed(NamedTuple):
    """Ask for the addresses of that seed's domain; then `resolved` or `not_resolved`."""

    seed: DnsSeed


class SeedPlan:
    """What to dial and to look up now, and when to ask again.

    Args:
        seeds: of the command line.
        here: this node's full name, which it never dials.
    """

    def __init__(self, seeds: Iterable[Seed], here: str) -> None:
        self._here = here
        self._backoff = Backoff()
        self._named: set[str] = set()
        self._found: dict[DnsSeed, set[str]] = {}
        self._up: set[str] = set()
        # When each is due; infinity while it is under way or up.
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
        """What is to be done now; each is under way from here on, until the plan is told how it ended."""
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
        """When to ask again, if nothing happens before; None: not until something happens."""
        at = min((*self._dial_at.values(), *self._resolve_at.values()), default=_NEVER)
        return None if at == _NEVER else at

    # ------------------------------------------------------------ fed

    def node_up(self, node: str) -> None:
        """A session with that node stands, whoever dialled."""
        self._up.add(node)
        self._backoff.forget(node)
        if node in self._dial_at:
            self._dial_at[node] = _NEVER

    def node_down(self, node: str, now: float, jitter: float) -> None:
        """The session with that node is over; *jitter* (0 to 1, by chance) shortens its rest."""
        self._up.discard(node)
        self._again(node, "it was lost", now, jitter)

    def dial_failed(self, node: str, reason: str, now: float, jitter: float) -> bool:
        """A dial has come to nothing.  True if that is news: the last one failed for another reason."""
        if node in self._up:
            return False  # it dialled this node meanwhile
        return self._again(node, reason, now, jitter)

    def resolved(self, seed: DnsSeed, addresses: Sequence[str], now: float, jitter: float) -> None:
        """The domain has these addresses: what is new among them is due now, what has gone is left alone."""
        self._backoff.forget(seed.domain)
        self._resolve_at[seed] = now + POLL_SECONDS * (1 - jitter / 2)
        self._found[seed] = {f"{seed.first}@{address}" for address in addresses} - {self._here}
        wanted = self._wanted()
        for node in [node for node in self._dial_at if node not in wanted]:
            del self._dial_at[node]
        for node in sorted(self._found[seed]):
            self._dial_at.setdefault(node, _NEVER if node in self._up else now)

    def not_resolved(self, seed: DnsSeed, reason: str, now: float, jitter: float) -> bool:
        """The domain has no addresses now; the known ones stay.  True if that is news (see `dial_failed`)."""
        is_news = self._backoff.reason(seed.domain) != reason
        self._resolve_at[seed] = self._backoff.failed(seed.domain, reason, now, jitter)
        return is_news

    def _wanted(self) -> set[str]:
        return self._named.union(*self._found.values())

    def _again(self, node: str, reason: str, now: float, jitter: float) -> bool:
        if node not in self._dial_at:
            return False  # no seed, or none any more
        is_news = self._backoff.reason(node) != reason
        self._dial_at[node] = self._backoff.failed(node, reason, now, jitter)
        return is_news


_NEVER: Final = float("inf")


async def addresses_of(domain: str, here: str) -> list[str]:
    """The addresses of *domain*, sorted: IPv6 where this node's own name (*here*) has one, else IPv4.

    A node is called by one address, so those of the other family would lead to nobody of that name.

    Raises:
        PyxError: there are none; the sentence says why.
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
