"""The loop of a server: takes messages one by one, calls the user's handlers, carries out their results.

As OTP's `gen_server`.  The loop is one coroutine, for servers on the process loop and for those on a thread:
there it awaits nothing (`run_on_thread`).
"""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pyx.errors import Exit, ReceiveTimeout
from pyx.execution import context, tracebacks
from pyx.execution.tasks import is_end_of_process
from pyx.otp.crash_reports import crash_text, cut_repr
from pyx.otp.handler_results import NOTHING, HandlerResult, Ignore, NoReply, Reply, Stop, as_result
from pyx.otp.planned_ends import is_planned
from pyx.otp.protocol import CALL, CAST, SYSTEM, raised_value, undefined_value
from pyx.otp.running_server import RunningServer
from pyx.otp.server_replies import reply_at_the_end, send_reply
from pyx.otp.starting import init_done, init_failed, init_ignored
from pyx.otp.system_requests import answer_system_request
from pyx.runtime.lifecycle import ReportedExit
from pyx.runtime.local_node import node_of
from pyx.runtime.receiving import ReceiveSearch
from pyx.runtime.sending import wait_for_room_async
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from pyx.otp.handle import Handler
    from pyx.otp.protocol import From
    from pyx.otp.served_object import ServedObject

TIMEOUT: Final = "timeout"
"""What `handle_info` is called with when no message came in the time that a handler has set."""


def run_on_thread(loop: Coroutine[Any, Any, None]) -> None:
    """Runs the loop of a server whose methods are all `def`, to its end."""
    try:
        loop.send(None)
    except StopIteration:
        return
    loop.close()
    msg = "a method of a server without `async def` returned a coroutine"
    raise RuntimeError(msg)


async def serve(kind: type[ServedObject], is_linked: bool, /, *args: Any, **kwargs: Any) -> None:
    """Starts a server in the running process, and serves until its end, which is an exception.

    Args:
        kind: the class.
        is_linked: the process that starts it is its parent.
        *args: of `init`.
        **kwargs: of `init`.
    """
    runner = context.require("a server")
    parent = runner.process.parent if is_linked else None
    server: ServedObject = object.__new__(kind)
    on_loop = kind.__handlers__.on_loop
    running = RunningServer(server, runner, parent, on_loop=on_loop)
    await _init(running, args, kwargs)
    receiving = node_of(runner).receiving
    while True:
        if running.then is not NOTHING:
            await _handle(running, _continue_job(running), on_loop=on_loop)
            continue
        patterns = _patterns_while_suspended(running) if running.suspended else ()
        timeout = None if running.suspended else running.timeout
        search: ReceiveSearch | None = ReceiveSearch(receiving, runner, patterns)
        try:
            if on_loop:
                message = await receiving.receive_async(runner, patterns, timeout, search)
            else:
                message = receiving.receive(runner, patterns, timeout, search)
        except ReceiveTimeout:
            message = TIMEOUT
        running.last = message
        if _is_system(message):
            stop = answer_system_request(running, message, search.origin if search else None)
            if stop is not None:
                await _end(running, stop.reason)
        else:
            if kind.__asks_origin__:
                server.origin = search.origin if search else None
            job = _job_for(running, message)
            if job is not None:
                await _handle(running, job, on_loop=on_loop)
        # Nothing of this message is kept while the server waits for the next one.
        message = search = job = running.last = running.frm = None
        if running.filled is not None:
            filled, running.filled = running.filled, None
            await wait_for_room_async(node_of(runner).tasks, filled)


Job = tuple[Any, tuple[Any, ...], dict[str, Any], tuple[type[Exception], ...]]
"""A function to be called with arguments, and the exceptions that are its caller's."""


async def _handle(running: RunningServer, job: Job, *, on_loop: bool) -> None:
    """Calls a handler, and does what its value, or its exception, asks for."""
    function, args, kwargs, raises = job
    try:
        value: Any = function(*args, **kwargs)
        if on_loop and type(value) is CoroutineType:
            value = await value
    except HandlerResult as thrown:
        value = thrown
    except BaseException as error:
        if not (raises and isinstance(error, raises) and running.frm is not None):
            await _failed(running, error)
        value = Reply(raised_value(tracebacks.as_value(error)))
    if running.frm is not None and not isinstance(value, (HandlerResult, type)):
        _reply(running, value)  # the most frequent case
    elif value is not None:
        await _carry_out(running, value)


_NO_NAMES: Final[dict[str, Any]] = {}


# ---------------------------------------------------------------- the start


