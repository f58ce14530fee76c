"""restarts.py, supervision_steps.py: what a supervisor starts and stops, in OTP's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.otp.child_errors import (
    ChildAlreadyPresent,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    ChildSpecInvalid,
)
from pyx.otp.planned_ends import is_planned
from pyx.otp.restart_intensity import RestartIntensity
from pyx.otp.restarts import Restarts
from pyx.otp.supervision_steps import GIVE_UP, NotStarted, Started, TryAgain
from pyx.terms import Pid, Raised
from tests.otp.plans import Played, Stage, worker

if TYPE_CHECKING:
    from pyx.otp.children import ChildSpec


class Supervised(Stage):
    """A supervisor's decisions with children that have been started."""

    def __init__(
        self,
        *specs: ChildSpec | str,
        strategy: str = "one_for_one",
        most: int = 3,
        auto_shutdown: str = "never",
    ) -> None:
        super().__init__()
        self.restarts = Restarts(strategy, RestartIntensity(most, 5.0), auto_shutdown)
        self.specs = [worker(spec) if isinstance(spec, str) else spec for spec in specs]
        self.now = 100.0

    def start(self) -> Played:
        return self.play(self.restarts.start_all(self.specs))

    def ends(self, child: str, reason: Any = "crash") -> Played:
        return self.play(self.restarts.exited(self.pids[child], reason, self.now))

    def tries_again(self, child: str) -> Played:
        return self.play(self.restarts.try_again(child, self.now))

    def listed(self) -> list[str]:
        return [
            f"{child.spec.id} {child.state if isinstance(child.state, str) else bool(child.state)}"
            for child in self.restarts.children
        ]


def started(*specs: ChildSpec | str, **options: Any) -> Supervised:
    made = Supervised(*specs, **options)
    assert made.start().outcome is None
    return made


# ---------------------------------------------------------------- strategies


def test_children_start_in_order_and_stop_in_reverse() -> None:
    made = Supervised("a", "b", "c")
    assert made.start().steps == ["start a", "start b", "start c"]
    assert made.play(made.restarts.stop_all()).steps == ["stop c", "stop b", "stop a"]  # [P14]
    assert made.play(made.restarts.stop_all()).steps == []


def test_p1_one_for_one_restarts_the_child_alone() -> None:
    made = started("a", "b", "c")
    assert made.ends("b") == (["start b", "restarted b after crash: 1"], None)
    assert made.listed() == ["c True", "b True", "a True"]  # [P18]


def test_p2_rest_for_one_restarts_the_child_and_those_after_it() -> None:
    made = started("a", "b", "c", strategy="rest_for_one")
    assert made.ends("b").steps == ["stop c", "start b", "start c", "restarted b and c after crash: 1"]


def test_p3_one_for_all_stops_in_reverse_and_starts_in_order() -> None:
    made = started("a", "b", "c", strategy="one_for_all")
    assert made.ends("b").steps == [
        *("stop c", "stop a"),
        *("start a", "start b", "start c"),
        "restarted b and a and c after crash: 1",
    ]


def test_p4_failed_start_stops_the_earlier_ones_in_reverse() -> None:
    made = Supervised("a", "b", "c", "d")
    made.fails["c"] = ["cannot"]
    steps, failed = made.start()
    assert steps == ["start a", "start b", "start c", "stop b", "stop a"]
    assert (failed.spec.id, failed.reason) == ("c", "cannot")


def test_p9_temporary_child_leaves_the_rest_alone() -> None:
    made = started(worker("a", restart="temporary"), "b", strategy="rest_for_one")
    assert made.ends("a") == (["crashed a by crash"], None)
    assert made.listed() == ["b True"]


def test_temporary_bystander_is_stopped_with_the_group_and_not_started() -> None:
    made = started("a", worker("b", restart="temporary"), "c", strategy="rest_for_one")
    assert made.ends("a").steps == [
        *("stop c", "stop b"),
        *("start a", "start c"),
        "restarted a and c after crash: 1",
    ]
    assert made.listed() == ["c True", "a True"]


