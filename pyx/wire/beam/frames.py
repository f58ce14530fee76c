"""The messages of a connection with an Erlang node, cut out of its bytes, and cut into fragments.

Every frame: u32 big endian length | body.  An empty body is a tick.  A body without the atom cache:

    112 | 131 | control [ | 131 | message]

and with it, where the terms have no 131 of their own:

    131 68 | header | control [ | message]                              whole
    131 69 | u64 sequence | u64 number | header | control | piece       the first of *number* fragments
    131 70 | u64 sequence | u64 number | piece                          number - 1 ... 1

    header     u8 count | count / 2 + 1 bytes of flags (none for count 0) | count references
    flags      four bits for each reference, those of the first in the low half of the first byte: 8 for a new
               entry, the others are its segment; behind the last one 1 for atoms with long lengths
    reference  u8 index in its segment [ | u8 or u16 length | UTF-8, for a new entry]

The cache holds 2048 atoms for each direction of a connection.  Nothing is put into the peer's cache: each
header written here is empty, and each atom written in full.

See OTP's erl_ext_dist ("Distribution Header") for both.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.errors import DecodeError, ProtocolError
from pyx.signals import Discarded
from pyx.wire.beam import flags as dist
from pyx.wire.beam.term import ErlangTerm
from pyx.wire.beam.term_reader import decode_term, received_atom
from pyx.wire.frames.fragments import HEAD_BYTES, MAX_STREAMS, PEER_BUDGET_BYTES
from pyx.wire.frames.frame import LENGTH, FrameReader
from pyx.wire.frames.reassembly import ReassemblyBudget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.terms import Incarnation

PASS_THROUGH: Final = b"p\x83"
"""Before a control message without the atom cache."""
WITH_HEADER: Final = b"\x83D\0"
"""Before a control message with an empty header."""

_WHOLE, _FIRST, _LATER = b"\x83D", b"\x83E", b"\x83F"
_FRAGMENT: Final = Struct(">2sQQ")
_MOST_FRAGMENTS: Final = 2**32
_NEW_ENTRY: Final = 8
_CACHE_ENTRIES: Final = 2048
_LONGEST_REMEMBERED: Final = 1024
"""Bytes of a control message that is remembered."""


class DistributionMessage(NamedTuple):
    """One message of a connection: the control message, decoded, and what is behind it, if anything is."""

    control: tuple[Any, ...]
    payload: ErlangTerm | Discarded | None


class _Sequence:
    """One fragmented message on its way in."""

    __slots__ = ("atoms", "control", "data", "left", "why_dropped")

    def __init__(self, control: tuple[Any, ...], atoms: Sequence[Any], left: int) -> None:
        self.control = control
        self.atoms = atoms
        self.left = left
        """How many fragments are still to come."""
        self.data = bytearray()
        self.why_dropped = ""


class MessageReader:
    """The incoming direction: call `receive_data`.  A violated rule raises ProtocolError.

    Args:
        here: this node.
        flags: what both nodes understand.
        max_payload_bytes: the longest message that is kept; a longer one arrives as `Discarded`.
        shared_budget: the bytes of unfinished messages that all peers of the node share.
    """

    def __init__(
        self, here: Incarnation, flags: int, max_payload_bytes: int, shared_budget: ReassemblyBudget
    ) -> None:
        self._here = here
        self._has_cache = bool(flags & dist.DIST_HDR_ATOM_CACHE)
        self._limit = max_payload_bytes
        self._frames = FrameReader(max_payload_bytes + HEAD_BYTES)
        self._cache: list[Any] = [None] * _CACHE_ENTRIES
        self._last: tuple[bytes, tuple[Any, ...], Sequence[Any]] = (b"\0", (), ())
        """All before the message of the frame read last, what it says, and the atoms of its header: the next
        frame is often the same up to there.  (Both parts end where their own first bytes say.)"""
        self._sequences: dict[int, _Sequence] = {}
        self._budget = ReassemblyBudget(max(PEER_BUDGET_BYTES, max_payload_bytes + HEAD_BYTES), "one peer")
        self._shared_budget = shared_budget

    def receive_data(self, data: bytes | memoryview) -> list[DistributionMessage]:
        """The messages that *data* completes, in order, without ticks.

        Raises:
            ProtocolError: the peer broke the protocol; nothing more can be read from it.
        """
        self._frames.receive_data(data)
        read = (self._read(bytes(frame)) for frame in self._frames.frames() if frame)
        return [message for message in read if message is not None]

    def abandon(self) -> None:
        """Drops all unfinished messages, because the connection ended, and releases their bytes."""
        self._sequences.clear()
        self._count(-self._budget.taken)

    # ------------------------------------------------------------ one frame

    def _read(self, frame: bytes) -> DistributionMessage | None:
        before, control, atoms = self._last
        if frame.startswith(before) and len(frame) - len(before) <= self._limit:
            return DistributionMessage(control, ErlangTerm(frame[len(before) :], atoms))
        kind = frame[:2]
        try:
            if not self._has_cache:
                if kind != PASS_THROUGH:
                    raise _no_message(frame)
                return self._whole(frame, 2, (), lead=1)
            if kind == _WHOLE:
                atoms, at = self._header(frame, 2)
                return self._whole(frame, at, atoms, lead=0)
            if kind == _FIRST:
                return self._begin(frame)
            if kind == _LATER:
                return self._go_on(frame)
        except (IndexError, UnicodeDecodeError, DecodeError) as error:
            msg = f"a message is malformed: {error}"
            raise ProtocolError(msg) from None
        raise _no_message(frame)

    def _whole(self, frame: bytes, at: int, atoms: Sequence[Any], *, lead: int) -> DistributionMessage:
        control, end = self._control(frame, at, atoms)
        if end == len(frame):
            return DistributionMessage(control, None)
        if lead and frame[end] != 131:
            raise _no_message(frame[end:])
        start = end + lead
        if len(frame) - start > self._limit:
            return DistributionMessage(control, Discarded(self._too_long(len(frame) - start)))
        if end - at < _LONGEST_REMEMBERED:
            self._last = frame[:start], control, atoms
        return DistributionMessage(control, ErlangTerm(frame[start:], atoms))

    def _control(self, frame: bytes, at: int, atoms: Sequence[Any]) -> tuple[tuple[Any, ...], int]:
        control, end = decode_term(frame, at, atoms, self._here)
        if type(control) is not tuple or not control or type(control[0]) is not int:
            msg = "a control message is not a tuple led by a number"
            raise ProtocolError(msg)
        return control, end

    def _header(self, frame: bytes, at: int) -> tuple[Sequence[Any], int]:
        """The atoms of the header at *at*, and where it ends."""
        count = frame[at]
        if not count:
            return (), at + 1
        flags = at + 1
        at = flags + count // 2 + 1
        has_long_atoms = _nibble(frame, flags, count) & 1
        atoms = []
        for number in range(count):
            flag = frame[flags + number // 2] >> 4 * (number % 2)  # as `_nibble`; the bits above are masked
            place = (flag & 7) << 8 | frame[at]
            at += 1
            if flag & _NEW_ENTRY:
                if has_long_atoms:
                    length, at = frame[at] << 8 | frame[at + 1], at + 2
                else:
                    length, at = frame[at], at + 1
                if at + length > len(frame):
                    raise IndexError("an atom is cut short")
                self._last = b"\0", (), ()  # the same header may mean other atoms from now on
                self._cache[place] = (received_atom(frame[at : at + length]),)
                at += length
            known = self._cache[place]
            if known is None:
                raise IndexError(f"entry {place} of the atom cache was never sent")
            atoms.append(known[0])
        return atoms, at

    # ------------------------------------------------------------ fragments

    def _begin(self, frame: bytes) -> DistributionMessage | None:
        _, sequence, number = _FRAGMENT.unpack_from(_long_enough(frame))
        atoms, at = self._header(frame, _FRAGMENT.size)
        if sequence in self._sequences:
            raise ProtocolError(f"sequence {sequence} of fragments was begun twice")
        if not 0 < number < _MOST_FRAGMENTS:
            raise ProtocolError(f"a message of {number} fragments was begun")
        if len(self._sequences) >= MAX_STREAMS:
            raise ProtocolError(f"more than {MAX_STREAMS} messages were begun and not finished")
        control, end = self._control(frame, at, atoms)
        begun = self._sequences[sequence] = _Sequence(control, atoms, number)
        return self._add(sequence, begun, frame, end, number)

    def _go_on(self, frame: bytes) -> DistributionMessage | None:
        _, sequence, number = _FRAGMENT.unpack_from(_long_enough(frame))
        begun = self._sequences.get(sequence)
        if begun is None:
            raise ProtocolError(f"a fragment continues sequence {sequence}, which was not begun")
        return self._add(sequence, begun, frame, _FRAGMENT.size, number)

    def _add(
        self, sequence: int, begun: _Sequence, frame: bytes, at: int, number: int
    ) -> DistributionMessage | None:
        if number != begun.left:
            raise ProtocolError(f"fragment {number} of a sequence came where {begun.left} was next")
        begun.left -= 1
        size = len(frame) - at
        if not begun.why_dropped:
            if len(begun.data) + size > self._limit:
                self._drop(begun, self._too_long(len(begun.data) + size))
            elif not self._shared_budget.has(size):
                taken = f"{self._shared_budget.taken:,}"
                self._drop(begun, f"dropped: incomplete messages of all peers hold {taken} bytes already")
            else:
                self._count(size)
                begun.data += memoryview(frame)[at:]
        if begun.left:
            return None
        del self._sequences[sequence]
        self._count(-len(begun.data))
        if begun.why_dropped:
            return DistributionMessage(begun.control, Discarded(begun.why_dropped))
        return DistributionMessage(begun.control, ErlangTerm(bytes(begun.data), begun.atoms))

    def _drop(self, begun: _Sequence, why: str) -> None:
        self._count(-len(begun.data))
        begun.data = bytearray()
        begun.why_dropped = why

    def _too_long(self, size: int) -> str:
        return f"too long: {size:,} bytes or more, at most {self._limit:,} are allowed (--max-message)"

    def _count(self, count: int) -> None:
        if count > 0:
            self._budget.check(count)
        self._budget.taken += count
        self._shared_budget.taken += count


def _nibble(frame: bytes, flags: int, number: int) -> int:
    byte = frame[flags + number // 2]
    return byte >> 4 if number % 2 else byte & 15


def _long_enough(frame: bytes) -> bytes:
    if len(frame) < _FRAGMENT.size:
        raise IndexError("a fragment is cut short")
    return frame


def _no_message(frame: bytes) -> ProtocolError:
    return ProtocolError(f"a message begins with {frame[:4]!r}")


# ---------------------------------------------------------------- out


class FragmentedMessage:
    """One large message on its way out: call `cut` until it `is_sent`.

    Args:
        sequence: a number that no other message in flight to the same peer has.
        head: what leads the control message, and the control message.
        payload: the message.
        queued_bytes: how much its signal counts in its outbox.
        fragment_bytes: the length of each piece of the message; None: it goes whole, to a peer that does not
            understand fragments.
    """

    __slots__ = ("_at", "_fragment_bytes", "_head", "_left", "_payload", "_queued_bytes", "_sequence", "size")

    def __init__(
        self, sequence: int, head: bytes, payload: bytes, queued_bytes: int, fragment_bytes: int | None
    ) -> None:
        self._sequence = sequence
        self._head = head
        self._payload = memoryview(payload)
        self._queued_bytes = queued_bytes
        self._fragment_bytes = fragment_bytes
        self._at = 0
        self._left = 1 if fragment_bytes is None else max(1, -(-len(payload) // fragment_bytes))
        self.size: Final = len(head) + len(payload)

    @property
    def is_sent(self) -> bool:
        """True once `cut` has returned the last fragment."""
        return not self._left

    def cut(self, parts: list[bytes | memoryview]) -> tuple[int, int]:
        """Appends the next fragment to *parts*; returns (bytes appended, bytes released from the outbox)."""
        if self._fragment_bytes is None:
            lead, piece = self._head, self._payload
        else:
            piece = self._payload[self._at : self._at + self._fragment_bytes]
            if self._at:
                lead = _FRAGMENT.pack(_LATER, self._sequence, self._left)
            else:
                lead = _FRAGMENT.pack(_FIRST, self._sequence, self._left) + self._head[len(_WHOLE) :]
        self._at += len(piece)
        self._left -= 1
        length = len(lead) + len(piece)
        parts += (LENGTH.pack(length), lead, piece)
        released = min(len(piece), self._queued_bytes) if self._left else self._queued_bytes
        self._queued_bytes -= released
        return LENGTH.size + length, released
