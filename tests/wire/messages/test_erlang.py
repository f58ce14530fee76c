"""erlang.py: Terms of Erlang arrive as they were sent, as keys too, or are refused with their path."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pyx import fast_paths
from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Map, Port
from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import FunctionName, Incarnation, Pid, Ref
from pyx.wire.codec import decode, encode, is_flat
from pyx.wire.messages import encode as encoder

HERE = Incarnation("here@vm", 7)

VALUES: list[Any] = [
    Atom("ok"),
    Atom(""),
    Atom("ü" * 255),
    (Atom("add"), 1, "text"),
    [Atom("a"), Atom("a")],
    {Atom("name"): Atom("nike"), "other": [Atom("x")]},
    {"deep": {Atom("k"): (Atom("v"),)}},
    [{Atom("name"): n, Atom("qty"): Atom("many")} for n in range(100)],
    {Atom(f"key{n}"): n for n in range(300)},
    {Atom("a"), (Atom("b"), 1)},
    ImproperList([Atom("alias")], Ref(2**159, "a@vm", 5)),
    ImproperList([1, [2, {"a": 3}]], (4,)),
    Map([("a", 1), (Atom("a"), [2]), ([1, {2: 3}], Map([(1, 1), (1.0, {2})]))]),
    Map(),
    BitString(b"\xff\x10", 4),
    Port("a@vm", 2**40, 6),
    BeamFunction(b"any bytes"),
    FunctionName("Elixir.String", "upcase", 1),
    FunctionName("Elixir.String", "upcase"),
    {ImproperList([1, (2,)], 3): 1, Map([((1,), 2)]): 2, BitString(b"a", 3): 3, Port("a@vm", 1, 2): 4},
    Ref(2**64 - 1, "a@vm", 5),
    Ref(2**64),
    Ref(2**160 - 1),
    [Ref(2**96, "a@vm", 5)] * 200,
    (Pid(1), Ref(2**90), Atom("x")),
]


@pytest.fixture(params=[True, False], ids=["fast", "general"], autouse=True)
def ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_paths, "enabled", request.param)
    monkeypatch.setattr(encoder, "_fast", request.param)


def types(value: Any) -> Any:
    """The classes in a value: an atom equals its text, so equality alone would not tell them apart."""
    if type(value) in {list, tuple}:
        return type(value), [types(each) for each in value]
    if type(value) in {dict, Map}:
        return type(value), [(types(key), types(each)) for key, each in value.items()]
    if type(value) is ImproperList:
        return ImproperList, types(value.items), types(value.tail)
    return type(value)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))  # the repr of a set has no fixed order
def test_term_arrives_as_it_was_sent(value: object) -> None:
    arrived = decode(Payload(encode(value)), None)
    assert arrived == value
    assert types(arrived) == types(value)


def test_atom_is_flat_and_an_atom_among_others_keeps_a_tuple_flat() -> None:
    assert is_flat(Atom("ok"))
    assert is_flat((Atom("ok"), 1))
    assert not is_flat(ImproperList([1], 2))


def test_part_that_is_not_data_is_named_with_its_path() -> None:
    with pytest.raises(EncodeError, match=r"message\[0\]\.items\[1\]\[0\]"):
        encode((ImproperList([1, [object()]], 2),))
    with pytest.raises(EncodeError, match=r"message\.tail"):
        encode(ImproperList([1], object()))
    with pytest.raises(EncodeError, match=r"message\['a'\]\[1\]"):
        encode(Map([("a", [1, object()])]))


def test_subclass_of_atom_is_refused_with_a_hint() -> None:
    class Mine(Atom):
        __slots__ = ()

    with pytest.raises(EncodeError, match="its class is a subclass of str"):
        encode(Mine("x"))


def test_reference_of_more_than_160_bits_is_refused() -> None:
    with pytest.raises(EncodeError, match="numbers are too large"):
        encode(Ref(2**160))
    wide = encode(Ref(2**159)).replace(b"\x80" + bytes(19), b"\x80" + bytes(20))
    with pytest.raises(DecodeError):
        decode(Payload(wide), HERE)


def test_terms_nested_deep_in_a_key_are_refused_on_both_sides() -> None:
    key: Any = 1
    for _ in range(100):
        key = ImproperList([key], 2)
    with pytest.raises(EncodeError, match="nests too deep to be hashed"):
        encode({key: 1})


def test_map_whose_keys_nest_as_deep_as_a_message_may_arrives() -> None:
    key: Any = 1
    for _ in range(100):
        key = {1: key}
    assert decode(Payload(encode(Map([(key, 1)]))), None) == Map([(key, 1)])


def test_nodes_that_meet_none_of_these_terms_do_not_load_them() -> None:
    program = (
        "import sys; from pyx.wire.codec import *; from pyx.signals import Payload\n"
        "decode(Payload(encode({1: [()]})), None)\n"
        "assert 'pyx.erlang_terms' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
