"""topology.py: What is found is dialled, rests, and is pruned only on good grounds."""

from __future__ import annotations

import pytest

from pyx.cluster.topology import (
    COUNTERS,
    LOSS_SECONDS,
    MOST_DIALS,
    NO_ANSWER_YET,
    NOTHING_FOUND,
    BeginSearch,
    DialFound,
    Prune,
    Topology,
)

HERE = "gus@10.0.0.5"
BOB = "gus@10.0.0.6"
EVE = "gus@10.0.0.7"


class Told:
    """A topology that is fed without jitter; its searches have begun."""

    def __init__(self, **prunes: bool) -> None:
        self.counts: dict[str, int] = {}
        self.machine = Topology(prunes or {"dns": False}, HERE, self.counts)
        self.first = self.machine.due(0.0)

    def sees(self, *nodes: str, by: str = "dns", now: float = 0.0, whole: bool = True) -> bool:
        return self.machine.sighted(by, nodes, now, whole=whole)

    def up(self, *nodes: str, now: float = 0.0) -> tuple[list[str], list[str]]:
        return self.machine.connected(nodes, now, 0.0)

    def failed(self, node: str, reason: str, now: float = 0.0) -> bool:
        return self.machine.dialled(node, reason, now, 0.0)

    def dials(self, now: float = 0.0) -> list[str]:
        return [action.node for action in self.machine.due(now) if isinstance(action, DialFound)]

    def prunes(self, now: float = 0.0) -> list[str]:
        return [action.node for action in self.machine.due(now) if isinstance(action, Prune)]


