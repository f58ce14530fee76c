"""Plays the steps of a session with real nodes, up to the first step that fails.

An input is over at its node's next prompt.  The output of the evaluation itself has to be below the input
then, in full; the output of other sources may come until the time-out.  No step is repeated to hide a flake.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from pyx.errors import PyxError
from pyx.scenario.bindings import Bindings
from pyx.scenario.expressions import ExpressionTooSlow
from pyx.scenario.match_block import match_block, names_unit
from pyx.scenario.node_process import NodeProcess
from pyx.scenario.output_units import EVAL, OutputUnit
from pyx.scenario.running_nodes import ANSWER_SECONDS, RunningNodes
from pyx.scenario.steps import (
    TIMEOUT_SECONDS,
    Block,
    Heal,
    Input,
    Partition,
    Signal,
    Start,
    Step,
    Stop,
    Timeout,
    TranscriptSession,
    Type,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.scenario.sandbox import Sandbox

START_SECONDS: Final = 20.0
"""The time-out of a start: long enough for a busy machine."""
_PROBE_SECONDS: Final = 0.05
_PROBE_GROWTH: Final = 1.5
_PROBE_MOST_SECONDS: Final = 1.0
_QUICK_SECONDS: Final = 0.05
_JITTER_SECONDS: Final = 0.02

_OUTPUT_DIFFERS: Final = "the output differs (- expected, + actual)"
_NEVER_MATCHED: Final = "the output of no attempt matched (- expected, + last attempt)"
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


class StepFailure(NamedTuple):
    """The step that failed, None at the end of the session, and the facts of the report."""

    step: Step | None
    line: int
    node: NodeProcess | None
    problem: str
    block: Block
    output: tuple[OutputUnit, ...]
    """The units on the node's screen."""
    seconds: float
    """How long the step took."""
    dumps: tuple[tuple[str, str], ...] = ()
    """After a time-out: (node, stacks, mailboxes and connections)."""


class _StepFailed(Exception):
    def __init__(self, failure: StepFailure) -> None:
        self.failure = failure


def _exit_of(node: NodeProcess) -> str:
    """Returns the exit code or the signal of a node that has ended, as text."""
    code = node.exit_code
    return f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"


