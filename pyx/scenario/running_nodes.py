"""The nodes of a session by name, and requests to several of them: partitions, barriers, dumps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyx.scenario.node_process import NodeProcess, NodeProcesses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

ANSWER_SECONDS: Final = 6.0
"""The time-out of a driver request: a ping inside a barrier may take 5 s."""
_DUMP_SECONDS: Final = 1.0
_STACKS_SECONDS: Final = 5.0
"""The longest wait for stacks that faulthandler writes to a log."""
_SAME_LOOKS: Final = 6
"""The looks at a log in succession, 50 ms apart, which find all stacks written if it has not grown."""
_SETTLE_ROUNDS: Final = 10


class RunningNodes:
    """The nodes of one session.

    Args:
        scale: multiplies every time-out.
    """

    def __init__(self, scale: float) -> None:
        self.processes = NodeProcesses()
        self.current: dict[str, NodeProcess] = {}
        """The latest incarnation of each name; it may have ended."""
        self.scale = scale
        self._cut_off: dict[str, set[str]] = {}

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Waits until *until* holds, for at most *timeout* scaled seconds; returns False if it never did."""
        return self.processes.wait(until, timeout * self.scale)

    def scaled_text(self, timeout: float) -> str:
        """Returns a time-out as `wait` scales it, for reports."""
        return f"{timeout * self.scale:g} s"

    def ask(self, node: NodeProcess, do: str, **facts: object) -> bool:
        """Sends a driver request and waits for its answer; returns False if there is none in time."""
        number = node.request(do, **facts)
        return self.wait(lambda: number in node.answers or node.has_ended, ANSWER_SECONDS)

    def find(self, name: str) -> NodeProcess | None:
        """Returns the latest incarnation of a name ("" for none), else the shell whose prompt has it now."""
        wanted = re.compile(rf"(?:pyx|iex)\({re.escape(name)}\)" if name else r"pyx\(\d+\)")
        renamed = (node for node in self.current.values() if wanted.match(node.prompt))
        return self.current.get(name) or next(renamed, None)

    def responsive(self) -> list[NodeProcess]:
        """Returns the nodes of pyx that can answer: they have not ended and are not frozen."""
        return [
            node
            for node in self.current.values()
            if node.has_driver and not node.has_ended and not node.is_frozen
        ]

    # ------------------------------------------------------------ partitions

    def partition(self, near: Iterable[str], far: Iterable[str]) -> NodeProcess | None:
        """Separates the two sides; returns a node that does not answer, or None."""
        for side, other in ((near, far), (far, near)):
            for name in side:
                self._cut_off.setdefault(name, set()).update(other)
        return self._send_partitions(self.responsive())

    def heal(self) -> NodeProcess | None:
        """Ends all partitions; returns a node that does not answer, or None."""
        for others in self._cut_off.values():
            others.clear()
        return self._send_partitions(self.responsive())

    def add(self, node: NodeProcess) -> NodeProcess | None:
        """Adds a new incarnation, with the partitions of its name; returns it if it does not answer."""
        self.current[node.name] = node
        return self._send_partitions([node]) if self._cut_off.get(node.name) else None

    def resumed(self, node: NodeProcess) -> NodeProcess | None:
        """Sends the partitions to a node that was frozen meanwhile; returns it if it does not answer."""
        return self._send_partitions([node] if node.has_driver else [])

    def _send_partitions(self, nodes: Iterable[NodeProcess]) -> NodeProcess | None:
        for node in nodes:
            others = self._cut_off.get(node.name)
            if others is not None and not self.ask(node, "cut", nodes=sorted(others)):
                return node
        return None

    # ------------------------------------------------------------ barriers and dumps

    def settle(self) -> NodeProcess | None:
        """Repeats a barrier over all live connections, at least twice, until it brings no new output.

        A message that the first barrier delivered may end its receiver: the second one waits for that.  Dead
        and frozen nodes, and connections over a partition, are left out.  Returns a node that does not
        answer, or None.
        """
        for number in range(_SETTLE_ROUNDS):
            before = self.processes.message_count
            responsive = self.responsive()
            for node in responsive:
                others = {other.name for other in responsive if other.name} - self._cut_off.get(
                    node.name, set()
                )
                if not self.ask(node, "settle", nodes=sorted(others - {node.name})):
                    return node
            if number and self.processes.message_count - before <= len(responsive):
                break  # only the answers came
        return None

    def dumps(self) -> tuple[tuple[str, str], ...]:
        """Returns (name, stacks, mailboxes and connections) of every node of pyx that runs, not frozen."""
        live = [
            node
            for node in self.processes.all
            if node.has_driver and not node.has_ended and not node.is_frozen
        ]
        numbers = [(node, node.request("dump")) for node in live]
        self.wait(lambda: all(number in node.answers for node, number in numbers), _DUMP_SECONDS)
        silent = [node for node, number in numbers if number not in node.answers]
        for node in silent:  # a call into C holds the GIL; faulthandler still writes the stacks to the log
            node.signal("QUIT")
        if silent:
            self.wait(_is_written([node.log for node in silent]), _STACKS_SECONDS)
        return tuple(
            (node.name, node.answers[number] if number in node.answers else node.log.read_text())
            for node, number in numbers
        )


def _is_written(logs: Sequence[Path]) -> Callable[[], bool]:
    """Returns a condition that is True once all logs have text and did not grow for some of its calls.

    faulthandler writes stacks line by line, and marks no end.
    """
    looks: list[list[int]] = []

    def has_settled() -> bool:
        sizes = [log.stat().st_size for log in logs]
        looks.append(sizes)
        return all(sizes) and looks[-_SAME_LOOKS:] == [sizes] * _SAME_LOOKS

    return has_settled
