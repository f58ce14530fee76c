"""erlang_terms.py: Terms of Erlang are frozen, compared as in Erlang, and printed as Elixir prints them."""

from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Map, Port, charlist, identity, keyword
from pyx.terms import FunctionName, Pid, Raised, Ref, Struct


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (ImproperList([1], 2), "[1 | 2]"),
        (ImproperList([Atom("alias"), "x"], Pid(5)), "[:alias, 'x' | #PID<0.5.0>]"),
        (BitString(b"\x10", 4), "<<1::size(4)>>"),
        (BitString(b"\xff\xff", 2), "<<255, 3::size(2)>>"),
        (BeamFunction(b"123"), "#Function<3 bytes>"),
        (Map([("a", 1), (Atom("a"), [2])]), "%{'a' => 1, :a => [2]}"),
        (Map(), "%{}"),
        (
            Struct("Shop.Item", (("name", "nike"), ("a b", Atom("x")))),
            "%Shop.Item{name: 'nike', \"a b\": :x}",
        ),
        (Struct("shop.Item", (("name", "nike"),)), "Struct(shop.Item: name='nike')"),
        (FunctionName("Elixir.String", "upcase", 1), "&String.upcase/1"),
        (FunctionName("erlang", "+", 2), "&:erlang.+/2"),
        (keyword(a=1, b="x"), "[(:a, 1), (:b, 'x')]"),
        (charlist("hü"), "[104, 252]"),
    ],
)
def test_terms_print_as_in_iex(value: object, printed: str) -> None:
    assert repr(value) == printed


def test_port_prints_the_number_of_its_node_as_a_pid_does() -> None:
    first = repr(Pid(1, 0, "port@vm", 5)).removeprefix("#PID<").partition(".")[0]
    assert repr(Port("port@vm", 6, 5)) == f"#Port<{first}.6>"


class TestImproperList:
    @pytest.mark.parametrize(("items", "tail"), [([], 1), ([1], []), ([1], ImproperList([2], 3))])
    def test_what_is_a_proper_list_is_refused(self, items: list[Any], tail: Any) -> None:
        with pytest.raises(ValueError, match="improper list"):
            ImproperList(items, tail)

    def test_list_is_compared_by_its_parts_and_can_be_a_key(self) -> None:
        assert ImproperList([1], 2) == ImproperList((1,), 2) != ImproperList([1], 3)
        assert {ImproperList([1], 2): "x"}[ImproperList([1], 2)] == "x"


class TestBitString:
    def test_bits_that_do_not_count_are_cleared(self) -> None:
        assert BitString(b"\x1f", 4) == BitString(b"\x10", 4)
        assert len(BitString(b"ab", 3)) == 11

    @pytest.mark.parametrize(("data", "bits"), [(b"", 1), (b"a", 0), (b"a", 8), ("a", 1), (b"a", True)])
    def test_whole_bytes_and_other_values_are_refused(self, data: Any, bits: Any) -> None:
        with pytest.raises(ValueError, match="1 to 7 bits"):
            BitString(data, bits)


class NoHash:
    __hash__ = None  # type: ignore[assignment] # as a dataclass that is not frozen

    def __eq__(self, other: object) -> bool:
        raise AssertionError("it is never compared")


class TestMap:
    def test_keys_that_one_dict_cannot_hold_are_kept_apart(self) -> None:
        pairs = [("a", 1), (Atom("a"), 2), (1, 3), (1.0, 4), (True, 5), ([1], 6), ({"k": [1]}, 7), ((1,), 8)]
        mapping = Map(pairs)
        assert [mapping[key] for key, _ in pairs] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert mapping.items() == tuple(pairs)
        assert list(mapping) == list(mapping.keys()) == [key for key, _ in pairs]
        assert mapping.values() == (1, 2, 3, 4, 5, 6, 7, 8)
        assert len(mapping) == 8
        assert mapping.get("b", 9) == 9
        assert "a" in mapping
        assert b"x" not in mapping
        with pytest.raises(KeyError):
            mapping[(1.0,)]

    def test_key_that_stands_twice_is_refused(self) -> None:
        with pytest.raises(ValueError, match="twice"):
            Map([([1, "x"], 1), ([1, "x"], 2)])
        with pytest.raises(ValueError, match="twice"):
            Map([("a", 1), (b"a", 2)])  # one binary

    def test_maps_are_equal_in_any_order(self) -> None:
        assert Map([("a", 1), (1, 2)]) == Map([(1, 2), ("a", 1)])
        assert hash(Map([("a", 1), (1, 2)])) == hash(Map([(1, 2), ("a", 1)]))
        assert Map([(1, 2)]) != Map([(1.0, 2)])
        assert Map([(1, 2)]) != Map([(1, 3)])
        assert Map([(1, 2)]) != {1: 2}

    def test_map_is_frozen(self) -> None:
        with pytest.raises(AttributeError, match="frozen"):
            Map().pairs = ()
        assert copy.deepcopy(Map([(1, [2])])) == Map([(1, [2])])

    def test_object_of_a_users_class_is_a_key_by_its_identity(self) -> None:
        one, other = NoHash(), NoHash()
        mapping = Map([(one, 1), (other, 2), ([one], 3)])
        assert (mapping[one], mapping[other], mapping[[one]]) == (1, 2, 3)


KEYS: list[Any] = [
    None, True, False, 0, 1, -1, 1.0, "1", "a", Atom("a"), b"\xff", (), [], (1,), [1], {}, {1: 2}, {1: 3},
    {2: 1}, Map([(1, 2), (1.0, 3)]), set(), {1}, {1, 2}, ImproperList([1], 2), ImproperList([1, 2], 3),
    BitString(b"a", 3), Pid(1), Pid(2), Pid(1, 0, "a@vm", 1), Pid(1, 0, "a@vm", 2), Ref(1), Ref(2**100),
    Port("a@vm", 1, 1), BeamFunction(b"a"), FunctionName("a", "b"), FunctionName("a", "b", 1),
    Struct("a", (("b", 1),)), Struct("a", (("b", 2),)), Raised("a", "b"), Raised("ab", ""), date(2024, 1, 1),
    Decimal(1), Decimal("1.0"), ("a", "bc"), ("ab", "c"), ["a1:"], [("a",), "b"], [("a", "b")], 2**70, 2**71,
]  # fmt: skip


def test_identities_differ_for_keys_that_differ_in_erlang() -> None:
    assert len({identity(key) for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_identity_is_that_of_an_equal_key(key: object) -> None:
    assert identity(copy.deepcopy(key)) == identity(key)
