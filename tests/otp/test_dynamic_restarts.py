"""dynamic_restarts.py: children without ids, each restarted alone."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.otp.child_errors import ChildNotFound, TooManyChildren
from pyx.otp.dynamic_restarts import DynamicRestarts
from pyx.otp.restart_intensity import RestartIntensity
from pyx.otp.supervision_steps import GIVE_UP, NotStarted, Started, TryAgain
from pyx.terms import Pid
from tests.otp.plans import Played, Stage, worker


class Dynamic(Stage):
    """A dynamic supervisor's decisions; children are called by the ids of their specifications."""

    def __init__(self, *, most: int = 3, max_children: int | None = None) -> None:
        super().__init__()
        self.restarts = DynamicRestarts(RestartIntensity(most, 5.0), max_children)

    def starts(self, name: str, **options: Any) -> Played:
        return self.play(self.restarts.start_child(worker(name, **options)))

    def ends(self, child: str, reason: Any = "crash") -> Played:
        return self.play(self.restarts.exited(self.pids[child], reason, 1.0))

    def states(self) -> list[Pid | str | None]:
        return [child.state for child in self.restarts.children]


def test_children_may_have_one_id() -> None:
    made = Dynamic()
    first, second = made.starts("a").outcome, made.starts("a").outcome
    assert made.states() == [second.pid, first.pid]


@pytest.mark.parametrize("restart", ["permanent", "transient"])
def test_crashed_child_is_restarted(restart: str) -> None:
    made = Dynamic()
    made.starts("a", restart=restart)
    assert made.ends("a") == (["start a", "restarted a after crash: 1"], None)
    assert made.states() == [made.pids["a"]]


@pytest.mark.parametrize("restart", ["transient", "temporary"])
@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1)])
def test_child_that_ended_as_planned_is_gone(restart: str, reason: Any) -> None:
    made = Dynamic()
    made.starts("a", restart=restart)
    assert made.ends("a", reason) == ([], None)
    assert made.states() == []


def test_crashed_temporary_child_is_gone() -> None:
    made = Dynamic()
    made.starts("a", restart="temporary")
    assert made.ends("a") == (["crashed a by crash"], None)
    assert made.states() == []


def test_intensity_is_that_of_all_children() -> None:
    made = Dynamic(most=1)
    made.starts("a")
    made.starts("b")
    assert made.ends("a").outcome is None
    assert made.ends("b") == (["gave up after crash of b: 2"], GIVE_UP)


def test_p21_one_more_child_than_allowed_is_refused() -> None:
    made = Dynamic(max_children=2)
    made.starts("a")
    made.starts("b")
    with pytest.raises(TooManyChildren):
        made.starts("c")
    made.ends("a", "normal")
    with pytest.raises(TooManyChildren):  # it is permanent, and restarted
        made.starts("c")
    made.play(made.restarts.terminate_child(made.pids["a"]))
    made.starts("c")


def test_no_children_may_be_allowed() -> None:
    with pytest.raises(TooManyChildren):
        Dynamic(max_children=0).starts("a")


def test_child_that_is_being_restarted_counts_among_the_most() -> None:
    made = Dynamic(max_children=1)
    made.starts("a")
    made.fails["a"] = ["cannot"]
    assert made.ends("a").outcome == TryAgain(made.pids["a"])
    assert made.states() == ["restarting"]
    with pytest.raises(TooManyChildren):
        made.starts("b")


def test_child_whose_start_fails_or_is_ignored_does_not_count() -> None:
    made = Dynamic(max_children=1)
    made.fails["a"] = ["cannot"]
    assert made.starts("a").outcome == NotStarted("cannot")
    made.ignores = {"b"}
    assert made.starts("b").outcome == Started(None)
    assert made.starts("c").outcome.pid is not None


def test_restart_that_fails_is_tried_until_the_intensity_is_spent() -> None:
    made = Dynamic(most=2)
    made.starts("a")
    made.fails["a"] = ["cannot"] * 9
    first = made.pids["a"]
    assert made.ends("a").outcome == TryAgain(first)
    assert made.play(made.restarts.try_again(first, 1.0)).outcome == TryAgain(first)
    assert made.play(made.restarts.try_again(first, 1.0)).outcome == GIVE_UP


def test_restart_that_succeeds_at_last_is_that_of_the_new_pid() -> None:
    made = Dynamic()
    made.starts("a")
    first = made.pids["a"]
    made.fails["a"] = ["cannot"]
    made.ends("a")
    assert made.play(made.restarts.try_again(first, 1.0)).steps == ["start a", "restarted a after cannot: 2"]
    assert made.states() == [made.pids["a"]] != [first]
    assert made.play(made.restarts.try_again(first, 1.0)) == ([], None)


def test_child_that_is_being_restarted_is_terminated_by_its_last_pid() -> None:
    made = Dynamic()
    made.starts("a")
    first = made.pids["a"]
    made.fails["a"] = ["cannot"]
    made.ends("a")
    assert made.play(made.restarts.terminate_child(first)) == ([], None)
    assert made.play(made.restarts.try_again(first, 1.0)) == ([], None)
    assert made.states() == []


def test_child_that_ignores_its_restart_is_gone() -> None:
    made = Dynamic()
    made.starts("a")
    made.ignores = {"a"}
    assert made.ends("a").outcome is None
    assert made.states() == []


def test_p21_child_is_terminated_once() -> None:
    made = Dynamic()
    pid = made.starts("a").outcome.pid
    assert made.play(made.restarts.terminate_child(pid)).steps == ["stop a"]
    for unknown in (pid, "a", ["no hash"]):
        with pytest.raises(ChildNotFound):
            made.play(made.restarts.terminate_child(unknown))


def test_all_children_are_stopped_together() -> None:
    made = Dynamic()
    for name in "abc":
        made.starts(name)
    assert made.play(made.restarts.stop_all()).steps == ["stop together c b a"]
    assert made.play(made.restarts.stop_all()).steps == []


def test_ends_of_other_processes_change_nothing() -> None:
    made = Dynamic()
    assert made.play(made.restarts.exited(Pid(99), "crash", 1.0)) == ([], None)
