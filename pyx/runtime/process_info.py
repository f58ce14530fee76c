"""`Process.info` of processes of this node, for callers here and for peers.

See `process_requests.py` for processes of other nodes.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from pyx.core.mailbox import Called, Replied
from pyx.core.policy import allows
from pyx.errors import DecodeError, EncodeError
from pyx.execution import tracebacks
from pyx.runtime.arguments import checked_pid
from pyx.runtime.encoding import decoded, encoded, peek
from pyx.runtime.process_frames import current_function, stacktrace
from pyx.signals import Call, Payload
from pyx.terms import Raised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.effects import Inquire
    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner
    from pyx.runtime.dispatch import Dispatch, KernelHost
    from pyx.runtime.rate_limited_log import RateLimitedLog
    from pyx.runtime.sending import Sending
    from pyx.terms import Pid

KEYS: Final = (
    "registered_name",
    "initial_call",
    "current_function",
    "current_stacktrace",
    "status",
    "message_queue_len",
    "message_queue_bytes",
    "messages",
    "links",
    "monitors",
    "monitored_by",
    "dictionary",
    "trap_exit",
    "group_leader",
    "kind",
    "undecodable",
)
"""In the order shown; some are included only when they are asked for: they may be long, or take long."""

_READS_MAILBOX: Final = frozenset({"messages", "message_queue_bytes"})
_ONLY_WHEN_ASKED: Final = _READS_MAILBOX | {"current_stacktrace"}


PRIVATE: Final = frozenset({"messages", "dictionary"})
"""Data that a process received or keeps: peers see it only where they may run code of their choice."""


def check_keys(keys: Iterable[str]) -> None:
    """Raises ValueError, which lists the known keys, if one of *keys* is unknown."""
    for key in keys:
        if key not in KEYS:
            msg = f"unknown key {key!r}; the known ones are {', '.join(KEYS)}"
            raise ValueError(msg)


def information(node: KernelHost, pid: Pid, keys: list[str] | None) -> dict[str, Any] | None:
    """Returns the facts about a process of this node; None if it is dead.

    Args:
        node: of the process.
        pid: of the process.
        keys: the facts, in order; None: all but the messages, their bytes and the stack.
    """
    wanted = [key for key in KEYS if key not in _ONLY_WHEN_ASKED] if keys is None else keys
    check_keys(wanted)
    with node.kernel_call as kernel:
        process = kernel.tables.find(pid)
        if process is None:
            return None
        items = process.mailbox.snapshot() if not _READS_MAILBOX.isdisjoint(wanted) else []
        facts: dict[str, Any] = kernel.facts(process)
    if "messages" in wanted:
        facts["messages"] = peek(node.kernel, items)
    if "message_queue_bytes" in wanted:
        facts["message_queue_bytes"] = _bytes_of(items)
    if "dictionary" in wanted:
        facts["dictionary"] = dict(process.dictionary)
    facts["initial_call"] = initial_call = _initial_call(node, process)
    if "current_function" in wanted:  # the only one that looks at every thread
        facts["current_function"] = current_function(process, initial_call)
    if "current_stacktrace" in wanted:
        facts["current_stacktrace"] = stacktrace(process)
    runner: Runner | None = process.runner
    facts["status"] = "waiting" if runner is not None and runner.is_waiting else "running"
    facts["undecodable"] = process.undecodable
    return {key: facts[key] for key in wanted}


def _initial_call(node: KernelHost, process: ProcessRecord) -> tuple[str, str, int]:
    """Returns the initial call of a process, from its payload where its thread has not decoded it yet."""
    call = process.initial_call
    if not isinstance(call, Payload):
        return call
    try:
        module, function, args, *kwargs = decoded(call, node.kernel)
        return str(module), str(function), len(args) + sum(map(len, kwargs[:1]))
    except (DecodeError, TypeError, ValueError):  # hostile; the process will end because of it
        return "", "", 0


def _bytes_of(items: Iterable[Any]) -> int:
    """Returns the bytes of messages: encoded ones, and what the flat values that came as they are take."""
    bodies = (item.body if isinstance(item, (Called, Replied)) else item for item in items)
    return sum(len(body.data) if isinstance(body, Payload) else _size_of_flat(body) for body in bodies)


def _size_of_flat(item: Any) -> int:
    parts = item if type(item) is tuple else ()
    return sys.getsizeof(item) + sum(map(sys.getsizeof, parts))


# ---------------------------------------------------------------- inquiries of peers


class InquiryAnswers:
    """Answers what peers ask about processes of this node.

    Args:
        dispatch: of the node.
        sending: of the node; it knows the limit of a message.
        limited_log: for inquiries that are refused.
    """

    def __init__(self, dispatch: Dispatch, sending: Sending, limited_log: RateLimitedLog) -> None:
        self._dispatch = dispatch
        self._sending = sending
        self._limited_log = limited_log

    def answer(self, inquiry: Inquire) -> None:
        """Answers an inquiry with the facts, or with why there are none."""
        dispatch, limit = self._dispatch, self._sending.max_message_bytes
        kernel = dispatch.kernel
        try:
            pid, keys = decoded(inquiry.payload, kernel)
            if not allows(kernel.tables.policy, Call, marked=False):
                if keys is None:
                    keys = [key for key in KEYS if key not in PRIVATE]
                elif not PRIVATE.isdisjoint(keys):
                    with dispatch.kernel_call:
                        kernel.requests.answer(inquiry, kernel.tables.policy, "refused")
                    return
            facts = information(dispatch, checked_pid(pid), keys)
            if facts is not None and "dictionary" in facts:  # it may hold what is not data
                items = facts["dictionary"].items()
                facts["dictionary"] = {_as_data(key, limit): _as_data(value, limit) for key, value in items}
            try:
                payload = encoded(facts, limit)
            except EncodeError:  # a request to an agent may hold a function of this node
                if facts is None or "messages" not in facts:
                    raise
                facts["messages"] = [_as_data(message, limit) for message in facts["messages"]]
                payload = encoded(facts, limit)
        except Exception as error:  # the asking node is told of any failure, and the next inquiry is answered
            payload = encoded(tracebacks.as_value(error), limit)
        with dispatch.kernel_call:
            kernel.requests.answer(inquiry, payload)

    def refuse(self, inquiry: Inquire, why: str) -> None:
        """Answers an inquiry with *why* it is not answered; inside a kernel call too."""
        topic = f"inquiries of {inquiry.node}"
        self._limited_log.write(topic, logging.WARNING, f"asked by {inquiry.node}: {why}")
        payload = encoded(Raised("PyxError", why), self._sending.max_message_bytes)
        self._dispatch.call_or_defer(self._dispatch.kernel.requests.answer, inquiry, payload)


def _as_data(value: Any, limit: int) -> Any:
    """Returns *value* itself if it can travel, else how it prints."""
    try:
        encoded(value, limit)
    except EncodeError as error:
        return str(error)
    return value
