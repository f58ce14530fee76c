"""The refusals of `Presence`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.errors import RegistrationError

if TYPE_CHECKING:
    from pyx.terms import Pid


class AlreadyTracked(RegistrationError):
    """A process is tracked under that key of that topic.  Attributes: `topic`, `key`, `pid`."""

    def __init__(self, topic: str, key: str, pid: Pid) -> None:
        self.topic = topic
        self.key = key
        self.pid = pid
        super().__init__(f"{pid} is tracked as {key!r} in {topic!r} already")


class NotTracked(RegistrationError):
    """A process is not tracked under that key of that topic.  Attributes: `topic`, `key`, `pid`."""

    def __init__(self, topic: str, key: str, pid: Pid) -> None:
        self.topic = topic
        self.key = key
        self.pid = pid
        super().__init__(f"{pid} is not tracked as {key!r} in {topic!r}")
