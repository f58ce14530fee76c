"""The decisions of a supervisor: which child is started, stopped or given up, and in which order.

This is OTP's `supervisor` without its processes.  Each input is a generator, a *plan*: it yields one step
after the other (those of `supervision_steps.py`), is sent what came of each, and returns what follows.  Time
is an argument.  A test plays the plans by hand; a supervisor's process carries them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.otp.child_errors import (
    ChildAlreadyPresent,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    ChildSpecInvalid,
)
from pyx.otp.planned_ends import is_planned
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
    TryAgain,
)

if TYPE_CHECKING:
    from pyx.otp.children import ChildSpec
    from pyx.otp.restart_intensity import RestartIntensity
    from pyx.otp.supervision_steps import Plan
    from pyx.terms import Pid


class SupervisedChild:
    """One child: its specification, and its process, if there is one."""

    __slots__ = ("ended_by", "is_restarting", "pid", "restarts", "spec")

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.pid: Pid | None = None
        self.is_restarting = False
        """True after a restart has failed, until the next one."""
        self.ended_by: Any = None
        """The reason of its last end."""
        self.restarts = 0

    @property
    def state(self) -> Pid | str | None:
        """What `which_children` says of its process."""
        return "restarting" if self.is_restarting else self.pid

    def runs_as(self, pid: Pid | None) -> None:
        """Notes its process, or that there is none."""
        self.pid = pid
        self.is_restarting = False


class Restarts:
    """The children of one supervisor, in the order of their start.

    Args:
        strategy: `"one_for_one"`, `"rest_for_one"` or `"one_for_all"`.
        intensity: counts the restarts.
        auto_shutdown: `"never"`, `"any_significant"` or `"all_significant"`.
    """

    def __init__(self, strategy: str, intensity: RestartIntensity, auto_shutdown: str = "never") -> None:
        self._strategy = strategy
        self._intensity = intensity
        self._auto_shutdown = auto_shutdown
        self._children: dict[Any, SupervisedChild] = {}
        self._ids: dict[Pid, Any] = {}
        """The ids of the children that have a process."""

    @property
    def children(self) -> list[SupervisedChild]:
        """The children, newest first, as OTP lists them."""
        return list(reversed(self._children.values()))

    # ------------------------------------------------------------ the supervisor starts and stops

    def start_all(self, specs: list[ChildSpec]) -> Plan[FailedToStart | None]:
        """Starts the children in order; if one fails, those before it are stopped, and that is returned."""
        self._children = {spec.id: SupervisedChild(spec) for spec in specs}
        failed = yield from self._start_in_order(list(self._children.values()))
        if failed is not None:
            yield from self.stop_all()
        return failed

    def stop_all(self) -> Plan[None]:
        """Stops all children, the newest first."""
        yield from self._stop_in_reverse(list(self._children.values()))

    # ------------------------------------------------------------ children end

    def exited(self, pid: Pid, reason: Any, now: float) -> Plan[TryAgain | str | None]:
        """The process *pid* has ended: a child, or any other process that was linked to the supervisor.

        Returns:
            None; or `TryAgain`, which is to become the input `try_again` once the mailbox was looked at; or
            `GIVE_UP`: the supervisor ends.
        """
        if (child := self._children.get(self._ids.get(pid))) is None:
            return None
        self._forget_process(child)
        child.ended_by = reason
        planned, restart = is_planned(reason), child.spec.restart
        if restart == "permanent" or (restart == "transient" and not planned):
            return (yield from self._restart(child, now))
        if restart == "temporary":
            del self._children[child.spec.id]
            if not planned:
                yield EndedForGood(child.spec, reason)
        return self._after_planned_end(child)

    def try_again(self, id: Any, now: float) -> Plan[TryAgain | str | None]:  # noqa: A002 - OTP's word
        """Repeats a restart that has failed, unless the child was stopped or started meanwhile."""
        child = self._children.get(id)
        if child is None or not child.is_restarting:
            return None
        return (yield from self._restart(child, now))

    # ------------------------------------------------------------ requests

    def start_child(self, spec: ChildSpec) -> Plan[Started | NotStarted]:
        """Adds a child and starts it; one whose start fails is not kept.

        Raises:
            ChildSpecInvalid: it is significant, and this supervisor never shuts itself down.
            ChildRestarting, ChildAlreadyPresent: a child of that id is there.
        """
        self.check(spec)
        present = self._children.get(spec.id)
        if present is not None:
            if present.pid is not None:
                return NotStarted(("already_started", present.pid))
            raise ChildAlreadyPresent(spec.id)
        child = SupervisedChild(spec)
        answer: Started | NotStarted = yield Start(spec)
        if isinstance(answer, Started) and not (answer.pid is None and spec.restart == "temporary"):
            self._children[spec.id] = child
            self._note_process(child, answer.pid)
        return answer

    def terminate_child(self, id: Any) -> Plan[None]:  # noqa: A002 - OTP's word
        """Stops a child, and keeps its specification unless it is temporary; also ends its restart.

        Raises:
            ChildNotFound: there is no such child.
        """
        child = self._find(id)
        yield from self._stop_in_reverse([child])

    def restart_child(self, id: Any) -> Plan[Started | NotStarted]:  # noqa: A002 - OTP's word
        """Starts a child that does not run.

        Raises:
            ChildNotFound, ChildRunning, ChildRestarting: see `child_errors.py`.
        """
        child = self._find_stopped(id)
        answer: Started | NotStarted = yield Start(child.spec)
        if isinstance(answer, Started):
            self._note_process(child, answer.pid)
        return answer

    def delete_child(self, id: Any) -> None:  # noqa: A002 - OTP's word
        """Forgets a child that does not run.

        Raises:
            ChildNotFound, ChildRunning, ChildRestarting: see `child_errors.py`.
        """
        del self._children[self._find_stopped(id).spec.id]

    def check(self, spec: ChildSpec) -> None:
        """Raises ChildSpecInvalid for a significant child of a supervisor that never shuts itself down."""
        if spec.significant and self._auto_shutdown == "never":
            raise ChildSpecInvalid(
                f"{spec.name} is significant, but this supervisor has auto_shutdown='never'",
                ("start_spec", ("bad_combination", [("auto_shutdown", "never"), ("significant", True)])),
                hint="start the supervisor with auto_shutdown='any_significant' or 'all_significant'",
            )

    # ------------------------------------------------------------ parts of plans

    def _restart(self, child: SupervisedChild, now: float) -> Plan[TryAgain | str | None]:
        spec, reason = child.spec, child.ended_by
        used = self._intensity.add(now)
        if not self._intensity.allows(used):
            del self._children[spec.id]
            yield GaveUp(spec, reason, used, self._intensity)
            return GIVE_UP
        group = self._group_of(child)
        yield from self._stop_in_reverse(group)
        kept = [other for other in group if other.spec.id in self._children]
        failed = yield from self._start_in_order(kept)
        if failed is not None:
            failing = self._children[failed.spec.id]
            failing.is_restarting = True
            failing.ended_by = failed.reason
            yield NotRestarted(spec, reason, failed, used, self._intensity)
            return TryAgain(failed.spec.id)
        for other in kept:
            other.restarts += other.pid is not None
        others = [other.spec for other in kept if other is not child]
        yield Restarted(spec, reason, child.pid, others, used, self._intensity)
        return None

    def _group_of(self, child: SupervisedChild) -> list[SupervisedChild]:
        """Returns the children that are stopped and started with *child*, in the order of their start."""
        if self._strategy == "one_for_one":
            return [child]
        children = list(self._children.values())
        return children if self._strategy == "one_for_all" else children[children.index(child) :]

    def _start_in_order(self, children: list[SupervisedChild]) -> Plan[FailedToStart | None]:
        for child in children:
            answer: Started | NotStarted = yield Start(child.spec)
            if isinstance(answer, NotStarted):
                return FailedToStart(child.spec, answer.reason)
            if answer.pid is None and child.spec.restart == "temporary":
                del self._children[child.spec.id]
            else:
                self._note_process(child, answer.pid)
        return None

    def _stop_in_reverse(self, children: list[SupervisedChild]) -> Plan[None]:
        for child in reversed(children):
            if (pid := child.pid) is not None:
                yield StopChild(child.spec, pid)
                self._forget_process(child)
            child.is_restarting = False
            if child.spec.restart == "temporary":
                del self._children[child.spec.id]

    def _after_planned_end(self, child: SupervisedChild) -> str | None:
        if self._auto_shutdown == "never" or not child.spec.significant:
            return None
        if self._auto_shutdown == "all_significant" and any(
            other.spec.significant and (other.pid is not None or other.is_restarting)
            for other in self._children.values()
        ):
            return None
        return GIVE_UP

    # ------------------------------------------------------------ the tables

    def _find(self, id: Any) -> SupervisedChild:  # noqa: A002 - OTP's word
        try:
            return self._children[id]
        except (KeyError, TypeError):  # what has no hash is not an id
            raise ChildNotFound(id) from None

    def _find_stopped(self, id: Any) -> SupervisedChild:  # noqa: A002 - OTP's word
        child = self._find(id)
        if child.is_restarting:
            raise ChildRestarting(id)
        if child.pid is not None:
            raise ChildRunning(id)
        return child

    def _note_process(self, child: SupervisedChild, pid: Pid | None) -> None:
        child.runs_as(pid)
        if pid is not None:
            self._ids[pid] = child.spec.id

    def _forget_process(self, child: SupervisedChild) -> None:
        if child.pid is not None:
            del self._ids[child.pid]
        child.runs_as(None)
