"""The candidates at the end of a text."""

from __future__ import annotations

import builtins
from typing import Any

from pyx.shell.completion import NameSources, complete


def completed(text: str, names: dict[str, Any] | None = None, **sources: Any) -> list[str]:
    """Returns the candidates at the end of *text*; each source is given as its names."""
    given = {name: (lambda found=found: found) for name, found in sources.items()}
    return complete(text, len(text), NameSources(names or {}, vars(builtins), **given)).candidates
