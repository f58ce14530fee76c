"""The first frame of an Erlang node that has dialled the port of pyx nodes: recognized, for a clear log line.

    'N' | u64 flags | u32 creation | u16 length | name        version 6 of Erlang's handshake
    'n' | u16 version | u32 flags | name                      version 5

It comes in place of a TLS hello, or of pyx's own.  Nothing in it is proven: the name is for the log alone.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from pyx.terms import is_full_name
from pyx.wire.handshake.short_frames import MAX_FRAME_BYTES

_VERSION_6: Final = Struct(">cQIH")
_VERSION_5: Final = Struct(">cHI")


def unframed(data: bytes | memoryview) -> bytes:
    """Returns the body of the frame at the beginning of *data*; empty if no whole short frame is there."""
    length = int.from_bytes(data[:2])
    return bytes(data[2 : 2 + length]) if length <= min(MAX_FRAME_BYTES, len(data) - 2) else b""


def refusal_of_erlang_node(body: bytes) -> str | None:
    """Returns the sentence for the log about the Erlang node that sent this frame; None if it is another one.

    Args:
        body: the first frame from a dialler, without its length.
    """
    name = b""
    if body[:1] == b"N" and len(body) >= _VERSION_6.size:
        length: int = _VERSION_6.unpack_from(body)[3]
        name = body[_VERSION_6.size : _VERSION_6.size + length]
        if len(name) < length:
            return None
    elif body[:1] == b"n" and len(body) >= _VERSION_5.size and body[1:3] == b"\0\5":
        name = body[_VERSION_5.size :]
    else:
        return None
    text = name.decode("ascii", "replace")
    who = text if is_full_name(text) else "it"  # a node that asks for a name sends its host alone
    return (
        f"{who} is an Erlang node, and this port is for pyx nodes "
        "(hint: pyx --beam opens a port for Erlang nodes)"
    )
