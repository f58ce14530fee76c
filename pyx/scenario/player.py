"""Plays the steps of a session with real nodes, up to the first step that fails."""

from __future__ import annotations

import contextlib
import math
import os
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.scenario.bindings import Bindings
from pyx.scenario.erlang_tools import SandboxEpmd
from pyx.scenario.expressions import ExpressionTooSlow
from pyx.scenario.input_player import InputPlayer
from pyx.scenario.node_process import NodeProcess
from pyx.scenario.running_nodes import RunningNodes
from pyx.scenario.step_failure import Failures, StepFailed
from pyx.scenario.steps import (
    Block,
    Heal,
    Input,
    Partition,
    SendSignal,
    Start,
    Step,
    Stop,
    Timeout,
    TranscriptSession,
    Type,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.scenario.output_units import OutputUnit
    from pyx.scenario.sandbox import Sandbox
    from pyx.scenario.step_failure import StepFailure

START_SECONDS: Final = 20.0
"""The time-out of a start: long enough for a busy machine."""
_JITTER_SECONDS: Final = 0.02

_UNCLAIMED: Final = "output that no block expects (an empty prompt of this node would)"


def _scale() -> float:
    text = os.environ.get("PYX_TIMEOUT_SCALE") or "1"
    with contextlib.suppress(ValueError):
        if 0 < (scale := float(text)) < math.inf:
            return scale
    msg = f"PYX_TIMEOUT_SCALE is {text!r}, which is not a number above 0"
    raise PyxError(msg, hint="PYX_TIMEOUT_SCALE=3 makes every time-out three times as long")


@dataclass(frozen=True)
class PlayerSettings:
    """How sessions are played."""

    jitter: int | None = None
    """The seed of random delays between the nodes; None for no delays."""
    stop_at: int | None = None
    """The line of the file at which to stop; None: the end."""
    scale: float = field(default_factory=_scale)
    """Multiplies every time-out: for slow machines."""


class Player:
    """Plays one session once.

    Args:
        session: the steps.
        sandbox: the directory of the session; the caller removes it.
        settings: see `PlayerSettings`.
        on_step: called with each step before it is played.
        on_output: called with each unit of output of each node, as it comes.
        on_mismatch: for `--update`: called with a block that differs from the output, in place of a failure.
    """

    def __init__(
        self,
        session: TranscriptSession,
        sandbox: Sandbox,
        settings: PlayerSettings,
        *,
        on_step: Callable[[Step], None] = lambda _step: None,
        on_output: Callable[[NodeProcess, OutputUnit], None] = lambda _node, _unit: None,
        on_mismatch: Callable[[StepFailure, Bindings], object] | None = None,
    ) -> None:
        self.bindings = Bindings()
        self.nodes = RunningNodes(settings.scale)
        self._session = session
        self._sandbox = sandbox
        self._settings = settings
        self._on_step = on_step
        self._on_output = on_output
        last_line = session.steps[-1].line
        self._failures = Failures(self.nodes, self.bindings, last_line, on_mismatch)
        self._inputs = InputPlayer(self.nodes, self.bindings, self._failures)
        self._epmd: SandboxEpmd | None = None
        """The EPMD of its Erlang nodes, once one has started."""
        self._start_time = time.monotonic()
        self._random = random.Random(settings.jitter)  # noqa: S311 - to be repeated

    def run(self) -> StepFailure | None:
        """Plays the steps; returns the failure, or None.  The nodes run on until `close`."""
        step: Step | None = None
        try:
            for step in self._session.steps:
                if self._settings.stop_at is not None and step.line >= self._settings.stop_at:
                    return None
                self._on_step(step)
                self._failures.begin_step()
                if self._settings.jitter is not None:
                    time.sleep(self._random.uniform(0, _JITTER_SECONDS))
                self._play(step)
            self._failures.begin_step()
            self._end()
        except StepFailed as failed:
            return failed.failure
        except ExpressionTooSlow as slow:
            assert isinstance(step, (Input, Start)), "only these steps have a block"
            return self._failures.make(step, self.nodes.find(step.node), str(slow), step.block)
        return None

    def close(self) -> None:
        """Ends all nodes, and their EPMD."""
        self.nodes.processes.close()
        if self._epmd is not None:
            self._epmd.close()

    # ------------------------------------------------------------ steps

    def _play(self, step: Step) -> None:
        match step:
            case Input():
                self._inputs.play(step, self._node(step))
            case Start():
                self._start(step)
            case SendSignal():
                self._signal(step)
            case Stop():
                self._stop(step)
            case Partition(sides=(near, far)):
                self._failures.check_answered(step, self.nodes.partition(near, far))
            case Heal():
                self._failures.check_answered(step, self.nodes.heal())
            case Write():
                try:
                    self._sandbox.write(step.file, step.text)
                except OSError as error:
                    problem = f"{step.file} cannot be written: {error.strerror or error}"
                    self._failures.fail(step, None, problem)
            case Timeout():
                self._inputs.timeout = step.seconds
            case Type():
                self._inputs.typed.append(step.text)

    def _start(self, step: Start) -> None:
        if self._epmd is None and (step.shell == "iex" or "--beam" in step.options):
            self._epmd = SandboxEpmd(self._sandbox)
        node = NodeProcess(
            step.node,
            step.shell,
            step.options,
            self._sandbox,
            start_time=self._start_time,
            on_output=self._on_output,
        )
        self.nodes.processes.add(node)
        self.nodes.wait(lambda: node.is_ready or node.has_ended, START_SECONDS)
        if node.has_ended:
            node.units.extend(node.stderr_units())
            node.end_reason = f"it did not start (line {step.line})"
            if not step.block.lines:
                self._failures.fail(step, node, f"the node did not start ({node.exit_text})")
            self._inputs.await_block(step, step.block, node)
            return
        if not node.is_ready:
            problem = f"the node was not ready within {self.nodes.scaled_text(START_SECONDS)}"
            self._failures.fail(step, node, problem, hung=True)
        self._failures.check_answered(step, self.nodes.add(node))
        if self._settings.jitter is not None and step.node and node.has_driver:
            seed = self._random.getrandbits(32)
            if not self.nodes.ask(node, "delay", seconds=_JITTER_SECONDS, seed=seed):
                self._failures.check_answered(step, node)
        if step.block.lines:
            self._inputs.await_block(step, step.block, node)

    def _signal(self, step: SendSignal) -> None:
        node = self._node(step, frozen=True)
        if step.name == "INT":  # by the driver, which waits until code runs; what was sent before has arrived
            silent = self.nodes.settle()
            if silent is None and not self.nodes.ask(node, "interrupt"):
                silent = node
            self._failures.check_answered(step, silent)
            return
        was_frozen = node.is_frozen
        node.signal(step.name)
        if was_frozen and not node.is_frozen and step.name == "CONT":
            self._failures.check_answered(step, self.nodes.resumed(node))
        if step.name == "KILL":
            node.end_reason = f"it was killed (line {step.line})"
            if not self.nodes.wait(lambda: node.has_ended, self._inputs.timeout):
                timeout = self.nodes.scaled_text(self._inputs.timeout)
                self._failures.fail(step, node, f"the node did not end within {timeout} of SIGKILL")

    def _stop(self, step: Stop) -> None:
        node = self._node(step)
        node.end_reason = f"it was stopped (line {step.line})"
        node.signal("TERM")
        if not self.nodes.wait(lambda: node.has_ended, self._inputs.timeout):
            timeout = self.nodes.scaled_text(self._inputs.timeout)
            self._failures.fail(step, node, f"the node did not end within {timeout} of $ stop", hung=True)

    # ------------------------------------------------------------ the end

    def _end(self) -> None:
        """Waits for all messages between nodes; then no node may have died, and no output be unclaimed."""
        self._failures.check_answered(None, self.nodes.settle())
        self.nodes.processes.poll()
        for node in self.nodes.processes.all:
            if node.has_ended and node.end_reason == "":
                self._failures.fail(None, node, f"the node ended by itself ({node.exit_text})")
        for node in self.nodes.processes.all:
            if node.units:
                self._failures.mismatch(None, Block(), node, _UNCLAIMED)

    # ------------------------------------------------------------ helpers

    def _node(self, step: Input | SendSignal | Stop, *, frozen: bool = False) -> NodeProcess:
        """Returns the node of a step; the step fails if it does not run."""
        node = self.nodes.find(step.node)
        if node is None:
            name = step.node or "a shell without a name"
            self._failures.fail(step, None, f"no running shell has the prompt of {name}")
        if node.has_ended:
            why = node.end_reason or f"it ended by itself ({node.exit_text})"
            self._failures.fail(step, node, f"the node is not running: {why}")
        if node.is_frozen and not frozen:
            self._failures.fail(step, node, f"the node is frozen ($ kill -CONT {step.node} resumes it)")
        return node
