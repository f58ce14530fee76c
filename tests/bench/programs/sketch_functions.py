"""What the sketch calls."""

from __future__ import annotations


def add(a: int, b: int) -> int:
    return a + b


async def add_async(a: int, b: int) -> int:
    return a + b
