"""What the measured nodes run: functions that are called, and processes that answer."""

from __future__ import annotations

from typing import Any

from pyx import GenServer, Pid, PubSub, aio, handle, receive, self, send, spawn, spawn_link


def add(a: int, b: int) -> int:
    return a + b


async def add_async(a: int, b: int) -> int:
    return a + b


def start(name: str, *args: Any) -> Pid:
    """Spawns the function *name* of this file; returns its pid."""
    return spawn(globals()[name], *args)


def start_many(name: str, count: int, *args: Any) -> list[Pid]:
    return [spawn(globals()[name], *args) for _ in range(count)]


def echo() -> None:
    """Sends each message back to the pid that leads it, without the pid."""
    while True:
        sender, message = receive()
        send(sender, message)


async def echo_async() -> None:
    while True:
        sender, message = await aio.receive()
        send(sender, message)


class Server(GenServer):
    """A server that adds two numbers."""

    @handle.call
    def add(self, a: int, b: int) -> int:
        return a + b


class AsyncServer(GenServer):
    """The same as an `async def` process."""

    @handle.call
    async def add(self, a: int, b: int) -> int:
        return a + b


def start_server(kind: str) -> Pid:
    """Starts the server of that class; returns its pid."""
    pid: Pid = globals()[kind].start()
    return pid


def sink(reader: Pid, count: int) -> None:
    """Takes *count* messages, and then says so."""
    for _ in range(count):
        receive()
    send(reader, "done")


async def sink_async(reader: Pid, count: int) -> None:
    for _ in range(count):
        await aio.receive()
    send(reader, "done")


def measure_size(reader: Pid) -> None:
    """Answers each message with its length."""
    while True:
        send(reader, len(receive()))


def idle() -> None:
    receive("stop")


async def idle_async() -> None:
    await aio.receive("stop")


async def answer_once(reader: Pid) -> None:
    """Takes a message, answers, and ends."""
    await aio.receive()
    send(reader, "got")


async def subscriber_async(reader: Pid) -> None:
    """Answers each message, until `"stop"`."""
    PubSub.subscribe("topic")
    send(reader, "subscribed")
    while await aio.receive() != "stop":
        send(reader, "got")


def counter(reader: Pid, count: int) -> None:
    """Takes *count* broadcasts, and then says so."""
    PubSub.subscribe("topic")
    send(reader, "subscribed")
    sink(reader, count)


def publisher(reader: Pid, count: int) -> None:
    """Broadcasts to *count* processes again and again, as soon as the last of them has the one before."""
    for _ in range(count - 1):
        spawn_link(subscriber_to, None)
    spawn_link(subscriber_to, self())
    receive("subscribed")
    send(reader, "subscribed")
    while True:
        PubSub.local_broadcast("topic", "hello")
        receive("got")


async def subscriber_to(reader: Pid | None) -> None:
    PubSub.subscribe("topic")
    if reader is not None:
        send(reader, "subscribed")
    while True:
        await aio.receive()
        if reader is not None:
            send(reader, "got")
