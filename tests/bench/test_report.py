"""The tables of the benchmarks: medians, bests, ratios; text, Markdown, and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import page, report, results
from tests.bench.cases import CASES
from tests.bench.command_line import KEPT
from tests.bench.peers.pyx_nodes import ROOT
from tests.bench.ratios import ratio, summary
from tests.bench.results import Measured

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.results import Round


def played(ours: dict[str, float], erlang: float) -> Round:
    return {"pyx": {"rpc_shell_def": ours}, "erlang": {"rpc": {"value": erlang}}}


ROUNDS: list[Round] = [
    played({"value": 300.0, "cpu": 250.0, "queued": 5.0, "switches": 8.0}, 50.0),
    played({"value": 200.0, "cpu": 260.0, "switches": 9.0}, 40.0),
    played({"value": 400.0}, 100.0),
]
MEASURED = Measured(
    "latency", "same", "2026-01-02", "a machine", (0.5, 1.5), 0.4, ROUNDS, ["rpyc is left out: none"]
)


def test_summary_has_the_median_and_the_best_of_the_rounds() -> None:
    summed = summary(ROUNDS, "pyx", CASES["rpc_shell_def"])
    assert summed == (300.0, 200.0, 200.0, 400.0, 3, 250.0, 5.0, 8.0)


def test_best_of_a_rate_is_the_highest() -> None:
    rounds: list[Round] = [{"pyx": {"oneway_dict": {"value": value}}} for value in (10.0, 30.0, 20.0)]
    summed = summary(rounds, "pyx", CASES["oneway_dict"])
    assert summed is not None
    assert (summed.best, summed.median) == (30.0, 20.0)


def test_ratio_is_best_by_best_and_the_median_of_those_within_rounds() -> None:
    found = ratio(ROUNDS, CASES["rpc_shell_def"], "pyx", "erlang", "rpc")
    assert found == (200.0 / 40.0, 5.0)  # of 6, 5 and 4


def test_ratio_of_what_was_never_measured_is_none() -> None:
    assert ratio(ROUNDS, CASES["rpc_shell_def"], "pyx", "erlang", "erpc") is None
    assert ratio(ROUNDS, CASES["rpc_shell_def"], "pyx-tls", "erlang", "rpc") is None


def test_round_in_which_one_of_two_failed_counts_for_bests_alone() -> None:
    rounds: list[Round] = [*ROUNDS, {"pyx": {"rpc_shell_def": {"value": 20.0}}}]
    assert ratio(rounds, CASES["rpc_shell_def"], "pyx", "erlang", "rpc") == (0.5, 5.0)


def test_text_has_a_row_for_each_case_and_contender_and_says_what_failed() -> None:
    lines = report.text(MEASURED).splitlines()
    assert lines[0] == "latency: one call, or one message and its answer, between two nodes; pinned: same"
    assert lines[1] == "3 rounds of 0.4 s a case; load 0.5..1.5"
    [row] = [line.split("  ") for line in lines if line.startswith("rpc_shell_def")]
    assert [cell.strip() for cell in row if cell] == [
        *("rpc_shell_def", "pyx", "300 µs", "200", "200..400", "5 (5)", "250", "5", "8.00"),
    ]
    assert lines[-1] == "! rpyc is left out: none"


def test_text_compares_two_revisions() -> None:
    rounds: list[Round] = [
        {"pyx": {"ping": {"value": 50.0, "cpu": 40.0}}, "pyx@abc": {"ping": {"value": 100.0, "cpu": 90.0}}}
    ]
    lines = report.text(MEASURED._replace(rounds=rounds), ("pyx", "pyx@abc")).splitlines()
    [row] = [line.split() for line in lines if line.startswith("ping  50 / 100")]
    assert row == ["ping", "50", "/", "100", "µs", "0.500", "0.500", "40", "/", "90"]


def test_text_says_what_tls_adds() -> None:
    rounds: list[Round] = [
        {
            "pyx": {"ping": {"value": 50.0}, "oneway_dict": {"value": 100.0}},
            "pyx-tls": {"ping": {"value": 110.0}, "oneway_dict": {"value": 60.0}},
            "erlang": {"rpc": {"value": 40.0}},
        }
    ]
    lines = report.text(MEASURED._replace(rounds=rounds)).splitlines()
    assert "+ ping: TLS adds 60 µs, 1.50 Erlang rpcs" in lines
    assert "+ oneway_dict: over TLS 0.60 of the rate without" in lines


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1234, "0.123"), (41.66, "41.7"), (246.5, "246"), (83_500.0, "83.5 k"), (1.79e6, "1.79 M")],
)
def test_number_is_shown_with_three_digits(value: float, shown: str) -> None:
    assert report.number(value) == shown


# ---------------------------------------------------------------- the page


def test_page_has_a_row_for_each_case_and_contender() -> None:
    lines = list(page.tables({MEASURED.key: MEASURED}))
    assert lines[0] == "Measured with a machine."
    assert "2026-01-02; 3 rounds; load 0.5 to 1.5." in lines
    [row] = [line for line in lines if "`def` function | pyx |" in line]
    assert row == ("| the shell's thread calls a `def` function | pyx | 200 µs | 300 | 5, 5 | 250 | 8.0 |")


def test_page_keeps_what_stands_outside_of_its_markers() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    assert page.replaced(text, "new") == f"before\n{page.BEGIN}\n\nnew\n{page.END}\nafter\n"
    assert page.replaced(page.replaced(text, "new"), "new") == page.replaced(text, "new")


def test_page_without_markers_is_refused() -> None:
    with pytest.raises(page.NoMarkers, match="the page has no two lines"):
        page.replaced("text\n", "new")


def test_page_and_plots_are_written_from_what_is_kept(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text(f"{page.BEGIN}\n{page.END}\n")
    rounds: list[Round] = [
        {"pyx": {"peers_1": {"value": 230.0}, "peers_10": {"value": 250.0}}},
        {"pyx": {"peers_1": {"value": 220.0}}},
    ]
    peers = MEASURED._replace(group="peers", rounds=rounds)
    written = page.write({peers.key: peers, MEASURED.key: MEASURED}, tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "performance/peers.svg",
        "performance.md",
    ]
    text = (tmp_path / "performance.md").read_text()
    assert "![An rpc, by connected peers](performance/peers.svg)" in text
    assert "| pyx | 220 |  | 250 |  |" in text
    assert text.index("One call, or one message") < text.index("By number of peers")


def test_page_shows_what_is_kept() -> None:
    text = (ROOT / "docs" / page.PAGE).read_text()
    kept = results.load(KEPT)
    assert text == page.replaced(text, "\n".join(page.tables(kept))), (
        "python -m tests.bench --write --rounds 0"
    )
    for curve in page.CURVES:
        [measured] = [one for one in kept.values() if one.group == curve.group]
        assert (KEPT.parent / curve.file).read_text() == page.drawn(curve, measured)


# ---------------------------------------------------------------- what is kept


def test_results_are_read_as_they_were_kept(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "results.json"
    assert results.load(file) == {}
    results.keep(file, [MEASURED])
    assert results.load(file) == {"latency/same": MEASURED}


def test_group_that_is_measured_again_replaces_what_was_kept_of_it(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    results.keep(file, [MEASURED, MEASURED._replace(pin="split")])
    kept = results.keep(file, [MEASURED._replace(date="2026-03-04")])
    assert kept == results.load(file)
    assert [(key, one.date) for key, one in kept.items()] == [
        ("latency/same", "2026-03-04"),
        ("latency/split", "2026-01-02"),
    ]
