"""seeding.py: Seeds are dialled until they are up: late, lost and again, by name and by domain."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import PyxError
from pyx.runtime import seeding, start_stop
from tests.local_nodes import LocalNodes, in_kernel, start_node, until

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


def connected(node: LocalNode) -> list[str]:
    return in_kernel(node, node.kernel.membership.nodes, ("connected",))


def test_seed_is_dialled(nodes: LocalNodes) -> None:
    b = nodes.start("b")
    a = nodes.start("a", seeds=["b@test"])
    until(lambda: connected(a) == ["b@test"])
    until(lambda: connected(b) == ["a@test"])


def test_seed_that_starts_later_is_found_and_its_absence_logged_once(
    nodes: LocalNodes, caplog: pytest.LogCaptureFixture
) -> None:
    a = nodes.start("a", seeds=["b@test"])
    until(lambda: "the seed b@test cannot be reached: no node of that name" in caplog.text)
    nodes.start("b")
    until(lambda: connected(a) == ["b@test"])
    assert caplog.text.count("the seed b@test cannot be reached") == 1


def test_lost_seed_is_dialled_again(nodes: LocalNodes) -> None:
    b = nodes.start("b")
    a = nodes.start("a", seeds=["b@test"])
    until(lambda: connected(a) == ["b@test"])
    start_stop.stop(b)
    until(lambda: connected(a) == [])
    nodes.start("b")
    until(lambda: connected(a) == ["b@test"])


def test_domain_is_looked_up(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def addresses_of(domain: str, name: str) -> list[str]:
        assert (domain, name) == ("pyx.example", "a@test")
        return ["test"]

    monkeypatch.setattr(seeding, "addresses_of", addresses_of)
    nodes.start("b")
    a = nodes.start("a", seeds=["dns:b@pyx.example"])
    until(lambda: connected(a) == ["b@test"])


def test_domain_without_addresses_is_logged(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def addresses_of(*_: Any) -> list[str]:
        raise PyxError("no such domain")

    monkeypatch.setattr(seeding, "addresses_of", addresses_of)
    caplog.set_level(logging.WARNING)
    nodes.start("a", seeds=["dns:pyx.example"])
    until(lambda: "the seed pyx.example leads nowhere: no such domain" in caplog.text)


def test_invalid_seed_is_refused_before_the_node_starts(nodes: LocalNodes) -> None:
    node = nodes.make()
    with pytest.raises(ValueError, match="seed"):
        start_node(node, "a@test", seeds=["dns:"])
    assert not node.kernel.tables.name


def test_dialling_ends_when_the_node_leaves(nodes: LocalNodes) -> None:
    a = nodes.start("a", seeds=["b@test"])
    assert a.transport is not None
    plan = a.transport._seeding
    assert plan is not None
    start_stop.stop(a)
    a.transport_loop.call(lambda: None)
    assert not plan._runs
    plan.node_down("b@test")
    a.transport_loop.call(lambda: None)
    nodes.start("b")
    a.transport_loop.call(lambda: None)
    assert connected(a) == []
