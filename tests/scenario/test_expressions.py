"""expressions.py: regular expressions in a child process: valid, invalid, and endless ones."""

from __future__ import annotations

import threading

import pytest

from pyx.scenario import expressions
from pyx.scenario.expressions import ExpressionTooSlow, fullmatch, why_invalid


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"pid \d+", "pid 4242", True),
        (r"pid \d+", "pid 4242!", False),
        ("", "", True),
        (".", "\ud800", True),
        ("[[]x", "[x", True),  # which warns
        ("caf\u00e9", "caf\u00e9", True),
    ],
)
def test_fullmatch_compares_the_whole_text(pattern: str, text: str, fits: bool) -> None:
    assert fullmatch(pattern, text) is fits


def test_endless_match_is_given_up_and_the_next_one_works() -> None:
    for _ in range(2):  # the second time it is known
        with pytest.raises(
            ExpressionTooSlow, match=r"^the regular expression takes more than 1 s of CPU time: \(a\+\)\+c$"
        ):
            fullmatch("(a+)+c", "a" * 64)
    assert fullmatch("(a+)+c", "aac")


def test_threads_share_the_child_process() -> None:
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda number=number: found.append(fullmatch("x\\d", f"x{number}")))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8


def test_killed_child_process_is_replaced() -> None:
    assert fullmatch("before", "before")
    child = expressions._matcher._child
    assert child is not None
    child.kill()
    child.wait()
    assert fullmatch("after", "after")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"total (\d+", ("missing ), unterminated subpattern", 6)),
        ("*", ("nothing to repeat", 0)),
        ("a{99999999999999999999}", ("it is too large", 0)),
        (r"\d+", None),
    ],
)
def test_invalid_expression_has_a_reason_and_an_index(pattern: str, why: tuple[str, int] | None) -> None:
    assert why_invalid(pattern) == why
