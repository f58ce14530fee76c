"""The log lines of supervisors: one for each restart, one for giving up, for a reader at 3 a.m."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.errors import brief
from pyx.otp.planned_ends import is_planned
from pyx.otp.supervision_steps import EndedForGood, GaveUp, NotRestarted, Restarted
from pyx.printable import on_one_line
from pyx.terms import Raised

if TYPE_CHECKING:
    from pyx.otp.child_processes import Stopped
    from pyx.otp.children import ChildSpec
    from pyx.otp.restart_intensity import RestartIntensity

_LONGEST: Final = 200


def reason_text(reason: Any) -> str:
    """Returns an exit reason in one line: of an exception its class and message."""
    if isinstance(reason, Raised):
        text = f"{reason.type}: {reason.text}" if reason.text else reason.type
    else:
        text = reason if isinstance(reason, str) else brief(reason)
    return on_one_line(text, _LONGEST)


def report_line(supervisor: str, step: Restarted | NotRestarted | EndedForGood | GaveUp) -> str:
    """Returns the line about what a supervisor has done about the end of a child.

    Its first word or words are *supervisor*: `"supervisor shop"`.
    """
    child = _child(step.spec)
    ended = f"{child} ended ({reason_text(step.reason)})"
    match step:
        case Restarted(pid=pid, others=others, used=used, intensity=intensity):
            anew = (
                f"started anew as {pid}" if pid is not None else "started anew, and it wants no process now"
            )
            group = f" with {', '.join(map(_child, others))}" if others else ""
            what = f"{ended}, {anew}{group} ({_of(used, intensity)})"
        case NotRestarted(spec=spec, failed=failed, used=used, intensity=intensity):
            other = "it" if failed.spec is spec else _child(failed.spec)
            why = f"{other} did not start again: {reason_text(failed.reason)}"
            what = f"{ended}, and {why}; trying again ({_of(used, intensity)})"
        case EndedForGood():
            what = f"{ended}, and is not started again (it is {step.spec.restart})"
        case GaveUp(used=used, intensity=intensity):
            ends = "end" if used == 1 else "ends"
            what = (
                f"{used} {ends} in {intensity.seconds:g} s, the last of {child} ({reason_text(step.reason)})"
            )
            hint = '; restart="transient" lets a child end so' if is_planned(step.reason) else ""
            return f"{supervisor} gives up: {what}{hint}"
    return f"{supervisor}: {what}"


def stop_line(supervisor: str, stopped: Stopped) -> str | None:
    """Returns the line about a child that did not stop as it should; None for others."""
    spec, pid, reason, was_late = stopped
    if was_late:
        problem = f"did not stop within {spec.shutdown} s and was killed"
    elif is_planned(reason) or (reason == "killed" and spec.shutdown == "brutal_kill"):
        return None
    else:
        problem = f"ended ({reason_text(reason)}) as it was stopped"
    return f"{supervisor}: {_child(spec)} {pid} {problem}"


def _child(spec: ChildSpec) -> str:
    return on_one_line(spec.name, _LONGEST)


def _of(used: int, intensity: RestartIntensity) -> str:
    return f"{used} of {intensity.most} in {intensity.seconds:g} s"
