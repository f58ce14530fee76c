"""One OS process for each node, driven over two pipes, and the only wait for all of them.

The driver messages are described in `shell/driver.py`; what iex prints becomes such messages.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.scenario.bindings import NodeView
from pyx.scenario.driver_conversation import DriverConversation
from pyx.scenario.erlang_tools import iex_environment
from pyx.scenario.iex_conversation import TELL_CREATION, IexConversation
from pyx.scenario.output_units import EVAL, OutputUnit, ScreenOutput
from pyx.terms import Incarnation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pyx.scenario.sandbox import Sandbox

_READ_BYTES: Final = 1 << 16
_POLL_SECONDS: Final = 0.05
"""The interval of looking for exits: a child that a node forked may hold its pipe open."""

_EXIT_SECONDS: Final = 5.0
_MOMENT_SECONDS: Final = 0.001


class NodeProcess:
    """One incarnation of a node.

    Args:
        name: its full name, "" for a shell without one.
        shell: `"pyx"`, or `"iex"` for an Elixir node.
        options: of that command, without the name.
        sandbox: the directory of the session.
        start_time: of the session, on the monotonic clock.
        on_output: called with each unit of its output, as it comes.
    """

    def __init__(
        self,
        name: str,
        shell: str,
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
        """True once the process or its pipe has ended."""
        self.left_cleanly = False
        """True once it announced its end, as after `exit()` or SIGTERM."""
        self.is_frozen = False
        """True between SIGSTOP and SIGCONT."""
        self.end_reason = ""
        """Why it ended, for reports; "" while no step has ended it."""
        self.blocking_request: int | None = None
        """The number of the request with `# blocks`, until an empty prompt has waited for its result."""
        self.finished: set[int] = set()
        """Numbers of the inputs whose prompt came."""
        self.answers: dict[int, str] = {}
        """Answers to other requests, by number."""
        self.prompt = ""
        self.attached_to: NodeProcess | None = None
        """The node whose remote shell its prompt is: what is shown there was made by that node."""
        self.message_count = 0
        """The number of driver messages that came, so that a waiter sees that there is a new one."""
        self._start_time = start_time
        self._incarnations: dict[int, Incarnation] = {}
        self._incarnation = Incarnation("", id(self))
        self._requests = 0
        self._conversation = IexConversation(name) if shell == "iex" else DriverConversation()
        start = self._start_iex if shell == "iex" else self._start
        self._process, self._requests_to, self.descriptor = start(options, sandbox)

    def _start(self, options: Sequence[str], sandbox: Sandbox) -> tuple[subprocess.Popen[bytes], int, int]:
        options = sandbox.with_projects(options)
        child_reads, requests = os.pipe()
        messages, child_writes = os.pipe()
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
                # A process group of its own in the same session: Ctrl-C at the replay does not reach it, and
                # if the replay is killed, the system resumes even a frozen one (SIGHUP and SIGCONT for
                # orphaned groups), which then sees the end of its pipe.
                process_group=0,
            )
        os.close(child_reads)
        os.close(child_writes)
        return process, requests, messages

    def _start_iex(
        self, options: Sequence[str], sandbox: Sandbox
    ) -> tuple[subprocess.Popen[bytes], int, int]:
        child_reads, requests = os.pipe()
        messages, child_writes = os.pipe()
        process = subprocess.Popen(  # noqa: S603 - options from a fixed list
            ["iex", "--sname", self.name, *options, "-e", TELL_CREATION],  # noqa: S607 - that of the user
            cwd=sandbox.work,
            env=iex_environment(sandbox.environment()),
            stdin=child_reads,
            stdout=child_writes,
            stderr=child_writes,
            process_group=0,  # as above; the end of its stdin ends iex too
        )
        os.close(child_reads)
        os.close(child_writes)
        return process, requests, messages

    @property
    def has_driver(self) -> bool:
        """True for a node of pyx; an Elixir node evaluates inputs, and answers no other request."""
        return self._conversation.has_driver

    @property
    def view(self) -> NodeView:
        """The incarnation that shows values, and its numbers for the incarnations of other nodes."""
        if self.attached_to is not None:
            return self.attached_to.view
        return NodeView(self._incarnation, self._incarnations)

    @property
    def units(self) -> list[OutputUnit]:
        """The units on its screen that no block has claimed; the caller may remove some."""
        return self._output.units

    def is_open(self, unit: OutputUnit) -> bool:
        """Returns True while the last line of *unit* has no end."""
        return self._output.is_open(unit)

    @property
    def os_pid(self) -> int:
        """The pid of the OS process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """As in `subprocess`: negative for a signal; None while it runs.

        The process is not reaped until `close`, so that its pid stays that of its process group.
        """
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.poll()
        found = os.waitid(os.P_PID, self.os_pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    @property
    def exit_text(self) -> str:
        """The exit code or the signal, for reports."""
        code = self.exit_code
        return f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"

    # ------------------------------------------------------------ to the node

    def request(self, do: str, **facts: object) -> int:
        """Sends a driver request and returns its number."""
        self._requests += 1
        with contextlib.suppress(OSError):  # it has ended, which `read` notices
            left = memoryview(self._conversation.request(self._requests, do, facts))
            while left:
                left = left[os.write(self._requests_to, left) :]
        return self._requests

    def signal(self, name: str) -> None:
        """Sends a signal, such as `"KILL"`; SIGSTOP has taken effect when this returns."""
        if self.exit_code is None:
            number = signal.Signals[f"SIG{name}"]
            if self.has_driver:
                os.kill(self.os_pid, number)
            else:
                os.killpg(self.os_pid, number)  # iex is a shell script
        if name == "STOP" and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.os_pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.is_frozen = name == "STOP" or (self.is_frozen and name not in {"CONT", "KILL"})

    def close(self) -> None:
        """Kills the process with its process group, reaps it, and closes its pipes."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
                os.killpg(self.os_pid, signal.SIGKILL)
            self._process.wait()
        for descriptor in (self._requests_to, self.descriptor):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    # ------------------------------------------------------------ from the node

    def read(self) -> None:
        """Reads from the pipe, which is readable or at its end."""
        data = os.read(self.descriptor, _READ_BYTES)
        if not data:
            deadline = time.monotonic() + _EXIT_SECONDS
            while self.exit_code is None and time.monotonic() < deadline:
                time.sleep(_MOMENT_SECONDS)  # the pipe closes a moment before the exit
            self._handle_all(self._conversation.ended())
            self.left_cleanly |= not self.has_driver and self.exit_code == 0
            self.has_ended = True
            return
        self._handle_all(self._conversation.received(data, time.monotonic()))

    def look_at_the_time(self) -> None:
        """Notices what is over because nothing came for a while."""
        self._handle_all(self._conversation.waited(time.monotonic()))

    def _handle_all(self, messages: Sequence[dict[str, Any]]) -> None:
        for message in messages:
            self._handle(message)

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
        """Returns the lines of its log as units: the output of a node of pyx that did not start."""
        if not self.has_driver:
            return []  # all that iex prints is on its screen already
        text = self.log.read_text(encoding="utf-8", errors="backslashreplace")
        at = time.monotonic() - self._start_time
        return [OutputUnit("log", "print", (line,), at) for line in text.splitlines()]

    def remove_units(self, source: str, since: int) -> list[OutputUnit]:
        """Removes and returns the units of *source* behind the first *since* units."""
        gone = [unit for unit in self.units[since:] if unit.source == source]
        self.units[since:] = [unit for unit in self.units[since:] if unit.source != source]
        return gone

    def units_while_busy(self) -> list[OutputUnit]:
        """Returns the units, with those of the evaluation that still runs as one of the other sources."""
        return [unit._replace(source="busy") if unit.source == EVAL else unit for unit in self.units]


class NodeProcesses:
    """The OS processes of a session, and the only way to wait for them."""

    def __init__(self) -> None:
        self.all: list[NodeProcess] = []
        self._killed = False
        self._selector = selectors.DefaultSelector()

    def add(self, node: NodeProcess) -> None:
        """Reads the driver messages of *node* from now on."""
        self.all.append(node)
        self._selector.register(node.descriptor, selectors.EVENT_READ, node)
        if self._killed:
            node.signal("KILL")

    def kill(self) -> None:
        """Kills all nodes, and each that is added later; for any thread."""
        self._killed = True
        for node in list(self.all):
            node.signal("KILL")

    @property
    def message_count(self) -> int:
        """The number of driver messages that came from all nodes."""
        return sum(node.message_count for node in self.all)

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Reads until *until* holds, for at most *timeout* seconds; returns False if it never did."""
        deadline = time.monotonic() + timeout
        while not until():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._poll(min(left, _POLL_SECONDS))
        return True

    def poll(self) -> None:
        """Reads what has come, without waiting; afterwards `has_ended` is set for each node that ended."""
        self._poll(0)

    def _poll(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            key.data.read()
        for node in self.all:
            node.look_at_the_time()
            if not node.has_ended and node.exit_code is not None:
                self._drain(node)
            if node.has_ended and node.descriptor in self._selector.get_map():
                self._selector.unregister(node.descriptor)

    @staticmethod
    def _drain(node: NodeProcess) -> None:
        """Reads the rest of the pipe of a node that has ended."""
        os.set_blocking(node.descriptor, False)
        with contextlib.suppress(BlockingIOError):
            while not node.has_ended:
                node.read()
        node.has_ended = True

    def close(self) -> None:
        """Kills and reaps all nodes."""
        for node in self.all:
            node.close()
        self._selector.close()
