"""termination.py: Signals that end a run, whatever it is in the middle of.

White box: the handler is called as Python would call it, with the frame that a signal has interrupted.
"""

from __future__ import annotations

import signal
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution import interrupts
from pyx.shell import termination as room
from pyx.shell.termination import Termination

if TYPE_CHECKING:
    from types import FrameType


class Run:
    """A run, the clock beside it, and what became of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.at_work = False
        self.asked_again = 0
        self.ended: list[int] = []
        self.leaving = Termination(lambda: None)
        monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(room, "interrupts", SimpleNamespace(is_at_work=lambda _: self.at_work))
        monkeypatch.setattr(self.leaving, "_ask_again", self._ask_again)
        monkeypatch.setattr(self.leaving, "_end_now", self.ended.append)

    def _ask_again(self, number: int) -> None:
        assert number == signal.SIGTERM
        self.asked_again += 1

    def gets_signal(self) -> None:
        frame: FrameType = sys._getframe()
        self.leaving._on_signal(signal.SIGTERM, frame)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(monkeypatch)


def test_the_first_signal_raises_in_user_code(run: Run) -> None:
    with pytest.raises(SystemExit) as raised:
        run.gets_signal()
    assert raised.value.code == 143
    assert run.ended == []


def test_the_second_one_ends_what_swallowed_the_first(run: Run) -> None:
    with pytest.raises(SystemExit):
        run.gets_signal()
    run.now += 1
    run.gets_signal()
    assert run.ended == [143]


def test_the_same_signal_twice_at_once_is_one(run: Run) -> None:
    with pytest.raises(SystemExit):
        run.gets_signal()
    run.now += 0.01
    run.gets_signal()
    assert run.ended == []


def test_pyx_at_work_is_asked_again_and_not_for_ever(run: Run) -> None:
    run.at_work = True
    run.gets_signal()
    run.now += 1
    run.gets_signal()
    assert (run.asked_again, run.ended) == (2, [])
    run.now += 1
    run.gets_signal()
    assert run.ended == [143]


def test_a_prompt_ends_by_itself_and_one_that_hangs_at_the_second_signal(run: Run) -> None:
    told: list[Any] = []
    run.leaving.end_prompt = lambda error: told.append(error) or True
    run.gets_signal()
    assert [error.code for error in told] == [143]
    run.now += 1
    run.gets_signal()
    assert (len(told), run.ended) == (1, [143])


def test_a_run_that_is_ending_is_left_alone_once(run: Run) -> None:
    run.leaving.is_ending = True
    run.at_work = True
    run.gets_signal()
    assert (run.asked_again, run.ended) == (0, [])
    run.now += 1
    run.gets_signal()
    assert run.ended == [143]


def test_lost_output_is_the_exit_code_1_unless_the_code_failed_by_itself(run: Run) -> None:
    assert run.leaving.exit_code(0) == 0
    run.leaving.output_was_lost()
    assert (run.leaving.exit_code(0), run.leaving.exit_code(5)) == (1, 5)
    with pytest.raises(SystemExit) as raised:
        run.gets_signal()
    assert raised.value.code == 1


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    with Termination(lambda: None).caught(interactive=False):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before
    assert interrupts.is_at_work(None) is False
