"""One input of a prompt: whether it is complete, and its outcome.  Nothing is printed here.

Names are in two plain dicts: the globals, which are the user's, and below them the `__builtins__` (Python's
own, pyx's public names, the helpers).  So `pid = spawn(...)` hides the helper `pid`, and `del pid` brings it
back.  `_` is in the lower dict as well: an assignment to `_` hides it in the same way.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import inspect
import linecache
import sys
import textwrap
import warnings
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pyx.errors import ProcessKilled
from pyx.execution import tracebacks
from pyx.execution.syntax_trees import syntax_tree
from pyx.printable import filter_foreign
from pyx.shell.prompt_names import late_names, names_read

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_FUTURES: Final = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_AWAIT: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_INCOMPLETE: Final = 0x4000  # PyCF_ALLOW_INCOMPLETE_INPUT: what codeop uses, without a public name
_COMPOUND: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)

_WITHOUT_PARENTHESES: Final = frozenset({"clear", "exit", "quit"})

RESULTS_KEPT: Final = 100
"""The number of results that `v(n)` can return; IEx keeps 20."""


class Value(NamedTuple):
    """The input ended without an error; `value` is that of its last expression, None for a statement."""

    value: Any
    is_expression: bool = True


class StatementRaised(NamedTuple):
    """The input raised.  `exception` has the user's frames only, `text` is what a terminal shows."""

    exception: BaseException
    text: str

    @property
    def was_interrupted(self) -> bool:
        """True if Ctrl-C or a kill of the shell's process ended the input."""
        return issubclass(type(self.exception), (KeyboardInterrupt, ProcessKilled))


class ExitRequested(NamedTuple):
    """The input raised SystemExit with *code*."""

    code: Any


Outcome: TypeAlias = Value | StatementRaised | ExitRequested


def error_text(error: BaseException, *, typed: str | None = None) -> str:
    """Trims *error* to the user's frames and returns what a terminal shows of it, with a newline at the end.

    Args:
        error: any exception.
        typed: see `tracebacks.text_of`.
    """
    if issubclass(type(error), KeyboardInterrupt):  # not `isinstance`: `__class__` may be the user's code
        tracebacks.trim(error)
        return "KeyboardInterrupt\n"
    return filter_foreign(tracebacks.shown_text(error, typed=typed))  # a peer's text may be in it


