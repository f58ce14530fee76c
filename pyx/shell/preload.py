"""`preload` of the settings: modules that a prompt finds imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.execution.tracebacks import message_of, type_name
from pyx.printable import on_one_line
from pyx.shell.evaluate import ExitRequested, StatementRaised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyx.shell.evaluate import Evaluator


def preload(modules: Iterable[str], evaluator: Evaluator, warn: Callable[[str], None]) -> None:
    """Imports *modules* into the names of a prompt, as if `import NAME` were typed.

    Args:
        modules: their names.
        evaluator: of the prompt.
        warn: shows one sentence for each module whose import fails.
    """
    for name in modules:
        outcome = evaluator.run_program(f"import {name}", f"<preload {name}>")
        if isinstance(outcome, StatementRaised):
            error = outcome.exception
            why = f"{type_name(type(error))}: {message_of(error)}".removesuffix(": ")
            warn(f"preload of {name} failed: {on_one_line(why, 300)}")
        elif isinstance(outcome, ExitRequested):
            warn(f"preload of {name} failed: it calls exit()")
