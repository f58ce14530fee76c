"""What a strategy sees first, for tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.cluster.sighting import Strategy

HERE = "gus@10.0.0.5"


def seen(strategy: Strategy, number: int = 1, between: Callable[[], Any] = lambda: None) -> list[Any]:
    """The first sightings of a strategy, each as a sorted list if it is whole."""

    async def collect() -> list[Any]:
        found: list[Any] = []
        async for sighting in strategy.sightings():
            assert sighting.whole
            found.append(sorted(sighting.nodes))
            if len(found) == number:
                break
            between()
        return found

    return asyncio.run(collect())
