"""term_reader.py, leaf_terms.py, received_atoms.py, term_writer.py, rare_terms.py, etf_tags.py: Exact terms.

Nothing is written that OTP cannot read, and hostile bytes do no harm.
"""

from __future__ import annotations

import math
import os
import sys
import tracemalloc
from datetime import timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, ImproperList, Map
from pyx.errors import DecodeError, EncodeError
from pyx.terms import FunctionName, Pid, Ref, Struct
from pyx.wire.beam import received_atoms
from pyx.wire.beam.atom_bytes import atom_bytes
from pyx.wire.beam.etf_tags import MAX_DEPTH
from pyx.wire.beam.term_reader import decode_term, received_atom
from pyx.wire.beam.term_writer import encode_term
from tests.wire.beam.values import HERE, THERE, VALUES, random_value, same

FIRST, DOTS, LAST = os.environ.get("PYX_MUTATIONS", "100000").partition("..")
MUTATIONS: Final = range(int(FIRST), int(LAST) + 1) if DOTS else range(int(FIRST))
"""As in `test_fuzz.py`: how many inputs, or `first..last`."""


def there_and_back(value: object) -> Any:
    data = encode_term(value, HERE)
    read, end = decode_term(data, 0, (), HERE)
    assert end == len(data)
    return read


def decoded(data: bytes, *atoms: object, binaries: str = "str") -> Any:
    read, end = decode_term(data, 0, atoms, HERE, binaries=binaries)
    assert end == len(data)
    return read


def refused(value: object, problem: str, path: str = "message") -> EncodeError:
    """Encodes a value that Erlang nodes cannot be sent; its error has that path, and says why."""
    with pytest.raises(EncodeError) as raised:
        encode_term(value, HERE)
    assert raised.value.path == path
    assert problem in str(raised.value)
    return raised.value


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_value_arrives_as_it_was_sent(value: object) -> None:
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("seed", range(20))
def test_random_values_arrive_as_they_were_sent(seed: int) -> None:
    chance = Random(seed)
    for _ in range(100):
        value = random_value(chance)
        data = encode_term(value, HERE)
        read = decode_term(data, 0, (), None)[0]  # none of the pids is local
        assert same(read, value), repr(value)
        assert encode_term(read, HERE) == data


# ---------------------------------------------------------------- what closes a connection


class TestWhatClosesAConnection:
    """Each row of what OTP 25 was seen to close a connection for: it cannot be written."""

    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    def test_nan_and_infinity_are_refused_wherever_they_are(self, number: float) -> None:
        refused(number, "is not a number that Erlang has")
        refused([1, {"a": (number,)}], "is not a number that Erlang has", "message[1]['a'][0]")
        refused({number: 1}, "is not a number that Erlang has", "a key of message")
        refused(ImproperList([1], number), "is not a number that Erlang has", "message.tail")

    def test_minus_zero_and_ints_of_any_size_are_sent(self) -> None:
        assert same(there_and_back(-0.0), -0.0)
        assert there_and_back(2**560_000) == 2**560_000

    def test_atom_of_more_than_255_characters_cannot_be_made(self) -> None:
        refused(Struct("A", (("x" * 256, 1),)), "has a name that cannot be an atom")
        refused(Struct("x" * 256, ()), "has a name that cannot be an atom")
        refused(FunctionName("a", "x" * 256, 1), "has a name that cannot be an atom")

    def test_atom_that_is_not_utf8_cannot_be_made(self) -> None:
        refused(Struct("A", (("\ud800", 1),)), "has a name that cannot be an atom")

    def test_longest_atoms_and_the_empty_one_are_sent(self) -> None:
        for text in ("", "a\0b", "x" * 255, "ü" * 255):
            assert there_and_back(Atom(text)) == text

    def test_key_twice_in_a_map_is_refused(self) -> None:
        refused({"a": 1, b"a": 2}, "has two keys that are one in Erlang: 'a', b'a'")
        refused([{(1, "a"): 1, (1, b"a"): 2}], "two keys that are one in Erlang", "message[0]")
        refused({Atom("nil"): 1, None: 2}, "two keys that are one in Erlang")
        refused({str(UUID(int=1)): 1, UUID(int=1): 2}, "two keys that are one in Erlang")
        refused(Map([(0.0, 1), (-0.0, 2)]), "two keys that are one in Erlang")
        refused({"a", b"a"}, "two keys that are one in Erlang", "message.map")
        refused(Struct("A", (("x", 1), ("x", 2))), "has two fields of one name")
        refused(Struct("A", (("__struct__", 1),)), "has two fields of one name")

    def test_one_and_one_point_zero_are_two_keys(self) -> None:
        assert there_and_back(Map([(1, 1), (1.0, 2)])) == Map([(1, 1), (1.0, 2)])

    def test_reference_of_six_words_cannot_be_made(self) -> None:
        refused(Ref(2**160), "its numbers are too large")
        assert encode_term(Ref(2**160 - 1), HERE)[:3] == b"Z\0\5"
        assert encode_term(Ref(2**96 - 1), HERE)[:3] == b"Z\0\3"
        with pytest.raises(DecodeError, match="6 words"):
            decoded(b"Z\0\6" + encode_term(Ref(2**160 - 1), HERE)[3:] + bytes(4))

    def test_compressed_terms_are_neither_written_nor_read(self) -> None:
        assert encode_term("x" * 100_000, HERE)[0] != 80
        with pytest.raises(DecodeError, match="the tag 80"):
            decoded(b"\x50\0\0\0\1x")

    def test_function_that_is_not_one_is_refused(self) -> None:
        for data in (b"", b"p", b"j", b"p\0\0\0\x04", b"q123"):
            refused(BeamFunction(data), "is not a function as an Erlang node made it")

    def test_pid_whose_numbers_do_not_fit_is_refused(self) -> None:
        for pid in (Pid(2**32), Pid(-1), Pid(1, 2**32)):
            refused([pid], "its numbers are too large, or below 0", "message[0]")
        refused(Pid(1, 0, "x" * 300, 1), "could not be encoded")

    def test_lists_nested_deeper_than_256_are_refused_here_though_otp_takes_them(self) -> None:
        value: Any = 1
        for _ in range(MAX_DEPTH):
            value = [value]
        assert there_and_back(value) == value
        refused([value], "nests deeper than 256 containers")


