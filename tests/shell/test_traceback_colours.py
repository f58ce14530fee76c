"""traceback_colours.py: A traceback in colours: which part of which line has which role."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from pyx.shell.theme import BOTH, NONE, RESET
from pyx.shell.traceback_colours import painted_traceback

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {BOTH.styles[role].escape: role for role in ("notice", "error", "location")}


def marked(text: str, **options: Any) -> str:
    """Returns *text* in colours, with the names of roles in the place of escape sequences: `<error:`, `>`.

    The roles `traceback` and `caret` look like `error`.
    """
    shown = painted_traceback(text, BOTH, **options).replace(RESET, ">")
    return re.sub(r"\x1b\[[\d;]*m", lambda found: f"<{NAMES[found[0]]}:", shown)


def text_of(raises: Callable[[], object]) -> str:
    try:
        raises()
    except Exception as error:
        error.__traceback__ = None
        return "".join(traceback.format_exception(error))
    raise AssertionError


def test_head_place_carets_and_class_are_coloured_and_the_source_is_not() -> None:
    assert marked(
        'Traceback (most recent call last):\n  File "shop.py", line 12, in price\n    return 1 / x\n'
        "           ~~^~~\nZeroDivisionError: division by zero\nhint: buy more\n"
    ) == (
        "<error:Traceback (most recent call last):>\n"
        '  File <location:"shop.py">, line <location:12>, in <location:price>\n'
        "    return 1 / x\n<error:           ~~^~~>\n<error:ZeroDivisionError>: division by zero\n"
        "<notice:hint:> buy more\n"
    )


def test_message_of_several_lines_keeps_the_colour_of_the_terminal() -> None:
    assert marked("shop.Empty: no shoes\nLook: nothing\n\n  ^^^\n") == (
        "<error:shop.Empty>: no shoes\nLook: nothing\n\n  ^^^\n"
    )


def test_syntax_error_has_a_place_and_a_caret() -> None:
    assert marked('  File "<pyx 5>", line 1\n    1 +\n       ^\nSyntaxError: invalid syntax\n') == (
        '  File <location:"<pyx 5>">, line <location:1>\n    1 +\n'
        "<error:       ^>\n<error:SyntaxError>: invalid syntax\n"
    )


def test_each_exception_of_a_chain_is_coloured() -> None:
    def raises() -> None:
        raise ValueError("two") from KeyError("one")

    assert [line for line in marked(text_of(raises)).splitlines() if line] == [
        "<error:KeyError>: 'one'",
        "<notice:The above exception was the direct cause of the following exception:>",
        "<error:ValueError>: two",
    ]


def test_each_exception_of_a_group_is_coloured_inside_its_bars() -> None:
    def raises() -> None:
        raise ExceptionGroup("orders", [ValueError("one"), KeyError("two")])

    shown = marked("  + Exception Group Traceback (most recent call last):\n" + text_of(raises))
    assert "  + <error:Exception Group Traceback (most recent call last):>" in shown
    assert "<error:ExceptionGroup>: orders (2 sub-exceptions)" in shown
    assert "| <error:ValueError>: one" in shown
    assert "| <error:KeyError>: 'two'" in shown


def test_failure_without_a_class_is_coloured_whole() -> None:
    assert marked("server@vm is gone: no answer\n") == "<error:server@vm is gone: no answer>\n"


def test_first_line_of_a_log_record_is_not_taken_for_an_exception() -> None:
    record = "Crash: #PID<0.5.0> raised\nTraceback (most recent call last):\nKeyError: 1"
    assert marked(record, is_alone=False) == (
        "Crash: #PID<0.5.0> raised\n<error:Traceback (most recent call last):>\n<error:KeyError>: 1"
    )


@pytest.mark.parametrize("text", ["KeyError: 1\n", "", "\n", "Traceback (most recent call last):"])
def test_nothing_is_changed_without_colours(text: str) -> None:
    assert painted_traceback(text, NONE) == text
