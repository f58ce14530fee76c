"""The decisions of a dynamic supervisor: children without ids, each restarted alone.  See `restarts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.otp.child_errors import ChildNotFound, TooManyChildren
from pyx.otp.planned_ends import is_planned
from pyx.otp.restarts import SupervisedChild
from pyx.otp.supervision_steps import (
    GIVE_UP,
    EndedForGood,
    FailedToStart,
    GaveUp,
    NotRestarted,
    NotStarted,
    Restarted,
    Start,
    Started,
    StopChild,
    StopTogether,
    TryAgain,
)

if TYPE_CHECKING:
    from pyx.otp.children import ChildSpec
    from pyx.otp.restart_intensity import RestartIntensity
    from pyx.otp.supervision_steps import Plan
    from pyx.terms import Pid


class DynamicRestarts:
    """The children of one dynamic supervisor.

    Args:
        intensity: counts the restarts.
        max_children: the most children at one time, those that are being restarted included; None for any
            number.
    """

    def __init__(self, intensity: RestartIntensity, max_children: int | None = None) -> None:
        self._intensity = intensity
        self._max_children = max_children
        self._children: dict[Pid, SupervisedChild] = {}
        """By its pid, or the last one it had if it is being restarted."""

    @property
    def children(self) -> list[SupervisedChild]:
        """The children, newest first."""
        return list(reversed(self._children.values()))

    def start_child(self, spec: ChildSpec) -> Plan[Started | NotStarted]:
        """Starts a child; one whose start fails, or that does not want to run, is not kept.

        Raises:
            TooManyChildren: there are `max_children` of them.
        """
        if self._max_children is not None and len(self._children) >= self._max_children:
            raise TooManyChildren(spec.id)
        answer: Started | NotStarted = yield Start(spec)
        if isinstance(answer, Started) and answer.pid is not None:
            self._keep(SupervisedChild(spec), answer.pid)
        return answer

    def terminate_child(self, pid: Any) -> Plan[None]:
        """Stops a child and forgets it; one that is being restarted is named by its last pid.

        Raises:
            ChildNotFound: there is no such child.
        """
        try:
            child = self._children[pid]
        except (KeyError, TypeError):  # what has no hash is not a pid
            raise ChildNotFound(pid) from None
        if child.pid is not None:
            yield StopChild(child.spec, child.pid)
        del self._children[pid]

    def stop_all(self) -> Plan[None]:
        """Stops all children at once: unlike a supervisor's, they do not depend on each other."""
        running = [StopChild(child.spec, child.pid) for child in self.children if child.pid is not None]
        self._children.clear()
        if running:
            yield StopTogether(running)

    def exited(self, pid: Pid, reason: Any, now: float) -> Plan[TryAgain | str | None]:
        """The process *pid* has ended: a child, or any other process that was linked to the supervisor.

        Returns:
            None, `TryAgain` or `GIVE_UP`, as `Restarts.exited`.
        """
        child = self._children.get(pid)
        if child is None or child.is_restarting:
            return None
        planned, restart = is_planned(reason), child.spec.restart
        if restart == "permanent" or (restart == "transient" and not planned):
            child.ended_by = reason
            return (yield from self._restart(pid, child, now))
        del self._children[pid]
        if not planned:
            yield EndedForGood(child.spec, reason)
        return None

    def try_again(self, pid: Any, now: float) -> Plan[TryAgain | str | None]:
        """Repeats a restart that has failed, unless the child was terminated meanwhile."""
        child = self._children.get(pid)
        if child is None or not child.is_restarting:
            return None
        return (yield from self._restart(pid, child, now))

    def _restart(self, pid: Pid, child: SupervisedChild, now: float) -> Plan[TryAgain | str | None]:
        spec, reason = child.spec, child.ended_by
        child.runs_as(None)
        used = self._intensity.add(now)
        if not self._intensity.allows(used):
            del self._children[pid]
            yield GaveUp(spec, reason, used, self._intensity)
            return GIVE_UP
        answer: Started | NotStarted = yield Start(spec)
        if isinstance(answer, NotStarted):
            child.is_restarting = True
            child.ended_by = answer.reason
            yield NotRestarted(spec, reason, FailedToStart(spec, answer.reason), used, self._intensity)
            return TryAgain(pid)
        del self._children[pid]
        if answer.pid is not None:
            child.restarts += 1
            self._keep(child, answer.pid)
        yield Restarted(spec, reason, answer.pid, [], used, self._intensity)
        return None

    def _keep(self, child: SupervisedChild, pid: Pid) -> None:
        child.runs_as(pid)
        self._children[pid] = child
