"""python_conventions.py, traceback_colours.py: The conventions of Python's prompt, at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.shell.theme import BOTH

if TYPE_CHECKING:
    from tests.stories.host import Host


def test_user_of_pythons_prompt_finds_its_conventions(lone_host: Host) -> None:
    (lone_host.home / "shop.py").write_text("def price(count):\n    return 100 / count\n\nprice(0)\n")
    gus = lone_host.shell("gus", "-i", "shop.py")

    # A program that fails is followed by the prompt, and by the debugger.
    assert "ZeroDivisionError: division by zero" in gus.screen
    gus.enter("import pdb; pdb.pm()")
    gus.sees("-> return 100 / count")
    gus.sees("(Pdb)")
    gus.press("p count\r")
    gus.sees("0")
    gus.press("q\r")

    # Tracebacks are coloured, and have the frames of the user alone.
    shown = gus.type("price(0)").splitlines()
    assert [line for line in shown if "File" in line] == [
        '  File "<pyx 2>", line 1, in <module>',
        f'  File "{lone_host.home}/shop.py", line 2, in price',
    ]
    coloured = gus.raw.decode().replace("\r\n", "\n")
    assert BOTH.painted("Traceback (most recent call last):", "traceback") in coloured
    assert BOTH.painted("ZeroDivisionError", "error") + ": division by zero" in coloured
    assert gus.type("spwan(1)").endswith("Did you mean: 'spawn'?")
    assert gus.type("Process.alive(1)").endswith("Did you mean: 'is_alive'?")

    # The user's prompt, colours in it, and the hooks.
    gus.type("import sys; sys.displayhook = lambda value: print('->', value)")
    assert gus.type("6 * 7") == "-> 42"
    gus.type("sys.displayhook = sys.__displayhook__; sys.excepthook = lambda kind, *_: print(kind.__name__)")
    assert gus.type("1 / 0") == "ZeroDivisionError"
    gus.enter("sys.ps1 = '\\x1b[35mgus\\x1b[0m$ '")
    gus.wait(lambda: gus.prompt == "gus$ ", "the user's prompt")
    gus.press("del sys.ps1; sys.excepthook = sys.__excepthook__\r")

    # Words without parentheses, also in a remote shell, which leaves the program there alone.
    gus.type("receive(timeout=0) if 0 else None")
    gus.type("remsh('gus')")
    assert gus.prompt.startswith("pyx(gus@vm via gus@vm)")
    assert gus.type("spwan(1)").endswith("Did you mean: 'spawn'?")
    gus.type("quit")
    assert gus.prompt.startswith("pyx(gus@vm)")
    assert gus.type("sys.last_type.__name__") == "'ZeroDivisionError'"
    gus.press("clear\r")
    gus.wait(lambda: gus.screen.count("pyx(gus") == 1, "an empty screen")
    gus.press("exit\r")
    assert gus.leaves() == 0
