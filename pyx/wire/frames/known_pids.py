"""The pids in the heads of one peer's frames, made once and remembered by their bytes.

Each dict makes a missing pid by itself, and is emptied when it is full: so neither a hit nor a miss takes a
decision in the code that reads a head, and what a peer can make this node remember is bounded.
"""

from __future__ import annotations

from typing import Final

from pyx.errors import ProtocolError
from pyx.terms import Incarnation, Pid
from pyx.wire.frames.layout import FROM, TO

KNOWN_PIDS: Final = 4096
"""Pids remembered in each dict."""


class PeersPids(dict[bytes, Pid]):
    """Processes of the peer, by their bytes in the layout FROM.

    Args:
        there: the peer's incarnation.
    """

    __slots__ = ("_there",)

    def __init__(self, there: Incarnation) -> None:
        super().__init__()
        self._there = there

    def __missing__(self, key: bytes) -> Pid:
        number, serial = FROM.unpack(key)
        if len(self) >= KNOWN_PIDS:
            self.clear()
        pid = self[key] = Pid(number, serial, *self._there)
        return pid


class OwnPids(dict[bytes, Pid]):
    """Processes of this node as the peer addresses them, by their bytes in the layout TO.

    Args:
        here: this node's incarnation.
    """

    __slots__ = ("_here",)

    def __init__(self, here: Incarnation) -> None:
        super().__init__()
        self._here = here

    def __missing__(self, key: bytes) -> Pid:
        number, serial, creation = TO.unpack(key)
        if len(self) >= KNOWN_PIDS:
            self.clear()
        pid = self[key] = Pid(number, serial, *own_incarnation(self._here, creation))
        return pid


def own_incarnation(here: Incarnation, creation: int) -> Incarnation:
    """Returns the node of a pid or reference that a peer addresses on this node, as it stands in that pid.

    A pid of an earlier incarnation of this node stays foreign, so that it never names a process of this one.

    Raises:
        ProtocolError: no start of a node has this creation.
    """
    if creation == here.creation:
        return Incarnation("", 0)
    if not creation:
        raise ProtocolError("the creation of an address is 0")
    return Incarnation(here.name, creation)
