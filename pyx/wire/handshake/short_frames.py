"""The frames of a handshake, of pyx's and of Erlang's: u16 big endian length | body."""

from __future__ import annotations

from typing import Final

from pyx.errors import HandshakeFailed

MAX_FRAME_BYTES: Final = 1024
"""The longest body."""


def framed(body: bytes) -> bytes:
    """Returns the frame of a body."""
    return len(body).to_bytes(2) + body


def take_body(unread: bytearray) -> bytes | None:
    """Removes the first frame of *unread*, and returns its body; None if it has not come whole.

    Raises:
        HandshakeFailed: it is longer than `MAX_FRAME_BYTES`.
    """
    if len(unread) < 2:
        return None
    length = int.from_bytes(unread[:2])
    if length > MAX_FRAME_BYTES:
        raise HandshakeFailed(f"it announced a frame of {length} bytes; the limit is {MAX_FRAME_BYTES}")
    if len(unread) < 2 + length:
        return None
    body = bytes(unread[2 : 2 + length])
    del unread[: 2 + length]
    return body
