"""Signals to and from one connected node, for `pyx doctor NODE`: pings, and a question about its versions."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final, TypeVar

from pyx.doctor.node_facts import Answers
from pyx.errors import DecodeError, PyxError
from pyx.options import MIB
from pyx.signals import Answer, Call, Payload, Ping, Pong
from pyx.terms import Pid
from pyx.wire.codec import decode, encode
from pyx.wire.frames.signal_stream import SignalStream

if TYPE_CHECKING:
    from pyx.net.stream import Stream
    from pyx.signals import Signal
    from pyx.terms import Incarnation

Kind = TypeVar("Kind", Answer, Pong)

_PINGS: Final = 3

_QUESTION: Final = (
    "(__import__('pyx').__version__, __import__('platform').python_version(), __import__('time').time())"
)


class NodeConversation:
    """Signals to and from a connected node; on the loop, one question at a time."""

    def __init__(self, stream: Stream, me: Incarnation, there: Incarnation) -> None:
        self._stream = stream
        self._me = me
        self._signals = SignalStream(me, there)
        self._loop = asyncio.get_running_loop()

    async def answers(self, trailing: bytes) -> Answers:
        """Pings the node, and asks for its versions and its clock."""
        self._signals.receive_data(trailing)
        fastest = min([await self._pinged(number) for number in range(1, _PINGS + 1)])
        pid = Pid(1)
        payload = Payload(encode(("builtins", "eval", [_QUESTION]), max_bytes=MIB))
        begun = time.time()  # noqa: TID251 - compared with the other host's
        await self._send(Call(pid, _PINGS + 1, pid, payload))
        answer = await self._received(Answer)
        middle = (begun + time.time()) / 2  # noqa: TID251 - as above
        if answer.outcome != "value" or isinstance(answer.payload, str):
            why = answer.payload if isinstance(answer.payload, str) else answer.outcome
            return Answers(fastest * 1000, refused=f"--rpc {why}" if answer.outcome == "refused" else why)
        try:
            version, python, clock = decode(answer.payload, self._me)
        except (DecodeError, TypeError, ValueError):
            return Answers(fastest * 1000, refused="its answer cannot be read")
        return Answers(fastest * 1000, str(version), str(python), float(clock) - middle)

    async def _pinged(self, number: int) -> float:
        begun = time.monotonic()
        await self._send(Ping(number))
        while (await self._received(Pong)).number != number:
            pass
        return time.monotonic() - begun

    async def _send(self, signal: Signal) -> None:
        data: bytes | memoryview = self._signals.transmit(deque([signal]))[0]
        while data:
            try:
                data = data[self._stream.send(data) :]
            except BlockingIOError:
                await asyncio.sleep(0.001)

    async def _received(self, kind: type[Kind]) -> Kind:
        """Returns the next signal of that kind, and drops those before it."""
        buffer = memoryview(bytearray(65536))
        while True:
            try:
                size = self._stream.receive_into(buffer)
            except BlockingIOError:
                await self._readable()
                continue
            if not size:
                raise PyxError("it closed the connection")
            for signal in self._signals.receive_data(bytes(buffer[:size])):
                if isinstance(signal, kind):
                    return signal

    async def _readable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_reader(self._stream.fileno(), ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_reader(self._stream.fileno())
