"""What a person's session shows, told to somebody who writes it down (`pyx --record`).

Between a terminal and its loop: what is typed is told when it is entered, what is shown when it is shown.
Not here: the file (`scenario.record`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pyx.shell.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from pyx.shell.loop import Prompt, Terminal
    from pyx.terms import Pid

WIDTH: Final = 100
"""Columns of everything that is written down, as a replay will have them."""


class Witness(Protocol):
    """Calls of `shown` come from any thread."""

    def asked(self) -> None:
        """A prompt stands: what is shown from now on belongs to no input."""

    def typed(self, prompt: Prompt, source: str) -> None:
        """An input was entered."""

    def shown(self, text: str) -> None:
        """Text went to the screen, in whatever colours."""


class WitnessedTerminal:
    """A terminal whose inputs are told."""

    def __init__(self, terminal: Terminal, witness: Witness) -> None:
        self._terminal = terminal
        self._witness = witness
        self.width = WIDTH

    @property
    def colour(self) -> bool:
        """See `loop.Terminal`."""
        return self._terminal.colour

    def read(self, prompt: Callable[[], Prompt]) -> str:
        """See `loop.Terminal`."""
        self._witness.asked()
        source = self._terminal.read(prompt)
        self._witness.typed(prompt(), source)
        return source

    def show(self, text: str, what: str) -> None:
        """See `loop.Terminal`; it goes through the screen, and is told there."""
        self._terminal.show(text, what)


class WitnessedScreen(Screen):
    """A screen whose text is told."""

    def __init__(
        self, stream: TextIO, witness: Witness, *, gone: Callable[[OSError | ValueError], object]
    ) -> None:
        super().__init__(stream, gone=gone)
        self._witness = witness

    def write(self, text: str, *, frm: Pid | None = None) -> None:
        """See `Screen`."""
        super().write(text, frm=frm)
        self._witness.shown(text)
