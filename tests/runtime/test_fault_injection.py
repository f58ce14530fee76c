"""fault_injection.py: Connections that are cut off, and reads that are delayed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pyx import receive, rpc, send
from pyx.errors import RpcTimeout
from tests.local_nodes import (
    LocalNodes,
    Running,
    as_process,
    in_kernel,
    ping,
)

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid


class TestFaultInjection:
    """Connections and dials hang until the cut is over."""

    def test_messages_pass_a_cut_only_after_it(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        ping(a, "b")
        assert b.transport is not None
        running = Running(b, receive)
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        b.transport.faults.cut_off(frozenset({"a@test"}))
        as_process(a, lambda: send(("reader", "b"), "through the cut"))
        with pytest.raises(RpcTimeout):
            as_process(a, lambda: rpc.call("b", "os", "getpid", timeout=0.01))
        assert len(running_mailbox(b, running.pid)) == 0
        b.transport.faults.cut_off(frozenset())
        assert running.outcome() == "through the cut"

    def test_delayed_reads_lose_no_message(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        assert b.transport is not None
        b.transport.faults.delay_frames(lambda: 0.001)
        assert ping(a, "b") == "pong"
        assert as_process(a, lambda: rpc.call("b", "os", "getpid")) == os.getpid()


def running_mailbox(node: LocalNode, pid: Pid) -> Any:
    process = node.kernel.tables.find(pid)
    assert process is not None
    return process.mailbox