def test_stopped_child_is_started_with_its_group() -> None:
    made = started("a", "b", strategy="one_for_all")
    made.play(made.restarts.terminate_child("b"))
    assert made.ends("a").steps == ["start a", "start b", "restarted a and b after crash: 1"]


# ---------------------------------------------------------------- kinds of restart


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1), "crash", Raised("E", "x")])
def test_p6_permanent_child_is_restarted_whatever_the_reason(reason: Any) -> None:
    made = started("a")
    assert made.ends("a", reason).steps == ["start a", f"restarted a after {reason}: 1"]


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1)])
def test_p7_transient_child_that_ended_as_planned_stays_in_the_list(reason: Any) -> None:
    made = started(worker("a", restart="transient"))
    assert made.ends("a", reason) == ([], None)
    assert made.listed() == ["a False"]


def test_p8_transient_child_is_restarted_after_a_crash_and_a_temporary_one_is_gone() -> None:
    made = started(worker("a", restart="transient"), worker("b", restart="temporary"))
    assert made.ends("a", ("shutdown", 1, 2)).steps[0] == "start a"
    assert made.ends("b", "crash").steps == ["crashed b by crash"]
    assert made.listed() == ["a True"]


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", "x")])
def test_temporary_child_that_ended_as_planned_is_gone_without_a_word(reason: Any) -> None:
    made = started(worker("a", restart="temporary"))
    assert made.ends("a", reason) == ([], None)
    assert made.listed() == []


def test_planned_ends_are_three() -> None:
    planned: list[Any] = ["normal", "shutdown", ("shutdown", {})]
    assert [is_planned(reason) for reason in planned] == [True] * 3
    others: tuple[Any, ...] = (
        "killed",
        ("shutdown",),
        ("shutdown", 1, 2),
        ["shutdown", 1],
        None,
        Raised("Exit", "normal"),
    )
    assert not any(is_planned(reason) for reason in others)


def test_exit_of_another_linked_process_changes_nothing() -> None:
    made = started("a")
    assert made.play(made.restarts.exited(Pid(99), "crash", 1.0)) == ([], None)


# ---------------------------------------------------------------- intensity


def test_p10_fourth_crash_within_five_seconds_ends_the_supervisor() -> None:
    made = started("a", "b")
    for number in (1, 2, 3):
        assert made.ends("a") == (["start a", f"restarted a after crash: {number}"], None)
    assert made.ends("a") == (["gave up after crash of a: 4"], GIVE_UP)
    assert made.play(made.restarts.stop_all()).steps == ["stop b"]


def test_restarts_of_all_children_count_together() -> None:
    made = started("a", "b", most=1)
    made.ends("a")
    assert made.ends("b").outcome == GIVE_UP


def test_restart_that_is_older_than_the_window_counts_no_more() -> None:
    made = started("a", most=1)
    made.ends("a")
    made.now += 5.0
    assert made.ends("a").outcome == GIVE_UP  # the window includes both its ends
    made = started("a", most=1)
    made.ends("a")
    made.now += 5.001
    assert made.ends("a").outcome is None


def test_p11_no_restarts_at_all_end_it_at_the_first_crash() -> None:
    made = started("a", most=0)
    assert made.ends("a") == (["gave up after crash of a: 1"], GIVE_UP)


def test_p12_restart_that_fails_is_tried_until_the_intensity_is_spent() -> None:
    made = started("a")
    made.fails["a"] = ["cannot"] * 9
    assert made.ends("a") == (["start a", "not restarted a, for a is cannot: 1"], TryAgain("a"))
    assert made.listed() == ["a restarting"]
    assert made.tries_again("a").outcome == TryAgain("a")
    assert made.tries_again("a").outcome == TryAgain("a")
    assert made.tries_again("a") == (["gave up after cannot of a: 4"], GIVE_UP)
    assert len(made.fails["a"]) == 9 - 3  # with the first start `init` has run 4 times


