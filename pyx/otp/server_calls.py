"""The client side of servers: calls, casts, replies, stops, as OTP's `gen_server` and `proc_lib`.

What waits is a coroutine, for threads and for coroutines alike (see `runtime/request.py`):

    reply = wait("GenServer.call", call("stock", ("add", 3)))
    reply = await call("stock", ("add", 3))

A call is one request of the kernel (`core/gen_calls.py`), so it works on any thread, in a process or not, and
nothing of it ever comes into the caller's mailbox.  See `call_failures.py` for what comes instead of a value.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyx.core.kernel import load_late_parts
from pyx.core.tables import THE_NODE
from pyx.errors import NoProcess
from pyx.execution import context
from pyx.execution.context import current
from pyx.execution.thread_state import thread
from pyx.otp.call_errors import CallingSelf, CallNoProcess, CallTimeout
from pyx.otp.call_failures import Asked, ended_with, value_of
from pyx.otp.protocol import From, cast_message, system_message, terminate_request
from pyx.otp.remote_work import WorkRequest
from pyx.otp.via import destination_of_cast, resolved
from pyx.primitives import send
from pyx.process import Process
from pyx.runtime.arguments import checked_destination, checked_name, checked_seconds, node_of_destination
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer
from pyx.runtime.rpc_client import meet
from pyx.runtime.sending import SendingCall, take_busy_queue, wait_for_room_async
from pyx.runtime.via_names import Via
from pyx.signals import Payload
from pyx.terms import Pid, Ref
from pyx.wire.codec import encode_payload, is_flat

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.sending import Queue

load_late_parts()  # used in kernel calls below, where nothing is imported

Server: TypeAlias = Pid | str | tuple[str, str] | Via
"""A server as its clients name it: a pid, a name registered on this node, `(name, node)`, or `via(...)`."""

CALL_SECONDS: Final = 5.0
"""The time limit of a call, as OTP's."""


# ---------------------------------------------------------------- calls


async def call(
    server: Server, request: Any, timeout: float | None = CALL_SECONDS, *, is_system: bool = False
) -> Any:
    """Sends a request to a server, and returns its reply.

    Args:
        server: see `Server`.
        request: data.
        timeout: seconds; None: no limit.
        is_system: the request is one of OTP's `sys` (`"get_state"`, say).

    Raises:
        CallNoProcess: there is no such process, or it was dead.
        CallNoConnection: its node cannot be reached, or was lost during the call.
        CallTimeout: no reply in time.  The server goes on, and its late reply is dropped.
        CallExited: the server ended before it replied.
        CallUndefined: the server has no handler for the request.
        CallRefused: the policy of its node forbids the request.
        CallingSelf: the caller is the server.
        RemoteError, Exception: what the handler raised and declares (`handle.call(raises=...)`).
        EncodeError: the request is not data.
    """
    here = this_node()
    seconds = timeout if timeout is CALL_SECONDS else checked_seconds(timeout)
    asked = asked_of(here, server, request)
    if here.speaks_with_erlang and asked.node:
        await meet(here, asked.node)
    with PendingAnswer(here) as pending:
        ask(here, pending, asked, is_system=is_system)
        if not await pending.wait(seconds):
            assert seconds is not None
            raise CallTimeout(asked.server, request, seconds)
    return value_of(here, asked, pending)


async def system_call(server: Server, request: Any, timeout: float | None = CALL_SECONDS) -> Any:
    """Sends a request of OTP's `sys` to a server, and returns its reply; raises as `call`."""
    return await call(server, request, timeout, is_system=True)


