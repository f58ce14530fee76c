"""atoms.py: An atom is its text, and is printed as Elixir prints it."""

from __future__ import annotations

import copy
import json
import pickle  # noqa: TID251 - to see what becomes of an atom there

import pytest

from pyx.atoms import Atom, as_texts


class TestAtom:
    def test_atom_equals_and_hashes_like_its_text(self) -> None:
        assert Atom("ok") == "ok"
        assert Atom("ok") == "ok"
        assert hash(Atom("ok")) == hash("ok")
        fields: dict[str, int] = {Atom("name"): 1}
        assert fields["name"] == {"name": 1}[Atom("name")] == 1
        assert sorted([Atom("b"), "a"]) == ["a", "b"]

    def test_atom_is_written_into_texts_without_a_colon(self) -> None:
        assert f"{Atom('ok')} {Atom('ok')!s}" == "ok ok"
        assert type(str(Atom("ok"))) is str
        assert json.dumps({Atom("a"): Atom("b")}) == '{"a": "b"}'

    def test_atom_is_copied_as_itself_and_pickled_as_its_text(self) -> None:
        atom = Atom("ok")
        assert copy.copy(atom) is copy.deepcopy(atom) is atom
        assert type(pickle.loads(pickle.dumps(atom))) is str

    @pytest.mark.parametrize("text", ["", "x" * 255, "ü" * 255, "a\0b"])
    def test_text_of_up_to_255_characters_is_an_atom(self, text: str) -> None:
        assert Atom(text) == text

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("x" * 256, "at most 255 characters, not 256"),
            ("a\ud800", r"no lone surrogate: a\\ud800"),
        ],
    )
    def test_other_texts_are_refused(self, text: str, error: str) -> None:
        with pytest.raises(ValueError, match=error):
            Atom(text)

    def test_other_values_are_refused(self) -> None:
        with pytest.raises(TypeError, match="an atom is made of a str, not of int"):
            Atom(5)

    @pytest.mark.parametrize(
        ("text", "printed"),
        [  # read off Elixir 1.14
            ("ok", ":ok"),
            ("", ':""'),
            ("a b", ':"a b"'),
            ("foo?", ":foo?"),
            ("foo!", ":foo!"),
            ("foo?x", ':"foo?x"'),
            ("Foo", ":Foo"),
            ("gus@vm", ":gus@vm"),
            ("@foo", ':"@foo"'),
            ("a-b", ':"a-b"'),
            ("größe", ":größe"),
            ("日本", ":日本"),
            ("_x", ":_x"),
            ("1a", ':"1a"'),
            ("os.path", ':"os.path"'),
            ("$gen_call", ':"$gen_call"'),
            ("Elixir", "Elixir"),
            ("Elixir.Foo.Bar1_", "Foo.Bar1_"),
            ("Elixir.foo", ':"Elixir.foo"'),
            ("Elixir.Elixir.Foo", "Elixir.Elixir.Foo"),
            ("Elixir.", ':"Elixir."'),
            ("Elixir.Ünder", ':"Elixir.Ünder"'),
            ('a"b\\c\n#{x}\0', ':"a\\"b\\\\c\\n\\#{x}\\0"'),
            ("\x1b\a\b\t\r\v\f\x7f\x01", ':"\\e\\a\\b\\t\\r\\v\\f\\d\\x01"'),
            ("x\u200b", ':"x\\x{200B}"'),
            ("+", ":+"),
            ("<<>>", ":<<>>"),
            ("//", ':"//"'),
            ("=>", ':"=>"'),
            ("!", ":!"),
            ("?", ':"?"'),
        ],
    )
    def test_atom_prints_as_in_iex(self, text: str, printed: str) -> None:
        assert repr(Atom(text)) == printed


def test_texts_of_atoms_take_their_place_in_tuples_and_sets() -> None:
    found = as_texts((Atom("room"), (Atom("a"), 1), frozenset({Atom("b")}), [Atom("c")]))
    assert found == ("room", ("a", 1), frozenset({"b"}), ["c"])
    assert [type(found[0]), type(found[1][0]), type(*found[2]), type(found[3][0])] == [str, str, str, Atom]
