"""partition_supervisor.py: one child several times, found by a key."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pyx import ChildSpecInvalid, EncodeError, PartitionSupervisor, Pid, aio, child, receive, self, send
from pyx.otp.partition_supervisor import partition_of
from tests.local_nodes import HANG, until
from tests.otp.supervised import in_process

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


async def echoes(boss: Pid, word: str = "echo") -> None:
    while True:
        message = await aio.receive()
        if message == "crash":
            raise RuntimeError("crash")
        await aio.send(boss, (word, message))


@in_process
def test_p24_children_are_numbered_and_found_by_key() -> None:
    sup = PartitionSupervisor.start_link((echoes, self()), name="parts", partitions=3)
    rows = PartitionSupervisor.which_children("parts")
    assert [row[0] for row in rows] == [2, 1, 0]
    by_id = {row[0]: row[1] for row in rows}
    for key in (0, 1, 2, 4, -1):
        assert PartitionSupervisor.via("parts", key).whereis() == by_id[abs(key) % 3]
    assert PartitionSupervisor.partitions("parts") == 3
    assert PartitionSupervisor.count_children(sup)["active"] == 3
    send(PartitionSupervisor.via("parts", "user"), "hello")
    assert receive(timeout=HANG) == ("echo", "hello")
    PartitionSupervisor.stop(sup)


@in_process
def test_key_finds_the_new_process_after_a_restart() -> None:
    PartitionSupervisor.start_link((echoes, self()), name="parts", partitions=2)
    name = PartitionSupervisor.via("parts", 1)
    first = name.whereis()
    send(name, "crash")
    until(lambda: name.whereis() not in {first, None})
    send(name, "again")
    assert receive(("echo", ...), timeout=HANG)[1] == "again"


@in_process
def test_arguments_of_each_partition_may_differ() -> None:
    PartitionSupervisor.start_link(
        child(echoes, self()),
        name="parts",
        partitions=2,
        with_arguments=lambda args, partition: (*args, f"word {partition}"),
    )
    for key in (0, 1):
        send(PartitionSupervisor.via("parts", key), "hi")
        assert receive(timeout=HANG) == (f"word {key}", "hi")


@in_process
def test_partitions_are_as_many_as_processors_unless_told() -> None:
    PartitionSupervisor.start_link((echoes, self()), name="parts")
    assert PartitionSupervisor.partitions("parts") == os.cpu_count()


def test_keys_spread_over_the_partitions_the_same_way_in_every_run() -> None:
    spread = Counter(partition_of(f"user {number}", 8) for number in range(8000))
    assert set(spread) == set(range(8))
    assert min(spread.values()) > 800
    assert [partition_of(key, 1000) for key in ("a", ("a", 1), True, 7)] == [31, 340, 23, 7]


@pytest.mark.parametrize("partitions", [0, -1, 1.5, "2"])
def test_number_of_partitions_without_a_meaning_is_refused(partitions: Any, node: LocalNode) -> None:
    with pytest.raises(ChildSpecInvalid, match="partitions is a number"):
        PartitionSupervisor.start_link(echoes, name="parts", partitions=partitions)


def test_unknown_partition_supervisor_is_named(node: LocalNode) -> None:
    with pytest.raises(ValueError, match="no partition supervisor 'nope'"):
        PartitionSupervisor.via("nope", 1).whereis()
    with pytest.raises(ValueError, match="no partition supervisor 'nope'"):
        PartitionSupervisor.partitions("nope")


@in_process
def test_key_that_is_not_data_is_refused() -> None:
    PartitionSupervisor.start_link((echoes, self()), name="parts", partitions=2)
    with pytest.raises(EncodeError, match="key"):
        PartitionSupervisor.via("parts", object()).whereis()


@in_process
def test_name_of_a_partition_cannot_be_taken_or_freed() -> None:
    PartitionSupervisor.start_link((echoes, self()), name="parts", partitions=2)
    with pytest.raises(ValueError, match="starts its children itself"):
        PartitionSupervisor.register_name(("parts", 1), self())
    with pytest.raises(ValueError, match="cannot be freed"):
        PartitionSupervisor.unregister_name(("parts", 1))
