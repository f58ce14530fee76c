"""narrow_terminal.py: Prompts and sentences in terminals of few columns."""

from __future__ import annotations

import pytest

from pyx.shell.loop import Prompt, prompt_for
from pyx.shell.narrow_terminal import fitted, wrapped


@pytest.mark.parametrize(
    ("columns", "first", "rest"),
    [
        (100, "pyx(billing-worker-eu@vm)12> ", "...(billing-worker-eu@vm)12> "),
        (45, "pyx(billing-worker..)12> ", "...(billing-worker..)12> "),
        (30, "pyx(bill..)12> ", "...(bill..)12> "),
        (24, "pyx(b..)12> ", "...(b..)12> "),
        (10, "> ", "> "),
    ],
)
def test_a_prompt_leaves_room_for_the_input(columns: int, first: str, rest: str) -> None:
    cut = fitted(prompt_for("billing-worker-eu@vm", 12), columns)
    assert cut == Prompt(first, rest)
    assert len(cut.first) <= max(columns - 20, columns // 2)


def test_a_prompt_without_a_node_is_short_enough() -> None:
    assert fitted(prompt_for(None, 7), 24) == Prompt("pyx(7)> ", "...(7)> ")


def test_sentences_break_at_blanks_and_code_stays() -> None:
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


def test_sentences_stay_whole_where_the_terminal_is_wide() -> None:
    text = "word " * 40 + "\n"
    assert wrapped(text, 80) == text