def is_blank(source: str) -> bool:
    """True if there is nothing to run: blank lines and comments only."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in source.split("\n"))


def is_incomplete(source: str) -> bool:
    """True while *source* is an incomplete input, so that the next line belongs to it.

    As at Python's prompt, a compound statement (`def`, `if`, `match` ...) ends with a blank line.  Text that
    can never become valid is complete: evaluating it shows the error.
    """
    source = _flush_left(source)
    if is_blank(source):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are shown once, when the input runs
        try:
            tree = syntax_tree(source, "<pyx>", _AWAIT)
        except SyntaxError:
            return _may_become_valid(source)
        except (ValueError, OverflowError, MemoryError, RecursionError):
            return False
    ends_blank = "\n" in source and not source.rsplit("\n", 1)[1].strip()
    return isinstance(tree.body[-1], _COMPOUND) and not ends_blank


def _may_become_valid(source: str) -> bool:
    try:
        compile(source + "\n", "<pyx>", "exec", _AWAIT | _INCOMPLETE, dont_inherit=True)
    except SyntaxError as error:
        return "incomplete input" in str(error)
    except (ValueError, OverflowError, MemoryError, RecursionError):
        return False
    return True


def _flush_left(source: str) -> str:
    """Returns *source* without the indentation of all its lines: it may be pasted out of a block."""
    return textwrap.dedent(source) if source[:1].isspace() else source


def make_main(lower: dict[str, Any]) -> ModuleType:
    """Returns a new `__main__` whose `__builtins__` is the plain dict *lower*.

    It must become `sys.modules["__main__"]`, or a class typed at the prompt could not be found by name.
    """
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = lower
    return main


class Evaluator:
    """Runs inputs one after another in one pair of dicts.

    Args:
        names: the globals; their `__builtins__` is a plain dict.
        run_coroutine: runs the coroutine of an `await` at the prompt, and returns its result.
        call: calls a function with arguments, in the same `contextvars.Context` that `run_coroutine` uses.
        prepare: called with the parsed input before it runs (the project imports its modules there).
        where: what tracebacks show behind the number of an input, for prompts beside the shell's own.
    """

    def __init__(
        self,
        names: dict[str, Any],
        *,
        run_coroutine: Callable[[Coroutine[Any, Any, Any]], Any],
        call: Callable[..., Any] = lambda function, *args: function(*args),
        prepare: Callable[[ast.Module], None] = lambda _tree: None,
        where: str = "",
    ) -> None:
        self.names = names
        self.results: dict[int, Any] = {}
        self.number = 1
        """The number of the next statement, as the prompt shows it."""
        self.lower: dict[str, Any] = names["__builtins__"]
        """The names below the globals: builtins, public names, helpers, `_`."""
        self._run_coroutine = run_coroutine
        self.call = call
        """Calls a function in the context of the inputs."""
        self._prepare = prepare
        self._inputs = 0
        self._where = where
        self._flags = _AWAIT

    def continue_after(self, other: Evaluator) -> None:
        """Goes on where *other* is: with the number of the next statement, the results and `__future__`s."""
        self.number, self.results = other.number, dict(other.results)
        self._inputs, self._flags = other._inputs, other._flags

    def evaluate(self, source: str) -> Outcome:
        """Runs one input.  Only a success is counted, kept for `v(n)` and bound to `_`."""
        source = self._called(_flush_left(source))
        if source.rstrip().endswith("?") or source.startswith("?"):
            from pyx.shell.help_question import help_call  # loaded for the first question

            source = help_call(source) or source
        self._follow_builtins()
        self._inputs += 1
        filename = f"<pyx {self._inputs}{self._where}>"
        outcome = self.run(source, filename, typed="\n" not in source.strip())
        if isinstance(outcome, Value):
            self.results[self.number] = outcome.value
            self.results.pop(self.number - RESULTS_KEPT, None)
            self.number += 1
            if outcome.value is not None:
                self.lower["_"] = outcome.value
        return outcome

    def _called(self, source: str) -> str:
        """Returns a call where *source* is one of three words, as Python 3.13 does, and not a user's name."""
        word = source.strip()
        is_helper = word in _WITHOUT_PARENTHESES and word in self.lower and word not in self.names
        return f"{word}()" if is_helper else source

    def _follow_builtins(self) -> None:
        """Makes names that code has put into `builtins` visible at the prompt."""
        for name in vars(builtins).keys() - self.lower.keys():
            self.lower[name] = getattr(builtins, name)

    def run(self, source: str, filename: str, *, typed: bool = False) -> Outcome:
        """Runs *source* for the value of its last expression.

        Args:
            source: any text.
            filename: its name in tracebacks.
            typed: True if it is one line on the user's screen, which a traceback need not repeat.
        """
        return self._outcome(self._value_of, source, filename, typed=typed)

    def run_program(self, source: str, filename: str, *, prepared: bool = False) -> Outcome:
        """Runs *source* whole as a program; the outcome has no value.

        Args:
            source: any text.
            filename: its name in tracebacks.
            prepared: True if its names are bound already, so `prepare` is not called.
        """

        def run(source: str, filename: str) -> Value:
            self._execute(self._parsed(source, filename, prepared=prepared), filename)
            return Value(None, is_expression=False)

        return self._outcome(run, source, filename, typed=False)

    def _outcome(
        self, run: Callable[[str, str], Value], source: str, filename: str, *, typed: bool
    ) -> Outcome:
        # Like the lines of a file: without the last line end `traceback` marks one column too far right.
        lines = f"{source}\n".splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)
        try:
            return run(source, filename)
        except SystemExit as leaving:
            return ExitRequested(leaving.code)
        except BaseException as error:  # the border to user code: it may raise anything
            return StatementRaised(error, error_text(error, typed=filename if typed else None))

    def _value_of(self, source: str, filename: str) -> Value:
        tree = self._parsed(source, filename)
        if not tree.body or not isinstance(tree.body[-1], ast.Expr):
            self._execute(tree, filename)
            return Value(None, is_expression=False)
        last = ast.Expression(tree.body[-1].value)
        del tree.body[-1]
        if tree.body:
            self._execute(tree, filename)
        return Value(self._execute(last, filename))

    def _parsed(self, source: str, filename: str, *, prepared: bool = False) -> ast.Module:
        tree = syntax_tree(source, filename, self._flags)
        if not prepared:
            self.call(self._prepare, tree)
        return tree

    def _execute(self, tree: ast.Module | ast.Expression, filename: str) -> Any:
        mode = "eval" if isinstance(tree, ast.Expression) else "exec"
        code: CodeType = compile(tree, filename, mode, self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURES
        late = late_names(names_read(code))
        if late:
            self.lower.update(late)
        before = sys.gettrace()
        try:
            result = self.call(eval, code, self.names)
        finally:
            if sys.gettrace() is not before:  # a debugger that the user has left by `next`
                sys.settrace(before)
        return self._run_coroutine(result) if code.co_flags & inspect.CO_COROUTINE else result

    def result(self, number: int = -1) -> Any:
        """Returns the value of statement *number*; a negative one counts from the last (`v(-1)`).

        Raises:
            TypeError: *number* is not an int.
            IndexError: the statement was not, or is no longer, kept.
        """
        if type(number) is not int:
            msg = f"v() takes the number of a statement, not {number!r}"
            raise TypeError(msg)
        wanted = number if number > 0 else self.number + number
        try:
            return self.results[wanted]
        except KeyError:
            kept = f"{min(self.results)} to {max(self.results)}" if self.results else "none yet"
            msg = f"v({number}): no such statement (kept: {kept})"
            raise IndexError(msg) from None
