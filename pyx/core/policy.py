"""The policy on code of a peer's choice: the one check of everything that would run some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.signals import Call, Spawn

if TYPE_CHECKING:
    from pyx.signals import Signal

RUNS_CODE: Final = frozenset({Call, Spawn})
"""The requests that run code of the peer's choice; the others observe, which every policy allows."""


def allows(policy: str, kind: type[Signal], *, marked: bool | None = None) -> bool:
    """Returns whether a peer may make a request of that kind.

    Under `"exported"` that depends on the function, so the check is repeated before it is run.

    Args:
        policy: one of `options.RPC_POLICIES`.
        kind: of the request.
        marked: whether the function is marked `@rpc.export`; None when it is not known yet.
    """
    if kind not in RUNS_CODE or policy == "open":
        return True
    return policy == "exported" and marked is not False
