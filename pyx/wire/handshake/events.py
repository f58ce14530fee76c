"""What a machine of a handshake asks for, and what it says: its events."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Status: TypeAlias = Literal["ok", "simultaneous", "refused"]
"""The decision about an authenticated dialler; `simultaneous`: this node is dialling it, wait for that."""


class Transmit(NamedTuple):
    """Bytes to write, in the order of the events."""

    data: bytes


class NeedKey(NamedTuple):
    """An unauthenticated peer calls itself *name*: answer `key_chosen`, the key of that name's cookie."""

    name: str


class Authenticated(NamedTuple):
    """The dialler has proven that it holds the cookie: answer with `decide`."""

    name: str
    creation: int
    hidden: bool


class Established(NamedTuple):
    """The handshake is complete; signals may follow at once (see `trailing_data`)."""

    name: str
    creation: int
    hidden: bool


class Postponed(NamedTuple):
    """The peer, authenticated, is dialling this node itself: abandon this attempt and wait for that one."""

    name: str


class Failed(NamedTuple):
    """The handshake failed.  `reason` is a sentence about the peer for this node's log, not for the peer."""

    reason: str
    hint: str | None = None


Event: TypeAlias = Transmit | NeedKey | Authenticated | Established | Postponed | Failed
