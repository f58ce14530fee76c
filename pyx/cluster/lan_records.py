"""What nodes say on the local network (`lan`): a name and a creation, proven by the cookie.

    instance  "gus-10-0-0-5-1a2b3c4d": the name and the creation, within the 63 bytes of DNS-SD (RFC 6763)
    TXT       node=gus@10.0.0.5, creation=1a2b3c4d,
              v=HMAC-SHA-256 of creation and name, by a key that is made of the cookie's, in hexadecimal

Others see the names, and learn nothing of the cookie: the key is that of the handshake, for which a cookie
that a person chose went through scrypt, under a label of its own.  A record that a stranger repeats has nodes
dial a name, and the handshake decides about that.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE: Final = "_pyx._tcp.local."
MOST_NAME_BYTES: Final = 255 - len("node=")
"""A text of a TXT record has 255 bytes at most."""
_LABEL: Final = b"pyx lan 1"
_LONGEST_FIRST: Final = 63 - len("-1a2b3c4d")


def instance_of(name: str, creation: int) -> str:
    """Returns the name of the service that a node is; no two starts of a node share one."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in name)
    return f"{plain[:_LONGEST_FIRST]}-{creation:08x}.{SERVICE}"


def records_of(name: str, creation: int, key: bytes) -> dict[str, str]:
    """Returns what the TXT record of the node *name* says; *key* is that of handshakes."""
    words = f"{creation:08x}"
    return {"node": name, "creation": words, "v": _proof(words, name, key)}


def name_in(instance: str, records: Mapping[bytes, bytes | None], key: bytes) -> str | None:
    """Returns the name of the node that has said it; None if it does not hold the cookie."""
    try:
        name, words, proof = ((records.get(field) or b"").decode("ascii") for field in _FIELDS)
        creation = int(words, 16)
    except ValueError:  # of a stranger
        return None
    if not hmac.compare_digest(proof, _proof(words, name, key)):
        return None
    return name if instance == instance_of(name, creation) else None


_FIELDS: Final = (b"node", b"creation", b"v")


def _proof(creation: str, name: str, key: bytes) -> str:
    own = hmac.digest(key, _LABEL, "sha256")
    return hmac.digest(own, f"{creation} {name}".encode("ascii"), "sha256").hex()
