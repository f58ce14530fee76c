"""redaction.py: Cookies are not written into histories and recordings."""

from __future__ import annotations

import pytest

from pyx.net.cookie import Cookie
from pyx.shell.redaction import Redaction, typed_cookies

SECRET = "pyx1-5ecret5ecret5ecret"


@pytest.mark.parametrize(
    "source",
    [
        "Node.set_cookie('C')",
        'Node.set_cookie ("C")',
        "set_cookie\\\n(\n'C')",
        "Node.set_cookie('gus', 'C')",
        "Node.set_cookie('C' if True else x)",
        "Node.start('gus', cookie='C')",
        "x = 1; Node.start('gus', cookie = 'C').y",
        "Node.set_cookie('C'",
    ],
)
def test_typed_cookie_is_found(source: str) -> None:
    assert typed_cookies(source) == {"C"}


@pytest.mark.parametrize(
    "source", ["Node.get_cookie()", "cookies = {'a': 'b'}", "s = Node.set_cookie", "1 +", ""]
)
def test_text_that_is_not_a_cookie_is_not_found(source: str) -> None:
    assert typed_cookies(source) == set()


def test_typed_cookie_is_replaced_by_one_of_the_same_length() -> None:
    redaction = Redaction(lambda: ())
    source = f"Node.set_cookie('{SECRET}')"
    redaction.update(source)
    redaction.update(source)
    assert redaction.cookies == 1
    assert redaction.of_input(source) == "Node.set_cookie('1-not-recorded-1-not-re')"
    assert redaction.of_output(f"it is {SECRET}.") == "it is [..]."


def test_cookie_in_force_is_found_in_any_text() -> None:
    in_force: list[str] = []
    redaction = Redaction(lambda: in_force)
    redaction.update("s('it''s\\n secret')")
    assert redaction.cookies == 0
    in_force += ["its\n secret", "other"]
    redaction.update()
    assert redaction.of_input("s('its\\n secret', \"other\")") == "s('1-not-recor', \"2-not\")"
    assert redaction.holds_cookie("'its\\n secret'")
    assert redaction.of_output(repr(Cookie("other"))) == "Cookie(sha256 [..])"


def test_short_cookie_is_not_found_inside_words() -> None:
    redaction = Redaction(lambda: ["x"])
    redaction.update()
    assert redaction.of_output("x = 'x'; max\nx\n\"x\"") == "x = '[..]'; max\n[..]\n\"[..]\""
    assert redaction.of_input("s('x')") == "s('1')"


def test_cookie_that_is_a_part_of_another_is_redacted_with_it() -> None:
    redaction = Redaction(lambda: ["12345678", "0123456789"])
    redaction.update()
    assert redaction.of_output("0123456789 12345678") == "[..] [..]"
