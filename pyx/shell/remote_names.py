"""The names that an input of a remote shell sees on the node that it is attached to.

Its bindings are in a module of their own, `remsh_3fa9c1`, so a class typed there can be found by its name,
and the program's `__main__` is left alone.  Below them are Python's builtins, pyx's public names and the
helpers of a prompt; and a module of the program is bound to its bare name where an input reads it.
"""

from __future__ import annotations

import itertools
import linecache
import secrets
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pyx.execution.user_code import PYX, is_user_file
from pyx.introspection import REMOTE_SHELL
from pyx.nodes import Node
from pyx.process import Process
from pyx.shell.call_signature import CallSignature, call_signature
from pyx.shell.child_names import child_names
from pyx.shell.completion import Completion, complete
from pyx.shell.helpers import Helper, Helpers
from pyx.shell.project import Project, free_names
from pyx.shell.prompt_names import public_names
from pyx.shell.remote_command import REMOTE_COMMANDS
from pyx.shell.static_values import NameSources, known_value
from pyx.shell.topic_names import instance_names, topic_names

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

_in_use: Final[set[str]] = set()
"""What follows the number of an input in tracebacks, one for each remote shell that is attached."""


class RemoteShellModule(ModuleType):
    """The module of what is typed in one remote shell; by its type, calls are not sent by names in it."""


class RemoteNames:
    """The names of one remote shell; `close` removes their traces.

    Args:
        client: the node whose user types.
        width: returns the columns of that user's terminal.
    """

    def __init__(self, client: str, width: Callable[[], int]) -> None:
        self.where = _free_where(f" via {client}")
        self._project = Project.installed or Project(".", lambda _: None, lambda _: None)
        self.helpers = Helpers(self._project, width)
        self.helpers.at_prompt = self.helpers.is_remote = True
        _in_use.add(self.where)
        self._module = RemoteShellModule(f"{REMOTE_SHELL}{secrets.token_hex(3)}")
        self.names: dict[str, Any] = self._module.__dict__
        self.lower: dict[str, Any] = {
            **sys.modules["builtins"].__dict__,
            **public_names(),
            **self.helpers.names(),
            **{command.__name__: Helper(command) for command in REMOTE_COMMANDS},
            "input": _input,
            "help": self._help,
        }
        self.names["__builtins__"] = self.lower
        sys.modules[self._module.__name__] = self._module

    def close(self) -> None:
        """Removes the module, and the text of the inputs that tracebacks show."""
        sys.modules.pop(self._module.__name__, None)
        _in_use.discard(self.where)
        for filename in list(linecache.cache):
            if filename.endswith(f"{self.where}>"):
                linecache.cache.pop(filename, None)

    def bind(self, tree: ast.Module) -> None:
        """Binds the modules whose names *tree* reads and nothing binds: loaded ones, and the project's."""
        for name in free_names(tree)[0]:
            if name not in self.names and name not in self.lower and (found := _loaded(name)) is not None:
                self.names[name] = found
        if Project.installed is not None:
            Project.installed.bind_names(tree, self.names, self.lower, say=print)

    def complete(self, text: str, cursor: int) -> Completion:
        """Returns the candidates at the cursor; no code of an object is run."""
        return complete(text, cursor, self._sources())

    def signature(self, callee: str) -> CallSignature | None:
        """Returns the parameters of a callee, as it is written; no code of an object is run."""
        return call_signature(known_value(callee, self._sources()), callee)

    def _help(self, *things: Any) -> None:
        """Shows what Python's `help` shows, without a pager, which would take this node's terminal."""
        if len(things) != 1 or type(things[0]) is str:
            self.helpers.h(*things)
            return
        import pydoc  # for the first question

        sys.stdout.write(pydoc.plain(pydoc.render_doc(things[0], "Help on %s:")) + "\n")

    def _sources(self) -> NameSources:
        return NameSources(
            self.names,
            self.lower,
            self._module_names,
            _all_nodes,
            Process.registered,
            _loaded,
            child_names,
            topic_names,
            instance_names,
        )

    def _module_names(self) -> list[str]:
        loaded = [name for name in list(sys.modules) if "." not in name and _loaded(name) is not None]
        return [*loaded, *(Project.installed.module_names() if Project.installed is not None else ())]


def _free_where(client: str) -> str:
    """Returns *client*, with a number where another remote shell of that node is attached."""
    names = (client if n == 1 else f"{client} ({n})" for n in itertools.count(1))
    return next(name for name in names if name not in _in_use)


def _loaded(name: str) -> ModuleType | None:
    """Returns a loaded module of the program; its own file also by its stem."""
    found = sys.modules.get(name)
    if found is None:
        main = sys.modules.get("__main__")
        found = main if Path(_file_of(main)).stem == name else None
    return found if is_user_file(_file_of(found) or PYX) else None


def _file_of(module: ModuleType | None) -> str:
    file = module.__dict__.get("__file__") if isinstance(module, ModuleType) else None
    return file if type(file) is str else ""


def _all_nodes() -> list[str]:
    return Node.list("known", "this")


def _input(prompt: object = "", /) -> NoReturn:
    """Refuses: the standard input of the attached node is not that of its remote shells."""
    del prompt
    msg = f"input() would read the standard input of {Node.self()}, which this remote shell is attached to"
    raise RuntimeError(msg)
