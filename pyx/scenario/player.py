"""Plays the steps of a session with real nodes, and says which step failed and what was there instead.

A step that evaluates is over at its node's prompt.  What the evaluation itself showed has to be below the
step then, in full; for what others show there is time until the time-out.  No step is repeated to hide a
flake.
Not here: comparing (`match_block.py`), OS processes (`node_process.py`), how a failure looks
(`failure_report.py`).
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from pyx.errors import PyxError
from pyx.scenario.bindings import Bindings
from pyx.scenario.expressions import ExpressionTooSlow
from pyx.scenario.match_block import match_block, names_unit
from pyx.scenario.node_process import NodeProcess
from pyx.scenario.running_nodes import RunningNodes
from pyx.scenario.steps import (
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
from pyx.scenario.units import EVAL, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.scenario.sandbox import Sandbox

TIMEOUT_SECONDS: Final = 5.0
START_SECONDS: Final = 20.0
"""A node that is not ready by then will never be, even on a crowded machine."""
_PROBE_SECONDS: Final = 0.05
_PROBE_GROWTH: Final = 1.5
_PROBE_MOST_SECONDS: Final = 1.0
_QUICK_SECONDS: Final = 0.05
_JITTER_SECONDS: Final = 0.02


def _scale() -> float:
    text = os.environ.get("PYX_TIMEOUT_SCALE") or "1"
    with contextlib.suppress(ValueError):
        if 0 < (scale := float(text)) < math.inf:
            return scale
    msg = f"PYX_TIMEOUT_SCALE is {text!r}, and should be a number above 0"
    raise PyxError(msg)


@dataclass(frozen=True)
class Settings:
    """How to play.  `jitter` is the seed of the delays, None for none; `stop_at` a line of the file."""

    jitter: int | None = None
    stop_at: int | None = None
    scale: float = field(default_factory=_scale)
    """Every time-out is so many times as long: for slow machines."""


class Failure(NamedTuple):
    """The one step that failed (None: the end of the session), and all there is to say about it."""

    step: Step | None
    line: int
    node: NodeProcess | None
    problem: str
    block: Block
    shown: tuple[Unit, ...]
    """What was on the node's screen instead."""
    seconds: float
    dumps: tuple[tuple[str, str], ...] = ()
    """Of a hang: node and stacks."""


