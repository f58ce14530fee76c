"""`pyx new NAME`: makes a project that runs and whose test passes at once, like `mix new` of Elixir.

`--sup`, as there: the project is an application, whose processes are below a supervisor.
"""

from __future__ import annotations

import keyword
import sys
from pathlib import Path
from typing import Final

from pyx.errors import PyxError

_PYPROJECT: Final = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["pyxnode"]

[project.optional-dependencies]
test = ["pytest"]

[tool.hatch.build.targets.wheel]
include = ["{name}.py"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
"""

_MODULE: Final = '''\
"""{name}: a process that counts."""

from pyx import Process, receive, self, send, spawn


def counter(count=0):
    """Answers `("count", pid)` with the count, and counts every `"add"`."""
    while True:
        match receive():
            case "add":
                count += 1
            case ("count", frm):
                send(frm, ("count", count))


def start():
    """Starts the counter and registers the name that others send to."""
    pid = spawn(counter)
    Process.register(pid, "{name}")
    return pid


def count(dest="{name}"):
    """Asks a counter, of this node or of another one: `count(("{name}", "{name}@host"))`."""
    send(dest, ("count", self()))
    _, number = receive(("count", int), timeout=5)
    return number
'''

_TEST: Final = '''\
"""The counter, asked by a process of its own."""

import queue

from {name} import count, counter
from pyx import send, spawn

answers = queue.SimpleQueue()


def asks_a_counter():
    pid = spawn(counter)
    send(pid, "add")
    send(pid, "add")
    answers.put(count(pid))


def test_counts_what_is_added():
    spawn(asks_a_counter)
    assert answers.get(timeout=10) == 2
'''

_README: Final = """\
# {name}

    $ pyx --sname {name}
    pyx({name}@host)1> {name}.start()
    imported {name}
    #PID<0.2.0>
    pyx({name}@host)2> send("{name}", "add")
    'add'
    pyx({name}@host)3> {name}.count()
    1

From another shell on this host (`pyx --sname other`): `send(("{name}", "{name}"), "add")`.

Tests: `python -m pytest` (once: `pip install pytest`)

In another environment pyx comes first, from its clone, as it is not on the package index yet: `pip install
PATH/TO/pyxnode`, then `pip install --editable .`
"""

_FILES: Final = {
    "pyproject.toml": _PYPROJECT,
    "{name}.py": _MODULE,
    "tests/test_{name}.py": _TEST,
    "README.md": _README,
}


_APPLICATION: Final = """
[tool.pyx]
application = "{name}:application"
"""

_SUPERVISED_MODULE: Final = '''\
"""{name}: a server that counts, below a supervisor."""

from pyx import GenServer, child, handle


class Counter(GenServer):
    """Counts what is added, here or from another node: `Counter.add(("{name}", "{name}@host"))`."""

    def init(self, count=0):
        self.count = count

    @handle.call
    def add(self, number=1):
        self.count += number
        return self.count


def application():
    """Returns the processes of this project, in the order of their start."""
    return [child(Counter, name="{name}")]
'''

_SUPERVISED_TEST: Final = '''\
"""The counter alone, and in the application."""

from {name} import Counter
from pyx import Application, GenServer


def test_counts_what_is_added():
    counter = GenServer.harness(Counter)
    assert counter.add(2) == 2
    assert counter.add() == 3


def test_application_starts_the_counter():
    Application.start("{name}:application")
    try:
        assert Counter.add("{name}", 2) == 2
    finally:
        Application.stop("{name}")
'''

_SUPERVISED_README: Final = """\
# {name}

The application of `pyproject.toml` is started before the prompt:

    $ pyx --sname {name}
    pyx({name}@host)1> {name}.Counter.add("{name}")
    imported {name}
    1
    pyx({name}@host)2> Application.started()
    ['{name}']

As a service, until SIGTERM: `pyx --sname {name} --no-halt`

From another shell on this host (`pyx --sname other`): `GenServer.call(("{name}", "{name}"), ("add", 3))`.

Tests: `python -m pytest` (once: `pip install pytest`)

In another environment pyx comes first, from its clone, as it is not on the package index yet: `pip install
PATH/TO/pyxnode`, then `pip install --editable .`
"""

_SUPERVISED_FILES: Final = {
    "pyproject.toml": _PYPROJECT + _APPLICATION,
    "{name}.py": _SUPERVISED_MODULE,
    "tests/test_{name}.py": _SUPERVISED_TEST,
    "README.md": _SUPERVISED_README,
}


class NewProjectError(PyxError):
    """The project cannot be made; the text says why."""


def make_project(name: str, where: Path | None = None, *, supervised: bool = False) -> Path:
    """Makes the directory *name* in *where* (None: the current one) with the files of a small project.

    With *supervised* the project is an application: a server below a supervisor.

    Raises:
        NewProjectError: *name* cannot be the name of a module, or the directory exists or cannot be made.
    """
    # ASCII, as it becomes the name of a node, too.
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name) or name.startswith("__"):
        msg = f"{name!r} cannot be the name of a module"
        raise NewProjectError(msg, hint="use ASCII letters, digits and _, such as my_shop")
    if name in sys.stdlib_module_names or name in {"pyx", "tests"}:
        msg = f"{name!r} is the name of a module of Python or pyx, which would hide the project's"
        raise NewProjectError(msg, hint=f"try my_{name}")
    directory = (where or Path()) / name
    try:
        directory.mkdir()
    except FileExistsError:
        msg = f"{name} exists already"
        raise NewProjectError(msg, hint="choose another name, or remove it first") from None
    except OSError as error:
        msg = f"cannot make {name}: {error.strerror}"
        raise NewProjectError(msg) from None
    for path, template in (_SUPERVISED_FILES if supervised else _FILES).items():
        file = directory / path.format(name=name)
        file.parent.mkdir(exist_ok=True)
        file.write_text(template.format(name=name), encoding="utf-8")
    return directory
