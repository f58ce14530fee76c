"""The contract of adapters, which carry broadcasts between nodes in the place of the mesh.

Without an adapter the kernel does it: one signal to each visible node, in the order of the sender's messages.
An adapter is an object of a program, given to `PubSub.start_link(adapter=...)`; it may join nodes that share
no mesh.  It carries *letters*: whole messages as bytes, which say where they were encoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pyx.core.tables import NO_NODE
from pyx.errors import DecodeError, brief
from pyx.signals import Payload
from pyx.terms import Incarnation, is_full_name
from pyx.wire.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.terms import Pid

__all__ = ["Adapter"]

_UNNAMED: Final = Incarnation(NO_NODE, 0)
"""Where a letter of a node without a name was encoded."""


class Adapter(Protocol):
    """The methods that an instance of PubSub calls, on any thread; they may block it.

    What the last two raise is raised by the broadcast; the subscribers of this node have the message then.
    """

    def start(self, deliver: Callable[[str, bytes], None]) -> None:
        """Begins to carry; an exception ends the start of the instance.

        Args:
            deliver: takes the topic and the letter of a broadcast from another node, on any thread.  It gives
                it to the subscribers of this node, and never raises.
        """

    def stop(self) -> None:
        """Ends what `start` began: the instance has ended."""

    def node_name(self) -> str:
        """Returns the name by which `direct_broadcast` finds this node."""

    def broadcast(self, topic: str, letter: bytes, frm: Pid | None) -> None:
        """Carries a letter of *frm* (None: not a process) to all other nodes, each at most once."""

    def direct_broadcast(self, node: str, topic: str, letter: bytes) -> None:
        """Carries a letter to one other node; to an unknown one it is lost."""


def letter_of(payload: Payload, here: Incarnation | None) -> bytes:
    """Returns a message of this node as a letter."""
    return encode((*(here or _UNNAMED), bytes(payload.data)))


def payload_in(letter: bytes, here: Incarnation | None) -> Payload:
    """Returns the message in a letter, for mailboxes of this node; nothing of it is decoded yet.

    Raises:
        DecodeError: it is not a letter, or not even bytes.
    """
    if type(letter) is not bytes:
        msg = f"a letter is bytes, not {brief(letter)}"
        raise DecodeError(msg)
    match decode(Payload(letter, _UNNAMED), here, trusts_peers=False):
        case (str(name), int(creation), bytes(data)) if is_full_name(name) and 0 <= creation < 2**32:
            return Payload(data, Incarnation(name, creation))
    raise DecodeError("an adapter has delivered bytes that are not a letter")
