"""Mutated payloads, streams of frames, handshakes and answers of EPMD do no harm.

    PYX_MUTATIONS=1000000 pytest tests/wire/test_fuzz.py     more inputs than by default
    PYX_MUTATIONS=1234..1234 pytest tests/wire/test_fuzz.py  one input, as a failure prints it: the same bytes

Three things hold for any input.  Only the declared errors are raised (`DecodeError`, `ProtocolError`).  No
code of a user's class runs and nothing is imported.  Memory is allocated for bytes that came, never for
lengths that were announced.
"""

from __future__ import annotations

import contextlib
import sys
import tracemalloc
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyx import fast_paths
from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Map, Port
from pyx.errors import DecodeError, ProtocolError
from pyx.signals import ExitSignal, Link, Payload, Send
from pyx.terms import FunctionName, Pid, Raised, Ref, Struct
from pyx.wire.codec import decode, encode, load_for_peers
from pyx.wire.epmd import (
    NodeEntry,
    Registered,
    RequestReader,
    listed_answer,
    looked_up_answer,
    read_listed,
    read_looked_up,
    read_registered,
    register_request,
    registered_answer,
)
from pyx.wire.frames.fragments import FRAGMENT_BYTES
from pyx.wire.frames.layout import KIND_AND_LENGTH, KINDS
from pyx.wire.frames.reassembly import ReassemblyBudget
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.handshake.events import Authenticated, Established, Event, Failed, Postponed
from pyx.wire.messages.plain import PLAIN
from tests.wire.handshake.test_machine import acceptor, advance, dialler
from tests.wire.messages.general import general
from tests.wire.messages.test_classes import Loud, LoudColour, LoudPair, Point, WithMeta, ran
from tests.wire.mutation import batches, mutated, pieces
from tests.wire.samples import BOB, CAT, GUS, MINE, TABLE, THEIRS, framed, general_form, streams, transmitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.signals import Signal
    from pyx.wire.handshake.machine import Acceptor, Dialler

MAX_STREAM_BYTES: Final = 256 * 1024
"""The longest stream; also the longest payload that the streams here accept, so that limits are reached."""

_BYTES_FOR_A_BYTE: Final = 100
"""The largest value of one byte is an empty dict: 64 bytes, and its place in a list.  So the longest stream
may cost 25 MiB.  Bytes that were announced and did not come cost nothing."""

_UNPACKERS_BYTES: Final = 400_000
"""An unpacker has a stack of 57 KiB, and a payload may take four of them."""

_GARBAGE_BYTES: Final = 4_000_000
"""An unpacker that failed waits for the cycle collector, which runs after some seventy of them."""

_SMALL_BYTES: Final = 16 * 1024
"""Enough for any input of an unauthenticated peer."""

_MEASURED: Final = 80
_MEASURED_KINDS: Final = (0, 5, 8, 9)
"""Of `_MEASURED` inputs, one of each kind is measured, which is slow."""

RICH: Final[list[Any]] = [
    ("add", Pid(5), {"name": "nike", "qty": 30, (1, frozenset({2, "x"})): [None, True, -0.0, 2**70]}),
    {
        "when": [
            datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
            date(2024, 1, 1),
            time(1),
            timedelta(1),
        ]
    },
    [Decimal("1.5"), UUID(int=5), Ref(3, "a@vm", 5), Raised("E", "t"), Struct("a.B", (("x", {1, 2}),))],
    {Point(1, (2,)): Point(Point(1, 2), 3), Pid(1, 0, "bob@vm", 22): {1: {2: {3: b"bytes"}}}},
    [len, Point, WithMeta, FunctionName("os", "system"), "text \ud800", [[[[[(((((1,),),),),)]]]]]],
    [Loud("nike", ["a"]), LoudPair(1, (2,)), LoudColour.RED, WithMeta(1)],
    [
        (
            Atom("ok"),
            {Atom("name"): "nike", "name?": Atom("größe")},
            ImproperList([Atom("alias")], Ref(2**159, "a@vm", 5)),
        ),
        Map([("a", 1), (Atom("a"), [2]), ([1, {2: 3}], Map([(1, 1), (1.0, 2)]))]),
        [BitString(b"\x10", 4), Port("a@vm", 5, 6), BeamFunction(b"p123"), FunctionName("lists", "map", 2)],
        {ImproperList([1, (2,)], 3): {Map([((1,), 2)]), BitString(b"a", 3), Port("a@vm", 1, 2)}},
    ],
    # Names of code, to see that none of it is called.
    [
        FunctionName(module, name)
        for module, name in (("posix", "_exit"), ("builtins", "exec"), ("antigravity", "x"))
    ],
]

