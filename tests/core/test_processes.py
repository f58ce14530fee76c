"""processes.py: a pid is never used twice, and the table finds live processes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.core import processes
from pyx.core.kernel import Kernel
from pyx.core.processes import NO_LINKS, NOTHING, ProcessTable
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Callable


def test_pids_count_up() -> None:
    table = ProcessTable()
    assert [table.new_pid() for _ in range(2)] == [Pid(1), Pid(2)]


def test_pid_serial_counts_up_at_a_wrap_and_numbers_in_use_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "MAX_NUMBER", 3)
    kernel = Kernel()
    old, _ = kernel.process_signals.process_started("def")
    kernel.tables.dead_pid()
    kernel.tables.dead_pid()
    young, _ = kernel.process_signals.process_started("def")
    assert old.pid == Pid(1)
    assert young.pid == Pid(2, 1)
    assert kernel.tables.find(Pid(2, 0)) is None
    assert kernel.tables.find(Pid(2, 1)) is young
    assert kernel.router.send(None, Pid(2, 0), "for the process of the earlier serial")
    assert len(young.mailbox) == 0


def test_repr_of_a_process_names_pid_kind_and_end() -> None:
    kernel = Kernel()
    process, _ = kernel.process_signals.process_started("async def")
    assert repr(process) == "<Process #PID<0.1.0> async def>"
    kernel.process_signals.process_exited(process, "normal")
    assert repr(process) == "<Process #PID<0.1.0> async def ended>"


def test_processes_share_empty_tables_until_the_first_entry() -> None:
    kernel = Kernel()
    one, _ = kernel.process_signals.process_started("def")
    other, _ = kernel.process_signals.process_started("def")
    assert one.links is NO_LINKS
    kernel.process_signals.link(one, other.pid)
    kernel.process_signals.monitor(one, other.pid)
    kernel.router.alias(one)
    assert (list(one.links), list(other.links)) == ([other.pid], [one.pid])
    assert (len(one.monitors), len(one.aliases), len(other.monitored_by)) == (1, 1, 1)
    assert (one.monitored_by, other.monitors, other.aliases) == (NOTHING, NOTHING, NOTHING)
    assert (list(NO_LINKS), NOTHING) == ([], {})


@pytest.mark.parametrize(
    "write",
    [
        lambda table: table.__setitem__("key", 1),
        lambda table: table.setdefault("key", 1),
        lambda table: table.update(key=1),
        lambda table: table.__ior__({"key": 1}),
    ],
    ids=["set", "setdefault", "update", "|="],
)
def test_shared_empty_table_takes_no_entry(write: Callable[[dict[str, int]], object]) -> None:
    with pytest.raises(AssertionError, match="this empty table is shared"):
        write(NOTHING)
    assert NOTHING == {}
    assert NOTHING.pop("key", None) is None
