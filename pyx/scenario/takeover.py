"""`--stop-at LINE`: the user takes over a node's shell in the middle of a scenario.

It is that node's real shell: its pid, its names, its mailbox, its completions; only the keyboard and the
screen are those of the replay.
"""

from __future__ import annotations

import contextlib
import json
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.shell.completion import Completion
from pyx.shell.evaluate import is_blank
from pyx.shell.loop import Prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.scenario.node_process import NodeProcess
    from pyx.scenario.player import Player
    from pyx.shell.call_signature import CallSignature
    from pyx.shell.loop import Terminal

_FOREVER: Final = 1e9
_COMPLETION_SECONDS: Final = 1.0


class Takeover:
    """Connects a terminal to the shell of a node.

    Args:
        player: has played up to the line to stop at.
        name: of the node, with or without its host; None: the node that started last.

    Raises:
        PyxError: no such node runs; the text lists those that do.
    """

    def __init__(self, player: Player, name: str | None) -> None:
        self._player = player
        self._node = _find(player, name)
        self._shown: dict[NodeProcess, int] = {}
        self._answered: dict[int, threading.Event] = {}
        """By the number of a request: set when its answer has come."""

    def run(self, terminal: Terminal) -> None:
        """Reads and evaluates inputs until the end of input, or of the node."""
        node = self._node
        while not node.has_ended:
            try:
                with self._listening(terminal):
                    code = terminal.read(self._prompt)
            except EOFError:
                return
            except KeyboardInterrupt:
                continue
            if not is_blank(code):
                number = node.request("eval", code=self._player.bindings.substitute(code, node.view))
                while not self._shows_until_finished(number, terminal):
                    with contextlib.suppress(ProcessLookupError):
                        node.signal("INT")
            self._show_new(terminal)

    def complete(self, text: str, cursor: int) -> Completion:
        """Returns the node's completions at *cursor*; for the thread of a terminal that reads."""
        node = self._node
        number = node.request("complete", code=text, cursor=cursor)
        answered = self._answered[number] = threading.Event()
        if number not in node.answers:  # else the answer came before the event was there
            answered.wait(_COMPLETION_SECONDS)
        del self._answered[number]
        return Completion(*json.loads(node.answers.get(number, f"[{cursor}, []]")))

    def signature(self, callee: str) -> CallSignature | None:
        """Returns None: nodes that a runner drives are not asked for signatures."""
        del callee
        return None

    def _prompt(self) -> Prompt:
        first = self._node.prompt
        return Prompt(first, "..." + first[3:])

    def _shows_until_finished(self, number: int, terminal: Terminal) -> bool:
        """Shows the output of an evaluation while it runs; returns False on Ctrl-C."""
        node, nodes = self._node, self._player.nodes.processes
        try:
            while number not in node.finished and not node.has_ended:
                seen = nodes.message_count
                nodes.wait(partial(self._has_news_since, seen), _FOREVER)
                self._show_new(terminal)
        except KeyboardInterrupt:
            return False
        return True

    def _has_news_since(self, seen: int) -> bool:
        return self._node.has_ended or self._player.nodes.processes.message_count != seen

    @contextlib.contextmanager
    def _listening(self, terminal: Terminal) -> Iterator[None]:
        """Has a thread read driver messages and show their output, inside the `with` block."""
        over = threading.Event()
        nodes = self._player.nodes.processes

        def listen() -> None:
            while not over.is_set():
                self._show_new(terminal)
                seen = nodes.message_count
                for number, answered in list(self._answered.items()):
                    if number in self._node.answers:
                        answered.set()
                nodes.wait(partial(is_due, seen), _FOREVER)

        def is_due(seen: int) -> bool:
            return over.is_set() or nodes.message_count != seen

        thread = threading.Thread(target=listen, name="pyx-takeover", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _show_new(self, terminal: Terminal) -> None:
        for other in self._player.nodes.processes.all:
            prefix = "" if other is self._node else f"[{other.name}] "
            units = list(other.units)
            if units and other.is_open(units[-1]):
                units.pop()  # the rest of its line is still to come
            for unit in units[self._shown.get(other, 0) :]:
                text = "".join(f"{prefix}{line}\n" for line in unit.lines)
                terminal.show(text, unit.kind if unit.kind in {"error", "interrupt", "notice"} else "echo")
            self._shown[other] = len(units)


def _find(player: Player, name: str | None) -> NodeProcess:
    live = [
        node
        for node in player.nodes.processes.all
        if node.has_driver and not node.has_ended and not node.is_frozen
    ]
    fits = [node for node in live if name is None or name in {node.name, node.name.partition("@")[0]}]
    if not fits:
        running = ", ".join(node.name or "(no name)" for node in live)
        msg = f"no node {name or 'at all'} runs at this line; running are: {running or 'none'}"
        raise PyxError(msg)
    return fits[-1]
