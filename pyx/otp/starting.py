"""Starts of processes that say when they are ready: servers, supervisors, agents.  OTP's `proc_lib`.

The starter's half is one coroutine, for threads and for coroutines alike (see `runtime/request.py`):

    pid = wait("GenServer.start", start_process(body, (1, 2), what="Stock", name="stock", link=True))
    pid = await start_process(body, (1, 2), what="Stock")

The half of the started process is in *body*, which runs in it: it prepares, calls `init_done`, and goes on;
or it calls `init_ignored` or `init_failed`, or raises.  A process that ends before `init_done` has failed to
start.  The starter gets its answer in the step in which such a process has ended, so its name is free then.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pyx.core.kernel import load_late_parts
from pyx.core.tables import THE_NODE
from pyx.errors import Exit, NotAProcess, ProcessKilled
from pyx.execution import context, tracebacks
from pyx.execution.runner import Runner
from pyx.otp.start_errors import ServerAlreadyStarted, StartFailed
from pyx.otp.via import Via, claim_name
from pyx.process import Process
from pyx.runtime.arguments import checked_new_name, checked_seconds
from pyx.runtime.encoding import decode_reason
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import PendingAnswer
from pyx.runtime.rpc_functions import initial_call as name_of_call
from pyx.runtime.rpc_functions import is_coroutine_function
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyx.core.processes import ProcessRecord
    from pyx.otp.via import ProcessName
    from pyx.runtime.local_node import LocalNode

load_late_parts()  # used in kernel calls below, where nothing is imported

ANCESTORS: Final = "$ancestors"
"""The key of the process dictionary under which the starter's name or pid, and its own ancestors, stand."""

ALREADY_STARTED: Final = "already_started"
"""The first word of the reason with which a process ends whose name in a registry is taken."""


async def start_process(
    body: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    what: str,
    name: ProcessName | None = None,
    link: bool = False,
    timeout: float | None = None,
    initial_call: tuple[str, str, int] | None = None,
    is_known: bool = False,
) -> Pid | None:
    """Starts a process on this node and waits until it is ready; returns its pid, or None if it was ignored.

    Interrupted (Ctrl-C, a cancelled task), it kills what it has started: nothing knows the pid.

    Args:
        body: runs in the process: a `def` on a thread, an `async def` on the process loop.
        args: of *body*: data; the process gets its own copies.
        kwargs: the same by name.
        what: a word for what is started, for errors.
        name: registered in the step in which the process is made, before any line of it runs.
        link: links the process to the caller, which is a process, from its first moment.
        timeout: seconds until it is killed, if it is not ready; None: no limit.
        initial_call: as `Process.info` shows it; None: that of *body*.
        is_known: the caller has the pid all the same, and stops the process itself after Ctrl-C or SIGTERM.

    Raises:
        StartFailed: it ended before it was ready, or *timeout* is over; or the registry of a `via` fails.
        ServerAlreadyStarted: *name* is taken; nothing was run.
        NotAProcess: *link*, and the caller is not a process.
        EncodeError: an argument is not data.
        TypeError, ValueError: *timeout* or *name* is not one; nothing was run.
    """
    here = this_node()
    seconds = checked_seconds(timeout)
    if type(name) is Via:
        _check_is_free(name, what)
    with PendingAnswer(here) as pending:
        pid = spawn_process(
            body, args, kwargs, name=name, link=link, initial_call=initial_call, waiter=pending
        )
        try:
            in_time = await pending.wait(seconds)
        except ProcessKilled:  # a link tells the process; without one it goes on, as in OTP
            raise
        except BaseException as error:
            if not (is_known and isinstance(error, (KeyboardInterrupt, SystemExit))):
                _give_up(here, pid, link=link)
            raise
        if not in_time:
            _give_up(here, pid, link=link)
            raise StartFailed(what, "timeout")
    if pending.outcome == "exit":
        match decode_reason(here.kernel, pending.body):
            case (str(word), Pid() as holder) if word == ALREADY_STARTED and type(name) is Via:
                raise ServerAlreadyStarted(name, holder)
            case reason:
                raise StartFailed(what, reason)
    return pid if pending.outcome == "ready" else None


