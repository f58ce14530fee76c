"""Starting: a node that cannot start says why in one line, and a signal ends a start that waits."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.blocked import until_blocked
from tests.stories.host import PATIENCE_SECONDS, PYX

if TYPE_CHECKING:
    from tests.stories.host import Host

SIGNALS = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]


class WaitingStart:
    """A `pyx` that waits before it can start."""

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
        """Sends a signal once it waits; returns the exit code and the whole output."""
        until_blocked(self._process.pid)
        self._process.send_signal(number)
        assert self._process.stdout is not None
        output = self._process.stdout.read()  # its stdin stays open
        self._process.wait(PATIENCE_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.stdout.close()
        return self._process.returncode, output


class TestStartThatWaits:
    @pytest.mark.parametrize(("number", "code"), SIGNALS)
    def test_signal_ends_a_start_that_waits_for_a_cookie_from_a_pipe(
        self, lone_host: Host, number: signal.Signals, code: int
    ) -> None:
        pipe = lone_host.home / "cookie"
        os.mkfifo(pipe, 0o600)
        node = WaitingStart(lone_host, "--sname", "gus@vm", "--no-halt", "--cookie-file", "cookie")
        with pipe.open("w"):  # the node has opened the other end
            assert node.ends_by(number) == (code, "")

    @pytest.mark.parametrize(("number", "code"), SIGNALS)
    def test_signal_ends_a_start_that_waits_for_a_program_from_a_named_pipe(
        self, lone_host: Host, number: signal.Signals, code: int
    ) -> None:
        pipe = lone_host.home / "program"
        os.mkfifo(pipe)
        node = WaitingStart(lone_host, "--sname", "gus@vm", "program")
        with pipe.open("w"):
            exit_code, output = node.ends_by(number)
        assert (exit_code, "Traceback" in output) == (code, False)

    @pytest.mark.parametrize(("number", "code"), SIGNALS)
    def test_signal_ends_a_start_that_waits_for_a_program_from_stdin(
        self, lone_host: Host, number: signal.Signals, code: int
    ) -> None:
        node = WaitingStart(lone_host, "--sname", "gus@vm", stdin=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "gus@vm" not in lone_host.run("names").stdout:
            assert time.monotonic() < deadline
        exit_code, output = node.ends_by(number)
        assert (exit_code, "Traceback" in output) == (code, False)

    @pytest.mark.parametrize(("number", "code"), SIGNALS)
    def test_signal_ends_a_start_that_waits_for_epmd(
        self, lone_host: Host, number: signal.Signals, code: int
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(PATIENCE_SECONDS)
            port = str(silent.getsockname()[1])
            node = WaitingStart(lone_host, "--name", "gus@127.0.0.1", "--no-halt", ERL_EPMD_PORT=port)
            asked, _ = silent.accept()
            with asked:
                asked.recv(1)
                assert node.ends_by(number) == (code, "")


class TestCookie:
    def test_cookie_is_read_from_a_pipe(self, lone_host: Host) -> None:
        """Like `--cookie-file <(pass show pyx)`."""
        os.mkfifo(lone_host.home / "cookie", 0o600)
        words = ("--sname", "gus@vm", "--cookie-file", "cookie", "-e", "print(Node.get_cookie().text)")
        with subprocess.Popen(
            [PYX, *words], stdout=subprocess.PIPE, text=True, env=lone_host.environment(), cwd=lone_host.home
        ) as node:
            (lone_host.home / "cookie").write_text("a cookie that came by a pipe\n")
            output, _ = node.communicate(timeout=PATIENCE_SECONDS)
        assert (node.returncode, output) == (0, "a cookie that came by a pipe\n")

    @pytest.mark.parametrize("option", ["--cookie", "--cookie-file"])
    def test_empty_cookie_option_is_refused_with_a_hint(self, lone_host: Host, option: str) -> None:
        done = lone_host.run("--sname", "gus@vm", option, "", "-e", "print('ran')")
        assert (done.returncode, done.stdout) == (2, "")
        assert " is empty\nhint: is a variable not set? " in done.stderr
        assert list(lone_host.home.iterdir()) == []

    def test_cookie_file_open_to_others_is_refused(self, lone_host: Host) -> None:
        (lone_host.home / "cookie").write_text("a cookie that all can read\n")
        (lone_host.home / "cookie").chmod(0o644)
        done = lone_host.run("--sname", "gus@vm", "--cookie-file", "cookie", "-e", "print('ran')")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "pyx: the cookie file cookie is open to others (mode 0644)\n"
            "hint: chmod g-w,o= cookie (a mounted secret: give it the mode 0440)\n"
        )
