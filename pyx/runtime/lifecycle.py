"""How each kind of process starts, runs user code and ends with a reason.

See `pyx.core` for links and monitors, `pyx.execution` for threads and tasks, and `shell_process.py` for the
shell's process.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Coroutine
from inspect import CO_COROUTINE
from types import AsyncGeneratorType, FunctionType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from pyx import fast_paths
from pyx.core.processes import Caller
from pyx.errors import EncodeError, Exit, ProcessKilled, RpcRefused, UndefinedFunction
from pyx.execution import stdout_router, tracebacks
from pyx.execution.context import current
from pyx.execution.kill_retry import KillRetry
from pyx.execution.node_log import log
from pyx.execution.reading_waits import may_be_answered_on_loop
from pyx.execution.runner import Runner
from pyx.execution.tasks import ReturnedCoroutine, cancel_left_over
from pyx.execution.thread_state import runs_loop, thread
from pyx.execution.threads import run_process
from pyx.runtime import rpc_functions
from pyx.runtime.early_start import loaded_call
from pyx.runtime.encoding import decode_reason, decoded, encoded, encoded_call, encoded_reason
from pyx.signals import Payload
from pyx.terms import Raised
from pyx.wire.codec import encode, encode_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyx.core.effects import RunProcess, StartProcess
    from pyx.core.kernel import Kernel
    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Host
    from pyx.execution.tasks import ProcessLoop
    from pyx.execution.thread_pool import Pool
    from pyx.runtime.dispatch import Dispatch
    from pyx.runtime.sending import Sending
    from pyx.signals import Reason
    from pyx.terms import Pid, Ref


class ReportedExit(Exit):
    """Ends the process that raises it with *reason*, and logs *title* and *text*; without a text nothing."""

    def __init__(self, reason: Any, title: str, text: str) -> None:
        super().__init__(reason)
        self.title = title
        self.text = text


class Lifecycle:
    """Starts and ends the processes of one node.

    Args:
        host: the node, for its processes.
        dispatch: of the node.
        sending: of the node; it knows the limit of a message.
        pool: the threads of `def` processes.
        tasks: the loop of `async def` processes.
    """

    def __init__(
        self, host: Host, dispatch: Dispatch, sending: Sending, pool: Pool, tasks: ProcessLoop
    ) -> None:
        self._host = host
        self._dispatch = dispatch
        self._kernel = dispatch.kernel
        self._sending = sending
        self._pool = pool
        self._tasks = tasks
        self.kills = KillRetry(dispatch.transport_loop.later, time.monotonic)
        self._starts_early = fast_paths.enabled
        self._ended: Final = self._finished  # made once: a bound method for each process is one more object

    # ------------------------------------------------------------ for a process of this node

    def spawn(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None = None,
        *,
        link: bool = False,
        monitor: bool = False,
    ) -> tuple[Pid, Ref | None]:
        """Starts *function* as a process; *args* and *kwargs* are encoded now and decoded by it.

        Raises:
            EncodeError: an argument is not data.
        """
        kind = "async def" if rpc_functions.is_coroutine_function(function) else "def"
        call = rpc_functions.initial_call(function, len(args) + (len(kwargs) if kwargs else 0))
        body = self.with_copies(function, args, kwargs) if args or kwargs else function
        return self._spawn(kind, call, body, link=link, monitor=monitor)

    def with_copies(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any] | None
    ) -> Callable[[], Any]:
        """Returns a call of *function* with copies of the arguments, made by each call; raises as `spawn`."""
        limit = self._sending.max_message_bytes
        payload = encoded(args, limit, what="args")
        named = encoded(dict(kwargs), limit, what="kwargs") if kwargs else None

        def body() -> Any:
            by_name = {} if named is None else decoded(named, self._kernel)
            return function(*decoded(payload, self._kernel), **by_name)

        return body

    def spawn_named(
        self,
        module: str,
        function: str,
        args: list[Any],
        kwargs: Mapping[str, Any] | None = None,
        *,
        link: bool = False,
        monitor: bool = False,
    ) -> tuple[Pid, Ref | None]:
        """Starts a function by its name; a missing one is the new process's failure, as in Erlang."""
        payload = encoded_call(module, function, args, self._sending.max_message_bytes, kwargs)

        def body() -> Any:
            from pyx.runtime.chosen_functions import chosen_function  # not needed before the first prompt

            return chosen_function(self._kernel.tables, None, *decoded(payload, self._kernel))()

        call = module, function, len(args) + len(kwargs or ())
        return self._spawn("def", call, body, link=link, monitor=monitor)

    def _spawn(
        self, kind: str, call: tuple[str, str, int], body: Callable[[], Any], *, link: bool, monitor: bool
    ) -> tuple[Pid, Ref | None]:
        runner = current.get()
        parent = runner.process if runner is not None else None
        with self._dispatch.kernel_call as kernel:
            # An effect has it run: a caller that is killed half-way leaves no process that nothing runs.
            process, ref = kernel.process_signals.process_started(
                kind,
                parent=parent.pid if parent is not None else None,
                initial_call=call,
                body=body,
                link_to=parent if link else None,
                monitored_by=parent if monitor else None,
            )
            process.runner = Runner(self._host, process)
        return process.pid, ref

    def run_here(self, effect: RunProcess) -> None:
        """Runs a process that `spawn` has started."""
        process, body = effect
        self._run(process.runner, body, on_loop=process.kind == "async def")

    # ------------------------------------------------------------ for a peer

    def start_for_peer(self, start: StartProcess) -> None:
        """Runs the call that a peer sent, as a process that the kernel has in its tables already."""
        process, payload = start
        runner = process.runner = Runner(self._host, process)
        if not process.alive:  # killed before it had a runner to stop
            runner.gate.closed = True
        early = loaded_call(payload, self._kernel) if self._starts_early and payload.origin else None
        if early is not None:
            (module, name, args, kwargs), function = early
            process.initial_call = module, name, len(args) + len(kwargs)  # and lets go of the payload
            on_loop = type(function) is FunctionType and bool(function.__code__.co_flags & CO_COROUTINE)
            if process.call is None:
                process.kind = "async def" if on_loop else "def"
            self._run(runner, functools.partial(function, *args, **kwargs), on_loop=on_loop)
            return

        def body() -> Any:
            from pyx.runtime.chosen_functions import chosen_function

            module, function, args, *kwargs = decoded(payload, self._kernel)
            # The payload is let go of.
            process.initial_call = module, function, len(args) + sum(map(len, kwargs[:1]))
            call = chosen_function(self._kernel.tables, payload.origin, module, function, args, *kwargs)
            if process.call is None:
                process.kind = "def"  # until it returns a coroutine, as an `async def` does
            return call()

        self._run(runner, body, on_loop=False)

    # ------------------------------------------------------------ running and ending

    def _run(self, runner: Runner, body: Callable[[], Any], *, on_loop: bool) -> None:
        try:
            if on_loop:
                self._tasks.start(runner, body, self._ended)
            else:
                self._pool.run(functools.partial(run_process, runner, body, self._returned))
        except (RuntimeError, OSError) as error:  # the system has no thread or file descriptor left
            self._finished(runner, error, None)

    def _returned(self, runner: Runner, error: BaseException | None, value: Any) -> None:
        # A function found by name may turn out to be an `async def`: it goes on on the process loop.
        if error is None and isinstance(value, Coroutine):  # asyncio takes generators for one on 3.11
            runner.process.kind = "async def" if runner.process.call is None else runner.process.kind
            self._tasks.start(runner, ReturnedCoroutine(value), self._ended)
        else:
            self._finished(runner, error, value)

    def _finished(self, runner: Runner, error: BaseException | None, value: Any) -> None:
        """Ends the process after its code: answers its caller, and tells its links and monitors."""
        process = runner.process
        leaves_something = runner.ended()
        if self.kills.dying:
            self.kills.ended(runner)
        if leaves_something:
            cancel_left_over(runner)
            stdout_router.finish_line(runner, newline=True)
            self._dispatch.flush(runner)
        if process.alive:
            try:
                end = self._end_of(process, error, value)
            except BaseException:  # to describe an exception runs code of the user's
                nameless = RuntimeError("an exception that cannot be described")
                end = self._end_of(process, nameless, None)
            caller = process.call  # read once: a kill takes it away
            if caller is not None:
                self._read_after(caller.node)
            decide, *rest = end
            if thread.state.inside:  # it found no thread to run on, and ends inside the call that started it
                self._dispatch.defer(decide, *rest)
            elif decide == self._end and rest[-1]:
                with log.report(), self._dispatch.kernel_call:  # its DOWN may end the program
                    decide(*rest)
            else:
                with self._dispatch.kernel_call:
                    decide(*rest)
        process.runner = None  # with the cycle cut, all of it is freed at once

    def _read_after(self, node: str) -> None:
        """Has this thread read what *node* sends after the answer: the next call, most likely."""
        peer = self._kernel.tables.peers.get(node)
        connection = peer.connection if peer is not None else None
        if connection is None:
            return
        state = thread.state
        if not state.is_pooled:
            if runs_loop():
                may_be_answered_on_loop(connection)
        elif connection.watch.lend():
            state.answered = connection

    def _end_of(self, process: ProcessRecord, error: BaseException | None, value: Any) -> tuple[Any, ...]:
        """Returns the function that ends the process in a kernel call, and its arguments."""
        if type(process.call) is Caller:
            finish = self._kernel.requests.call_finished
            if error is None:
                try:
                    encodes = encode_payload if type(value) is bytes else encode  # a call less for most
                    result = Payload(encodes(value, what="result", max_bytes=self._sending.max_message_bytes))
                except (EncodeError, MemoryError) as unsendable:
                    error = unsendable
                else:
                    return finish, process, "value", result
            return finish, process, *self._failed_answer(error)
        error = error or _idle_generator(value)
        reason, crashed = reason_of(error, self._sending.max_message_bytes)
        if isinstance(error, ReportedExit):
            return self._end, process, reason, error.title, error.text
        text = tracebacks.traceback_text(error) if crashed and error is not None else ""
        return self._end, process, reason, "", text

    def _end(self, process: ProcessRecord, reason: Reason, title: str, report: str) -> None:
        if report:
            self._kernel.printing.process_crashed(process, report, title)
        self._kernel.process_signals.process_exited(process, reason)

    def _failed_answer(self, error: BaseException) -> tuple[str, Payload | str]:
        limit = self._sending.max_message_bytes
        if isinstance(error, RpcRefused) and error.node == self._kernel.tables.name:
            return (
                "refused",
                error.policy,
            )  # by this node, not by one that the function called
        if isinstance(error, UndefinedFunction):
            return "undefined", encoded((error.module, error.function), limit)
        if isinstance(error, (Exit, SystemExit, ProcessKilled)):
            return "exit", reason_of(error, limit)[0]
        return "raised", encoded(tracebacks.as_value(error), limit)

    def shell_exit(self, process: ProcessRecord, frm: Pid, reason: Reason) -> None:
        """Shows the exit signal that a shell received; the shell goes on."""
        text = exit_text(self._kernel, frm, reason)
        self._dispatch.defer(self._kernel.printing.print_lines, frm, process.pid, text)


