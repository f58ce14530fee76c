"""The requests of `Process` about any pid: info and is_alive.  See `process_info.py` for the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core.tables import THE_NODE
from pyx.errors import DecodeError, NoConnection, RpcRefused
from pyx.execution.context import acting_pid
from pyx.printable import short_repr
from pyx.runtime import request
from pyx.runtime.arguments import checked_pid
from pyx.runtime.encoding import decoded, encoded
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer
from pyx.terms import Raised

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid


async def info(pid: Pid, key: str | list[str] | None) -> Any:
    """See `Process.info`."""
    keys = checked_keys(key)
    facts = await _facts(checked_pid(pid), keys)
    return facts if facts is None or type(key) is not str else (key, facts[key])


async def is_alive(pid: Pid) -> bool:
    """See `Process.is_alive`."""
    try:
        return await _facts(checked_pid(pid), ["status"]) is not None
    except NoConnection:
        return False


def checked_keys(key: str | list[str] | None) -> list[str] | None:
    """Returns the keys as a list (None: all); raises ValueError for an unknown one, TypeError for no key."""
    if key is None:
        return None
    keys = [key] if type(key) is str else key
    if not isinstance(keys, (list, tuple)) or not all(type(one) is str for one in keys):
        msg = f"a key is a str, or a list of them, not {key!r}"
        raise TypeError(msg)
    from pyx.runtime.process_info import check_keys  # no part of a start

    check_keys(keys)
    return list(keys)


async def _facts(pid: Pid, keys: list[str] | None) -> dict[str, Any] | None:
    """Looks the facts about a pid of this incarnation up, and asks the pid's node for those of another."""
    here = this_node()
    if pid.is_local or pid.incarnation == here.kernel.tables.here:
        from pyx.runtime.process_info import information  # no part of a start

        return information(here, pid, keys)
    payload = encoded((pid, keys), here.max_message_bytes)
    with PendingAnswer(here) as pending:
        pending.read_from(pid.node)
        with here.kernel_call as kernel:
            pending.number = kernel.requests.info(
                pending, acting_pid() or THE_NODE, pid.node, "info", payload
            )
        if not await pending.wait(request.ANSWER_SECONDS):
            raise NoConnection(pid.node, f"no answer within {request.ANSWER_SECONDS:g} s")
    return facts_of(here, pid.node, keys, pending)


def facts_of(
    here: LocalNode, node: str, keys: list[str] | None, pending: PendingAnswer
) -> dict[str, Any] | None:
    """Returns the facts that *node* answered, all of *keys*; None: the process is dead.

    Raises:
        NoConnection: it could not answer, or the answer is malformed.
        RpcRefused: it does not show some of them to its peers.
    """
    if pending.outcome == "noconnection":
        raise NoConnection(node, str(pending.body))
    from pyx.runtime.process_info import PRIVATE  # no part of a start

    if pending.outcome == "refused" and not PRIVATE.isdisjoint(keys or ()):
        raise RpcRefused(node, str(pending.body), private=True)
    if pending.outcome != "value":
        raise NoConnection(node, f"its answer is malformed: {pending.body}")
    try:
        facts = decoded(pending.body, here.kernel)
    except DecodeError as error:
        facts = Raised("DecodeError", str(error))
    if isinstance(facts, Raised):
        raise NoConnection(node, f"it cannot answer: {facts.text if type(facts.text) is str else '?'}")
    if facts is not None and (type(facts) is not dict or not facts.keys() >= set(keys or ())):
        raise NoConnection(node, f"its answer is malformed: {short_repr(facts)}")
    return facts
