"""The completion of the prompt that is shown: the shell's own, or that of a remote shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.shell.completion import Completion


class SwitchedCompletion:
    """The function (text, cursor) -> candidates of a terminal.

    Args:
        local: completes inputs of this shell.
    """

    def __init__(self, local: Callable[[str, int], Completion]) -> None:
        self._local = local
        self.remote: Callable[[str, int], Completion] | None = None
        """Completes while the prompt of a remote shell is shown."""

    def __call__(self, text: str, cursor: int) -> Completion:
        """Returns the candidates at the cursor."""
        return (self.remote or self._local)(text, cursor)
