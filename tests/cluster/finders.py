"""What a strategy sees first, for tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.cluster.sighting import Strategy

HERE = "gus@10.0.0.5"


def seen(
    strategy: Strategy, number: int = 1, between: Callable[[], Any] = lambda: None, *, whole: bool = True
) -> list[Any]:
    """The first sightings of a strategy, each as a sorted list; only the whole ones, if others may come."""

    async def collect() -> list[Any]:
        found: list[Any] = []
        async for sighting in strategy.sightings():
            if not sighting.whole:
                assert not whole
                continue
            found.append(sorted(sighting.nodes))
            if len(found) == number:
                break
            between()
        return found

    return asyncio.run(collect())
