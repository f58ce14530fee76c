"""prompt_signals.py: Signals while a prompt is read, and just as it has ended."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from pyx.shell.prompt_signals import PromptSignals

if TYPE_CHECKING:
    from collections.abc import Callable


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def read(signals: PromptSignals, *happens: Callable[[], object]) -> None:
    """Reads one prompt, calling *happens* meanwhile."""
    with signals.caught():
        for happen in happens:
            happen()


def interrupt() -> None:
    send(signal.SIGINT)


def test_sigint_ends_the_prompt_that_is_shown() -> None:
    ends: list[BaseException] = []
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, lambda: signals.prompt_shown(ends.append), interrupt)
    assert [type(end) for end in ends] == [KeyboardInterrupt]


def test_sigint_before_the_prompt_is_shown_ends_it_once_it_is() -> None:
    ends: list[BaseException] = []
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, interrupt, lambda: signals.prompt_shown(ends.append))
    assert [type(end) for end in ends] == [KeyboardInterrupt]


def test_sigint_just_after_the_prompt_has_ended_is_raised() -> None:
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, lambda: signals.prompt_shown(lambda _error: None), interrupt)


def test_sigint_of_one_prompt_does_not_end_the_next() -> None:
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, interrupt)
    read(signals, lambda: signals.prompt_shown(lambda error: pytest.fail(repr(error))))


def test_system_exit_takes_precedence_over_sigint() -> None:
    signals = PromptSignals()
    with pytest.raises(SystemExit):
        read(signals, interrupt, lambda: signals.end_prompt(SystemExit(143)), interrupt)


def test_end_prompt_is_false_where_no_prompt_is_read() -> None:
    signals = PromptSignals()
    assert not signals.end_prompt(SystemExit(143))
    with signals.caught():
        pass
    assert not signals.end_prompt(SystemExit(143))


def test_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGCONT)
    with PromptSignals().caught():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGCONT)) == before


def test_sigcont_calls_on_continue() -> None:
    calls: list[str] = []
    with PromptSignals(lambda: calls.append("back")).caught():
        send(signal.SIGCONT)
    assert calls == ["back"]