class TestSearch:
    def test_strategies_are_started_at_once_and_once(self) -> None:
        told = Told(dns=False, lan=False)
        assert told.first == [BeginSearch("dns"), BeginSearch("lan")]
        assert told.machine.due(99.0) == []
        assert told.machine.next_due() is None

    def test_strategy_that_raises_is_started_anew_after_a_growing_pause(self) -> None:
        told, now, pauses = Told(), 0.0, []
        for _ in range(8):
            told.machine.search_failed("dns", "no answer", now, 0.0)
            due = told.machine.next_due()
            assert due is not None
            pauses.append(due - now)
            now = due
            assert told.machine.due(now) == [BeginSearch("dns")]
        assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])

    def test_failure_is_news_once_for_each_sentence(self) -> None:
        told = Told()
        sentences = ("refused", "refused", "no answer", "refused")
        news = [told.machine.search_failed("dns", why, 0.0, 0.0) for why in sentences]
        assert news == [True, False, True, True]

    def test_flapping_search_is_news_once_a_minute(self) -> None:
        told = Told()
        news = []
        for now in range(0, 130, 10):
            news.append(told.machine.search_failed("dns", "refused", float(now), 0.0))
            told.machine.due(now + 5.0)
            told.sees(BOB, now=now + 5.0)
        assert [number * 10 for number, is_news in enumerate(news) if is_news] == [0, 60, 120]

    def test_search_that_finds_and_fails_at_once_rests_for_longer_each_time(self) -> None:
        told, now, pauses = Told(), 0.0, []
        for _ in range(4):
            told.sees(BOB, now=now)
            told.dials(now)
            told.machine.search_failed("dns", "refused", now, 0.0)
            due = told.machine.next_due()
            assert due is not None
            pauses.append(due - now)
            now = due
            told.machine.due(now)
        assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8])

    def test_search_that_has_found_for_a_while_is_started_anew_soon(self) -> None:
        told = Told()
        for _ in range(4):
            told.machine.search_failed("dns", "refused", 0.0, 0.0)
        told.machine.due(9.0)
        told.machine.search_failed("dns", "refused", 20.0, 0.0)
        assert told.machine.next_due() == pytest.approx(20.1)

    def test_strategy_that_ends_is_not_started_again(self) -> None:
        told = Told()
        told.sees(BOB)
        told.machine.search_ended("dns")
        assert told.dials() == [BOB]
        assert told.machine.next_due() is None

    def test_wrong_part_of_an_answer_is_told_once_and_is_its_reason(self) -> None:
        told, problem = Told(), "'b c' is not a name"
        news = [told.machine.sighted("dns", [BOB], now, whole=False, problem=problem) for now in (0.0, 5.0)]
        assert news == [True, False]
        assert told.machine.reason("dns") == "'b c' is not a name"
        assert told.dials() == [BOB]
        told.sees(BOB)
        assert told.machine.reason("dns") == ""

    def test_search_that_has_not_answered_says_so(self) -> None:
        told = Told()
        assert told.machine.facts()["topologies"]["dns"]["reason"] == NO_ANSWER_YET
        told.machine.search_failed("dns", "refused", 0.0, 0.0)
        assert told.machine.facts()["topologies"]["dns"]["reason"] == "refused"

    def test_answer_without_a_node_changes_nothing_and_is_told_once(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        assert told.sees()
        assert not told.sees()
        assert told.machine.reason("dns") == NOTHING_FOUND
        told.failed(BOB, "refused", 1.0)
        assert told.dials(2.0) == [BOB]


class TestDial:
    def test_new_nodes_are_dialled_at_once_and_not_twice(self) -> None:
        told = Told()
        told.sees(EVE, HERE, BOB)
        assert told.dials() == [BOB, EVE]
        told.sees(EVE, BOB, HERE)
        assert told.dials() == []

    def test_node_is_dialled_again_with_growing_pauses(self) -> None:
        told, now, pauses = Told(), 0.0, []
        told.sees(BOB)
        for _ in range(8):
            assert told.dials(now) == [BOB]
            told.failed(BOB, "refused", now)
            due = told.machine.next_due()
            assert due is not None
            pauses.append(due - now)
            now = due
        assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])

    def test_failure_is_told_once_for_each_reason(self) -> None:
        told, news = Told(), []
        told.sees(BOB)
        for number, why in enumerate(("refused", "refused", "cookie", "refused")):
            told.dials(number * 10.0)
            news.append(told.failed(BOB, why, number * 10.0))
        assert news == [True, False, True, True]

    def test_node_that_was_lost_and_is_found_no_more_was_no_news(self) -> None:
        told = Told()
        told.sees(BOB, EVE)
        told.up(BOB, EVE)
        told.up(EVE, now=10.0)
        assert told.dials(10.1) == [BOB]
        assert not told.failed(BOB, "it does not run", 10.2)
        assert not told.sees(EVE, now=11.0)
        assert told.machine.next_due() is None
        told.sees(BOB, EVE, now=20.0)
        assert told.dials(20.0) == [BOB]
        assert told.failed(BOB, "no route", 20.0)

    def test_node_that_was_lost_is_news_once_if_it_stays_away(self) -> None:
        told = Told()
        told.sees(BOB)
        told.up(BOB)
        told.up(now=10.0)
        news = [told.failed(BOB, "no route", now) for now in (10.1, 11.0, 10.0 + LOSS_SECONDS, 20.0)]
        assert news == [False, False, True, False]
        told.up(BOB, now=30.0)
        told.up(now=40.0)
        assert [told.failed(BOB, "no route", now) for now in (40.1, 47.0)] == [False, True]

    def test_lost_node_that_refuses_is_news_at_once(self) -> None:
        told = Told()
        told.sees(BOB)
        told.up(BOB)
        told.up(now=10.0)
        assert told.machine.dialled(BOB, "the cookie differs", 10.1, 0.0, refused=True)

    def test_jitter_shortens_the_pause(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        told.machine.dialled(BOB, "refused", 10.0, 1.0)
        assert told.machine.next_due() == pytest.approx(10.05)

    def test_refused_node_rests_for_a_minute_and_is_dialled_at_once_when_it_comes_anew(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        told.machine.dialled(BOB, "the cookie differs", 1.0, 0.0, refused=True)
        assert told.machine.next_due() == pytest.approx(61.0)
        told.sees(HERE, now=2.0)
        told.sees(BOB, now=3.0)
        assert told.dials(3.0) == [BOB]

    def test_l1_dead_node_does_not_delay_the_others(self) -> None:
        told = Told()
        told.sees(BOB, EVE)
        told.dials()
        told.failed(BOB, "no route")
        assert told.up(EVE) == ([EVE], [])
        told.machine.dialled(EVE, None, 0.0, 0.0)
        assert told.dials(0.1) == [BOB]

    def test_l2_lost_node_is_always_dialled_again(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        told.up(BOB)
        told.machine.dialled(BOB, None, 0.0, 0.0)
        assert told.machine.next_due() is None
        assert told.up(now=50.0) == ([], [BOB])
        assert told.dials(50.0) == []
        assert told.dials(50.1) == [BOB]

    def test_node_that_dials_this_one_counts_as_up(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        told.up(BOB)
        assert not told.failed(BOB, "it was dialling this node itself")
        assert told.machine.next_due() is None

    def test_l5_node_that_list_nodes_does_not_show_is_dialled_again(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        told.up()
        assert told.machine.dialled(BOB, None, 0.0, 0.0)
        assert told.machine.dial_reason(BOB) == "it was connected, and is not listed as such"
        assert told.dials(0.1) == [BOB]

    def test_node_that_is_lost_while_it_is_dialled_is_not_dialled_twice(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        told.up(BOB)
        told.up()
        assert told.dials(99.0) == []
        told.failed(BOB, "lost", 99.0)
        assert told.dials(99.1) == [BOB]

    def test_only_new_nodes_are_dialled(self) -> None:
        told = Told()
        told.up(BOB)
        told.sees(BOB, EVE)
        assert told.dials() == [EVE]

    def test_known_node_keeps_its_pause_when_it_is_seen_again(self) -> None:
        told = Told()
        told.sees(BOB)
        told.dials()
        told.failed(BOB, "refused")
        told.sees(BOB, EVE, now=0.05)
        assert told.dials(0.05) == [EVE]
        assert told.dials(0.1) == [BOB]

    def test_node_that_is_found_no_more_is_not_dialled_any_more(self) -> None:
        told = Told()
        told.sees(BOB, EVE)
        told.dials()
        told.failed(BOB, "refused")
        told.sees(EVE)
        assert told.dials(99.0) == []

    def test_node_of_a_part_is_kept(self) -> None:
        told = Told()
        told.sees(BOB, whole=False)
        told.dials()
        told.sees(EVE, whole=False)
        told.sees(whole=False)
        told.failed(BOB, "refused")
        assert sorted(told.dials(1.0)) == [BOB, EVE]

    def test_node_of_two_topologies_is_dialled_once_and_kept_for_the_other(self) -> None:
        told = Told(dns=False, lan=False)
        told.sees(BOB, by="dns")
        told.sees(BOB, by="lan")
        assert told.machine.due(0.0) == [DialFound(BOB, "dns")]
        told.failed(BOB, "refused")
        told.sees(HERE, by="dns")
        assert told.machine.due(0.1) == [DialFound(BOB, "lan")]

    def test_many_nodes_are_dialled_some_at_a_time_and_none_is_forgotten(self) -> None:
        told = Told()
        nodes = {f"n{number:04}@h" for number in range(MOST_DIALS * 3)}
        told.sees(*nodes)
        first = told.dials()
        assert len(first) == MOST_DIALS
        assert told.dials() == []
        assert told.machine.next_due() is None  # until one ends
        seen = set(first)
        for node in first:
            told.failed(node, "no route", 0.0)
            seen.update(told.dials(0.0))
        assert len(seen) == 2 * MOST_DIALS
        assert told.machine.next_due() is None
        for node in seen - set(first):
            told.failed(node, "no route", 0.0)
        assert told.machine.next_due() == 0.0
        assert seen | set(told.dials(0.0)) == nodes

    def test_connections_of_others_are_no_news(self) -> None:
        told = Told()
        assert told.up("stranger@h") == ([], [])
        assert told.up() == ([], [])
        assert told.dials(99.0) == []


class TestPrune:
    def connected_pair(self, **prunes: bool) -> Told:
        told = Told(**(prunes or {"dns": True}))
        told.sees(BOB, EVE, HERE)
        told.dials()
        told.up(BOB, EVE)
        for node in (BOB, EVE):
            told.machine.dialled(node, None, 0.0, 0.0)
        return told

    def test_nothing_is_pruned_unless_it_was_asked_for(self) -> None:
        told = self.connected_pair(dns=False)
        for _ in range(5):
            told.sees(HERE)
        assert told.prunes() == []

    def test_node_is_pruned_after_two_whole_sightings_without_it(self) -> None:
        told = self.connected_pair()
        told.sees(BOB, HERE)
        assert told.prunes() == []
        told.sees(BOB, HERE)
        assert told.prunes() == [EVE]
        told.up(BOB)
        told.sees(BOB, HERE)
        assert told.prunes() == []
        assert told.dials(99.0) == []
        assert told.counts["prunes"] == 1

    def test_l8_error_and_empty_answer_prune_nothing(self) -> None:
        told = self.connected_pair()
        told.machine.search_failed("dns", "SERVFAIL", 0.0, 0.0)
        for _ in range(5):
            told.sees()
        assert told.prunes() == []

    def test_failure_between_two_sightings_begins_the_count_anew(self) -> None:
        told = self.connected_pair()
        told.sees(BOB)
        told.machine.search_failed("dns", "SERVFAIL", 0.0, 0.0)
        told.sees(BOB)
        assert told.prunes() == []
        told.sees(BOB)
        assert told.prunes(1.0) == [EVE]

    def test_node_that_is_seen_in_between_is_kept(self) -> None:
        told = self.connected_pair()
        told.sees(BOB)
        told.sees(BOB, EVE)
        told.sees(BOB)
        assert told.prunes() == []

    def test_part_of_the_nodes_prunes_nothing(self) -> None:
        told = self.connected_pair()
        for _ in range(3):
            told.sees(BOB, whole=False)
        assert told.prunes() == []

    def test_l6_node_that_was_connected_by_hand_is_kept(self) -> None:
        told = self.connected_pair()
        told.up(BOB, EVE, "friend@h")
        for _ in range(3):
            told.sees(BOB, EVE)
        assert told.prunes() == []

    def test_node_that_another_topology_finds_is_kept(self) -> None:
        told = self.connected_pair(dns=True, lan=False)
        told.sees(EVE, by="lan")
        for _ in range(3):
            told.sees(BOB)
        assert told.prunes() == []

    def test_node_that_is_not_connected_is_only_forgotten(self) -> None:
        told = self.connected_pair()
        told.up(BOB)
        for _ in range(3):
            told.sees(BOB)
        assert told.prunes() == []


class TestFacts:
    def test_state_and_reason_of_every_node_are_told(self) -> None:
        told = Told(dns=True)
        told.sees(BOB, EVE, "gus@10.0.0.8", "gus@10.0.0.9")
        told.dials()
        told.up(BOB)
        told.failed(EVE, "the cookie differs", 1.0)
        told.machine.dialled("gus@10.0.0.9", "refused", 0.0, 0.0)
        told.sees(BOB, EVE, "gus@10.0.0.8", "gus@10.0.0.10", now=5.0)
        facts = told.machine.facts()
        assert facts["nodes"] == [HERE, BOB]
        assert facts["found"] == {
            BOB: "up",
            EVE: ("resting", "the cookie differs"),
            "gus@10.0.0.8": "dialling",
            "gus@10.0.0.10": "waiting",
        }
        assert facts["topologies"]["dns"]["prune"] is True
        assert facts["topologies"]["dns"]["reason"] is None

    def test_hidden_node_that_was_not_found_is_no_part_of_the_cluster(self) -> None:
        told = Told()
        told.sees(BOB)
        told.machine.connected([BOB, EVE, "rem-3fa9c1@h"], 0.0, 0.0, hidden=[BOB, "rem-3fa9c1@h"])
        assert told.machine.nodes == [HERE, BOB, EVE]

    def test_all_that_happens_is_counted(self) -> None:
        told = Told()
        assert told.counts == dict.fromkeys(COUNTERS, 0)
        told.sees(BOB, EVE)
        told.dials()
        told.up(BOB)
        told.failed(EVE, "refused")
        told.up()
        told.machine.search_failed("dns", "no answer", 0.0, 0.0)
        assert told.counts == {
            "sightings": 1,
            "failed_searches": 1,
            "dials": 2,
            "failed_dials": 1,
            "connections": 1,
            "losses": 1,
            "prunes": 0,
        }