def test_restart_that_succeeds_at_last_goes_on() -> None:
    made = started("a")
    made.fails["a"] = ["cannot"]
    made.ends("a")
    assert made.tries_again("a") == (["start a", "restarted a after cannot: 2"], None)
    assert made.tries_again("a") == ([], None)


@pytest.mark.parametrize("request_name", ["terminate_child", "start_all"])
def test_restart_ends_when_its_child_was_stopped_or_started_meanwhile(request_name: str) -> None:
    made = started("a")
    made.fails["a"] = ["cannot"]
    made.ends("a")
    if request_name == "terminate_child":
        assert made.play(made.restarts.terminate_child("a")) == ([], None)
    else:
        made.start()
    assert made.tries_again("a") == ([], None)


def test_sibling_that_fails_while_its_group_restarts_is_tried_again() -> None:
    made = started("a", "b", "c", strategy="one_for_all")
    made.fails["b"] = ["cannot"]
    assert made.ends("c") == (
        [*("stop b", "stop a"), *("start a", "start b"), "not restarted c, for b is cannot: 1"],
        TryAgain("b"),
    )
    assert made.listed() == ["c False", "b restarting", "a True"]
    assert made.tries_again("b").steps == [
        "stop a",
        *("start a", "start b", "start c"),
        "restarted b and a and c after cannot: 2",
    ]


def test_sibling_that_fails_in_a_rest_is_tried_again_with_those_after_it() -> None:
    made = started("a", "b", "c", "d", strategy="rest_for_one")
    made.fails["c"] = ["cannot"]
    assert made.ends("b").outcome == TryAgain("c")
    assert made.tries_again("c").steps == ["start c", "start d", "restarted c and d after cannot: 2"]
    assert made.listed() == ["d True", "c True", "b True", "a True"]


# ---------------------------------------------------------------- children that do not want to run


def test_child_that_ignores_its_start_stays_unless_it_is_temporary() -> None:
    made = Supervised("a", worker("b", restart="temporary"), "c")
    made.ignores = {"a", "b"}
    assert made.start() == (["start a", "start b", "start c"], None)
    assert made.listed() == ["c True", "a False"]


def test_added_child_that_ignores_its_start_stays_unless_it_is_temporary() -> None:
    made = started()
    made.ignores = {"a", "b"}
    assert made.play(made.restarts.start_child(worker("a"))).outcome == Started(None)
    made.play(made.restarts.start_child(worker("b", restart="temporary")))
    assert made.listed() == ["a False"]


def test_child_that_ignores_its_restart_stays_without_a_process() -> None:
    made = started("a")
    made.ignores = {"a"}
    assert made.ends("a").outcome is None
    assert made.listed() == ["a False"]


# ---------------------------------------------------------------- requests


def test_p19_child_is_terminated_restarted_and_deleted_as_in_otp() -> None:
    made = started("a")
    requests = made.restarts
    with pytest.raises(ChildRunning):
        made.play(requests.restart_child("a"))
    with pytest.raises(ChildRunning):
        requests.delete_child("a")
    assert made.play(requests.terminate_child("a")).steps == ["stop a"]
    assert made.play(requests.terminate_child("a")).steps == []
    assert made.listed() == ["a False"]
    assert made.play(requests.restart_child("a")) == (["start a"], Started(made.pids["a"]))
    made.play(requests.terminate_child("a"))
    requests.delete_child("a")
    assert made.listed() == []


@pytest.mark.parametrize("unknown", ["z", ["no", "hash"]])
def test_p19_unknown_child_is_not_found(unknown: Any) -> None:
    made = started("a")
    with pytest.raises(ChildNotFound) as refused:
        made.play(made.restarts.terminate_child(unknown))
    assert refused.value.reason == "not_found"
    with pytest.raises(ChildNotFound):
        made.play(made.restarts.restart_child(unknown))
    with pytest.raises(ChildNotFound):
        made.restarts.delete_child(unknown)