# ---------------------------------------------------------------- other errors


def test_part_that_is_not_data_is_named_with_its_path_and_a_hint() -> None:
    assert refused([{"conn": object()}], "is not data", "message[0]['conn']").hint
    assert refused((1, 2j), "is not data", "message[1]").hint == "send (x.real, x.imag)"
    refused(timedelta(1), "is not data")
    refused("\ud800", "holds a lone surrogate")
    refused({(object(),): 1}, "is not data", "a key of message[0]")
    refused(Struct("A", (("x", [object()]),)), "is not data", "message.x[0]")
    refused(lambda: 1, "is a lambda")
    refused(len, "has no number of arguments")


def test_message_that_contains_itself_is_refused_with_the_path_to_the_circle() -> None:
    circle: list[Any] = [1]
    circle.append({"again": circle})
    refused(circle, "contains itself", "message[1]['again']")


def test_message_over_the_limit_is_refused_before_it_is_written_out() -> None:
    value: Any = "x"
    for _ in range(60):
        value = [value, value]
    with pytest.raises(EncodeError, match="too long"):
        encode_term(value, HERE, max_bytes=1000)
    with pytest.raises(EncodeError, match="too long"):
        encode_term("x" * 1000, HERE, max_bytes=1000)
    assert len(encode_term("x" * 995, HERE, max_bytes=1000)) == 1000


def test_local_address_has_no_meaning_elsewhere_without_a_name() -> None:
    with pytest.raises(EncodeError, match="belongs to this node, which has no name"):
        encode_term((Pid(5),), None)


def test_values_without_a_twin_are_sent_as_what_is_nearest() -> None:
    assert there_and_back(bytearray(b"\xff")) == b"\xff"
    assert there_and_back(memoryview(b"\xff")) == b"\xff"
    assert there_and_back(UUID(int=5)) == str(UUID(int=5))
    assert there_and_back(test_part_that_is_not_data_is_named_with_its_path_and_a_hint) == FunctionName(
        __name__, "test_part_that_is_not_data_is_named_with_its_path_and_a_hint", 0
    )


# ---------------------------------------------------------------- reading


def test_binaries_are_texts_where_they_are_utf8_or_bytes_for_who_asks() -> None:
    data = encode_term(["grüße", b"\xff", {"k": "v"}], HERE)
    assert decoded(data) == ["grüße", b"\xff", {"k": "v"}]
    assert decoded(data, binaries="bytes") == ["grüße".encode(), b"\xff", {b"k": b"v"}]
    assert decoded(b"m\0\0\0\3\xed\xa0\x80") == b"\xed\xa0\x80"  # the bytes of a lone surrogate


