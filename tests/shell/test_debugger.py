"""debugger.py: `breakpoint()` at a prompt: one's own code is gone through, and then the prompt is back."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from pyx.process import Process
from pyx.shell.debugger import Debugger
from tests.stories.host import PYX, Host

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKS = {r"\(Pdb\) ": "debugger", r"pyx\(\d+\)> $": "prompt", r"[.]{3}\(\d+\)> $": "more"}


class Person:
    """Types at a terminal, and reads up to what asks for the next line."""

    def __init__(self, host: Host) -> None:
        environment = host.environment(TERM="dumb")
        self._child = pexpect.spawn(
            PYX, env=environment, cwd=str(host.home), encoding="utf-8", timeout=60, echo=False
        )
        self._child.expect(list(ASKS))

    def type(self, *lines: str) -> str:
        """Returns what asks after the last of the lines."""
        for line in lines:
            self._child.sendline(line)
            asks = list(ASKS.values())[self._child.expect(list(ASKS))]
        return asks

    @property
    def shown(self) -> str:
        return str(self._child.before).replace("\r\n", "\n")

    def leave(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def person() -> Iterator[Person]:
    with Host() as host:
        person = Person(host)
        yield person
        person.leave()


def test_the_end_of_ones_own_line_is_the_prompt_again(person: Person) -> None:
    assert person.type("breakpoint()") == "debugger"
    assert person.type("n") == "prompt"
    assert person.type("1 + 1") == "prompt"
    assert person.shown.strip() == "2"


def test_a_function_its_caller_and_then_the_prompt(person: Person) -> None:
    assert person.type("def f():", "    breakpoint()", "    return 5", "") == "prompt"
    assert person.type("f()", "w") == "debugger"
    assert person.shown.count("\n->") == 2
    assert "<module>" in person.shown
    assert "/pyx" not in person.shown
    assert person.type("n", "n", "n") == "prompt"
    assert person.shown.strip() == "5"


def test_the_end_of_a_coroutine_is_the_prompt_again(person: Person) -> None:
    assert person.type("async def f():", "    breakpoint()", "    return 6", "") == "prompt"
    assert person.type("await f()") == "debugger"
    shown, steps = "", 0
    while person.type("n") == "debugger":  # what it shows comes from another thread, maybe after its prompt
        steps += 1
        shown += person.shown
    assert "pyx/" not in shown
    assert "asyncio/" not in shown
    assert person.shown.split()[-1] == "6"
    assert steps < 5
    assert person.type("await f()", "c") == "prompt"


def test_a_call_of_pyx_is_one_step() -> None:
    typed, shown = io.StringIO("s\ns\nc\n"), io.StringIO()
    debugger = Debugger()
    debugger.stdin, debugger.stdout, debugger.use_rawinput = typed, shown, False
    before = sys.gettrace()
    debugger.set_trace()
    Process.list()
    step = 1
    sys.settrace(before)
    assert step
    assert "Process.list()" in shown.getvalue()
    assert "process.py" not in shown.getvalue().replace(__file__, "")
