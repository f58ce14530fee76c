"""Runs the source of a program as `python` does: in its `__main__`, with its names and its exit code.

One thing is added: a public name of pyx (`spawn`, `receive` ...) that a file reads and does not define is
among its globals.  Code of `-e` or from a pipe has the names of a prompt.  `program_files.py` has where a
program comes from, `program_exit.py` its end.
"""

from __future__ import annotations

import builtins
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyx
from pyx import errors
from pyx.execution import context
from pyx.execution.tracebacks import traceback_of
from pyx.shell.evaluate import ExitRequested, StatementRaised, error_text
from pyx.shell.prompt_names import late_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyx.shell.evaluate import Evaluator

INTERRUPTED: Final = 130
"""The exit code of a program that Ctrl-C ended."""


class Uncaught(int):
    """The exit code of a program that an exception has ended; with `-i` a prompt follows, as for Python."""


def leave_out_own_folder() -> None:
    """Removes the folder of the command `pyx` from the front of `sys.path`, where Python puts it."""
    if sys.flags.safe_path or not sys.path:
        return
    own = sys.path.pop(0)
    if own == str(Path(pyx.__file__).parents[1]):
        sys.path.append(own)  # pyx itself is imported from there: `python -m pyx` in a clone


def decoded(data: bytes, filename: str) -> str:
    """Decodes a program by Python's rules (`# coding:`, else UTF-8).

    Raises:
        PyxError: *data* is not text.
    """
    from importlib.util import decode_source  # a prompt decodes nothing

    try:
        source = decode_source(data)
    except (SyntaxError, UnicodeDecodeError) as error:
        msg = f"{filename} is not Python source: {error}"
        raise errors.PyxError(msg) from None
    if "\0" in source:  # of which `compile` says neither the file nor the line
        line = source[: source.index("\0")].count("\n") + 1
        msg = f"{filename} is not Python source: line {line} contains a null byte"
        raise errors.PyxError(msg)
    return source


def run_program(evaluator: Evaluator, source: str, filename: str, *, prepared: bool = False) -> int | None:
    """Runs *source* by script rules: whole, without an echo.

    The first error ends it, with its traceback on stderr, or by the program's own `sys.excepthook`.

    Args:
        evaluator: runs it.
        source: the program.
        filename: its name in tracebacks.
        prepared: see `Evaluator.run_program`.

    Returns:
        None if it ended without an error or SystemExit, else the exit code.
    """
    outcome = evaluator.run_program(source, filename, prepared=prepared)
    if isinstance(outcome, ExitRequested):
        return exit_code(outcome.code)
    if isinstance(outcome, StatementRaised):
        return show_uncaught(evaluator, outcome)
    return None


def show_uncaught(evaluator: Evaluator, outcome: StatementRaised) -> int:
    """Shows an uncaught exception; returns the exit code."""
    error, text = outcome
    runner = context.current.get()
    if outcome.was_interrupted and runner is not None and not runner.process.alive:
        # A kill reaches the main thread like a Ctrl-C; this line, as in IEx, says that it was a kill.
        with suppress(OSError, ValueError):
            sys.stderr.write(f"** (EXIT from {runner.process.pid}) {runner.process.reason}\n")
        return 1
    remember_error(error)
    if sys.excepthook is not sys.__excepthook__:
        try:
            text = text_after_hook(evaluator, outcome)
        except SystemExit as leaving:
            return exit_code(leaving.code)
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
    return Uncaught(INTERRUPTED if issubclass(type(error), KeyboardInterrupt) else 1)


def text_after_hook(evaluator: Evaluator, outcome: StatementRaised) -> str:
    """Calls `sys.excepthook`; returns what is left to show: nothing, or the error of the hook and its cause.

    Raises:
        SystemExit: by the hook.
    """
    error, text = outcome
    try:
        evaluator.call(sys.excepthook, type(error), error, traceback_of(error))
    except SystemExit:
        raise
    except BaseException as second:  # a hook is user code
        return f"Error in sys.excepthook:\n{error_text(second)}\nOriginal exception was:\n{text}"
    return ""


def remember_error(error: BaseException) -> None:
    """Sets `sys.last_exc` and its older names, which `pdb.pm()` reads."""
    vars(sys)["last_exc"] = error  # on Python 3.11 too, which has the other three alone
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback_of(error)


def exit_code(code: Any) -> int:
    """Returns the exit code for SystemExit's *code*: 0 for None, an int itself, else 1 (*code* on stderr)."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(2**63) <= code < 2**63 else 255
    try:
        text = str(code)
    except BaseException:  # its `__str__` is user code, and the run ends in any case
        text = ""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
    return 1


def run_source(
    evaluator: Evaluator, source: str, path: str, public: Mapping[str, Any], **module_names: Any
) -> int | None:
    """Runs the *source* of a file at *path* as the program; *module_names* are those of its import."""
    names = evaluator.names
    names.update(__annotations__={}, __builtins__=builtins, __file__=path, __cached__=None, **module_names)
    wanted = _global_names(source, path) - vars(builtins).keys() - names.keys()
    names.update({name: public[name] for name in wanted & public.keys()}, **late_names(wanted))
    try:
        return run_program(evaluator, source, path, prepared=True)
    finally:
        names["__builtins__"] = evaluator.lower  # for a prompt that follows


def _global_names(source: str, filename: str) -> set[str]:
    """Returns the global names that a program reads and does not bind."""
    import symtable

    read, bound = set[str](), set[str]()
    try:
        tables = [symtable.symtable(source, filename, "exec")]
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
        return read  # running it shows the error
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_global():
                if symbol.is_assigned() or symbol.is_imported():
                    bound.add(symbol.get_name())
                elif symbol.is_referenced():
                    read.add(symbol.get_name())
    return read - bound
