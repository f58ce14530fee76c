"""Checks of the arguments of the public functions, and the value that `send` returns.

Destinations, pids, names, references, booleans, seconds, limits of mailboxes.  See `call_forms.py` for calls.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from pyx.atoms import Atom
from pyx.core.mailbox import MailboxLimit
from pyx.errors import NoProcess
from pyx.terms import LONGEST_WORD, Pid, Ref

T = TypeVar("T")


class NameCompleter(Protocol):
    """A node, as far as names of nodes are completed by its host part."""

    def full_name(self, name: str) -> str:
        """Returns a checked node name; raises NodeNameInvalid."""


def checked_destination(node: NameCompleter, dest: Any) -> Pid | str | tuple[str, str] | Ref:
    """Returns *dest* as the kernel takes it: a bare node name in `(name, node)` gets this node's host part.

    A `Via` becomes the pid that it names now.

    Raises:
        NoProcess: a `Via` names no process.
        TypeError: it is not a destination.
        ValueError: it cannot be a registered name.
        NodeNameInvalid: it names a node that cannot exist.
    """
    kind = type(dest)
    if kind is Pid or kind is Ref or kind is str:
        return dest  # type: ignore[no-any-return]
    if kind is Atom:
        return str(dest)
    if kind is tuple and len(dest) == 2 and (type(dest[0]) is Atom or type(dest[1]) is Atom):
        dest = tuple(str(part) if type(part) is Atom else part for part in dest)
    if kind is tuple and len(dest) == 2 and type(dest[0]) is str and type(dest[1]) is str:
        if len(dest[0]) > LONGEST_WORD:
            msg = f"a registered name has at most {LONGEST_WORD} characters, not {len(dest[0])}"
            raise ValueError(msg)
        return dest[0], node.full_name(dest[1])
    if (found := pid_of_via(dest)) is not None:
        return found
    msg = f"a destination is a pid, a registered name, (name, node), an alias or via(...), not {dest!r}"
    raise TypeError(msg)


def pid_of_via(dest: Any) -> Pid | None:
    """Returns the process that a `Via` names; None if *dest* is not a `Via`.

    Raises:
        NoProcess: it names no process.
    """
    from pyx.runtime.via_names import Via  # seldom needed, and not before the first prompt

    if type(dest) is not Via:
        return None
    if (found := dest.whereis()) is None:
        raise NoProcess(dest)
    return found


def node_of_destination(dest: Any) -> str:
    """Returns the node of a checked destination; "" for this one."""
    if type(dest) is str:
        return ""
    node: str = dest[1] if type(dest) is tuple else dest.node
    return node


def answer_to_send(dest: object, message: Any, sent: bool | None, *, nosuspend: bool) -> Any:
    """Returns the value of `send`: the message, or with *nosuspend* a word.

    Raises:
        NoProcess: *sent* is False: the name is not registered on this node.
    """
    if sent is False:
        raise NoProcess(dest)
    if nosuspend:
        return "ok" if sent else "nosuspend"
    return message


def checked_pid(value: Any) -> Pid:
    """Returns *value* if it is a pid; raises TypeError."""
    return _exactly(Pid, value, "a pid")


def checked_name(value: Any) -> str:
    """Returns *value* if it can be a registered name; raises TypeError."""
    if type(value) is Atom:
        return str(value)
    return _exactly(str, value, "a registered name, which is a str,")


def checked_new_name(value: Any, what: str, *, longest: int = LONGEST_WORD, otherwise: str = "") -> str:
    """Returns *value* if something new can be registered under it; of an atom its text.

    Args:
        value: the name.
        what: a word for what it names.
        longest: characters.
        otherwise: what else can be the name, for the error: `", via(...) or None"`.

    Raises:
        TypeError: it is not a str.
        ValueError: it is empty or too long.
    """
    if type(value) is Atom:
        value = str(value)
    if type(value) is not str:
        msg = f"the name of a {what} is a str{otherwise}, not {value!r}"
        raise TypeError(msg)
    if not 0 < len(value) <= longest:
        msg = f"the name of a {what} has 1 to {longest} characters, not {len(value)}"
        raise ValueError(msg)
    return value


def checked_binaries(value: Any) -> str:
    """Returns *value* if it is `"str"` or `"bytes"`; raises ValueError."""
    if value not in {"str", "bytes"}:
        msg = f"binaries of Erlang nodes arrive as 'str' or 'bytes', not as {value!r}"
        raise ValueError(msg)
    return str(value)


def checked_ref(value: Any) -> Ref:
    """Returns *value* if it is a reference; raises TypeError."""
    return _exactly(Ref, value, "a reference")


def checked_choice(value: Any) -> bool:
    """Returns *value* if it is True or False; raises TypeError, as `"off"` would count as True."""
    return _exactly(bool, value, "True or False")


def _exactly(kind: type[T], value: Any, what: str) -> T:
    if type(value) is not kind:
        msg = f"{what} is needed, not {value!r}"
        raise TypeError(msg)
    return value


def checked_seconds(value: Any, name: str = "timeout") -> float | None:
    """Returns *value* as seconds, or None for ever; raises TypeError or ValueError."""
    if value is None:
        return None
    if type(value) not in {int, float}:
        msg = f"{name} is a number of seconds or None, not {value!r}"
        raise TypeError(msg)
    if value != value or value < 0:  # noqa: PLR0124 - nan
        msg = f"{name} is a number of seconds from 0 on, not {value!r}"
        raise ValueError(msg)
    try:
        return float(value)
    except OverflowError:
        msg = f"{name} is a number of seconds, and this one is too large: None is no limit"
        raise ValueError(msg) from None


def checked_mailbox_limit(value: Any) -> MailboxLimit | None:
    """Returns *value* as the limit of a mailbox, `(limit, policy)` or None; raises ValueError."""
    match value:
        case None:
            return None
        case (int(messages), "warn" | "kill" | "block" as policy) if messages > 0 and type(messages) is int:
            return MailboxLimit(messages, policy)
    msg = f'max_mailbox is (limit, "warn"), (limit, "kill"), (limit, "block") or None, not {value!r}'
    raise ValueError(msg)
