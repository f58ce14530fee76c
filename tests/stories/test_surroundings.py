"""Hostile surroundings of a `pyx` process: streams, disks, folders, locales, limits."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.blocked import until_blocked
from tests.stories.host import PATIENCE_SECONDS, PYX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stories.host import Host

LOST = "pyx: the output cannot be written: No space left on device\n"

UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
"""Takes two capabilities from root, with which it could enter every folder."""

needs_setpriv = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root without setpriv enters every folder"
)


def unprivileged(command: list[str]) -> list[str]:
    return [*UNPRIVILEGED, *command] if os.geteuid() == 0 else command


@contextlib.contextmanager
def started(command: list[str], host: Host, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Starts a service; yields once it has printed "up"."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=host.environment(), cwd=cwd
    ) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "up\n"
        try:
            yield service
        finally:
            service.kill()


class TestClosedDescriptors:
    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    @pytest.mark.parametrize(
        "words",
        [
            ("-e", "print('ran')"),
            ("app.py",),
            (),
            ("-i",),
            ("-i", "app.py"),
            ("--help",),
            ("--version",),
            ("names",),
            ("replay", "play.pyxt"),
        ],
    )
    def test_command_runs_with_closed_descriptors(
        self, words: tuple[str, ...], closed: str, host: Host, tmp_path: Path
    ) -> None:
        (tmp_path / "app.py").write_text("print('ran')\n")
        (tmp_path / "play.pyxt").write_text("$ pyx --sname a\n\npyx(a@vm)1> 1\n1\n")
        done = host.run_in_sh(f'exec "$0" "$@" {closed}', *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        if "print('ran')" in words and ">&-" not in closed.replace("2>&-", "").split():
            assert done.stdout == "ran\n"

    def test_service_runs_with_closed_descriptors(self, host: Host, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text("print('up', flush=True)\n")
        line = 'exec "$0" --sname shut@vm --no-halt app.py <&- 2>&-'
        with started(["sh", "-c", line, PYX], host, tmp_path) as service:
            asked = host.run("--sname", "asks@vm", "-e", "print(rpc.call('shut@vm', 'math', 'sqrt', [16]))")
            assert asked.stdout == "4.0\n"
            until_blocked(service.pid)
            service.terminate()
            assert service.wait(PATIENCE_SECONDS) == 143


class TestFullDisk:
    @pytest.mark.parametrize(
        "words",
        [
            ("-e", "print(1)"),
            ("-e", "print('x' * 100_000)"),
            ("-e", "print('no newline', end='')"),
            ("-e", "spawn(print, 'by a process'); receive(timeout=60)"),
            ("-e", "import sys; sys.__stdout__.write('at the end')"),
            ("-i",),
            ("--help",),
            ("app.py",),
        ],
    )
    def test_output_to_a_full_disk_is_reported_in_one_line_with_exit_code_1(
        self, words: tuple[str, ...], host: Host, tmp_path: Path
    ) -> None:
        (tmp_path / "app.py").write_text("print('ran')\n")
        done = host.run_in_sh('exec "$0" "$@" >/dev/full', *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, LOST)

    @pytest.mark.parametrize("word", ["--help", "--version"])
    def test_output_to_a_full_disk_is_reported_without_buffers(self, word: str, host: Host) -> None:
        done = host.run_in_sh('PYTHONUNBUFFERED=1 exec "$0" "$@" >/dev/full', word)
        assert (done.returncode, done.stderr) == (1, LOST)

    def test_exit_code_of_a_failed_program_is_kept_on_a_full_disk(self, host: Host) -> None:
        done = host.run_in_sh('exec "$0" "$@" >/dev/full', "-e", "print(1, end=''); exit(5)")
        assert done.returncode == 5

    @pytest.mark.parametrize(("words", "code"), [(("-e", "1 / 0"), 1), (("--bogus",), 2), (("-e", "1"), 0)])
    def test_exit_code_is_kept_where_stderr_is_on_a_full_disk(
        self, words: tuple[str, ...], code: int, host: Host
    ) -> None:
        assert host.run_in_sh('exec "$0" "$@" 2>/dev/full', *words).returncode == code


def test_closed_pipe_ends_a_program_with_exit_code_1_and_no_message(host: Host) -> None:
    done = host.run_in_sh(
        '{ "$0" "$@"; echo $? >&2; } | head -1', "-e", "while True:\n    print('y')", PYTHONUNBUFFERED=""
    )
    assert (done.stdout, done.stderr) == ("y\n", "1\n")


class TestFolders:
    def test_deleted_current_directory(self, host: Host, tmp_path: Path) -> None:
        (tmp_path / "deleted").mkdir()
        line = 'rmdir ../deleted && exec "$0" "$@"'
        done = host.run_in_sh(line, "-e", "import json; print(json.dumps(1))", cwd=tmp_path / "deleted")
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")

    @needs_setpriv
    def test_unreadable_folder_beside_a_module(self, host: Host, tmp_path: Path) -> None:
        (tmp_path / "shop.py").write_text("stock = 3\n")
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "locked").mkdir()
        (tmp_path / "locked").chmod(0)
        done = host.run_command(unprivileged([PYX, "-e", "print(shop.stock)"]), cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")

    @needs_setpriv
    def test_unreadable_project_is_refused(self, host: Host, tmp_path: Path) -> None:
        (tmp_path / "locked").mkdir()
        (tmp_path / "locked").chmod(0)
        done = host.run_command(unprivileged([PYX, "-S", "locked", "-e", "1"]), cwd=tmp_path)
        assert (done.returncode, done.stderr) == (2, "pyx: -S: Permission denied: locked\n")


class TestPipeAsProgram:
    def test_program_named_dev_stdin_runs(self, host: Host) -> None:
        done = host.run_in_sh('echo "print(\'ran\')" | exec "$0" /dev/stdin')
        assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")

    @pytest.mark.skipif(shutil.which("bash") is None, reason="sh has no <(...)")
    def test_program_from_process_substitution_runs(self, host: Host) -> None:
        done = host.run_command(["bash", "-c", 'exec "$0" <(echo "print(\'ran\')")', PYX])
        assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")


def test_directory_runs_its_main_module(host: Host, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "helper.py").write_text("x = 7\n")
    (tmp_path / "app" / "__main__.py").write_text("import helper\nprint(__name__, helper.x)\n")
    done = host.run("app", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "__main__ 7\n", "")
    (tmp_path / "app" / "__main__.py").unlink()
    done = host.run("app", cwd=tmp_path)
    refusal = (
        "pyx: app is a directory without a __main__.py\nhint: pyx -S app is a prompt with the modules there\n"
    )
    assert (done.returncode, done.stderr) == (2, refusal)


class TestNarrowTerminal:
    @pytest.mark.parametrize("columns", [24, 30])
    def test_prompt_and_typed_text_are_shown(self, columns: int, lone_host: Host) -> None:
        shell = lone_host.starts_at(columns, "--sname", "billing-worker-eu-central-1@vm")
        assert shell.type("6 * 7") == "42"
        assert not shell.type("def f():\n return 7\n")
        assert shell.type("f()") == "7"

    def test_errors_break_at_blanks(self, lone_host: Host) -> None:
        shell = lone_host.starts_at(30, "--sname", "gus@vm")
        assert shell.type("abcdefghijk") == "NameError: name 'abcdefghijk'\nis not defined"


class TestAsciiLocale:
    def test_utf_8_is_read_from_a_terminal(self, lone_host: Host) -> None:
        shell = lone_host.shell(LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
        shell.press("len('é')\r")
        shell.sees("1")
        shell.prompt_returns()
        shell.press("'é'\r")
        shell.sees(r"'\xe9'")

    def test_utf_8_is_read_from_a_pipe(self, host: Host) -> None:
        done = host.run("-i", stdin="len('é日')\n'é'\n", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
        assert done.stdout.splitlines()[1::2] == ["2", r"'\xe9'"]
        assert done.stderr == ""

    def test_file_with_a_byte_order_mark_runs(self, host: Host, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text("print('é')\n", encoding="utf-8-sig")
        done = host.run("app.py", cwd=tmp_path, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
        assert (done.returncode, done.stdout, done.stderr) == (0, "\\xe9\n", "")


class TestFewDescriptors:
    def test_24_descriptors_are_enough(self, host: Host) -> None:
        done = host.run_in_sh('ulimit -n 24 && exec "$0" "$@"', "--sname", "few@vm", "-e", "print(1)")
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")

    @pytest.mark.parametrize("limit", [8, 10, 12])
    def test_too_few_descriptors_are_reported_in_one_line(self, limit: int, host: Host) -> None:
        line = f'ulimit -n {limit} && exec "$0" "$@"'
        done = host.run_in_sh(line, "--sname", "few@vm", "-e", "print(1)")
        assert done.returncode == 1
        message, hint = done.stderr.splitlines()
        assert message.startswith("pyx: Too many open files")
        assert hint == "hint: `ulimit -n` shows the limit"


SWALLOWING = """\
import time
from pyx import receive, aio
says = "up"
while True:
    try:
        print(says, flush=True)
        {wait}
    except:
        says = "caught"
