"""child_work.py: children that one node has another one start, and the policy on that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    CallRefused,
    ChildSpecInvalid,
    DynamicSupervisor,
    EncodeError,
    GenServer,
    Supervisor,
    child,
    handle,
    make_ref,
    receive,
    rpc,
    self,
    send,
)
from pyx.otp.child_work import request_for, spec_in
from pyx.otp.remote_work import WorkRequest
from pyx.terms import Incarnation
from tests.local_nodes import HANG, LocalNodes, as_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode

    Starts = Callable[[str], LocalNode]

SUP = ("sup", "asked@test")


def unmarked(boss: Any) -> None:
    send(boss, ("up", "unmarked"))
    receive("end")


@rpc.export
def marked(boss: Any) -> None:
    send(boss, ("up", "marked"))
    receive("end")


class Stock:
    @staticmethod
    def start_link(boss: Any, *, word: str) -> None:
        send(boss, ("up", word))


class Shelf(GenServer):
    """A server: its `start_link` is a method of its base class, bound to this one."""

    def init(self, boss: Any) -> None:
        send(boss, ("up", "shelf"))

    @handle.call
    def places(self) -> int:
        return 3


@pytest.fixture
def asking(nodes: LocalNodes) -> Starts:
    """Starts a node with a supervisor under a policy, and returns the one that asks it."""
    first = nodes.start("asking")

    def start(policy: str) -> LocalNode:
        asked = nodes.start("asked", rpc=policy)
        as_process(asked, lambda: Supervisor.start([], strategy="one_for_one", name="sup"))
        as_process(asked, lambda: DynamicSupervisor.start(name="dyn"))
        return first

    return start


def told(word: str) -> bool:
    message: tuple[str, str] = receive(("up", ...), timeout=HANG)
    return message[1] == word


def test_supervisor_of_another_node_starts_functions_and_classes(asking: Starts) -> None:
    def body() -> None:
        pid = Supervisor.start_child(SUP, child(unmarked, self(), id="a"))
        assert pid is not None
        assert pid.node == "asked@test"
        assert told("unmarked")
        assert Supervisor.start_child(SUP, (Stock, self(), {"word": "stock"})) is None
        assert told("stock")
        send(pid, "end")
        assert told("unmarked")  # it is permanent
        assert [row[0] for row in Supervisor.which_children(SUP)] == ["Stock", "a"]
        assert DynamicSupervisor.start_child(("dyn", "asked"), (unmarked, self())) is not None
        assert told("unmarked")

    as_process(asking("open"), body)


def test_supervisor_of_another_node_starts_servers(asking: Starts) -> None:
    def body() -> None:
        pid = Supervisor.start_child(SUP, child(Shelf, self(), id="shelf"))
        assert pid is not None
        assert pid.node == "asked@test"
        assert told("shelf")
        assert GenServer.call(pid, "places") == 3
        assert Supervisor.terminate_child(SUP, "shelf") == "ok"
        assert Supervisor.restart_child(SUP, "shelf") != pid
        assert told("shelf")
        assert DynamicSupervisor.start_child(("dyn", "asked"), child(Supervisor, [], strategy="one_for_one"))

    as_process(asking("open"), body)


def test_function_that_was_typed_travels_as_source_under_open(asking: Starts) -> None:
    def body() -> None:
        def typed(boss: Any) -> None:
            from pyx import send

            send(boss, ("up", "typed"))

        DynamicSupervisor.start_child(("dyn", "asked"), child(typed, self(), restart="temporary"))
        assert told("typed")

    as_process(asking("open"), body)


@pytest.mark.parametrize("policy", ["exported", "off"])
def test_policy_of_the_node_decides_what_a_peer_has_started(policy: str, asking: Starts) -> None:
    def body() -> None:
        for what in (child(unmarked, self()), child(Stock, self(), word="stock")):
            with pytest.raises(CallRefused, match=f"--rpc {policy}"):
                Supervisor.start_child(SUP, what)
        if policy == "exported":
            Supervisor.start_child(SUP, child(marked, self()))
            assert told("marked")
        else:
            with pytest.raises(CallRefused):
                Supervisor.start_child(SUP, child(marked, self()))
        assert len(Supervisor.which_children(SUP)) == (policy == "exported")

    as_process(asking(policy), body)


def test_arguments_that_are_not_data_are_refused_on_this_node(asking: Starts) -> None:
    def body() -> None:
        with pytest.raises(EncodeError, match="args"):
            Supervisor.start_child(SUP, child(unmarked, object()))
        with pytest.raises(EncodeError, match="id"):
            Supervisor.start_child(SUP, child(unmarked, 1, id=object()))

    as_process(asking("open"), body)


def test_what_is_no_specification_is_refused(node: LocalNode) -> None:
    junk: list[Any] = [None, 3, (), ("a", "b", "c"), (("a",), True, None), make_ref()]
    junk.append(((1, "permanent", 5, "worker", False), True, ("os", "f")))
    junk.append(((1, "permanent", 5, "worker", 0), True, ("os", "getpid", [], {}, None)))
    junk.append((([], "permanent", 5, "worker", False), True, ("os", "getpid", [], {}, None)))
    junk.append(((1, "ever", 5, "worker", False), True, ("os", "getpid", [], {}, None)))
    for request in junk:
        with pytest.raises(ChildSpecInvalid):
            spec_in(request, None)


def test_specification_as_it_is_comes_from_this_node_alone(node: LocalNode) -> None:
    def story() -> None:
        request = request_for("", child(receive, "end", id="a"))
        assert type(request) is WorkRequest
        spec = request.parts[1]
        assert spec_in(spec, None) is spec
        with pytest.raises(ChildSpecInvalid):
            spec_in(spec, Incarnation("peer@test", 7))
        with pytest.raises(ChildSpecInvalid):
            spec_in(child(receive, "end", id="a"), None)  # not prepared

    as_process(node, story)
