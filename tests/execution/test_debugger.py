"""debugger.py: `breakpoint()` at a prompt steps through the user's code, and then returns to the prompt."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from pyx.execution.debugger import Debugger
from pyx.process import Process
from tests.stories.host import PYX, Host

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPTS = {r"\(Pdb\) ": "debugger", r"pyx\(\d+\)> $": "prompt", r"[.]{3}\(\d+\)> $": "more"}
FIRST = ["n"] if sys.version_info >= (3, 13) else []
"""From Python 3.13 on the debugger stops at the call of `breakpoint()` first."""


class DumbTerminal:
    """A `pyx` in a pseudo-terminal; reads up to the next prompt of the shell or the debugger."""

    def __init__(self, host: Host) -> None:
        environment = host.environment(TERM="dumb")
        self._child = pexpect.spawn(
            PYX, env=environment, cwd=str(host.home), encoding="utf-8", timeout=60, echo=False
        )
        self._child.expect(list(PROMPTS))

    def type(self, *lines: str) -> str:
        """Returns which of `PROMPTS` follows the last line."""
        for line in lines:
            self._child.sendline(line)
            asked_by = list(PROMPTS.values())[self._child.expect(list(PROMPTS))]
        return asked_by

    @property
    def shown(self) -> str:
        return str(self._child.before).replace("\r\n", "\n")

    def leave(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def terminal() -> Iterator[DumbTerminal]:
    with Host() as host:
        terminal = DumbTerminal(host)
        yield terminal
        terminal.leave()


def test_next_at_the_end_of_the_input_returns_to_the_prompt(terminal: DumbTerminal) -> None:
    assert terminal.type("breakpoint()") == "debugger"
    assert terminal.type(*FIRST, "n") == "prompt"
    assert terminal.type("import signal; ctrl_c = signal.getsignal(signal.SIGINT)") == "prompt"
    assert terminal.type("breakpoint()", "c") == "prompt"
    assert terminal.type("signal.getsignal(signal.SIGINT) == ctrl_c") == "prompt"
    assert "True" in terminal.shown
    assert terminal.type("1 + 1") == "prompt"
    assert terminal.shown.strip() == "2"


def test_next_passes_a_function_and_its_caller_and_returns_to_the_prompt(terminal: DumbTerminal) -> None:
    assert terminal.type("def f():", "    breakpoint()", "    return 5", "") == "prompt"
    assert terminal.type("f()", "w") == "debugger"
    assert terminal.shown.count("\n->") == 2
    assert "<module>" in terminal.shown
    assert "/pyx" not in terminal.shown
    assert terminal.type(*FIRST, "n", "n", "n") == "prompt"
    assert terminal.shown.strip() == "5"


def test_next_at_the_end_of_a_coroutine_returns_to_the_prompt(terminal: DumbTerminal) -> None:
    assert terminal.type("async def f():", "    breakpoint()", "    return 6", "") == "prompt"
    assert terminal.type("await f()") == "debugger"
    shown, steps = "", 0
    while terminal.type("n") == "debugger":  # its output comes from another thread, maybe after its prompt
        steps += 1
        shown += terminal.shown
    assert "pyx/" not in shown
    assert "asyncio/" not in shown
    assert terminal.shown.split()[-1] == "6"
    assert steps < 5
    assert terminal.type("await f()", "c") == "prompt"


def test_step_does_not_enter_a_call_of_pyx() -> None:
    typed, shown = io.StringIO("s\ns\nc\n"), io.StringIO()
    debugger = Debugger()
    debugger.stdin, debugger.stdout, debugger.use_rawinput = typed, shown, False
    debugger.nosigint = True  # type: ignore[attr-defined] # or `c` makes it the handler of Ctrl-C
    before = sys.gettrace()
    debugger.set_trace()
    Process.list()
    step = 1
    sys.settrace(before)
    assert step
    assert "Process.list()" in shown.getvalue()
    assert "process.py" not in shown.getvalue().replace(__file__, "")
