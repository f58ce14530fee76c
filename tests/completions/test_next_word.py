"""next_word.py, command_words.py: What may stand at the end of a line, as the parsers have it."""

from __future__ import annotations

import pytest

from pyx.cli_parser import COMMANDS
from pyx.completions.command_words import grammar
from pyx.completions.next_word import NextWord, next_word
from pyx.options import OPTIONS


def after(line: str) -> NextWord:
    """What may stand at the end of *line*, which holds no quotes."""
    words = line.split(" ")
    return next_word(grammar(words[0] if len(words) > 1 else ""), words)


def words(line: str) -> list[str]:
    """The words alone."""
    return [word for word, _ in after(line).words]


def test_first_word_is_a_command_or_a_file() -> None:
    assert words("") == list(COMMANDS)
    assert after("").others == "files"
    assert after("do").words == (("doctor", "look at what a node needs here, or at the way to NODE"),)


def test_options_are_those_of_the_parser() -> None:
    assert words("--rem") == ["--remsh"]
    assert {option.flag for option in OPTIONS if option.flag} <= set(words("--"))
    assert "--driver" not in words("--")  # hidden in the help too
    assert {text for _, text in after("--").words} > {"show this help message and exit"}


@pytest.mark.parametrize(
    ("line", "others"),
    [
        ("-S ", "directories"),
        ("--cookie-file ", "files"),
        ("--record ", "files"),
        ("--remsh ", "nodes"),
        ("--rpc-eval ", "nodes"),
        ("--seed ", "nodes"),
        ("doctor ", "nodes"),
        ("replay ", "files"),
        ("replay a.pyxt ", "files"),
        ("replay --shell ", "nodes"),
        ("--sname ", ""),
        ("-e ", ""),
        ("new ", ""),
    ],
)
def test_value_of_an_option_or_a_place(line: str, others: str) -> None:
    assert after(line).others == others


def test_choices_are_words() -> None:
    assert words("--rpc ") == ["open", "exported", "off"]
    assert words("--rpc e") == ["exported"]
    assert words("--rpc=o") == ["--rpc=open", "--rpc=off"]
    assert words("completion ") == ["bash", "zsh", "fish"]


def test_value_behind_an_equals_sign_is_completed_as_a_value() -> None:
    assert after("--record=sess") == NextWord(others="files", typed="sess")
    assert after("--remsh=g") == NextWord(others="nodes", typed="g")
    assert after("--hidden=") == NextWord()


def test_words_of_a_program_are_its_own() -> None:
    assert after("app.py --re") == NextWord(others="files", typed="--re")
    assert after("-m http.server --re").words == ()
    assert after("--sname gus app.py ").others == "files"


def test_second_value_of_an_option_is_another_one() -> None:
    assert after("--rpc-eval gus ").others == ""
    assert words("--rpc-eval gus x --hid") == ["--hidden"]


def test_option_goes_on_behind_another_option() -> None:
    assert words("--sname gus --no-h") == ["--no-halt"]
    assert words("doctor --js") == ["--json"]
    assert words("new --s") == ["--sup"]
