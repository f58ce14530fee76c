"""intervals.py: messages of an interval are due on a grid; it ends with its receiver, or its owner."""

from __future__ import annotations

import random

import pytest

from pyx.core.intervals import following, interval_has_ended
from pyx.terms import Pid
from tests.core.conversation import Node


def test_lateness_of_a_message_does_not_delay_the_next_ones() -> None:
    due = 100.0
    for late in (0.0, 0.3, 0.9, 0.0):
        due = following(due, 1.0, due + late)
    assert due == 104.0


def test_overdue_messages_are_left_out_and_the_next_one_is_on_the_grid() -> None:
    assert following(100.0, 1.0, 3700.25) == 3701.0


def test_next_message_is_never_due_in_the_past() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        due, every = chance.uniform(0, 1e6), 10 ** chance.uniform(-3, 4)
        now = due + chance.choice([0.0, chance.uniform(0, 5 * every)])
        assert now < following(due, every, now) <= now + every * 1.001 + 1e-6


@pytest.mark.parametrize("by", ["pid", "name", "name and node", "alias"])
def test_interval_ends_with_a_receiver_of_this_node(by: str) -> None:
    node = Node("a@h", 1)
    gus = node.process()
    node.registry.register(gus.pid, "gus")
    dest = {"pid": gus.pid, "name": "gus", "name and node": ("gus", "a@h"), "alias": node.router.alias(gus)}[
        by
    ]
    assert not interval_has_ended(node.tables, dest, None)
    node.process_signals.process_exited(gus, "normal")
    assert interval_has_ended(node.tables, dest, None)


def test_interval_for_another_node_ends_with_the_process_that_set_it() -> None:
    node = Node("a@h", 1)
    owner = node.process()
    far = Pid(1, 0, "b@h", 2)
    assert not interval_has_ended(node.tables, far, owner.pid)
    node.process_signals.process_exited(owner, "normal")
    assert interval_has_ended(node.tables, far, owner.pid)
    assert not interval_has_ended(node.tables, ("name", "b@h"), None)