def test_addresses_of_this_node_become_local() -> None:
    assert there_and_back((Pid(5), Ref(6))) == (Pid(5), Ref(6))
    assert decoded(encode_term(Pid(5, 0, "here@vm", 8), HERE)) == Pid(5, 0, "here@vm", 8)
    assert decode_term(encode_term(Pid(5), HERE), 0, (), THERE)[0] == Pid(5, 0, *HERE)


def test_atoms_of_the_header_are_taken_by_their_number() -> None:
    atoms = [received_atom(b"ok"), received_atom(b"nil"), received_atom(b"there@vm")]
    read = decoded(b"h\4R\0R\1X\x52\2\0\0\0\5\0\0\0\0\0\0\0\7Z\0\1R\2\0\0\0\7\0\0\0\x09", *atoms)
    assert same(read, (Atom("ok"), None, Pid(5, 0, "there@vm", 7), Ref(9, "there@vm", 7)))
    with pytest.raises(DecodeError, match="cut short"):
        decoded(b"R\3", *atoms)
    with pytest.raises(DecodeError, match="not an atom"):
        decoded(b"X\x52\1\0\0\0\5\0\0\0\0\0\0\0\7", *atoms)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"k\0\3abc", [97, 98, 99]),
        (b"k\0\0", []),
        (b"c1.50000000000000000000e+00\0\0\0\0\0", 1.5),
        (b"d\0\2\xfck", Atom("ük")),
        (b"s\1\xfc", Atom("ü")),
        (b"v\0\2ok", Atom("ok")),
        (b"d\0\4true", True),
        (b"e" + atom_bytes("a@vm") + b"\0\0\0\5\3", Ref(5, "a@vm", 3)),
        (b"r\0\2" + atom_bytes("a@vm") + b"\3\0\0\0\5\0\0\0\6", Ref(6 << 32 | 5, "a@vm", 3)),
        (b"g" + atom_bytes("a@vm") + b"\0\0\0\5\0\0\0\6\3", Pid(5, 6, "a@vm", 3)),
        (b"n\0\0", 0),
        (b"n\2\0\5\0", 5),
        (b"o\0\0\0\1\1\5", -5),
        (b"l\0\0\0\1a\1l\0\0\0\1a\2j", [1, 2]),
        (b"l\0\0\0\1a\1k\0\1\2", [1, 2]),
        (b"l\0\0\0\1a\1l\0\0\0\1a\2a\3", ImproperList([1, 2], 3)),
        (b"l\0\0\0\0j", []),
        (b"i\0\0\0\0", ()),
        (b"t\0\0\0\2a\1a\2F?\xf0\0\0\0\0\0\0a\3", Map([(1, 2), (1.0, 3)])),
        (b"t\0\0\0\2w\4truea\2a\1a\3", Map([(True, 2), (1, 3)])),
        (b"t\0\0\0\2w\1aa\2m\0\0\0\1aa\3", Map([(Atom("a"), 2), ("a", 3)])),
        (b"t\0\0\0\1ja\2", Map([([], 2)])),
    ],
)
def test_forms_that_only_erlang_writes_are_read(data: bytes, value: object) -> None:
    assert same(decoded(data), value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "cut short"),
        (b"z", "the tag 122"),
        (b"y\0", "the tag 121"),
        (b"F\x7f\xf8\0\0\0\0\0\0", "not a number"),
        (b"c" + b"nan".ljust(31, b"\0"), "not a number"),
        (b"c" + b"1_0".ljust(31, b"\0"), "not a number"),
        (b"w\2\xff\xff", "an atom"),
        (b"v\1\0" + b"x" * 256, "at most 255"),
        (b"M\0\0\0\1\x08x", "whole bytes"),
        (b"M\0\0\0\1\x09x", "1 to 7"),
        (b"M\0\0\0\0\1", "whole bytes"),
        (b"t\0\0\0\2a\1a\2a\1a\3", "twice"),
        (b"t\0\0\0\2ja\2ja\3", "twice"),
        (b"X" + b"a\1" + bytes(12), "not an atom"),
        (b"X" + atom_bytes("no host") + bytes(12), "invalid node name"),
        (b"qw\1aw\1bb\0\0\0\1", "number of arguments"),
        (b"m\xff\xff\xff\xff", "cut short"),
        (b"l\xff\xff\xff\xffa\1", "cut short"),
        (b"t\x80\0\0\0a\1a\1", "cut short"),
        (b"i\x7f\xff\xff\xffa\1", "cut short"),
        (b"o\xff\xff\xff\xff\0\1", "cut short"),
    ],
)
def test_malformed_terms_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem):
        decoded(data)


