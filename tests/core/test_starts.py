"""starts.py: a process that is started answers its starter once: ready, ignored, or by its end."""

from __future__ import annotations

from pyx.core.effects import Answered
from pyx.core.mailbox import Exited
from tests.core.conversation import Node, messages

WAITER = object()


def answers(node: Node) -> list[tuple[str, object]]:
    return [(answer.outcome, answer.body) for answer in node.saw(Answered)]


def test_process_that_is_ready_answers_its_starter_once() -> None:
    node = Node("a@h", 1)
    server = node.process()
    node.starts.awaited(server, WAITER)
    assert answers(node) == []
    node.starts.ready(server)
    node.starts.ready(server)
    node.process_signals.process_exited(server, "shutdown")
    assert answers(node) == [("ready", server.pid)]


def test_end_before_it_is_ready_answers_with_the_reason_and_the_name_is_free() -> None:
    node = Node("a@h", 1)
    server = node.process()
    node.registry.register(server.pid, "stock")
    node.starts.awaited(server, WAITER)
    node.process_signals.process_exited(server, "bad_thing")
    assert answers(node) == [("exit", "bad_thing")]
    assert node.registry.whereis("stock") is None


def test_ignored_start_ends_the_process_normally_and_its_links_are_told() -> None:
    node = Node("a@h", 1)
    parent = node.process()
    node.process_signals.set_trap_exit(parent, True)
    server, _ = node.process_signals.process_started("def", link_to=parent)
    node.starts.awaited(server, WAITER)
    node.starts.ignored(server)
    assert answers(node) == [("ignored", server.pid)]
    assert messages(parent) == [Exited(server.pid, "normal")]


def test_start_that_was_given_up_answers_nothing() -> None:
    node = Node("a@h", 1)
    server = node.process()
    number = node.starts.awaited(server, WAITER)
    node.requests.abandon(number)
    node.starts.ready(server)
    assert server.alive
    assert answers(node) == []


def test_process_that_nothing_waits_for_is_ready_without_an_answer() -> None:
    node = Node("a@h", 1)
    server = node.process()
    node.starts.ready(server)
    assert answers(node) == []
