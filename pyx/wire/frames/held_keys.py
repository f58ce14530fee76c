"""The frame of `Holdings`: many entries in one payload, and the checks of keys and entries that peers send.

The payload is the encoded tuple of all entries, each (number, space, key, pid's number, pid's serial, value);
the header says whether it is the last piece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import DecodeError, ProtocolError
from pyx.signals import LONGEST_KEY_BYTES, LONGEST_VALUE_BYTES, MOST_HELD, Held, Holdings, Payload
from pyx.terms import LONGEST_WORD, Pid
from pyx.wire.codec import decode, encode, key_of_peer
from pyx.wire.frames.layout import KIND_AND_LENGTH, KINDS

if TYPE_CHECKING:
    from pyx.signals import PayloadBytes
    from pyx.terms import Incarnation
    from pyx.wire.frames.fixed_writer import HeadAndPayload

_KIND: Final = KINDS[Holdings]
_HEADER_BYTES: Final = 16


def write_holdings(holdings: Holdings) -> HeadAndPayload:
    """Returns the head and the payload of a piece of this node's holdings."""
    entries = tuple(
        [
            (one.number, one.space, one.key, one.frm.number, one.frm.serial, bytes(one.value.data))
            for one in holdings.entries
        ]
    )
    header = encode((holdings.is_last,))
    return KIND_AND_LENGTH.pack(_KIND, len(header)) + header, encode(entries, what="holdings")


def read_holdings(header: bytes, payload: PayloadBytes, here: Incarnation, there: Incarnation) -> Holdings:
    """Returns the piece of a peer's holdings in a frame.

    Raises:
        ProtocolError: the frame is malformed, or an entry is beyond the limits.
    """
    if len(header) > _HEADER_BYTES:
        raise ProtocolError("the header of the signal Holdings is too long")
    try:
        is_last = decode(Payload(header, there), here)
        entries = decode(Payload(payload, there), here)
    except DecodeError as error:
        msg = f"holdings cannot be read: {error}"
        raise ProtocolError(msg) from error
    if type(is_last) is not tuple or len(is_last) != 1 or type(is_last[0]) is not bool:
        raise ProtocolError("the header of the signal Holdings does not hold 1 field")
    if type(entries) is not tuple or len(entries) > MOST_HELD:
        msg = f"holdings are a tuple of at most {MOST_HELD} entries"
        raise ProtocolError(msg)
    return Holdings(tuple([_entry(each, here, there) for each in entries]), is_last[0])


_TYPES: Final = (int, str, bytes, int, int, bytes)


def _entry(entry: Any, here: Incarnation, there: Incarnation) -> Held:
    if type(entry) is not tuple or tuple(map(type, entry)) != _TYPES:
        raise ProtocolError("an entry of holdings is malformed")
    number, space, key, pid_number, pid_serial, value = entry
    if not (0 < number < 2**64 and 0 < pid_number < 2**64 and 0 <= pid_serial < 2**32):
        raise ProtocolError("an entry of holdings has a number out of range")
    pid = Pid(pid_number, pid_serial, *there)
    return checked_held(Held(pid, number, space, key, Payload(value, there)), here, there)


def checked_held(held: Held, here: Incarnation, there: Incarnation) -> Held:
    """Returns an entry of a peer, with its key as this node writes it.

    Raises:
        ProtocolError: a part of it is beyond its limit, or the key is malformed.
    """
    is_short = len(held.space) <= LONGEST_WORD and len(held.key) <= LONGEST_KEY_BYTES
    if not is_short or len(held.value.data) > LONGEST_VALUE_BYTES:
        raise ProtocolError("an entry of a replicated space is longer than allowed")
    try:
        key = key_of_peer(held.key, here, there)
    except DecodeError as error:
        raise ProtocolError(str(error)) from error
    return held if key is held.key else held._replace(key=key)
