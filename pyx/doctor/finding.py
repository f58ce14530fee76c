"""One line of the report of `pyx doctor`."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Level: TypeAlias = Literal["ok", "warning", "failed"]


class Finding(NamedTuple):
    """What was looked at, and what came of it; a warning or a failure says in `mend` what to do.

    `"failed"`: something would fail, and the text says what; `"warning"`: it works, but not as it could.
    """

    check: str
    level: Level
    text: str
    mend: str = ""

    def line(self) -> str:
        """Returns the finding as the command prints it."""
        mend = f" (mend: {self.mend})" if self.mend else ""
        return f"{self.level:<8} {self.check:<10} {self.text}{mend}"
