"""Prints what `coverage json` measured, a row for each file of `pyx/`, with the test files that name it.

nox -s coverage                              measures, and prints this
python -m tests.coverage_table FILE.json     prints it again
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.mirror import named_by

_HEAD: Final = ("file", "lines", "branches", "not run", "named by")


def rows(report: dict[str, Any]) -> list[tuple[str, ...]]:
    """The cells of the table, a total below."""
    measured = {name.removeprefix("pyx/"): file for name, file in report["files"].items()}
    table = [
        (
            source,
            *shares(measured[source]["summary"]),
            missing(measured[source]["missing_lines"]),
            " ".join(tests),
        )
        for source, tests in named_by().items()
        if source in measured
    ]
    return [*table, ("all", *shares(report["totals"]), "", "")]


def shares(summary: dict[str, Any]) -> tuple[str, str]:
    """The shares of lines and of branches that were run."""
    return (
        share(summary["covered_lines"], summary["num_statements"]),
        share(summary["covered_branches"], summary["num_branches"]),
    )


def share(part: int, whole: int) -> str:
    """A percentage, rounded down, so that 100 is all; a dash where there is nothing to run."""
    return f"{100 * part // whole}" if whole else "-"


def missing(lines: list[int]) -> str:
    """The lines that were not run, as ranges; at most eight."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges]
    return ",".join(shown[:8]) + (",..." if len(shown) > 8 else "")


def main() -> None:
    """Prints the table of the report named on the command line."""
    table = [_HEAD, *rows(json.loads(Path(sys.argv[1]).read_text()))]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for file, lines, branches, *rest in table:
        figures = [lines.rjust(widths[1]), branches.rjust(widths[2])]
        words = [word.ljust(width) for word, width in zip(rest, widths[3:], strict=True)]
        print("  ".join([file.ljust(widths[0]), *figures, *words]).rstrip())


if __name__ == "__main__":
    main()
