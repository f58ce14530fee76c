"""wrapping.py: Sentences in terminals of few columns."""

from __future__ import annotations

from pyx.shell.wrapping import indented_docstring, wrapped


def test_sentences_break_at_blanks_and_indented_lines_stay() -> None:
    text = (
        "Traceback (most recent call last):\n"
        "  File '/a/long/path/to/some/file.py', line 4, in f\n"
        "UndefinedFunction: there is no function product_stock.current_function\n"
    )
    assert wrapped(text, 30) == (
        "Traceback (most recent call\n"
        "last):\n"
        "  File '/a/long/path/to/some/file.py', line 4, in f\n"
        "UndefinedFunction: there is no\n"
        "function\n"
        "product_stock.current_function\n"
    )


def test_prose_that_begins_with_emphasis_is_not_an_item_of_a_list() -> None:
    words = "*nodes* are asked one after another, " * 3
    assert indented_docstring(words + "\n*nodes* again", 60) == (
        "  *nodes* are asked one after another, *nodes* are asked one\n"
        "  after another, *nodes* are asked one after another,\n"
        "  *nodes* again"
    )


def test_prose_under_returns_is_filled() -> None:
    text = (
        "Returns:\n    A list of results, in the order of *nodes*, and\n    a list of the nodes without one."
    )
    assert indented_docstring(text, 40) == (
        "  Returns:\n"
        "      A list of results, in the order of\n"
        "      *nodes*, and a list of the nodes\n"
        "      without one."
    )


def test_sentences_stay_whole_on_a_wide_terminal() -> None:
    text = "word " * 40 + "\n"
    assert wrapped(text, 80) == text