def test_child_that_is_being_restarted_can_be_terminated_alone() -> None:
    made = started("a")
    made.fails["a"] = ["cannot"]
    made.ends("a")
    with pytest.raises(ChildRestarting):
        made.play(made.restarts.restart_child("a"))
    with pytest.raises(ChildRestarting):
        made.restarts.delete_child("a")
    made.play(made.restarts.terminate_child("a"))
    made.restarts.delete_child("a")


def test_restart_by_request_that_fails_leaves_the_child_stopped() -> None:
    made = started("a")
    made.play(made.restarts.terminate_child("a"))
    made.fails["a"] = ["cannot"]
    assert made.play(made.restarts.restart_child("a")).outcome == NotStarted("cannot")
    assert made.listed() == ["a False"]


def test_terminated_temporary_child_is_gone() -> None:
    made = started(worker("a", restart="temporary"))
    assert made.play(made.restarts.terminate_child("a")).steps == ["stop a"]
    assert made.listed() == []


def test_p20_id_that_is_there_is_not_started_again() -> None:
    made = started("a")
    outcome = made.play(made.restarts.start_child(worker("a"))).outcome
    assert outcome == NotStarted(("already_started", made.pids["a"]))
    made.play(made.restarts.terminate_child("a"))
    with pytest.raises(ChildAlreadyPresent):
        made.play(made.restarts.start_child(worker("a")))


def test_added_child_comes_last_and_one_that_fails_is_not_kept() -> None:
    made = started("a")
    assert made.play(made.restarts.start_child(worker("b"))).steps == ["start b"]
    made.fails["c"] = ["cannot"]
    assert made.play(made.restarts.start_child(worker("c"))).outcome == NotStarted("cannot")
    assert made.play(made.restarts.stop_all()).steps == ["stop b", "stop a"]


def test_restarts_of_each_child_are_counted() -> None:
    made = started("a", "b", "c", strategy="rest_for_one")
    made.ends("b")
    assert [(child.spec.id, child.restarts) for child in made.restarts.children] == [
        *(("c", 1), ("b", 1), ("a", 0))
    ]


# ---------------------------------------------------------------- significant children


def significant(name: str, restart: Any = "transient") -> ChildSpec:
    return worker(name, restart=restart, significant=True)


def test_planned_end_of_any_significant_child_ends_the_supervisor() -> None:
    made = started(significant("a"), significant("b"), "c", auto_shutdown="any_significant")
    assert made.ends("a", "normal") == ([], GIVE_UP)


def test_planned_end_of_the_last_significant_child_ends_the_supervisor() -> None:
    made = started(
        significant("a"),
        significant("b", "temporary"),
        "c",
        strategy="one_for_one",
        auto_shutdown="all_significant",
    )
    assert made.ends("a", "normal").outcome is None
    assert made.ends("b", "shutdown").outcome == GIVE_UP


def test_crash_of_a_temporary_significant_child_ends_the_supervisor() -> None:
    made = started(significant("a", "temporary"), auto_shutdown="any_significant")
    assert made.ends("a", "crash") == (["crashed a by crash"], GIVE_UP)


def test_crash_of_a_transient_significant_child_restarts_it() -> None:
    made = started(significant("a"), auto_shutdown="any_significant")
    assert made.ends("a", "crash").outcome is None


def test_termination_by_request_does_not_end_the_supervisor() -> None:
    made = started(significant("a"), auto_shutdown="any_significant")
    assert made.play(made.restarts.terminate_child("a")).outcome is None


def test_significant_child_that_is_being_restarted_keeps_the_supervisor() -> None:
    made = started(significant("a"), significant("b"), auto_shutdown="all_significant")
    made.fails["a"] = ["cannot"]
    made.ends("a", "crash")
    assert made.ends("b", "normal").outcome is None


def test_significant_child_of_a_supervisor_that_never_shuts_down_is_refused() -> None:
    made = started()
    with pytest.raises(ChildSpecInvalid, match="auto_shutdown='never'"):
        made.play(made.restarts.start_child(significant("a")))
