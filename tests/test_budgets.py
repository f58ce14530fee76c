"""Budgets of the hot paths, which are counted and not timed: Python calls of a message and of an rpc, and
objects of an idle process that the garbage collector tracks.  The table stands in `docs/performance.md` too.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from pyx import aio, fast_paths, receive, spawn
from pyx.runtime.encoding import encoded_reason
from pyx.runtime.erlang_payloads import erlang_message, erlang_result
from pyx.terms import Incarnation, Ref
from pyx.wire.beam.control import outward_reason
from tests.local_nodes import until
from tests.otp.servers import AsyncStock, Stock
from tests.pages import rows
from tests.runtime.walk import (
    two_nodes,
    waits,
    walk_of_a_call,
    walk_of_a_client_function,
    walk_of_a_server_call,
    walks_of_a_message,
    walks_of_a_process,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from pyx import Pid
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes
    from tests.runtime.walk import Pair, Walk


class Budget(NamedTuple):
    """What may be spent, and what was spent when the budget was set; without fast paths too."""

    most: int
    today: int
    most_without: int
    today_without: int


BUDGETS: Final = {
    "calls of one rpc, on both nodes": Budget(111, 106, 190, 183),
    "calls of a server's call, inside a node": Budget(61, 58, 61, 58),
    "calls of a server's call, on both nodes": Budget(121, 115, 213, 206),
    "calls of a client function of a `def` server, inside a node": Budget(71, 67, 71, 67),
    "calls of a lone send, to the socket": Budget(17, 15, 34, 32),
    "calls of a send in a stream": Budget(16, 14, 30, 28),
    "calls of a message, from the socket to the return of `receive`": Budget(27, 25, 33, 31),
    "calls of the encoding of a message for an Erlang node, also of C functions": Budget(34, 29, 49, 43),
    "calls of the encoding of a result for an Erlang node, also of C functions": Budget(32, 28, 37, 32),
    "calls of the spawn of an `async def` process, until it waits": Budget(35, 33, 35, 33),
    "calls of its kill, until it is gone": Budget(54, 49, 54, 49),
    "tracked objects of an idle `async def` process": Budget(21, 19, 21, 19),
    "tracked objects of an idle `def` process": Budget(41, 38, 41, 38),
    "tracked objects of an idle `async def` server": Budget(22, 20, 22, 20),
    "tracked objects of an idle `def` server": Budget(46, 43, 46, 43),
}
"""A change that lowers a figure lowers its budget too; the slack is for other versions of Python."""

WALKS: Final = 50
"""The least of this many counts, at most: a last call of a thread may be counted or not, and a tick come."""

PROCESSES: Final = 50


def assert_within(what: str, spent: int, details: str = "") -> None:
    most = most_of(what)
    assert spent <= most, f"{what}: {spent}, and the budget is {most}\n{details}"


def most_of(what: str) -> int:
    budget = BUDGETS[what]
    return budget.most if fast_paths.enabled else budget.most_without


def calls(walk: Walk) -> int:
    return sum(len(leg.calls) for leg in walk.legs)


def assert_calls_within(what: str, walk: Callable[[], Walk]) -> None:
    least = walk()
    for _ in range(WALKS - 1):
        if calls(least) <= most_of(what):
            break
        least = min(least, walk(), key=calls)
    assert_within(what, calls(least), least.summary(functions=True))


@pytest.fixture
def pair(nodes: LocalNodes) -> Iterator[Pair]:
    with two_nodes(nodes) as pair:
        yield pair


def test_rpc_is_within_its_budget_of_calls(pair: Pair) -> None:
    assert_calls_within("calls of one rpc, on both nodes", lambda: walk_of_a_call(pair))


@pytest.mark.parametrize("is_remote", [False, True])
def test_call_of_a_server_is_within_its_budget_of_calls(pair: Pair, is_remote: bool) -> None:
    what = f"calls of a server's call, {'on both nodes' if is_remote else 'inside a node'}"
    assert_calls_within(what, lambda: walk_of_a_server_call(pair, is_remote=is_remote))


def test_client_function_is_within_its_budget_of_calls(pair: Pair) -> None:
    what = "calls of a client function of a `def` server, inside a node"
    assert_calls_within(what, lambda: walk_of_a_client_function(pair, Stock))


def test_lone_send_is_within_its_budget_of_calls(pair: Pair) -> None:
    def sent() -> Walk:
        return walks_of_a_message(pair, streams=False)[0]

    assert_calls_within("calls of a lone send, to the socket", sent)


def test_send_in_a_stream_is_within_its_budget_of_calls(pair: Pair) -> None:
    def sent() -> Walk:
        walk = walks_of_a_message(pair, streams=True)[0]
        return walk._replace(legs=walk.legs[:1])  # without the write, which many messages share

    assert_calls_within("calls of a send in a stream", sent)


def test_received_message_is_within_its_budget_of_calls(pair: Pair) -> None:
    def received() -> Walk:
        return walks_of_a_message(pair, streams=False)[1]

    assert_calls_within("calls of a message, from the socket to the return of `receive`", received)


def entered(run: Callable[[], object]) -> int:
    """The calls of one run, also of C functions; a run before it has filled what is kept."""
    run()
    events: list[str] = []

    def note(_: FrameType, event: str, function: Any) -> None:
        if event in {"call", "c_call"} and function is not sys.setprofile:
            events.append(event)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return len(events) - 1  # less the one of `run` itself


def test_message_for_an_erlang_node_is_encoded_within_its_budget_of_calls() -> None:
    what = "calls of the encoding of a message for an Erlang node, also of C functions"
    message, here = ("add", {"name": "nike", "n": 3}), Incarnation("gus@vm", 1)
    assert_within(what, entered(lambda: erlang_message(message, here, 1000)))


def test_result_for_an_erlang_node_is_encoded_within_its_budget_of_calls() -> None:
    ref, here = Ref(7 << 64, "a@vm", 3), Incarnation("gus@vm", 1)

    def answer() -> bytes:
        reason = encoded_reason(erlang_result(ref, 4.0, here, 1000), 1000)
        return outward_reason(reason, here)

    what = "calls of the encoding of a result for an Erlang node, also of C functions"
    assert_within(what, entered(answer))


def test_spawn_is_within_its_budget_of_calls(pair: Pair) -> None:
    assert_calls_within(
        "calls of the spawn of an `async def` process, until it waits", lambda: walks_of_a_process(pair)[0]
    )


def test_kill_is_within_its_budget_of_calls(pair: Pair) -> None:
    assert_calls_within("calls of its kill, until it is gone", lambda: walks_of_a_process(pair)[1])


def idle() -> None:
    receive("stop")


async def idle_async() -> None:
    await aio.receive("stop")


def tracked_objects_each(node: LocalNode, start: Callable[[], Pid]) -> int:
    """Objects that the garbage collector tracks more when a process more waits, rounded."""

    def started(count: int) -> int:
        pids = [start() for _ in range(count)]
        until(lambda: all(waits(node, pid) for pid in pids))
        gc.collect()
        return len(gc.get_objects())

    gc.collect()
    gc.freeze()  # what earlier tests have left may be freed meanwhile: it is not looked at
    try:
        few = started(PROCESSES)
        return round((started(PROCESSES) - few) / PROCESSES)
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(("kind", "function"), [("def", idle), ("async def", idle_async)])
def test_idle_process_is_within_its_budget_of_tracked_objects(
    node: LocalNode, kind: str, function: Callable[[], Any]
) -> None:
    assert_within(
        f"tracked objects of an idle `{kind}` process", tracked_objects_each(node, lambda: spawn(function))
    )


@pytest.mark.parametrize(("kind", "server"), [("def", Stock), ("async def", AsyncStock)])
def test_idle_server_is_within_its_budget_of_tracked_objects(
    node: LocalNode, kind: str, server: type[Stock]
) -> None:
    spent = tracked_objects_each(node, lambda: server.start())
    assert_within(f"tracked objects of an idle `{kind}` server", spent)


def test_process_that_keeps_more_objects_is_noticed(node: LocalNode) -> None:
    async def keeps() -> None:
        kept = [[number] for number in range(20)]
        await aio.receive("stop")
        kept.clear()

    assert tracked_objects_each(node, lambda: spawn(keeps)) >= 20 + tracked_objects_each(
        node, lambda: spawn(idle_async)
    )


def test_page_has_the_budgets() -> None:
    listed = [tuple(row) for row in rows("docs/performance.md", "Budgets")]
    assert listed == [(what, *map(str, budget)) for what, budget in BUDGETS.items()]


def test_no_figure_of_today_is_above_its_budget() -> None:
    for budget in BUDGETS.values():
        assert 0 < budget.today <= budget.most
        assert 0 < budget.today_without <= budget.most_without
