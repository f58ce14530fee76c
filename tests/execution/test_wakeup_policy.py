"""wakeup_policy.py: A thread of a `def` process does not take the core from the thread that wakes it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from pyx import fast_paths
from pyx.execution.thread_pool import Pool
from pyx.execution.wakeup_policy import wake_without_preempting

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="this system has no SCHED_BATCH")


def on_a_thread(work: Callable[[], object]) -> int:
    """Runs *work* on a thread of its own; returns the policy of that thread afterwards."""
    found: list[int] = []

    def run() -> None:
        work()
        found.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def plain() -> None:
    if on_a_thread(lambda: None) != os.SCHED_OTHER:
        pytest.skip("the tests were started with a policy of their own")


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("enabled", [True, False])
def test_thread_of_the_pool_has_the_policy_and_the_thread_that_started_it_keeps_its_own(
    enabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_paths, "enabled", enabled)
    found: list[int] = []
    ran = threading.Event()

    def job() -> None:
        found.append(os.sched_getscheduler(0))
        ran.set()

    Pool().run(job)
    ran.wait(30)
    assert found == [os.SCHED_BATCH if enabled else os.SCHED_OTHER]
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.usefixtures("plain")
def test_policy_that_a_program_was_started_with_stays() -> None:
    def idle() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        wake_without_preempting()

    assert on_a_thread(idle) == os.SCHED_IDLE


def test_sandbox_that_forbids_the_call_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    wake_without_preempting()
