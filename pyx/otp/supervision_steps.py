"""The steps of a supervisor's plans, what comes of them, and what a plan returns, as plain values."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from pyx.otp.children import ChildSpec
    from pyx.otp.restart_intensity import RestartIntensity
    from pyx.terms import Pid

# ---------------------------------------------------------------- to be done


class Start(NamedTuple):
    """Start a child; `Started` or `NotStarted` comes of it."""

    spec: ChildSpec


class StopChild(NamedTuple):
    """Stop a child as its specification says, and wait until it has ended."""

    spec: ChildSpec
    pid: Pid


class StopTogether(NamedTuple):
    """Stop several children at once, and wait until all have ended."""

    children: list[StopChild]


# ---------------------------------------------------------------- to be reported


class Restarted(NamedTuple):
    """A child had ended, and is started anew, with *others* that its end concerns."""

    spec: ChildSpec
    reason: Any
    pid: Pid | None
    others: list[ChildSpec]
    used: int
    intensity: RestartIntensity


class NotRestarted(NamedTuple):
    """A child had ended; it, or another one that its end concerns, could not be started anew."""

    spec: ChildSpec
    reason: Any
    failed: FailedToStart
    used: int
    intensity: RestartIntensity


class EndedForGood(NamedTuple):
    """A temporary child has crashed; it is not started anew."""

    spec: ChildSpec
    reason: Any


class GaveUp(NamedTuple):
    """A child has ended once more than the intensity allows."""

    spec: ChildSpec
    reason: Any
    used: int
    intensity: RestartIntensity


# ---------------------------------------------------------------- what comes of a start


class Started(NamedTuple):
    """A child runs; without a pid it has said that it does not want to (`Ignore`)."""

    pid: Pid | None


class NotStarted(NamedTuple):
    """A child could not be started; the reason may be `("already_started", pid)`."""

    reason: Any


class FailedToStart(NamedTuple):
    """Of several children that were to be started, the one that could not be."""

    spec: ChildSpec
    reason: Any


# ---------------------------------------------------------------- what a plan returns


class TryAgain(NamedTuple):
    """A restart has failed, and is to be repeated after a look at the mailbox.

    `child` is what the input `try_again` takes: an id, or the last pid of a dynamic child.
    """

    child: Any


GIVE_UP: Final = "give_up"
"""The supervisor stops its children and ends with the reason `"shutdown"`."""

Step: TypeAlias = Start | StopChild | StopTogether | Restarted | NotRestarted | EndedForGood | GaveUp

_T = TypeVar("_T")

Plan: TypeAlias = Generator[Step, Any, _T]