def _has_news(node: NodeProcess, seen: int) -> bool:
    """Returns True once more than *seen* messages came from *node*, or it has ended."""
    return node.message_count != seen or node.has_ended


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
        self._on_mismatch = on_mismatch
        self._timeout = TIMEOUT_SECONDS
        self._typed: list[str] = []
        """Lines for the `input()` of the next input."""
        self._start_time = time.monotonic()
        self._step_time = self._start_time
        self._random = random.Random(settings.jitter)  # noqa: S311 - to be repeated

    def run(self) -> StepFailure | None:
        """Plays the steps; returns the failure, or None.  The nodes run on until `close`."""
        step: Step | None = None
        try:
            for step in self._session.steps:
                if self._settings.stop_at is not None and step.line >= self._settings.stop_at:
                    return None
                self._on_step(step)
                self._step_time = time.monotonic()
                if self._settings.jitter is not None:
                    time.sleep(self._random.uniform(0, _JITTER_SECONDS))
                self._play(step)
            self._step_time = time.monotonic()
            self._end()
        except _StepFailed as failed:
            return failed.failure
        except ExpressionTooSlow as slow:
            assert isinstance(step, (Input, Start)), "only these steps have a block"
            return self._failure(step, self.nodes.find(step.node), str(slow), step.block)
        return None

    def close(self) -> None:
        """Ends all nodes."""
        self.nodes.processes.close()

    # ------------------------------------------------------------ steps

    def _play(self, step: Step) -> None:
        match step:
            case Input():
                self._input(step)
            case Start():
                self._start(step)
            case Signal():
                self._signal(step)
            case Stop():
                self._stop(step)
            case Partition(sides=(near, far)):
                self._all_answer(step, self.nodes.partition(near, far))
            case Heal():
                self._all_answer(step, self.nodes.heal())
            case Write():
                try:
                    self._sandbox.write(step.file, step.text)
                except OSError as error:
                    self._fail(step, None, f"{step.file} cannot be written: {error.strerror or error}")
            case Timeout():
                self._timeout = step.seconds
            case Type():
                self._typed.append(step.text)

    def _start(self, step: Start) -> None:
        node = NodeProcess(
            step.node, step.options, self._sandbox, start_time=self._start_time, on_output=self._on_output
        )
        self.nodes.processes.add(node)
        self._wait(lambda: node.is_ready or node.has_ended, START_SECONDS)
        if node.has_ended:
            node.units.extend(node.stderr_units())
            node.end_reason = f"it did not start (line {step.line})"
            if not step.block.lines:
                self._fail(step, node, f"the node did not start ({_exit_of(node)})")
            self._await_block(step, step.block, node)
            return
        if not node.is_ready:
            self._fail(step, node, f"the node was not ready within {self._scaled(START_SECONDS)}", hung=True)
        self._all_answer(step, self.nodes.add(node))
        if self._settings.jitter is not None and step.node:
            seed = self._random.getrandbits(32)
            if not self.nodes.ask(node, "delay", seconds=_JITTER_SECONDS, seed=seed):
                self._all_answer(step, node)
        if step.block.lines:
            self._await_block(step, step.block, node)

    def _signal(self, step: Signal) -> None:
        node = self._node(step, frozen=True)
        if step.name == "INT":  # by the driver, which waits until code runs
            self._all_answer(step, None if self.nodes.ask(node, "interrupt") else node)
            return
        was_frozen = node.is_frozen
        node.signal(step.name)
        if was_frozen and not node.is_frozen and step.name == "CONT":
            self._all_answer(step, self.nodes.resumed(node))
        if step.name == "KILL":
            node.end_reason = f"it was killed (line {step.line})"
            if not self._wait(lambda: node.has_ended, self._timeout):
                problem = f"the node did not end within {self._scaled(self._timeout)} of SIGKILL"
                self._fail(step, node, problem)

    def _stop(self, step: Stop) -> None:
        node = self._node(step)
        node.end_reason = f"it was stopped (line {step.line})"
        node.signal("TERM")
        if not self._wait(lambda: node.has_ended, self._timeout):
            problem = f"the node did not end within {self._scaled(self._timeout)} of $ stop"
            self._fail(step, node, problem, hung=True)

    # ------------------------------------------------------------ inputs

    def _input(self, step: Input) -> None:
        node = self._node(step)
        if step.is_empty_prompt:
            self._empty_prompt(step, node)
        elif step.directives.eventually is not None:
            self._eventually(step, node, step.directives.eventually or self._timeout)
        else:
            before = len(node.units)
            typed, self._typed = self._typed, []
            number = node.request("eval", code=self.bindings.substitute(step.code, node.view), typed=typed)
            if step.directives.blocks:
                node.blocking_request = number
            else:
                self._await_prompt(step, node, number, self._timeout)
            if step.directives.ignore:
                node.remove_units(EVAL, before)
            else:
                self._await_block(step, step.block, node, unordered=step.directives.unordered)

    def _empty_prompt(self, step: Input, node: NodeProcess) -> None:
        if node.blocking_request is not None:
            self._await_prompt(step, node, node.blocking_request, self._timeout)
            node.blocking_request = None
        if step.directives.ignore:
            node.units.clear()
        elif step.block.lines or any(unit.source == EVAL for unit in node.units):
            self._await_block(step, step.block, node, unordered=step.directives.unordered)

    def _eventually(self, step: Input, node: NodeProcess, timeout: float) -> None:
        deadline = time.monotonic() + timeout * self._settings.scale
        pause = _PROBE_SECONDS
        optional: list[OutputUnit] = []  # log lines of failed attempts, which the block may match or not
        while True:
            before = len(node.units)
            number = node.request("probe", code=self.bindings.substitute(step.code, node.view))
            self._await_prompt(step, node, number, timeout)
            wanted = [
                unit for unit in optional if names_unit(step.block.lines, unit, self.bindings, node.view)
            ]
            for first in range(len(wanted), -1, -1):  # a match with the fewest of them
                units = [*wanted[first:], *node.units]
                if self._match(step.block, node, units, unordered=step.directives.unordered) == "matched":
                    node.units[:] = [unit for unit in node.units if unit not in optional]
                    return
            if time.monotonic() >= deadline:
                self._mismatch(step, step.block, node, _NEVER_MATCHED)
                return
            node.remove_units(EVAL, before)
            optional += node.remove_units("log", before)
            self._wait(lambda: node.has_ended, pause)
            pause = min(pause * _PROBE_GROWTH, _PROBE_MOST_SECONDS)

    def _await_prompt(self, step: Step, node: NodeProcess, number: int, timeout: float) -> None:
        self._wait(lambda: number in node.finished or node.has_ended, timeout)
        if number in node.finished:
            return
        if not node.has_ended:
            problem = f"the input did not end within {self._scaled(timeout)}"
            self._fail(step, node, problem, hung=True)
        node.end_reason = f"it ended by itself (line {step.line})"
        if not node.left_cleanly:
            self._fail(step, node, f"the node died ({_exit_of(node)})")

    def _await_block(self, step: Step, block: Block, node: NodeProcess, *, unordered: bool = False) -> None:
        deadline = time.monotonic() + self._timeout * self._settings.scale
        while True:
            seen = node.message_count
            units = node.units if node.blocking_request is None else node.units_while_busy()
            began = time.monotonic()
            outcome = self._match(block, node, units, unordered=unordered)
            if outcome == "matched":
                return
            now = time.monotonic()
            left = deadline - now
            if outcome == "mismatch" or left <= 0 or node.has_ended:
                break
            if now - began > _QUICK_SECONDS:  # a long block: spend at most half of the time on it
                self.nodes.processes.wait(lambda: node.has_ended, min(left, now - began))
            self.nodes.processes.wait(partial(_has_news, node, seen), left)
        self._mismatch(step, block, node, _OUTPUT_DIFFERS)

    def _match(self, block: Block, node: NodeProcess, units: Sequence[OutputUnit], *, unordered: bool) -> str:
        """Returns the outcome of a block; the units that it matched are removed from the node's screen."""
        found = match_block(block.lines, units, self.bindings, node.view, unordered=unordered)
        if found.outcome == "matched":
            node.units[:] = found.unclaimed
        return found.outcome

    # ------------------------------------------------------------ the end

    def _end(self) -> None:
        """Waits for all messages between nodes; then no node may have died, and no output be unclaimed."""
        self._all_answer(None, self.nodes.settle())
        self.nodes.processes.poll()
        for node in self.nodes.processes.all:
            if node.has_ended and node.end_reason == "":
                self._fail(None, node, f"the node ended by itself ({_exit_of(node)})")
        for node in self.nodes.processes.all:
            if node.units:
                self._mismatch(None, Block(), node, _UNCLAIMED)

    # ------------------------------------------------------------ helpers

    def _node(self, step: Input | Signal | Stop, *, frozen: bool = False) -> NodeProcess:
        """Returns the node of a step; the step fails if it does not run."""
        node = self.nodes.find(step.node)
        if node is None:
            self._fail(
                step, None, f"no running shell has the prompt of {step.node or 'a shell without a name'}"
            )
        if node.has_ended:
            why = node.end_reason or f"it ended by itself ({_exit_of(node)})"
            self._fail(step, node, f"the node is not running: {why}")
        if node.is_frozen and not frozen:
            self._fail(step, node, f"the node is frozen ($ kill -CONT {step.node} resumes it)")
        return node

    def _all_answer(self, step: Step | None, silent: NodeProcess | None) -> None:
        if silent is not None:
            problem = f"the node did not answer the replay within {self._scaled(ANSWER_SECONDS)}"
            self._fail(step, silent, problem, hung=True)

    def _wait(self, until: Callable[[], bool], timeout: float) -> bool:
        return self.nodes.wait(until, timeout)

    def _scaled(self, timeout: float) -> str:
        return f"{timeout * self._settings.scale:g} s"

    def _mismatch(self, step: Step | None, block: Block, node: NodeProcess, problem: str) -> None:
        if self._on_mismatch is None:
            raise _StepFailed(self._failure(step, node, problem, block))
        # So that all output that the step caused is below it.
        self._all_answer(step, self.nodes.settle())
        self._on_mismatch(self._failure(step, node, problem, block), self.bindings)
        node.units.clear()

    def _failure(
        self, step: Step | None, node: NodeProcess | None, problem: str, block: Block
    ) -> StepFailure:
        line = step.line if step is not None else self._session.steps[-1].line
        output = tuple(node.units) if node is not None else ()
        return StepFailure(step, line, node, problem, block, output, time.monotonic() - self._step_time)

    def _fail(
        self, step: Step | None, node: NodeProcess | None, problem: str, *, hung: bool = False
    ) -> NoReturn:
        block = step.block if isinstance(step, (Input, Start)) else Block()
        failure = self._failure(step, node, problem, block)
        raise _StepFailed(failure._replace(dumps=self.nodes.dumps()) if hung else failure)
