"""The pause of strategies that ask again and again."""

from __future__ import annotations

import asyncio
import random


async def pause(seconds: float) -> None:
    """Waits *seconds*, shortened."""
    await asyncio.sleep(shortened(seconds))


def shortened(seconds: float) -> float:
    """Returns *seconds*, shortened by up to a half by chance, so that many nodes do not ask in step."""
    return seconds * (1 - random.random() / 2)  # noqa: S311 - spreads questions
