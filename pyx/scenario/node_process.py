"""One OS process per node, driven over framed pipes; and the one place where the runner waits for them.

The frames are described in `shell/driver.py`.  Not here: what is to be typed, and what should be seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.scenario.bindings import NodeView
from pyx.scenario.output_units import EVAL, OutputUnit, ScreenOutput
from pyx.terms import Incarnation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pyx.scenario.sandbox import Sandbox

_READ_BYTES: Final = 1 << 16
_LOOK_SECONDS: Final = 0.05
"""At least so often an exit is looked for: a child that a node forked may hold its pipe open."""


_ENDING_SECONDS: Final = 5.0
_MOMENT_SECONDS: Final = 0.001


class NodeProcess:
    """One life of a node.

    Args:
        name: as the prompts have it, "" for a shell without one.
        options: of `pyx`, less the name.
        sandbox: where it plays.
        start_time: when the session began, on the monotonic clock.
        on_output: called with everything that its screen shows, as it comes.
    """

    def __init__(
        self,
        name: str,
        options: Sequence[str],
        sandbox: Sandbox,
        *,
        start_time: float,
        on_output: Callable[[NodeProcess, OutputUnit], None],
    ) -> None:
        self.name = name
        self.log: Path = sandbox.log_path(name)
        self._output = ScreenOutput(lambda unit: on_output(self, unit))
        self.is_ready = False
        self.has_ended = False
        """It has ended, or its pipe has."""
        self.left_cleanly = False
        """It has ended of its own accord, as by `exit()` or SIGTERM, and said so."""
        self.is_frozen = False
        self.end_reason = ""
        self.blocking_request: int | None = None
        """The number of an input that blocks (`# blocks`), until its result is claimed."""
        self.finished: set[int] = set()
        self.answers: dict[int, str] = {}
        self.prompt = ""
        self.message_count = 0
        """How many frames came, so that a waiter sees that there is something new."""
        self._start_time = start_time
        self._incarnations: dict[int, Incarnation] = {}
        self._incarnation = Incarnation("", id(self))
        self._requests = 0
        self._rest = b""
        self._process, self._requests_to, self.descriptor = self._start(options, sandbox)

    def _start(self, options: Sequence[str], sandbox: Sandbox) -> tuple[subprocess.Popen[bytes], int, int]:
        options = sandbox.with_projects(options)
        child_reads, requests = os.pipe()
        frames, child_writes = os.pipe()
        naming = ["--sname", self.name] if self.name else []
        driving = ["--driver", f"{child_reads},{child_writes}"]
        with self.log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, options from a fixed list
                [sys.executable, "-P", "-m", "pyx", *naming, *options, *driving],
                cwd=sandbox.work,
                env=sandbox.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(child_reads, child_writes),
                # A group of its own, but our session: Ctrl-C at the runner does not reach it, and should the
                # runner be killed, the system wakes even a stopped one (SIGHUP and SIGCONT for orphans).
                process_group=0,
            )
        os.close(child_reads)
        os.close(child_writes)
        return process, requests, frames

    @property
    def view(self) -> NodeView:
        """Its screen, as the bindings needs it."""
        return NodeView(self._incarnation, self._incarnations)

    @property
    def units(self) -> list[OutputUnit]:
        """What its screen shows and no block has claimed; the caller may take some out."""
        return self._output.units

    def is_open(self, unit: OutputUnit) -> bool:
        """True while the last line of *unit* may go on."""
        return self._output.is_open(unit)

    @property
    def os_pid(self) -> int:
        """The number of the OS process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """As of `subprocess`; None while it runs.

        It is not waited for until `close`, so that its number stays that of its process group.
        """
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.poll()
        found = os.waitid(os.P_PID, self.os_pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    # ------------------------------------------------------------ to the node

    def request(self, do: str, **facts: object) -> int:
        """Sends a request and gives its number."""
        self._requests += 1
        frame = json.dumps({"do": do, "id": self._requests, **facts}).encode() + b"\n"
        with contextlib.suppress(OSError):  # it is gone: its end will be seen
            left = memoryview(frame)
            while left:
                left = left[os.write(self._requests_to, left) :]
        return self._requests

    def signal(self, name: str) -> None:
        """Sends a real signal, such as `"KILL"`; SIGSTOP has taken effect when this returns."""
        if self.exit_code is None:
            os.kill(self.os_pid, signal.Signals[f"SIG{name}"])
        if name == "STOP" and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.os_pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.is_frozen = name == "STOP" or (self.is_frozen and name not in {"CONT", "KILL"})

    def close(self) -> None:
        """Ends it, whatever it does, with what it has started, and gives its pipes back."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
                os.killpg(self.os_pid, signal.SIGKILL)
            self._process.wait()
        for descriptor in (self._requests_to, self.descriptor):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    # ------------------------------------------------------------ from the node

    def read(self) -> None:
        """Takes in what the pipe holds; it has something, or has ended."""
        data = os.read(self.descriptor, _READ_BYTES)
        if not data:
            deadline = time.monotonic() + _ENDING_SECONDS
            while self.exit_code is None and time.monotonic() < deadline:
                time.sleep(_MOMENT_SECONDS)  # the pipe closes a moment before the exit code is there
            self.has_ended = True
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._handle(json.loads(line))

    def _handle(self, message: dict[str, Any]) -> None:
        self.message_count += 1
        match message["is"]:
            case "ready":
                if message["name"]:
                    self._incarnation = Incarnation(message["name"], message["creation"])
            case "prompt":
                self.is_ready = True
                self._output.end_lines()
                self.prompt = message["text"]
                if message["id"] is not None:
                    self.finished.add(message["id"])
            case "left":
                self.left_cleanly = True
            case "done":
                self.answers[message["id"]] = message["text"]
            case "out":
                self._incarnations.update(
                    {number: Incarnation(name, made) for number, name, made in message["incarnations"]}
                )
                at = time.monotonic() - self._start_time
                self._output.add(message["source"], message["kind"], message["text"], at)

    def stderr_units(self) -> list[OutputUnit]:
        """What it wrote to stderr itself, as units: the only thing that a node shows which does not start."""
        text = self.log.read_text(encoding="utf-8", errors="backslashreplace")
        at = time.monotonic() - self._start_time
        return [OutputUnit("log", "print", (line,), at) for line in text.splitlines()]

    def remove_units(self, source: str, since: int) -> list[OutputUnit]:
        """Takes units of a source back out of those that came after the first *since* ones; gives them."""
        gone = [unit for unit in self.units[since:] if unit.source == source]
        self.units[since:] = [unit for unit in self.units[since:] if unit.source != source]
        return gone

    def units_while_busy(self) -> list[OutputUnit]:
        """The units, with those of an input that still runs taken for those of any process."""
        return [unit._replace(source="busy") if unit.source == EVAL else unit for unit in self.units]


class NodeProcesses:
    """All OS processes of a session, and the one way to wait."""

    def __init__(self) -> None:
        self.all: list[NodeProcess] = []
        self._killed = False
        self._selector = selectors.DefaultSelector()

    def add(self, node: NodeProcess) -> None:
        """Reads that node's frames from now on."""
        self.all.append(node)
        self._selector.register(node.descriptor, selectors.EVENT_READ, node)
        if self._killed:
            node.signal("KILL")

    def kill(self) -> None:
        """Ends all of them, and whoever starts from now on; from any thread."""
        self._killed = True
        for node in list(self.all):
            node.signal("KILL")

    @property
    def message_count(self) -> int:
        """How many frames came in all."""
        return sum(node.message_count for node in self.all)

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Takes frames in until *until* holds, for at most so many seconds; True if it does."""
        deadline = time.monotonic() + timeout
        while not until():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._poll(min(left, _LOOK_SECONDS))
        return True

    def poll(self) -> None:
        """Takes in what there is, without waiting; whatever has ended is known to be gone then."""
        self._poll(0)

    def _poll(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            key.data.read()
        for node in self.all:
            if not node.has_ended and node.exit_code is not None:
                self._drain(node)
            if node.has_ended and node.descriptor in self._selector.get_map():
                self._selector.unregister(node.descriptor)

    @staticmethod
    def _drain(node: NodeProcess) -> None:
        """Its last words: whatever is in the pipe of one that has ended."""
        os.set_blocking(node.descriptor, False)
        with contextlib.suppress(BlockingIOError):
            while not node.has_ended:
                node.read()
        node.has_ended = True

    def close(self) -> None:
        """Ends all of them."""
        for node in self.all:
            node.close()
        self._selector.close()
