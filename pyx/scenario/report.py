"""A failure as its reader wants it: where, the step, the diff in the file's own names, what is known besides.

    FAIL scenarios/product_stock.pyxt:38  server@vm: the screen shows something else (5.0 s)
        pyx(server@vm)5>
      - #PID<3.119.0> added a new item on stock
      + #PID<3.119.0> checked the stock
        bound: <3.119.0> = <1.44.0> of store@vm
        unclaimed on gus@vm: [warning] ...
        logs: /tmp/pyx-x1y2/logs
        look: pyx replay scenarios/product_stock.pyxt --stop-at 38 --shell server@vm

Not here: finding out what failed (`player.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.expectation import expected_line, match_line, protected
from pyx.scenario.matching import EVAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyx.scenario.matching import Unit
    from pyx.scenario.nodes import NodeProcess
    from pyx.scenario.player import Failure, Player
    from pyx.scenario.renaming import Renaming, View

_MOST_LINES: Final = 60
"""Of one diff: a wall of log helps nobody, and the log itself is at hand."""


class Difference(NamedTuple):
    """One line of a diff: `sign` is `" "`, `"-"` (expected, not there) or `"+"` (there, not expected)."""

    sign: str
    text: str


def difference(written: Sequence[str], shown: Sequence[str], names: Renaming, view: View) -> list[Difference]:
    """The expected lines against those shown, in the file's names."""
    lines = [expected_line(line) for line in written]
    before = names.mark()

    def same(row: int, column: int) -> bool:
        fits = lines[row].kind != "dots" and match_line(lines[row], shown[column], names, view)
        names.rewind(before)
        return fits

    pairs = _longest_common(len(lines), len(shown), same)
    found: list[Difference] = []
    row = column = 0
    for pair in [*pairs, (len(lines), len(shown))]:
        found += [Difference("-", line.written) for line in lines[row : pair[0]]]
        found += [Difference("+", protected(names.rename(text, view))) for text in shown[column : pair[1]]]
        if pair[0] < len(lines):
            found.append(Difference(" ", lines[pair[0]].written))
        row, column = pair[0] + 1, pair[1] + 1
    names.rewind(before)
    return found


def _longest_common(rows: int, columns: int, same: object) -> list[tuple[int, int]]:
    """The pairs of a longest common subsequence."""
    assert callable(same)
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    fits = [[same(row, column) for column in range(columns)] for row in range(rows)]
    for row in reversed(range(rows)):
        for column in reversed(range(columns)):
            longest = max(best[row + 1][column], best[row][column + 1])
            best[row][column] = max(longest, best[row + 1][column + 1] + 1 if fits[row][column] else 0)
    pairs: list[tuple[int, int]] = []
    row = column = 0
    while row < rows and column < columns:
        if fits[row][column] and best[row][column] == best[row + 1][column + 1] + 1:
            pairs.append((row, column))
            row, column = row + 1, column + 1
        elif best[row + 1][column] >= best[row][column + 1]:
            row += 1
        else:
            column += 1
    return pairs


def describe(failure: Failure, player: Player, path: str, logs: str) -> str:
    """The text of a failure, ending with a newline."""
    node = failure.node
    who = "" if node is None else f"{node.name or 'the shell without a name'}: "
    lines = [f"FAIL {path}:{failure.line}  {who}{failure.problem} ({failure.seconds:.1f} s)"]
    shown = () if failure.step is None else failure.step.shown
    lines += [f"    {line}" for line in shown]
    if node is not None:
        lines += _diff_lines(failure, node, player.names)
        mentioned = "\n".join([*shown, *failure.block.lines])
        bound = player.names.explain(mentioned, node.view)
        if bound:
            lines.append(f"    bound: {'; '.join(bound)}")
    for other in player.cast.nodes.all:
        if other is not node:
            lines += _unclaimed(other, other.units, player.names)
    for name, text in failure.dumps:
        lines.append(f"    {name}:")
        lines += [f"      {line}" for line in text.split("\n")]
    lines.append(f"    logs: {logs}")
    look = f"pyx replay {path} --stop-at {failure.line}"
    lines.append(
        f"    look: {look} --shell {node.name}" if node is not None and node.name else f"    look: {look}"
    )
    return "\n".join(lines) + "\n"


def _diff_lines(failure: Failure, node: NodeProcess, names: Renaming) -> list[str]:
    # What the step itself showed comes first: it is what the block is mostly about.
    own = [unit for unit in failure.shown if unit.source == EVAL]
    others = [unit for unit in failure.shown if unit.source != EVAL]
    texts = [line for unit in (*own, *others) for line in unit.lines]
    found = difference(failure.block.lines, texts, names, node.view)
    lines = [f"  {sign} {text}".rstrip() for sign, text in found]
    sources = {unit.source for unit in others}
    if sources:
        lines.append(f"    from: {', '.join(sorted(names.rename(source, node.view) for source in sources))}")
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"    ... {len(lines) - _MOST_LINES} more lines"]
    return lines


def _unclaimed(node: NodeProcess, units: Iterable[Unit], names: Renaming) -> list[str]:
    before = names.mark()
    name = node.name or "the shell without a name"
    lines = [
        f"    unclaimed on {name} after {unit.at:.2f} s, from {names.rename(unit.source, node.view)}: "
        + names.rename(line, node.view)
        for unit in units
        for line in unit.lines
    ]
    names.rewind(before)
    return lines[:_MOST_LINES]
