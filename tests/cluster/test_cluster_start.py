"""cluster_start.py, cluster_server.py, search.py, dialling.py, static_nodes.py: Seeds are followed."""

from __future__ import annotations

import asyncio

import pytest

from pyx import Cluster, ClusterInvalid
from pyx.cluster import dns_addresses
from pyx.cluster.cluster_server import _until_killed
from pyx.errors import ProcessKilled, PyxError
from pyx.runtime import start_stop
from tests.local_nodes import HANG, LocalNodes, as_process, connected, start_node, until


def test_seed_is_dialled(nodes: LocalNodes) -> None:
    b = nodes.start("b")
    a = nodes.start("a", seeds=["b@test"])
    until(lambda: connected(a) == ["b@test"])
    until(lambda: connected(b) == ["a@test"])


def test_seed_that_starts_later_is_found_and_its_absence_logged_once(
    nodes: LocalNodes, caplog: pytest.LogCaptureFixture
) -> None:
    a = nodes.start("a", seeds=["b@test"])
    until(lambda: "cluster seed: b@test cannot be reached: no node of that name" in caplog.text)
    nodes.start("b")
    until(lambda: connected(a) == ["b@test"])
    assert caplog.text.count("b@test cannot be reached") == 1


def test_lost_seed_is_dialled_again(nodes: LocalNodes) -> None:
    b = nodes.start("b")
    a = nodes.start("a", seeds=["b@test"])
    until(lambda: connected(a) == ["b@test"])
    start_stop.stop(b)
    until(lambda: connected(a) == [])
    nodes.start("b")
    until(lambda: connected(a) == ["b@test"])


def test_lost_seed_that_is_hidden_is_dialled_again(nodes: LocalNodes) -> None:
    def hidden() -> list[str]:
        info: list[str] = start_stop.info(a)["hidden_nodes"]
        return info

    b = nodes.start("b", hidden=True)
    a = nodes.start("a", seeds=["b@test"])
    until(lambda: hidden() == ["b@test"])
    start_stop.stop(b)
    until(lambda: hidden() == [])
    nodes.start("b", hidden=True)
    until(lambda: hidden() == ["b@test"])


def test_node_name_of_a_seed_may_be_bare(nodes: LocalNodes) -> None:
    nodes.start("b")
    a = nodes.start("a", seeds=["b"])
    until(lambda: connected(a) == ["b@test"])


def test_invalid_seed_is_refused_before_the_node_starts(nodes: LocalNodes) -> None:
    node = nodes.make()
    with pytest.raises(ClusterInvalid, match=r"^the seed 'dns:': query is missing: one looks like 'pyx"):
        start_node(node, "a@test", seeds=["dns:"])
    assert not node.kernel.tables.name


def test_search_and_dials_end_when_the_node_stops(nodes: LocalNodes) -> None:
    a = nodes.start("a", seeds=["b@test"])
    before = start_stop.info(a)["processes"]
    assert before >= 1
    start_stop.stop(a)
    until(lambda: start_stop.info(a)["processes"] == 0)
    nodes.start("b")
    start_node(a, "a@test")
    assert connected(a) == []


def test_dial_of_a_cluster_that_is_killed_has_nothing_to_tell() -> None:
    async def dials() -> None:
        raise ProcessKilled  # by the gate of the process, before its tasks are cancelled

    asyncio.run(_until_killed(dials()))


def test_node_that_starts_again_follows_its_seeds_again(nodes: LocalNodes) -> None:
    a = nodes.start("a", seeds=["b@test"])
    start_stop.stop(a)
    nodes.start("b")
    start_node(a, "a@test", seeds=["b@test"])
    until(lambda: connected(a) == ["b@test"])
    assert as_process(a, lambda: Cluster.wait(2, timeout=HANG)) == ["a@test", "b@test"]


def test_domain_is_looked_up(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def addresses_of(domain: str, name: str) -> list[str]:
        assert (domain, name) == ("pyx.example", "a@test")
        return ["test"]

    monkeypatch.setattr(dns_addresses, "addresses_of", addresses_of)
    nodes.start("b")
    a = nodes.start("a", seeds=["dns:b@pyx.example"])
    until(lambda: connected(a) == ["b@test"])


def test_domain_without_addresses_is_logged_once(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    async def addresses_of(*_: str) -> list[str]:
        asked.append(1)
        raise PyxError("no such domain")

    monkeypatch.setattr(dns_addresses, "addresses_of", addresses_of)
    nodes.start("a", seeds=["dns:pyx.example"])
    until(lambda: len(asked) >= 4)
    assert caplog.text.count("cluster dns:pyx.example: the search has failed: no such domain") == 1
