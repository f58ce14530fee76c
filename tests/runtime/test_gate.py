"""The gate of one process, step by step; and the main thread under signals."""

from __future__ import annotations

import _thread
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.errors import ProcessKilled
from pyx.runtime import gate as gates
from pyx.runtime.context import thread
from pyx.runtime.gate import NO_GATE, Gate
from tests.staging import HANG, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Victim:
    """A thread that opened a gate and does some things, each when it is told to."""

    def __init__(self, *things: Callable[[Gate], object]) -> None:
        self.gate = Gate()
        self.raised = 0
        self._things = iter(things)
        self._ready: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._go: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._ready.get(timeout=HANG)

    def _run(self) -> None:
        self.gate.open(_thread.get_ident())
        over = False
        while not over:
            try:
                for thing in self._things:
                    self._ready.put(None)
                    self._go.get(timeout=HANG)  # C code: an exception from outside shows when this is over
                    thing(self.gate)
                over = True
            except ProcessKilled:
                self.raised += 1
        self._ready.put(None)

    def goes_on(self) -> None:
        """Returns when that thing is done, or was cut short."""
        self._go.put(None)
        self._ready.get(timeout=HANG)

    def ends(self) -> int:
        """How often it was killed."""
        self._thread.join(HANG)
        assert not self._thread.is_alive()
        return self.raised


def passes(gate: Gate) -> None:
    gate.enter()
    gate.leave()


def idles(_: Gate) -> None: ...


class TestKill:
    def test_a_thread_in_user_code_is_struck_once(self) -> None:
        victim = Victim(idles, idles, idles)
        victim.gate.kill()
        for _ in range(3):
            victim.goes_on()
        assert victim.ends() == 1

    def test_a_thread_inside_is_spared_and_raises_as_it_leaves(self) -> None:
        inside: list[str] = []

        def step(gate: Gate) -> None:
            gate.enter()
            try:
                gate.kill()  # by whomever: here by something that it did itself
                inside.append("to the end")
            finally:
                gate.leave()

        victim = Victim(step, idles)
        victim.goes_on()
        victim.goes_on()
        assert inside == ["to the end"]
        assert victim.ends() == 1

    def test_a_dead_process_never_passes_again(self) -> None:
        victim = Victim(idles, passes, passes)
        victim.gate.kill()
        for _ in range(3):
            victim.goes_on()
        assert victim.ends() == 3  # once from outside, twice by the gate

    def test_nothing_is_raised_from_outside_after_it_was_raised_from_inside(self) -> None:
        """The killer was held up between its mark and its look at the gate; the victim saw the mark."""
        victim = Victim(passes, idles)
        victim.gate.killed = True
        victim.goes_on()
        victim.gate.kill()  # the killer goes on
        victim.goes_on()
        assert victim.ends() == 1

    def test_nothing_is_raised_once_the_gate_is_closed(self) -> None:
        victim = Victim(Gate.close, idles)
        victim.goes_on()
        victim.gate.kill()
        victim.goes_on()
        assert victim.ends() == 0

    def test_closing_waits_for_a_killer_who_is_at_it(self) -> None:
        gate = Gate()
        gate._lock.acquire()  # the killer has it
        closing = threading.Thread(target=gate.close)
        closing.start()
        assert not gate._settled
        gate._lock.release()
        closing.join(HANG)
        assert gate._settled

    def test_a_gate_that_was_left_locked_harms_nobody(self) -> None:
        """The exception from outside struck between the taking of the lock and its first use."""
        victim = Victim(idles, passes, Gate.close)
        victim.gate.kill()
        victim.gate._lock.acquire()
        for _ in range(3):
            victim.goes_on()
        assert victim.ends() == 2

    def test_one_who_is_killed_before_his_thread_is_there_does_not_begin(self) -> None:
        gate = Gate()
        gate.kill()
        with pytest.raises(ProcessKilled):
            gate.open(_thread.get_ident())

    def test_a_mark_made_while_the_thread_opens_the_gate_is_seen(self) -> None:
        """The killer looked for a thread before there was one; so the thread has to look for the mark."""
        gate = Gate()
        gate._lock.acquire()
        outcome: list[str] = []

        def begin() -> None:
            try:
                gate.open(_thread.get_ident())
            except ProcessKilled:
                outcome.append("killed")

        beginner = threading.Thread(target=begin)
        beginner.start()
        gate.killed = True
        gate._lock.release()
        beginner.join(HANG)
        assert outcome == ["killed"]

    def test_a_task_has_no_thread_to_strike(self) -> None:
        gate = Gate()
        gate.enter()
        gate.leave()
        gate.kill()
        with pytest.raises(ProcessKilled):
            gate.enter()

    def test_its_thread_is_known_until_its_end(self) -> None:
        gate = Gate()
        assert gate.thread_ident is None
        gate.open(_thread.get_ident())
        assert gate.thread_ident == _thread.get_ident()
        gate.close()  # type: ignore[unreachable]
        assert gate.thread_ident is None

    def test_where_no_process_acts_everybody_passes(self) -> None:
        NO_GATE.enter()
        NO_GATE.enter()
        NO_GATE.leave()


