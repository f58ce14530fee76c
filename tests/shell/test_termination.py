"""termination.py: Signals that end a run, whatever it is doing.

White box: the handler is called as Python calls it, with the frame that a signal has interrupted.
"""

from __future__ import annotations

import signal
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution import interrupts
from pyx.shell import termination as module
from pyx.shell.termination import Termination

if TYPE_CHECKING:
    from types import FrameType


class Run:
    """A run with a clock of its own, and the exit codes with which it was ended by force."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.at_work = False
        self.sent_again = 0
        self.ended: list[int] = []
        self.termination = Termination(lambda: None)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(module, "interrupts", SimpleNamespace(is_at_work=lambda _: self.at_work))
        monkeypatch.setattr(self.termination, "_send_again", self._send_again)
        monkeypatch.setattr(self.termination, "_end_now", self.ended.append)

    def _send_again(self, number: int) -> None:
        assert number == signal.SIGTERM
        self.sent_again += 1

    def receive_signal(self) -> None:
        frame: FrameType = sys._getframe()
        self.termination._on_signal(signal.SIGTERM, frame)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(monkeypatch)


def test_first_signal_raises_system_exit_in_user_code(run: Run) -> None:
    with pytest.raises(SystemExit) as raised:
        run.receive_signal()
    assert raised.value.code == 143
    assert run.ended == []


def test_second_signal_ends_code_that_swallowed_the_first(run: Run) -> None:
    with pytest.raises(SystemExit):
        run.receive_signal()
    run.now += 1
    run.receive_signal()
    assert run.ended == [143]


def test_signal_repeated_within_100_ms_counts_once(run: Run) -> None:
    with pytest.raises(SystemExit):
        run.receive_signal()
    run.now += 0.01
    run.receive_signal()
    assert run.ended == []


def test_signal_during_pyx_s_own_work_is_sent_again_for_two_seconds(run: Run) -> None:
    run.at_work = True
    run.receive_signal()
    run.now += 1
    run.receive_signal()
    assert (run.sent_again, run.ended) == (2, [])
    run.now += 1
    run.receive_signal()
    assert run.ended == [143]


def test_signal_ends_the_prompt_and_the_second_one_a_prompt_that_hangs(run: Run) -> None:
    errors: list[Any] = []
    run.termination.end_prompt = lambda error: errors.append(error) or True
    run.receive_signal()
    assert [error.code for error in errors] == [143]
    run.now += 1
    run.receive_signal()
    assert (len(errors), run.ended) == (1, [143])


def test_first_signal_does_not_disturb_a_run_that_is_ending(run: Run) -> None:
    run.termination.is_ending = True
    run.at_work = True
    run.receive_signal()
    assert (run.sent_again, run.ended) == (0, [])
    run.now += 1
    run.receive_signal()
    assert run.ended == [143]


def test_lost_output_is_exit_code_1_unless_the_code_failed_by_itself(run: Run) -> None:
    assert run.termination.exit_code(0) == 0
    run.termination.output_was_lost()
    assert (run.termination.exit_code(0), run.termination.exit_code(5)) == (1, 5)
    with pytest.raises(SystemExit) as raised:
        run.receive_signal()
    assert raised.value.code == 1


def test_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    with Termination(lambda: None).caught(interactive=False):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before
    assert interrupts.is_at_work(None) is False
