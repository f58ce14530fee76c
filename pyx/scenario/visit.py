"""`--stop-at LINE`: a person takes over one node's shell in the middle of a scenario.

It is that node's real shell: its pid, its names, its mailbox; only the keyboard is here.  Not here: the steps
before (`player.py`).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from pyx.shell.evaluate import reads_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.scenario.nodes import NodeProcess
    from pyx.scenario.player import Player

_LISTEN_SECONDS: Final = 0.05
_FOREVER: Final = 1e9


def visit(
    player: Player, name: str | None, read_line: Callable[[str], str], show: Callable[[str], None]
) -> None:
    """Converses with the node *name* (None: the one that was typed at last) until the end of input.

    Args:
        player: has played up to here.
        name: the node, in full or its first part.
        read_line: shows a prompt, gives a line; raises EOFError at the end.
        show: shows a line.
    """
    node = _find(player, name)
    if node is None:
        running = ", ".join(one.name or "(no name)" for one in player.cast.current.values() if not one.left)
        show(f"there is no node {name or ''} here; running: {running or 'none'}")
        return
    shown: dict[NodeProcess, int] = {}
    while not node.left:
        player.cast.wait(lambda: False, _LISTEN_SECONDS)
        _show_new(player, node, shown, show)
        try:
            code = _read(node.prompt, read_line)
        except EOFError:
            return
        except KeyboardInterrupt:
            show("")
            continue
        if not code.strip():
            continue
        number = node.request("eval", code=player.names.substitute(code, node.view))
        _await(player, node, number)
        _show_new(player, node, shown, show)


def _find(player: Player, name: str | None) -> NodeProcess | None:
    live = [node for node in player.cast.current.values() if not node.left]
    if name is None:
        return live[-1] if live else None
    return next((node for node in live if name in {node.name, node.name.partition("@")[0]}), None)


def _read(prompt: str, read_line: Callable[[str], str]) -> str:
    code = read_line(prompt)
    while reads_on(code):
        code += "\n" + read_line("..." + prompt[3:])
    return code


def _await(player: Player, node: NodeProcess, number: int) -> None:
    while number not in node.finished and not node.left:
        try:
            player.cast.wait(lambda: number in node.finished or node.left, _FOREVER)
        except KeyboardInterrupt:
            with contextlib.suppress(ProcessLookupError):
                node.signal("INT")


def _show_new(
    player: Player, node: NodeProcess, shown: dict[NodeProcess, int], show: Callable[[str], None]
) -> None:
    for other in player.cast.nodes.all:
        mark = "" if other is node else f"[{other.name}] "
        for unit in other.units[shown.get(other, 0) :]:
            for line in unit.lines:
                show(mark + line)
        shown[other] = len(other.units)
