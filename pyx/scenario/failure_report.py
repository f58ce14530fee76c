"""The report of a failure: the place, the step, the diff in the file's own names, and further facts.

FAIL scenarios/product_stock.pyxt:38  server@vm: the output differs (- expected, + actual), 5.0 s
    pyx(server@vm)5>
  - #PID<3.119.0> added a new item on stock
  + #PID<3.119.0> checked the stock
    bound: <3.119.0> = <1.44.0> of store@vm
    unclaimed on gus@vm after 1.20 s, from log: [warning] ...
    logs: /tmp/pyx-x1y2/logs
    open a shell there: pyx replay scenarios/product_stock.pyxt --stop-at 38 --shell server@vm
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
    from pyx.scenario.player import Player
    from pyx.scenario.step_failure import StepFailure

_MOST_LINES: Final = 60
"""The length of one diff: more does not help, and the logs are kept."""
_MOST_OF_A_SIGN: Final = 20
"""The length of one run of expected, or of actual lines in a diff."""
_CONTEXT: Final = 3
"""The number of equal lines around each difference of a longer diff."""
_MOST_COMPARED: Final = 200
"""The number of lines on each side that are compared with each other, from the first difference on."""


class DiffLine(NamedTuple):
    """One line of a diff: `sign` is `"-"` (expected only), `"+"` (actual only) or `" "` (both)."""

    sign: str
    text: str


def diff(written: Sequence[str], actual: Sequence[str], bindings: Bindings, view: NodeView) -> list[DiffLine]:
    """Returns the diff of the expected and the actual lines, in the file's names; binds nothing."""
    lines = [expected_line(line) for line in written]
    before = bindings.savepoint()

    def fits(row: int, column: int) -> bool:
        try:
            return lines[row].kind != "dots" and match_line(lines[row], actual[column], bindings, view)
        except ExpressionTooSlow:
            return False
        finally:
            bindings.rollback(before)

    pairs = _common(len(lines), len(actual), fits)
    found: list[DiffLine] = []
    row = column = 0
    for pair in [*pairs, (len(lines), len(actual))]:
        found += [DiffLine("-", line.written) for line in lines[row : pair[0]]]
        found += [DiffLine("+", protected(bindings.rename(text, view))) for text in actual[column : pair[1]]]
        if pair[0] < len(lines):
            found.append(DiffLine(" ", lines[pair[0]].written))
        row, column = pair[0] + 1, pair[1] + 1
    bindings.rollback(before)
    return found


def _common(rows: int, columns: int, same: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """Returns the equal pairs: those at both ends, and a longest common subsequence between them."""
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
    """Returns the pairs of a longest common subsequence."""
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
    """Returns the report of a failure, with a newline at its end."""
    node = failure.node
    where = "" if node is None else f"{node.name or 'the shell without a name'}: "
    lines = [f"FAIL {path}:{failure.line}  {where}{failure.problem}, {failure.seconds:.1f} s"]
    written = () if failure.step is None else failure.step.written
    lines += [f"    {without_controls(line)}" for line in written]
    if node is not None:
        lines += _diff_lines(failure, node, player.bindings)
        mentioned = "\n".join([*written, *failure.block.lines])
        bound = player.bindings.explain(mentioned, node.view)
        if bound:
            lines.append(f"    bound: {'; '.join(bound)}")
    for other in player.nodes.processes.all:
        if other is not node:
            lines += _unclaimed(other, other.units, player.bindings)
    for name, text in failure.dumps:
        lines.append(f"    {name}:")
        lines += [f"      {without_controls(line)}" for line in text.split("\n")]
    if failure.dumps:
        lines.append(
            "    to wait longer: $ timeout 20s above the step, or PYX_TIMEOUT_SCALE=3 on a slow machine"
        )
    lines.append(f"    logs: {logs}")
    shell = f" --shell {node.name}" if node is not None and node.name else ""
    lines.append(f"    open a shell there: pyx replay {path} --stop-at {failure.line}{shell}")
    return "\n".join(lines) + "\n"


def _diff_lines(failure: StepFailure, node: NodeProcess, bindings: Bindings) -> list[str]:
    # The output of the step itself first: most lines of the block are about it.
    own = [unit for unit in failure.output if unit.source == EVAL]
    others = [unit for unit in failure.output if unit.source != EVAL]
    texts = [line for unit in (*own, *others) for line in unit.lines]
    found = diff(failure.block.lines, texts, bindings, node.view)
    lines = _diff_text(found)
    sources = {unit.source for unit in others}
    if sources:
        lines.append(
            f"    from: {', '.join(sorted(bindings.rename(source, node.view) for source in sources))}"
        )
    return lines


def _diff_text(found: Sequence[DiffLine]) -> list[str]:
    """Returns the lines of a diff as text; two lines that look the same are written with escapes."""
    if len(found) > _MOST_LINES:
        found = _shortened(found)
    alike = {
        text
        for missing in found
        for extra in found
        if missing.sign == "-" and extra.sign == "+" and look_alike(missing.text, extra.text)
        for text in (missing.text, extra.text)
    }
    lines = [
        f"  {sign} {with_escapes(text) if text in alike else without_controls(text)}".rstrip()
        for sign, text in found
    ]
    if alike:
        lines.append("    (lines that differ and look the same are written with escapes)")
    return lines


def _shortened(found: Sequence[DiffLine]) -> list[DiffLine]:
    """Returns the differences with some lines around each, and the numbers of lines left out."""
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
    cut = [line for run in runs for line in (*run[:_MOST_OF_A_SIGN], *_rest(run))]
    return [*cut[:_MOST_LINES], *_rest(cut, _MOST_LINES)]


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