class _StepFailed(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure


def _how(node: NodeProcess) -> str:
    """The way in which a node has ended."""
    code = node.exit_code
    return f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"


class Player:
    """One run of one session.

    Args:
        session: what to do.
        stage: where; the caller removes it.
        settings: how.
        began: called with each step before it is played.
        heard: called with everything that any screen shows, as it comes.
        mend: for `--update`: takes note of a block that failed, and of what was shown instead.
    """

    def __init__(
        self,
        session: TranscriptSession,
        stage: Sandbox,
        settings: Settings,
        *,
        began: Callable[[Step], None] = lambda _step: None,
        heard: Callable[[NodeProcess, Unit], None] = lambda _node, _unit: None,
        mend: Callable[[Failure, Bindings], object] | None = None,
    ) -> None:
        self.names = Bindings()
        self.cast = RunningNodes(settings.scale)
        self._session = session
        self._stage = stage
        self._settings = settings
        self._on_step = began
        self._heard = heard
        self._mend = mend
        self._timeout = TIMEOUT_SECONDS
        self._typed: list[str] = []
        """Lines for the `input()` of the next input."""
        self._start_time = time.monotonic()
        self._step_time = self._start_time
        self._dice = random.Random(settings.jitter)  # noqa: S311 - to be repeated

    def run(self) -> Failure | None:
        """Plays it; the nodes live on until `close`, for whoever wants to look."""
        step: Step | None = None
        try:
            for step in self._session.steps:
                if self._settings.stop_at is not None and step.line >= self._settings.stop_at:
                    return None
                self._on_step(step)
                self._step_time = time.monotonic()
                if self._settings.jitter is not None:
                    time.sleep(self._dice.uniform(0, _JITTER_SECONDS))
                self._play(step)
            self._step_time = time.monotonic()
            self._end()
        except _StepFailed as failed:
            return failed.failure
        except ExpressionTooSlow as slow:
            assert isinstance(step, (Input, Start)), "only these have a block"
            return self._failure(step, self.cast.find(step.node), str(slow), step.block)
        return None

    def close(self) -> None:
        """Ends all nodes."""
        self.cast.nodes.close()

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
                self._all_answer(step, self.cast.cut(near, far))
            case Heal():
                self._all_answer(step, self.cast.heal())
            case Write():
                try:
                    self._stage.write(step.file, step.text)
                except OSError as error:
                    self._fail(step, None, f"{step.file} cannot be written: {error.strerror or error}")
            case Timeout():
                self._timeout = step.seconds
            case Type():
                self._typed.append(step.text)

    def _start(self, step: Start) -> None:
        node = NodeProcess(step.node, step.options, self._stage, began=self._start_time, heard=self._heard)
        self.cast.nodes.add(node)
        self._wait(lambda: node.ready or node.left, START_SECONDS)
        if node.left:
            node.units.extend(node.own_words())
            node.why_gone = f"it did not start (line {step.line})"
            if not step.block.lines:
                self._fail(step, node, f"it did not start (exit code {node.exit_code})")
            self._await_block(step, step.block, node)
            return
        if not node.ready:
            self._fail(step, node, "it was not ready in time", hung=True)
        self._all_answer(step, self.cast.joined(node))
        if self._settings.jitter is not None and step.node:
            seed = self._dice.getrandbits(32)
            if not self.cast.ask(node, "delay", seconds=_JITTER_SECONDS, seed=seed):
                self._all_answer(step, node)
        if step.block.lines:
            self._await_block(step, step.block, node)

    def _signal(self, step: Signal) -> None:
        node = self._node(step, frozen=True)
        if step.name == "INT":  # sent from within, where it can be seen that something runs
            self._all_answer(step, None if self.cast.ask(node, "interrupt") else node)
            return
        was_frozen = node.frozen
        node.signal(step.name)
        if was_frozen and not node.frozen and step.name == "CONT":
            self._all_answer(step, self.cast.woken(node))
        if step.name == "KILL":
            node.why_gone = f"it was killed (line {step.line})"
            if not self._wait(lambda: node.left, self._timeout):
                self._fail(step, node, "it did not die")

    def _stop(self, step: Stop) -> None:
        node = self._node(step)
        node.why_gone = f"it was stopped (line {step.line})"
        node.signal("TERM")
        if not self._wait(lambda: node.left, self._timeout):
            self._fail(step, node, "it did not leave in time", hung=True)

    # ------------------------------------------------------------ inputs

    def _input(self, step: Input) -> None:
        node = self._node(step)
        if step.looks:
            self._look(step, node)
        elif step.directives.eventually is not None:
            self._eventually(step, node, step.directives.eventually or self._timeout)
        else:
            before = len(node.units)
            typed, self._typed = self._typed, []
            number = node.request("eval", code=self.names.substitute(step.code, node.view), typed=typed)
            if step.directives.blocks:
                node.busy = number
            else:
                self._await_prompt(step, node, number, self._timeout)
            if step.directives.ignore:
                node.forget(EVAL, before)
            else:
                self._await_block(step, step.block, node, unordered=step.directives.unordered)

    def _look(self, step: Input, node: NodeProcess) -> None:
        if node.busy is not None:
            self._await_prompt(step, node, node.busy, self._timeout)
            node.busy = None
        if step.directives.ignore:
            node.units.clear()
        elif step.block.lines or any(unit.source == EVAL for unit in node.units):
            self._await_block(step, step.block, node, unordered=step.directives.unordered)

    def _eventually(self, step: Input, node: NodeProcess, timeout: float) -> None:
        deadline = time.monotonic() + timeout * self._settings.scale
        pause = _PROBE_SECONDS
        excused: list[Unit] = []  # what the node logged during attempts in vain: it may be claimed, or not
        while True:
            before = len(node.units)
            number = node.request("probe", code=self.names.substitute(step.code, node.view))
            self._await_prompt(step, node, number, timeout)
            wanted = [unit for unit in excused if names_unit(step.block.lines, unit, self.names, node.view)]
            for first in range(len(wanted), -1, -1):  # the fewer of them a match needs, the better
                units = [*wanted[first:], *node.units]
                if self._match(step.block, node, units, unordered=step.directives.unordered) == "matched":
                    node.units[:] = [unit for unit in node.units if unit not in excused]
                    return
            if time.monotonic() >= deadline:
                self._mend_or_fail(step, step.block, node, "it never came to this")
                return
            node.forget(EVAL, before)
            excused += node.forget("log", before)
            self._wait(lambda: node.left, pause)
            pause = min(pause * _PROBE_GROWTH, _PROBE_MOST_SECONDS)

    def _await_prompt(self, step: Step, node: NodeProcess, number: int, timeout: float) -> None:
        self._wait(lambda: number in node.finished or node.left, timeout)
        if number in node.finished:
            return
        if not node.left:
            self._fail(step, node, "it did not come back to its prompt", hung=True)
        node.why_gone = f"it left (line {step.line})"
        if not node.took_leave:
            self._fail(step, node, f"it died ({_how(node)})")

    def _await_block(self, step: Step, block: Block, node: NodeProcess, *, unordered: bool = False) -> None:
        deadline = time.monotonic() + self._timeout * self._settings.scale
        while True:
            frames = node.frames
            units = node.units if node.busy is None else node.without_eval()
            began = time.monotonic()
            verdict = self._match(block, node, units, unordered=unordered)
            if verdict == "matched":
                return
            now = time.monotonic()
            left = deadline - now
            if verdict == "mismatch" or left <= 0 or node.left:
                break
            if now - began > _QUICK_SECONDS:  # of a long block; so that half of the time is left to listen
                self.cast.nodes.wait(lambda: node.left, min(left, now - began))
            self.cast.nodes.wait(lambda frames=frames: node.frames != frames or node.left, left)  # type: ignore[misc]
        self._mend_or_fail(step, block, node, "the screen shows something else")

    def _match(self, block: Block, node: NodeProcess, units: Sequence[Unit], *, unordered: bool) -> str:
        """The verdict on a block; what it matched is claimed, and off the node's screen."""
        found = match_block(block.lines, units, self.names, node.view, unordered=unordered)
        if found.verdict == "matched":
            node.units[:] = found.left
        return found.verdict

    # ------------------------------------------------------------ the end

    def _end(self) -> None:
        """Once everything that is under way has arrived, nothing may be on a screen that no block claimed."""
        self._all_answer(None, self.cast.settle())
        self.cast.nodes.look()
        for node in self.cast.nodes.all:
            if node.left and node.why_gone == "":
                self._fail(None, node, f"it ended by itself ({_how(node)})")
        for node in self.cast.nodes.all:
            if node.units:
                self._mend_or_fail(None, Block(0), node, "this was shown, and no block claims it")

    # ------------------------------------------------------------ helpers

    def _node(self, step: Input | Signal | Stop, *, frozen: bool = False) -> NodeProcess:
        """The life that a step is about; it has to run."""
        node = self.cast.find(step.node)
        if node is None:
            self._fail(step, None, f"no shell has the prompt of {step.node or 'a shell without a name'}")
        if node.left:
            why = node.why_gone or f"it ended by itself ({_how(node)})"
            self._fail(step, node, f"it is not running: {why}")
        if node.frozen and not frozen:
            self._fail(step, node, "it is frozen ($ kill -CONT wakes it)")
        return node

    def _all_answer(self, step: Step | None, silent: NodeProcess | None) -> None:
        if silent is not None:
            self._fail(step, silent, "it does not answer the runner", hung=True)

    def _wait(self, until: Callable[[], bool], timeout: float) -> bool:
        return self.cast.wait(until, timeout)

    def _mend_or_fail(self, step: Step | None, block: Block, node: NodeProcess, problem: str) -> None:
        if self._mend is None:
            raise _StepFailed(self._failure(step, node, problem, block))
        self._all_answer(
            step, self.cast.settle()
        )  # so that everything the step brought about stands below it
        self._mend(self._failure(step, node, problem, block), self.names)
        node.units.clear()

    def _failure(self, step: Step | None, node: NodeProcess | None, problem: str, block: Block) -> Failure:
        line = step.line if step is not None else self._session.steps[-1].line
        shown = tuple(node.units) if node is not None else ()
        return Failure(step, line, node, problem, block, shown, time.monotonic() - self._step_time)

    def _fail(
        self, step: Step | None, node: NodeProcess | None, problem: str, *, hung: bool = False
    ) -> NoReturn:
        block = step.block if isinstance(step, (Input, Start)) else Block(0)
        failure = self._failure(step, node, problem, block)
        raise _StepFailed(failure._replace(dumps=self.cast.dumps()) if hung else failure)
