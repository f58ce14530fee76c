"""`rpc.abcast`, `rpc.eval_everywhere` and `rpc.pmap`: messages and calls to several nodes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pyx.runtime.arguments import checked_destination
from pyx.runtime.call_forms import callee, callee_of_function, is_function, named_callee
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer
from pyx.runtime.rpc_client import ask, destinations, encoded_callee, meet, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyx.runtime.call_forms import Callee
    from pyx.runtime.local_node import LocalNode

_UNDER_WAY: Final = 16
"""Calls of one `pmap` that a node has at a time: they keep it busy, and few of the items are in memory."""


def abcast(nodes: Sequence[str] | None, name: str, message: Any) -> None:
    """See `rpc.abcast`."""
    here = this_node()
    for dest in destinations(here, nodes, "abcast"):
        here.sending.send(checked_destination(here, (name, dest)), message)


async def abcast_async(nodes: Sequence[str] | None, name: str, message: Any) -> None:
    """See `rpc.abcast`; for a coroutine."""
    here = this_node()
    for dest in destinations(here, nodes, "abcast"):
        await here.sending.send_async(checked_destination(here, (name, dest)), message)


def eval_everywhere(
    nodes: Sequence[str] | None, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """See `rpc.eval_everywhere`."""
    here = this_node()
    called = callee("rpc.eval_everywhere", target, args, kwargs)
    for dest in destinations(here, nodes, "eval_everywhere"):
        here.sending.cast(dest, encoded_callee(here, dest, called))


async def pmap(
    nodes: Sequence[str] | None,
    target: Any,
    items: Iterable[Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> list[Any]:
    """See `rpc.pmap`."""
    here = this_node()
    dests = destinations(here, nodes, "pmap")
    if not dests:
        msg = "pmap needs a node to run on, and the list of nodes is empty"
        raise ValueError(msg)
    if here.speaks_with_erlang:
        for dest in dests:
            await meet(here, dest)
    results: list[Any] = []
    under_way: deque[tuple[str, PendingAnswer, Callee]] = deque()
    try:
        for number, item in enumerate(items):
            if len(under_way) >= _UNDER_WAY * len(dests):
                results.append(await _first_answer(here, under_way))
            dest = dests[number % len(dests)]
            called = _callee(target, [item, *args], kwargs)
            pending = PendingAnswer(here)
            under_way.append((dest, pending, called))
            ask(here, pending, dest, encoded_callee(here, dest, called))
        while under_way:
            results.append(await _first_answer(here, under_way))
    finally:
        for _, pending, _ in under_way:
            with pending:
                pass  # abandons it
    return results


async def _first_answer(here: LocalNode, under_way: deque[tuple[str, PendingAnswer, Callee]]) -> Any:
    dest, pending, called = under_way.popleft()
    with pending:
        await pending.wait(None)
    return value_of(here, dest, pending, called)


def _callee(target: Any, args: list[Any], kwargs: dict[str, Any]) -> Callee:
    if is_function(target):
        return callee_of_function(target, args, kwargs)
    if isinstance(target, tuple) and len(target) == 2:
        return named_callee("rpc.pmap", target[0], (target[1], args), {"kwargs": kwargs})
    msg = f'pmap takes a function, or ("module", "function"), not {target!r}'
    raise TypeError(msg)
