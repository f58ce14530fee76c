"""The line below the input of an editor: the signature of the call that is typed, and vi's mode.

It is there all the time, so that the prompt does not move when it gets a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prompt_toolkit.application import get_app
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition, has_focus, is_done
from prompt_toolkit.key_binding.vi_state import InputMode
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Window

from pyx.shell.tty import as_utf8

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from pyx.shell.signature_hint import HintPart

_FEWEST_ROWS: Final = 5
"""Terminals with fewer rows have no such line."""
_MODES: Final = {
    InputMode.INSERT: "-- INSERT --",
    InputMode.INSERT_MULTIPLE: "-- INSERT --",
    InputMode.NAVIGATION: "-- NORMAL --",
    InputMode.REPLACE: "-- REPLACE --",
    InputMode.REPLACE_SINGLE: "-- REPLACE --",
}


def add_hint_line(session: PromptSession[str], parts: Callable[[str, int], list[HintPart]]) -> None:
    """Adds the line to a session's layout.

    Args:
        session: the editor.
        parts: (text up to the cursor, columns) -> the hint.
    """
    buffer = session.default_buffer

    @Condition
    def is_shown() -> bool:
        return get_app().output.get_size().rows >= _FEWEST_ROWS and buffer.complete_state is None

    def fragments() -> StyleAndTextTuples:
        mode = _vi_mode()
        columns = get_app().output.get_size().columns - 1 - len(mode)
        found = parts(as_utf8(buffer.document.text_before_cursor), columns)
        return [
            ("class:hint", mode),
            *((f"class:hint{'.active' if part.is_active else ''}", part.text) for part in found),
        ]

    window = next(each for each in session.layout.find_all_windows() if _shows(each, buffer))
    window.dont_extend_height = Condition(lambda: buffer.complete_state is None)
    root = session.layout.container
    assert isinstance(root, HSplit)
    line = Window(FormattedTextControl(fragments), height=1, dont_extend_height=True)
    root.children.insert(1, ConditionalContainer(line, ~is_done & has_focus(buffer) & is_shown))


def _shows(window: Window, buffer: Any) -> bool:
    return getattr(window.content, "buffer", None) is buffer


def _vi_mode() -> str:
    app = get_app()
    if app.editing_mode is not EditingMode.VI:
        return ""
    if app.current_buffer.selection_state is not None:
        return "-- VISUAL --  "
    return f"{_MODES[app.vi_state.input_mode]}  "
