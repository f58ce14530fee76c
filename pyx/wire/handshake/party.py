"""One side of a handshake, of either dialect: a machine that is fed, and asked for its events."""

from __future__ import annotations

from typing import Generic, TypeVar

from pyx.errors import HandshakeFailed
from pyx.wire.handshake.events import Failed, Transmit
from pyx.wire.handshake.failure_texts import HUNG_UP
from pyx.wire.handshake.short_frames import framed, take_body

EventT = TypeVar("EventT")


class HandshakeParty(Generic[EventT]):
    """Cuts frames out of what it is fed, for the steps of one side, which are those of a subclass.

    Args:
        step: the first one.
    """

    def __init__(self, step: str) -> None:
        self._step = step
        self._key = b""
        self._unread = bytearray()
        self._events: list[EventT | Transmit | Failed] = []

    # ------------------------------------------------------------ fed and collected

    def receive_data(self, data: bytes) -> None:
        """Takes bytes from the connection.  Next, collect `events`."""
        self._unread += data
        self._read_frames()

    def key_chosen(self, key: bytes) -> None:
        """Answers `NeedKey`, with the key or, for an Erlang node, with the bytes of the cookie."""
        assert self._step == "key"
        self._key = key
        self._key_is_known()
        self._read_frames()

    def connection_lost(self) -> None:
        """Tells the machine that the connection ended."""
        if self._step not in {"established", "failed"}:
            self._fail(self._meaning_of_loss())

    def events(self) -> list[EventT | Transmit | Failed]:
        """Returns the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    @property
    def trailing_data(self) -> bytes:
        """Once established: the bytes that followed the handshake, the beginning of the signals."""
        return bytes(self._unread)

    # ------------------------------------------------------------ steps, one frame each

    def _is_reading(self) -> bool:
        """Returns True in a step that waits for a frame."""
        raise NotImplementedError

    def _read_frame(self, body: bytes) -> None:
        """Takes the next frame; raises HandshakeFailed."""
        raise NotImplementedError

    def _key_is_known(self) -> None:
        raise NotImplementedError

    def _meaning_of_loss(self) -> HandshakeFailed:
        return HandshakeFailed(HUNG_UP)

    def _read_frames(self) -> None:
        try:
            while self._is_reading() and (body := take_body(self._unread)) is not None:
                self._read_frame(body)
        except HandshakeFailed as failure:
            self._fail(failure)

    def _fail(self, failure: HandshakeFailed) -> None:
        self._step = "failed"
        self._events.append(Failed(failure.reason, failure.hint))

    def _send(self, body: bytes) -> None:
        self._events.append(Transmit(framed(body)))
