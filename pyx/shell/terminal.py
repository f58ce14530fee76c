"""The terminal of a person: the editor, its keys, and output above the line being typed.

This file, `editor_keys.py` and `hint_line.py` alone know prompt_toolkit.  All output goes through the
screen's queue: while a prompt is shown, its event loop prints the queue above the prompt in batches.
`patch_stdout` is not used: it would replace the streams itself and mix writers inside a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.completion import Completion as Offer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.formatted_text import ANSI, fragment_list_to_text, to_formatted_text
from prompt_toolkit.history import History as PromptHistory
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.keys import Keys
from prompt_toolkit.lexers import Lexer, PygmentsLexer, SimpleLexer
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.styles import Style

from pyx.shell.editor_keys import editor_keys
from pyx.shell.hint_line import add_hint_line
from pyx.shell.loop import Prompt, fitted_prompt
from pyx.shell.prompt_signals import PromptSignals
from pyx.shell.tty import as_utf8, first_line, let_interrupt, typed_ahead, unechoed, was_taken_back
from pyx.shell.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyPress

    from pyx.shell.history import History
    from pyx.shell.screen import Screen
    from pyx.shell.signature_hint import HintPart, SignatureHint
    from pyx.shell.switched_completion import CompletionSource
    from pyx.shell.theme import Theme

_KEYS_SECONDS: Final = 0.005
"""The pause between two batches of output, in which typed keys are handled."""
_VI_ESCAPE_SECONDS: Final = 0.1
"""The time after which Escape is that key, and not the first byte of another one; Vim's default."""


