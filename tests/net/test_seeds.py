"""seeds.py: The plan of dials and look-ups for seeds, and the call of the resolver."""

from __future__ import annotations

import asyncio

import pytest

from pyx.errors import NodeNameInvalid, PyxError
from pyx.net.seeds import DialSeed, DnsSeed, NameSeed, ResolveSeed, SeedPlan, addresses_of, parse_seed

HERE = "gus@10.0.0.5"
PODS = DnsSeed("gus", "pyx.default.svc")


def plan(*seeds: NameSeed | DnsSeed) -> SeedPlan:
    return SeedPlan(seeds, HERE)


class TestParsingASeed:
    @pytest.mark.parametrize(
        ("text", "seed"),
        [
            ("bob@10.0.0.6", NameSeed("bob@10.0.0.6")),
            ("bob", NameSeed("bob@10.0.0.5")),
            ("dns:pyx.default.svc", PODS),
            ("dns:pyx.default.svc.", DnsSeed("gus", "pyx.default.svc.")),
            ("dns:bob@pyx", DnsSeed("bob", "pyx")),
        ],
    )
    def test_seed_is_parsed_in_all_its_forms(self, text: str, seed: NameSeed | DnsSeed) -> None:
        assert parse_seed(text, HERE) == seed

    @pytest.mark.parametrize("text", ["dns:", "dns:gus@", "dns:a..b", "dns:a b", "dns:.a"])
    def test_seed_without_a_domain_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=f"^the seed '{text}' has no domain: one looks like 'dns:pyx"):
            parse_seed(text, HERE)

    @pytest.mark.parametrize("text", ["", "b ob@h", "dns:b ob@pyx"])
    def test_seed_without_a_valid_name_is_refused(self, text: str) -> None:
        with pytest.raises(NodeNameInvalid):
            parse_seed(text, HERE)


class TestNameSeed:
    def test_name_seed_is_dialled_at_once_and_not_twice(self) -> None:
        seeds = plan(NameSeed("bob@h"), NameSeed("eve@h"))
        assert seeds.next_due() == 0.0
        assert seeds.due(1.0) == [DialSeed("bob@h"), DialSeed("eve@h")]
        assert seeds.due(9.0) == []
        assert seeds.next_due() is None

    def test_name_seed_is_dialled_again_with_growing_pauses(self) -> None:
        seeds = plan(NameSeed("bob@h"))
        now, pauses = 0.0, []
        for _ in range(8):
            assert seeds.due(now) == [DialSeed("bob@h")]
            seeds.dial_failed("bob@h", "refused", now, 0.0)
            due = seeds.next_due()
            assert due is not None
            pauses.append(due - now)
            now = due
        assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])

    def test_pause_between_dials_is_shortened_by_the_random_number(self) -> None:
        seeds = plan(NameSeed("bob@h"))
        seeds.due(10.0)
        seeds.dial_failed("bob@h", "refused", 10.0, 1.0)
        assert seeds.next_due() == pytest.approx(10.05)

    def test_failure_of_a_seed_is_reported_once_for_each_reason(self) -> None:
        seeds = plan(NameSeed("bob@h"))
        news = [
            seeds.dial_failed("bob@h", why, 0.0, 0.0) for why in ("refused", "refused", "cookie", "refused")
        ]
        assert news == [True, False, True, True]

    def test_name_seed_is_not_dialled_while_up_and_dialled_again_when_lost(self) -> None:
        seeds = plan(NameSeed("bob@h"))
        for _ in range(5):
            seeds.dial_failed("bob@h", "refused", 0.0, 0.0)
        seeds.node_up("bob@h")
        assert seeds.next_due() is None
        seeds.node_down("bob@h", 50.0, 0.0)
        assert seeds.next_due() == pytest.approx(50.1)  # the failures before are forgotten
        assert seeds.due(50.1) == [DialSeed("bob@h")]

    def test_name_seed_that_dials_this_node_meanwhile_counts_as_up(self) -> None:
        seeds = plan(NameSeed("bob@h"))
        assert seeds.due(0.0) == [DialSeed("bob@h")]
        seeds.node_up("bob@h")
        assert not seeds.dial_failed("bob@h", "it was dialling this node itself", 1.0, 0.0)
        assert seeds.next_due() is None

    def test_node_does_not_dial_itself(self) -> None:
        assert plan(NameSeed(HERE)).next_due() is None

    def test_node_that_is_not_a_seed_is_not_dialled(self) -> None:
        seeds = plan(NameSeed("bob@h"))
        seeds.due(0.0)
        seeds.node_up("eve@h")
        seeds.node_down("eve@h", 1.0, 0.0)
        assert seeds.next_due() is None


