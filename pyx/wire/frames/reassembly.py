"""The pieces of large frames put together again.  Not here: how they were cut (`fragments.py`).

The buffers of an assembly grow as bytes arrive, never by what was announced, and what they hold is counted:
against what one peer may leave unfinished, and against what all peers of the node may.

A payload that is too long for this node, or that there is no room for, is let pass without being kept: its
frame becomes whole in its turn, with `Discarded` in the payload's place, and whoever opens that hears why.
"""

from __future__ import annotations

from io import BytesIO

from pyx.errors import FrameTooBig, ProtocolError
from pyx.signals import Discarded
from pyx.wire.frames.fragments import HEAD_BYTES, MAX_STREAMS, NODE_ROOM_BYTES, PEER_ROOM_BYTES
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT, LATER


class ReassemblyBudget:
    """Bytes that may be held, and how many are `taken`.

    Args:
        limit: how many.
        whose: who shares it, for the complaint.
    """

    __slots__ = ("_limit", "_whose", "taken")

    def __init__(self, limit: int, whose: str) -> None:
        self._limit = limit
        self._whose = whose
        self.taken = 0

    def has(self, count: int) -> bool:
        """True if there is room for so many more."""
        return self.taken + count <= self._limit

    def check(self, count: int) -> None:
        """Raises ProtocolError if there is not."""
        if not self.has(count):
            msg = f"unfinished messages of {self._whose} exceed {self._limit} bytes"
            raise ProtocolError(msg)


def room_of_node(max_payload_bytes: int) -> ReassemblyBudget:
    """What all peers of a node share: room for one of the longest payloads at least."""
    return ReassemblyBudget(max(NODE_ROOM_BYTES, max_payload_bytes + HEAD_BYTES), "all peers")


class _Buffer:
    """Bytes that come in pieces, at most so many: it holds never more than twice what has come.

    A BytesIO gives its own buffer in the end, not a copy of it; but left alone it grows by little, and moves
    a mebibyte several times.
    """

    __slots__ = ("_at_most", "_io", "_room", "size")

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._io = BytesIO()
        self._room = 0
        self.size = 0

    @property
    def missing(self) -> int:
        """How many are still to come."""
        return self._at_most - self.size

    def add(self, piece: memoryview) -> None:
        """The next of them."""
        end = self.size + len(piece)
        if end > self._room:
            self._room = min(max(2 * self._room, end), self._at_most)
            self._io.seek(self._room - 1)
            self._io.write(b"\0")
            self._io.seek(self.size)
        self._io.write(piece)
        self.size = end

    def value(self) -> bytes:
        """All of them, when none is missing."""
        return self._io.getvalue()


class _Nothing:
    """The place of a payload that is not kept: bytes pass."""

    __slots__ = ("_why", "missing")
    size = 0

    def __init__(self, missing: int, why: str) -> None:
        self.missing = missing
        self._why = why

    def add(self, piece: memoryview) -> None:
        """The next of them."""
        self.missing -= len(piece)

    def value(self) -> Discarded:
        """What is left of them."""
        return Discarded(self._why)


class _Stream:
    """One frame on its way in."""

    __slots__ = ("head", "payload")

    def __init__(self, head: _Buffer, payload: _Buffer | _Nothing) -> None:
        self.head = head
        self.payload = payload

    @property
    def missing(self) -> int:
        """How many bytes are still to come."""
        return self.head.missing + self.payload.missing

    @property
    def size(self) -> int:
        """How many are held."""
        return self.head.size + self.payload.size

    def add(self, piece: memoryview) -> None:
        """The next bytes of it, not more than are missing."""
        split = min(self.head.missing, len(piece))
        if split:
            self.head.add(piece[:split])
        if split < len(piece):
            self.payload.add(piece[split:])


class Reassembly:
    """The unfinished frames of one peer.  A violated rule is a ProtocolError, and ends that session alone.

    Args:
        max_letter_bytes: the longest payload that is kept.
        node_room: shared with the sessions of all other peers.
    """

    def __init__(self, max_payload_bytes: int, node_room: ReassemblyBudget) -> None:
        self._limit = max_payload_bytes
        self._room = ReassemblyBudget(max(PEER_ROOM_BYTES, max_payload_bytes + HEAD_BYTES), "one peer")
        self._node_room = node_room
        self._streams: dict[int, _Stream] = {}

    def add(self, fragment: bytes | memoryview) -> tuple[bytes, bytes] | None:
        """Takes the frame of a fragment; gives head and payload when that makes a frame whole.

        Raises:
            ProtocolError: it fits no stream, or what is held becomes too much.
        """
        lead = FIRST if fragment[0] == FIRST_FRAGMENT else LATER
        piece = memoryview(fragment)[lead.size :]
        if not piece:
            msg = f"a fragment of {len(fragment)} bytes holds nothing"
            raise ProtocolError(msg)
        if lead is FIRST:
            number, stream = self._begun(fragment)
        else:
            number = LATER.unpack_from(fragment)[1]
            found = self._streams.get(number)
            if found is None:
                msg = f"a fragment continues stream {number}, which was not begun"
                raise ProtocolError(msg)
            stream = found
        if len(piece) > stream.missing:
            msg = f"a fragment brings {len(piece)} bytes where {stream.missing} were missing"
            raise ProtocolError(msg)
        if not self._node_room.has(len(piece)):
            self._discard(stream)
        held = stream.size
        stream.add(piece)
        self._hold(stream.size - held)
        if stream.missing:
            return None
        del self._streams[number]
        self._hold(-stream.size)
        return stream.head.value(), stream.payload.value()

    def _discard(self, stream: _Stream) -> None:
        """The peers together send more than this node can hold: that is none of this one's fault."""
        if isinstance(stream.payload, _Buffer):
            self._hold(-stream.payload.size)
            why = f"no room: messages under way hold {self._node_room.taken:,} bytes already"
            stream.payload = _Nothing(stream.payload.missing, why)

    def _begun(self, fragment: bytes | memoryview) -> tuple[int, _Stream]:
        _, number, head_bytes, payload_bytes = FIRST.unpack_from(fragment)
        if head_bytes > HEAD_BYTES:
            raise FrameTooBig(head_bytes, HEAD_BYTES)
        if number in self._streams:
            msg = f"stream {number} of fragments was begun twice"
            raise ProtocolError(msg)
        if len(self._streams) >= MAX_STREAMS:
            msg = f"more than {MAX_STREAMS} messages were begun and not finished"
            raise ProtocolError(msg)
        payload: _Buffer | _Nothing = _Buffer(payload_bytes)
        if payload_bytes > self._limit:
            why = f"too long: {payload_bytes:,} bytes, at most {self._limit:,} are taken (--max-message)"
            payload = _Nothing(payload_bytes, why)
        stream = self._streams[number] = _Stream(_Buffer(head_bytes), payload)
        return number, stream

    def abandon(self) -> None:
        """The session is over: what never became whole is given up."""
        self._streams.clear()
        self._hold(-self._room.taken)

    def _hold(self, count: int) -> None:
        if count > 0:
            self._room.check(count)
            self._node_room.check(count)
        self._room.taken += count
        self._node_room.taken += count
