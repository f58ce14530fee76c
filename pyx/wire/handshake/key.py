"""From a cookie to the key of the handshake.  Not here: where cookies are kept (`net/cookie.py`).

The text alone decides how it is stretched, so two nodes that are given one string agree on the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

MADE_COOKIE: Final = re.compile(r"pyx1-[A-Za-z0-9_-]{43}")
"""What pyx makes itself: 256 random bits as base64url, which need no stretching."""

_SCRYPT_N: Final = 2**15
_SCRYPT_R: Final = 8
_SCRYPT_MEMORY: Final = 2 * 128 * _SCRYPT_N * _SCRYPT_R
"""scrypt takes 128 * n * r bytes (32 MiB); OpenSSL's own limit is just that, so it needs to be told more."""


def key_from_cookie(cookie: str) -> bytes:
    """The 32 bytes that prove possession of *cookie*.

    A made cookie takes microseconds (HKDF-SHA256, RFC 5869); any other string about 0.1 s (scrypt), because
    an impostor who gets one connection could try words against the proof he saw.
    """
    secret = cookie.encode("utf-8", "surrogateescape")
    if MADE_COOKIE.fullmatch(cookie):
        extracted = hmac.digest(b"pyx-1", secret, "sha256")
        return hmac.digest(extracted, b"pyx-1 auth\x01", "sha256")
    return hashlib.scrypt(
        secret, salt=b"pyx-1 cookie", n=_SCRYPT_N, r=_SCRYPT_R, p=1, maxmem=_SCRYPT_MEMORY, dklen=32
    )