# Payloads that no node sends: keys whose classes define `__hash__`, and keys of one hash.
HOSTILE: Final = [
    b"\x82"
    + general(Loud("a"))
    + b"\x01"
    + general((LoudPair(1, 2),))
    + b"\x92\xd4\x02\0"
    + general(LoudColour.RED),
    b"\x81" + general([WithMeta, WithMeta(1)]) + b"\x01",
    b"\x81" + general((WithMeta, Point(LoudPair(1, 2)))) + b"\x01",
    general({i * (2**61 - 1) for i in range(16)}).replace(b"\x90", b"\x91"),
    b"\xde\0\x60" + b"".join(general(i * (2**61 - 1)) + b"\x01" for i in range(96)),
    b"\xdc\0\x61\xd4\x02\0" + b"".join(general((i * (2**61 - 1),)) for i in range(96)),
    general({i: i for i in range(100)}),
    general({Point(i, (i,)): None for i in range(100)}),
    *(
        form + b"\x91\xde\0\x60" + b"".join(general(2.0 ** (61 * (i % 33 - 16))) + b"\x01" for i in range(96))
        for form in sorted(PLAIN)
    ),
]

SIMPLE: Final[list[Any]] = [
    ("add", {"name": "nike", "qty": 30}),
    ("add", ("nike", ("size", {"eu": (41, 42)})), None),
    [1, [2.5, [True, {"a": [b"bytes", {1: "x", None: []}]}]]],
    {"name": "größe", "n": [2**64 - 1, -(2**63)], "many": {f"key{i}": i for i in range(70)}},
    b"bytes" * 1000,
]
"""Messages without tags."""

PAYLOADS: Final = [*(encode(each) for each in (*RICH, RICH, *SIMPLE)), *map(general, SIMPLE), *HOSTILE]


