"""The messages between servers and their clients, in the shapes of OTP's `gen` and `sys`.

A caller sends `("$gen_call", frm, request)` and gets `(ref, value)`.  *frm* is `(pid, ref)`: the pid of the
caller, and a reference that is a monitor of the server and an alias at once.  Where the caller is not a
process, the pid is that of its node, `#PID<0.0.0>`.  Servers and clients of Erlang and Elixir send and
understand the same, but for the failures at the end of this file.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from pyx.runtime.encoding import CALL_TAG, REFUSED_TAG, SYSTEM_TAG
from pyx.terms import Pid, Raised, Ref

From: TypeAlias = tuple[Pid, Ref]
"""A caller, as a handler sees it: OTP's `from`.  A reply goes to the reference."""

CALL: Final = CALL_TAG
CAST: Final = "$gen_cast"
SYSTEM: Final = SYSTEM_TAG
TERMINATE: Final = "terminate"


def is_caller(value: Any) -> bool:
    """Returns True for a caller: a message may have anything in its place."""
    match value:
        case (Pid(), Ref()) if type(value) is tuple:
            return True
    return False


# ---------------------------------------------------------------- requests


def cast_message(request: Any) -> tuple[str, Any]:
    """Returns the message of a cast, which has no reply."""
    return CAST, request


def system_message(frm: From, request: Any) -> tuple[str, From, Any]:
    """A request of OTP's `sys`: `"get_state"`, `("terminate", reason)` ...  The server's loop answers it."""
    return SYSTEM, frm, request


def terminate_request(reason: Any) -> tuple[str, Any]:
    """The request of OTP's `sys` that ends a server with *reason*, once it has ended what it is at."""
    return TERMINATE, reason


# ---------------------------------------------------------------- replies


RAISED: Final = "$gen_raised"
UNDEFINED: Final = "$gen_undefined"
REFUSED: Final = REFUSED_TAG


def raised_value(raised: Raised) -> tuple[str, Raised]:
    """Returns the value of a reply that is an exception which the handler declares."""
    return RAISED, raised


def undefined_value(names: list[str]) -> tuple[str, list[str]]:
    """The value of a reply to a request that the server does not know; *names* are those that it knows."""
    return UNDEFINED, names


def refused_value(text: str) -> tuple[str, str]:
    """Returns the value of a reply to a request that a policy forbids; *text* says which and why."""
    return REFUSED, text