# ---------------------------------------------------------------- signals


@pytest.fixture
def guarded() -> Iterator[None]:
    """Ours instead of whatever handler the test runner has."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    gates.guard_main_thread()
    yield
    signal.signal(signal.SIGINT, before)
    assert not gates.wish.noted
    gates.wish.repeated = False


@pytest.mark.usefixtures("guarded")
class TestCtrlC:
    def test_is_raised_in_user_code(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    def test_is_noted_inside_and_raised_on_the_way_out(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        assert gates.wish.noted
        thread.state.inside = False
        with pytest.raises(KeyboardInterrupt):
            gates.raise_noted()
        gates.raise_noted()  # once

    def test_is_asked_for_again_where_no_step_follows(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            go_on()

    def test_is_asked_for_again_as_long_as_it_takes(self) -> None:
        asked = threading.Semaphore(0)
        ask_again = gates.ask_again

        def counted(signum: int) -> None:
            ask_again(signum)
            asked.release()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gates, "ask_again", counted)
            thread.state.inside = True
            signal.raise_signal(signal.SIGINT)
            for _ in range(3):
                assert asked.acquire(timeout=HANG)
            with pytest.raises(KeyboardInterrupt):
                go_on()

    def test_one_that_was_raised_is_not_raised_again(self) -> None:
        """It was asked for again at the very moment when it was raised on the way out."""
        gates.wish.repeated = True
        signal.raise_signal(signal.SIGINT)
        assert not gates.wish.repeated
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    def test_a_second_one_while_the_first_is_noted_is_one_with_it(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        thread.state.inside = False
        with pytest.raises(KeyboardInterrupt):
            gates.raise_noted()

    def test_another_thread_that_leaves_a_step_does_not_raise_it(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        other = threading.Thread(target=gates.raise_noted)
        other.start()
        other.join(HANG)
        thread.state.inside = False
        with pytest.raises(KeyboardInterrupt):
            gates.raise_noted()

    def test_a_signal_that_means_the_main_thread_reaches_it(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            ask_and_wait()

    def test_other_signals_are_sent_again_too(self) -> None:
        came = threading.Event()
        before = signal.signal(signal.SIGTERM, lambda *_: came.set())
        try:
            gates.ask_again(signal.SIGTERM)
            wait_for(came)
        finally:
            signal.signal(signal.SIGTERM, before)


def ask_and_wait() -> None:
    threading.Thread(target=gates.interrupt_main_thread).start()
    wait_for(threading.Event())


def go_on() -> None:
    """User code that runs, and runs."""
    thread.state.inside = False
    wait_for(threading.Event())


class TestWhoIsAtWork:
    def frame(self) -> FrameType:
        return sys._getframe(1)

    def test_user_code_is_not(self) -> None:
        assert not gates.is_at_work(self.frame())
        assert not gates.is_at_work(None)

    def test_pyx_is(self) -> None:
        assert code_of("pyx.runtime.mail")(judgement)

    def test_library_code_works_for_its_caller(self) -> None:
        library = code_of("threading")
        assert not library(judgement)
        assert code_of("pyx.runtime.mail")(lambda: library(judgement)) is False  # by way of this lambda
        assert code_of("pyx.runtime.mail", "lambda judge: library(judge)", library=library)(judgement)

    def test_what_a_namedtuple_has_made_works_for_its_caller_too(self) -> None:
        made = eval("lambda judge: judge()", {"__name__": "namedtuple_Letter"})
        assert not made(judgement)
        assert code_of("pyx.runtime.mail", "lambda judge: made(judge)", made=made)(judgement)

    def test_a_wait_is_not(self) -> None:
        thread.state.waiting = True
        try:
            assert not gates.is_at_work(self.frame())
            thread.state.inside = True
            assert gates.is_at_work(self.frame())
        finally:
            thread.state.inside = thread.state.waiting = False


def judgement() -> bool:
    """Of whoever calls this."""
    return gates.is_at_work(sys._getframe(1))


def code_of(module: str, source: str = "lambda judge: judge()", **names: object) -> Callable[..., bool]:
    """Code that is compiled as if it stood in the file of that module."""
    file = sys.modules[module].__file__
    assert file is not None
    made: Callable[..., bool] = eval(compile(source, file, "eval"), names)
    return made


def test_a_program_with_a_handler_of_its_own_keeps_it() -> None:
    def mine(*_: object) -> None: ...

    before = signal.signal(signal.SIGINT, mine)
    try:
        gates.guard_main_thread()
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_leave_the_handler_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    guard = threading.Thread(target=gates.guard_main_thread)
    guard.start()
    guard.join(HANG)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_noted_interrupt_is_taken_once_and_by_the_main_thread_alone() -> None:
    taken: list[bool] = []
    gates.wish.noted = True
    other = threading.Thread(target=lambda: taken.append(gates.take_noted()))
    other.start()
    other.join(HANG)
    taken += [gates.take_noted(), gates.take_noted()]
    assert taken == [False, True, False]
