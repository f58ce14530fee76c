"""Who is on the stage: names -> the lives that prompts are typed at, and what is asked of several at once.

Not here: one OS process (`node_process.py`), steps (`player.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyx.scenario.node_process import NodeProcess, NodeProcesses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

ANSWER_SECONDS: Final = 6.0
"""So long a request of the runner itself may take: a ping inside a barrier may take 5 s."""
_DUMP_SECONDS: Final = 1.0
_SETTLE_ROUNDS: Final = 10


class RunningNodes:
    """All nodes of one session.  Args: scale: every time-out is so many times as long."""

    def __init__(self, scale: float) -> None:
        self.processes = NodeProcesses()
        self.current: dict[str, NodeProcess] = {}
        """Name -> its present life; it may have ended."""
        self._scale = scale
        self._cut_off: dict[str, set[str]] = {}

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Takes frames in until *until* holds, for at most so many seconds; True if it does."""
        return self.processes.wait(until, timeout * self._scale)

    def ask(self, node: NodeProcess, do: str, **facts: object) -> bool:
        """Has a node do something; False if it does not answer in time."""
        number = node.request(do, **facts)
        return self.wait(lambda: number in node.answers or node.has_ended, ANSWER_SECONDS)

    def find(self, name: str) -> NodeProcess | None:
        """The present life of a name ("" for none), of a shell too that got it, or lost it, while it ran."""
        wanted = re.compile(rf"pyx\({re.escape(name)}\)" if name else r"pyx\(\d+\)")
        renamed = (node for node in self.current.values() if wanted.match(node.prompt))
        return self.current.get(name) or next(renamed, None)

    def responsive(self) -> list[NodeProcess]:
        """Those that can answer."""
        return [node for node in self.current.values() if not node.has_ended and not node.is_frozen]

    # ------------------------------------------------------------ partitions

    def partition(self, near: Iterable[str], far: Iterable[str]) -> NodeProcess | None:
        """Nothing passes between the two sides from now on; gives a node that does not answer."""
        for side, other in ((near, far), (far, near)):
            for name in side:
                self._cut_off.setdefault(name, set()).update(other)
        return self._send_partitions(self.responsive())

    def heal(self) -> NodeProcess | None:
        """Everything passes again; gives a node that does not answer."""
        for others in self._cut_off.values():
            others.clear()
        return self._send_partitions(self.responsive())

    def add(self, node: NodeProcess) -> NodeProcess | None:
        """A new life of a name: what that name is cut off from it is cut off from, too."""
        self.current[node.name] = node
        return self._send_partitions([node]) if self._cut_off.get(node.name) else None

    def resumed(self, node: NodeProcess) -> NodeProcess | None:
        """A stopped node goes on: partitions that began or ended meanwhile reach it now."""
        return self._send_partitions([node])

    def _send_partitions(self, nodes: Iterable[NodeProcess]) -> NodeProcess | None:
        for node in nodes:
            others = self._cut_off.get(node.name)
            if others is not None and not self.ask(node, "cut", nodes=sorted(others)):
                return node
        return None

    # ------------------------------------------------------------ barriers and dumps

    def settle(self) -> NodeProcess | None:
        """A barrier over all live connections, twice at least, and again until it brings nothing new.

        A message that the first one brought may end its receiver: the second one waits for that.  Dead,
        stopped and cut nodes are left out.  Returns a node that does not answer.
        """
        for number in range(_SETTLE_ROUNDS):
            frames = self.processes.message_count
            responsive = self.responsive()
            for node in responsive:
                others = {other.name for other in responsive if other.name} - self._cut_off.get(
                    node.name, set()
                )
                if not self.ask(node, "settle", nodes=sorted(others - {node.name})):
                    return node
            if number and self.processes.message_count - frames <= len(responsive):
                break  # nothing but the answers came
        return None

    def dumps(self) -> tuple[tuple[str, str], ...]:
        """(name, stacks, mailboxes and connections) of every node that is not stopped."""
        live = [node for node in self.processes.all if not node.has_ended and not node.is_frozen]
        numbers = [(node, node.request("dump")) for node in live]
        self.wait(lambda: all(number in node.answers for node, number in numbers), _DUMP_SECONDS)
        silent = [node for node, number in numbers if number not in node.answers]
        for node in silent:  # a call into C holds Python's lock; its stacks go to its log all the same
            node.signal("QUIT")
        self.wait(_is_written([node.log for node in silent]), _DUMP_SECONDS)
        return tuple(
            (node.name, node.answers[number] if number in node.answers else node.log.read_text())
            for node, number in numbers
        )


def _is_written(logs: Sequence[Path]) -> Callable[[], bool]:
    """A question to ask again and again: is there something in all of them, and no more than the last time?

    Stacks are written line by line, and have no end that could be told.
    """
    before: list[int] = []

    def ask() -> bool:
        sizes = [log.stat().st_size for log in logs]
        same = sizes == before
        before[:] = sizes
        return same and all(sizes)

    return ask
