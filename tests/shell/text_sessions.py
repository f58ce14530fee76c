"""Sessions of a prompt as text, without a node: lines go in, the screen comes out."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from pyx.runtime.shell_process import ShellProcess
from pyx.shell.evaluate import Evaluator, make_main
from pyx.shell.loop import LineTerminal, Shell
from pyx.terms import parse_pid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.terms import Pid


class FakeProcess(ShellProcess):
    """A shell's process without a node."""

    def __init__(self) -> None:
        self.killed = False
        self._dead = parse_pid("0.1.0")

    @property
    def pid(self) -> Pid:
        return parse_pid("0.3.0")

    @property
    def is_alive(self) -> bool:
        return not self.killed

    def renew(self) -> Pid:
        self.killed = False
        return self._dead

    def finish_line(self, *, newline: bool = True) -> None: ...


RENEWED = "** the shell process #PID<0.1.0> was killed; its pid is now #PID<0.3.0>"


def run_coroutine(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError


def capture(
    typed: str, *, process: ShellProcess | None = None, name: str | None = "gus@vm", **helpers: Any
) -> tuple[str, int]:
    """Returns the screen after *typed* (the end of input may come inside a line), and the exit code."""
    shown: list[str] = []
    lines: Iterator[str] = iter(typed.splitlines(keepends=True))

    def read_line(prompt: str) -> str:
        line = next(lines, "")
        if line == "^C\n":
            shown.append(f"{prompt}^C\n")
            raise KeyboardInterrupt
        shown.append(prompt + line)
        return line

    main = make_main({**vars(builtins), "print": lambda text: shown.append(f"{text}\n"), **helpers})
    evaluator = Evaluator(main.__dict__, run_coroutine=run_coroutine)
    code = Shell(
        LineTerminal(read_line, shown.append), evaluator, process or FakeProcess(), lambda: name
    ).run()
    return "".join(shown), code


def session(text: str, **options: Any) -> None:
    """Checks a transcript: text after a prompt is typed, the rest is what the screen must show."""
    typed = "".join(
        line.partition("> ")[2] if line.startswith(("pyx(", "...(")) else ""
        for line in text.splitlines(keepends=True)
    )
    assert capture(typed, **options)[0] == text
