"""Messages inside one pyx node, long mailboxes, and questions about processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import work

from pyx import Pid, Process, aio, make_ref, receive, self, send, spawn
from tests.bench.cases import LENGTHS
from tests.bench.programs.pyx_latency import server_calls, server_calls_async
from tests.bench.programs.pyx_session import LONG, MESSAGE, in_async, in_def
from tests.bench.programs.sampling import Sample, now, rate, rate_async, sample, sample_async, seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.programs.pyx_session import Session

BATCH: Final = 100
"""Operations between two looks at the clock."""


def cases(session: Session) -> dict[str, Callable[[], Sample]]:
    secs = session.secs
    asleep, asleep_def = spawn(work.idle_async), spawn(work.idle)

    def asked(question: Callable[[], object]) -> Sample:
        return sample(lambda: [question() for _ in range(BATCH)], secs / 2, per=BATCH)

    def served(kind: str, measured: Callable[[Pid], Sample]) -> Sample:
        pid = work.start_server(kind)
        try:
            return measured(pid)
        finally:
            Process.exit(pid, "kill")

    return {
        "local_def": lambda: in_def(lambda: round_trips(secs)),
        "local_async": lambda: in_async(lambda: round_trips_async(secs)),
        "local_genserver_call_def": lambda: served(
            "Server", lambda pid: in_def(lambda: server_calls(pid, secs))
        ),
        "local_genserver_call_async": lambda: served(
            "AsyncServer", lambda pid: in_async(lambda: server_calls_async(pid, secs))
        ),
        "local_oneway": lambda: in_def(lambda: rate(local_flood, secs, least=1000)),
        "local_oneway_async": lambda: in_async(lambda: local_flood_async(secs)),
        "by_reference_100k": lambda: in_def(lambda: by_reference(100_000, secs)),
        "scan_1k": lambda: in_def(lambda: scan(1_000, secs)),
        "scan_100k": lambda: in_def(lambda: scan(100_000, secs)),
        "process_info": lambda: asked(lambda: Process.info(asleep)),
        "process_info_def": lambda: asked(lambda: Process.info(asleep_def)),
        "process_info_key": lambda: asked(lambda: Process.info(asleep, "message_queue_len")),
    }


def round_trips(secs: float) -> Sample:
    echo, reader = spawn(work.echo), self()

    def batch() -> None:
        for _ in range(BATCH):
            send(echo, (reader, 1))
            receive()

    try:
        return sample(batch, secs, per=BATCH)
    finally:
        Process.exit(echo, "kill")


async def round_trips_async(secs: float) -> Sample:
    echo, reader = spawn(work.echo_async), self()

    async def batch() -> None:
        for _ in range(BATCH):
            send(echo, (reader, 1))
            await aio.receive()

    try:
        return await sample_async(batch, secs, per=BATCH)
    finally:
        Process.exit(echo, "kill")


def local_flood(count: int) -> float:
    sink = spawn(work.sink, self(), count)
    began = now()
    for _ in range(count):
        send(sink, MESSAGE)
    receive("done", timeout=LONG)
    return seconds_since(began)


async def local_flood_async(secs: float) -> Sample:
    async def flood(count: int) -> float:
        sink = spawn(work.sink_async, self(), count)
        began = now()
        for number in range(count):
            send(sink, MESSAGE)
            if number % 200 == 199:
                await aio.sleep(0)
        await aio.receive("done", timeout=LONG)
        return seconds_since(began)

    return await rate_async(flood, secs, least=1000)


def fill_mailbox(count: int) -> None:
    """So many messages that no pattern of this file takes, in the mailbox of this process."""
    for number in range(count):
        send(self(), ("other", number))


def by_reference(waiting: int, secs: float) -> Sample:
    """A message with a fresh reference, sent to oneself and received by it, while others wait."""
    fill_mailbox(waiting)
    reader = self()

    def batch() -> None:
        for _ in range(BATCH):
            ref = make_ref()
            send(reader, ("mine", ref))
            receive(("mine", ref))

    return sample(batch, secs / 2, per=BATCH)


def scan(waiting: int, secs: float) -> Sample:
    """A message received by a pattern that no waiting one fits: each of these is looked at."""
    fill_mailbox(waiting)
    reader = self()

    def once() -> None:
        send(reader, ("mine", 1))
        receive(("mine", 1))

    return sample(once, secs / 2)


def mailbox_lengths(_session: Session) -> dict[str, Callable[[], Sample]]:
    """The time of a receive by scan, with so many other messages waiting."""

    def scanned(length: int) -> Sample:
        return in_def(lambda: scan(length, 0.4))

    return {f"mailbox_{length}": partial(scanned, length) for length in LENGTHS}
