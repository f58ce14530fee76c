"""topic_names.py: topics and instances for completion, as far as this node knows them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyx import Presence, PubSub
from pyx import self as own_pid
from pyx.pubsub.instances import presences_of
from pyx.shell.topic_names import instance_names, topic_names
from pyx.signals import Payload
from tests.local_nodes import as_process, in_kernel

if TYPE_CHECKING:
    import pytest

    from pyx.runtime.local_node import LocalNode


def test_are_those_of_all_instances(node: LocalNode) -> None:
    def program() -> Any:
        PubSub.start_link(name="chat")
        Presence.start_link(name="rooms", pubsub="chat")
        PubSub.subscribe("orders")
        PubSub.subscribe("orders", pubsub="chat")
        Presence.track("lobby", "gus", presence="rooms")
        return sorted(topic_names()), instance_names("pubsub"), instance_names("presence")

    expected = (["lobby", "orders"], ["pubsub", "chat"], ["presence", "rooms"])
    assert as_process(node, program) == expected


def test_topic_that_a_peer_has_malformed_is_left_out(node: LocalNode) -> None:
    def program() -> list[str]:
        Presence.track("lobby", "gus")
        runner = node.kernel.tables.find(own_pid())
        assert runner is not None
        for key in (b"\xc1\xff", b"\x07"):
            in_kernel(
                node,
                node.kernel.keys.hold,
                presences_of(node.kernel, "presence"),
                key,
                Payload(b""),
                [runner],
            )
        return topic_names()

    assert as_process(node, program) == ["lobby"]


def test_before_the_first_use_are_the_default_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pyx.pubsub.instance_names")
    assert (topic_names(), instance_names("pubsub"), instance_names("presence")) == (
        [],
        ["pubsub"],
        ["presence"],
    )
