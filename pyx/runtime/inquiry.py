"""`Process.info` for any pid: looked up at home, asked for abroad.

Not here: the facts themselves (`process_info.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.core.tables import THE_NODE
from pyx.errors import DecodeError, NoConnection, RpcRefused
from pyx.execution.context import acting_pid
from pyx.printable import short_repr
from pyx.runtime.encoding import decoded, encoded
from pyx.runtime.pending_answer import PendingAnswer
from pyx.runtime.process_info import PRIVATE, check_keys, information
from pyx.terms import Raised

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

SECONDS: Final = 5.0
"""So long may a remote node take; a frozen one costs no more."""


def checked_keys(key: str | list[str] | None) -> list[str] | None:
    """The keys asked for as a list (None: all); raises ValueError for an unknown one, TypeError for none."""
    if key is None:
        return None
    keys = [key] if type(key) is str else key
    if not isinstance(keys, (list, tuple)) or not all(type(one) is str for one in keys):
        msg = f"a key is a str, or a list of them, not {key!r}"
        raise TypeError(msg)
    check_keys(keys)
    return list(keys)


def as_asked(facts: dict[str, Any] | None, key: str | list[str] | None) -> Any:
    """One key gives `(key, value)`, several a dict; None for a dead process."""
    if facts is None or type(key) is not str:
        return facts
    return key, facts[key]


def is_here(node: LocalNode, pid: Pid) -> bool:
    """True for a pid of this node's present life."""
    return pid.is_local or pid.incarnation == node.kernel.here


def request(node: LocalNode, pending: PendingAnswer, pid: Pid, keys: list[str] | None) -> None:
    """Asks the pid's node; *pending* will be resolved."""
    frm = acting_pid() or THE_NODE
    pending.ask(node.kernel.request_info, frm, pid.node, "info", encoded((pid, keys), node.max_message_bytes))


def answer(
    node: LocalNode, pid: Pid, keys: list[str] | None, pending: PendingAnswer, *, in_time: bool
) -> dict[str, Any] | None:
    """The facts that came, all that were asked for.

    Raises:
        NoConnection: none came, or no facts.
        RpcRefused: that node keeps some of them from its peers.
    """
    if not in_time:
        raise NoConnection(pid.node, f"no answer within {SECONDS:g} s")
    if pending.outcome == "noconnection":
        raise NoConnection(pid.node, str(pending.body))
    if pending.outcome == "refused" and not PRIVATE.isdisjoint(keys or ()):
        raise RpcRefused(pid.node, str(pending.body), private=True)
    if pending.outcome != "value":
        raise NoConnection(pid.node, f"its answer is malformed: {pending.body}")
    try:
        facts = decoded(pending.body, node.kernel)
    except DecodeError as error:
        facts = Raised("DecodeError", str(error))
    if isinstance(facts, Raised):
        raise NoConnection(pid.node, f"it cannot answer: {facts.text if type(facts.text) is str else '?'}")
    if facts is not None and (type(facts) is not dict or not facts.keys() >= set(keys or ())):
        raise NoConnection(pid.node, f"its answer is malformed: {short_repr(facts)}")
    return facts


def ask(node: LocalNode, pid: Pid, keys: list[str] | None) -> dict[str, Any] | None:
    """The facts about *pid* (None: it is dead), waiting at most `SECONDS` for another node."""
    if is_here(node, pid):
        return information(node, pid, keys)
    with PendingAnswer(node) as pending:
        request(node, pending, pid, keys)
        in_time = pending.wait(SECONDS)
    return answer(node, pid, keys, pending, in_time=in_time)


async def ask_async(node: LocalNode, pid: Pid, keys: list[str] | None) -> dict[str, Any] | None:
    """`ask` for a coroutine."""
    if is_here(node, pid):
        return information(node, pid, keys)
    with PendingAnswer(node, node.tasks.slot()) as pending:
        request(node, pending, pid, keys)
        in_time = await pending.wait_async(SECONDS)
    return answer(node, pid, keys, pending, in_time=in_time)
