"""Messages on their way: what is sealed, what is refused, what a sender is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import EncodeError, ProcessKilled
from pyx.runtime import context
from pyx.runtime.runners import Runner
from pyx.signals import Letter
from pyx.terms import Pid, Ref
from tests.staging import as_process

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


class TestSending:
    @pytest.fixture
    def reader(self, node: LocalNode) -> Runner:
        process, _ = node.step(node.kernel.process_started, "def")
        process.runner = Runner(node, process)
        node.step(node.kernel.register, process.pid, "reader")
        runner: Runner = process.runner
        return runner

    def got(self, reader: Runner) -> Any:
        return reader.process.mailbox.incoming.popleft()

    @pytest.mark.parametrize("message", [1, "x", None, ("a", 1, Pid(5))])
    def test_at_home_a_flat_message_stays_itself(self, node: LocalNode, reader: Runner, message: Any) -> None:
        for dest in (reader.process.pid, "reader"):
            assert node.send(dest, message)
            assert self.got(reader) is message

    def test_any_other_is_sealed(self, node: LocalNode, reader: Runner) -> None:
        node.send("reader", [1])
        assert isinstance(self.got(reader), Letter)

    def test_a_destination_that_may_be_elsewhere_gets_a_letter(self, node: LocalNode) -> None:
        assert isinstance(node.body(("reader", "b@test"), 1), Letter)
        assert isinstance(node.body(Pid(1, node="b@test", creation=1), 1), Letter)
        assert node.body(Ref(1), 1) == 1

    def test_only_a_plain_name_that_nobody_has_is_told(self, node: LocalNode) -> None:
        assert node.send("nobody", 1) is False
        assert node.send(("nobody", "nonode@nohost"), 1) is True
        assert node.send(Pid(4711), 1) is True

    def test_what_is_no_data_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError):
            node.send("reader", object())

    def test_inside_a_step_it_is_put_off(self, node: LocalNode, reader: Runner) -> None:
        """As from a finalizer: nobody can tell then whether the name is somebody's."""
        assert node.step(node.send, "nobody", 1) is True
        node.step(node.send, "reader", 2)
        assert self.got(reader) == 2


def test_a_dead_process_may_give_up_what_it_asked_for(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[int] = []
    monkeypatch.setattr(node.kernel, "abandon", given_up.append)

    def body() -> None:
        runner = context.current.get()
        assert runner is not None
        runner.gate.killed = True
        with pytest.raises(ProcessKilled):
            node.abandon(7)

    as_process(node, body)
    node.portal.call(lambda: None)
    assert given_up == [7]
