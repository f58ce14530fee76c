"""Plays inputs: evaluates their code on a node, and waits for its prompt and the output of the block.

An input is over at its node's next prompt.  The output of the evaluation itself has to be below the input
then, in full; the output of other sources may come until the time-out.  No step is repeated to hide a flake.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from pyx.scenario.match_block import match_block, names_unit
from pyx.scenario.output_units import EVAL
from pyx.scenario.steps import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.scenario.bindings import Bindings
    from pyx.scenario.node_process import NodeProcess
    from pyx.scenario.output_units import OutputUnit
    from pyx.scenario.running_nodes import RunningNodes
    from pyx.scenario.step_failure import Failures
    from pyx.scenario.steps import Block, Input, Step

_PROBE_SECONDS: Final = 0.05
_PROBE_GROWTH: Final = 1.5
_PROBE_MOST_SECONDS: Final = 1.0
_QUICK_SECONDS: Final = 0.05

_OUTPUT_DIFFERS: Final = "the output differs (- expected, + actual)"
_NEVER_MATCHED: Final = "the output of no attempt matched (- expected, + last attempt)"


def _has_news(node: NodeProcess, seen: int) -> bool:
    """Returns True once more than *seen* messages came from *node*, or it has ended."""
    return node.message_count != seen or node.has_ended


class InputPlayer:
    """Plays the inputs of one session.  `timeout` is that of each step, in seconds before scaling."""

    def __init__(self, nodes: RunningNodes, bindings: Bindings, failures: Failures) -> None:
        self._nodes = nodes
        self._bindings = bindings
        self._failures = failures
        self.timeout = TIMEOUT_SECONDS
        self.typed: list[str] = []
        """Lines for the `input()` of the next input."""

    def play(self, step: Input, node: NodeProcess) -> None:
        """Plays an input at the prompt of *node*.

        Raises:
            StepFailed: the input did not end, the node died, or the output differs from the block.
        """
        self._await_shell(step, node)
        if step.is_empty_prompt:
            self._empty_prompt(step, node)
        elif step.directives.eventually is not None:
            self._eventually(step, node, step.directives.eventually or self.timeout)
        else:
            before = len(node.units)
            typed, self.typed = self.typed, []
            number = node.request("eval", code=self._bindings.substitute(step.code, node.view), typed=typed)
            if step.directives.blocks:
                node.blocking_request = number
            else:
                self._await_prompt(step, node, number, self.timeout)
            if step.directives.ignore:
                node.remove_units(EVAL, before)
            else:
                self.await_block(step, step.block, node, unordered=step.directives.unordered)

    def _await_shell(self, step: Input, node: NodeProcess) -> None:
        """Waits until the prompt of *node* is that of the step: its own, or a remote shell's."""
        wanted = f"pyx({step.attached} via {node.name})" if step.attached else ""

        def is_there() -> bool:
            return node.prompt.startswith(wanted) if wanted else " via " not in node.prompt

        if node.blocking_request is None and not self._nodes.wait(is_there, self.timeout):
            shell = f"a remote shell on {step.attached}" if step.attached else "the node's own shell"
            problem = f"the prompt is {node.prompt.rstrip()}, not that of {shell}"
            self._failures.fail(step, node, problem)
        node.attached_to = self._nodes.find(step.attached) if step.attached else None

    def _empty_prompt(self, step: Input, node: NodeProcess) -> None:
        if node.blocking_request is not None:
            self._await_prompt(step, node, node.blocking_request, self.timeout)
            node.blocking_request = None
        if step.directives.ignore:
            node.units.clear()
        elif step.block.lines or any(unit.source == EVAL for unit in node.units):
            self.await_block(step, step.block, node, unordered=step.directives.unordered)

    def _eventually(self, step: Input, node: NodeProcess, timeout: float) -> None:
        deadline = time.monotonic() + timeout * self._nodes.scale
        pause = _PROBE_SECONDS
        optional: list[OutputUnit] = []  # log lines of failed attempts, which the block may match or not
        while True:
            before = len(node.units)
            number = node.request("probe", code=self._bindings.substitute(step.code, node.view))
            self._await_prompt(step, node, number, timeout)
            wanted = [
                unit for unit in optional if names_unit(step.block.lines, unit, self._bindings, node.view)
            ]
            for first in range(len(wanted), -1, -1):  # a match with the fewest of them
                units = [*wanted[first:], *node.units]
                if self._match(step.block, node, units, unordered=step.directives.unordered) == "matched":
                    node.units[:] = [unit for unit in node.units if unit not in optional]
                    return
            if time.monotonic() >= deadline:
                self._failures.mismatch(step, step.block, node, _NEVER_MATCHED)
                return
            node.remove_units(EVAL, before)
            optional += node.remove_units("log", before)
            self._nodes.wait(lambda: node.has_ended, pause)
            pause = min(pause * _PROBE_GROWTH, _PROBE_MOST_SECONDS)

    def _await_prompt(self, step: Step, node: NodeProcess, number: int, timeout: float) -> None:
        self._nodes.wait(lambda: number in node.finished or node.has_ended, timeout)
        if number in node.finished:
            return
        if not node.has_ended:
            problem = f"the input did not end within {self._nodes.scaled_text(timeout)}"
            self._failures.fail(step, node, problem, hung=True)
        node.end_reason = f"it ended by itself (line {step.line})"
        if not node.left_cleanly:
            self._failures.fail(step, node, f"the node died ({node.exit_text})")

    def await_block(self, step: Step, block: Block, node: NodeProcess, *, unordered: bool = False) -> None:
        """Waits until the output of *node* matches *block*, at most until the time-out.

        Raises:
            StepFailed: the output differs.
        """
        deadline = time.monotonic() + self.timeout * self._nodes.scale
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
                self._nodes.processes.wait(lambda: node.has_ended, min(left, now - began))
            self._nodes.processes.wait(partial(_has_news, node, seen), left)
        self._failures.mismatch(step, block, node, _OUTPUT_DIFFERS)

    def _match(self, block: Block, node: NodeProcess, units: Sequence[OutputUnit], *, unordered: bool) -> str:
        """Returns the outcome of a block; the units that it matched are removed from the node's screen."""
        found = match_block(block.lines, units, self._bindings, node.view, unordered=unordered)
        if found.outcome == "matched":
            node.units[:] = found.unclaimed
        return found.outcome