class TestDnsSeed:
    def test_dns_seed_is_resolved_and_its_other_nodes_are_dialled(self) -> None:
        seeds = plan(PODS)
        assert seeds.due(0.0) == [ResolveSeed(PODS)]
        seeds.resolved(PODS, ["10.0.0.7", "10.0.0.5", "10.0.0.6"], 1.0, 0.0)
        assert seeds.due(1.0) == [DialSeed("gus@10.0.0.6"), DialSeed("gus@10.0.0.7")]

    def test_dns_seed_is_resolved_periodically(self) -> None:
        seeds = plan(PODS)
        seeds.due(0.0)
        seeds.resolved(PODS, [], 1.0, 0.0)
        assert seeds.next_due() == 6.0
        assert seeds.due(6.0) == [ResolveSeed(PODS)]
        seeds.resolved(PODS, [], 7.0, 1.0)
        assert seeds.next_due() == 9.5

    def test_new_pod_is_dialled_at_once_and_a_known_one_keeps_its_pause(self) -> None:
        seeds = plan(PODS)
        seeds.resolved(PODS, ["10.0.0.6"], 0.0, 0.0)
        seeds.due(0.0)
        seeds.dial_failed("gus@10.0.0.6", "refused", 0.0, 0.0)
        seeds.resolved(PODS, ["10.0.0.6", "10.0.0.7"], 0.05, 0.0)
        assert seeds.due(0.05) == [DialSeed("gus@10.0.0.7")]
        assert seeds.due(0.1) == [DialSeed("gus@10.0.0.6")]

    def test_pod_that_has_left_the_domain_is_no_longer_dialled(self) -> None:
        seeds = plan(PODS)
        seeds.resolved(PODS, ["10.0.0.6", "10.0.0.7", "10.0.0.8"], 0.0, 0.0)
        assert len(seeds.due(0.0)) == 3
        seeds.dial_failed("gus@10.0.0.6", "refused", 0.0, 0.0)  # is in back-off
        seeds.node_up("gus@10.0.0.7")  # is up; the third is being dialled
        seeds.resolved(PODS, [], 0.0, 0.0)
        assert not seeds.dial_failed("gus@10.0.0.8", "refused", 0.0, 0.0)
        seeds.node_down("gus@10.0.0.7", 0.0, 0.0)
        assert seeds.due(99.0) == [ResolveSeed(PODS)]

    def test_pod_that_is_already_up_is_not_dialled(self) -> None:
        seeds = plan(PODS)
        seeds.node_up("gus@10.0.0.6")
        seeds.resolved(PODS, ["10.0.0.6"], 0.0, 0.0)
        assert seeds.due(0.0) == []
        seeds.node_down("gus@10.0.0.6", 1.0, 0.0)
        assert seeds.due(1.1) == [DialSeed("gus@10.0.0.6")]

    def test_known_pods_stay_when_the_resolver_fails(self) -> None:
        seeds = plan(PODS, NameSeed("bob@h"))
        seeds.resolved(PODS, ["10.0.0.6"], 0.0, 0.0)
        seeds.due(0.0)
        seeds.dial_failed("gus@10.0.0.6", "refused", 0.0, 0.0)
        seeds.due(5.0)
        assert seeds.not_resolved(PODS, "no such name", 5.0, 0.0)
        assert not seeds.not_resolved(PODS, "no such name", 5.2, 0.0)
        assert seeds.next_due() == pytest.approx(5.4)
        assert seeds.due(5.4) == [ResolveSeed(PODS)]
        seeds.dial_failed("gus@10.0.0.6", "refused", 5.5, 0.0)
        assert DialSeed("gus@10.0.0.6") in seeds.due(99.0)

    def test_node_of_two_seeds_is_dialled_once(self) -> None:
        seeds = plan(PODS, NameSeed("gus@10.0.0.6"))
        assert seeds.due(0.0) == [DialSeed("gus@10.0.0.6"), ResolveSeed(PODS)]
        seeds.resolved(PODS, ["10.0.0.6"], 0.0, 0.0)
        assert seeds.due(0.0) == []
        seeds.resolved(PODS, [], 0.0, 0.0)
        seeds.dial_failed("gus@10.0.0.6", "refused", 0.0, 0.0)
        assert seeds.due(0.1) == [DialSeed("gus@10.0.0.6")]


class TestResolver:
    def test_addresses_of_a_domain_are_returned(self) -> None:
        assert asyncio.run(addresses_of("localhost", HERE)) == ["127.0.0.1"]

    def test_addresses_are_of_the_family_of_this_node(self) -> None:
        assert asyncio.run(addresses_of("::1", "gus@fd00::5")) == ["::1"]
        with pytest.raises(PyxError, match=r"^::1 has no addresses: "):
            asyncio.run(addresses_of("::1", HERE))

    @pytest.mark.parametrize("domain", ["no-such-domain.invalid", "a..b"])
    def test_domain_without_addresses_is_one_clear_error(self, domain: str) -> None:
        with pytest.raises(PyxError, match=f"^{domain} has no addresses: "):
            asyncio.run(addresses_of(domain, HERE))
