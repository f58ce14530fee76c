"""The helpers of a prompt, beside pyx's public functions: h, i, v, flush, pid, r, exports and others.

Each helper shows its text by `print`, like all output.  Only `flush` removes messages from the mailbox.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from pyx.errors import Exit, PyxError
from pyx.nodes import Node
from pyx.primitives import drain
from pyx.shell.documentation import name_of, signature, source_of, summary
from pyx.shell.render import render
from pyx.shell.wrapping import wrapped
from pyx.terms import Pid, Ref, parse_pid, parse_ref

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pyx.shell.evaluate import Evaluator
    from pyx.shell.project import Project


class Helper:
    """A function for the prompt; its repr shows how to call it, in case the parentheses are forgotten."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function.

        Raises:
            TypeError: the arguments do not fit; the sentence shows the call.
        """
        try:
            inspect.signature(self._function).bind(*args, **kwargs)
        except TypeError as error:
            msg = f"call it as {self.usage}: {error}"
            raise TypeError(msg) from None
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"{self.usage}  {self.summary}"

    @property
    def usage(self) -> str:
        """The call, without annotations."""
        return self.__name__ + signature(self._function)

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return summary(self._function)


class OtherShells(Protocol):
    """The part of `RemoteShells` that the helpers need; it is loaded when it is first used."""

    def attach(self, node: str) -> str:
        """Opens a remote shell."""

    def jobs(self, number: int | None, action: str | None) -> None:
        """Carries out `jobs(number, action)`."""


class Helpers:
    """The helpers of one shell.

    Args:
        project: the user's modules.
        width: returns the columns of the terminal.
    """

    def __init__(self, project: Project, width: Callable[[], int]) -> None:
        self.evaluator: Evaluator | None = None
        """Keeps the values of statements; set once it exists."""
        self.at_prompt = False
        """True once the prompt is shown, False while a program runs."""
        self.remote_shells: Callable[[], OtherShells] | None = None
        """Returns the remote shells of the terminal, made when first needed."""
        self.lend_terminal: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        """Keeps output back inside, while another program has the terminal."""
        self.is_remote = False
        """True for a remote shell: the terminal is that of another node."""
        self._project = project
        self._width = width
        self._started = time.monotonic()

    def names(self) -> dict[str, Any]:
        """Returns name -> helper, as the prompt has them."""
        methods = (
            self.h, self.i, self.v, self.flush, self.pid, self.ref, self.c, self.r, self.recompile, self.nl,
            self.edit, self.exports, self.runtime_info, self.tc, self.ls, self.cd, self.pwd,
            self.ps, self.top, self.nodes, self.remsh, self.jobs, self.clear, self.exit, self.quit,
        )  # fmt: skip
        return {method.__name__: Helper(method) for method in methods}

    def h(self, thing: Any = None, *, source: bool = False) -> None:
        """Shows this list, or the documentation of a thing; `thing?` and, with its source, `thing??`.

        A function is shown with its signature, a module, a server or a class of pyx with its functions.  A
        str is a name that is looked up: `h("Process.info")`, `h("shop.price")`, or a keyword: `h("for")`.
        """
        from pyx.shell.help_pages import helper_list, page_of  # no part of a start

        if type(thing) is str:
            from pyx.shell.name_lookup import about_keyword  # few prompts look a name up

            about = about_keyword(thing)
            if about is not None:
                _show(wrapped(about, self._width()))
                return
            thing = self._looked_up(thing)
            thing = type(None) if thing is None else thing
        elif thing is None:
            helpers = [(helper.usage, helper.summary) for helper in self.names().values()]
            _show(helper_list(helpers, self._width()))
            return
        function = thing.__wrapped__ if type(thing) is Helper else thing
        _show(page_of(function, name_of(thing), self._width()))
        if source:
            _show(source_of(thing))

    def i(self, thing: Any = ...) -> None:
        """Shows facts about a value, or about the last one; a pid may be of any node."""
        from pyx.shell.facts import about_value, table  # no part of a start

        _show(table(about_value(self._last_value() if thing is ... else thing, self._width())))

    def v(self, number: int = -1) -> Any:
        """Returns the value of statement *number*, or of the last one.

        A negative number counts from the last statement, which is `v(-1)`.
        """
        assert self.evaluator is not None
        return self.evaluator.result(number)

    def flush(self) -> None:
        """Shows all messages in the shell's mailbox, and removes them."""
        for message in drain():
            _show(render(message, width=self._width()))

    def pid(self, text: str | int, *numbers: int) -> Pid:
        """Returns a pid by its printed text: `pid("0.5.0")` is #PID<0.5.0>.

        Three numbers mean the same: `pid(0, 5, 0)`.
        """
        return parse_pid(text if isinstance(text, str) else ".".join(map(str, (text, *numbers))))

    def ref(self, text: str) -> Ref:
        """Returns a reference by its printed text: `ref("0.1.2")` is #Ref<0.1.2>."""
        return parse_ref(text)

    def c(self, file: Any) -> Any:
        """Loads a file, wherever it is, as the module of its name, or loads it again; returns the module.

        A list of files gives a list of modules.  `r` reloads such a module as any other.
        """
        from pyx.shell.loaded_files import loaded_files  # rarely used

        files = file if isinstance(file, (list, tuple)) else [file]
        modules = [loaded_files.load(one, self._project.reload, _show) for one in files]
        if self.evaluator is not None:
            self.evaluator.names.update({module.__name__: module for module in modules})
        return modules if isinstance(file, (list, tuple)) else modules[0]

    def r(self, module: Any) -> None:
        """Reloads a module, and shows which functions changed.

        A running function keeps its old code until it is called again through the module.
        """
        _show(self._project.reload(module))

    def recompile(self) -> None:
        """Reloads the modules of the project whose files changed."""
        for line in self._project.recompile() or ["nothing changed"]:
            _show(line)

    def nl(self, module: Any) -> None:
        """Loads a module's source, as it is here, on all connected nodes; asks first.

        Processes that run there go on with the code that they have.
        """
        if self.is_remote:
            raise PyxError(
                f"nl() asks before it loads, and a remote shell has no terminal on {Node.self()}",
                hint="leave it by exit(), and type nl(module) at your own prompt",
            )
        from pyx.shell.network_load import network_load  # rarely used

        for line in network_load(module, input):
            _show(line)

    def edit(self, thing: Any) -> None:
        """Opens $VISUAL or $EDITOR at the source of a thing, and reloads what was changed.

        A str is a file, `edit("shop.py:12")`, or a name, `edit("shop.price")`.
        """
        from pyx.shell.source_editor import edit, place_in_file, place_of  # rarely used

        place = place_in_file(thing) if type(thing) is str else None
        if place is None:
            place = place_of(self._looked_up(thing) if type(thing) is str else thing)
        if self.is_remote:
            raise PyxError(
                f"{place.file} line {place.line} is on {Node.self()}, where a remote shell has no terminal",
                hint="open the file in an editor there, then type r(module) here",
            )
        edit(place, self._project.reload, _show, self.lend_terminal)

    def exports(self, module: Any = None) -> None:
        """Shows the functions of a module or class.

        A module may be given as its name, too.
        """
        if module is None:
            self.h()
            return
        if isinstance(module, str):
            __import__(module)
            module = sys.modules[module]
        if not isinstance(module, (ModuleType, type)):
            msg = f"exports takes a module, a module's name or a class, not {module!r}"
            raise TypeError(msg)
        from pyx.shell.help_pages import exports_of  # no part of a start

        if calls := exports_of(module, self._width()):
            _show(calls)

    def runtime_info(self) -> None:
        """Shows facts about this node: versions, peers, memory, loop lag."""
        from pyx.shell.facts import about_node, table  # no part of a start

        _show(table(about_node(time.monotonic() - self._started)))

    def tc(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Calls a function, shows how long that took, and returns its value: `tc(shop.total, ["nike"])`.

        `tc(lambda: ...)` times an expression, `await tc(f)` an `async def`.
        """
        from pyx.shell.timed_call import timed_call  # rarely used

        return timed_call(function, args, kwargs, _show)

    def ls(self, path: str = ".") -> None:
        """Lists a directory of this node's computer, the current one if none is named."""
        from pyx.shell.directories import listing

        names = listing(path, self._width())
        if names:
            _show(names)

    def cd(self, path: str = "~") -> None:
        """Changes the current directory of this node, and shows it."""
        from pyx.shell.directories import changed_directory

        _show(changed_directory(path))

    def pwd(self) -> None:
        """Shows the current directory of this node."""
        from pyx.shell.directories import current_directory

        _show(current_directory())

    def ps(self, node: str | None = None, most: int = 50) -> None:
        """Shows the processes of this node or of another one, those with the most messages first.

        `bytes` are those of the messages; a process is at `function`; its age is known to a second, on a node
        with a name.
        """
        from pyx.shell.process_table import process_table

        _show(process_table(node, _count("most", most)).rstrip())

    def top(self, node: str | None = None, most: int = 20, seconds: float = 1.0) -> None:
        """Looks for a second, and shows the busiest processes of this node or of another one.

        `cpu` is of one processor; an `async def` process shares its thread, so its own part is not known.
        `taken/s` are the messages that it has taken from its mailbox, `waiting` those that are there.
        """
        from pyx.shell.top_table import top_table

        _show(top_table(node, _count("most", most), _positive("seconds", seconds), self._width()))

    def nodes(self) -> None:
        """Shows the connected nodes: how long a ping takes, bytes each way, and what is queued for them."""
        from pyx.shell.node_table import node_table

        _show(node_table().rstrip())

    def remsh(self, node: str) -> None:
        """Opens a shell on another node, until exit() or Ctrl-D; what you type runs there.

        Several remote shells are jobs of this terminal: `jobs()` lists them.
        """
        self._remote_shells().attach(node)

    def jobs(self, number: int | None = None, action: str | None = None) -> None:
        """Lists the shells of this terminal and the evaluations that Ctrl-C left behind.

        `jobs(2)` goes to shell 2, `jobs(3, "interrupt")` interrupts evaluation 3.
        """
        self._remote_shells().jobs(number, action)

    def _remote_shells(self) -> OtherShells:
        if self.remote_shells is None or not self.at_prompt:
            raise PyxError("a remote shell needs a prompt", hint="start it by `pyx`, not inside a program")
        return self.remote_shells()

    def clear(self) -> None:
        """Clears the screen."""
        clear_screen()

    def exit(self, code: Any = None) -> None:
        """Leaves the shell, with an exit code; so does Ctrl-D.

        A remote shell is left without an exit code, and its node goes on.  At a prompt any other value is an
        exit reason, as for `exit/1` in Erlang: `exit("normal")` raises `Exit("normal")`, and the shell goes
        on.
        """
        if self.at_prompt and code is not None and not isinstance(code, int):
            raise Exit(code)
        raise SystemExit(code)

    def quit(self, code: Any = None) -> None:
        """Leaves the shell, as `exit` does."""
        self.exit(code)

    def _looked_up(self, name: str) -> Any:
        from pyx.shell.name_lookup import imported, looked_up

        names = [self.evaluator.names, self.evaluator.lower] if self.evaluator is not None else []
        return looked_up(name, names, imported)

    def _last_value(self) -> Any:
        lower = self.evaluator.lower if self.evaluator is not None else {}
        if "_" not in lower:
            raise PyxError("there is no value yet", hint="i(thing) shows facts about a thing")
        return lower["_"]


def clear_screen() -> None:
    """Clears the terminal of the process that calls it, if that is this one's."""
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[H\x1b[2J\x1b[3J")
        sys.stdout.flush()


def _show(text: str) -> None:
    print(text)  # noqa: T201 - the output of the prompt, through the group leader


def _count(name: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        msg = f"{name} is a whole number above 0, not {value!r}"
        raise TypeError(msg)
    return value


def _positive(name: str, value: Any) -> Any:
    if type(value) not in {int, float} or not 0 < value < math.inf:
        msg = f"{name} is a number above 0, not {value!r}"
        raise TypeError(msg)
    return value
