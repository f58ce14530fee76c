"""interrupts.py: Signals on the main thread: Ctrl-C and a program's own handlers, inside pyx and outside."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution import interrupts
from pyx.execution.slots import LockSlot
from pyx.execution.thread_state import thread
from tests.local_nodes import HANG, in_kernel, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def pyx_handler() -> Iterator[None]:
    """Installs pyx's handler of SIGINT in place of the test runner's."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupts.guard_main_thread()
    yield
    signal.signal(signal.SIGINT, before)
    assert not interrupts.pending_interrupt.noted
    interrupts.pending_interrupt.repeated = False


@pytest.mark.usefixtures("pyx_handler")
class TestCtrlC:
    def test_ctrl_c_is_raised_in_user_code(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    def test_ctrl_c_is_pending_in_a_kernel_call_and_raised_at_its_end(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        assert interrupts.pending_interrupt.noted
        thread.state.inside = False
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_pending()
        interrupts.raise_pending()  # once

    def test_ctrl_c_is_sent_again_where_no_kernel_call_follows(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            run_on()

    def test_ctrl_c_is_sent_again_until_it_is_handled(self) -> None:
        asked = 0

        def handler(signum: int, frame: FrameType | None) -> None:
            nonlocal asked
            asked += 1
            interrupts.interrupted(signum, frame)

        signal.signal(signal.SIGINT, handler)
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        until(lambda: asked >= 4)
        with pytest.raises(KeyboardInterrupt):
            run_on()

    def test_ctrl_c_repeated_while_being_raised_is_raised_once(self) -> None:
        """The signal is sent again at the moment when the interrupt is raised at the end of a kernel call."""
        interrupts.pending_interrupt.repeated = True
        signal.raise_signal(signal.SIGINT)
        assert not interrupts.pending_interrupt.repeated
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    def test_second_ctrl_c_while_one_is_pending_is_not_raised_again(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        thread.state.inside = False
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_pending()

    def test_ctrl_c_is_not_raised_by_a_kernel_call_of_another_thread(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGINT)
        other = threading.Thread(target=interrupts.raise_pending)
        other.start()
        other.join(HANG)
        thread.state.inside = False
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_pending()

    def test_one_thread_at_a_time_sends_a_pending_signal_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two at a time would be a second Ctrl-C: one comes back as the handled one, the other as new."""
        pending = interrupts.PendingInterrupt()
        pending.noted = True
        started, sent = list[Any](), list[Any]()
        monkeypatch.setattr(_thread, "start_new_thread", lambda send, args: started.append((send, args)))

        def sends(*what: Any) -> None:
            sent.append(what)
            pending.noted = False

        monkeypatch.setattr(signal, "pthread_kill", sends)
        interrupts.send_again(signal.SIGTERM, pending)
        interrupts.send_again(signal.SIGTERM, pending)
        (send, first), (_, second) = started
        send(*first)
        assert sent == []
        send(*second)
        assert len(sent) == 1

    def test_interrupt_main_thread_ends_a_wait(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            interrupt_and_wait()

    def test_other_pending_signals_are_sent_again(self) -> None:
        pending = interrupts.PendingInterrupt()
        pending.noted = True
        came = 0

        def handler(*_: object) -> None:
            nonlocal came
            came += 1
            pending.noted = came < 3

        before = signal.signal(signal.SIGTERM, handler)
        try:
            interrupts.send_again(signal.SIGTERM, pending)
            until(lambda: came >= 3)  # another one may be on its way
        finally:
            signal.signal(signal.SIGTERM, before)


def interrupt_and_wait() -> None:
    threading.Thread(target=interrupts.interrupt_main_thread).start()
    wait_for(threading.Event())


def run_on() -> None:
    """Leaves the kernel call, and runs user code until it is interrupted."""
    thread.state.inside = False
    wait_for(threading.Event())


class TestFramesAtWork:
    def frame(self) -> FrameType:
        return sys._getframe(1)

    def test_user_code_is_not_pyx_at_work(self) -> None:
        assert not interrupts.is_at_work(self.frame())
        assert not interrupts.is_at_work(None)

    def test_frames_of_pyx_are_pyx_at_work(self) -> None:
        assert code_of("pyx.runtime.receiving")(is_caller_at_work)

    def test_library_code_works_for_its_caller(self) -> None:
        library = code_of("threading")
        assert not library(is_caller_at_work)
        assert (
            code_of("pyx.runtime.receiving")(lambda: library(is_caller_at_work)) is False
        )  # this lambda is user code
        assert code_of("pyx.runtime.receiving", "lambda ask: library(ask)", library=library)(
            is_caller_at_work
        )

    def test_code_made_by_namedtuple_works_for_its_caller(self) -> None:
        made = eval("lambda ask: ask()", {"__name__": "namedtuple_Point"})
        assert not made(is_caller_at_work)
        assert code_of("pyx.runtime.receiving", "lambda ask: made(ask)", made=made)(is_caller_at_work)

    def test_wait_of_pyx_is_not_pyx_at_work(self) -> None:
        thread.state.waiting = True
        try:
            assert not interrupts.is_at_work(self.frame())
            thread.state.inside = True
            assert interrupts.is_at_work(self.frame())
        finally:
            thread.state.inside = thread.state.waiting = False


def is_caller_at_work() -> bool:
    """Returns whether the caller's frame is pyx at work."""
    return interrupts.is_at_work(sys._getframe(1))


def code_of(module: str, source: str = "lambda ask: ask()", **names: object) -> Callable[..., bool]:
    """Compiles *source* as if it were in the file of *module*."""
    file = sys.modules[module].__file__
    assert file is not None
    made: Callable[..., bool] = eval(compile(source, file, "eval"), names)
    return made


class Deadline(Exception):
    """The exception of the program's own handler."""


def call_and_run_on(work: Callable[..., object], *args: object) -> None:
    """Calls *work*, then runs user code until it is interrupted."""
    work(*args)
    wait_for(threading.Event())


@pytest.fixture
def deadline() -> Iterator[None]:
    def handler(*_: object) -> None:
        raise Deadline

    before = signal.signal(signal.SIGALRM, handler)
    interrupts.guard_main_thread()
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("deadline")
class TestHandlerOfTheProgram:
    def test_signal_handler_runs_at_once_in_user_code(self) -> None:
        with pytest.raises(Deadline):
            signal.raise_signal(signal.SIGALRM)

    def test_signal_handler_runs_at_the_end_of_the_interrupted_kernel_call(self, node: LocalNode) -> None:
        decided: list[str] = []

        def kernel_work() -> None:
            signal.raise_signal(signal.SIGALRM)
            decided.append("to the end")

        with pytest.raises(Deadline):
            call_and_run_on(in_kernel, node, kernel_work)
        assert decided == ["to the end"]

    def test_signal_handler_runs_before_the_kernel_call_returns(self, node: LocalNode) -> None:
        """A loop that calls pyx and nothing else hardly ever runs outside a kernel call."""
        left: list[str] = []

        def works() -> None:
            in_kernel(node, signal.raise_signal, signal.SIGALRM)
            left.append("the kernel call")

        with pytest.raises(Deadline):
            works()
        assert not left
        assert not interrupts.pending_handlers

    def test_signal_handler_that_has_run_does_not_run_for_the_repeated_signal(self, node: LocalNode) -> None:
        wrapper: Any = signal.getsignal(signal.SIGALRM)
        wrapper.repeated = True  # as if it were sent again at the moment when it runs
        signal.raise_signal(signal.SIGALRM)
        with pytest.raises(Deadline):
            signal.raise_signal(signal.SIGALRM)

    def test_signal_handler_runs_though_the_handler_of_another_signal_raises(self, node: LocalNode) -> None:
        came = threading.Event()
        before = signal.signal(signal.SIGUSR1, lambda *_: came.set())
        interrupts.guard_main_thread()

        def kernel_work() -> None:
            signal.raise_signal(signal.SIGALRM)
            signal.raise_signal(signal.SIGUSR1)

        try:
            with pytest.raises(Deadline):
                in_kernel(node, kernel_work)
            wait_for(came)
        finally:
            signal.signal(signal.SIGUSR1, before)

    def test_signal_handler_may_call_pyx(self, node: LocalNode) -> None:
        asked: list[object] = []
        before = signal.signal(signal.SIGUSR1, lambda *_: asked.append(in_kernel(node, list)))
        interrupts.guard_main_thread()
        try:
            in_kernel(node, signal.raise_signal, signal.SIGUSR1)
            assert asked == [[]]
        finally:
            signal.signal(signal.SIGUSR1, before)

    def test_pending_signal_handler_is_dropped_in_a_forked_child(self) -> None:
        thread.state.inside = True
        signal.raise_signal(signal.SIGALRM)
        interrupts.forget_pending_handlers()
        thread.state.inside = False
        interrupts.run_pending_handlers()
        with pytest.raises(Deadline):
            signal.raise_signal(signal.SIGALRM)

    def test_signal_handler_runs_after_the_interrupted_encoding(self) -> None:
        def encodes() -> None:
            code_of("pyx.runtime.encoding", "lambda raise_signal: raise_signal(14)")(signal.raise_signal)

        with pytest.raises(Deadline):
            call_and_run_on(encodes)

    def test_signal_handler_that_raises_ends_a_wait_of_pyx(self, node: LocalNode) -> None:
        def waits() -> None:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            slot = LockSlot()
            slot.wait(HANG)

        with pytest.raises(Deadline):
            waits()

    def test_signal_handler_set_after_the_start_is_wrapped_at_the_next_kernel_call(
        self, node: LocalNode
    ) -> None:
        def another(*_: object) -> None:
            raise KeyError

        def kernel_work() -> None:
            signal.raise_signal(signal.SIGALRM)

        signal.signal(signal.SIGALRM, another)
        with pytest.raises(KeyError):
            call_and_run_on(in_kernel, node, kernel_work)

    def test_signal_handler_put_back_from_getsignal_still_runs(self) -> None:
        """`old = signal.getsignal(...)`, and later `signal.signal(..., old)`."""
        wrapper = signal.getsignal(signal.SIGALRM)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, wrapper)
        with pytest.raises(Deadline):
            signal.raise_signal(signal.SIGALRM)


@pytest.mark.usefixtures("pyx_handler")
class TestUnderAsyncioRun:
    """Ctrl-C cancels the main task, as without pyx; a second one interrupts."""

    def test_first_ctrl_c_cancels_the_main_task(self) -> None:
        seen: list[str] = []

        async def main() -> None:
            try:
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(HANG)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
        assert seen == ["cancelled"]

    def test_second_ctrl_c_raises_in_the_running_code(self) -> None:
        seen: list[str] = []

        async def main() -> None:
            signal.raise_signal(signal.SIGINT)
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                seen.append("interrupted")

        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(main())
        assert seen == ["interrupted"]

    def test_ctrl_c_in_a_kernel_call_cancels_the_main_task_at_its_end(self, node: LocalNode) -> None:
        seen: list[str] = []

        def kernel_work() -> None:
            signal.raise_signal(signal.SIGINT)
            seen.append("kernel call")

        async def main() -> None:
            in_kernel(node, kernel_work)
            try:
                await asyncio.sleep(HANG)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
        assert seen == ["kernel call", "cancelled"]

    def test_handler_of_a_run_that_began_before_pyx_is_replaced(self) -> None:
        seen: list[str] = []

        async def main() -> None:
            interrupts.guard_main_thread()
            assert signal.getsignal(signal.SIGINT) is interrupts.interrupted
            try:
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(HANG)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
        assert seen == ["cancelled"]


def test_handler_is_not_changed_by_other_threads() -> None:
    before = signal.getsignal(signal.SIGINT)
    guard = threading.Thread(target=interrupts.guard_main_thread)
    guard.start()
    guard.join(HANG)
    assert signal.getsignal(signal.SIGINT) is before


def test_pending_interrupt_is_taken_once_and_by_the_main_thread_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[bool] = []
    monkeypatch.setattr(
        interrupts, "pending_interrupt", interrupts.PendingInterrupt()
    )  # no earlier one is sent again
    interrupts.pending_interrupt.noted = True
    other = threading.Thread(target=lambda: taken.append(interrupts.take_pending()))
    other.start()
    other.join(HANG)
    taken += [interrupts.take_pending(), interrupts.take_pending()]
    assert taken == [False, True, False]
