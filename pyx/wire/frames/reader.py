"""The head and the payload of a frame -> one signal, from this node's point of view.  Not here: whole frames
out of a stream (`frame.py`), or out of fragments (`reassembly.py`), nor the inside of payloads (`codec.py`):
only their receiver opens them.

Whatever is not exactly as `layout.py` says is a ProtocolError: nothing more can be read from that peer.
"""

from __future__ import annotations

from typing import Final, TypeAlias, cast

from pyx.errors import DecodeError, ProtocolError
from pyx.printable import short_repr
from pyx.signals import Payload, Send, Signal, Tick
from pyx.terms import Incarnation, Pid, Ref, is_full_name
from pyx.wire.codec import decode
from pyx.wire.frames.layout import FORMS, HEADER, SEND_ALIAS, SEND_NAME, SEND_PID, TO_ALIAS, TO_NAME, TO_PID
from pyx.wire.frames.sender_check import (
    ENCODED_BY_THE_PEER,
    LONGEST_HEADS,
    SHORT_HEAD_BYTES,
    is_filled_by_text,
    may_say,
)

Addresses: TypeAlias = "tuple[Pid | None, Pid | str | Ref]"
"""Sender and destination of a message."""

_KNOWN_ADDRESSES: Final = 4096
"""Heads remembered, so that a stream of messages makes its two pids once.  Emptied when full."""


class Reader:
    """Reads what one peer says.

    Args:
        here: this node's life; `there`: the peer's.
    """

    def __init__(self, here: Incarnation, there: Incarnation) -> None:
        self._here = here
        self._there = there
        self.known: Final[dict[bytes, Addresses]] = {}
        """By the head of a message in one of the three short forms."""

    def read(self, frame: bytes | memoryview) -> Signal:
        """The signal of a whole frame."""
        if not frame:
            return Tick()
        end = self._end_of_head(frame)
        if not 0 < end <= len(frame):
            msg = f"the head of a frame of kind {frame[0]} does not fit its {len(frame)} bytes"
            raise ProtocolError(msg)
        return self.joined(bytes(frame[:end]), bytes(frame[end:]))

    def joined(self, head: bytes, payload: bytes) -> Signal:
        """The signal of a frame whose head and payload came apart."""
        if self._end_of_head(head) != len(head):
            msg = f"a head of {len(head)} bytes says another length of itself"
            raise ProtocolError(msg)
        if head[0] > SEND_ALIAS:
            return self._long_form(head, payload)
        addresses = self.known.get(head)
        if addresses is None:
            addresses = self._addresses(head)
        return Send(*addresses, Payload(payload, self._there))

    def _end_of_head(self, frame: bytes | memoryview) -> int:
        """Where the payload begins; 0 where not even that can be said."""
        kind = frame[0] if frame else 0
        if kind == SEND_PID:
            return TO_PID.size
        if kind == SEND_NAME:
            return TO_NAME.size + frame[TO_NAME.size - 1] if len(frame) >= TO_NAME.size else 0
        if kind == SEND_ALIAS:
            return TO_ALIAS.size
        if kind not in FORMS:
            msg = f"frames of kind {kind} are unknown"
            raise ProtocolError(msg)
        return HEADER.size + HEADER.unpack_from(frame)[1] if len(frame) >= HEADER.size else 0

    # ------------------------------------------------------------ messages

    def _addresses(self, head: bytes) -> Addresses:
        to: Pid | str | Ref
        if head[0] == SEND_PID:
            _, sender, to_number, to_serial, creation, number, serial = TO_PID.unpack(head)
            to = Pid(to_number, to_serial, *self._of_mine(creation))
        elif head[0] == SEND_NAME:
            _, sender, number, serial, _ = TO_NAME.unpack_from(head)
            try:
                to = head[TO_NAME.size :].decode("utf-8", "surrogatepass")
            except UnicodeDecodeError as error:
                msg = f"a message is for a name that is no text: {error}"
                raise ProtocolError(msg) from error
        else:
            _, sender, to_number, creation, number, serial = TO_ALIAS.unpack(head)
            to = Ref(to_number, *self._of_mine(creation))
        if sender > 1:
            msg = f"a message's sender flag is {sender}, not 0 or 1"
            raise ProtocolError(msg)
        frm = Pid(number, serial, *self._there) if sender else None
        if len(self.known) >= _KNOWN_ADDRESSES:
            self.known.clear()
        self.known[head] = (frm, to)
        return frm, to

    def _of_mine(self, creation: int) -> Incarnation:
        # What belongs to an earlier life of this node's name stays foreign, so that nobody here is mistaken
        # for his predecessor.
        return (
            Incarnation("", 0) if creation == self._here.creation else Incarnation(self._here.name, creation)
        )

    # ------------------------------------------------------------ all others

    def _long_form(self, head: bytes, payload: bytes) -> Signal:
        signal, types = FORMS[head[0]]
        what = signal.__name__
        if len(head) > LONGEST_HEADS.get(signal, SHORT_HEAD_BYTES):
            msg = f"the head of a {what} is too long: {len(head)} bytes"
            raise ProtocolError(msg)
        is_long = len(head) > SHORT_HEAD_BYTES and "text" in signal._fields
        if is_long and not is_filled_by_text(head[HEADER.size :]):
            msg = f"the head of a {what} is longer than its text accounts for"
            raise ProtocolError(msg)
        try:
            fields = decode(Payload(head[HEADER.size :], self._there), self._here)
        except DecodeError as error:
            msg = f"the header of a {what} cannot be read: {error}"
            raise ProtocolError(msg) from error
        if type(fields) is not tuple or len(fields) != len(types):
            msg = f"the header of a {what} holds no {len(types)} fields"
            raise ProtocolError(msg)
        rest: bytes | None = payload
        values = []
        for value, allowed, field in zip(fields, types, signal._fields, strict=True):
            if Payload in allowed and type(value) is not str:
                values.append(self._payload(rest, value, signal))
                rest = None
            elif not _is_one_of(value, allowed) or not may_say(signal, field, value, self._here, self._there):
                msg = f"the field {field} of a {what} cannot be {short_repr(value)}"
                raise ProtocolError(msg)
            else:
                values.append(value)
        if rest:
            msg = f"{len(rest)} bytes follow a {what} that holds no letter"
            raise ProtocolError(msg)
        return cast("Signal", signal(*values))

    def _payload(self, data: bytes | None, mark: object, signal: type) -> Payload:
        if mark is True and data is not None:
            return Payload(data, self._there)
        if data is not None and signal not in ENCODED_BY_THE_PEER and type(mark) is tuple and len(mark) == 2:
            name, creation = mark
            if type(name) is str and is_full_name(name) and type(creation) is int and 0 < creation < 2**32:
                # This node's own life included: that no other had its hands on it, a peer cannot promise.
                return Payload(data, Incarnation(name, creation))
        msg = f"the letter of a {signal.__name__} is marked {short_repr(mark)}"
        raise ProtocolError(msg)


def _is_one_of(value: object, allowed: frozenset[type]) -> bool:
    # A value may be of a user's class, and a metaclass may hash that class by code of its own.
    cls = type(value)
    return type(cls) is type and cls in allowed
