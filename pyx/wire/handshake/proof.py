"""The cryptography of the handshake: from a cookie to its key, and the MACs by which both ends prove the key.

    transcript = SHA256(u16 length | dialler's hello | u16 length | acceptor's hello | channel)
    dialler's proof  = HMAC(key, "pyx-1 dialler" | transcript)
    acceptor's proof = HMAC(key, "pyx-1 acceptor" | status | transcript)

Two labels prevent reflection, two nonces (in the hellos) replay; the hellos inside the transcript prevent
downgrade and the swapping of names, the channel (`unix`, or `tls` and the certificate's hash) a relay.

The text of the cookie alone decides how it is stretched, so two nodes with one string agree on the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

MADE_COOKIE: Final = re.compile(r"pyx1-[A-Za-z0-9_-]{43}")
"""A cookie that pyx made: 256 random bits as base64url, which need no stretching."""

MAC_BYTES: Final = 32

_SCRYPT_N: Final = 2**15
_SCRYPT_R: Final = 8
_SCRYPT_MEMORY: Final = 2 * 128 * _SCRYPT_N * _SCRYPT_R
"""scrypt takes 128 * n * r bytes (32 MiB), exactly OpenSSL's default limit, so a higher one is passed."""


def key_from_cookie(cookie: str) -> bytes:
    """Returns the 32 bytes that prove possession of *cookie*.

    For a cookie that pyx made this takes microseconds (HKDF-SHA256, RFC 5869); for any other string about
    0.1 s (scrypt), because an impostor who gets one connection could try words against the proof in it.
    """
    secret = cookie.encode("utf-8", "surrogateescape")
    if MADE_COOKIE.fullmatch(cookie):
        extracted = hmac.digest(b"pyx-1", secret, "sha256")
        return hmac.digest(extracted, b"pyx-1 auth\x01", "sha256")
    return hashlib.scrypt(
        secret, salt=b"pyx-1 cookie", n=_SCRYPT_N, r=_SCRYPT_R, p=1, maxmem=_SCRYPT_MEMORY, dklen=32
    )


def transcript_hash(dialler_hello: bytes, acceptor_hello: bytes, channel: bytes) -> bytes:
    """Returns the hash of everything that both ends must have seen alike.

    Args:
        dialler_hello: the body of the dialler's hello.
        acceptor_hello: the body of the acceptor's hello.
        channel: what carries the bytes: `b"unix"`, or `b"tls"` and the certificate's SHA-256.
    """
    transcript = hashlib.sha256()
    for hello in (dialler_hello, acceptor_hello):
        transcript.update(len(hello).to_bytes(2) + hello)
    transcript.update(channel)
    return transcript.digest()


def dialler_mac(key: bytes, transcript: bytes) -> bytes:
    """Returns the dialler's proof that it holds *key*."""
    return hmac.digest(key, b"pyx-1 dialler" + transcript, "sha256")


def acceptor_mac(key: bytes, status: int, transcript: bytes) -> bytes:
    """Returns the acceptor's proof that it holds *key*, for the byte *status* that it answers with."""
    return hmac.digest(key, b"pyx-1 acceptor" + bytes((status,)) + transcript, "sha256")


def is_same_mac(one: bytes, other: bytes) -> bool:
    """Compares two MACs in constant time."""
    return hmac.compare_digest(one, other)
