"""Signals <-> bytes, between two nodes that have proven themselves.  Not here: the proof
(`wire/handshake.py`), the inside of letters (`wire/codec.py`), and what a signal brings about (`core`).

The body of a frame opens with its kind.  An empty frame is `Tick`.

    1 Send to a pid     u8 kind | u8 sender? | u64 to number | u32 to serial | u32 to creation | FROM | letter
    2 Send to a name    u8 kind | u8 sender? | FROM | u8 length | name | letter
    3 Send to an alias  u8 kind | u8 sender? | u64 number | u32 creation | FROM | letter
                        FROM = u64 number | u32 serial, zeros where there is no sender
    others              u8 kind | u32 length | header | letter

A header is the tuple of the signal's fields, sealed.  Where a field is a letter, the header holds True
(sealed by the sender), or the name and creation of the third node that sealed it, and the letter's bytes
end the frame. They are never looked into: only their receiver opens them.

The kinds of signals are the table `_KINDS`; which types a field may have is read from `signals.py` itself.
"""

from __future__ import annotations

import struct
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, cast, get_args, get_origin, get_type_hints

from pyx.errors import DecodeError, FrameTooBig, ProtocolError
from pyx.signals import (
    Answer,
    Ask,
    Call,
    Crashed,
    Demonitor,
    Down,
    Exit,
    ExitTo,
    Goodbye,
    Leader,
    Letter,
    Link,
    Monitor,
    Nodes,
    Ping,
    Pong,
    Print,
    Send,
    Signal,
    Spawn,
    Spawned,
    Tick,
    Unlink,
    UnlinkAck,
)
from pyx.terms import Life, Pid, Ref, is_full_name
from pyx.wire.codec import open_letter, seal
from pyx.wire.frame import LENGTH, FrameReader

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LETTER_BYTES: Final = 128 * 1024 * 1024
"""The longest message that travels; whoever seals one refuses a longer one at the call."""

_MAX_FRAME_BYTES: Final = MAX_LETTER_BYTES + 64 * 1024
_GATHERED_BYTES: Final = 16 * 1024
"""A letter up to this is copied next to its neighbours; a longer one is its own chunk."""

_KNOWN_ADDRESSES: Final = 4096
"""Headers remembered, so that a stream of messages makes its two pids once.  Emptied when full."""

_TO_PID: Final = struct.Struct(">BBQIIQI")
_TO_NAME: Final = struct.Struct(">BBQIB")
_TO_ALIAS: Final = struct.Struct(">BBQIQI")
_HEADER: Final = struct.Struct(">BI")

_SEND_PID, _SEND_NAME, _SEND_ALIAS = 1, 2, 3

_KINDS: Final[dict[type, int]] = {
    Send: 4,  # the long form: a sender or a destination that the short ones cannot say
    Link: 5,
    Unlink: 6,
    UnlinkAck: 7,
    Exit: 8,
    ExitTo: 9,
    Monitor: 10,
    Demonitor: 11,
    Down: 12,
    Print: 13,
    Leader: 14,
    Call: 15,
    Spawn: 16,
    Ask: 17,
    Answer: 18,
    Spawned: 19,
    Ping: 20,
    Pong: 21,
    Nodes: 22,
    Goodbye: 23,
    Crashed: 24,
}


def _types_of(signal: Any) -> tuple[frozenset[type], ...]:
    """For each field of a signal the exact types it may have."""
    hints = get_type_hints(signal)
    return tuple(_alternatives(hints[field]) for field in signal._fields)


def _alternatives(hint: Any) -> frozenset[type]:
    if hint is Any:  # a Body: between nodes it is always a letter
        return frozenset({Letter})
    choices = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return frozenset(get_origin(choice) or choice for choice in choices)


_FORMS: Final[dict[int, tuple[Any, tuple[frozenset[type], ...]]]] = {
    kind: (signal, _types_of(signal)) for signal, kind in _KINDS.items()
}


