"""Blocked output: nothing reads the standard output for a while, or ever (`| less`, Ctrl-S)."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import signal
import subprocess
import sys
import termios
from array import array
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from tests.blocked import until_blocked
from tests.local_nodes import until
from tests.stories.host import PATIENCE_SECONDS, PYX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.host import Host

PRINTERS = {
    "the shell's process": "print('up'); exec(\"while True: print('x' * 1000)\")",
    "a def": "print('up'); spawn(print_for_ever); receive()",
    "a def, while the shell's process waits too": "print('up'); spawn(print_for_ever); print_for_ever()",
    "an async def": "print('up'); spawn(print_for_ever_async); receive()",
    "a thread": "print('up'); Thread(target=print_for_ever, daemon=True).start(); receive()",
}

CODE = """
from threading import Thread
def print_for_ever():
    while True: print('y' * 1000)
async def print_for_ever_async():
    while True:
        print('z' * 1000)
        await aio.sleep(0)
"""


@contextlib.contextmanager
def running(host: Host, *codes: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [word for code in codes for word in ("-e", code)]
    with subprocess.Popen(
        [PYX, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=host.environment(),
        cwd=host.home,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("printer", [printer for printer in PRINTERS if printer != "a thread"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_ends_a_program_whose_output_is_blocked(
    printer: str, number: int, code: int, host: Host
) -> None:
    with running(host, CODE, PRINTERS[printer]) as child:
        assert child.stdout is not None
        assert child.stdout.read(3) == b"up\n"
        if PRINTERS[printer].endswith("; receive()"):
            until_blocked(child.pid)  # the others wait for their output, and look at times
        child.send_signal(number)
        assert child.wait(PATIENCE_SECONDS) == code


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("printer", PRINTERS)
def test_memory_of_a_program_whose_output_is_blocked_is_bounded(printer: str, host: Host) -> None:
    with running(host, CODE, PRINTERS[printer]) as child:
        assert child.stdout is not None
        assert child.stdout.read(3) == b"up\n"
        until(lambda: _has_settled(child.pid))
        assert _kibibytes(child.pid) < 120 * 1024


def test_all_lines_arrive_in_order_once_the_output_is_read_again(host: Host) -> None:
    code = "def print_numbers():\n    for number in range(5000): print(number, 'y' * 1000)\n"
    with running(host, code, "spawn_monitor(print_numbers); receive()", "print('over')") as child:
        until(lambda: _has_settled(child.pid))
        output, errors = child.communicate(timeout=3 * PATIENCE_SECONDS)
    lines = output.decode().splitlines()
    assert [line.split()[0] for line in lines] == [*map(str, range(5000)), "over"]
    assert (child.returncode, errors) == (0, b"")


def test_killed_process_ends_while_the_output_is_blocked(host: Host) -> None:
    code = (
        "import sys, time\n"
        "pid, ref = spawn_monitor(print_for_ever)\n"
        "while Process.info(pid, 'status')[1] != 'waiting': time.sleep(0.01)\n"
        "Process.exit(pid, 'kill')\n"
        "print(receive(('DOWN', ref, ..., ..., ...), timeout=60)[-1], file=sys.stderr, flush=True)\n"
        "receive()\n"
    )
    with running(host, CODE, code) as child:
        assert child.stderr is not None
        assert child.stderr.readline() == b"killed\n"


LOGS = """
import logging, threading
from pyx import Node
logging.basicConfig(level=logging.INFO)
Node.start("svc")
print("up", flush=True)
def log_for_ever():
    while True: logging.info("x" * 200)
threading.Thread(target=log_for_ever, daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux returns the size of a pipe")
def test_node_answers_while_its_log_is_blocked(host: Host) -> None:
    """The program's threads are blocked in `logging`, the lines of the transport are queued."""
    with subprocess.Popen(
        [sys.executable, "-c", LOGS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=host.environment(),
        cwd=host.home,
    ) as service:
        try:
            assert service.stdout is not None
            assert service.stdout.readline() == b"up\n"
            assert service.stderr is not None
            until(functools.partial(_is_full, service.stderr))
            asker = host.shell("asker")
            assert asker.type('Node.ping("svc")') == "'pong'"
            assert asker.type('rpc.call("svc", "math", "sqrt", [16])') == "4.0"
        finally:
            service.kill()


def _is_full(pipe: IO[bytes]) -> bool:
    """True once the pipe cannot accept another line."""
    waiting = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0] > fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) - 4096


def _kibibytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def _has_settled(pid: int) -> bool:
    """True once the memory of a process has stopped growing between two measurements."""
    before = _kibibytes(pid)
    for _ in range(50):
        _ = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return before > 10_000 and _kibibytes(pid) - before < 64
