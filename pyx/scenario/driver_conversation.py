"""The conversation with a node of pyx: requests and messages are JSON, one a line; see `shell/driver.py`."""

from __future__ import annotations

import json
from typing import Any


class DriverConversation:
    """The bytes of one conversation, both ways; without I/O.  `IexConversation` is its counterpart."""

    has_driver = True
    """True: the node answers every request of a driver, not inputs alone."""

    def __init__(self) -> None:
        self._unread = b""

    def request(self, number: int, do: str, facts: dict[str, Any]) -> bytes:
        """Returns the bytes of a request."""
        return json.dumps({"do": do, "id": number, **facts}).encode() + b"\n"

    def received(self, data: bytes, now: float) -> list[dict[str, Any]]:  # noqa: ARG002 - iex needs the time
        """Returns the messages in these bytes."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def waited(self, now: float) -> list[dict[str, Any]]:  # noqa: ARG002 - see above
        """Returns no messages: each has come in bytes."""
        return []

    def ended(self) -> list[dict[str, Any]]:
        """Returns no messages: the node announces its end, or was killed."""
        return []