async def stop(server: Server, reason: Any = "normal", timeout: float | None = None) -> str:
    """Ends a server with *reason*, after what it is at and its `terminate`, and waits until it is dead.

    Args:
        server: see `Server`.
        reason: any data.
        timeout: seconds; None: no limit.

    Returns:
        "ok".

    Raises:
        CallNoProcess, CallNoConnection, CallTimeout, CallingSelf: as `call`; after a time-out the server
            still ends when it comes to it.
        CallExited: the server ended with another reason.
    """
    here = this_node()
    seconds = checked_seconds(timeout)
    what = terminate_request(reason)
    asked = asked_of(here, server, what)
    if here.speaks_with_erlang and asked.node:
        await meet(here, asked.node)
    frm = context.acting_pid() or THE_NODE
    message = _message(here, asked.node, system_message((frm, asked.ref), what), "reason")
    with PendingAnswer(here) as pending:
        with here.kernel_call as kernel:
            kernel.gen_calls.await_end(pending, frm, asked.dest, asked.ref, message)
            pending.number = asked.ref.number
        if not await pending.wait(seconds):
            assert seconds is not None
            raise CallTimeout(asked.server, what, seconds, is_stop=True)
    ended_with(here, asked, pending, reason)
    return "ok"


# ---------------------------------------------------------------- without a reply


def cast(server: Server, request: Any) -> str:
    """Sends a request that has no reply; returns "ok", also where there is no such process or node.

    Raises:
        EncodeError: the request is not data.
        NodeBusy: as `send`.
    """
    message = cast_message(request)
    dest = destination_of_cast(server)
    if dest is not None or server is None:
        with contextlib.suppress(NoProcess):
            send(dest, message)
    return "ok"


def reply(frm: From, value: Any) -> str:
    """Replies to a caller, from any process or thread, once; returns "ok".

    A caller that has given up gets nothing, nor does one that has its reply already.

    Args:
        frm: as the handler of the call was given it.
        value: data.

    Raises:
        EncodeError: the value is not data; the caller still waits.
        NodeBusy: as `send`.
    """
    ref = _reference(frm)
    here = this_node()
    body = _body(here, ref.node, value, "reply")
    pid = context.acting_pid()
    if thread.state.inside:
        here.dispatch.defer(here.kernel.gen_calls.reply, pid, ref, body)
        return "ok"
    # A caller of this node waits for this reply, and is never busy: no object is made for back-pressure.
    with SendingCall(here.kernel_call, ref.node) if ref.node else here.kernel_call as kernel:
        if not here.speaks_with_erlang or kernel.router.may_carry(ref.node, body):
            kernel.gen_calls.reply(pid, ref, body)
    return "ok"


async def reply_async(frm: From, value: Any) -> str:
    """`reply` for a coroutine: it awaits room, and is never refused."""
    filled = send_reply_at_once(frm, value)
    if filled is not None:
        await wait_for_room_async(this_node().tasks, filled)
    return "ok"


def send_reply_at_once(frm: From, value: Any) -> Queue | None:
    """Sends a reply as `reply` does, however much is queued for the caller's node.

    Returns:
        The queue whose room the sender has to wait for, if there is too little.

    Raises:
        EncodeError: the value is not data; the caller still waits.
    """
    ref = _reference(frm)
    here = this_node()
    body = _body(here, ref.node, value, "reply")
    pid = context.acting_pid()
    take_busy_queue()
    with here.kernel_call as kernel:
        if not here.speaks_with_erlang or kernel.router.may_carry(ref.node, body):
            kernel.gen_calls.reply(pid, ref, body)
    return take_busy_queue()


def whereis(server: Server) -> Pid | tuple[str, str] | None:
    """Returns the pid of a server of this node, or None if there is none.

    A pid is returned as it is, dead or alive, and so is `(name, node)` of another node.
    """
    here = this_node()
    if type(server) is tuple:
        dest = checked_destination(here, server)
        assert isinstance(dest, tuple)
        return Process.whereis(dest[0]) if here.kernel.tables.is_here(dest[1]) else dest
    found = resolved(server)
    if found is None or type(found) is Pid:
        return found
    return Process.whereis(checked_name(found))


