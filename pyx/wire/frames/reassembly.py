"""Joins the fragments of large frames, which `fragments` cut.

The buffers grow as bytes arrive, never by what was announced, and their bytes are counted: against the
budget of one peer, and against the budget that all peers of the node share.

The bytes of a payload that is too long for this node, or over the shared budget, are dropped as they come.
Its frame is completed in its turn, with `Discarded` as the data of the payload, and decoding that reports the
reason.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from pyx.errors import FrameTooBig, ProtocolError
from pyx.signals import SPLIT_BYTES, Discarded, SplitBytes
from pyx.wire.codec import BYTES
from pyx.wire.frames.fragments import HEAD_BYTES, MAX_STREAMS, NODE_BUDGET_BYTES, PEER_BUDGET_BYTES
from pyx.wire.frames.layout import FIRST, FIRST_FRAGMENT, LATER
from pyx.wire.fresh_memory import keep_large_buffers

if TYPE_CHECKING:
    from pyx.signals import PayloadBytes


class ReassemblyBudget:
    """A limit of bytes that incomplete frames may hold, and how many are `taken`.

    Args:
        limit: bytes.
        whose: whose frames they are, for the error.
    """

    __slots__ = ("_limit", "_whose", "taken")

    def __init__(self, limit: int, whose: str) -> None:
        self._limit = limit
        self._whose = whose
        self.taken = 0

    def has(self, count: int) -> bool:
        """True if *count* more bytes are within the limit."""
        return self.taken + count <= self._limit

    def check(self, count: int) -> None:
        """Raises ProtocolError if *count* more bytes are over the limit."""
        if not self.has(count):
            msg = f"unfinished messages of {self._whose} exceed {self._limit} bytes"
            raise ProtocolError(msg)


def node_budget(max_payload_bytes: int) -> ReassemblyBudget:
    """Returns the budget that all peers of a node share: at least one of the longest payloads."""
    return ReassemblyBudget(max(NODE_BUDGET_BYTES, max_payload_bytes + HEAD_BYTES), "all peers")


class _GrowingBuffer:
    """A buffer of a known final length, filled piece by piece; it holds at most twice the bytes that came.

    A BytesIO returns its own buffer in the end, not a copy of it; but by itself it grows in small steps, and
    moves a mebibyte several times.
    """

    __slots__ = ("_allocated", "_final", "_io", "size")

    def __init__(self, final: int) -> None:
        self._final = final
        self._io = BytesIO()
        self._allocated = 0
        self.size = 0

    @property
    def missing(self) -> int:
        """How many bytes are still to come."""
        return self._final - self.size

    def add(self, piece: memoryview) -> None:
        """Appends the next bytes."""
        end = self.size + len(piece)
        if end > self._allocated:
            self._allocated = min(max(2 * self._allocated, end), self._final)
            self._io.seek(self._allocated - 1)
            self._io.write(b"\0")
            self._io.seek(self.size)
        self._io.write(piece)
        self.size = end

    def value(self) -> bytes:
        """Returns all bytes, once none is missing."""
        return self._io.getvalue()


class _PayloadBuffer:
    """The buffer of a payload; keeps the first byte of a message that is one large `bytes` apart from it."""

    __slots__ = ("_buffer", "_first")

    def __init__(self, final: int) -> None:
        self._first = b""
        self._buffer = _GrowingBuffer(final)

    @property
    def missing(self) -> int:
        """How many bytes are still to come."""
        return self._buffer.missing

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return len(self._first) + self._buffer.size

    def add(self, piece: memoryview) -> None:
        """Appends the next bytes, at least one."""
        if not self.size and piece[0] == BYTES[0] and self.missing > SPLIT_BYTES:
            self._first = BYTES
            self._buffer = _GrowingBuffer(self.missing - 1)
            piece = piece[1:]
        self._buffer.add(piece)

    def value(self) -> PayloadBytes:
        """Returns all bytes, once none is missing."""
        rest = self._buffer.value()
        return SplitBytes(self._first, rest) if self._first else rest


class _DroppedPayload:
    """Takes the place of the buffer of a payload that is not kept: counts the bytes and drops them."""

    __slots__ = ("_why", "missing")
    size = 0

    def __init__(self, missing: int, why: str) -> None:
        self.missing = missing
        self._why = why

    def add(self, piece: memoryview) -> None:
        """Counts the next bytes."""
        self.missing -= len(piece)

    def value(self) -> Discarded:
        """Returns the empty data of the payload, with the reason."""
        return Discarded(self._why)


class _IncompleteFrame:
    """One fragmented frame on its way in."""

    __slots__ = ("head", "payload")

    def __init__(self, head: _GrowingBuffer, payload: _PayloadBuffer | _DroppedPayload) -> None:
        self.head = head
        self.payload = payload

    @property
    def missing(self) -> int:
        """How many bytes are still to come."""
        return self.head.missing + self.payload.missing

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self.head.size + self.payload.size

    def add(self, piece: memoryview) -> None:
        """Appends the next bytes, not more than are missing."""
        split = min(self.head.missing, len(piece))
        if split:
            self.head.add(piece[:split])
        if split < len(piece):
            self.payload.add(piece[split:])


class Reassembly:
    """The incomplete frames of one peer.  A violated rule raises ProtocolError, which ends that connection.

    Args:
        max_payload_bytes: the longest payload that is kept.
        shared_budget: shared with the connections of all other peers.
    """

    def __init__(self, max_payload_bytes: int, shared_budget: ReassemblyBudget) -> None:
        self._limit = max_payload_bytes
        self._budget = ReassemblyBudget(max(PEER_BUDGET_BYTES, max_payload_bytes + HEAD_BYTES), "one peer")
        self._shared_budget = shared_budget
        self._streams: dict[int, _IncompleteFrame] = {}

    def add(self, fragment: bytes | memoryview) -> tuple[bytes, PayloadBytes] | None:
        """Takes a fragment; returns head and payload of its frame if that completes it.

        Raises:
            ProtocolError: the fragment fits no stream, or a budget is exceeded.
        """
        lead = FIRST if fragment[0] == FIRST_FRAGMENT else LATER
        piece = memoryview(fragment)[lead.size :]
        if not piece:
            msg = f"a fragment of {len(fragment)} bytes holds nothing"
            raise ProtocolError(msg)
        if lead is FIRST:
            number, frame = self._begin(fragment)
        else:
            number = LATER.unpack_from(fragment)[1]
            found = self._streams.get(number)
            if found is None:
                msg = f"a fragment continues stream {number}, which was not begun"
                raise ProtocolError(msg)
            frame = found
        if len(piece) > frame.missing:
            msg = f"a fragment brings {len(piece)} bytes where {frame.missing} were missing"
            raise ProtocolError(msg)
        if not self._shared_budget.has(len(piece)):
            self._drop_payload(frame)
        held = frame.size
        frame.add(piece)
        self._count(frame.size - held)
        if frame.missing:
            return None
        del self._streams[number]
        self._count(-frame.size)
        return frame.head.value(), frame.payload.value()

    def _drop_payload(self, frame: _IncompleteFrame) -> None:
        """Drops a payload because the peers together send more than this node can hold: no peer's fault."""
        if isinstance(frame.payload, _PayloadBuffer):
            self._count(-frame.payload.size)
            why = (
                f"dropped: incomplete messages of all peers hold {self._shared_budget.taken:,} bytes already"
            )
            frame.payload = _DroppedPayload(frame.payload.missing, why)

    def _begin(self, fragment: bytes | memoryview) -> tuple[int, _IncompleteFrame]:
        _, number, head_bytes, payload_bytes = FIRST.unpack_from(fragment)
        if head_bytes > HEAD_BYTES:
            raise FrameTooBig(head_bytes, HEAD_BYTES)
        if number in self._streams:
            msg = f"stream {number} of fragments was begun twice"
            raise ProtocolError(msg)
        if len(self._streams) >= MAX_STREAMS:
            msg = f"more than {MAX_STREAMS} messages were begun and not finished"
            raise ProtocolError(msg)
        payload: _PayloadBuffer | _DroppedPayload = _PayloadBuffer(payload_bytes)
        if payload_bytes > self._limit:
            why = f"too long: {payload_bytes:,} bytes, at most {self._limit:,} are allowed (--max-message)"
            payload = _DroppedPayload(payload_bytes, why)
        keep_large_buffers()
        frame = self._streams[number] = _IncompleteFrame(_GrowingBuffer(head_bytes), payload)
        return number, frame

    def abandon(self) -> None:
        """Drops all incomplete frames, because the connection ended, and releases their bytes."""
        self._streams.clear()
        self._count(-self._budget.taken)

    def _count(self, count: int) -> None:
        if count > 0:
            self._budget.check(count)
            self._shared_budget.check(count)
        self._budget.taken += count
        self._shared_budget.taken += count
