"""What was measured, kept as JSON: a group that is measured again replaces what was kept of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Round: TypeAlias = dict[str, dict[str, dict[str, float]]]
"""Samples by contender and case."""


class Measured(NamedTuple):
    """All rounds of one group, pinned one way."""

    group: str
    pin: str
    date: str
    machine: str
    load: tuple[float, float]
    """The least and the highest load average of a minute before each measurement."""
    secs: float
    rounds: list[Round]
    failures: list[str]
    """What failed or was skipped, as sentences."""

    @property
    def key(self) -> str:
        """Names the group and the way."""
        return f"{self.group}/{self.pin}"

    @property
    def contenders(self) -> list[str]:
        """Those that measured anything, in the order of their first result."""
        return list(dict.fromkeys(name for played in self.rounds for name in played))


def load(path: Path) -> dict[str, Measured]:
    """Reads what is kept; nothing if there is no such file."""
    if not path.exists():
        return {}
    kept = [Measured(**fields) for fields in json.loads(path.read_text())]
    return {one.key: one._replace(load=(one.load[0], one.load[1])) for one in kept}


def keep(path: Path, measured: Iterable[Measured]) -> dict[str, Measured]:
    """Writes *measured* beside the other groups that are kept there; returns all of them."""
    kept = load(path) | {one.key: one for one in measured}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = ",\n".join(json.dumps(_rounded(one._asdict()), separators=(",", ":")) for one in kept.values())
    path.write_text(f"[\n{text}\n]\n")
    return kept


def _rounded(value: object) -> object:
    """Four digits are more than any measurement is worth."""
    match value:
        case float():
            return float(f"{value:.4g}")
        case dict():
            return {key: _rounded(one) for key, one in value.items()}
        case list() | tuple():
            return [_rounded(one) for one in value]
        case _:
            return value
