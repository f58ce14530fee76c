"""The failure of a step: the facts of its report.  It ends the session, or is an edit of `--update`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from pyx.scenario.running_nodes import ANSWER_SECONDS
from pyx.scenario.steps import Block, Input, Start

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.scenario.bindings import Bindings
    from pyx.scenario.node_process import NodeProcess
    from pyx.scenario.output_units import OutputUnit
    from pyx.scenario.running_nodes import RunningNodes
    from pyx.scenario.steps import Step


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


class StepFailed(Exception):
    """Ends a session.  Attribute: `failure`."""

    def __init__(self, failure: StepFailure) -> None:
        self.failure = failure


class Failures:
    """Makes the failures of one session.

    Args:
        nodes: those of the session.
        bindings: those of the session.
        last_line: the line of its last step.
        on_mismatch: called with a block that differs from the output, in place of a failure; None: no calls.
    """

    def __init__(
        self,
        nodes: RunningNodes,
        bindings: Bindings,
        last_line: int,
        on_mismatch: Callable[[StepFailure, Bindings], object] | None,
    ) -> None:
        self._nodes = nodes
        self._bindings = bindings
        self._last_line = last_line
        self._on_mismatch = on_mismatch
        self._step_time = time.monotonic()

    def begin_step(self) -> None:
        """Measures the time of the next failure from now on."""
        self._step_time = time.monotonic()

    def make(self, step: Step | None, node: NodeProcess | None, problem: str, block: Block) -> StepFailure:
        """Returns a failure with what is on the screen of *node*."""
        line = step.line if step is not None else self._last_line
        output = tuple(node.units) if node is not None else ()
        return StepFailure(step, line, node, problem, block, output, time.monotonic() - self._step_time)

    def fail(
        self, step: Step | None, node: NodeProcess | None, problem: str, *, hung: bool = False
    ) -> NoReturn:
        """Raises StepFailed; with the stacks of all nodes if one *hung*."""
        block = step.block if isinstance(step, (Input, Start)) else Block()
        failure = self.make(step, node, problem, block)
        raise StepFailed(failure._replace(dumps=self._nodes.dumps()) if hung else failure)

    def mismatch(self, step: Step | None, block: Block, node: NodeProcess, problem: str) -> None:
        """Raises StepFailed for a block that differs, or calls `on_mismatch` and claims all output."""
        if self._on_mismatch is None:
            raise StepFailed(self.make(step, node, problem, block))
        # So that all output that the step caused is below it.
        self.check_answered(step, self._nodes.settle())
        self._on_mismatch(self.make(step, node, problem, block), self._bindings)
        node.units.clear()

    def check_answered(self, step: Step | None, silent: NodeProcess | None) -> None:
        """Raises StepFailed if there is a node that did not answer a driver request."""
        if silent is not None:
            problem = f"the node did not answer the replay within {self._nodes.scaled_text(ANSWER_SECONDS)}"
            self.fail(step, silent, problem, hung=True)