def placed(server: Server) -> tuple[Server, str]:
    """Returns a server as a call takes it, and the node that it is on; "" for this one."""
    here = this_node()
    try:
        dest = checked_destination(here, server)
    except NoProcess:  # a `via` that names none: the call says so
        return server, ""
    match dest:
        case (str(name), str(node)):
            return (name, "") if here.kernel.tables.is_here(node) else ((name, node), node)
        case Pid():
            return dest, dest.node
    return server, ""


# ---------------------------------------------------------------- parts of a call


def asked_of(here: LocalNode, server: Server, request: Any) -> Asked:
    """Returns the call to make; raises CallNoProcess for a `via` that names none, CallingSelf, TypeError."""
    try:
        dest = server if type(server) is Pid else checked_destination(here, server)
    except NoProcess:
        raise CallNoProcess(server, request) from None
    except TypeError:
        if type(server) is Via:
            raise
        raise _not_a_server(server) from None
    if isinstance(dest, Ref):
        raise _not_a_server(server)
    runner = current.get()
    shown = server if type(server) is Via else dest
    if runner is not None:
        own = runner.process
        if dest == own.pid or (own.name is not None and _is_named(here, dest, own.name)):
            raise CallingSelf(shown, request)
    return Asked(shown, request, dest, node_of_destination(dest), here.kernel.tables.make_ref())


def _not_a_server(server: object) -> TypeError:
    return TypeError(f"a server is a pid, a registered name, (name, node) or via(...), not {server!r}")


def _is_named(here: LocalNode, dest: Pid | str | tuple[str, str], name: str) -> bool:
    if isinstance(dest, tuple):
        return dest[0] == name and here.kernel.tables.is_here(dest[1])
    return dest == name


def ask(
    here: LocalNode, pending: PendingAnswer, asked: Asked, *, is_system: bool, is_sent_only: bool = False
) -> None:
    """Makes the call.  What only sends, and waits for no reply, waits for a busy queue, as `send` does."""
    runner = current.get()
    node = asked.node
    body = _body(here, node, asked.request, "request", is_system=is_system)
    if node and not is_sent_only:
        pending.read_from(node)
    with SendingCall(here.kernel_call, node) if is_sent_only else here.kernel_call as kernel:
        frm = runner.process.pid if runner is not None else THE_NODE
        may_carry = not here.speaks_with_erlang or kernel.router.may_carry(node, body)
        if may_carry:
            kernel.gen_calls.call(pending, frm, asked.dest, asked.ref, body, is_system=is_system)
            pending.number = asked.ref.number
    if not may_carry:  # it was encoded for a session that has ended since
        pending.resolve("noconnection", "the connection to it has ended")


def _body(here: LocalNode, node: str, value: Any, what: str, *, is_system: bool = False) -> Any:
    """Returns a request or a reply as it goes to *node*: a payload, or on this node what stays as it is."""
    if not node and (is_flat(value) or type(value) is WorkRequest):
        return value
    if type(value) is WorkRequest:
        value = value.parts
    if node and here.speaks_with_erlang and here.is_erlang(node):
        from pyx.runtime.erlang_payloads import erlang_request  # there is an Erlang node

        limit = here.max_message_bytes
        return erlang_request(value, here.kernel.tables.here, limit, what, is_system=is_system)
    return Payload(encode_payload(value, what=what, max_bytes=here.max_message_bytes))


def _message(here: LocalNode, node: str, message: Any, what: str) -> Any:
    """Returns a whole message as it goes to *node*; one for an Erlang node is written by its session."""
    if node and here.speaks_with_erlang and here.is_erlang(node):
        from pyx.runtime.erlang_payloads import erlang_message

        # What Erlang cannot hold is refused here.
        erlang_message(message, here.kernel.tables.here, here.max_message_bytes)
    return Payload(encode_payload(message, what=what, max_bytes=here.max_message_bytes))


def _reference(frm: Any) -> Ref:
    match frm:
        case (Pid(), Ref() as ref):
            return ref
    msg = f"a caller is (pid, ref), as its handler was given it, not {frm!r}"
    raise TypeError(msg)