def test_term_that_nests_too_deep_is_refused() -> None:
    for open_list in (b"h\1", b"l\0\0\0\1", b"t\0\0\0\1a\1"):
        with pytest.raises(DecodeError, match="deeper than 256"):
            decode_term(open_list * 100_000 + b"j", 0, (), HERE)


def test_keys_whose_hashes_were_chosen_to_be_equal_are_refused() -> None:
    keys = b"".join(encode_term(number * (2**61 - 1), HERE) + b"j" for number in range(1, 2000))
    with pytest.raises(DecodeError, match="same hash"):
        decode_term(b"t" + (1999).to_bytes(4, "big") + keys, 0, (), HERE)


def test_atoms_that_are_kept_are_bounded() -> None:
    for number in range(3 * received_atoms.MOST_KEPT):
        decoded(atom_bytes(f"atom{number}"))
        assert len(received_atoms.kept) <= received_atoms.MOST_KEPT
    assert decoded(atom_bytes("nil")) is None


def test_announced_lengths_take_no_memory() -> None:
    tracemalloc.start()
    try:
        for data in (
            b"l\0\xff\xff\xff",
            b"t\0\xff\xff\xff",
            b"m\0\xff\xff\xff",
            b"i\0\xff\xff\xff",
            b"o\0\xff\xff\xff",
        ):
            with pytest.raises(DecodeError):
                decode_term(data + b"a\1" * 20, 0, (), HERE)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------- hostile bytes

SEEDS: Final = [data for data in (encode_term(value, HERE) for value in VALUES) if len(data) < 3000]


def read_hostile(data: bytes) -> None:
    """Reads bytes of any kind: a value that can be sent back, or DecodeError."""
    atoms = (Atom("ok"), None, Atom("there@vm"))
    try:
        value, end = decode_term(data, 0, atoms, HERE)
    except DecodeError:
        return
    assert 0 < end <= len(data)
    once = there_and_back(value)  # an exception of Elixir's comes back as a RuntimeError
    assert same(there_and_back(once), once)


@pytest.mark.parametrize("data", SEEDS, ids=range(len(SEEDS)))
def test_every_prefix_and_every_changed_byte_does_no_harm(data: bytes) -> None:
    for end in range(min(len(data), 300)):
        with pytest.raises(DecodeError):
            decode_term(data[:end], 0, (), HERE)
    for place in range(min(len(data), 60)):
        for byte in (0, 1, 77, 80, 82, 88, 90, 97, 98, 99, *range(100, 122), 255):
            read_hostile(data[:place] + bytes((byte,)) + data[place + 1 :])


def mutated_term(number: int) -> bytes:
    """The input of that number: a term that was changed in one to four places."""
    chance = Random(number)
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) or 1)
        match chance.randrange(4):
            case 0:
                data[place : place + 1] = bytes((chance.randrange(256),))
            case 1:
                data[place : place + chance.randint(1, 8)] = b""
            case 2:
                other = chance.choice(SEEDS)
                start = chance.randrange(len(other))
                data[place:place] = other[start : start + chance.randint(1, 40)]
            case _:
                data[place : place + 4] = chance.choice((b"\0\0\0\0", b"\0\0\0\2", b"\xff\xff\xff\xff"))
    return bytes(data)


@pytest.mark.parametrize("part", range(8))
def test_mutated_terms_do_no_harm(part: int) -> None:
    modules = set(sys.modules)
    for number in MUTATIONS[part::8]:
        try:
            read_hostile(mutated_term(number))
        except BaseException as error:
            error.add_note(f"again: PYX_MUTATIONS={number}..{number} pytest {__file__}")
            raise
    assert set(sys.modules) == modules


# ---------------------------------------------------------------- recorded frames

