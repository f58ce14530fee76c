"""What nodes say on the local network (`lan`): a name and a creation, proven by the cookie.

    offset  bytes
    0       4      "pyx" and the version, 1
    4       4      creation
    8       32     HMAC-SHA-256 of all other bytes, by a key that is made of the cookie's
    40      1-255  the full name, as ASCII

Others see the names, and learn nothing of the cookie: the key is that of the handshake, for which a cookie
that a person chose went through scrypt, under a label of its own.  A datagram that is repeated by a stranger
has nodes dial a name, and the handshake decides about that.
"""

from __future__ import annotations

import hmac
from typing import Final

MAGIC: Final = b"pyx\x01"
MOST_BYTES: Final = 40 + 255
_LABEL: Final = b"pyx lan beacon"
_PROOF: Final = slice(8, 40)


def datagram_of(name: str, creation: int, key: bytes) -> bytes:
    """Returns what the node *name* says; *key* is that of handshakes."""
    head, tail = MAGIC + creation.to_bytes(4, "big"), name.encode("ascii")
    return head + _proof(head, tail, key) + tail


def name_in(datagram: bytes, key: bytes) -> str | None:
    """Returns the name of the node that has said it; None if it does not hold the cookie."""
    head, tail = datagram[: _PROOF.start], datagram[_PROOF.stop :]
    if not (head.startswith(MAGIC) and tail.isascii() and len(datagram) <= MOST_BYTES):
        return None
    if not hmac.compare_digest(datagram[_PROOF], _proof(head, tail, key)):
        return None
    return tail.decode("ascii") or None


def _proof(head: bytes, tail: bytes, key: bytes) -> bytes:
    own = hmac.digest(key, _LABEL, "sha256")
    return hmac.digest(own, head + tail, "sha256")
