"""registry.py: registered names; each error names its rule."""

from __future__ import annotations

import pytest

from pyx.errors import RegistrationError
from pyx.terms import Pid
from tests.core.conversation import Node


def test_registered_name_finds_its_process_until_unregistered() -> None:
    node = Node()
    stock = node.process()
    node.registry.register(stock.pid, "stock")
    assert node.registry.whereis("stock") == stock.pid
    assert node.registry.registered() == ["stock"]
    node.registry.unregister("stock")
    assert node.registry.whereis("stock") is None
    node.registry.register(stock.pid, "shop")
    assert node.registry.registered() == ["shop"]


def test_process_end_frees_its_name() -> None:
    node = Node()
    stock, heir = node.process(), node.process()
    node.registry.register(stock.pid, "stock")
    node.process_signals.process_exited(stock, "normal")
    assert node.registry.whereis("stock") is None
    node.registry.register(heir.pid, "stock")
    assert node.registry.whereis("stock") == heir.pid


def test_registration_error_names_the_rule() -> None:
    node = Node("a@h", 1)
    stock, other, dead = node.process(), node.process(), node.process()
    node.process_signals.process_exited(dead, "normal")
    node.registry.register(stock.pid, "stock")
    refusals = [
        (other.pid, "stock", "cannot register #PID<0.2.0> as 'stock': the name is taken by #PID<0.1.0>"),
        (stock.pid, "more", "cannot register #PID<0.1.0> as 'more': it is registered as 'stock' already"),
        (dead.pid, "dead", "cannot register #PID<0.3.0> as 'dead': it is not alive"),
        (other.pid, "", "a name is a str that is not empty"),
        (other.pid, "n" * 256, "cannot register #PID<0.2.0>: a name has at most 255 characters, not 256"),
        (Pid(7, 0, "b@h", 2), "far", "it is not a process of this node"),
        (Pid(1, 0, "a@h", 9), "old", "it is not alive"),
    ]
    for pid, name, rule in refusals:
        with pytest.raises(RegistrationError) as refused:
            node.registry.register(pid, name)
        assert rule in str(refused.value)
    with pytest.raises(RegistrationError, match="a name is a str that is not empty"):
        node.registry.register(other.pid, None)  # type: ignore[arg-type]
    with pytest.raises(RegistrationError, match="cannot unregister 'nobody': no process has that name"):
        node.registry.unregister("nobody")
