"""What programs find at the prompt of Python, kept at pyx's: `sys.ps1`, hooks, `sys.last_exc`, `builtins._`.

They are those of the one shell of an OS process.  A remote shell changes none of them: `sys` there belongs to
the program that is attached to.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
from typing import TYPE_CHECKING, Any, Final, Self

from pyx.errors import ProcessKilled
from pyx.shell.evaluate import Evaluator, StatementRaised, Value, error_text
from pyx.shell.program import exit_code, remember_error, text_after_hook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from pyx.shell.evaluate import Outcome

_NOTHING: Final = object()


class OwnPrompt(str):
    """`sys.ps1` or `sys.ps2` where the user has not replaced it: `str()` of it is the prompt as it is now."""

    __slots__ = ("_now",)

    _now: Callable[[], str]

    def __new__(cls, now: Callable[[], str]) -> Self:
        """Takes the function that returns the text."""
        made = super().__new__(cls, now())
        made._now = now
        return made

    def __str__(self) -> str:
        return self._now()


class PythonConventions:
    """The conventions of one prompt.

    Args:
        evaluator: runs the inputs, and the hooks of the user in their context.
        show: shows an outcome by pyx's own rules.
        own_prompt: returns the prompt of pyx, as it is now, for the first and for further lines.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        show: Callable[[Outcome], object],
        own_prompt: Callable[[], tuple[str, str]],
    ) -> None:
        self._evaluator = evaluator
        self._show = show
        self._own_prompt = own_prompt
        self._raised: StatementRaised | None = None
        self._underscore: object = _NOTHING
        self._displayhook = self._display
        self._excepthook = self._show_error

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Sets what is missing in `sys` inside; what a program has set before its prompt stays."""
        prompts = {
            "ps1": OwnPrompt(lambda: self._own_prompt()[0]),
            "ps2": OwnPrompt(lambda: self._own_prompt()[1]),
        }
        for name, prompt in prompts.items():
            if not hasattr(sys, name):
                setattr(sys, name, prompt)
        if sys.displayhook is sys.__displayhook__:
            sys.displayhook = self._displayhook
        if sys.excepthook is sys.__excepthook__:
            sys.excepthook = self._excepthook
        try:
            yield
        finally:
            if sys.displayhook is self._displayhook:
                sys.displayhook = sys.__displayhook__
            if sys.excepthook is self._excepthook:
                sys.excepthook = sys.__excepthook__
            for name, prompt in prompts.items():
                if getattr(sys, name, None) is prompt:
                    delattr(sys, name)
            if getattr(builtins, "_", None) is self._underscore:
                del vars(builtins)["_"]

    def users_prompt(self) -> tuple[str, str] | None:
        """Returns the text before the first line of an input and before further ones; None for pyx's own.

        As in Python, `str()` of `sys.ps1` and `sys.ps2` is taken anew for each input.
        """
        first, rest = getattr(sys, "ps1", None), getattr(sys, "ps2", None)
        if isinstance(first, OwnPrompt | None) and isinstance(rest, OwnPrompt | None):
            return None
        own_first, own_rest = self._own_prompt()
        shown = own_first if isinstance(first, OwnPrompt | None) else self._text(first, own_first)
        if not isinstance(rest, OwnPrompt | None):
            return shown, self._text(rest, own_rest)
        return shown, "... ".rjust(len(shown.rpartition("\n")[2]))

    def _text(self, prompt: object, otherwise: str) -> str:
        try:
            text: str = self._evaluator.call(str, prompt)
        except ProcessKilled:
            raise
        except BaseException:  # its `__str__` is user code; Python ignores all that it raises
            return otherwise
        return text.replace("\x01", "").replace("\x02", "")  # readline's marks around what has no width

    def show(self, outcome: Outcome) -> int | None:
        """Shows what an input came to, by the user's hook where there is one.

        Returns:
            None, or the exit code if the hook raised SystemExit.
        """
        try:
            if isinstance(outcome, StatementRaised):
                self._show_raised(outcome)
            elif isinstance(outcome, Value) and outcome.is_expression:
                self._show_value(outcome)
        except SystemExit as leaving:
            return exit_code(leaving.code)
        return None

    def _show_value(self, outcome: Value) -> None:
        hook = getattr(sys, "displayhook", self._displayhook)
        if hook is self._displayhook:
            self._show(outcome)
        else:
            try:
                self._evaluator.call(hook, outcome.value)
            except SystemExit:
                raise
            except BaseException as error:  # a hook is user code
                self._show_raised(StatementRaised(error, error_text(error)))
        if outcome.value is not None:
            self._bind_underscore(outcome.value, is_by_hook=hook is not self._displayhook)

    def _bind_underscore(self, value: object, *, is_by_hook: bool) -> None:
        """Binds `builtins._`, unless the program has put something else there, as `gettext.install` does."""
        found = getattr(builtins, "_", _NOTHING)
        if found is self._underscore or found is _NOTHING or (is_by_hook and found is value):
            vars(builtins)["_"] = self._underscore = value

    def _show_raised(self, outcome: StatementRaised) -> None:
        self._raised = outcome
        remember_error(outcome.exception)
        hook = getattr(sys, "excepthook", self._excepthook)
        # Ctrl-C is answered by one line: hooks show a traceback of what the user has ended.
        if hook is self._excepthook or outcome.was_interrupted:
            self._show(outcome)
        elif text := text_after_hook(self._evaluator, outcome):
            self._show(StatementRaised(outcome.exception, text))

    def _display(self, value: object) -> None:
        """Shows a value as pyx does; `sys.displayhook` at the prompt."""
        self._show(Value(value))

    def _show_error(
        self, kind: type[BaseException], error: BaseException | None, frames: TracebackType | None
    ) -> Any:
        """Shows an exception as pyx does; `sys.excepthook` at the prompt."""
        raised = self._raised
        if raised is None or raised.exception is not error:
            found = kind() if error is None else error
            raised = StatementRaised(found, error_text(found.with_traceback(frames)))
        self._show(raised)
