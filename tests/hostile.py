"""A hostile peer with the right cookie, built from `pyx.wire`, that sends any signals or bytes.

Peers without the cookie are in `net/impostor.py`.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from pyx.net.directory import HostDirectory
from pyx.signals import Answer, Ask, Holdings, Payload, Ping, Pong
from pyx.terms import Incarnation, Pid
from pyx.wire.codec import decode, encode
from pyx.wire.frames.frame import LENGTH
from pyx.wire.frames.layout import KINDS
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.handshake.events import Established, NeedKey, Transmit
from pyx.wire.handshake.hello import NONCE_BYTES, dialler_hello
from pyx.wire.handshake.machine import Dialler
from pyx.wire.handshake.proof import key_from_cookie
from tests.local_nodes import COOKIE, HANG

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.signals import Signal

READ_BYTES = 1024 * 1024


class Hostile:
    """A connection to *victim* as the node *name*; a context manager that closes it.

    Each wait ends after `HANG` seconds at most.
    """

    def __init__(
        self, victim: LocalNode, name: str = "evil@test", *, creation: int = 666, hidden: bool = False
    ) -> None:
        assert victim.kernel.tables.here is not None
        self.there = victim.kernel.tables.here
        self.incarnation = Incarnation(name, creation)
        path = HostDirectory(os.environ["PYX_RUNTIME_DIR"]).lookup(self.there.name)
        assert path is not None
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(HANG)
        self.socket.connect(path)
        self._signal_stream = SignalStream(self.incarnation, self.there)
        self._received: deque[Signal] = deque(self._handshake(hidden=hidden))
        if not hidden:
            self.socket.sendall(self.bytes_of(Holdings((), is_last=True)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def _handshake(self, *, hidden: bool) -> list[Signal]:
        nonce = os.urandom(NONCE_BYTES)
        dialler = Dialler(dialler_hello(self.incarnation, self.there.name, nonce, hidden=hidden), b"unix")
        while True:
            events = dialler.events()
            for event in events:
                if isinstance(event, Transmit):
                    self.socket.sendall(event.data)
                elif isinstance(event, NeedKey):
                    dialler.key_chosen(key_from_cookie(COOKIE))
                else:
                    assert isinstance(event, Established), event
                    return self._signal_stream.receive_data(dialler.trailing_data)
            if not events:
                dialler.receive_data(self.socket.recv(READ_BYTES))

    # ------------------------------------------------------------ names of processes

    def victim_pid(self, pid: Pid) -> Pid:
        """Returns the pid of a process of the victim, as this peer sends it."""
        return Pid(pid.number, pid.serial, *self.there)

    # ------------------------------------------------------------ sending

    def bytes_of(self, *signals: Signal) -> bytes:
        """Returns the bytes of *signals* on the wire."""
        queue, chunks = deque(signals), []
        while queue or not self._signal_stream.is_empty:
            chunks.append(self._signal_stream.transmit(queue)[0])
        return b"".join(chunks)

    def sends(self, *signals: Signal) -> None:
        """Sends signals."""
        self.socket.sendall(self.bytes_of(*signals))

    def forges(self, signal: type, *fields: Any, payload: bytes = b"") -> None:
        """Sends a signal with any fields; a field True, or an incarnation, marks a payload."""
        header = encode(fields)
        body = struct.pack(">BI", KINDS[signal], len(header)) + header + payload
        self.socket.sendall(LENGTH.pack(len(body)) + body)

    # ------------------------------------------------------------ receiving

    def receives(self, wanted: Callable[[Signal], bool]) -> Signal:
        """Returns the next signal that is *wanted*; drops those before it."""
        deadline = time.monotonic() + HANG
        while True:
            while self._received:
                signal = self._received.popleft()
                if wanted(signal):
                    return signal
            assert self._receive(deadline), "the victim closed the connection"

    def next(self, kind: type) -> Any:
        """Returns the next signal of that kind."""
        return self.receives(lambda signal: type(signal) is kind)

    def is_disconnected(self) -> bool:
        """Reads to the end; returns True when the victim has closed the connection."""
        deadline = time.monotonic() + HANG
        while self._receive(deadline):
            self._received.clear()
        return True

    def _receive(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.socket], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, "nothing came"
        try:
            data = self.socket.recv(READ_BYTES)
        except ConnectionError:
            return False
        self._received += self._signal_stream.receive_data(data)
        return bool(data)

    # ------------------------------------------------------------ requests

    def ping(self, number: int = 1) -> None:
        """Returns when the victim has read all that was sent so far."""
        self.sends(Ping(number))
        self.receives(lambda signal: signal == Pong(number))

    def asks_info(self, pid: Pid, keys: list[str] | None = None, number: int = 7) -> Answer:
        """Asks for `Process.info` of a process of the victim; returns the answer."""
        self.sends(Ask(Pid(1), number, "info", Payload(encode((self.victim_pid(pid), keys)))))
        answer: Answer = self.next(Answer)
        assert answer.number == number
        return answer

    def decoded(self, answer: Answer) -> Any:
        """Returns the decoded value of an answer."""
        assert isinstance(answer.payload, Payload)
        return decode(answer.payload, self.incarnation)
