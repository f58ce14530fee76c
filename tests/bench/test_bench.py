"""The command `python -m tests.bench`: its words, its rounds, and a smoke run with real nodes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import pinning, results
from tests.bench.cases import CASES, NoSuchCase, chosen
from tests.bench.children import Child, ChildFailed
from tests.bench.command_line import main
from tests.bench.page import CURVES
from tests.bench.peers.contender import Job, Outcome, outcome_of
from tests.bench.peers.erlang import Erlang
from tests.bench.peers.python_pairs import PAIRS, PythonPair
from tests.bench.peers.pyx_nodes import ROOT, PyxNodes
from tests.bench.peers.pyx_system_calls import total_of
from tests.bench.peers.revisions import NoSuchRevision, short_name
from tests.bench.pinning import ANYWHERE
from tests.bench.programs import sampling
from tests.bench.programs.sampling import WARM_UP_CALLS, Costs, costs, quantiles, rate, sample
from tests.bench.rounds import Plan, measure
from tests.local_nodes import until

# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--cases", "rpc_shel_def"], "no case or group is called rpc_shel_def"),
        (["--contenders", "pyx,perl"], "no contender is called perl; there are pyx, pyx-tls"),
        (["--rounds", "many"], "'many' is not a number of rounds, as 5"),
        (["--secs", "0"], "'0' is not a number of seconds, as 0.4 (at most 60)"),
        (["--pin", "free"], "invalid choice: 'free'"),
        (["--compare", "no-such-revision"], "git knows no revision 'no-such-revision'"),
        (["--write", "--cases", "ping"], "--write replaces groups: say --cases latency"),
        (["--write", "--contenders", "pyx"], "leave out --contenders, --compare and --pin"),
        (["extra"], "unrecognized arguments: extra"),
    ],
)
def test_wrong_words_are_refused_with_a_sentence(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_list_shows_each_case_with_its_unit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    shown = capsys.readouterr().out
    for case in CASES.values():
        assert f"    {case.name:20} {case.unit:6} {case.what}" in shown


def test_cases_are_chosen_by_name_and_by_group_with_the_erlang_case_that_they_need() -> None:
    assert chosen(["rpc_shell_def,scan_1k"]) == {"latency": ("rpc", "rpc_shell_def"), "local": ("scan_1k",)}
    assert chosen(["payload"]) == {"payload": ("payload_1m", "payload_64m")}
    assert {name for names in chosen([]).values() for name in names} == set(CASES)
    with pytest.raises(NoSuchCase, match="groups: latency, oneway"):
        chosen(["speed"])


def test_case_is_measured_by_a_program() -> None:
    folders = (ROOT / "tests/bench/programs", ROOT / "tests/bench/peers")
    files = [path for folder in folders for path in folder.iterdir() if path.suffix in {".py", ".erl"}]
    words = {word for path in files for word in re.findall(r"\w+", path.read_text())}
    curves = {f"{curve.prefix}{number}" for curve in CURVES for number in curve.numbers}
    assert set(CASES) - words == curves


def test_revision_that_git_does_not_know_is_refused() -> None:
    with pytest.raises(NoSuchRevision, match="git knows no revision 'x y'"):
        short_name("x y")


# ---------------------------------------------------------------- rounds


class Fake:
    """A contender that notes when it measured, and fails as it is told."""

    groups = ("latency",)

    def __init__(
        self, name: str, played: list[str], *outcomes: Outcome | Exception, reason: str | None = None
    ) -> None:
        self.name = name
        self._played = played
        self._outcomes = list(outcomes)
        self._reason = reason

    def why_not(self) -> str | None:
        return self._reason

    def measure(self, job: Job) -> Outcome:
        self._played.append(self.name)
        outcome = self._outcomes.pop(0) if self._outcomes else Outcome({"rpc": {"value": 1.0}}, {})
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def measured(*contenders: Fake, rounds: int) -> results.Measured:
    plan = Plan("latency", "same", ("rpc",), rounds, 0.1)
    return measure(plan, contenders, "a machine", lambda _: None)


def test_another_contender_begins_each_round() -> None:
    played: list[str] = []
    measured(*(Fake(name, played) for name in "abc"), rounds=3)
    assert "".join(played) == "abcbcacab"


def test_contender_that_fails_is_told_and_the_others_go_on() -> None:
    played: list[str] = []
    broken = Fake("broken", played, ChildFailed("it ended"), Outcome({"rpc": {"value": 2.0}}, {"erpc": "no"}))
    found = measured(broken, Fake("whole", played), rounds=2)
    assert found.failures == ["round 1, broken: ChildFailed: it ended", "round 2, broken, erpc: no"]
    assert found.rounds == [
        {"whole": {"rpc": {"value": 1.0}}},
        {"whole": {"rpc": {"value": 1.0}}, "broken": {"rpc": {"value": 2.0}}},
    ]


def test_contender_that_cannot_run_is_left_out_with_its_reason() -> None:
    played: list[str] = []
    found = measured(Fake("absent", played, reason="not installed"), rounds=1)
    assert (played, found.failures) == ([], ["absent is left out: not installed"])


def test_library_that_is_not_installed_is_a_reason() -> None:
    pair = PythonPair("none", ("latency",), "none_pair", "no_such_library")
    assert pair.why_not() == "no_such_library is not installed (pip install -e '.[bench]')"


def test_erlang_that_is_not_installed_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert Erlang().why_not() == "erl, erlc, epmd not installed"


def test_split_needs_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    assert pinning.why_not("split") == "this machine has one core: the sides cannot be split"
    assert pinning.why_not("same") is None


# ---------------------------------------------------------------- samples


def test_quantiles_are_of_one_operation() -> None:
    assert quantiles([4_000, 2_000, 6_000], 2) == {"value": 2.0, "p99": 3.0, "samples": 3}


def test_sample_takes_the_time_of_its_calls_after_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = calls = 0

    def call() -> None:
        nonlocal clock, calls
        clock += 2_000 if calls < WARM_UP_CALLS else 1_000
        calls += 1

    monkeypatch.setattr(sampling, "now", lambda: clock)
    found = sample(call, 0.002)
    assert (found["value"], found["p99"]) == (1.0, 1.0)
    assert found["samples"] == pytest.approx(2000, abs=2)


def test_rate_is_the_operations_of_the_last_flood_by_its_seconds() -> None:
    floods: list[int] = []

    def flood(count: int) -> float:
        floods.append(count)
        return count / 1000

    assert rate(flood, 2.0, least=100)["value"] == 1000
    assert floods == [100, 100, 2000]


def test_costs_are_divided_by_the_operations_between() -> None:
    assert Costs(9_000, 5_000, 30).each(Costs(1_000, 1_000, 10), 4) == {
        "cpu": 2.0,
        "queued": 1.0,
        "switches": 5.0,
    }


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_costs_grow_with_the_work_of_a_process() -> None:
    before = costs([os.getpid()])
    sum(range(3_000_000))
    after = costs([os.getpid()])
    assert after.cpu_ns - before.cpu_ns > 1_000_000


def test_reports_of_a_child_are_sorted_into_samples_and_failures() -> None:
    lines: list[dict[str, Any]] = [{"case": "rpc", "value": 3, "cpu": 1.5}, {"case": "ping", "error": "why"}]
    assert outcome_of(lines) == Outcome({"rpc": {"value": 3.0, "cpu": 1.5}}, {"ping": "why"})


def test_total_of_the_table_of_strace_is_its_number_of_calls() -> None:
    table = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.001000           1      1000        10 futex
------ ----------- ----------- --------- --------- ----------------
100.00    0.002000           1      1700        10 total
"""
    assert total_of(table) == 1700


