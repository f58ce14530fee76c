"""before_prompt.py, prompt_settings.py, start_files.py: A prompt as its user and its project want it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyx.shell.theme import ANSI, BOTH, DARK, NONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host

ESCAPE = "\x1b"


def test_files_of_user_and_project_come_before_the_first_prompt(lone_host: Host, tmp_path: Path) -> None:
    config = lone_host.home / "conf" / "pyx"
    config.mkdir(parents=True)
    (config / "start.py").write_text(
        "import os\nme = self()\nprint('of the user', me, Node.self())\n"
        "while not os.path.exists('go'):\n    Process.sleep(0.01)\n"
    )
    (config / "config.toml").write_text('theme = "dark"\nediting-mode = "vi"\npreload = ["colorsys"]\n')
    (tmp_path / ".pyx.py").write_text("answer = 42\nanswer / 0\n")
    (tmp_path / "pyproject.toml").write_text('[tool.pyx]\nswitch-interval = 0.25\nthem = "dark"\n')

    shell = lone_host.starts("--sname", "set@vm", cwd=tmp_path, XDG_CONFIG_HOME=str(config.parent))
    shell.sees("[tool.pyx] has no entry 'them': did you mean 'theme'?")
    shell.sees("of the user #PID<0.1.0> set@vm")
    shell.press("early = 'y'\r")
    shell.sees("early = 'y'")
    (tmp_path / "go").touch()  # now comes the question, which a line that was typed before does not answer
    shell.sees(f"run .pyx.py of this project ({tmp_path}/.pyx.py)? [y/N]")
    shell.press("y\r")
    shell.sees("Traceback (most recent call last)")
    shell.sees("ZeroDivisionError: division by zero")
    asked = next(at for at, line in enumerate(shell.lines) if line.endswith("? [y/N] y"))
    assert shell.lines[asked + 1] == "Traceback (most recent call last):"
    shell.sees("> early = 'y'")
    assert shell.type("early") == "'y'"
    shown = shell.type("(answer, me == self(), colorsys.__name__, __import__('sys').getswitchinterval())")
    assert shown == "(42, True, 'colorsys', 0.25)"
    assert DARK.painted("42", "number").encode() in shell.raw
    assert BOTH.styles["number"].escape.encode() not in shell.raw
    shell.press(f"xy{ESCAPE}")
    shell.press("0i")
    shell.press("zz")
    shell.wait(lambda: "> zzxy" in shell.screen, "the text typed in front, by the keys of vi")
    shell.press("\x03")

    again = lone_host.shell("again", cwd=tmp_path, XDG_CONFIG_HOME=str(config.parent))
    assert "run .pyx.py" not in again.screen
    assert again.type("answer") == "42"

    remote = lone_host.shell(None, "--remsh", "again@vm", cwd=tmp_path, XDG_CONFIG_HOME=str(config.parent))
    assert "of the user" not in remote.screen
    assert remote.type("'me' in globals()") == "False"

    none = lone_host.shell(None, "--no-start-file", cwd=tmp_path)
    assert none.type("'answer' in globals()") == "False"


def test_default_colours_reach_the_terminal_and_no_color_has_none(lone_host: Host) -> None:
    for no_color, terminal, theme in (("", "xterm", BOTH), ("", "linux", ANSI), ("1", "xterm", NONE)):
        shell = lone_host.shell(TERM=terminal, NO_COLOR=no_color)
        shell.type("self()")
        shell.type("1 / 0")
        shell.type("import logging; log = logging.getLogger('pyx')")
        shell.type("log.error('e'); log.warning('w')")
        shell.sees("[warning] w")
        raw = shell.raw.decode()
        assert ("\x1b[38;5;" in raw) == (theme is BOTH)
        for text, role in (
            ("#PID<0.1.0>", "pid"),
            ("ZeroDivisionError", "error"),
            ("[error]", "error"),
            ("[warning]", "warning"),
        ):
            assert theme.painted(text, role) in raw
        assert re.search(r"\x1b\[0;(38;5;29;)?1mpyx\(1\)> ", raw) or theme is NONE
    piped = lone_host.run("-i", stdin="self()\n1 / 0\n")
    assert "\x1b" not in piped.stdout + piped.stderr


def test_start_files_run_at_a_persons_prompt_alone(lone_host: Host, tmp_path: Path) -> None:
    config = lone_host.home / ".config" / "pyx"
    config.mkdir(parents=True)
    (config / "start.py").write_text("print('start')\n")
    (tmp_path / ".pyx.py").write_text("print('project')\n")
    (tmp_path / "named.py").write_text("named = 3\nprint('named')\n")
    (tmp_path / "f.py").write_text("print('file')\n")
    assert lone_host.run("f.py", cwd=tmp_path).stdout == "file\n"
    assert lone_host.run("-e", "print('e')", cwd=tmp_path).stdout == "e\n"
    assert lone_host.run("-i", stdin="1 + 1\n", cwd=tmp_path).stdout == "pyx(1)> 1 + 1\n2\npyx(2)> \n"
    named = lone_host.run("-i", "--start-file", "named.py", stdin="named\n", cwd=tmp_path)
    assert named.stdout == "named\npyx(1)> named\n3\npyx(2)> \n"
    refused = lone_host.run("--start-file", "named.py", "f.py", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--start-file is for a prompt of this node: it cannot be combined with -c," in refused.stderr
    missing = lone_host.run("--start-file", "none.py", cwd=tmp_path)
    assert (missing.returncode, missing.stderr) == (2, "pyx: --start-file: there is no file none.py\n")
    both = lone_host.run("--start-file", "named.py", "--no-start-file", cwd=tmp_path)
    assert both.stderr == "pyx: --start-file and --no-start-file cannot be combined\n"


def test_ctrl_c_at_the_question_and_in_a_start_file_leads_to_the_prompt(
    lone_host: Host, tmp_path: Path
) -> None:
    (tmp_path / ".pyx.py").write_text("x = 1\nprint('begun')\nProcess.sleep(None)\n")
    shell = lone_host.starts(cwd=tmp_path)
    shell.sees("? [y/N]")
    shell.blocks()
    shell.press("\x03")
    shell.sees("KeyboardInterrupt")
    shell.prompt_returns()
    assert shell.type("'x' in globals()") == "False"

    config = lone_host.home / "conf" / "pyx"
    config.mkdir(parents=True)
    (config / "start.py").write_text(
        "import os\nprint('of the user')\nwhile not os.path.exists('go'):\n    Process.sleep(0.01)\n"
    )
    second = lone_host.starts(cwd=tmp_path, XDG_CONFIG_HOME=str(config.parent), TERM="dumb")
    second.sees("of the user")
    second.press("early = 'y'\ry\r")
    second.wait(lambda: "early = 'y'\ny" in second.screen, "the echo of both lines")
    (tmp_path / "go").touch()  # the question comes: lines that were typed before are inputs, not its answer
    second.sees("? [y/N]")
    second.press("y\r")
    second.sees("begun")
    second.blocks()
    second.press("\x03")
    second.sees("/.pyx.py ")  # its line may be wrapped
    said = f"{tmp_path}/.pyx.py was interrupted at line 3; the prompt goes on"
    second.wait(
        lambda: "".join(said.split()) in "".join(second.screen.split()), "the line that names the file"
    )
    second.sees("pyx(1)> early = 'y'")
    second.sees("NameError: name 'y' is not defined")
    second.prompt_returns()
    assert second.type("(x, early)") == "(1, 'y')"

    (tmp_path / "killed.py").write_text("x = 2\nProcess.exit(self(), 'kill')\nx = 3\n")
    third = lone_host.shell(None, "--start-file", "killed.py", cwd=tmp_path)
    assert "** the shell process #PID<0.1.0> was killed; its pid is now " in third.screen
    assert "KeyboardInterrupt" not in third.screen
    assert third.type("x") == "2"
