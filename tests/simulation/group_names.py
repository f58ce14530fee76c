"""The names of groups in the simulator, and of the space that they are in."""

from __future__ import annotations

from typing import Final

from pyx.signals import Payload

SPACE: Final = "groups"
KEYS: Final = (b"\xa1x", b"\xa1y", b"\xa1z")
NO_VALUE: Final = Payload(b"")
