"""Reads one frame: its head and payload become one signal, with pids as this node writes them.

Payloads are not decoded here but by their receiver.  A frame that is not exactly as `layout` says raises
ProtocolError: nothing more can be read from that peer.
"""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias, cast

from pyx.errors import DecodeError, ProtocolError
from pyx.printable import short_repr
from pyx.signals import GenCall, Held, Holdings, Payload, PayloadBytes, Publish, Send, Signal, Tick
from pyx.terms import Incarnation, Pid, Ref, is_full_name
from pyx.wire.codec import decode
from pyx.wire.frames.fixed_reader import FIXED_READERS, Identities
from pyx.wire.frames.head_limits import LONGEST_HEADS, SHORT_HEAD_BYTES
from pyx.wire.frames.known_pids import own_incarnation
from pyx.wire.frames.layout import (
    FIXED,
    FROM,
    KIND_AND_LENGTH,
    KINDS,
    SEND_ALIAS,
    SEND_NAME,
    SEND_PID,
    SIGNALS,
    TO_ALIAS,
    TO_NAME,
    TO_PID,
)
from pyx.wire.frames.sender_check import PAYLOAD_OF_PEER_ONLY, is_allowed, is_mostly_text

Addresses: TypeAlias = "tuple[Pid | None, Pid | str | Ref]"
"""Sender and destination of a message."""

_WITH_NAMES: Final = frozenset({FIXED + KINDS[GenCall], FIXED + KINDS[Publish]})

_KNOWN_ADDRESSES: Final = 4096
"""Heads remembered, so that the two pids of a stream of messages are made once.  Emptied when full."""


