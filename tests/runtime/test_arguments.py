"""arguments.py: Argument checks of the public functions, and the sentence for each wrong argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import NodeNameInvalid
from pyx.runtime.arguments import (
    checked_choice,
    checked_destination,
    checked_pid,
    checked_ref,
    checked_seconds,
)
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes


class TestDestinations:
    @pytest.mark.parametrize("dest", [Pid(1), "server", Ref(1), ("server", "b@vm")])
    def test_valid_destination_is_unchanged(self, node: LocalNode, dest: Any) -> None:
        assert checked_destination(node, dest) == dest

    def test_bare_node_name_gets_the_host_of_this_node(self, nodes: LocalNodes) -> None:
        assert checked_destination(nodes.start("a"), ("server", "b")) == ("server", "b@test")

    @pytest.mark.parametrize(
        "dest", [None, 1, ("server",), ("server", "b", "c"), (1, "b"), ("server", 1), ["server", "b"], int]
    )
    def test_other_value_is_not_a_destination(self, node: LocalNode, dest: Any) -> None:
        with pytest.raises(TypeError, match=r"a destination is a pid, a registered name, \(name, node\)"):
            checked_destination(node, dest)

    def test_too_long_registered_name_is_refused(self, node: LocalNode) -> None:
        assert checked_destination(node, ("n" * 255, "b@test")) == ("n" * 255, "b@test")
        with pytest.raises(ValueError, match="a registered name has at most 255 characters, not 256"):
            checked_destination(node, ("n" * 256, "b@test"))

    def test_invalid_node_name_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(NodeNameInvalid, match="'no good' is not a node name"):
            checked_destination(node, ("server", "no good"))


class TestPids:
    def test_pid_is_accepted(self) -> None:
        assert checked_pid(Pid(1)) == Pid(1)

    def test_text_of_a_pid_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"a pid is needed, not '#PID<0\.1\.0>'"):
            checked_pid("#PID<0.1.0>")


class TestReferencesAndBooleans:
    def test_valid_value_is_accepted(self) -> None:
        assert checked_ref(Ref(1)) == Ref(1)
        assert [checked_choice(True), checked_choice(False)] == [True, False]

    def test_other_value_is_refused(self) -> None:
        with pytest.raises(TypeError, match="a reference is needed, not 5"):
            checked_ref(5)
        with pytest.raises(TypeError, match="True or False is needed, not 'off'"):
            checked_choice("off")


class TestSeconds:
    @pytest.mark.parametrize(
        ("given", "taken"), [(None, None), (0, 0.0), (1, 1.0), (1.5, 1.5), (float("inf"), float("inf"))]
    )
    def test_valid_value_is_accepted(self, given: Any, taken: float | None) -> None:
        assert checked_seconds(given) == taken

    @pytest.mark.parametrize("given", ["1", True, [1]])
    def test_seconds_that_are_not_a_number_are_refused(self, given: Any) -> None:
        with pytest.raises(TypeError, match="timeout is a number of seconds or None"):
            checked_seconds(given)

    @pytest.mark.parametrize("given", [-1, -0.1, float("nan")])
    def test_seconds_out_of_range_are_refused(self, given: Any) -> None:
        with pytest.raises(ValueError, match="delay is a number of seconds from 0 on"):
            checked_seconds(given, "delay")

    def test_seconds_that_are_not_a_float_are_refused(self) -> None:
        with pytest.raises(ValueError, match="this one is too large"):
            checked_seconds(10**400)
