"""io_format.py, erlang_syntax.py: Texts as io_lib makes them; all of them are what OTP 25 and 28 print."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import BitString, ImproperList, Map
from pyx.terms import FunctionName, Pid
from pyx.wire.beam.io_format import characters, formatted

A = Atom


@pytest.mark.parametrize(
    ("form", "args", "text"),
    [
        (
            "~5.2f ~10s ~-10s ~p|",
            [3.14159, list(b"abc"), list(b"left"), (A("a"), b"b")],
            ' 3.14        abc left       {a,<<"b">>}|',
        ),
        ("hi~n~3n", [], "hi\n\n\n\n"),
        ("100~~ ~3~", [], "100~ ~~~"),
        (A("ok"), [], "ok"),
        (b"~w", [1], "1"),
        # texts
        ("~s and ~ts", [list(b"one"), "zwölf"], "one and zwölf"),
        ("~s ~s", [A("ok"), None], "ok nil"),
        ("~s", ["ü"], "Ã¼"),
        ("~ts~ts", ["ü", b"\xfc"], "üü"),
        ("~s", [ImproperList(["a"], "b")], "ab"),
        ("~5s|~.3s|", ["abcdefg", "abcdefg"], "abcde|abc|"),
        ("~10.3s|~-10.3s|", ["abcdefg"] * 2, "       abc|abc       |"),
        ("~10.5s|", ["abc"], "     abc  |"),
        ("~*s|~10.*s|", [5, "ab", 2, "abc"], "   ab|        ab|"),
        ("~-5..#s", ["ab"], "ab###"),
        ("~5.5.*s", [ord("0"), "ab"], "000ab"),
        # characters
        ("~c~tc~c", [97, 8364, 8364], "a€¬"),
        ("~3c|~5.2c|~-5.2c|", [97] * 3, "aaa|   aa|aa   |"),
        # integers
        ("~b ~B ~.16b ~.16B", [-12, 7, 255, 255], "-12 7 ff FF"),
        ("~8.16.0b ~2..0b", [255, 5], "000000ff 05"),
        ("~3b|~-8b|", [12345, 12], "***|12      |"),
        ("~.16X ~.16x", [255, "0x", -255, "0x"], "0xFF -0xff"),
        ("~.16# ~.16+ ~#", [255, 255, 10], "16#FF 16#ff 10#10"),
        ("~.2b ~.36B ~.7b", [5, 35, 0], "101 Z 0"),
        # floats
        ("~f ~e ~g", [1.5, 1.5, 0.5], "1.500000 1.50000e+0 0.500000"),
        ("~2f ~2.1f", [123.456, 9.96], "** **"),
        ("~.2f ~.2f ~.2f", [0.125, 99.999, -0.0], "0.13 100.00 -0.00"),
        ("~10.3e|", [12345.678], "   1.23e+4|"),
        ("~.2e ~.30f", [9.99, 0.5], "1.0e+1 0.500000000000000000000000000000"),
        ("~g ~g ~.3g", [123456.0, 0.01, 3.14159], "1.23456e+5 1.00000e-2 3.14"),
        # terms
        (
            "~5w|~10w|~-10w|~.3w|~10.2w|",
            [A("abcdefgh"), *[A("abc")] * 4],
            "*****|       abc|abc       |abc|        **|",
        ),
        ("~p ~lp ~w", [list(b"abc")] * 3, '"abc" [97,98,99] [97,98,99]'),
        ("~p", [list(b'a\n"\\\x1b')], r'"a\n\"\\\e"'),
        ("~p ~p", [[97, 0], []], "[97,0] []"),
        ("~w ~p ~p", ["ab", "", b"\xfc"], '<<97,98>> <<>> <<"ü">>'),
        ("~p ~tp ~tp", ["ü", "ü", "€"], '<<"Ã¼">> <<"ü"/utf8>> <<226,130,172>>'),
        ("~w ~tw ~w", [A("€"), A("€"), A("ü")], r"'\x{20AC}' '€' ü"),
        ("~w ~w ~w", [A("and"), A("Elixir.Enum"), A("a\nb'")], r"'and' 'Elixir.Enum' 'a\nb\''"),
        ("~w", [[None, True, False, (), {A("a"): 1.0}]], "[nil,true,false,{},#{a => 1.0}]"),
        ("~w", [Map([([], 1)])], "#{[] => 1}"),
        ("~w", [ImproperList([1, 2], 3)], "[1,2|3]"),
        ("~w", [BitString(b"\x01\x10", 4)], "<<1,1:4>>"),
        ("~w", [FunctionName("lists", "map", 2)], "fun lists:map/2"),
        ("~w", [Pid(9)], "<0.9.0>"),
        ("~i~w", [1, 2], "2"),
        ("~w", [2**80], str(2**80)),
        ("~w ~w ~w", [1e22, 1e5, 100.0], "1.0e22 1.0e5 100.0"),
        ("~w ~w ~w", [0.001, 1e-5, -0.0], "0.001 1.0e-5 -0.0"),
        ("~w ~w", [1234567890123456789.0, 1.5], "1.2345678901234568e18 1.5"),
    ],
)
def test_text_of_a_format(form: Any, args: list[Any], text: str) -> None:
    assert formatted(form, args) == text


@pytest.mark.parametrize(
    ("form", "args"),
    [
        ("~p", []),
        ("x", [1]),
        ("~p", 1),
        ("~z", [1]),
        ("~", [1]),
        (1.0, []),
        ("~f", [1]),
        ("~e", [1]),
        ("~.0f", [1.5]),
        ("~.1e", [1.5]),
        ("~b", [1.5]),
        ("~.37b", [1]),
        ("~c", ["a"]),
        ("~s", [1]),
        ("~s", [[8364]]),
        ("~s", [[A("a")]]),
        ("~3.5s", ["abc"]),
        ("~*s", ["a", "b"]),
    ],
)
def test_format_that_does_not_fit_its_arguments_is_refused(form: Any, args: Any) -> None:
    with pytest.raises(ValueError):
        formatted(form, args)


@pytest.mark.parametrize("form", ["~999999999s", "~.9999999999999f", "~*c", "~60000n" * 2])
def test_width_that_would_make_a_very_long_text_is_refused(form: str) -> None:
    with pytest.raises(ValueError):
        formatted(
            form, [10**9, 97] if "*" in form else [1.0] if "f" in form else ["a"] if "s" in form else []
        )


def test_whole_term_is_shown_where_erlang_leaves_out_its_end() -> None:
    assert formatted("~W ~P", [[1, 2, 3, 4, 5], 3, (1, 2, 3, 4), 3]) == "[1,2,3,4,5] {1,2,3,4}"


def test_very_long_integer_is_written_in_base_16() -> None:
    assert formatted("~w", [2**40_000]) == f"16#1{'0' * 10_000}"


@pytest.mark.parametrize("data", [A("a"), 1.5, None, {}, ["a", A("b")]])
def test_what_is_not_chardata_is_refused(data: Any) -> None:
    with pytest.raises(ValueError):
        characters(data)
