"""The names of groups and topics in the simulator, and of what they are in."""

from __future__ import annotations

from typing import Final

from pyx.signals import Payload

SPACE: Final = "groups"
KEYS: Final = (b"\xa1x", b"\xa1y", b"\xa1z")
PUBSUB_NAME: Final = "p"
TOPICS: Final = (b"\xa1t", b"\xa1x")
NO_VALUE: Final = Payload(b"")
