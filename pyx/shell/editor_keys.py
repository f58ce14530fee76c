"""The keys of the editor that differ from prompt_toolkit's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, emacs_insert_mode, emacs_mode, has_focus, vi_insert_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from pyx.shell.evaluate import is_incomplete
from pyx.shell.tty import as_utf8

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer

_INDENT = 4


def editor_keys() -> KeyBindings:
    """Returns the key bindings."""
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)
    inserting = typing & (emacs_insert_mode | vi_insert_mode)
    indents = _AutoIndent()

    @Condition
    def in_indentation() -> bool:
        return not get_app().current_buffer.document.current_line_before_cursor.strip()

    @Condition
    def behind_indentation() -> bool:
        return bool(get_app().current_buffer.document.current_line_before_cursor)

    @Condition
    def something_typed() -> bool:
        return bool(get_app().current_buffer.text)

    @keys.add("enter", filter=typing)
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None  # Enter accepts the completion, not the input
        elif buffer.document.text_after_cursor.strip() and "\n" in buffer.text:
            buffer.newline()  # in the middle of a block
        elif is_incomplete(as_utf8(buffer.text)):
            buffer.insert_text("\n" + indents.next(event))
        else:
            buffer.validate_and_handle()

    @keys.add("c-c", filter=typing & something_typed)
    def _clear(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    @keys.add("escape", "enter", filter=typing & emacs_mode)  # in vi's mode these are two keys
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.newline()

    @keys.add("tab", filter=inserting & in_indentation)
    def _indent(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(" " * _INDENT)

    @keys.add("backspace", filter=inserting & in_indentation & behind_indentation)
    def _dedent(event: KeyPressEvent) -> None:
        before = event.current_buffer.document.current_line_before_cursor
        event.current_buffer.delete_before_cursor(count=(len(before) - 1) % _INDENT + 1)

    @keys.add(Keys.BracketedPaste, filter=typing)
    def _paste(event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        event.current_buffer.insert_text(_as_input(event.current_buffer, text))

    return keys


class _AutoIndent:
    """Indents the line after Enter, unless that line is in the queue with an indentation of its own.

    It is where lines were typed ahead, or pasted on a terminal without bracketed paste.
    """

    def __init__(self) -> None:
        self._is_off = False
        """True while the statement's lines that wait in the queue have their own indentation."""

    def next(self, event: KeyPressEvent) -> str:
        from pyx.shell.indentation import next_indent  # loaded for the first block

        queue = event.app.key_processor.input_queue
        indent = next_indent(event.current_buffer.document.text_before_cursor)
        if not queue or "\n" not in event.current_buffer.text:
            self._is_off = False
        if queue and queue[0].key in {" ", Keys.Tab} and indent:  # else it may be in a string
            self._is_off = True
        return "" if self._is_off else indent


def _as_input(buffer: Buffer, text: str) -> str:
    """Returns pasted text without the prompts of a session, if it begins a line outside of a string."""
    from pyx.shell.input_scanner import InputScanner  # loaded for the first paste
    from pyx.shell.pasted_transcript import without_prompts

    before = buffer.document.text_before_cursor
    if before.rpartition("\n")[2].strip() or InputScanner(before).quote is not None:
        return text
    return without_prompts(text)