def spawn_process(
    body: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    name: ProcessName | None = None,
    link: bool = False,
    initial_call: tuple[str, str, int] | None = None,
    waiter: PendingAnswer | None = None,
) -> Pid:
    """Starts a process as `start_process` does, and returns its pid at once.

    A *waiter* gets the word of the process.
    """
    here = this_node()
    runner = context.current.get()
    if link and runner is None:
        raise NotAProcess("start_link()", "start() needs none, and makes no link")
    word: str | None = None
    if name is not None and not isinstance(name, Via):
        word = checked_new_name(name, "server", otherwise=", via(...) or None")
    call = initial_call or name_of_call(body, len(args) + len(kwargs or ()))
    kind = "async def" if is_coroutine_function(body) else "def"
    code = here.processes.with_copies(body, args, kwargs) if args or kwargs else body
    if isinstance(name, Via):
        code = functools.partial(_claiming, name, code)
    parent = runner.process if runner is not None else None
    with here.kernel_call as kernel:
        holder = kernel.registry.whereis(word) if word is not None else None
        if holder is None:
            process, _ = kernel.process_signals.process_started(
                kind,
                parent=parent.pid if parent is not None else None,
                initial_call=call,
                body=code,
                link_to=parent if link else None,
            )
            process.runner = Runner(here, process)
            if word is not None:
                kernel.registry.register(process.pid, word)
            if parent is not None:
                process.dictionary[ANCESTORS] = _ancestors(parent)
            if waiter is not None:
                waiter.number = kernel.starts.awaited(process, waiter)
            return process.pid
    raise ServerAlreadyStarted(name, holder)


def _check_is_free(name: Via, what: str) -> None:
    """Asks the registry of a name before anything is run, as OTP does: a refusal ends no linked starter.

    Raises:
        ServerAlreadyStarted: a process has the name.
        StartFailed: the registry fails; it may not be there.
    """
    try:
        holder = name.whereis()
    except Exception as error:  # of a registry of the user's
        raise StartFailed(what, tracebacks.as_value(error)) from error
    if holder is not None:
        raise ServerAlreadyStarted(name, holder)


def _claiming(name: Via, code: Callable[[], Any]) -> Any:
    """Takes a name in a registry, and then runs *code*; ends the process if the name was taken meanwhile."""
    process = context.require("a named start").process
    holder = claim_name(name, process.pid)
    if holder is not None:
        if process.parent is not None:
            Process.unlink(process.parent)  # the starter gets an exception, and not an exit signal
        raise Exit((ALREADY_STARTED, holder))
    return code()


def _ancestors(parent: ProcessRecord) -> list[str | Pid]:
    earlier = parent.dictionary.get(ANCESTORS)
    return [parent.name or parent.pid, *(earlier if isinstance(earlier, list) else ())]


def _give_up(here: LocalNode, pid: Pid, *, link: bool) -> None:
    """Kills a process that is not ready; the caller hears nothing of its end."""
    runner = context.current.get()
    with here.kernel_call as kernel:
        if link and runner is not None:
            kernel.process_signals.unlink(runner.process, pid)
        kernel.process_signals.exit(context.acting_pid() or THE_NODE, pid, "kill")


# ---------------------------------------------------------------- the half of the process that is started


def init_done() -> None:
    """Tells the starter that the running process is ready."""
    runner = context.require("init_done()")
    with node_of(runner).kernel_call as kernel:
        kernel.starts.ready(runner.process)


def init_ignored() -> NoReturn:
    """Ends the running process with the reason `"normal"`; `start_process` returns None."""
    runner = context.require("init_ignored()")
    with node_of(runner).kernel_call as kernel:
        kernel.starts.ignored(runner.process)
    raise Exit


def init_failed(reason: Any) -> NoReturn:
    """Ends the running process with *reason*, and with it the start: `StartFailed(reason)`."""
    raise Exit(reason)