RECORDED: Final = [
    (
        "83680461135877046140766d00000070000000006b0acd6f770a6e65745f6b65726e656c5a000377046140766d"
        "6b0acd6f000294a62a5d0001f7d83836"
    ),
    (
        "83680461065877046140766d00000070000000006b0acd6f7700770a6e65745f6b65726e656c83680377092467"
        "656e5f63616c6c68025877046140766d00000070000000006b0acd6f6c000000017705616c6961735a00037704"
        "6140766d6b0acd6f000294a62a5d0001f7d838366802770769735f6175746877046140766d"
    ),
    (
        "836803611658770667757340766d00000065000000006b0acd765877046140766d00000070000000006b0acd6f"
        "8368026c000000017705616c6961735a000377046140766d6b0acd6f000294a62a5d0001f7d838367703796573"
    ),
    (
        "83680461145877046140766d00000070000000006b0acd6f770a6e65745f6b65726e656c5a000377046140766d"
        "6b0acd6f000294a62a5d0001f7d83836"
    ),
    (
        "836806611d5a000377046140766d6b0acd6f000294c72a5c0001f7d838365877046140766d0000007000000000"
        "6b0acd6f5877046140766d0000002e000000006b0acd6f6803770465727063770c657865637574655f63616c6c"
        "61046c0000000177076d6f6e69746f726a836c000000045a000377046140766d6b0acd6f000294c62a5c0001f7"
        "d8383677046d6174687704737172746b0001106a"
    ),
    (
        "836805611f5a000377046140766d6b0acd6f000294c72a5c0001f7d838365877046140766d0000007000000000"
        "6b0acd6f610258770667757340766d00000066000000006b0acd76"
    ),
    (
        "836804611c58770667757340766d00000066000000006b0acd765877046140766d00000070000000006b0acd6f"
        "5a000377046140766d6b0acd6f000294c72a5c0001f7d838368368035a000377046140766d6b0acd6f000294c6"
        "2a5c0001f7d83836770672657475726e464010000000000000"
    ),
]
"""What stood behind the first byte of the frames of a `Node.ping` and an `:rpc.call` [recorded: OTP 25]."""


@pytest.mark.parametrize("recorded", RECORDED, ids=range(len(RECORDED)))
def test_recorded_terms_are_read_and_written_again(recorded: str) -> None:
    data, at = bytes.fromhex(recorded), 0
    written = b""
    while at < len(data):
        assert data[at] == 131
        value, at = decode_term(data, at + 1, (), HERE)
        written += b"\x83" + encode_term(value, HERE)
    assert written == data.replace(b"k\0\1\x10", b"l\0\0\0\1a\x10j")


def test_recorded_call_is_read_as_its_values() -> None:
    data = bytes.fromhex(RECORDED[4])
    control, at = decode_term(data, 1, (), HERE)
    assert control[0] == 29
    assert control[4:] == ((Atom("erpc"), Atom("execute_call"), 4), [Atom("monitor")])
    arguments = decode_term(data, at + 1, (), HERE)[0]
    assert same(arguments[1:], [Atom("math"), Atom("sqrt"), [16]])


def test_recorded_tag_of_otp_28_has_five_words() -> None:
    tag = "5a0005" + "77046f40766d" + "6b0ad02a" + "0002f1fa3a5d00015b1f2ca000002d8300000000"
    read = decoded(bytes.fromhex(tag))
    assert read == Ref(0x00002D835B1F2CA03A5D00010002F1FA, "o@vm", 0x6B0AD02A)
    assert encode_term(read, HERE).hex() == tag


def test_recorded_frame_with_a_header_is_read_with_its_atoms() -> None:
    atoms = [
        received_atom(text) for text in (b"a@vm", b"erpc", b"execute_call", b"monitor", b"math", b"sqrt")
    ]
    control, at = decode_term(bytes.fromhex(WITH_HEADER), 0, atoms, HERE)
    arguments = decode_term(bytes.fromhex(WITH_HEADER), at, atoms, HERE)[0]
    assert control[3] == Pid(0x2E, 0, "a@vm", 0x6B0ACD70)
    assert control[4] == ("erpc", "execute_call", 4)
    assert arguments[1:] == ["math", "sqrt", [16]]


WITH_HEADER: Final = (
    "6806611d5a000352006b0acd700002dfc01a5c000154d85de158520000000070000000006b0acd705852000000"
    "002e000000006b0acd7068035201520261046c0000000152036a6c000000045a000352006b0acd700002dfbf1a"
    "5c000154d85de1520452056b0001106a"
)
"""Control message and arguments of the same call, with the atom cache [recorded: OTP 25]."""
