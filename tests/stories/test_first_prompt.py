"""cli.py, shell/app.py: The modules that are loaded at the first prompt, and by a node without one, are those
of a list.

Loading modules is most of a start.  `first_prompt_modules.txt` holds the list; its head says how it is read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pexpect
import pytest

import pyx
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Collection

LIST: Final = Path(__file__).with_name("first_prompt_modules.txt")

VERIFIED: Final = (3, 13)
"""The newest Python whose standard library the list knows."""

MOST_UNKNOWN: Final = 8
"""How many more modules a newer standard library may load."""

AT_PROMPT: Final = """\
import os, sys
before = set(sys.modules)
from pyx.cli import main
from pyx.shell.frontend import StandardFrontend

start_prompt = StandardFrontend.start_prompt

def start_and_watch(frontend, *args):
    start_prompt(frontend, *args)
    frontend._editor._session.app.after_render += report

def report(_app):
    with open(os.environ["MODULES"], "w") as file:
        print(*sorted(set(sys.modules) - before), file=file)
    os._exit(0)

StandardFrontend.start_prompt = start_and_watch
main()
"""
"""Runs `pyx`, and ends when its first prompt is on the terminal."""

HEADLESS: Final = """\
import os, sys
before = set(sys.modules)
code = "import os, sys; print(*sorted(set(sys.modules)), flush=True); os._exit(0)"
from pyx.cli import main
main([*sys.argv[1:], "--no-halt", "-e", code])
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "home").mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYX_", "XDG_", "COV"))}
    return {
        **kept,
        "HOME": str(tmp_path / "home"),
        "PYX_RUNTIME_DIR": str(tmp_path / "run"),
        "PYTHONPATH": str(Path(pyx.__file__).parents[1]),
        "TERM": "xterm-256color",
        "MODULES": str(tmp_path / "modules"),
    }


def at_prompt(environment: dict[str, str], *words: str) -> set[str]:
    """The modules that `pyx` with these words has loaded when its first prompt is shown."""
    child = pexpect.spawn(
        sys.executable,
        ["-c", AT_PROMPT, *words],
        env=environment,
        cwd=environment["HOME"],
        encoding="utf-8",
        timeout=60,
    )
    shown = child.read()
    child.close()
    assert child.exitstatus == 0, shown
    return set(Path(environment["MODULES"]).read_text().split())


def headless(environment: dict[str, str], *words: str) -> set[str]:
    """The modules that `pyx --no-halt` with these words has loaded when it runs a program."""
    done = subprocess.run(
        [sys.executable, "-c", HEADLESS, *words],
        env=environment,
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split()) - set(bare.stdout.split())


def listed(*kinds: str) -> set[str]:
    """The names of the list under the headings of *kinds*."""
    found: dict[str, set[str]] = {}
    names: set[str] = set()
    for line in LIST.read_text().splitlines():
        if line.startswith("["):
            names = found.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            names.add(line)
    return set().union(*(found[kind] for kind in kinds))


def check(loaded: set[str], listed: Collection[str]) -> None:
    """Compares what was loaded with the list, by the rules of the list's head."""
    own = {name for name in loaded if name.partition(".")[0] == "pyx"}
    others = {name.partition(".")[0] for name in loaded - own} - {"__main__", "__mp_main__"}
    others = {name for name in others if not name.startswith(("_", "cython_runtime"))}
    unknown = sorted(others & sys.stdlib_module_names - set(listed))
    if sys.version_info[:2] > VERIFIED and len(unknown) <= MOST_UNKNOWN:
        unknown = []
    new = sorted((own | others - sys.stdlib_module_names) - set(listed)) + unknown
    assert not new, (
        f"a start loads modules that {LIST.name} does not list: {', '.join(new)}. Import each where it is "
        "used first, in the function; or add a line for it, if a start cannot do without (0.1 to 2 ms each)"
    )
    gone = sorted({name for name in listed if name.startswith("pyx")} - own)
    assert not gone, (
        f"a start does not load these modules any more; delete their lines in {LIST.name}: {gone}"
    )


def test_shell_without_and_with_a_short_name_loads_the_listed_modules(environment: dict[str, str]) -> None:
    check(at_prompt(environment, "--sname", "gus"), listed("headless", "prompt"))


def test_shell_with_a_long_name_loads_no_cryptography_before_its_prompt(environment: dict[str, str]) -> None:
    loaded = at_prompt(environment, "--name", "gus@127.0.0.1", "--port", str(free_port()))
    check(loaded, listed("headless", "prompt", "long name"))


def test_node_without_a_prompt_loads_the_listed_modules(environment: dict[str, str]) -> None:
    check(headless(environment, "--sname", "gus"), listed("headless"))


def test_new_module_and_one_that_is_gone_fail_with_their_names() -> None:
    with pytest.raises(AssertionError, match=r"does not list: pyx\.new, turtle\. Import"):
        check({"pyx", "pyx.new", "turtle", "_private"}, {"pyx"})
    with pytest.raises(AssertionError, match=r"delete their lines .*\['pyx\.old'\]"):
        check({"pyx"}, {"pyx", "pyx.old"})
