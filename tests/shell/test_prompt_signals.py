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
    """One prompt, and what happens while it is read."""
    with signals.heard():
        for happen in happens:
            happen()


def interrupt() -> None:
    send(signal.SIGINT)


def test_an_interrupt_ends_the_prompt_that_is_shown() -> None:
    ends: list[BaseException] = []
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, lambda: signals.shown(ends.append), interrupt)
    assert [type(end) for end in ends] == [KeyboardInterrupt]


def test_one_that_comes_before_the_prompt_is_shown_ends_it_then() -> None:
    ends: list[BaseException] = []
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, interrupt, lambda: signals.shown(ends.append))
    assert [type(end) for end in ends] == [KeyboardInterrupt]


def test_one_that_comes_as_the_prompt_has_ended_is_raised() -> None:
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, lambda: signals.shown(lambda _error: None), interrupt)


def test_the_next_prompt_knows_nothing_of_it() -> None:
    signals = PromptSignals()
    with pytest.raises(KeyboardInterrupt):
        read(signals, interrupt)
    read(signals, lambda: signals.shown(lambda error: pytest.fail(repr(error))))


def test_an_exit_is_stronger_than_an_interrupt() -> None:
    signals = PromptSignals()
    with pytest.raises(SystemExit):
        read(signals, interrupt, lambda: signals.ask(SystemExit(143)), interrupt)


def test_nothing_is_asked_of_a_prompt_that_is_not_read() -> None:
    signals = PromptSignals()
    assert not signals.ask(SystemExit(143))
    with signals.heard():
        pass
    assert not signals.ask(SystemExit(143))


def test_the_handlers_are_those_from_before_again() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGCONT)
    with PromptSignals().heard():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGCONT)) == before


def test_a_return_to_the_foreground_is_told() -> None:
    returns: list[str] = []
    with PromptSignals(lambda: returns.append("back")).heard():
        send(signal.SIGCONT)
    assert returns == ["back"]
