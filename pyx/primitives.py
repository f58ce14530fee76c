"""The functions that every process uses: self, spawn, send, receive, make_ref, flush.

`self`, `receive` and `flush` need a process; the others work on any thread.  Functions that wait have an
awaitable twin in `aio`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, overload

from pyx import fast_paths
from pyx.execution import context
from pyx.execution.thread_state import runs_loop
from pyx.runtime.arguments import answer_to_send, checked_destination, checked_seconds
from pyx.runtime.call_forms import is_function, named_callee
from pyx.runtime.fast_send import send_fast
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.sending import wait_for_room
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.via_names import Via
    from pyx.terms import Ref

__all__ = ["flush", "make_ref", "receive", "self", "send", "spawn", "spawn_link", "spawn_monitor"]

P = ParamSpec("P")


def self() -> Pid:
    """Returns the pid of the running process.

    Raises:
        NotAProcess: the calling thread is not a pyx process.
    """
    return context.require("self()").process.pid


def make_ref() -> Ref:
    """Returns a reference that is unique in the mesh.

    A `receive` whose pattern holds it skips the messages that were in the mailbox when it was made, so
    waiting for the reply to a request takes no longer with a full mailbox (as in OTP).
    """
    node = this_node()
    runner = context.current.get()
    mark = runner.process.mailbox.mark() if runner is not None else 0
    with node.kernel_call as kernel:
        ref = kernel.tables.make_ref()
    if runner is not None:
        runner.remember(ref, mark)
    return ref


@overload
def spawn(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> Pid: ...
@overload
def spawn(
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    *,
    kwargs: Mapping[str, Any] | None = None,
) -> Pid: ...
def spawn(target: Any, /, *args: Any, **kwargs: Any) -> Pid:
    """Starts a process and returns its pid at once.

    There are two forms, as in Elixir: `spawn(function, *args, **kwargs)`, where all that follows the function
    is its own, and `spawn(module, "function", [args], kwargs={})`, where the module is a name or a module.  A
    `def` runs on a thread of its own, so it may block; an `async def` runs as a task on the process loop.

    A function that does not exist is a failure of the new process, reported when it runs (as in Erlang).  So
    is a generator function, none of whose lines would run.

    Args:
        target: what the process runs, or a module.
        args: data; the process gets its own copy.
        kwargs: data, by name; after a module `kwargs`, a dict.

    Raises:
        EncodeError: an argument is not data.
        TypeError: neither form fits.
    """
    return _spawn(target, args, kwargs, link=False, monitor=False)[0]


@overload
def spawn_link(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> Pid: ...
@overload
def spawn_link(
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    *,
    kwargs: Mapping[str, Any] | None = None,
) -> Pid: ...
def spawn_link(target: Any, /, *args: Any, **kwargs: Any) -> Pid:
    """Starts a process that is linked to the caller from its first moment; see `spawn`.

    When either of the two ends with another reason than `"normal"`, the other gets an exit signal.

    Raises:
        NotAProcess: the calling thread is not a pyx process.
    """
    context.require("spawn_link()")
    return _spawn(target, args, kwargs, link=True, monitor=False)[0]


@overload
def spawn_monitor(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> tuple[Pid, Ref]: ...
@overload
def spawn_monitor(
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    *,
    kwargs: Mapping[str, Any] | None = None,
) -> tuple[Pid, Ref]: ...
def spawn_monitor(target: Any, /, *args: Any, **kwargs: Any) -> tuple[Pid, Ref]:
    """Starts a process that the caller monitors from its first moment; returns (pid, ref).  See `spawn`.

    The caller receives `("DOWN", ref, "process", pid, reason)` when it ends.

    Raises:
        NotAProcess: the calling thread is not a pyx process.
    """
    context.require("spawn_monitor()")
    pid, ref = _spawn(target, args, kwargs, link=False, monitor=True)
    assert ref is not None
    return pid, ref


def _spawn(
    target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, link: bool, monitor: bool
) -> tuple[Pid, Ref | None]:
    processes = this_node().processes
    if is_function(target):
        return processes.spawn(target, args, kwargs, link=link, monitor=monitor)
    called = named_callee("spawn", target, args, kwargs)
    return processes.spawn_named(*called[:4], link=link, monitor=monitor)


def send(dest: Pid | str | tuple[str, str] | Ref | Via, message: Any, *, nosuspend: bool = False) -> Any:
    """Sends *message* and returns it, without waiting for a connection or for its arrival.

    Back-pressure, as in Erlang: when 1 MiB is queued for a node, a process that sends to it waits, after its
    message is queued, until half of that has left.  A kill or Ctrl-C ends the wait, not the message.  On a
    thread that runs an event loop nothing waits (use `await aio.send()`).

    Args:
        dest: a pid, a name registered on this node, `(name, node)`, an alias, or `via(...)`.
        message: data; the receiver gets its own copy.
        nosuspend: never wait, as `Process.send/3`: returns `"ok"`, or `"nosuspend"` where it would have to
            wait, and then the message is not sent.

    Raises:
        NodeBusy: 16 MiB are queued for that node, and this thread cannot wait, because it runs an event loop
            or is not a process; the message is not sent.
        EncodeError: the message is not data; the text names the place in it.
        NoProcess: *dest* is a name that is not registered on this node, or a `via(...)` that names no
            process.  Every other loss is silent, as in IEx.
    """
    if type(dest) is not Pid:
        dest = checked_destination(this_node(), dest)
    if fast_paths.enabled and not nosuspend and (queue := send_fast(dest, message)) is not False:
        if queue is not True:
            wait_for_room(queue)
        return message
    node = this_node()
    sent = node.sending.send_unless_busy(dest, message) if nosuspend else node.sending.send(dest, message)
    return answer_to_send(dest, message, sent, nosuspend=nosuspend)


def receive(*patterns: Any, timeout: float | None = None) -> Any:
    """Returns the first message in the mailbox that one of *patterns* matches, and waits for it.

    `...` matches anything; a class its instances; another callable the messages for which it returns true; a
    tuple or list element by element; a dict by the keys it names; any other value what is equal and of the
    same type (`Literal(x)` for a class or function as a value).  Without patterns any message matches.  Other
    messages stay in the mailbox, in order.

    Args:
        *patterns: see above.
        timeout: seconds; 0 does not wait; None waits for ever.

    Raises:
        ReceiveTimeout: no message matched in time.
        NotAProcess: the calling thread is not a pyx process.
        WouldBlock: the thread runs an event loop (use `await aio.receive()`).
    """
    runner = context.current.get() or context.require("receive()")
    if runs_loop():
        context.forbid_running_loop("receive()", "aio.receive()")
    seconds = None if timeout is None else checked_seconds(timeout)
    node: LocalNode = runner.node  # type: ignore[assignment] # as `node_of`, a call less for each message
    return node.receiving.receive(runner, patterns, seconds)


def flush() -> None:
    """Prints all messages in the mailbox, oldest first, and removes them; does not wait.

    At a prompt `flush` is a helper, which shows messages as the prompt shows values.

    Raises:
        NotAProcess: the calling thread is not a pyx process.
    """
    for message in drain():
        print(repr(message))  # noqa: T201 - the output of the process, by its group leader


def drain() -> list[Any]:
    """Removes all messages from the mailbox and returns them, oldest first."""
    runner = context.require("flush()")
    return node_of(runner).receiving.drain(runner)
