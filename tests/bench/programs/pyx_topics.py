"""Broadcasts to topics: beside as many sends, to one node, to twenty nodes; and calls beside long ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import work

from pyx import Node, Pid, Process, PubSub, receive, rpc, self, send, spawn
from tests.bench.cases import NODES, SUBSCRIBERS
from tests.bench.programs.pyx_session import LONG, MESSAGE, in_def
from tests.bench.programs.sampling import Sample, now, quantiles, seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.programs.pyx_session import Session

TURNS: Final = 15
"""Broadcasts, and as often a thousand sends."""
MANY: Final = 20_000
CALLS: Final = 1_500


def cases(session: Session) -> dict[str, Callable[[], dict[str, Sample]]]:
    """Inside one node, and between two."""
    here = ("topic_broadcast_1k", "topic_sends_1k", "topic_publisher_1k", "topic_sender_1k")
    return {
        **dict.fromkeys(here, lambda: in_def(beside_sends)),
        "topic_remote": lambda: {"topic_remote": in_def(lambda: to_one(session.server))},
    }


def beside_sends() -> dict[str, Sample]:
    """A broadcast, and then sends, to the same 1,000 processes that wait, until each of them has its message.

    The last one that got it says so; a *publisher's* and a *sender's* time is that of their calls alone.
    """
    pids = _subscribed(1000)
    times: dict[str, list[int]] = {name: [] for name in ("broadcast", "sends", "publisher", "sender")}

    def took(until_sent: str, until_all: str, began: int, sent: int) -> None:
        for _ in pids:
            receive("got", timeout=LONG)
        times[until_sent].append(sent - began)
        times[until_all].append(now() - began)

    for _ in range(TURNS):
        began = now()
        PubSub.local_broadcast("topic", (*MESSAGE, None))
        took("publisher", "broadcast", began, now())
        began = now()
        for pid in pids:
            send(pid, (*MESSAGE, None))
        took("sender", "sends", began, now())
    for pid in pids:
        send(pid, "stop")
    return {f"topic_{name}_1k": quantiles(measured) for name, measured in times.items()}


def _subscribed(count: int) -> list[Pid]:
    pids = [spawn(work.subscriber_async, self()) for _ in range(count)]
    for _ in pids:
        receive("subscribed", timeout=LONG)
    return pids


def to_one(server: str) -> Sample:
    """20,000 broadcasts, with one subscriber on the other node."""
    rpc.call(server, "work", "start", ["counter", self(), MANY])
    receive("subscribed", timeout=LONG)
    began = now()
    for _ in range(MANY):
        PubSub.broadcast("topic", MESSAGE)
    receive("done", timeout=LONG)
    return {"value": MANY / seconds_since(began), "samples": MANY}


def to_nodes(_: Session) -> dict[str, Callable[[], dict[str, Sample]]]:
    """To 20 nodes with a subscriber each, which all answer."""

    def measured() -> dict[str, Sample]:
        names = [f"peer{number}" for number in range(1, NODES)] + ["server"]
        for name in names:
            assert Node.connect(name) is True
            rpc.call(name, "work", "start", ["subscriber_async", self()])
            receive("subscribed", timeout=LONG)
        all_of_them: list[int] = []
        publisher: list[int] = []
        for _ in range(100):
            began = now()
            PubSub.broadcast("topic", (*MESSAGE, None))
            publisher.append(now() - began)
            for _ in names:
                receive("got", timeout=LONG)
            all_of_them.append(now() - began)
        return {"topic_nodes_20": quantiles(all_of_them), "topic_publisher_20": quantiles(publisher)}

    return dict.fromkeys(("topic_nodes_20", "topic_publisher_20"), lambda: in_def(measured))


def beside_a_fan_out(session: Session) -> dict[str, Callable[[], dict[str, Sample]]]:
    """Calls of a node that delivers broadcasts to 100,000 subscribers all the while."""

    def measured() -> dict[str, Sample]:
        publisher = session.started("publisher", self(), SUBSCRIBERS)
        receive("subscribed", timeout=LONG)
        for _ in range(200):
            rpc.call(session.server, "work", "add", [1, 2], timeout=LONG)
        times: list[int] = []
        for _ in range(CALLS):
            began = now()
            rpc.call(session.server, "work", "add", [1, 2], timeout=LONG)
            times.append(now() - began)
        Process.exit(publisher, "kill")
        both = quantiles(times)
        return {
            "fan_out_p50": {"value": both["value"], "samples": len(times)},
            "fan_out_p99": {"value": both["p99"], "samples": len(times)},
        }

    return dict.fromkeys(("fan_out_p50", "fan_out_p99"), lambda: in_def(measured))
