"""What the log says about a server that ended by an exception, or with an unusual reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import ProcessKilled
from pyx.execution import tracebacks
from pyx.otp.protocol import CALL, CAST, SYSTEM, TERMINATE
from pyx.printable import on_one_line, repr_within
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord

LONGEST_REPR: Final = 400
"""Characters of the last message, and of the state."""


def named(word: str, process: ProcessRecord, cls: type) -> str:
    """Returns how a report names a server: `GenServer #PID<0.5.0> (stock)`, or with its class.

    The class of a supervisor or an agent is one of pyx, and says nothing to a reader.
    """
    shown = process.name or (cls.__qualname__ if word == "GenServer" else "")
    return f"{word} {process.pid} ({shown})" if shown else f"{word} {process.pid}"


def crash_text(error: BaseException | None, reason: Any, last: Any, state: Any) -> str:
    """Returns the report below its title: the user's frames, the last message, the state."""
    first = tracebacks.traceback_text(error) if error is not None else f"reason: {cut_repr(reason)}\n"
    return f"{first}last message: {described(last)}\nstate: {cut_repr(state)}"


def described(message: Any) -> str:
    """Returns a message in words: `call 'get' from #PID<1.1.0> on a@vm`."""
    match message:
        case None:
            return "none"
        case (str(kind), (Pid() as caller, _), request) if kind == CALL:
            return f"call {cut_repr(request)} from {_place_of(caller)}"
        case (str(kind), (Pid() as caller, _), (str(word), reason)) if kind == SYSTEM and word == TERMINATE:
            return f"stop with the reason {cut_repr(reason)}, from {_place_of(caller)}"
        case (str(kind), request) if kind == CAST:
            return f"cast {cut_repr(request)}"
    return cut_repr(message)


def _place_of(caller: Pid) -> str:
    return f"{caller} on {caller.node}" if caller.node else str(caller)


def cut_repr(value: Any) -> str:
    """Returns a repr of about 400 characters at most; one that raises is replaced by the class name."""
    try:
        text = repr_within(value, LONGEST_REPR)
    except (KeyboardInterrupt, ProcessKilled):
        raise
    except BaseException:  # a repr is user code
        text = f"<{type(value).__name__} object whose repr cannot be made>"
    return on_one_line(text, LONGEST_REPR)