"""


class TestSwallowedSignal:
    @pytest.mark.parametrize("wait", ["receive()", "time.sleep(60)", "for _ in range(10**9): pass"])
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_second_signal_ends_a_service_that_swallows_the_first(
        self, number: int, wait: str, host: Host, tmp_path: Path
    ) -> None:
        (tmp_path / "app.py").write_text(SWALLOWING.format(wait=wait))
        watcher = host.shell(f"watch{number}{len(wait)}")
        command = [PYX, "--sname", f"deaf{number}{len(wait)}@vm", "--no-halt", "app.py"]
        with started(command, host, tmp_path) as service:
            assert watcher.type(f"Node.monitor('deaf{number}{len(wait)}@vm', True)") == "True"
            if not wait.startswith("for"):
                until_blocked(service.pid)
            service.send_signal(number)
            assert service.stdout is not None
            assert service.stdout.readline() == "caught\n"
            with pytest.raises(subprocess.TimeoutExpired):  # an early second one would count as the first
                service.wait(0.5)
            if not wait.startswith("for"):
                until_blocked(service.pid)
            service.send_signal(number)
            assert service.wait(PATIENCE_SECONDS) == 128 + number
        assert watcher.type("receive(timeout=60)") == f"('nodedown', 'deaf{number}{len(wait)}@vm')"
