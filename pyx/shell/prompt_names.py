"""The public names of pyx, which every prompt has; some are loaded by the first input that reads them.

A start loads nothing of `pyx.otp`, `pyx.pubsub` and `pyx.cluster`, nor for Erlang nodes: see
`tests/stories/first_prompt_modules.txt`.
"""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, Any, Final

import pyx
from pyx import _PUBLIC_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LATE_NAMES: Final = frozenset(
    name
    for module, names in _PUBLIC_NAMES.items()
    if module.startswith(("pyx.otp.", "pyx.pubsub.", "pyx.cluster.")) or module == "pyx.erlang_terms"
    for name in names
) | {"beam"}
"""The public names that no start loads."""


def public_names() -> dict[str, Any]:
    """Returns name -> value, as `from pyx import *` would bind them, without the late names."""
    return {name: getattr(pyx, name) for name in pyx.__all__ if name not in LATE_NAMES}


def late_names(read: Iterable[str]) -> dict[str, Any]:
    """Returns name -> value of the late names among *read*, and loads their modules."""
    return {name: getattr(pyx, name) for name in LATE_NAMES.intersection(read)}


def names_read(code: CodeType) -> Iterator[str]:
    """Yields the global names in *code* and in the functions and classes inside it; attributes too."""
    yield from code.co_names
    for inner in code.co_consts:
        if type(inner) is CodeType:
            yield from names_read(inner)
