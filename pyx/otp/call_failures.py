"""The outcome of a call as its caller gets it: a value, or one of the exceptions of `call_errors.py`."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from pyx.core.tables import NO_NODE
from pyx.errors import DecodeError, EncodeError, PyxError, RemoteError
from pyx.otp.call_errors import (
    CallError,
    CallExited,
    CallNoConnection,
    CallNoProcess,
    CallRefused,
    CallUndefined,
)
from pyx.otp.protocol import RAISED, REFUSED, UNDEFINED
from pyx.printable import short_repr
from pyx.runtime.encoding import decode_body, decode_reason
from pyx.terms import Pid, Raised, Ref

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.request import PendingAnswer

_FAILURES: Final = frozenset((RAISED, UNDEFINED, REFUSED))

_LONGEST_KEY: Final = 1000
"""Characters of the text of a KeyError that is read as the key's repr."""


class Asked(NamedTuple):
    """A call: whom and what, as in its errors, and where to."""

    server: object
    """As the caller named it, with the node's full name."""
    request: Any
    dest: Pid | str | tuple[str, str]
    node: str
    """Of the server; "" for this one."""
    ref: Ref


def value_of(here: LocalNode, asked: Asked, pending: PendingAnswer) -> Any:
    """Returns the value that the server replied, or raises what came instead; see `server_calls.call`."""
    outcome = pending.outcome
    if outcome == "value" or outcome == "message":  # noqa: PLR1714 - no set is made for each call
        try:
            value = decode_body(here.kernel, pending.body)
        except DecodeError as error:
            raise _unreadable(asked, f"it cannot be decoded: {error}") from None
        if outcome == "message":
            value = _value_in(asked, value)
        if type(value) is tuple and len(value) == 2 and type(value[0]) is str and value[0] in _FAILURES:
            _raise_failure(here, asked, *value)
        return value
    raise _end(here, asked, pending)


def ended_with(here: LocalNode, asked: Asked, pending: PendingAnswer, reason: Any) -> None:
    """Returns if the server has ended with *reason*; raises what came instead."""
    error = _end(here, asked, pending, is_stop=True)
    if not isinstance(error, CallExited) or error.reason != reason:
        raise error


def _end(here: LocalNode, asked: Asked, pending: PendingAnswer, *, is_stop: bool = False) -> CallError:
    """Returns the exception for a call that ended without a reply."""
    server, request = asked.server, asked.request
    if pending.outcome == "noproc":
        return CallNoProcess(server, request)
    if pending.outcome == "noconnection":
        return CallNoConnection(server, request, asked.node, str(pending.body))
    assert pending.outcome == "exit"
    reason = decode_reason(here.kernel, pending.body)
    error = CallExited(server, request, reason, is_stop=is_stop)
    if isinstance(reason, Raised):
        error.__cause__ = _remote_error(here, asked, reason)
    return error


def _raise_failure(here: LocalNode, asked: Asked, tag: str, what: Any) -> NoReturn:
    """Raises what a server replied in the place of a value."""
    match tag, what:
        case "$gen_raised", Raised() as raised:
            cause = _remote_error(here, asked, raised)
            error = _declared(raised)
            if error is None:
                raise cause
            raise error from cause
        case "$gen_undefined", list(names) if all(type(name) is str for name in names):
            raise CallUndefined(asked.server, asked.request, names)
        case "$gen_refused", str(text):
            raise CallRefused(asked.server, asked.request, text)
    raise _unreadable(asked, f"it is malformed: ({tag!r}, {short_repr(what)})")


def _value_in(asked: Asked, message: Any) -> Any:
    """Returns the value in a reply that came as a whole message, `(ref, value)`."""
    if type(message) is tuple and len(message) == 2 and type(message[0]) is Ref and message[0] == asked.ref:
        return message[1]
    raise _unreadable(asked, f"it is {short_repr(message)}, not (reference, value)")


def _unreadable(asked: Asked, problem: str) -> CallError:
    text = f"{asked.server!r} sent a reply that cannot be read: {problem}"
    return CallError(asked.server, asked.request, "unreadable", text)


def _remote_error(here: LocalNode, asked: Asked, raised: Raised) -> RemoteError:
    node = asked.node or here.kernel.tables.name or NO_NODE
    return RemoteError(node, str(raised.type), str(raised.text), str(raised.traceback))


_INSIDE_COROUTINES: Final = (StopIteration, StopAsyncIteration)
"""Python turns these into RuntimeError where a coroutine raises them."""


def _declared(raised: Raised) -> Exception | None:
    """Returns an exception of the builtin class of that name, from its text; None if there is none."""
    kind: Any = raised.type
    if not isinstance(kind, str):  # a peer chose it
        return None
    if kind == EncodeError.__name__:
        return _not_data(str(raised.text))
    cls = vars(builtins).get(kind)
    if not isinstance(cls, type) or not issubclass(cls, Exception) or issubclass(cls, _INSIDE_COROUTINES):
        return None
    try:
        return cls(_key_in(raised.text) if issubclass(cls, KeyError) else raised.text)
    except Exception:  # UnicodeDecodeError, say, is not made from a text
        return None


def _not_data(text: str) -> EncodeError:
    """Returns the error of a server whose reply is not data: its path and hint are in its text."""
    sentence, _, hint = text.partition("\nhint: ")
    error = EncodeError.__new__(EncodeError, sentence)
    PyxError.__init__(error, sentence, hint=hint or None)
    error.path = sentence.removeprefix("cannot send ").partition(": ")[0]
    error.value = None
    return error


def _key_in(text: str) -> Any:
    """Returns the key that the text of a KeyError is the repr of, if that can be told."""
    try:
        return ast.literal_eval(text) if len(text) <= _LONGEST_KEY else text
    except Exception:  # the repr of an object: the text is shown as it is
        return text
