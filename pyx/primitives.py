"""The words every process knows: self, spawn, send, receive and their kin.

They work on any thread that is a process (or, where no mailbox is needed, on any thread at all).  What waits
has an awaitable twin in `aio`.  Not here: registered names, information, exits (`process`), other nodes
(`node`), calls of functions elsewhere (`rpc`).
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from pyx.execution import context
from pyx.runtime.arguments import answer_to_send, checked_destination, checked_seconds, named_call
from pyx.runtime.local_node import node_of, this_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.terms import Pid, Ref

__all__ = ["flush", "make_ref", "receive", "self", "send", "spawn", "spawn_link", "spawn_monitor"]


def self() -> Pid:
    """Returns the pid of the running process.

    Raises:
        NotAProcess: this thread is no pyx process.
    """
    return context.require("self()").process.pid


def make_ref() -> Ref:
    """Returns a reference that is unique in the mesh.

    A `receive` whose pattern holds it starts where the mailbox stood when it was made, so waiting for the
    answer to a request costs nothing in a long mailbox (as in OTP).
    """
    node = this_node()
    runner = context.current.get()
    mark = runner.process.mailbox.mark() if runner is not None else 0
    with node.kernel_call as kernel:
        ref = kernel.tables.make_ref()
    if runner is not None:
        runner.remember(ref, mark)
    return ref


def spawn(function: Callable[..., Any] | ModuleType | str, *args: Any) -> Pid:
    """Starts a process and returns its pid at once.

    Two forms, as in Elixir: `spawn(function, *args)`, and `spawn(module, "function", [args])` where the
    module is a name or a module.  A plain `def` runs on a thread of its own, so it may block; an `async
    def` runs as a task on the process loop.  *args* must be data, and the process gets its own copy of them.

    Raises:
        EncodeError: an argument is not data.

    A function that does not exist is the new process's failure, reported when it runs (as in Erlang); so is
    a generator that the function returns (`yield` stands in it, say), as none of its lines has run.
    """
    return _spawn(function, args, link=False, monitor=False)[0]


def spawn_link(function: Callable[..., Any] | ModuleType | str, *args: Any) -> Pid:
    """`spawn`, and link to it in the same step: when either ends abnormally, the other is told.

    Raises:
        NotAProcess: this thread is no process, so there is nothing to link.
    """
    context.require("spawn_link()")
    return _spawn(function, args, link=True, monitor=False)[0]


def spawn_monitor(function: Callable[..., Any] | ModuleType | str, *args: Any) -> tuple[Pid, Ref]:
    """`spawn`, and monitor it in the same step: `("DOWN", ref, "process", pid, reason)` comes when it ends.

    Raises:
        NotAProcess: this thread is no process, so nobody could receive that message.
    """
    context.require("spawn_monitor()")
    pid, ref = _spawn(function, args, link=False, monitor=True)
    assert ref is not None
    return pid, ref


def _spawn(function: object, args: tuple[Any, ...], *, link: bool, monitor: bool) -> tuple[Pid, Ref | None]:
    incarnations = this_node().processes
    if isinstance(function, (str, ModuleType)):
        module, name, arguments = named_call(function, args)
        return incarnations.spawn_named(module, name, arguments, link=link, monitor=monitor)
    if not callable(function):
        msg = f"spawn takes a function, or a module and a function's name, not {function!r}"
        raise TypeError(msg)
    return incarnations.spawn(function, args, link=link, monitor=monitor)


def send(dest: Pid | str | tuple[str, str] | Ref, message: Any, *, nosuspend: bool = False) -> Any:
    """Sends *message* and returns it; never waits for a connection, never says whether it arrived.

    A process that sends faster than a node takes it is made to wait, as in Erlang: after the message is sent,
    while 1 MiB is queued for that node.  A kill or Ctrl-C ends the wait, and the message is sent all the
    same.  Where an event loop runs nothing waits (`await aio.send()` does).

    Args:
        dest: a pid, a name registered on this node, `(name, node)`, or an alias.
        message: data; the receiver gets its own copy.
        nosuspend: answers at once, as `Process.send/3` does: `"ok"`, or `"nosuspend"` where it would have to
            wait, and then nothing is sent.

    Raises:
        NodeBusy: 16 MiB are queued for that node, and this thread cannot wait (it runs an event loop, or is
            no process); nothing is sent.
        EncodeError: the message is not data; it names the place.
        NoProcess: *dest* is a plain name that nobody has here (as in IEx, the only loss that is told).
    """
    node = this_node()
    dest = checked_destination(node, dest)
    sent = node.sending.send_unless_busy(dest, message) if nosuspend else node.sending.send(dest, message)
    return answer_to_send(dest, message, sent, nosuspend=nosuspend)


def receive(*patterns: Any, timeout: float | None = None) -> Any:
    """Returns the first message in the mailbox that any of *patterns* matches, waiting for it.

    `...` matches anything, a class its instances, another callable what it says yes to; a tuple or list
    matches element by element, a dict by the keys it names; everything else matches what is equal and of the
    same type (`Literal(x)` for a class or function as a value).  No pattern: any message.  What does not
    match stays in the mailbox, in order.

    Args:
        *patterns: see above.
        timeout: seconds; 0 only looks; None waits for ever.

    Raises:
        ReceiveTimeout: nothing matched in time.
        WouldBlock: the thread runs an event loop (`await aio.receive()` there).
    """
    runner = context.require("receive()")
    context.forbid_running_loop("receive()", "aio.receive()")
    return node_of(runner).receiving.receive(runner, patterns, checked_seconds(timeout))


def flush() -> None:
    """Prints all messages that wait in the mailbox, oldest first, and drops them; without waiting.

    At a prompt `flush` is the helper, which shows them as it shows values.

    Raises:
        NotAProcess: this thread is not a process, so it has no mailbox.
    """
    for message in drain():
        print(repr(message))  # noqa: T201 - the process's output, by way of its group leader


def drain() -> list[Any]:
    """Takes all messages out of the mailbox, oldest first, without waiting (for `flush`)."""
    runner = context.require("flush()")
    return node_of(runner).receiving.drain(runner)
