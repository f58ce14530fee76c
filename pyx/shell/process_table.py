"""`ps()` at the prompt: the processes of a node, those with the fullest mailboxes first."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple, Unpack

from pyx.nodes import Node
from pyx.process import Process
from pyx.runtime.local_node import this_node
from pyx.shell.pyx_calls import call_pyx
from pyx.shell.text_table import text_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.terms import Pid

Args = TypeVarTuple("Args")
T = TypeVar("T")

ANSWER_SECONDS: Final = 5.0
"""The time limit of a table's question to another node, as of a call of a server."""

_KEYS: Final = [
    "registered_name",
    "initial_call",
    "current_function",
    "message_queue_len",
    "message_queue_bytes",
]


def process_table(node: str | None, most: int) -> str:
    """Returns the table of `ps`, and a line about those that are not shown.

    Args:
        node: whose; None: this one.
        most: the largest number of rows.

    Raises:
        RpcError: *node* cannot be reached, does not answer within 5 s, or does not run with `--rpc open`.
    """
    facts, total = run_on(node, process_facts, most)
    rows = [
        (
            str(pid),
            one["registered_name"] or "",
            str(one["message_queue_len"]),
            size_text(one["message_queue_bytes"]),
            _age(age),
            place_text(*(one["current_function"] or (*one["initial_call"][:2], 0))),
        )
        for pid, age, one in facts
    ]
    text = text_table(("pid", "name", "messages", "bytes", "age", "function"), rows, right=(2, 3, 4))
    if total > len(rows):
        text += f"... {total - len(rows)} more (of {total}); ps(most={total}) shows all\n"
    return text


def process_facts(most: int) -> tuple[list[tuple[Pid, float | None, dict[str, Any]]], int]:
    """Returns the pid, age in seconds and facts of the processes of this node, and how many there are.

    Those with the most messages come first, then the older ones; at most *most* of them.
    """
    here = this_node()
    with here.kernel_call as kernel:
        processes = kernel.tables.processes.all()
    fullest = heapq.nsmallest(most, enumerate(processes), key=lambda pair: (-len(pair[1].mailbox), pair[0]))
    ages = here.transport.ages if here.transport is not None else None
    now = time.monotonic()
    found: list[tuple[Pid, float | None, dict[str, Any]]] = []
    for _, process in fullest:
        facts = Process.info(process.pid, _KEYS)
        if facts is not None:  # else it has ended meanwhile
            found.append((process.pid, ages.of(process.pid, now) if ages is not None else None, facts))
    return found, len(processes)


def run_on(node: str | None, function: Callable[[Unpack[Args]], T], *args: *Args, seconds: float = 0.0) -> T:
    """Runs a function of pyx's here, where *node* is None or this one, or on that node; returns its value.

    Args:
        node: whose.
        function: of a module of pyx.
        args: of the function.
        seconds: those that the function takes by itself; an answer may take `ANSWER_SECONDS` more.

    Raises:
        RpcError: *node* cannot be reached, does not answer in time, or does not run with `--rpc open`.
    """
    if node is None or this_node().full_name(node) == Node.self():
        return function(*args)
    value: T = call_pyx(node, function.__module__, function.__name__, args, seconds + ANSWER_SECONDS)
    return value


def place_text(module: str, function: str, line: int) -> str:
    """Returns a place in code, for a table."""
    return f"{module}.{function}:{line}" if line else f"{module}.{function}"


def size_text(size: int) -> str:
    """Returns a number of bytes in at most four digits."""
    for unit in ("B", "KiB", "MiB"):
        if size < 10_000:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} GiB"


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
