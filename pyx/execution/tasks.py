"""`async def` processes: tasks on the process loop, a thread and loop of pyx's own (or the application's).

The tasks that such a process has made are cancelled at its end; a loop that the application closes ends the
processes on it.  See `threads.py` for `def` processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import sys
import threading
from asyncio.events import _get_running_loop
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pyx.errors import Exit, ProcessKilled
from pyx.execution.context import current
from pyx.execution.loop_thread import FutureSlot, LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyx.execution.runner import Finished, Runner
    from pyx.execution.slots import Slot

    Make: TypeAlias = Callable[[], Coroutine[Any, Any, Any]]


SHUTDOWN: Final = "shutdown"
"""Exit reason of a process whose loop the application closed, or whose task it cancelled (as in OTP)."""

PROCESS_LOOP: Final = "pyx-process-loop"
"""The name of pyx's own thread for `async def` processes."""

_CLOSED_LOOP_SECONDS: Final = 1.0
"""Seconds between two checks whether a loop of the application is closed: asyncio does not notify."""


_LOOP_IS_CLOSED: Final = "the event loop that Node.start was given is closed"


class _Guests:
    """The processes on loops of the application, which may close a loop at any time."""

    def __init__(self) -> None:
        self.starts: Final[dict[Runner, tuple[asyncio.AbstractEventLoop, Make, Finished]]] = {}
        """Processes that wait for the callback with which they begin: a closed loop has dropped it."""
        self.tasks: Final[dict[asyncio.Task[None], tuple[Runner, Finished]]] = {}
        """Processes that have begun."""

    def __bool__(self) -> bool:
        return bool(self.starts or self.tasks)


