"""The completion of the prompt that is shown: the shell's own, or that of a remote shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyx.shell.call_signature import CallSignature
    from pyx.shell.completion import Completion


class CompletionSource(Protocol):
    """What a terminal asks while an input is typed; called on threads of their own."""

    def complete(self, text: str, cursor: int) -> Completion:
        """Returns the candidates at the cursor."""

    def signature(self, callee: str) -> CallSignature | None:
        """Returns the parameters of a callee, as it is written; None if they are not known."""


class SwitchedCompletion:
    """The completion of a terminal.

    Args:
        local: completes inputs of this shell.
    """

    def __init__(self, local: CompletionSource) -> None:
        self._local = local
        self.remote: CompletionSource | None = None
        """Completes while the prompt of a remote shell is shown."""

    def complete(self, text: str, cursor: int) -> Completion:
        """See `CompletionSource`."""
        return (self.remote or self._local).complete(text, cursor)

    def signature(self, callee: str) -> CallSignature | None:
        """See `CompletionSource`."""
        return (self.remote or self._local).signature(callee)
