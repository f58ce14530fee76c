"""The colours of a prompt: which text has which style, and the escape sequences of a style.

A theme gives each *role* (`"error"`, `"pid"`, `"string"`) a style.  Roles without one have the terminal's own
colour.  The colours are entries of the palette of 256 colours that terminals agree on, 16 to 255, so one
sequence serves terminals of 256 and of 16 million colours; below 16 are the terminal's own 16 colours, which
its user chooses, and which a terminal without others gets.

The default theme must be legible on black and on white, as no terminal says reliably which it is: every
colour of it has a contrast of 4.5 : 1 at least on both (WCAG 2.1, 1.4.3).  The palette has six such colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

RESET: Final = "\x1b[0m"

ANSI_NAMES: Final = {1: "ansired", 5: "ansimagenta"}
"""Those of the terminal's own colours that themes use, by prompt_toolkit's names.  With the palettes of xterm
and of the Linux console the others fade on one background [measured: contrast on white 1.9 : 1 for cyan, 2.2
for green, 1.7 for yellow; on black 1.6 for blue]; red (2.7 on the black of the console) is bold wherever it
is used, which makes it brighter there."""

_LEVELS: Final = (0, 95, 135, 175, 215, 255)


class TextStyle(NamedTuple):
    """How one role looks: the number of a colour (None: the terminal's own), and what else is on."""

    colour: int | None = None
    is_bold: bool = False
    is_italic: bool = False

    @property
    def escape(self) -> str:
        """The sequence that switches the style on, empty for none."""
        codes = ["1"] * self.is_bold + ["3"] * self.is_italic
        if self.colour is not None:
            codes.append(f"3{self.colour}" if self.colour < 8 else f"38;5;{self.colour}")
        return f"\x1b[{';'.join(codes)}m" if codes else ""

    @property
    def for_editor(self) -> str:
        """The style as prompt_toolkit writes it."""
        words = ["bold"] * self.is_bold + ["italic"] * self.is_italic
        if self.colour is not None:
            words.append(ANSI_NAMES.get(self.colour) or "#{:02x}{:02x}{:02x}".format(*rgb(self.colour)))
        return " ".join(words)


class Theme(NamedTuple):
    """The styles of all roles.

    Attributes:
        name: as `theme` in the settings has it.
        styles: role -> style.
    """

    name: str
    styles: Mapping[str, TextStyle]

    @property
    def has_colours(self) -> bool:
        """False for text without escape sequences."""
        return bool(self.styles)

    def painted(self, text: str, role: str) -> str:
        """Returns *text* in the style of *role*, each line by itself, as other lines may come between."""
        style = self.styles.get(role)
        on = "" if style is None else style.escape
        if not on:
            return text
        return "\n".join(f"{on}{line}{RESET}" if line else "" for line in text.split("\n"))

    def for_editor(self) -> dict[str, str]:
        """Returns the styles of prompt_toolkit's editor, by the names of its classes."""
        if not self.has_colours:
            # Without any style the prompt's last blank is a movement of the cursor.
            return {"prompt": "ansidefault", "auto-suggestion": "italic", "hint.active": "bold underline"}
        plain = self.styles["notice"].for_editor
        found = {
            "prompt": self.styles["prompt"].for_editor,
            "continuation": plain,
            "auto-suggestion": plain or "italic",
            "control-character": plain,
            "digraph": plain,
            "matching-bracket.other": "bold underline",
            "matching-bracket.cursor": "bold underline",
            "validation-toolbar": "reverse",
            "hint": plain,
            "hint.active": "bold underline",
            "completion-menu": "bg:#d0d0d0 #000000",
            "completion-menu.completion.current": "noreverse bg:#005f87 #ffffff",
            "completion-menu.meta.completion": "bg:#bcbcbc #000000",
            "completion-menu.meta.completion.current": "noreverse bg:#005f87 #ffffff",
            "bottom-toolbar": "noreverse bg:#d0d0d0 #000000",
            "search": "bg:#d0d0d0 #000000",
        }
        if self.name == "ansi":
            found |= {name: "bg:ansigray ansiblack" for name, style in found.items() if "bg:#" in style}
            found |= {name: "noreverse bg:ansiblack ansigray" for name in found if name.endswith(".current")}
        for token, role in TOKEN_ROLES.items():
            if role in self.styles:
                found[f"pygments.{token}"] = self.styles[role].for_editor
        return found


TOKEN_ROLES: Final = {
    "keyword": "keyword",
    "operator.word": "keyword",
    "literal.string": "string",
    "literal.string.interpol": "interpolation",
    "literal.string.escape": "interpolation",
    "literal.number": "number",
    "comment": "comment",
    "name.function": "definition",
    "name.class": "definition",
    "name.decorator": "decorator",
    "name.builtin": "builtin",
    "name.exception": "builtin",
    "name.constant": "pid",
    "error": "error",
}
"""Roles by the names of pygments' tokens; a token without one has that of the token around it."""


def _theme(name: str, **styles: TextStyle) -> Theme:
    """Returns a theme in which roles that are not given look like a related one."""
    alike = {
        "interpolation": "string",
        "builtin": "number",
        "decorator": "keyword",
        "continuation": "notice",
        "traceback": "error",
        "location": "number",
        "caret": "error",
    }
    styles["definition"] = TextStyle(is_bold=True)
    return Theme(name, {**{role: styles[other] for role, other in alike.items()}, **styles})


BOTH: Final = _theme(
    "both",
    prompt=TextStyle(29, is_bold=True),
    notice=TextStyle(243),
    error=TextStyle(131, is_bold=True),
    warning=TextStyle(163, is_bold=True),
    pid=TextStyle(98),
    keyword=TextStyle(63, is_bold=True),
    string=TextStyle(29),
    number=TextStyle(63),
    comment=TextStyle(243, is_italic=True),
)
"""The default."""

DARK: Final = _theme(
    "dark",
    prompt=TextStyle(80),
    notice=TextStyle(246),
    error=TextStyle(203, is_bold=True),
    warning=TextStyle(215, is_bold=True),
    pid=TextStyle(177),
    keyword=TextStyle(111, is_bold=True),
    string=TextStyle(114),
    number=TextStyle(117),
    comment=TextStyle(246, is_italic=True),
)

LIGHT: Final = _theme(
    "light",
    prompt=TextStyle(24),
    notice=TextStyle(241),
    error=TextStyle(160, is_bold=True),
    warning=TextStyle(94, is_bold=True),
    pid=TextStyle(91),
    keyword=TextStyle(25, is_bold=True),
    string=TextStyle(22),
    number=TextStyle(25),
    comment=TextStyle(241, is_italic=True),
)

ANSI: Final = _theme(
    "ansi",
    prompt=TextStyle(is_bold=True),
    notice=TextStyle(),
    error=TextStyle(1, is_bold=True),
    warning=TextStyle(5, is_bold=True),
    pid=TextStyle(5),
    keyword=TextStyle(is_bold=True),
    string=TextStyle(),
    number=TextStyle(),
    comment=TextStyle(is_italic=True),
)
"""Two of the terminal's own 16 colours, as its user has chosen them."""

NONE: Final = Theme("none", {})
"""No colours: `NO_COLOR`, pipes."""

THEMES: Final = {theme.name: theme for theme in (BOTH, DARK, LIGHT, ANSI, NONE)}


def theme_for(environment: Mapping[str, str], name: str = BOTH.name) -> Theme:
    """Returns the theme of a terminal.

    Args:
        environment: `NO_COLOR`, not empty, means none (https://no-color.org); `TERM` tells the few terminals
            without 256 colours, as prompt_toolkit does.
        name: one of THEMES.
    """
    if environment.get("NO_COLOR"):
        return NONE
    theme = THEMES[name]
    return ANSI if theme.has_colours and _has_few_colours(environment.get("TERM", "")) else theme


def _has_few_colours(terminal: str) -> bool:
    return terminal in {"linux", "eterm-color", "cons25", "ansi", "vt220"} or terminal.endswith("-16color")


def rgb(colour: int) -> tuple[int, int, int]:
    """Returns red, green and blue, 0 to 255 each, of an entry of the palette from 16 on."""
    if colour >= 232:
        grey = 8 + 10 * (colour - 232)
        return (grey, grey, grey)
    red, rest = divmod(colour - 16, 36)
    return (_LEVELS[red], _LEVELS[rest // 6], _LEVELS[rest % 6])
