"""The exceptions of a call that has no reply: a branch of the tree in `errors.py`.

    PyxError
    └── CallError                      a server gave no reply; `reason` is that of OTP's exit
        ├── CallNoProcess (LookupError)      no such process, or it was dead
        ├── CallNoConnection (ConnectionError) its node cannot be reached, or was lost during the call
        ├── CallTimeout (TimeoutError)       no reply in time
        ├── CallExited                       the server ended before it replied
        ├── CallUndefined                    the server has no handler of that name
        ├── CallRefused                      a policy of the server's node forbids the request
        └── CallingSelf                      a server called itself, and would wait for ever

Where a caller of OTP exits with `{reason, {GenServer, :call, [server, request, timeout]}}`, the caller here
gets the exception, with these as attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import PyxError, brief
from pyx.printable import on_one_line
from pyx.terms import Pid, Raised

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_TEXT: Final = 400
"""Characters of a server's text in a sentence."""


class CallError(PyxError):
    """A call, a stop or another request of a server failed.

    Attributes: `server` (as the caller named it), `request`, `reason` (why, as data: a word of OTP's, or the
    reason with which the server ended).
    """

    def __init__(
        self, server: object, request: object, reason: Any, message: str, *, hint: str | None = None
    ) -> None:
        self.server = server
        self.request = request
        self.reason = reason
        super().__init__(message, hint=hint)


class CallNoProcess(CallError, LookupError):
    """No process had that name or pid when the call reached its node.  `reason` is `"noproc"`."""

    def __init__(self, server: object, request: object) -> None:
        match server:
            case Pid():
                text = f"{server} is dead"
            case str():
                text = f"no process is registered as {server!r} on this node"
            case (str(name), str(node)):
                text = f"no process is registered as {name!r} on {node}"
            case _:
                text = f"there is no process {brief(server)}"
        super().__init__(server, request, "noproc", text)


class CallNoConnection(CallError, ConnectionError):
    """The server's node cannot be reached, or was lost during the call, which it may have handled.

    Attributes: `node`, `why` (a sentence).  `reason` is `"noconnection"`.
    """

    def __init__(self, server: object, request: object, node: str, why: str) -> None:
        self.node = node
        self.why = why
        super().__init__(
            server, request, "noconnection", f"no connection to {node}, where {brief(server)} is: {why}"
        )


class CallTimeout(CallError, TimeoutError):
    """No reply came in time; the server goes on.

    Attribute: `timeout` (seconds).  `reason` is `"timeout"`.  With *is_stop* the request was the one to end.
    """

    def __init__(self, server: object, request: object, timeout: float, *, is_stop: bool = False) -> None:
        self.timeout = timeout
        if is_stop:
            text = f"{brief(server)} has not ended within {timeout:g} s"
            hint = "it still ends when it comes to the request; `timeout` sets the limit"
        else:
            text = f"no answer from {brief(server)} within {timeout:g} s to {brief(request)}"
            hint = (
                "the server may still handle it, and its late reply is dropped; `timeout`, or `.within`, "
                "sets the limit"
            )
        super().__init__(server, request, "timeout", text, hint=hint)


class CallExited(CallError):
    """The server ended before it replied.  `reason` is the reason with which it ended.

    Where an exception ended it, `reason` is a `Raised`, and `__cause__` a `RemoteError` with the traceback of
    the server's node.  With *is_stop* the request was the one to end, for another
    reason.
    """

    def __init__(self, server: object, request: object, reason: Any, *, is_stop: bool = False) -> None:
        if isinstance(reason, Raised):
            raised = f"{reason.type}: {reason.text}" if reason.text else reason.type
            ended = f"by {on_one_line(raised, _LONGEST_TEXT)}"
        else:
            ended = f"with the reason {brief(reason)}"
        when = "as it was stopped" if is_stop else f"before it answered {brief(request)}"
        super().__init__(server, request, reason, f"{brief(server)} ended {when}, {ended}")


class CallUndefined(CallError):
    """The server has no handler of that name.

    Attribute: `handlers` (the names of those that it has).  `reason` is `"undef"`.
    """

    def __init__(self, server: object, request: object, handlers: Sequence[str]) -> None:
        self.handlers = list(handlers)
        names = on_one_line(", ".join(self.handlers), _LONGEST_TEXT)
        there_is = f"it has {names}" if names else "it has none"
        super().__init__(
            server, request, "undef", f"{brief(server)} has no handler for {brief(request)}: {there_is}"
        )


class CallRefused(CallError):
    """A policy of the server's node forbids the request.  Attribute: `why`.  `reason` is `"refused"`."""

    def __init__(self, server: object, request: object, why: str) -> None:
        self.why = why
        words = on_one_line(why, _LONGEST_TEXT)
        super().__init__(server, request, "refused", f"{brief(server)} refuses {brief(request)}: {words}")


class CallingSelf(CallError):
    """A process called itself: it would wait for its own reply.  `reason` is `"calling_self"`."""

    def __init__(self, server: object, request: object) -> None:
        super().__init__(
            server,
            request,
            "calling_self",
            f"{brief(server)} cannot call itself: it would wait for its own answer",
            hint="call the method on `self`, or do the work in another process and reply from there",
        )
