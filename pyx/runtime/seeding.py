"""Dials the nodes that the command line suggested (`--seed`) until connected, and again when lost.

See `net/seeds.py` for which and when.  A seed is not trusted more than any other node.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING

from pyx.errors import PyxError
from pyx.execution.node_log import log
from pyx.net.seeds import DialSeed, DnsSeed, Seed, SeedPlan, addresses_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.runtime.dispatch import Dispatch


class Seeding:
    """Follows the plan of one node on the transport's loop, between `start` and `stop`.

    Args:
        dispatch: makes the kernel connect.
        seeds: of the command line.
        name: this node's full name.
    """

    def __init__(self, dispatch: Dispatch, seeds: Sequence[Seed], name: str) -> None:
        self._dispatch = dispatch
        self._name = name
        self._plan = SeedPlan(seeds, name)
        self._timer: asyncio.TimerHandle | None = None
        self._lookups: set[asyncio.Task[None]] = set()
        self._runs = False

    def start(self) -> None:
        """Begins to dial; on the loop."""
        self._runs = True
        self._go_on()

    def stop(self) -> None:
        """Ends all dialling; on the loop."""
        self._runs = False
        if self._timer is not None:
            self._timer.cancel()
        for lookup in self._lookups:
            lookup.cancel()

    # ------------------------------------------------------------ news of nodes, from any thread

    def node_up(self, node: str) -> None:
        """Notes that *node* is connected."""
        self._note(lambda: self._plan.node_up(node))

    def node_down(self, node: str) -> None:
        """Notes that *node* is not connected any more."""
        self._note(lambda: self._plan.node_down(node, time.monotonic(), _jitter()))

    def dial_failed(self, node: str, reason: str) -> None:
        """Notes that a dial failed; each reason is logged once, because the dial is repeated."""

        def note() -> None:
            if self._plan.dial_failed(node, reason, time.monotonic(), _jitter()):
                log.warning("the seed %s cannot be reached: %s", node, reason)

        self._note(note)

    def _note(self, note: Callable[[], None]) -> None:
        def and_go_on() -> None:
            if self._runs:
                note()
                self._go_on()

        self._dispatch.transport_loop.soon(and_go_on)

    # ------------------------------------------------------------ on the loop

    def _go_on(self) -> None:
        """Dials what is due, and sets a timer for what will be."""
        loop = asyncio.get_running_loop()
        for task in self._plan.due(time.monotonic()):
            if isinstance(task, DialSeed):
                with self._dispatch.kernel_call as kernel:
                    kernel.sessions.suggest(task.node)
            else:
                lookup = loop.create_task(self._look_up(task.seed))
                self._lookups.add(lookup)
                lookup.add_done_callback(self._lookups.discard)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._plan.next_due()
        if at is not None:
            self._timer = loop.call_later(max(0.0, at - time.monotonic()), self._go_on)

    async def _look_up(self, seed: DnsSeed) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                addresses = await addresses_of(seed.domain, self._name)
            except PyxError as error:
                if self._plan.not_resolved(seed, str(error), time.monotonic(), _jitter()):
                    log.warning("the seed %s leads nowhere: %s", seed.domain, error)
            else:
                self._plan.resolved(seed, addresses, time.monotonic(), _jitter())
            self._go_on()


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads retries
