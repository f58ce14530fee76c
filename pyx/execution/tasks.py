"""`async def` processes: tasks on the process loop, a thread and loop of pyx's own (or the application's).

The tasks that such a process has made are cancelled at its end; a loop that the application closes ends the
processes on it.

Not here: waiting for messages (`receiving.py`); threads for plain functions (`threads.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pyx.errors import Exit
from pyx.execution.context import current
from pyx.execution.loop_thread import FutureSlot, LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyx.execution.runner import Finished, Runner
    from pyx.execution.slots import Slot

    Guests: TypeAlias = dict[asyncio.Task[None], tuple[Runner, Finished]]


SHUTDOWN: Final = "shutdown"
"""Why a process ended whose loop the application has closed, or whose task it has cancelled (OTP's word)."""

_CLOSED_LOOP_SECONDS: Final = 1.0
"""How often a loop of the application's is looked at: it says nothing when it is closed."""


class ProcessLoop:
    """Where `async def` processes run: pyx's own thread, or the loop that `Node.start(loop=)` gave.

    Args:
        later: `later(seconds, function)` calls the function on a thread that never waits.
    """

    def __init__(self, later: Callable[[float, Callable[[], None]], object]) -> None:
        self._own = LoopThread("pyx-process-loop", prepare=_watch_tasks)
        self._given: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        """What runs on pyx's own loop, which keeps only a weak reference to a task."""
        self._guests: Guests = {}
        """What runs on a loop of the application's."""
        self._later = later
        self._looks = False
        # Made once: a bound method for each of a hundred thousand processes is as many objects more.  Not of
        # this object, which would be a cycle then.
        self._forget: Final = functools.partial(_forget, self._tasks, self._guests)
        self._stop: Final = functools.partial(_stop, self._own, self._guests)

    def use(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Runs processes that start from now on in the application's loop (None: in pyx's own)."""
        if loop is not None and loop is not self._given:
            _watch_tasks(loop)
        self._given = loop

    def start(
        self,
        runner: Runner,
        make: Callable[[], Coroutine[Any, Any, Any]],
        finished: Finished,
    ) -> None:
        """Runs the coroutine that *make* returns as the process of *runner*; then reports as `threads` does.

        Callable from any thread; the coroutine is made on the loop, by the process itself.
        """
        loop = self._given or self._own.start()
        begin = functools.partial(self._begin, runner, make, finished)
        if not self._soon(loop, begin):
            finished(runner, RuntimeError("the event loop that Node.start was given is closed"), None)
        elif loop is not self._own.loop and not self._looks:
            self._looks = True
            self._later(_CLOSED_LOOP_SECONDS, self._look_for_closed_loops)

    def _look_for_closed_loops(self) -> None:
        _end_those_of_closed_loops(self._guests)
        self._looks = bool(self._guests)
        if self._looks:
            self._later(_CLOSED_LOOP_SECONDS, self._look_for_closed_loops)

    def _begin(
        self, runner: Runner, make: Callable[[], Coroutine[Any, Any, Any]], finished: Finished
    ) -> None:
        context = contextvars.Context()
        context.run(current.set, runner)
        loop = asyncio.get_running_loop()
        # Not by the loop's `create_task`: this task is the process, not one that the process has made.
        task = asyncio.Task(_body(runner, make, finished), loop=loop, context=context)
        if loop is self._own.loop:
            self._tasks.add(task)
        else:
            self._guests[task] = runner, finished
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
        """Runs *coroutine* on the process loop under a process that lives elsewhere (the shell's).

        It runs in *context*, so no thread may be in that one until the visit is over.
        """
        visit = CoroutineRun(coroutine, done)
        context.run(current.set, runner)
        loop = self._given or self._own.start()
        visit.cancel = lambda: self._soon(loop, visit.cancel_on_loop)
        self._soon(loop, lambda: visit.begin(context))
        return visit

    def _soon(self, loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> bool:
        """Runs *function* on *loop*; False if that is closed."""
        return _soon(self._own, loop, function)

    def slot(self) -> FutureSlot:
        """A slot on the running loop."""
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
        """Cancels it; from any thread."""

    def begin(self, context: contextvars.Context) -> None:
        """On the loop: starts it."""
        self._task = asyncio.get_running_loop().create_task(self._run(), context=context)
        self._task.add_done_callback(self._ended)

    def cancel_on_loop(self) -> None:
        """On the loop: cancels it."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        before = sys.gettrace()
        try:
            self._value = await self._coroutine
        except BaseException as error:
            self._error = error
        if sys.gettrace() is not before:  # a debugger that was left by `next` would go on in the loop
            sys.settrace(before)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # before its first step
            self._coroutine.close()
            self._error = asyncio.CancelledError()
        self.over = True
        self._done.wake()

    def outcome(self) -> Any:
        """Its value; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._value


async def _body(
    runner: Runner,
    make: Callable[[], Coroutine[Any, Any, Any]],
    finished: Finished,
) -> None:
    error: BaseException | None = None
    value: Any = None
    gate = runner.gate
    try:
        gate.enter()  # between spawn and here it may have been killed
        coroutine = make()
        del make  # a process of long life does not keep the arguments it was started with
        value = await coroutine
    except GeneratorExit:
        if runner.over:
            return  # its loop was closed
        raise
    except asyncio.CancelledError as cancelled:
        error = Exit(SHUTDOWN) if not gate.closed and _was_cancelled() else cancelled
    except BaseException as raised:
        error = raised
    current.set(None)  # the end of a process is not its act: a dead one could not even say that it ended
    try:
        finished(runner, error, value)
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise error  # Ctrl-C is for the application whose loop this is
    finally:
        error = value = None  # its traceback holds this frame


def _was_cancelled() -> bool:
    """True if the application has cancelled this task, as `asyncio.run` does at its end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def cancel_left_over(runner: Runner) -> None:
    """Cancels the tasks that a process has made and left behind; from any thread."""
    for task in runner.take_left_over():
        with contextlib.suppress(RuntimeError):  # its loop is closed
            task.get_loop().call_soon_threadsafe(task.cancel)


def _close(coroutines: list[Any]) -> None:
    for coroutine in coroutines:
        with contextlib.suppress(BaseException):  # the user's; the process is over, and has no report
            coroutine.close()


def _watch_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Has each process know the tasks that it makes on *loop*, for they end with it.

    A task of no process (`aio.detached`) is not noted.
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


def _stop(own: LoopThread, guests: Guests, runner: Runner) -> None:
    task = runner.task
    if task is None:  # it has just come to its end
        return
    if not _soon(own, task.get_loop(), functools.partial(_cancel, task)):
        _end_those_of_closed_loops(guests)


def _end_those_of_closed_loops(guests: Guests) -> None:
    over = [task for task in list(guests) if task.get_loop().is_closed()]
    for task in over:
        guest = guests.pop(task, None)
        if guest is not None:
            runner, finished = guest
            task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 - told here
            finished(runner, Exit(SHUTDOWN), None)
    if over:
        # Their `finally` blocks are the user's code, which may wait: on a thread of their own.
        coroutines = [task.get_coro() for task in over]
        threading.Thread(target=_close, args=(coroutines,), name="pyx-closing", daemon=True).start()


def _forget(tasks: set[asyncio.Task[None]], guests: Guests, task: asyncio.Task[None]) -> None:
    tasks.discard(task)
    guests.pop(task, None)
    task.exception()  # a Ctrl-C has been raised in the loop already: asyncio need not tell of it


def _cancel(task: asyncio.Task[None]) -> None:
    """Cancels the task of a killed process, unless it has not begun: a task cancelled then runs no line.

    It will look for itself when it begins.
    """
    if inspect.getcoroutinestate(cast("Coroutine[Any, Any, None]", task.get_coro())) != inspect.CORO_CREATED:
        task.cancel()
