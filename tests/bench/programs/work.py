"""What the measured nodes run: functions that are called, and processes that answer."""

from __future__ import annotations

from typing import Any

from pyx import GenServer, Pid, aio, handle, receive, send, spawn


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
