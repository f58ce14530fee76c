"""The one frame of the handshake that is read from a stranger: who he says he is.  Not here: whether that is
true (`wire/handshake/machine.py`).

The layout is fixed and holds no msgpack:

    "pyx" | u8 role | u16 lowest version | u16 highest version            the opening, the same for ever
    | u32 flags | u32 creation | 32 bytes nonce | u8 length | name | u8 length | dialled name

The role is 1 for the dialler, 2 for the acceptor, who dials nobody: there the dialled name is empty.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from pyx.errors import HandshakeFailed
from pyx.terms import is_full_name

DIALLER: Final = 1
ACCEPTOR: Final = 2

HIDDEN: Final = 1 << 16
_MANDATORY: Final = 0x0000FFFF
"""The lower half of the flags changes what follows, so a bit unknown here is refused.  The upper half is
advice, and its unknown bits are ignored."""

_MAGIC: Final = b"pyx"
_OPENING: Final = struct.Struct(">3sBHH")
_FIXED: Final = struct.Struct(">II32s")


class Hello(NamedTuple):
    """What a hello says."""

    role: int
    lowest: int
    highest: int
    flags: int
    creation: int
    nonce: bytes
    name: str
    dialled: str


def pack_hello(hello: Hello) -> bytes:
    """The body of a hello's frame."""
    texts = [text.encode() for text in (hello.name, hello.dialled)]
    return b"".join((
        _OPENING.pack(_MAGIC, *hello[:3]),
        _FIXED.pack(*hello[3:6]),
        *(bytes((len(text),)) + text for text in texts),
    ))  # fmt: skip


def has_opening(body: bytes) -> bool:
    """True when somebody speaks this protocol, in whichever version."""
    return len(body) >= _OPENING.size and body.startswith(_MAGIC)


def read_hello(body: bytes, mine: Hello) -> Hello:
    """The hello in *body*, checked for what any hello has to fulfil towards *mine*, whoever wrote it.

    Raises:
        HandshakeFailed: with that one there is nothing to talk about.
    """
    if not has_opening(body):
        raise HandshakeFailed("it does not speak pyx's protocol")
    _, role, lowest, highest = _OPENING.unpack_from(body)
    if role == mine.role:
        raise HandshakeFailed("it sent this side's own kind of hello back")
    if lowest > mine.highest or highest < mine.lowest:
        ours, theirs = _version_range(mine.lowest, mine.highest), _version_range(lowest, highest)
        raise HandshakeFailed(f"it speaks pyx protocol {theirs}, this node {ours}")
    name, rest = _cut_text(body[_OPENING.size + _FIXED.size :])
    dialled, rest = _cut_text(rest)
    if rest:
        raise HandshakeFailed(f"its hello is {len(rest)} bytes too long")
    flags, creation, nonce = _FIXED.unpack_from(body, _OPENING.size)
    if role not in {DIALLER, ACCEPTOR}:
        raise HandshakeFailed(f"its hello is of the unknown kind {role}")
    if not is_full_name(name):
        raise HandshakeFailed(f"it calls itself {name!r}, which is no node name")
    if flags & _MANDATORY:
        raise HandshakeFailed(f"it needs what this node lacks (flags {flags & _MANDATORY:#x})")
    if not creation:
        raise HandshakeFailed("its creation is 0")
    if nonce == mine.nonce:
        raise HandshakeFailed("it sent this node's own nonce back")
    if name == mine.name:
        raise HandshakeFailed("it has this node's own name")
    return Hello(role, lowest, highest, flags, creation, nonce, name, dialled)


def _cut_text(data: bytes) -> tuple[str, bytes]:
    """A text behind its length byte, and what follows."""
    if not data or len(data) < 1 + data[0]:
        raise HandshakeFailed("its hello is cut short")
    try:
        return data[1 : 1 + data[0]].decode("ascii"), data[1 + data[0] :]
    except UnicodeDecodeError:
        raise HandshakeFailed("its hello holds a name that is no text") from None


def _version_range(lowest: int, highest: int) -> str:
    return f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