class Reader:
    """Reads the frames of one peer.

    Args:
        here: this node's incarnation; `there`: the peer's.
    """

    def __init__(self, here: Incarnation, there: Incarnation) -> None:
        self._here = here
        self.there: Final = there
        self.identities: Final = Identities(here, there)
        self.known_addresses: Final[dict[bytes, Addresses]] = {}
        """By the head of a message of the kinds 1 to 3."""
        self.last_head = b""
        """The head of the last such message that was read here; the next one often has the same."""

    def read(self, frame: bytes | memoryview) -> Signal:
        """Returns the signal of a whole frame."""
        if not frame:
            return Tick()
        if frame[0] > FIXED:
            return self._read_fixed_form(bytes(frame), None)
        end = self._end_of_head(frame)
        if not 0 < end <= len(frame):
            msg = f"the head of a frame of kind {frame[0]} does not fit its {len(frame)} bytes"
            raise ProtocolError(msg)
        return self.read_parts(bytes(frame[:end]), bytes(frame[end:]))

    def read_parts(self, head: bytes, payload: PayloadBytes) -> Signal:
        """Returns the signal of a reassembled frame, whose head and payload are separate."""
        if head and head[0] > FIXED:
            return self._read_fixed_form(head, payload)
        if self._end_of_head(head) != len(head):
            msg = f"a head of {len(head)} bytes states another length of itself"
            raise ProtocolError(msg)
        if head[0] > SEND_ALIAS:
            return self._read_general_form(head, payload)
        addresses = self.known_addresses.get(head)
        if addresses is None:
            addresses = self._read_addresses(head)
        self.last_head = head
        return Send(*addresses, Payload(payload, self.there))

    def _read_fixed_form(self, head: bytes, payload: PayloadBytes | None) -> Signal:
        """Returns the signal of a fixed head, with its payload at the end (None), or separate."""
        found = FIXED_READERS.get(head[0])
        if found is None:
            msg = f"frames of kind {head[0]} are unknown"
            raise ProtocolError(msg)
        read, size = found
        if payload is None:
            payload = head[size:] if size else b""
        elif head[0] in _WITH_NAMES and len(head) > size:  # names end the head
            payload = head[size:] + bytes(payload)
        elif len(head) != size if size else payload:
            msg = f"a frame of kind {head[0]} has a head of {len(head)} bytes and {len(payload)} more"
            raise ProtocolError(msg)
        try:
            return read(self.identities, head, payload)
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            msg = f"the head of a frame of kind {head[0]} does not fit its {len(head)} bytes: {error}"
            raise ProtocolError(msg) from error

    def _end_of_head(self, frame: bytes | memoryview) -> int:
        """Returns the offset of the payload; 0 if the frame is too short to tell."""
        kind = frame[0] if frame else 0
        if kind == SEND_PID:
            return TO_PID.size
        if kind == SEND_NAME:
            return TO_NAME.size + frame[TO_NAME.size - 1] if len(frame) >= TO_NAME.size else 0
        if kind == SEND_ALIAS:
            return TO_ALIAS.size
        if kind not in SIGNALS:
            msg = f"frames of kind {kind} are unknown"
            raise ProtocolError(msg)
        if len(frame) < KIND_AND_LENGTH.size:
            return 0
        length: int
        _, length = KIND_AND_LENGTH.unpack_from(frame)
        return KIND_AND_LENGTH.size + length

    # ------------------------------------------------------------ messages of the kinds 1 to 3

    def _read_addresses(self, head: bytes) -> Addresses:
        to: Pid | str | Ref
        if head[1] > 1:
            msg = f"a message's sender flag is {head[1]}, not 0 or 1"
            raise ProtocolError(msg)
        if head[0] == SEND_PID:
            _, sender, *_, number, serial = TO_PID.unpack(head)
            to = self.identities.own[head[2:18]]
        elif head[0] == SEND_NAME:
            _, sender, number, serial, _ = TO_NAME.unpack_from(head)
            try:
                to = head[TO_NAME.size :].decode("utf-8", "surrogatepass")
            except UnicodeDecodeError as error:
                msg = f"the registered name that a message is sent to is not UTF-8: {error}"
                raise ProtocolError(msg) from error
        else:
            _, sender, to_number, creation, number, serial = TO_ALIAS.unpack(head)
            to = Ref(to_number, *own_incarnation(self._here, creation))
        frm = self.identities.peers[FROM.pack(number, serial)] if sender else None
        if len(self.known_addresses) >= _KNOWN_ADDRESSES:
            self.known_addresses.clear()
        self.known_addresses[head] = (frm, to)
        return frm, to

    # ------------------------------------------------------------ the general form

    def _read_general_form(self, head: bytes, payload: PayloadBytes) -> Signal:
        signal, types = SIGNALS[head[0]]
        if signal is Holdings:
            from pyx.wire.frames.held_keys import read_holdings  # for the first peer, not for a start

            return read_holdings(head[KIND_AND_LENGTH.size :], payload, self._here, self.there)
        name = signal.__name__
        if len(head) > LONGEST_HEADS.get(signal, SHORT_HEAD_BYTES):
            msg = f"the head of the signal {name} is too long: {len(head)} bytes"
            raise ProtocolError(msg)
        is_long = len(head) > SHORT_HEAD_BYTES and "text" in signal._fields
        if is_long and not is_mostly_text(head[KIND_AND_LENGTH.size :]):
            msg = f"the head of the signal {name} is longer than its text accounts for"
            raise ProtocolError(msg)
        try:
            fields = decode(Payload(head[KIND_AND_LENGTH.size :], self.there), self._here)
        except DecodeError as error:
            msg = f"the header of the signal {name} cannot be read: {error}"
            raise ProtocolError(msg) from error
        if type(fields) is not tuple or len(fields) != len(types):
            msg = f"the header of the signal {name} does not hold {len(types)} fields"
            raise ProtocolError(msg)
        unused: PayloadBytes | None = payload
        values: list[Any] = []
        for value, allowed, field in zip(fields, types, signal._fields, strict=True):
            if Payload in allowed and type(value) is not str:
                values.append(self._payload(unused, value, signal))
                unused = None
            elif not _is_one_of(value, allowed) or not is_allowed(
                signal, field, value, self._here, self.there
            ):
                msg = f"the field {field} of the signal {name} cannot be {short_repr(value)}"
                raise ProtocolError(msg)
            else:
                values.append(value)
        if unused:
            msg = f"{len(unused)} bytes follow a {name}, which has no payload"
            raise ProtocolError(msg)
        if signal is Held:
            from pyx.wire.frames.held_keys import checked_held

            return checked_held(Held(*values), self._here, self.there)
        return cast("Signal", signal(*values))

    def _payload(self, data: PayloadBytes | None, origin: object, signal: type) -> Payload:
        if origin is True and data is not None:
            return Payload(data, self.there)
        if (
            data is not None
            and signal not in PAYLOAD_OF_PEER_ONLY
            and type(origin) is tuple
            and len(origin) == 2
        ):
            name, creation = origin
            if type(name) is str and is_full_name(name) and type(creation) is int and 0 < creation < 2**32:
                # This node's own incarnation is kept, and not replaced by None (encoded here): a peer cannot
                # prove that it passes the bytes on unchanged.
                return Payload(data, Incarnation(name, creation))
        msg = f"{signal.__name__}: the origin of the payload cannot be {short_repr(origin)}"
        raise ProtocolError(msg)


def _is_one_of(value: object, allowed: frozenset[type]) -> bool:
    # A value may be of a user's class, whose metaclass may hash the class by user code.
    cls = type(value)
    return type(cls) is type and cls in allowed
