"""local_node.py: A node's host, and the node of this OS process."""

from __future__ import annotations

import os
import threading

import pytest

from pyx.execution import context
from pyx.runtime import local_node
from pyx.runtime.local_node import LocalNode, this_node
from tests.local_nodes import HANG, LocalNodes, as_process, in_kernel


class TestNames:
    def test_host_of_a_node_without_a_name_is_this_host(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local_node.socket, "gethostname", lambda: "vm.example.org")  # type: ignore[attr-defined]
        assert node.full_name("gus") == "gus@vm"
        monkeypatch.setattr(local_node.socket, "gethostname", lambda: "Gus's PC")  # type: ignore[attr-defined]
        assert node.full_name("gus") == "gus@localhost"

    def test_host_of_a_node_is_that_of_its_name(self, nodes: LocalNodes) -> None:
        assert nodes.start("a").full_name("gus") == "gus@test"


class TestThisNode:
    @pytest.fixture
    def none_yet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_node, "_node", None)

    def test_node_is_made_when_first_asked_for_and_once(self, none_yet: None) -> None:
        barrier, nodes = threading.Barrier(8), list[LocalNode]()

        def ask() -> None:
            barrier.wait(HANG)
            nodes.append(this_node())

        askers = [threading.Thread(target=ask) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(HANG)
        assert nodes == [this_node()] * 8

    def test_new_node_starts_no_thread(self, none_yet: None) -> None:
        before = threading.active_count()
        this_node()
        assert threading.active_count() == before

    def test_this_node_of_a_process_is_its_own(self, nodes: LocalNodes) -> None:
        first, second = nodes.make(), nodes.make()
        assert this_node() is first
        assert as_process(second, this_node) is second

    def test_finalizer_may_ask_for_the_node_while_it_is_made(
        self, none_yet: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[LocalNode] = []

        class WithAFinalizer(LocalNode):
            def __init__(self) -> None:
                super().__init__()
                if not asked:
                    asked.append(self)
                    asked.append(this_node())

        monkeypatch.setattr(local_node, "LocalNode", WithAFinalizer)
        node = this_node()
        assert node is asked[1]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # of threads, from Python 3.12 on
def test_lock_of_the_kernel_is_free_in_a_forked_child(node: LocalNode) -> None:
    node.dispatch.lock.acquire()
    child = os.fork()
    if not child:
        fine = context.current.get() is None and this_node() is not node and not node.dispatch.lock.locked()
        os._exit(0 if fine and in_kernel(node, node.kernel.registry.registered) == [] else 1)
    node.dispatch.lock.release()
    assert os.waitpid(child, 0)[1] == 0
    assert this_node() is node


def test_name_is_completed_anew_for_a_node_of_another_name(node: LocalNode) -> None:
    """What was completed is kept, for the name that the node had."""
    tables = node.kernel.tables
    for own_name, full in [("a@one", "b@one"), ("a@two", "b@two"), ("a@one", "b@one")]:
        tables.name = own_name
        assert node.full_name("b") == node.full_name("b") == full
    tables.name = ""
    for number in range(1100):  # not all are kept
        tables.name = f"a@{number}"
        assert node.full_name("b") == f"b@{number}"
    tables.name = ""