async def _init(running: RunningServer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Calls `init`, and tells the starter; ends the process if the server does not start."""
    server = running.server
    try:
        value = server.init(*args, **kwargs)
        if type(value) is CoroutineType:
            value = await value
    except HandlerResult as thrown:
        value = thrown
    except (Exit, SystemExit):
        raise
    except BaseException as error:
        if is_end_of_process(error, running.runner):
            raise
        title = f"{running.title} did not start"
        raise ReportedExit(tracebacks.as_value(error), title, tracebacks.traceback_text(error)) from None
    result = as_result(value)
    match result:
        case None if value is None:
            pass
        case Ignore():
            init_ignored()
        case Stop(reason=reason):
            init_failed(reason)
        case NoReply(timeout=timeout, then=then):
            running.timeout, running.then = timeout, then
        case _:
            init_failed(_bad_return(value))
    init_done()


# ---------------------------------------------------------------- which handler


def _is_system(message: Any) -> bool:
    return (
        type(message) is tuple
        and len(message) == 3
        and isinstance(message[0], str)  # what is not a str may refuse to be compared
        and message[0] == SYSTEM
    )


def _patterns_while_suspended(running: RunningServer) -> tuple[Any, ...]:
    system = (SYSTEM, ..., ...)
    return (system,) if running.parent is None else (system, ("EXIT", running.parent, ...))


def _continue_job(running: RunningServer) -> Job:
    then, running.then = running.then, NOTHING
    running.timeout = None
    return running.server.handle_continue, (then,), _NO_NAMES, ()


def _job_for(running: RunningServer, message: Any) -> Job | None:
    """Returns what handles a message; None if nothing does, which is said to its sender or to the log."""
    running.timeout = None
    match message if type(message) is tuple else ():
        case (str(word), (Pid(), Ref()) as frm, request) if word == CALL:
            return _job_for_call(running, frm, request)
        case (str(word), request) if word == CAST:
            return _job_for_cast(running, request)
        case (str(word), Pid() as pid, reason) if word == "EXIT" and pid == running.parent:
            return _stop, (reason,), _NO_NAMES, ()
    if running.traced is not None:
        running.trace(f"got {cut_repr(message)}")
    server = running.server
    if "handle_info" in type(server).__handlers__.callbacks:
        return server.handle_info, (message,), _NO_NAMES, ()
    if not (isinstance(message, str) and message == TIMEOUT):
        running.unexpected("handle_info")
    return None


def _job_for_call(running: RunningServer, frm: From, request: Any) -> Job | None:
    server = running.server
    running.frm = server.frm = frm
    if running.traced is not None:
        running.trace(f"got call {cut_repr(request)} from {frm[0]}")
    table = type(server).__handlers__
    job = _decorated(server, table.calls, request)
    if job is not None:
        return job
    if "handle_call" in table.callbacks:
        return server.handle_call, (request, frm), _NO_NAMES, ()
    _reply(running, undefined_value(table.known_calls(request)))
    return None


def _job_for_cast(running: RunningServer, request: Any) -> Job | None:
    server = running.server
    if running.traced is not None:
        running.trace(f"got cast {cut_repr(request)}")
    table = type(server).__handlers__
    job = _decorated(server, table.casts, request)
    if job is not None:
        return job
    if "handle_cast" in table.callbacks:
        return server.handle_cast, (request,), _NO_NAMES, ()
    running.unexpected("handler")
    return None


def _decorated(server: ServedObject, handlers: Mapping[str, Handler], request: Any) -> Job | None:
    """Returns the decorated method that takes the request, with the arguments; None if none does."""
    name, given = (request[0], request[1:]) if type(request) is tuple and request else (request, ())
    if not isinstance(name, str):  # an atom is one
        return None
    handler = handlers.get(name)
    arguments = handler.signature.arguments(given) if handler is not None else None
    if handler is None or arguments is None:
        return None
    return handler.function, (server, *arguments[0]), arguments[1], handler.raises


# ---------------------------------------------------------------- what a handler returned


def _reply(running: RunningServer, value: Any) -> None:
    frm, running.frm = running.frm, None
    if frm is not None:
        send_reply(running, frm, value)
        if running.traced is not None:
            running.trace_reply(frm[0], value)


async def _carry_out(running: RunningServer, value: Any) -> None:
    """Does what a handler asks for by its result."""
    match as_result(value):
        case Reply(value=reply, timeout=timeout, then=then) if running.frm is not None:
            _reply(running, reply)
            running.timeout, running.then = timeout, then
        case NoReply(timeout=timeout, then=then):
            running.timeout, running.then = timeout, then
        case Stop(reason=reason, reply=reply):
            await _end(running, reason, reply=reply)
        case None if running.frm is not None and not issubclass(value, HandlerResult):  # a class as a reply
            _reply(running, value)
        case _:
            await _end(running, _bad_return(value))


def _bad_return(value: Any) -> tuple[str, Any]:
    return "bad_return_value", value


# ---------------------------------------------------------------- the end


def _stop(reason: Any) -> NoReturn:
    """Ends the server as its parent has ended."""
    raise Stop(reason)


async def _failed(running: RunningServer, error: BaseException) -> NoReturn:
    """Ends the server because a handler raised."""
    if is_end_of_process(error, running.runner):
        raise error
    reason, crash = _reason_of(error)
    await _end(running, reason, error=crash)


def _reason_of(error: BaseException) -> tuple[Any, BaseException | None]:
    """Returns the exit reason that an exception of a handler means, and itself if it is a crash."""
    if isinstance(error, Exit):
        return error.reason, None
    if isinstance(error, SystemExit):
        return "normal" if error.code in (None, 0) else error.code, None
    return tracebacks.as_value(error), error


async def _end(
    running: RunningServer, reason: Any, *, error: BaseException | None = None, reply: Any = NOTHING
) -> NoReturn:
    """Calls `terminate`, reports, replies to a caller that is to have a last reply, and ends the process."""
    server, runner = running.server, running.runner
    frm = running.frm
    try:
        value: Any = server.terminate(reason)
        if type(value) is CoroutineType:
            await value
    except HandlerResult:
        pass
    except BaseException as second:
        if is_end_of_process(second, runner):
            raise
        reason, error = _reason_of(second)
    text = "" if is_planned(reason) else crash_text(error, reason, running.shown_last, running.shown_state)
    title = f"{running.title} ended"
    if frm is not None and reply is not NOTHING:
        if running.traced is not None:
            running.trace_reply(frm[0], reply)
        reply_at_the_end(runner, frm, reply, reason, title, text)
    raise ReportedExit(reason, title, text) from None