def exit_text(kernel: Kernel, frm: Pid, reason: Reason) -> str:
    """Returns what a shell shows of an exit signal: the pid and the reason, in IEx's words."""
    return exit_text_of(frm, decode_reason(kernel, reason))


def exit_text_of(frm: Pid, reason: Any) -> str:
    """Returns the line about the end of process *frm* with the decoded *reason*."""
    if isinstance(reason, Raised):
        return f"** (EXIT from {frm}) {reason.type}: {reason.text}\n"
    return f"** (EXIT from {frm}) {reason if isinstance(reason, str) else repr(reason)}\n"


def _idle_generator(value: Any) -> TypeError | None:
    """Returns the failure of a process whose function returned a generator: none of its lines has run."""
    if isinstance(value, GeneratorType):
        if inspect.getgeneratorstate(value) != inspect.GEN_CREATED:
            return None
    elif not isinstance(value, AsyncGeneratorType):
        return None
    error = TypeError(
        f"the process has run nothing: its function returned the generator {value.__qualname__}"
    )
    error.add_note("hint: spawn a function that loops over it")
    return error


def reason_of(error: BaseException | None, limit: int) -> tuple[Reason, bool]:
    """Returns the exit reason for what a process raised, and whether that is a crash to report.

    Args:
        error: what its code raised; None if it returned.
        limit: the longest encoded reason, in bytes.
    """
    if error is None:
        return "normal", False
    if isinstance(error, ProcessKilled):
        return "killed", False
    if isinstance(error, Exit):
        return encoded_reason(error.reason, limit), False
    if isinstance(error, SystemExit):
        is_normal = error.code in (None, 0)  # no set: a code may have no hash
        return ("normal" if is_normal else encoded_reason(error.code, limit)), False
    return encoded_reason(tracebacks.as_value(error), limit), True