class ProcessLoop:
    """The loop of `async def` processes: on pyx's own thread, or the one passed to `Node.start(loop=)`.

    Args:
        later: `later(seconds, function)` calls the function on a thread that never blocks.
    """

    def __init__(self, later: Callable[[float, Callable[[], None]], object]) -> None:
        self._own = LoopThread(PROCESS_LOOP, prepare=_watch_tasks)
        self._given: asyncio.AbstractEventLoop | None = None
        self._guests: Final = _Guests()
        self._later = later
        self._looks = False
        # Made once: a bound method for each of 100,000 processes would be 100,000 objects more.  They do not
        # hold this object, which would be a reference cycle.
        self._forget: Final = functools.partial(_forget, self._guests)
        self._stop: Final = functools.partial(_stop, self._own, self._guests)

    def use(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Runs processes that start from now on in *loop*, the application's (None: in pyx's own)."""
        if loop is not None and loop is not self._given:
            _watch_tasks(loop)
        self._given = loop

    def start(
        self,
        runner: Runner,
        make: Make,
        finished: Finished,
    ) -> None:
        """Runs the coroutine that *make* returns as the process of *runner*; then calls *finished*.

        Callable from any thread.  *make* is called on the loop, as the process.  See `threads.run_process`
        for *finished*.

        Raises:
            RuntimeError, OSError: the system has no thread, or no file descriptor, left for pyx's own loop.
        """
        given = self._given
        if given is None:
            own = self._own
            if _get_running_loop() is (own.loop or own.start()):
                self._begin(runner, make, finished)  # a task runs no line before this callback has ended
            else:
                own.soon_after(functools.partial(self._begin, runner, make, finished))
        else:
            self._guests.starts[runner] = given, make, finished
            if self._soon(given, functools.partial(self._begin_as_guest, runner)):
                self._look_later()
            elif self._guests.starts.pop(runner, None) is not None:  # else a look has found the loop closed
                _close_unless_begun(make)
                finished(runner, RuntimeError(_LOOP_IS_CLOSED), None)

    def _look_later(self) -> None:
        if not self._looks:
            self._looks = True
            self._later(_CLOSED_LOOP_SECONDS, self._look_for_closed_loops)

    def _look_for_closed_loops(self) -> None:
        _end_those_of_closed_loops(self._guests)
        # First False, then the look: a process that begins meanwhile is seen, or asks for a look itself.
        self._looks = False
        if self._guests:
            self._look_later()

    def _begin(self, runner: Runner, make: Make, finished: Finished) -> None:
        """Makes the task of a process on pyx's own loop.

        The loop has only weak references to tasks.  This one is kept by the runner, that by the process, and
        that by the kernel's table while it is alive, then by `KillRetry` until its code has ended.
        """
        context = contextvars.Context()
        context.run(current.set, runner)
        # Not by the loop's `create_task`: this task is the process, not a task made by a process.
        runner.task = asyncio.Task(_body(runner, make, finished), loop=self._own.loop, context=context)
        runner.stop_task = self._stop

    def _begin_as_guest(self, runner: Runner) -> None:
        """Makes the task of a process on a loop of the application."""
        loop, make, finished = self._guests.starts.pop(runner)
        context = contextvars.Context()
        context.run(current.set, runner)
        task = asyncio.Task(_body(runner, make, finished), loop=loop, context=context)
        self._guests.tasks[task] = runner, finished
        self._look_later()  # its loop may have been blocked since the start, through the last look
        task.add_done_callback(self._forget, context=context)
        runner.task = task
        runner.stop_task = self._stop

    def run(
        self,
        runner: Runner | None,
        coroutine: Coroutine[Any, Any, Any],
        done: Slot,
        context: contextvars.Context,
    ) -> CoroutineRun:
        """Runs *coroutine* on the process loop as a process that has a thread elsewhere (the shell's).

        It runs in *context*, which no thread may have entered until the run is over.
        """
        run = CoroutineRun(coroutine, done)
        context.run(current.set, runner)
        loop = self._given or self._own.start()
        run.cancel = lambda: self._soon(loop, run.cancel_on_loop)
        if not self._soon(loop, lambda: run.begin(context)):
            run.refuse(RuntimeError(_LOOP_IS_CLOSED))
        return run

    def _soon(self, loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> bool:
        """Runs *function* on *loop*; returns False if the loop is closed."""
        return _soon(self._own, loop, function)

    def slot(self) -> FutureSlot:
        """Returns a new slot on the running loop."""
        loop = asyncio.get_running_loop()
        return FutureSlot(loop, self._own if loop is self._own.loop else None)


class CoroutineRun:
    """A coroutine that runs on the process loop while a thread waits for it."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: Slot) -> None:
        self._coroutine = coroutine
        self._done = done
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._value: Any = None
        self.over = False
        self.cancel: Callable[[], object] = self.cancel_on_loop
        """Cancels the coroutine; callable from any thread."""

    def begin(self, context: contextvars.Context) -> None:
        """Starts the coroutine; called on the loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), context=context)
        self._task.add_done_callback(self._ended)

    def refuse(self, error: RuntimeError) -> None:
        """Makes *error* the outcome of the coroutine, which does not run."""
        self._coroutine.close()
        self._error = error
        self.over = True
        self._done.wake()

    def cancel_on_loop(self) -> None:
        """Cancels the coroutine; called on the loop."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        before = sys.gettrace()
        try:
            self._value = await self._coroutine
        except BaseException as error:
            self._error = error
        if sys.gettrace() is not before:  # a debugger left by `next` would trace the loop
            sys.settrace(before)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # before its first step
            self._coroutine.close()
            self._error = asyncio.CancelledError()
        self.over = True
        self._done.wake()

    def outcome(self) -> Any:
        """Returns the value of the coroutine, or raises its exception."""
        if self._error is not None:
            raise self._error
        return self._value


class ReturnedCoroutine:
    """A coroutine that the function of a process has made on a thread; called on the loop, which runs it."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine = coroutine

    def __call__(self) -> Coroutine[Any, Any, Any]:
        """Returns the coroutine."""
        return self.coroutine


async def _body(
    runner: Runner,
    make: Make,
    finished: Finished,
) -> None:
    error: BaseException | None = None
    value: Any = None
    gate = runner.gate
    try:
        if gate.closed:  # the process was killed since its spawn
            _close_unless_begun(make)
            gate.refuse()
        coroutine = make()
        del make  # a long-lived process does not keep its arguments alive
        value = await coroutine
    except GeneratorExit as raised:
        if is_from_outside(raised, runner):
            if runner.over:
                return  # its loop was closed
            raise
        error = raised
    except asyncio.CancelledError as cancelled:
        error = Exit(SHUTDOWN) if not gate.closed and is_from_outside(cancelled, runner) else cancelled
    except BaseException as raised:
        error = raised
    current.set(None)  # a dead process cannot act, so it could not report its own end
    try:
        finished(runner, error, value)
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise error  # Ctrl-C belongs to the application whose loop this is
    finally:
        error = value = None  # its traceback holds this frame


def is_from_outside(error: BaseException, runner: Runner) -> bool:
    """Returns True if *error* ends the code of a process from outside: nothing that it called has raised it.

    That is a CancelledError of a task that is cancelled, by a kill or by the application as `asyncio.run`
    does at its end, and a GeneratorExit of a coroutine that is closed.  Code that raises these, or awaits
    what was cancelled, is wrong in the way of any other exception.
    """
    if not isinstance(error, (asyncio.CancelledError, GeneratorExit)):
        return False
    task = asyncio.current_task() if _get_running_loop() is not None else None
    if isinstance(error, GeneratorExit):
        return runner.over or task is not runner.task
    return task is not None and task.cancelling() > 0


def is_end_of_process(error: BaseException, runner: Runner) -> bool:
    """Returns True for an exception that ends the process of *runner*, and is not a failure of its code.

    That is a kill, the end of its task from outside, and Ctrl-C where it runs on the application's loop.
    """
    if isinstance(error, KeyboardInterrupt):
        return threading.current_thread() is threading.main_thread()
    return isinstance(error, ProcessKilled) or is_from_outside(error, runner)


def cancel_left_over(runner: Runner) -> None:
    """Cancels the tasks and requests that a process has made and left; callable from any thread."""
    for request in runner.take_requests():
        with contextlib.suppress(BaseException):  # its callbacks are the user's, in a process that has ended
            request.cancel()
    for task in runner.take_left_over():
        with contextlib.suppress(RuntimeError):  # its loop is closed
            task.get_loop().call_soon_threadsafe(task.cancel)


def _close_unless_begun(make: Make) -> None:
    if type(make) is ReturnedCoroutine:
        make.coroutine.close()  # else Python warns that it was never awaited


def _close(coroutines: list[Any]) -> None:
    for coroutine in coroutines:
        with contextlib.suppress(
            BaseException
        ):  # a user's exception; the process is over and has no report any more
            coroutine.close()


def _watch_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Records which process makes which task on *loop*: the tasks of a process end with it.

    A task made outside processes (`aio.detached`) is not recorded.
    """
    make_task = loop.get_task_factory()

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        if make_task is None:
            task = asyncio.Task(coroutine, loop=loop, **options)
        else:
            task = cast("asyncio.Task[Any]", make_task(loop, coroutine, **options))
        context = options.get("context")
        runner = context.get(current) if context is not None else current.get()
        if runner is not None:
            runner.left_over.add(task)
            task.add_done_callback(runner.left_over.discard)
            if runner.gate.closed:
                loop.call_soon(task.cancel)
        return task

    loop.set_task_factory(make)


def _soon(own: LoopThread, loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> bool:
    if loop is own.loop:
        own.soon_after(function)  # a spawn returns before its process runs
        return True
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:  # the application closed its loop
        return False
    return True


def _stop(own: LoopThread, guests: _Guests, runner: Runner) -> None:
    task = runner.task
    if task is None:  # it has just come to its end
        return
    if not _soon(own, task.get_loop(), functools.partial(_cancel, task)):
        _end_those_of_closed_loops(guests)


def _end_those_of_closed_loops(guests: _Guests) -> None:
    for runner, (loop, make, finished) in list(guests.starts.items()):
        if loop.is_closed() and guests.starts.pop(runner, None) is not None:
            _close_unless_begun(make)
            finished(runner, Exit(SHUTDOWN), None)
    over = [task for task in list(guests.tasks) if task.get_loop().is_closed()]
    for task in over:
        guest = guests.tasks.pop(task, None)
        if guest is not None:
            runner, finished = guest
            task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 - told here
            finished(runner, Exit(SHUTDOWN), None)
    if over:
        # Their `finally` blocks are user code, which may block: they run on a thread of their own.
        coroutines = [task.get_coro() for task in over]
        threading.Thread(target=_close, args=(coroutines,), name="pyx-closing", daemon=True).start()


def _forget(guests: _Guests, task: asyncio.Task[None]) -> None:
    guests.tasks.pop(task, None)
    task.exception()  # marks the exception as retrieved: a Ctrl-C has been raised in the loop already


def _cancel(task: asyncio.Task[None]) -> None:
    """Cancels the task of a killed process, unless the task has not begun.

    A task cancelled before its first step runs no line; this one checks its gate when it begins.
    """
    if inspect.getcoroutinestate(cast("Coroutine[Any, Any, None]", task.get_coro())) != inspect.CORO_CREATED:
        task.cancel()
