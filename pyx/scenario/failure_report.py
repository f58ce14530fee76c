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

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.characters import look_alike, with_escapes, without_controls
from pyx.scenario.expressions import ExpressionTooSlow
from pyx.scenario.match_line import expected_line, match_line, protected
from pyx.scenario.output_units import EVAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyx.scenario.bindings import Bindings, NodeView
    from pyx.scenario.node_process import NodeProcess
    from pyx.scenario.output_units import OutputUnit
    from pyx.scenario.player import Player, StepFailure

_MOST_LINES: Final = 60
"""Of one diff: a wall of log does not help, and the log itself is at hand."""
_MOST_OF_A_SIGN: Final = 20
_CONTEXT: Final = 3
"""So many lines stand around what differs in a longer one."""
_MOST_COMPARED: Final = 200
"""So many lines of both sides are set against each other, from the first that differs on."""


class DiffLine(NamedTuple):
    """One line of a diff: `sign` is `" "`, `"-"` (expected, not there) or `"+"` (there, not expected)."""

    sign: str
    text: str


def difference(
    written: Sequence[str], shown: Sequence[str], bindings: Bindings, view: NodeView
) -> list[DiffLine]:
    """The expected lines against those shown, in the file's names."""
    lines = [expected_line(line) for line in written]
    before = bindings.savepoint()

    def same(row: int, column: int) -> bool:
        try:
            return lines[row].kind != "dots" and match_line(lines[row], shown[column], bindings, view)
        except ExpressionTooSlow:
            return False
        finally:
            bindings.rollback(before)

    pairs = _common(len(lines), len(shown), same)
    found: list[DiffLine] = []
    row = column = 0
    for pair in [*pairs, (len(lines), len(shown))]:
        found += [DiffLine("-", line.written) for line in lines[row : pair[0]]]
        found += [DiffLine("+", protected(bindings.rename(text, view))) for text in shown[column : pair[1]]]
        if pair[0] < len(lines):
            found.append(DiffLine(" ", lines[pair[0]].written))
        row, column = pair[0] + 1, pair[1] + 1
    bindings.rollback(before)
    return found


def _common(rows: int, columns: int, same: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """The pairs that a diff shows as equal: those at both ends, a longest common subsequence between them."""
    first = 0
    while first < min(rows, columns) and same(first, first):
        first += 1
    last = 0
    while last < min(rows, columns) - first and same(rows - 1 - last, columns - 1 - last):
        last += 1
    middle = _longest_common(
        min(rows - first - last, _MOST_COMPARED),
        min(columns - first - last, _MOST_COMPARED),
        lambda row, column: same(first + row, first + column),
    )
    return [
        *((at, at) for at in range(first)),
        *((first + row, first + column) for row, column in middle),
        *((rows - at, columns - at) for at in range(last, 0, -1)),
    ]


def _longest_common(rows: int, columns: int, same: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """The pairs of a longest common subsequence."""
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


def describe(failure: StepFailure, player: Player, path: str, logs: str) -> str:
    """The text of a failure, ending with a newline."""
    node = failure.node
    who = "" if node is None else f"{node.name or 'the shell without a name'}: "
    lines = [f"FAIL {path}:{failure.line}  {who}{failure.problem} ({failure.seconds:.1f} s)"]
    shown = () if failure.step is None else failure.step.written
    lines += [f"    {without_controls(line)}" for line in shown]
    if node is not None:
        lines += _diff_lines(failure, node, player.bindings)
        mentioned = "\n".join([*shown, *failure.block.lines])
        bound = player.bindings.explain(mentioned, node.view)
        if bound:
            lines.append(f"    bound: {'; '.join(bound)}")
    for other in player.nodes.processes.all:
        if other is not node:
            lines += _unclaimed(other, other.units, player.bindings)
    for name, text in failure.dumps:
        lines.append(f"    {name}:")
        lines += [f"      {without_controls(line)}" for line in text.split("\n")]
    lines.append(f"    logs: {logs}")
    look = f"pyx replay {path} --stop-at {failure.line}"
    lines.append(
        f"    look: {look} --shell {node.name}" if node is not None and node.name else f"    look: {look}"
    )
    return "\n".join(lines) + "\n"


def _diff_lines(failure: StepFailure, node: NodeProcess, bindings: Bindings) -> list[str]:
    # What the step itself showed comes first: it is what the block is mostly about.
    own = [unit for unit in failure.shown if unit.source == EVAL]
    others = [unit for unit in failure.shown if unit.source != EVAL]
    texts = [line for unit in (*own, *others) for line in unit.lines]
    found = difference(failure.block.lines, texts, bindings, node.view)
    lines = _diff_text(found)
    sources = {unit.source for unit in others}
    if sources:
        lines.append(
            f"    from: {', '.join(sorted(bindings.rename(source, node.view) for source in sources))}"
        )
    return lines


def _diff_text(found: Sequence[DiffLine]) -> list[str]:
    """The lines of a diff; where two differ in nothing that can be seen, with escapes, and a note."""
    if len(found) > _MOST_LINES:
        found = _shortened(found)
    alike = {
        text
        for gone in found
        for came in found
        if gone.sign == "-" and came.sign == "+" and look_alike(gone.text, came.text)
        for text in (gone.text, came.text)
    }
    lines = [
        f"  {sign} {with_escapes(text) if text in alike else without_controls(text)}".rstrip()
        for sign, text in found
    ]
    if alike:
        lines.append("    (lines that look the same are shown with escapes)")
    return lines


def _shortened(found: Sequence[DiffLine]) -> list[DiffLine]:
    """What differs, with some lines around it, and how much was left out."""
    near = {
        near
        for at, one in enumerate(found)
        if one.sign != " "
        for near in range(at - _CONTEXT, at + _CONTEXT + 1)
    }
    kept: list[DiffLine] = []
    left_out = 0
    for at, one in enumerate(found):
        if at not in near:
            left_out += 1
            continue
        kept += _gap(left_out)
        left_out = 0
        kept.append(one)
    kept += _gap(left_out)
    runs = [list(run) for _, run in itertools.groupby(kept, key=lambda one: one.sign)]
    shown = [line for run in runs for line in (*run[:_MOST_OF_A_SIGN], *_rest(run))]
    return [*shown[:_MOST_LINES], *_rest(shown, _MOST_LINES)]


def _gap(lines: int) -> Iterator[DiffLine]:
    if lines:
        yield DiffLine(" ", f"... {lines} lines as expected")


def _rest(lines: Sequence[DiffLine], most: int = _MOST_OF_A_SIGN) -> Iterator[DiffLine]:
    if len(lines) > most:
        yield DiffLine(lines[-1].sign, f"... {len(lines) - most} more lines")


def _unclaimed(node: NodeProcess, units: Iterable[OutputUnit], bindings: Bindings) -> list[str]:
    before = bindings.savepoint()
    name = node.name or "the shell without a name"
    lines = [
        f"    unclaimed on {name} after {unit.at:.2f} s, from {bindings.rename(unit.source, node.view)}: "
        + without_controls(bindings.rename(line, node.view))
        for unit in units
        for line in unit.lines
    ]
    bindings.rollback(before)
    return lines[:_MOST_LINES]
