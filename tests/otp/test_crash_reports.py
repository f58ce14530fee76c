"""crash_reports.py, planned_ends.py, server_replies.py: what the log says about a server that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import DynamicSupervisor, GenServer, Supervisor
from pyx.otp.crash_reports import LONGEST_REPR, crash_text, cut_repr, described
from pyx.otp.planned_ends import is_planned
from pyx.terms import Pid, Ref
from tests.local_nodes import until

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode

CALLER = (Pid(1), Ref(1))
ELSEWHERE = (Pid(1, 0, "a@vm", 7), Ref(1, "a@vm", 7))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (("$gen_call", CALLER, ("get", 1)), "call ('get', 1) from #PID<0.1.0>"),
        (("$gen_call", ELSEWHERE, "get"), f"call 'get' from {ELSEWHERE[0]} on a@vm"),
        (("$gen_cast", "clear"), "cast 'clear'"),
        (("system", CALLER, ("terminate", "why")), "stop with the reason 'why', from #PID<0.1.0>"),
        (("system", CALLER, "get_state"), f"('system', {CALLER!r}, 'get_state')"),
        (("DOWN", 1), "('DOWN', 1)"),
        (None, "none"),
    ],
)
def test_message_is_described(message: Any, words: str) -> None:
    assert described(message) == words


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", {"any": 1})])
def test_planned_reasons_are_not_reported(reason: Any) -> None:
    assert is_planned(reason)


@pytest.mark.parametrize("reason", ["killed", ("shutdown",), ["shutdown", 1], 7, None])
def test_other_reasons_are_reported(reason: Any) -> None:
    assert not is_planned(reason)


def test_long_state_is_cut_and_stays_on_its_line() -> None:
    text = crash_text(None, "why", None, {"key": "x\n" * 1000})
    assert text.startswith("reason: 'why'\nlast message: none\nstate: {'key': 'x\\nx")
    assert len(text.splitlines()) == 3
    assert len(text) < LONGEST_REPR + 60


def test_report_names_a_supervisor_without_the_class_that_pyx_has_for_it(
    node: LocalNode, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervisor.start([], strategy="one_for_one")
    named = DynamicSupervisor.start(name="rooms")
    for pid in (supervisor, named):
        GenServer.stop(pid, "why")
    until(lambda: caplog.text.count("reason: 'why'") == 2)
    titles = [record.getMessage().partition("\n")[0] for record in caplog.records]
    assert titles == [f"Supervisor {supervisor} ended", f"Supervisor {named} (rooms) ended"]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)], ids=repr)
def test_repr_that_raises_is_replaced(error: BaseException) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise error

    assert cut_repr(Odd()) == "<Odd object whose repr cannot be made>"
