"""holder_blocks.py: the entries of a key that many processes hold are read as a dict of them is."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pyx.core.holder_blocks import BLOCK, HolderBlocks
from pyx.core.spaces import Entry, Space
from pyx.signals import Held
from tests.core.conversation import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = b"\xa1k"


@pytest.fixture
def made() -> Iterator[Entry]:
    """New entries, numbered from 1."""
    node = Node("a@h", 1)
    space, process = Space("s", None, unique=False, replicated=False), node.process()
    return (Entry(space, Held(process.pid, number, "s", KEY, 1), process, None) for number in range(1, 10**6))


def numbers(entries: Iterator[Entry] | list[Entry]) -> list[int]:
    return [entry.held.number for entry in entries]


@pytest.mark.parametrize("seed", range(5))
def test_holders_are_the_same_as_in_a_dict(seed: int, made: Iterator[Entry]) -> None:
    chance = random.Random(seed)
    first = next(made)
    model = {first.held.number: first}
    blocks = HolderBlocks(dict(model))
    for step in range(6 * BLOCK):
        if chance.random() < (0.8 if step < 4 * BLOCK else 0.1) or not model:
            entry = next(made)
            blocks[entry.held.number] = model[entry.held.number] = entry
        else:
            number = chance.choice(list(model))
            assert blocks.pop(number) is model.pop(number)
            assert blocks.pop(number) is None
    assert len(blocks) == len(model)
    assert list(blocks.values()) == list(model.values())
    assert list(reversed(blocks)) == list(reversed(model))
    assert blocks.pop(0) is None


def test_holders_that_are_all_gone_may_come_again(made: Iterator[Entry]) -> None:
    first, second = next(made), next(made)
    blocks = HolderBlocks({1: first})
    assert blocks.pop(1) is first
    assert (len(blocks), list(blocks.values()), list(reversed(blocks)), blocks.pop(1)) == (0, [], [], None)
    blocks[2] = second
    assert (len(blocks), numbers(blocks.values())) == (1, [2])


@pytest.mark.parametrize("count", [BLOCK, 3 * BLOCK + 7])
def test_space_goes_on_behind_a_number_whatever_has_gone(count: int, made: Iterator[Entry]) -> None:
    space = Space("s", None, unique=False, replicated=False)
    entries = [next(made) for _ in range(count)]
    for at in range(0, count, 100):
        space.add(KEY, entries[at : at + 100])
    assert (type(space.holders[KEY]) is dict) == (count == BLOCK)
    assert (space.newest(KEY), space.newest(b"none")) == (count, 0)
    at, seen, skipped = 0, [], []
    while found := space.entries_after(KEY, at, count - 1, 50):
        seen += numbers(found)
        at = seen[-1]
        skipped += [at + 1]
        for gone in (at - 1, at + 1):  # of those that were read, and of those that are to come
            space.holders[KEY].pop(gone, None)
    assert [one for one in sorted(seen + skipped) if one < count] == list(range(1, count))
    assert space.entries_after(b"none", 0, 9, 9) == []
