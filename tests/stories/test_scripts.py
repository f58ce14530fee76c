"""Programs without a terminal: script rules, exit codes, logs, colours, imported modules."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.blocked import until_blocked
from tests.stories.host import PYX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host

HEAVY = "{'asyncio', 'prompt_toolkit', 'msgpack', 'pygments', 'uvloop', 'ssl'} & set(sys.modules)"


class TestPrograms:
    def test_codes_of_e_share_one_namespace(self, host: Host) -> None:
        done = host.run("-e", "x = 20", "-e", "x", "-e", "print(x + 1)")
        assert (done.returncode, done.stdout, done.stderr) == (0, "21\n", "")

    def test_file_runs_with_its_arguments(self, host: Host, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text("import sys\nprint(__name__, sys.argv)\n")
        done = host.run("app.py", "-e", "--flag", cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "__main__ ['app.py', '-e', '--flag']\n", "")

    def test_program_from_a_pipe_runs(self, host: Host) -> None:
        done = host.run(stdin="def f():\n\n    return 6\n\nprint(f() * 7)\nf()\n")
        assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")

    def test_program_from_a_pipe_is_a_node(self, lone_host: Host) -> None:
        done = lone_host.run("--sname", "gus@vm", stdin='print(Node.ping("gus"), self())')
        assert (done.returncode, done.stdout, done.stderr) == (0, "pong #PID<0.1.0>\n", "")

    def test_option_i_shows_a_prompt_after_the_program(self, host: Host) -> None:
        shell = host.starts("-i", "-e", "x = 40")
        shell.prompt_returns()
        assert shell.type("x + 2") == "42"
        shell.close()

    def test_program_ends_while_its_processes_run(self, host: Host) -> None:
        assert host.run("-e", "spawn(Process.sleep, None); print('done')").stdout == "done\n"

    def test_crash_of_a_process_is_logged_on_stderr(self, host: Host) -> None:
        code = "_, ref = spawn_monitor(int, 'x'); receive(('DOWN', ref, ..., ..., ...)); print('over')"
        done = host.run("-e", code)
        assert (done.returncode, done.stdout) == (0, "over\n")
        assert done.stderr == (
            "[error] Process #PID<0.2.0> raised an exception\n"
            "ValueError: invalid literal for int() with base 10: 'x'\n"
        )


class TestFailures:
    @pytest.mark.parametrize(
        "code", ['Process.exit(self(), "kill")', 'spawn(Process.exit, self(), "kill"); Process.sleep(None)']
    )
    def test_kill_of_the_programs_own_process_is_reported_as_an_exit(self, host: Host, code: str) -> None:
        done = host.run("-e", code, "-e", "print('after')")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "** (EXIT from #PID<0.1.0>) killed\n"

    def test_first_error_ends_the_program_with_a_traceback_on_stderr(self, host: Host) -> None:
        done = host.run(stdin="print('before')\ndef f():\n    return 1 / 0\nf()\nprint('after')\n")
        assert (done.returncode, done.stdout) == (1, "before\n")
        assert done.stderr.startswith(
            'Traceback (most recent call last):\n  File "<stdin>", line 4, in <module>\n'
        )
        assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
        assert "/pyx/" not in done.stderr

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["-e", "1"], 0),
            (["-e", "nope"], 1),
            (["-e", "def"], 1),
            (["--bogus"], 2),
            (["no_such_file.py"], 2),
            (["--sname", "a b", "-e", "1"], 2),
            (["-e", "exit(7)"], 7),
            (["-e", "raise SystemExit('a last word')"], 1),
            (["-e", "import os, signal; os.kill(os.getpid(), signal.SIGINT); Process.sleep(60)"], 130),
            (["-e", "import os, signal; os.kill(os.getpid(), signal.SIGTERM); Process.sleep(60)"], 143),
        ],
    )
    def test_exit_code_shows_the_kind_of_failure(self, words: list[str], code: int, host: Host) -> None:
        assert host.run(*words).returncode == code

    def test_exit_code_for_a_name_in_use_is_3(self, host: Host) -> None:
        host.shell("taken")
        assert host.run("--sname", "taken@vm", "-e", "1").returncode == 3

    def test_ctrl_c_ends_a_program_with_exit_code_130(self, host: Host) -> None:
        child = subprocess.Popen(
            [PYX, "-e", "print('running', flush=True); Process.sleep(None)"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=host.environment(),
            cwd=host.home,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "running\n"
        until_blocked(child.pid)
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=60) == ("", "KeyboardInterrupt\n")
        assert child.returncode == 130


class TestLogs:
    """Records of a node and its processes are shown once, by the program's own log if it has one."""

    CODE = (
        "Node.ping('zz')\n"
        "_, ref = spawn_monitor(int, 'x')\n"
        "receive(('DOWN', ref, ..., ..., ...), timeout=60)\n"
    )
    WORDS = (
        "cannot connect to zz@vm: no node of that name runs on this host",
        "Process #PID<0.2.0> raised an exception\nValueError: invalid literal for int() with base 10: 'x'\n",
    )

    def test_log_of_pyx_is_on_stderr_if_the_program_has_none(self, host: Host) -> None:
        done = host.run("--sname", "plain@vm", "-e", self.CODE)
        assert done.stderr == f"[warning] {self.WORDS[0]}\n[error] {self.WORDS[1]}"

    @pytest.mark.parametrize(
        "setting_up",
        [
            "logging.basicConfig()",
            "logging.getLogger().addHandler(handler)",
            "logging.getLogger('pyx').addHandler(handler)",
        ],
    )
    def test_log_of_pyx_goes_to_the_programs_own_log_only(self, setting_up: str, host: Host) -> None:
        before = (
            "import logging\n"
            "handler = logging.StreamHandler()\n"
            "handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))\n"
        )
        done = host.run("--sname", "logs@vm", "-e", before + setting_up, "-e", self.CODE)
        assert done.stderr == f"WARNING:pyx.node:{self.WORDS[0]}\nERROR:pyx.node:{self.WORDS[1]}"


