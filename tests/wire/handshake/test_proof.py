"""proof.py: The key of a cookie depends on its text alone."""

from __future__ import annotations

import hashlib
import hmac

from pyx.wire.handshake.proof import key_from_cookie

MADE = "pyx1-" + "a" * 43


def test_key_of_a_made_cookie_is_hkdf() -> None:
    # RFC 5869 by hand: extract with the salt, then one block of expand.
    extracted = hmac.new(b"pyx-1", MADE.encode(), hashlib.sha256).digest()
    assert key_from_cookie(MADE) == hmac.new(extracted, b"pyx-1 auth\x01", hashlib.sha256).digest()


def test_key_of_any_other_text_is_scrypt() -> None:
    stretched = hashlib.scrypt(b"monster", salt=b"pyx-1 cookie", n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
    assert key_from_cookie("monster") == stretched


def test_text_that_resembles_a_made_cookie_is_stretched() -> None:
    lookalikes = ["pyx1-" + "a" * 42, "pyx1-" + "a" * 44, "pyx1-" + "+" * 43, MADE + "\n"]
    keys = {key_from_cookie(text) for text in [MADE, *lookalikes]}
    assert len(keys) == 5


def test_text_with_surrogates_has_a_key() -> None:
    assert len(key_from_cookie("caf\udce9")) == 32
