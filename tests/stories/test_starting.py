"""A node that cannot start says why in one line; one that waits for something ends by a signal at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.stories.host import PATIENCE_SECONDS, PYX

if TYPE_CHECKING:
    from tests.stories.host import Host

ENDS = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]


class Waiting:
    """`pyx` with some words, which cannot start yet."""

    def __init__(self, host: Host, *words: str, stdin: int = subprocess.DEVNULL, **variables: str) -> None:
        self._process = subprocess.Popen(
            [PYX, *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=host.environment(**variables),
            cwd=host.home,
        )

    def ends_by(self, number: signal.Signals) -> tuple[int, str]:
        """The exit code, and all that was said."""
        self._process.send_signal(number)
        assert self._process.stdout is not None
        said = self._process.stdout.read()  # its stdin stays open
        self._process.wait(PATIENCE_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.stdout.close()
        return self._process.returncode, said


class TestAStartThatWaits:
    @pytest.mark.parametrize(("number", "code"), ENDS)
    def test_for_the_writer_of_its_cookie_ends_by_a_signal(
        self, lone_host: Host, number: signal.Signals, code: int
    ) -> None:
        pipe = lone_host.home / "cookie"
        os.mkfifo(pipe, 0o600)
        node = Waiting(lone_host, "--sname", "gus@vm", "--no-halt", "--cookie-file", "cookie")
        with pipe.open("w"):  # it has opened the other end
            assert node.ends_by(number) == (code, "")

    @pytest.mark.parametrize(("number", "code"), ENDS)
    def test_for_its_program_ends_by_a_signal(
        self, lone_host: Host, number: signal.Signals, code: int
    ) -> None:
        pipe = lone_host.home / "program"
        os.mkfifo(pipe)
        node = Waiting(lone_host, "--sname", "gus@vm", "program")
        with pipe.open("w"):
            exit_code, said = node.ends_by(number)
        assert (exit_code, "Traceback" in said) == (code, False)

    @pytest.mark.parametrize(("number", "code"), ENDS)
    def test_for_its_piped_program_ends_by_a_signal(
        self, lone_host: Host, number: signal.Signals, code: int
    ) -> None:
        node = Waiting(lone_host, "--sname", "gus@vm", stdin=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "gus@vm" not in lone_host.run("names").stdout:
            assert time.monotonic() < deadline
        exit_code, said = node.ends_by(number)
        assert (exit_code, "Traceback" in said) == (code, False)

    @pytest.mark.parametrize(("number", "code"), ENDS)
    def test_for_epmd_ends_by_a_signal(self, lone_host: Host, number: signal.Signals, code: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(PATIENCE_SECONDS)
            port = str(silent.getsockname()[1])
            node = Waiting(lone_host, "--name", "gus@127.0.0.1", "--no-halt", ERL_EPMD_PORT=port)
            asked, _ = silent.accept()
            with asked:
                asked.recv(1)
                assert node.ends_by(number) == (code, "")


class TestACookie:
    def test_from_a_pipe_is_taken(self, lone_host: Host) -> None:
        """As `--cookie-file <(pass show pyx)`."""
        os.mkfifo(lone_host.home / "cookie", 0o600)
        words = ("--sname", "gus@vm", "--cookie-file", "cookie", "-e", "print(Node.get_cookie().text)")
        with subprocess.Popen(
            [PYX, *words], stdout=subprocess.PIPE, text=True, env=lone_host.environment(), cwd=lone_host.home
        ) as node:
            (lone_host.home / "cookie").write_text("a cookie that came by a pipe\n")
            said, _ = node.communicate(timeout=PATIENCE_SECONDS)
        assert (node.returncode, said) == (0, "a cookie that came by a pipe\n")

    @pytest.mark.parametrize("option", ["--cookie", "--cookie-file"])
    def test_of_a_variable_that_is_not_set_is_refused(self, lone_host: Host, option: str) -> None:
        done = lone_host.run("--sname", "gus@vm", option, "", "-e", "print('ran')")
        assert (done.returncode, done.stdout) == (2, "")
        assert " is empty\nhint: is a variable not set? " in done.stderr
        assert list(lone_host.home.iterdir()) == []

    def test_in_a_file_open_to_others_is_refused(self, lone_host: Host) -> None:
        (lone_host.home / "cookie").write_text("a cookie that all can read\n")
        (lone_host.home / "cookie").chmod(0o644)
        done = lone_host.run("--sname", "gus@vm", "--cookie-file", "cookie", "-e", "print('ran')")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "pyx: the cookie file cookie is open to others (mode 0644)\n"
            "hint: chmod g-w,o= cookie (a mounted secret: give it the mode 0440)\n"
        )