class TestColours:
    def test_no_color_removes_colours(self, lone_host: Host) -> None:
        shell = lone_host.starts(NO_COLOR="1")
        shell.prompt_returns()
        shell.type("['text', None, 5]")
        shell.type("1 / 0")
        assert not [code for code in _colours(shell.raw) if code not in {b"", b"0"}]

    def test_values_and_prompts_are_coloured(self, lone_host: Host) -> None:
        shell = lone_host.shell()
        shell.type("['text', None, 5]")
        assert [code for code in _colours(shell.raw) if code not in {b"", b"0"}]

    def test_output_to_a_pipe_is_not_coloured(self, host: Host) -> None:
        assert "\x1b" not in host.run("-i", stdin="['text', None, 5]\n").stdout


def _colours(raw: bytes) -> list[bytes]:
    """Returns the parameters of the sequences that set colours and bold text."""
    return re.findall(rb"\x1b\[([0-9;]*)m", raw)


class TestImports:
    def test_import_pyx_loads_no_heavy_module(self, host: Host) -> None:
        code = f"import sys, pyx; print({HEAVY})"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=host.environment(), check=True
        )
        assert done.stdout == "set()\n"

    def test_version_option_loads_no_heavy_module(self, host: Host) -> None:
        code = f"import sys; from pyx.cli import main; print(main(['--version']), {HEAVY})"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=host.environment(), check=True
        )
        version, loaded = done.stdout.splitlines()
        assert version.startswith("pyx ")
        assert loaded == "0 set()"

    def test_script_loads_neither_prompt_toolkit_nor_pygments(self, host: Host) -> None:
        code = f"import sys; print({HEAVY} & {{'prompt_toolkit', 'pygments'}})"
        assert host.run("--sname", "light@vm", "-e", code).stdout == "set()\n"


class TestGarbageCollector:
    SHOWN = "import gc; print(gc.get_threshold()[0])"

    def test_thresholds_of_pyx_are_higher_than_those_of_python(self, host: Host) -> None:
        assert host.run("-e", self.SHOWN).stdout == "10000\n"
        if sys.version_info < (3, 14):  # from there on without meaning
            assert host.run("-e", "import gc; print(gc.get_threshold()[2])").stdout == "30\n"

    def test_threshold_that_the_program_sets_wins(self, host: Host) -> None:
        code = "import gc; gc.set_threshold(800); from pyx import Node; Node.start('own@vm')"
        assert host.run("-e", code, "-e", self.SHOWN).stdout == "800\n"

    @pytest.mark.parametrize("set_before", [0, 50_000])
    def test_threshold_that_was_set_before_is_kept(self, host: Host, tmp_path: Path, set_before: int) -> None:
        (tmp_path / "sitecustomize.py").write_text(f"import gc; gc.set_threshold({set_before})")
        done = host.run("-e", self.SHOWN, PYTHONPATH=str(tmp_path))
        assert done.stdout == f"{set_before}\n"

    def test_threshold_of_an_embedding_program_is_kept(self, host: Host) -> None:
        code = (
            "import gc; from pyx import Node; before = gc.get_threshold(); Node.start('embedded@vm')\n"
            "print(gc.get_threshold() == before, gc.isenabled())"
        )
        assert host.run_command([sys.executable, "-c", code]).stdout == "True True\n"


def test_script_that_ends_waits_for_a_busy_node_to_read_its_messages(lone_host: Host) -> None:
    server = lone_host.shell("server")
    server.type("Process.register(self(), 'sink')")
    script = (
        "from pyx import Node, send\n"
        "Node.start('script@vm')\n"
        "assert Node.ping('server@vm') == 'pong'\n"
        "print('connected', flush=True)\n"
        "input()\n"
        "for _ in range(8):\n"
        "    send(('sink', 'server@vm'), 'x' * 300_000)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=lone_host.environment(),
    ) as leaving:
        assert leaving.stdin is not None
        assert leaving.stdout is not None
        assert leaving.stderr is not None
        assert leaving.stdout.readline() == "connected\n"
        server.freeze()
        leaving.stdin.write("\n")
        leaving.stdin.flush()
        assert leaving.stderr.readline().startswith("script@vm leaves, and waits for server@vm to take ")
        server.kill(signal.SIGCONT)
        assert leaving.stderr.read() == ""
    assert leaving.returncode == 0
    assert server.type("sum(len(receive(timeout=60)) for _ in range(8))") == "2400000"


def test_help_ends_with_examples(host: Host) -> None:
    done = host.run("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: pyx ")
    assert "examples:\n  pyx --sname gus " in done.stdout
    for option in ("--sname", "--hidden", "--cookie", "--cookie-file", "-S", "-e", "-i", "--no-halt"):
        assert option in done.stdout


def test_command_pyxnode_is_pyx(host: Host) -> None:
    """It is for environments in which `pyx` is another program."""
    done = subprocess.run(
        [f"{PYX}node", "--version"], capture_output=True, text=True, env=host.environment(), check=False
    )
    assert (done.returncode, done.stdout) == (0, host.run("--version").stdout)
