"""beam.py: A class stands for a struct of Elixir's."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import pytest

from pyx import beam
from pyx.terms import Incarnation
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.beam.term_writer import encode_term


@beam.struct("Shop.BeamItem")
@dataclass
class BeamItem:
    name: str
    qty: int = 1


class Colour(enum.Enum):
    RED = 1


def test_object_is_sent_as_the_struct_and_a_struct_arrives_as_an_object() -> None:
    data = encode_term([BeamItem("nike", 3)], Incarnation("a@vm", 1))
    assert b"Elixir.Shop.BeamItem" in data
    assert decode_term(data, 0, (), None)[0] == [BeamItem("nike", 3)]


def test_name_that_no_module_of_elixir_has_is_refused() -> None:
    for name in ("shop", "", "Shop.item", "Elixir Shop", 5):
        with pytest.raises(ValueError, match=r"such as 'Shop\.Item'"):
            beam.struct(name)  # type: ignore[arg-type]


def test_class_whose_objects_are_not_data_is_refused() -> None:
    with pytest.raises(TypeError, match="a struct is a dataclass or a namedtuple"):
        beam.struct("A")(type("Plain", (), {}))
    with pytest.raises(TypeError, match="is an enum"):
        beam.struct("A")(Colour)