class Session:
    """The two directions of one proven connection: `transmit` signals, `receive_data` from the stream.

    The directions share no state, so one thread may write while another reads.

    Args:
        here: this node's life; `there`: the peer's.
        max_frame_bytes: the longest frame taken or sent.
    """

    def __init__(self, here: Life, there: Life, *, max_frame_bytes: int = _MAX_FRAME_BYTES) -> None:
        self._here = here
        self._there = there
        self._limit = max_frame_bytes
        self._reader = FrameReader(max_frame_bytes)
        self._heard: dict[bytes, tuple[Pid | None, Pid | str | Ref]] = {}
        self._last: tuple[Pid | None, Pid | str | Ref, bytes] = (None, "", b"")

    # ------------------------------------------------------------ out

    def transmit(self, signals: Iterable[Signal]) -> list[bytes]:
        """The bytes of *signals*, to be written in this order.

        Small ones are gathered into one chunk, the bytes of a large letter are a chunk of their own.

        Raises:
            FrameTooBig: a letter is too long to travel; nothing of this call may be written.
        """
        chunks: list[bytes] = []
        parts: list[bytes] = []
        for signal in signals:
            if type(signal) is Tick:
                parts.append(b"\0\0\0\0")
                continue
            header = self._short_header(signal) if type(signal) is Send else None
            if header is None:
                header, data = self._long_header(signal)
            else:
                data = cast("Send", signal).body.data
            length = len(header) + len(data)
            if length > self._limit:
                raise FrameTooBig(length, self._limit)
            parts += (LENGTH.pack(length), header)
            if len(data) <= _GATHERED_BYTES:
                parts.append(data)
            else:
                chunks += (b"".join(parts), data)
                parts = []
        if parts:
            chunks.append(b"".join(parts))
        return chunks

    def _short_header(self, signal: Send) -> bytes | None:
        frm, to, body = signal
        if body.origin is not None and body.origin != self._here:
            return None
        last_frm, last_to, header = self._last
        if frm is last_frm and to is last_to and header:
            return header
        number = serial = 0
        if frm is not None:
            if frm.node:
                return None
            number, serial = frm.number, frm.serial
        sender = frm is not None
        try:
            if type(to) is Pid:
                if to.node != self._there.name:
                    return None
                header = _TO_PID.pack(_SEND_PID, sender, to.number, to.serial, to.creation, number, serial)
            elif type(to) is str:
                name = to.encode("utf-8", "surrogatepass")
                header = _TO_NAME.pack(_SEND_NAME, sender, number, serial, len(name)) + name
            else:
                alias = cast("Ref", to)
                if alias.node != self._there.name:
                    return None
                header = _TO_ALIAS.pack(_SEND_ALIAS, sender, alias.number, alias.creation, number, serial)
        except struct.error:  # a number or a name beyond the fixed widths
            return None
        self._last = (frm, to, header)
        return header

    def _long_header(self, signal: Signal) -> tuple[bytes, bytes]:
        fields: list[Any] = list(signal)
        data = b""
        for index, value in enumerate(fields):
            if type(value) is Letter:
                data = value.data
                origin = value.origin
                fields[index] = True if origin is None or origin == self._here else tuple(origin)
        header = seal(tuple(fields), what=type(signal).__name__)
        return _HEADER.pack(_KINDS[type(signal)], len(header)) + header, data

    # ------------------------------------------------------------ in

    def receive_data(self, data: bytes | memoryview) -> list[Signal]:
        """The signals that are complete with *data*, in order.

        Raises:
            ProtocolError: the peer broke the rules; nothing more can be read from it.
        """
        self._reader.receive_data(data)
        signals: list[Signal] = []
        there, known = self._there, self._heard.get
        for frame in self._reader.frames():
            # The hot path: a message between two pids that have met before.  (No other header equals the
            # first bytes of such a frame: a header's length follows from its own first bytes.)
            if type(frame) is bytes and (addresses := known(frame[: _TO_PID.size])) is not None:
                frm, to = addresses
                signals.append(Send(frm, to, Letter(frame[_TO_PID.size :], there)))
            else:
                signals.append(self._signal(frame))
        return signals

    def _signal(self, frame: bytes | memoryview) -> Signal:
        if not frame:
            return Tick()
        kind = frame[0]
        if not kind or kind > _SEND_ALIAS:
            return self._long_signal(kind, frame)
        if kind == _SEND_PID:
            end = _TO_PID.size
        elif kind == _SEND_NAME:
            end = _TO_NAME.size
            end += frame[end - 1] if len(frame) >= end else 0
        else:
            end = _TO_ALIAS.size
        if len(frame) < end:
            msg = f"a message of {len(frame)} bytes is shorter than its own addresses"
            raise ProtocolError(msg)
        head = bytes(frame[:end])
        addresses = self._heard.get(head)
        if addresses is None:
            addresses = self._addresses(kind, head)
        return Send(addresses[0], addresses[1], Letter(bytes(frame[end:]), self._there))

    def _addresses(self, kind: int, head: bytes) -> tuple[Pid | None, Pid | str | Ref]:
        to: Pid | str | Ref
        if kind == _SEND_PID:
            _, sender, to_number, to_serial, creation, number, serial = _TO_PID.unpack(head)
            to = Pid(to_number, to_serial, *self._of_mine(creation))
        elif kind == _SEND_NAME:
            _, sender, number, serial, _ = _TO_NAME.unpack_from(head)
            try:
                to = head[_TO_NAME.size :].decode("utf-8", "surrogatepass")
            except UnicodeDecodeError as error:
                msg = f"a message is for a name that is no text: {error}"
                raise ProtocolError(msg) from error
        else:
            _, sender, to_number, creation, number, serial = _TO_ALIAS.unpack(head)
            to = Ref(to_number, *self._of_mine(creation))
        if sender > 1:
            msg = f"a message's sender flag is {sender}, not 0 or 1"
            raise ProtocolError(msg)
        frm = Pid(number, serial, *self._there) if sender else None
        if len(self._heard) >= _KNOWN_ADDRESSES:
            self._heard.clear()
        self._heard[head] = (frm, to)
        return frm, to

    def _of_mine(self, creation: int) -> Life:
        # What belongs to an earlier life of this node's name stays foreign, so that nobody here is mistaken
        # for his predecessor.
        return Life("", 0) if creation == self._here.creation else Life(self._here.name, creation)

    def _long_signal(self, kind: int, frame: bytes | memoryview) -> Signal:
        form = _FORMS.get(kind)
        if form is None:
            msg = f"frames of kind {kind} are unknown"
            raise ProtocolError(msg)
        signal, types = form
        what = signal.__name__
        length = _HEADER.unpack_from(frame)[1] if len(frame) >= _HEADER.size else 0
        start = _HEADER.size + length
        if not 0 < length <= len(frame) - _HEADER.size:
            msg = f"the header of a {what} does not fit its frame of {len(frame)} bytes"
            raise ProtocolError(msg)
        try:
            fields = open_letter(Letter(bytes(frame[_HEADER.size : start]), self._there), self._here)
        except DecodeError as error:
            msg = f"the header of a {what} cannot be read: {error}"
            raise ProtocolError(msg) from error
        if type(fields) is not tuple or len(fields) != len(types):
            msg = f"the header of a {what} holds no {len(types)} fields"
            raise ProtocolError(msg)
        data: bytes | None = bytes(frame[start:])
        values = []
        for value, allowed, field in zip(fields, types, signal._fields, strict=True):
            if Letter in allowed and type(value) is not str:
                values.append(self._letter(data, value, what))
                data = None
            elif type(value) not in allowed or not self._may_say(field, value):
                msg = f"the field {field} of a {what} cannot be {value!r:.80}"
                raise ProtocolError(msg)
            else:
                values.append(value)
        if data:
            msg = f"{len(data)} bytes follow a {what} that holds no letter"
            raise ProtocolError(msg)
        return cast("Signal", signal(*values))

    def _letter(self, data: bytes | None, mark: object, what: str) -> Letter:
        if mark is True and data is not None:
            return Letter(data, self._there)
        match mark:
            case (str(name), int(creation)) if (
                data is not None and is_full_name(name) and 0 < creation < 2**32
            ):
                origin = Life(name, creation)
                return Letter(data, None if origin == self._here else origin)
        msg = f"the letter of a {what} is marked {mark!r:.80}"
        raise ProtocolError(msg)

    def _may_say(self, field: str, value: object) -> bool:
        if (
            field == "frm"
        ):  # a peer speaks for its own processes (an earlier life of it included), or for none
            return value is None or cast("Pid", value).node == self._there.name
        if field == "names":
            return all(type(name) is str and is_full_name(name) for name in cast("tuple[object, ...]", value))
        return True