def _streams() -> Iterator[bytes]:
    """Streams from gus to bob: each signal alone, many together, large ones, in one frame or in fragments."""
    for written, _ in TABLE:
        for is_fast in (True, False):  # fixed heads, and general ones
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(fast_paths, "enabled", is_fast)
                yield transmitted(streams()[0], [written])
    small: list[Signal] = [Send(MINE, THEIRS, Payload(payload)) for payload in PAYLOADS]
    yield transmitted(streams()[0], small)
    yield transmitted(streams()[0], [signal for signal, _ in TABLE if len(repr(signal)) < 1000])
    for strange in (
        *RICH,
        *RICH[5],
        (LoudPair(1, 2), 1),
        (Loud("x"), 1),
        (WithMeta(1), 1),
        1 << 20_000,
    ):  # in place of a field
        yield framed(general_form(Link, MINE, strange))
        yield framed(general_form(ExitSignal, MINE, THEIRS, strange))
    for size, parts in ((FRAGMENT_BYTES + 1, 4096), (100_000, FRAGMENT_BYTES), (3000, 100)):
        gus = SignalStream(GUS, BOB, fragment_bytes=parts)
        yield transmitted(
            gus,
            [
                Send(MINE, THEIRS, Payload(bytes(size))),
                Send(MINE, THEIRS, Payload(encode([{}] * (size // 2)))),
            ],
        )
    for size in (60_000, 250_000):  # longer than any frame that a node sends whole
        yield framed(
            b"".join(
                (
                    transmitted(streams()[0], [Send(MINE, THEIRS, Payload(b""))])[4:],
                    encode([()] * (size // 5)),
                )
            )
        )


STREAMS: Final = list(_streams())
_SMALL_STREAMS: Final = [stream for stream in STREAMS if len(stream) < 4096]
_LARGE_STREAMS: Final = [stream for stream in STREAMS if len(stream) >= 4096]


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    keep_large_buffers()  # made and freed once
    for payload in PAYLOADS:  # decoding reads the file of a time zone once
        with contextlib.suppress(DecodeError):
            decode(Payload(payload), BOB)
    ran.clear()


def decode_mutated(data: bytes, chance: Random) -> None:
    """Decodes a payload at bob."""
    origin = chance.choice([None, GUS, BOB, CAT])
    trusted = chance.random() < 0.5
    try:
        value = decode(Payload(data, origin), BOB, trusts_peers=trusted)
    except DecodeError:
        return
    assert ran == []
    assert trusted or origin is None or not any(callable(each) for each in parts_of(value))
    encode(value)  # every decoded value is data


def parts_of(value: object) -> Iterator[object]:
    """A value, and all values in it."""
    todo = [value]
    while todo:
        each = todo.pop()
        yield each
        if type(each) is dict:
            todo += [*each, *each.values()]
        elif any(type(each) is cls for cls in (list, tuple, set, frozenset, LoudPair)):  # `in` would hash
            todo += list(tuple.__iter__(each) if type(each) is LoudPair else each)  # type: ignore[call-overload]
        elif type(each) is Struct:
            todo += [part for _, part in each.fields]
        elif type(each) is Point:
            todo += [each.x, each.y]


def read_mutated(data: bytes, chance: Random) -> None:
    """Reads a stream at bob, and decodes its payloads."""
    budget = ReassemblyBudget(2 * MAX_STREAM_BYTES, "all peers")
    bob = SignalStream(BOB, GUS, max_payload_bytes=MAX_STREAM_BYTES, budget=budget)
    signals: list[Signal] = []
    try:
        for piece in pieces(chance, data):
            signals += bob.receive_data(piece)
    except ProtocolError:
        pass
    bob.close()
    assert budget.taken == 0
    for signal in signals:
        assert type(signal) in KINDS or not signal
        for payload in signal:
            if type(payload) is Payload and len(payload.data) < 4096:
                decode_mutated(bytes(payload.data), chance)


def handshake_with_mutated(data: bytes, chance: Random) -> None:
    """Feeds one side of a handshake; any bytes but those of a holder of the key are refused."""
    is_acceptor = chance.random() < 0.5
    party: Dialler | Acceptor = acceptor() if is_acceptor else dialler()
    events: list[Event] = []
    for piece in pieces(chance, data):
        events += advance(party)[1]
        party.receive_data(bytes(piece))
    events += advance(party)[1]
    party.connection_lost()
    events += advance(party)[1]
    authenticated = [event for event in events if isinstance(event, (Authenticated, Established, Postponed))]
    assert not authenticated or data.startswith(HANDSHAKE_BYTES[0 if is_acceptor else 1])
    assert authenticated or isinstance(events[-1], Failed)


def read_mutated_epmd(data: bytes, _chance: Random) -> None:
    """Reads the bytes as each answer and request of EPMD."""
    reader = RequestReader()
    reader.receive_data(data)
    reads: tuple[Callable[[bytes], object], ...] = (read_registered, read_looked_up, read_listed)
    for read in (lambda _: reader.request(), *reads):
        with contextlib.suppress(ProtocolError):
            read(data)


def _handshake_bytes() -> tuple[bytes, bytes]:
    """All bytes that the two sides of a handshake send."""
    one, two = dialler(), acceptor()
    sent_by_one, sent_by_two = b"", b""
    while True:
        there, back = advance(one)[0], advance(two)[0]
        if not there and not back:
            return sent_by_one, sent_by_two
        sent_by_one, sent_by_two = sent_by_one + there, sent_by_two + back
        two.receive_data(there)
        one.receive_data(back)


HANDSHAKE_BYTES: Final = _handshake_bytes()
ANSWERS: Final = [
    register_request(NodeEntry("gus", 4444)),
    registered_answer(Registered(accepted=True, creation=5), 6),
    registered_answer(Registered(accepted=False, creation=5), 5),
    looked_up_answer(NodeEntry("bob", 5555, hidden=True, extra=b"more")),
    listed_answer(4369, [NodeEntry("gus", 4444), NodeEntry("größe", 1)]),
]


def mutated_input(number: int) -> tuple[Callable[[bytes, Random], None], bytes, int, Random]:
    """The input of that number: (its reader, its bytes, the bytes it may allocate, further randomness)."""
    chance = Random(number)
    match number % 10:
        case 0 | 1 | 2 | 3 | 4:
            data = mutated(chance, chance.choice(PAYLOADS), PAYLOADS)
            if chance.random() < 0.2:  # in another form
                data = chance.choice(sorted(PLAIN)) + data[chance.randrange(2) :]
            return decode_mutated, data, _BYTES_FOR_A_BYTE * len(data) + _UNPACKERS_BYTES, chance
        case 5 | 6 | 7:
            data = mutated(chance, chance.choice(_SMALL_STREAMS), _SMALL_STREAMS)
        case 8:
            data = mutated(chance, chance.choice(_LARGE_STREAMS), _SMALL_STREAMS)[:MAX_STREAM_BYTES]
        case _:
            if chance.random() < 0.5:
                return (
                    read_mutated_epmd,
                    mutated(chance, chance.choice(ANSWERS), ANSWERS),
                    _SMALL_BYTES,
                    chance,
                )
            return (
                handshake_with_mutated,
                mutated(chance, chance.choice(HANDSHAKE_BYTES), HANDSHAKE_BYTES),
                _SMALL_BYTES,
                chance,
            )
    return read_mutated, data, _BYTES_FOR_A_BYTE * len(data) + _GARBAGE_BYTES, chance


@given(st.binary(max_size=600))
def test_random_bytes_do_no_harm(data: bytes) -> None:
    for read in (decode_mutated, read_mutated, handshake_with_mutated, read_mutated_epmd):
        read(data, Random(data))


FIELDS: Final = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.binary(max_size=8),
        st.builds(Pid, st.integers(0, 9), st.integers(0, 9)), st.builds(Ref, st.integers(0, 2**64 - 1)),
        st.sampled_from(["cat@vm", ("cat@vm", 33), Point(1), LoudColour.RED, Point]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.tuples(inner, inner)),
    max_leaves=6,
)  # fmt: skip
"""Fields of a header as a peer may forge it."""


@given(
    st.sampled_from(sorted(KINDS.values())),
    st.lists(FIELDS, max_size=6),
    st.binary(max_size=20),
    st.integers(),
)
def test_forged_headers_do_no_harm(kind: int, fields: list[object], payload: bytes, seed: int) -> None:
    header = encode(tuple(fields))
    read_mutated(framed(KIND_AND_LENGTH.pack(kind, len(header)) + header + payload), Random(seed))


def read_input(number: int) -> None:
    read, data, allowed, chance = mutated_input(number)
    if number % _MEASURED not in _MEASURED_KINDS:
        read(data, chance)
        return
    tracemalloc.start()
    try:
        read(data, chance)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= allowed, f"{peak} bytes were allocated for {len(data)} bytes of input"


@pytest.mark.parametrize("numbers", batches(), ids=lambda numbers: f"{numbers[0]}..{numbers[-1]}")
def test_mutated_inputs_do_no_harm(numbers: range) -> None:
    load_for_peers()
    modules = set(sys.modules)
    for number in numbers:
        try:
            read_input(number)
            assert ran == []
            assert set(sys.modules) == modules
        except BaseException as error:
            error.add_note(f"again: PYX_MUTATIONS={number}..{number} pytest tests/wire/test_fuzz.py")
            raise
