"""What takes an input before the prompt does: the answer to a breakpoint's question, a debugger's line."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from pyx.shell.loop import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.shell.loop import Terminal
    from pyx.shell.theme import Theme


class Interception:
    """What stands between the terminal and the prompt: one object, as an OS process has one terminal."""

    END: Final = "\x04"
    """The input that stands for the end of the input, Ctrl-D, at a debugger's prompt."""

    def __init__(self) -> None:
        self.take: Callable[[str], bool] | None = None
        """Called with each input by the prompt's thread; True if the prompt is not to have it."""
        self.prompt: str | None = None
        """Shown instead of the prompt while a debugger waits for a line."""
        self.has_prompt = False
        """True once the shell has a prompt, shown or not."""
        self.at_prompt = False
        """True while the prompt reads."""
        self.reading = threading.Lock()
        """Held while a line is read without a prompt, and while one is about to be shown."""
        self.stdin: int | None = None
        """The descriptor of the terminal's keys; None if they are not a terminal's."""
        self.show: Callable[[str], object] | None = None
        """Shows text of the shell at once, without a line end too."""
        self.line_was_ended: Callable[[], object] | None = None
        """Called after a line was typed without a prompt."""
        self.keep_typed_ahead: Callable[[], object] = lambda: None
        """Keeps the lines that were typed so far for the prompt; does nothing where there is no editor."""
        self.settle: Callable[[], object] = lambda: None
        """Returns once the lines of processes that have come are shown, or about to be."""
        self.redraw: Callable[[], object] = lambda: None
        """Shows the prompt anew; called by any thread."""

    def takes(self, source: str) -> bool:
        """True if *source* was meant for a question or a debugger."""
        return self.take is not None and self.take(source)

    def begin_prompt(self) -> None:
        """Notes that the prompt is about to read; waits for a line that is being read without one."""
        with self.reading:
            self.at_prompt = True


interception: Final = Interception()


class InterceptedTerminal:
    """A terminal whose inputs are offered to `interception` first.

    Args:
        terminal: the terminal.
        shows_other_prompts: a debugger's prompt takes the place of the shell's.
    """

    def __init__(self, terminal: Terminal, *, shows_other_prompts: bool = True) -> None:
        self._terminal = terminal
        self._shows_other_prompts = shows_other_prompts

    @property
    def width(self) -> int:
        """See `loop.Terminal`."""
        return self._terminal.width

    @property
    def theme(self) -> Theme:
        """See `loop.Terminal`."""
        return self._terminal.theme

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `loop.Terminal`."""

        def shown() -> Prompt:
            other = interception.prompt if self._shows_other_prompts else None
            return prompt() if other is None else Prompt(other, "... ")

        while True:
            interception.begin_prompt()
            try:
                source = self._terminal.read(shown)
            except EOFError:
                if interception.takes(Interception.END):
                    continue
                raise
            finally:
                interception.at_prompt = False
            if not interception.takes(source):
                return source

    def show(self, text: str, what: str) -> None:
        """See `loop.Terminal`."""
        self._terminal.show(text, what)
