"""supervision_reports.py: the lines that a supervisor logs."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.otp.child_processes import Stopped
from pyx.otp.restart_intensity import RestartIntensity
from pyx.otp.supervision_reports import reason_text, report_line, stop_line
from pyx.otp.supervision_steps import EndedForGood, FailedToStart, GaveUp, NotRestarted, Restarted
from pyx.terms import Pid, Raised
from tests.otp.plans import worker

STOCK = worker("stock")
CACHE = worker("cache")
BOOM = Raised("ValueError", "boom", "Traceback ...")
THREE = RestartIntensity()


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (
            Restarted(STOCK, BOOM, Pid(21), [], 1, THREE),
            "stock ended (ValueError: boom), started anew as #PID<0.21.0> (1 of 3 in 5 s)",
        ),
        (
            Restarted(STOCK, "crash", Pid(21), [CACHE, worker("rooms")], 2, THREE),
            "stock ended (crash), started anew as #PID<0.21.0> with cache, rooms (2 of 3 in 5 s)",
        ),
        (
            Restarted(STOCK, "crash", None, [], 2, THREE),
            "stock ended (crash), started anew, and it wants no process now (2 of 3 in 5 s)",
        ),
        (
            NotRestarted(STOCK, "killed", FailedToStart(STOCK, ("no", "disk")), 1, THREE),
            "stock ended (killed), and it did not start again: ('no', 'disk'); trying again (1 of 3 in 5 s)",
        ),
        (
            NotRestarted(STOCK, "killed", FailedToStart(CACHE, "cannot"), 1, THREE),
            "stock ended (killed), and cache did not start again: cannot; trying again (1 of 3 in 5 s)",
        ),
        (
            EndedForGood(worker("stock", restart="temporary"), BOOM),
            "stock ended (ValueError: boom), and is not started again (it is temporary)",
        ),
    ],
)
def test_line_says_what_ended_why_and_what_was_done(step: Any, line: str) -> None:
    assert report_line("supervisor shop", step) == f"supervisor shop: {line}"


def test_line_of_a_supervisor_that_gives_up_says_how_often_and_the_last_reason() -> None:
    gave_up = GaveUp(STOCK, BOOM, 4, THREE)
    assert report_line("supervisor shop", gave_up) == (
        "supervisor shop gives up: 4 ends in 5 s, the last of stock (ValueError: boom)"
    )
    at_once = GaveUp(STOCK, "killed", 1, RestartIntensity(0, 0.5))
    assert report_line("supervisor shop", at_once) == (
        "supervisor shop gives up: 1 end in 0.5 s, the last of stock (killed)"
    )
    as_planned = GaveUp(STOCK, "normal", 4, THREE)
    assert report_line("supervisor shop", as_planned) == (
        "supervisor shop gives up: 4 ends in 5 s, the last of stock (normal); "
        'restart="transient" lets a child end so'
    )


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("normal", "normal"),
        (Raised("KeyError", ""), "KeyError"),
        (("shutdown", 1), "('shutdown', 1)"),
        ("two\nlines\x1b[31m", "two\\nlines\\x1b[31m"),
        (Raised("E", "x" * 1000), "E: " + "x" * 197),
    ],
)
def test_reason_is_one_line_of_text(reason: Any, text: str) -> None:
    assert reason_text(reason) == text


def test_stop_is_reported_if_the_child_did_not_stop_as_it_should() -> None:
    pid, brutal = Pid(7), worker("stock", shutdown="brutal_kill")
    for reason in ("shutdown", "normal", ("shutdown", 1)):
        assert stop_line("supervisor shop", Stopped(STOCK, pid, reason, False)) is None
    assert stop_line("supervisor shop", Stopped(brutal, pid, "killed", False)) is None
    assert stop_line("supervisor shop", Stopped(worker("stock", shutdown=0.1), pid, "killed", True)) == (
        "supervisor shop: stock #PID<0.7.0> did not stop within 0.1 s and was killed"
    )
    assert stop_line("supervisor shop", Stopped(STOCK, pid, BOOM, False)) == (
        "supervisor shop: stock #PID<0.7.0> ended (ValueError: boom) as it was stopped"
    )
