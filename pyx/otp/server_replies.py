"""Replies of servers: a value, an exception that a handler declares, what there is instead of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.errors import EncodeError
from pyx.otp import server_calls
from pyx.otp.protocol import raised_value
from pyx.runtime.encoding import encoded, encoded_reason
from pyx.runtime.local_node import node_of
from pyx.terms import Raised
from pyx.wire.codec import is_flat

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.otp.protocol import From
    from pyx.otp.running_server import RunningServer


def send_reply(running: RunningServer, frm: From, value: Any) -> None:
    """Sends *value* to the caller *frm*; to one that does not wait any more it is lost.

    What is not data arrives as an exception instead: the caller gets an EncodeError, with the path.  A server
    on a thread waits here for a caller whose node takes too little, one on the process loop before its next
    message (`running.filled`): no caller ends a server by reading nothing.
    """
    try:
        _send(running, frm, value)
    except EncodeError as error:
        _send(running, frm, raised_value(_not_data(error)))


def _send(running: RunningServer, frm: From, value: Any) -> None:
    if running.on_loop and frm[1].node:
        running.filled = server_calls.send_reply_at_once(frm, value) or running.filled
    else:
        server_calls.reply(frm, value)


def _not_data(error: EncodeError) -> Raised:
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return Raised("EncodeError", f"{error}{hint}")


def reply_at_the_end(runner: Runner, frm: From, value: Any, reason: Any, title: str, text: str) -> None:
    """Replies and ends the running process in one step: the caller that has the reply finds it dead.

    Args:
        runner: of the process, whose code is about to end.
        frm: the caller.
        value: the reply.
        reason: the exit reason.
        title: of the report.
        text: of the report; an empty one is none.
    """
    node, ref = node_of(runner), frm[1]
    limit = node.max_message_bytes
    try:
        body = value if not ref.node and is_flat(value) else encoded(value, limit, what="reply")
    except EncodeError as error:
        body = encoded(raised_value(_not_data(error)), limit)
    encoded_end = encoded_reason(reason, limit)
    with node.kernel_call as kernel:
        if text:
            kernel.printing.process_crashed(runner.process, text, title)
        kernel.gen_calls.reply(runner.process.pid, ref, body)
        kernel.process_signals.process_exited(runner.process, encoded_end)
