"""processes.py: a pid is never used twice, and the table finds live processes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.core import processes
from pyx.core.kernel import Kernel
from pyx.core.processes import ProcessTable
from pyx.terms import Pid

if TYPE_CHECKING:
    import pytest


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
