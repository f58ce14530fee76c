"""theme.py, log_handler.py: Colours that are legible on dark and on light terminals."""

from __future__ import annotations

import itertools

import pytest
from prompt_toolkit.styles import Style
from pygments.lexers.python import PythonLexer

from pyx.shell.log_handler import painted_record
from pyx.shell.render import highlight, role_of
from pyx.shell.theme import ANSI, ANSI_NAMES, BOTH, DARK, LIGHT, NONE, THEMES, Theme, rgb, theme_for

BLACK, WHITE = 0.0, 1.0
LEAST_CONTRAST = 4.5
"""Of text, in WCAG 2.1, 1.4.3."""


def luminance(colour: int) -> float:
    """The relative luminance of an entry of the palette."""
    return luminance_of_rgb(rgb(colour))


def luminance_of_rgb(colour: tuple[int, int, int]) -> float:
    """The relative luminance of a colour, as WCAG 2.1 defines it."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: float, other: float) -> float:
    """The contrast of two luminances, 1 to 21."""
    darker, lighter = sorted((one, other))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("theme", "backgrounds"), [(BOTH, (BLACK, WHITE)), (DARK, (BLACK,)), (LIGHT, (WHITE,))]
)
def test_every_colour_has_the_contrast_of_text_on_its_backgrounds(
    theme: Theme, backgrounds: tuple[float, ...]
) -> None:
    for role, style in theme.styles.items():
        if style.colour is not None:
            assert style.colour >= 16, f"{role}: its terminal's user has chosen this colour"
            worst = min(contrast(luminance(style.colour), background) for background in backgrounds)
            assert worst >= LEAST_CONTRAST, f"{role} of {theme.name} has {worst:.2f}"


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(BLACK, WHITE) == 21
    assert round(contrast(luminance(243), WHITE), 2) == 4.54  # the known limit #767676
    assert rgb(16) == (0, 0, 0)
    assert rgb(196) == (255, 0, 0)
    assert rgb(231) == (255, 255, 255)


def test_editors_menus_have_the_contrast_of_text() -> None:
    style = Style.from_dict(BOTH.for_editor())
    for name in ("completion-menu", "completion-menu.completion.current", "bottom-toolbar", "search"):
        found = style.get_attrs_for_style_str(f"class:{name}")
        assert found.color
        assert found.bgcolor
        assert not found.reverse
        worst = contrast(luminance_of_hex(found.color), luminance_of_hex(found.bgcolor))
        assert worst >= LEAST_CONTRAST, name


def luminance_of_hex(text: str) -> float:
    """The luminance of a colour that stands in the palette."""
    value = tuple(bytes.fromhex(text))
    return luminance(next(number for number in range(16, 256) if rgb(number) == value))


@pytest.mark.parametrize("theme", THEMES.values())
def test_suggested_text_does_not_look_like_typed_text(theme: Theme) -> None:
    typed, suggested = (
        Style.from_dict(theme.for_editor()).get_attrs_for_style_str(style)
        for style in ("", "class:auto-suggestion")
    )
    assert typed != suggested


@pytest.mark.parametrize("theme", [BOTH, DARK, LIGHT, ANSI])
def test_pid_has_another_colour_than_errors_and_warnings(theme: Theme) -> None:
    assert theme.styles["pid"] != theme.styles["error"]
    assert theme.styles["pid"].colour != theme.styles["error"].colour
    assert theme.styles["error"].colour != theme.styles["warning"].colour


def test_themes_have_styles_for_the_same_roles() -> None:
    roles = [set(theme.styles) for theme in THEMES.values() if theme.has_colours]
    assert all(one == other for one, other in itertools.pairwise(roles))


CONSOLE, XTERM = {1: (170, 0, 0), 5: (170, 0, 170)}, {1: (205, 0, 0), 5: (205, 0, 205)}
"""Colours of the two commonest palettes of 16."""


def test_terminals_own_colours_are_those_that_fade_on_neither_background() -> None:
    for style in ANSI.styles.values():
        if style.colour is not None:
            for palette in (CONSOLE, XTERM):
                shade = luminance_of_rgb(palette[style.colour])
                least = 2.7 if style.is_bold else 3.2  # bold is brighter on the console
                assert min(contrast(shade, BLACK), contrast(shade, WHITE)) >= least
    assert {style.colour for style in ANSI.styles.values()} - {None} == set(ANSI_NAMES)
    assert not any("#" in style for style in ANSI.for_editor().values())


@pytest.mark.parametrize(
    ("environment", "name", "theme"),
    [
        ({"TERM": "xterm-256color"}, "both", BOTH),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "dark", DARK),
        ({"TERM": "linux"}, "light", ANSI),
        ({"TERM": "xterm-16color"}, "both", ANSI),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "dark", NONE),
        ({"TERM": "xterm", "NO_COLOR": ""}, "dark", DARK),
        ({"TERM": "linux"}, "none", NONE),
        ({}, "both", BOTH),
    ],
)
def test_theme_is_the_chosen_one_where_the_terminal_has_its_colours(
    environment: dict[str, str], name: str, theme: Theme
) -> None:
    assert theme_for(environment, name) is theme


def test_value_keeps_its_text_between_the_colours() -> None:
    text = "{'pid': #PID<0.5.0>, 'n': [1, None, True], \"s\": Stock(qty=3)}"
    coloured = highlight(text, BOTH)
    assert BOTH.painted("#PID<0.5.0>", "pid") in coloured
    assert BOTH.painted("None", "keyword") in coloured
    assert highlight(text, NONE) == text


def test_token_has_the_role_of_the_token_around_it() -> None:
    assert role_of("literal.string.double") == "string"
    assert role_of("name") is None
    for token, _ in PythonLexer().get_tokens("@f\ndef g(): return f'{1}' # x\nraise E from None"):
        assert role_of(".".join(token).lower()) in {*BOTH.styles, None}


def test_lines_are_painted_one_by_one_and_empty_ones_not() -> None:
    assert ANSI.painted("a\n\nb\n", "error") == "\x1b[1;31ma\x1b[0m\n\n\x1b[1;31mb\x1b[0m\n"
    assert NONE.painted("a\n", "error") == "a\n"


def test_records_level_and_the_ends_of_its_traceback_are_coloured() -> None:
    head, name = "Traceback (most recent call last):", "ValueError: x"
    shown = painted_record(f"[error] Process #PID<0.5.0> raised\n{head}\n{name}\n", ANSI)
    assert shown == (
        f"{ANSI.painted('[error]', 'error')} Process #PID<0.5.0> raised\n"
        f"{ANSI.painted(head, 'traceback')}\n{ANSI.painted('ValueError', 'error')}: x\n"
    )
    assert painted_record("[warning] a\nb\n", ANSI) == f"{ANSI.painted('[warning]', 'warning')} a\nb\n"
