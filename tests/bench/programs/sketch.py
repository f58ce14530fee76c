"""What an rpc and a message must do in pure Python, each in one function: the limit of the design.

With pyx's own codec: the call is encoded, gets a number in a table under a lock, and a short head; on the
other side the frame is cut, a process record is made and entered, a fresh context is current, the call is
decoded, the function is found by its names and called, the answer is encoded, the record is removed.  There
are no links, monitors, output, policy and kills, whose cost when unused is a test of a field each.
"""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pyx.signals import Payload
from pyx.terms import Incarnation
from pyx.wire.codec import decode, encode
from tests.bench.programs import sketch_functions

if TYPE_CHECKING:
    import socket
    from collections import deque
    from collections.abc import Callable

HERE: Final = Incarnation("a@host", 5)
THERE: Final = Incarnation("b@host", 6)
CALL: Final = Struct(">IBIIII")
ANSWER: Final = Struct(">IBIBI")
LENGTH_BYTES: Final = 4
READ_BYTES: Final = 131_072
SINK: Final = 7
MODULE: Final = sketch_functions.__name__


class Record:
    """A process: as many fields as one has in pyx, about."""

    __slots__ = ("call", "incoming", "is_alive", "killed", "leader", "links", "monitors", "number", "waiting")

    def __init__(self, number: int, call: int, leader: int) -> None:
        self.number = number
        self.call = call
        self.leader = leader
        self.incoming: deque[Payload] | None = None
        self.links = self.monitors = None
        self.waiting = self.killed = False
        self.is_alive = True


current: ContextVar[Record | None] = ContextVar("current", default=None)
lock: Final = threading.Lock()
processes: Final[dict[int, Record]] = {}
pending: Final[dict[int, list[Any]]] = {}
last_numbers: Final = {"call": 0, "process": SINK}


def cut(data: bytes, rest: bytes) -> tuple[list[bytes], bytes]:
    """The whole frames in what was read, and what is left."""
    if rest:
        data = rest + data
    frames, at, end = [], 0, len(data)
    while end - at >= LENGTH_BYTES:
        after = at + LENGTH_BYTES + int.from_bytes(data[at : at + LENGTH_BYTES], "big")
        if after > end:
            break
        frames.append(data[at:after])
        at = after
    return frames, data[at:]


def asked(function: str, waiter: list[Any]) -> bytes:
    """The frame of a call, whose answer is put into *waiter*."""
    payload = encode((MODULE, function, [1, 2]))
    with lock:
        last_numbers["call"] = number = last_numbers["call"] + 1
        pending[number] = waiter
    return CALL.pack(len(payload) + CALL.size - LENGTH_BYTES, 200, number, 1, 0, 1) + payload


def begun(frame: bytes) -> tuple[Record, Payload]:
    """Makes the process of a call."""
    _, _, number, leader, _, _ = CALL.unpack_from(frame)
    with lock:
        last_numbers["process"] = own = last_numbers["process"] + 1
        process = processes[own] = Record(own, number, leader)
    return process, Payload(frame[CALL.size :], THERE)


def called(process: Record, payload: Payload) -> Any:
    """Calls the function, in the context of the process."""
    current.set(process)
    module, name, arguments = decode(payload, HERE)
    return getattr(sys.modules[module], name)(*arguments)


def ended(process: Record, value: Any) -> bytes:
    """Removes the process, and returns the frame of its answer."""
    payload = encode(value)
    with lock:
        del processes[process.number]
        process.is_alive = False
    head = ANSWER.pack(len(payload) + ANSWER.size - LENGTH_BYTES, 201, process.call, 0, process.number)
    return head + payload


def answered(frame: bytes) -> list[Any]:
    """Takes the waiter of an answer, and puts the payload into it."""
    number = ANSWER.unpack_from(frame)[2]
    with lock:
        waiter = pending.pop(number)
    waiter[0] = Payload(frame[ANSWER.size :], THERE)
    return waiter


def read_frames(connection: socket.socket, take: Callable[[bytes], object]) -> None:
    """Reads until the other end closes."""
    rest = b""
    while data := connection.recv(READ_BYTES):
        frames, rest = cut(data, rest)
        for frame in frames:
            take(frame)
