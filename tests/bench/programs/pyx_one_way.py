"""Messages a second in one direction, from a pyx node to another; and large payloads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pyx import Pid, Process, aio, receive, self, send, spawn
from tests.bench.cases import SENDERS
from tests.bench.programs.pyx_session import LONG, MESSAGE, in_async, in_def
from tests.bench.programs.sampling import Sample, now, rate, rate_async, seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.programs.pyx_session import Session

MIB: Final = 1 << 20


def one_way(session: Session) -> dict[str, Callable[[], Sample]]:
    def flooded(message: Any) -> Sample:
        return in_def(lambda: rate(lambda count: flood(session, message, count), session.secs, session.pids))

    return {
        "oneway_tuple": lambda: flooded(("add", 1, 30)),
        "oneway_dict": lambda: flooded(MESSAGE),
        "oneway_dict_async": lambda: in_async(lambda: flooded_async(session)),
        "oneway_1k": lambda: flooded(b"\7" * 1024),
        "oneway_64k": lambda: flooded(b"\7" * 65536),
        "ten_senders": lambda: by_senders(session, 10),
    }


def flood(session: Session, message: Any, count: int) -> float:
    """Sends *count* messages to a `def` process; the seconds until the last one was received there."""
    sink = session.started("sink", self(), count)
    began = now()
    for _ in range(count):
        send(sink, message)
    receive("done", timeout=LONG)
    return seconds_since(began)


async def flooded_async(session: Session) -> Sample:
    """From an `async def` process to another; the sender lets its event loop turn every 200 messages."""

    async def flood_async(count: int) -> float:
        sink = await aio.rpc.call(session.server, "work", "start", ["sink_async", self(), count])
        began = now()
        for number in range(count):
            await aio.send(sink, MESSAGE)
            if number % 200 == 199:
                await aio.sleep(0)
        await aio.receive("done", timeout=LONG)
        return seconds_since(began)

    return await rate_async(flood_async, session.secs, session.pids, least=1000)


def by_senders(session: Session, senders: int) -> Sample:
    """Several `def` processes send to one process of the server at once."""

    def blast(sink: Pid, count: int) -> None:
        receive("go")
        for _ in range(count):
            send(sink, MESSAGE)

    def flood_together(count: int) -> float:
        each = max(1, count // senders)
        sink = session.started("sink", self(), each * senders)
        ready = [spawn(blast, sink, each) for _ in range(senders)]
        while any(Process.info(one, "status") != ("status", "waiting") for one in ready):
            Process.sleep(0.001)
        began = now()
        for one in ready:
            send(one, "go")
        receive("done", timeout=LONG)
        return seconds_since(began) * count / (each * senders)

    return in_def(lambda: rate(flood_together, session.secs, session.pids, least=1000))


def senders(session: Session) -> dict[str, Callable[[], Sample]]:
    return {f"senders_{number}": partial(by_senders, session, number) for number in SENDERS}


def payloads(session: Session) -> dict[str, Callable[[], Sample]]:
    """MB (10^6 bytes) a second of messages that are answered by their length, one at a time."""

    def sent(mebibytes: int) -> Sample:
        size, data = mebibytes * MIB, b"\7" * (mebibytes * MIB)
        sizer = session.started("measure_size", self())

        def flood_large(count: int) -> float:
            began = now()
            for _ in range(count):
                send(sizer, data)
                assert receive(int, timeout=LONG) == size
            return seconds_since(began)

        measured = rate(flood_large, session.secs, session.pids, least=3 if mebibytes == 1 else 1)
        measured["value"] *= size / 1e6
        return measured

    return {
        "payload_1m": lambda: in_def(lambda: sent(1)),
        "payload_64m": lambda: in_def(lambda: sent(64)),
    }
