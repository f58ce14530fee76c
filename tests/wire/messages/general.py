"""Messages in the general form, as pieces of hostile payloads."""

from __future__ import annotations

import pytest

from pyx.wire.codec import encode
from pyx.wire.messages import encode as encoder


def general(value: object) -> bytes:
    """The payload of a message, without the first byte that a plain one has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "_fast", False)
        return encode(value)