# ---------------------------------------------------------------- children


def child(program: str, life: int = 30) -> Child:
    return Child([sys.executable, "-c", program], os.environ, set(), life)


def test_child_that_ends_early_fails_with_its_last_words() -> None:
    with (
        child("raise SystemExit('no room')") as short,
        pytest.raises(ChildFailed, match=r"'READY': no room$"),
    ):
        short.says("READY")


def test_child_ends_after_its_maximal_life() -> None:
    program = "import signal, time; print('READY', signal.alarm(1), flush=True); time.sleep(60)"
    with child(program, life=1000) as sleeper:
        assert 0 < int(sleeper.says("READY")) <= 1000  # what was left; from now on it is a second
        assert sleeper.results() == []


def test_child_ends_with_its_parent() -> None:
    program = (
        "import os, sys\n"
        "from tests.bench.children import Child\n"
        "sleeper = Child([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)'],"
        " os.environ, set())\n"
        "sleeper.says('1')\n"
        "print(sleeper.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    if sys.platform != "linux":
        pytest.skip("only Linux ends it at once")
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pid = int(ended.stdout)
    until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """False for a process that has ended, whether or not its parent has been told."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ---------------------------------------------------------------- smoke


@pytest.mark.parametrize(
    ("group", "cases"),
    [("latency", ("rpc_shell_def", "rpc_aio_async", "message_def")), ("oneway", ("oneway_dict",))],
)
def test_pyx_measures_what_it_is_asked(group: str, cases: tuple[str, ...]) -> None:
    outcome = PyxNodes("pyx", ROOT).measure(Job(group, cases, 0.02, ANYWHERE))
    assert outcome.failed == {}
    assert set(outcome.measured) == set(cases)
    assert all(sample["value"] > 0 for sample in outcome.measured.values())


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
def test_other_library_measures_what_it_knows(pair: PythonPair) -> None:
    if reason := pair.why_not():
        pytest.skip(reason)
    cases = ("rpc", "limit", "limit_hops", "limit_aio", "oneway_dict")
    outcome = pair.measure(Job("latency", cases, 0.02, ANYWHERE))
    assert outcome.failed == {}
    assert outcome.measured
    assert set(outcome.measured) <= set(cases)


def test_erlang_measures_what_it_is_asked() -> None:
    with Erlang() as erlang:
        if reason := erlang.why_not():
            pytest.skip(reason)
        outcome = erlang.measure(Job("latency", ("rpc", "message"), 0.02, ANYWHERE))
    assert outcome.failed == {}
    assert set(outcome.measured) == {"rpc", "message"}


def test_pyx_of_another_tree_is_not_measured_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match=r"the node uses .*, not "):
        PyxNodes("pyx@none", tmp_path).measure(Job("latency", ("ping",), 0.02, ANYWHERE))


def test_command_prints_a_table_and_keeps_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kept.json"
    words = ["--cases", "ping", "--contenders", "pyx", "--rounds", "1", "--secs", "0.02", "--pin", "same"]
    assert main([*words, "--keep", f"{file}"]) == 0
    assert "ping  pyx  " in capsys.readouterr().out
    [kept] = results.load(file).values()
    assert set(kept.rounds[0]["pyx"]) == {"ping"}
