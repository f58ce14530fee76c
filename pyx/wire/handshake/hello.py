"""The hello: the one frame of the handshake that is read from an unauthenticated peer.

Whether its statements are true is proven in `machine`.  The layout is fixed and holds no msgpack:

    "pyx" | u8 role | u16 lowest version | u16 highest version            the preamble, equal in all versions
    | u32 flags | u32 creation | 32 bytes nonce | u8 length | name | u8 length | dialled name

The role is 1 for the dialler, 2 for the acceptor, whose dialled name is empty.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import HandshakeFailed
from pyx.terms import is_full_name

if TYPE_CHECKING:
    from pyx.terms import Incarnation

PROTOCOL_VERSION: Final = 4
"""The version of the frames and payloads that follow the handshake.  (In 1 signals had no fixed heads, in 2
sessions did not begin with holdings, in 3 there were no broadcasts.)"""

NONCE_BYTES: Final = 32

DIALLER: Final = 1
ACCEPTOR: Final = 2

HIDDEN: Final = 1 << 16
_MANDATORY: Final = 0x0000FFFF
"""The lower half of the flags changes what follows, so an unknown bit in it is an error.  The upper half is
advice, and its unknown bits are ignored."""

_MAGIC: Final = b"pyx"
_PREAMBLE: Final = struct.Struct(">3sBHH")
_FIXED: Final = struct.Struct(">II32s")


class Hello(NamedTuple):
    """The fields of a hello."""

    role: int
    lowest: int
    highest: int
    flags: int
    creation: int
    nonce: bytes
    name: str
    dialled: str

    @property
    def is_hidden(self) -> bool:
        """True if the node asks not to be announced to others."""
        return bool(self.flags & HIDDEN)


def dialler_hello(
    node: Incarnation,
    dialled: str,
    nonce: bytes,
    *,
    hidden: bool,
    versions: tuple[int, int] = (PROTOCOL_VERSION, PROTOCOL_VERSION),
) -> Hello:
    """Returns the hello of a node that connects.

    Args:
        node: this node.
        dialled: the full name that it expects to reach.
        nonce: `NONCE_BYTES` random bytes, never used before.
        hidden: the node asks not to be announced to others.
        versions: the lowest and the highest protocol version that it speaks.
    """
    flags = HIDDEN if hidden else 0
    return Hello(DIALLER, *versions, flags, node.creation, nonce, node.name, dialled)


def acceptor_hello(
    node: Incarnation,
    nonce: bytes,
    *,
    hidden: bool,
    versions: tuple[int, int] = (PROTOCOL_VERSION, PROTOCOL_VERSION),
) -> Hello:
    """Returns the hello of a node that accepts a connection.  Arguments as of `dialler_hello`."""
    flags = HIDDEN if hidden else 0
    return Hello(ACCEPTOR, *versions, flags, node.creation, nonce, node.name, "")


def pack_hello(hello: Hello) -> bytes:
    """Returns the body of a hello's frame."""
    texts = [text.encode() for text in (hello.name, hello.dialled)]
    return b"".join((
        _PREAMBLE.pack(_MAGIC, *hello[:3]),
        _FIXED.pack(*hello[3:6]),
        *(bytes((len(text),)) + text for text in texts),
    ))  # fmt: skip


def has_preamble(body: bytes) -> bool:
    """True if *body* begins like a hello of any version of this protocol."""
    return len(body) >= _PREAMBLE.size and body.startswith(_MAGIC)


def read_hello(body: bytes, mine: Hello) -> Hello:
    """Reads the peer's hello and checks what is required of any hello that answers *mine*.

    Raises:
        HandshakeFailed: the hello is malformed, or the two nodes cannot be connected.
    """
    if not has_preamble(body):
        raise HandshakeFailed("it does not speak pyx's protocol")
    _, role, lowest, highest = _PREAMBLE.unpack_from(body)
    if role == mine.role:
        raise HandshakeFailed("it sent this side's own kind of hello back")
    if lowest > mine.highest or highest < mine.lowest:
        ours, theirs = _version_range(mine.lowest, mine.highest), _version_range(lowest, highest)
        older = "there" if highest < mine.lowest else "here"
        raise HandshakeFailed(
            f"it speaks pyx protocol {theirs}, this node {ours}",
            hint=f"the pyx {older} is the older one: install the other's release {older}",
        )
    name, rest = _cut_text(body[_PREAMBLE.size + _FIXED.size :])
    dialled, rest = _cut_text(rest)
    if rest:
        raise HandshakeFailed(f"its hello is {len(rest)} bytes too long")
    flags, creation, nonce = _FIXED.unpack_from(body, _PREAMBLE.size)
    if role not in {DIALLER, ACCEPTOR}:
        raise HandshakeFailed(f"its hello has the unknown role {role}")
    if not is_full_name(name):
        raise HandshakeFailed(f"it calls itself {name!r}, which is not a node name")
    if flags & _MANDATORY:
        raise HandshakeFailed(f"it requires what this node lacks (flags {flags & _MANDATORY:#x})")
    if not creation:
        raise HandshakeFailed("its creation is 0")
    if nonce == mine.nonce:
        raise HandshakeFailed("it sent this node's own nonce back")
    if name == mine.name:
        raise HandshakeFailed("it has this node's own name")
    return Hello(role, lowest, highest, flags, creation, nonce, name, dialled)


def _cut_text(data: bytes) -> tuple[str, bytes]:
    """Returns a text behind its length byte, and the bytes after it."""
    if not data or len(data) < 1 + data[0]:
        raise HandshakeFailed("its hello is cut short")
    try:
        return data[1 : 1 + data[0]].decode("ascii"), data[1 + data[0] :]
    except UnicodeDecodeError:
        raise HandshakeFailed("its hello holds a name that is not ASCII") from None


def _version_range(lowest: int, highest: int) -> str:
    return f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