class PersonTerminal:
    """prompt_toolkit's editor as the terminal of the loop.

    Args:
        screen: the writer of all output.
        history: typed statements of earlier sessions.
        completion: completes what is typed.
        stdout: the original stream: `sys.stdout` is replaced while a shell runs.
        theme: the colours.
        editing_mode: `"emacs"` or `"vi"`.
        source: the keys; None: those of `sys.stdin`.
        output: prompt_toolkit's output; None: that of *stdout*.
    """

    def __init__(
        self,
        screen: Screen,
        history: History,
        completion: CompletionSource,
        *,
        stdout: TextIO,
        theme: Theme,
        editing_mode: str = "emacs",
        source: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.theme = theme
        self.editing_mode = editing_mode
        self._history = history
        self._screen = screen
        self._stdout = stdout
        self._prompt: Callable[[], Prompt] = lambda: Prompt("", "")
        self._printing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signals = PromptSignals(lambda: self._soon(self._restore_modes))
        self._lexer = _PythonLexer() if theme.has_colours else None
        self._session: PromptSession[str] = PromptSession(
            message=lambda: self._styled(self._fitted_prompt().first, "class:prompt"),
            prompt_continuation=lambda width, _line, is_wrapped: (
                [("class:continuation", " " * width)]
                if is_wrapped
                else self._styled(self._fitted_prompt().rest, "class:continuation")
            ),
            multiline=True,
            lexer=self._lexer,
            style=Style.from_dict(theme.for_editor()),
            include_default_pygments_style=False,
            color_depth=None if theme.has_colours else ColorDepth.DEPTH_1_BIT,
            history=_HistoryAdapter(history),
            auto_suggest=AutoSuggestFromHistory(),
            completer=_CompletionAdapter(completion),
            complete_in_thread=True,
            complete_while_typing=False,
            key_bindings=editor_keys(),
            enable_history_search=True,
            enable_suspend=True,
            editing_mode=EditingMode(editing_mode.upper()),
            enable_open_in_editor=True,
            tempfile_suffix=".py",
            search_ignore_case=True,
            input=source if source is not None else create_input(sys.stdin),
            output=output if output is not None else create_output(stdout),
        )
        if editing_mode == "vi":
            self._session.app.ttimeoutlen = _VI_ESCAPE_SECONDS
        accept = self._session.default_buffer.accept_handler
        assert accept is not None
        self._accept_text = accept
        self._session.default_buffer.accept_handler = self._accept
        self._completion = completion
        self._hint: SignatureHint | None = None
        add_hint_line(self._session, self._hint_parts)

    @property
    def width(self) -> int:
        """See `loop.Terminal`."""
        try:
            return os.get_terminal_size(self._stdout.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `loop.Terminal`."""
        self._prompt = prompt
        self._history.forget_cookies()
        if self._hint is not None:
            self._hint.forget()
        self._screen.fresh_line()
        self.keep_typed_ahead()
        was_entered = False
        try:
            with unechoed(self._session.input.fileno()) as shows_unfinished_line, self._signals.caught():
                if shows_unfinished_line:
                    self._screen.show("\n")  # it will be shown again after the prompt
                text = self._session.prompt(pre_run=self._on_prompt_shown, handle_sigint=False)
                was_entered = True
                self._take_interrupt()
        except KeyboardInterrupt:
            if was_entered:  # it shows that the statement has not run
                self.show("KeyboardInterrupt\n", "interrupt")
            raise
        finally:
            self._loop = None
            self._screen.detach()
        return as_utf8(text)

    def show(self, text: str, what: str) -> None:
        """See `loop.Terminal`."""
        if what in {"error", "notice"}:
            text = wrapped(text, self.width)
        if what == "interrupt":
            text = "\n" + text  # after the ^C that the terminal itself has shown
        elif what == "error":
            from pyx.shell.traceback_colours import painted_traceback  # for the first error

            text = painted_traceback(text, self.theme)
        elif what != "echo":
            text = self.theme.painted(text, "notice")
        self._screen.show(text)

    def leave(self, error: BaseException) -> bool:
        """Ends the prompt that is being shown with *error*; False if none is.  For signal handlers."""
        return self._signals.end_prompt(error)

    def redraw(self) -> None:
        """Shows the prompt anew, as it is now; called by any thread."""
        self._soon(self._session.app.invalidate)

    def _hint_parts(self, before: str, columns: int) -> list[HintPart]:
        if self._hint is None:
            if "(" not in before:
                return []
            from pyx.shell.signature_hint import SignatureHint  # loaded for the first call that is typed

            self._hint = SignatureHint(self._completion.signature, self.redraw)
        return self._hint.parts(before, columns)

    def _fitted_prompt(self) -> Prompt:
        return fitted_prompt(self._prompt(), self._session.app.output.get_size().columns)

    def _styled(self, text: str, style: str) -> StyleAndTextTuples:
        """Returns a prompt's text for the editor; a `sys.ps1` of the user may have colours of its own."""
        if "\x1b" not in text:
            return [(style, text)]
        found = to_formatted_text(ANSI(text))
        return found if self.theme.has_colours else [(style, fragment_list_to_text(found))]

    def keep_typed_ahead(self) -> None:
        """Takes the lines that were typed without a prompt out of the terminal, for the next prompt."""
        source = self._session.input
        keys: list[KeyPress] = []
        Vt100Parser(keys.append).feed(typed_ahead(source.fileno()))
        store_typeahead(source, keys)

    def take_typed_line(self) -> str | None:
        """Takes the next line that was typed ahead, for `input()`; see `tty.first_line`."""
        source = self._session.input
        keys = get_typeahead(source)
        line, count = first_line([press.data for press in keys])
        store_typeahead(source, keys[count:])
        return line

    def _soon(self, function: Callable[..., object], *args: object) -> None:
        """Calls *function* on the editor's loop.  For signal handlers."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the prompt has ended
                self._loop.call_soon_threadsafe(function, *args)

    def _end(self, error: BaseException) -> None:
        app = self._session.app
        if app.is_running and not app.is_done:
            app.exit(exception=error)

    def _accept(self, buffer: Buffer) -> bool:
        """Handles Enter: from here on Ctrl-C is meant for the statement, though the editor still runs."""
        keeps_text = self._accept_text(buffer)
        source, processor = self._session.input, self._session.app.key_processor
        let_interrupt(source.fileno())
        for keys in iter(source.read_keys, []):  # those typed before
            processor.feed_multiple(keys)
        return keeps_text

    def _take_interrupt(self) -> None:
        """Raises KeyboardInterrupt if Ctrl-C was typed after Enter.

        Keys typed between the two are dropped, as a terminal drops them.
        """
        source = self._session.input
        keys = get_typeahead(source)
        places = [place for place, press in enumerate(keys, 1) if press.key == Keys.ControlC]
        store_typeahead(source, keys[max(places, default=0) :])
        if places:
            raise KeyboardInterrupt

    def _restore_modes(self) -> None:
        """Sets the editor's modes and draws the prompt again after `kill -STOP` and `fg`."""
        if was_taken_back(self._session.input.fileno()):
            self._session.input.raw_mode().__enter__()  # the open one restores the modes that it found
            self._session.app.renderer.reset()
            self._session.app.invalidate()

    # ------------------------------------------------------------ output above the prompt

    def _on_prompt_shown(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._printing = None  # the task of the last prompt may have been cancelled with its loop
        self._signals.prompt_shown(lambda error: self._soon(self._end, error))
        # `run_in_terminal` looks for the prompt in the context, and other threads' contexts do not have it.
        context = contextvars.copy_context()

        def above() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: `detach` will write
                loop.call_soon_threadsafe(self._print_above, context=context)

        self._screen.attach(above)

    def _print_above(self) -> None:
        app = self._session.app
        # An editor that has ended is neither running nor done while its loop is being closed; a task that
        # is made then never starts.
        if self._printing is None and app.is_running and not app.is_done:
            self._printing = asyncio.get_running_loop().create_task(self._print_all())
            self._printing.add_done_callback(self._printing_ended)

    def _printing_ended(self, task: asyncio.Task[None]) -> None:
        if self._printing is task:
            self._printing = None

    async def _print_all(self) -> None:
        while await run_in_terminal(self._screen.drain_above) or self._screen.waits:  # noqa: ASYNC110 - output has no event
            await asyncio.sleep(_KEYS_SECONDS)  # the pause lets keys be handled


class _PythonLexer(Lexer):
    """pygments' lexer of Python, loaded for the first text: 35 ms of a start are its import and its regular
    expressions, and 2.8 MB of a shell that waits for its first key [measured: CPU time and resident memory,
    CPython 3.11]; an empty line has no colours.
    """

    def __init__(self) -> None:
        self._of_pygments: Lexer | None = None
        self._of_no_text = SimpleLexer()

    def load(self) -> Lexer:
        """Returns pygments' lexer."""
        if self._of_pygments is None:
            from pygments.lexers.python import PythonLexer

            self._of_pygments = PygmentsLexer(PythonLexer)
        return self._of_pygments

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        return (self.load() if document.text else self._of_no_text).lex_document(document)


class _HistoryAdapter(PromptHistory):
    """`History` as prompt_toolkit wants it."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history

    def load_history_strings(self) -> Iterable[str]:
        return reversed(self._history.load())

    def store_string(self, string: str) -> None:
        self._history.append(as_utf8(string))


class _CompletionAdapter(Completer):
    def __init__(self, source: CompletionSource) -> None:
        self._source = source

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Offer]:
        del complete_event
        found = self._source.complete(document.text, document.cursor_position)
        for candidate in found.candidates:
            yield Offer(candidate, start_position=found.start - document.cursor_position)
