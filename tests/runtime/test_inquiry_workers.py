"""inquiry_workers.py: Inquiries of peers: few threads, the peers in turn, a refusal beyond the limit."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pyx import Node, receive
from pyx.core.effects import Inquire
from pyx.core.outbox import HIGH_WATER_BYTES, Outbox
from pyx.runtime import inquiry_workers as questions_file
from pyx.runtime.inquiry_workers import MOST_THREADS, NO_THREAD, TOO_MANY, InquiryWorkers
from pyx.signals import Answer, Ask, Payload, Send
from pyx.terms import Pid, Raised
from pyx.wire.codec import encode
from tests.hostile import Hostile
from tests.local_nodes import LocalNodes, Running, as_process, in_kernel, seen_from

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def question(node: str, number: int, size: int = 8) -> Inquire:
    return Inquire(node, 1, number, "info", Payload(bytes(size)))


class Desk:
    """Inquiries, and threads that run when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []
        self.has_threads = True
        self.answered: list[tuple[str, int]] = []
        self.refused: list[tuple[int, str]] = []
        self.queues: dict[str, Outbox] = {}
        self.questions = InquiryWorkers(
            self._run,
            lambda inquire: self.answered.append((inquire.node, inquire.number)),
            lambda inquire, why: self.refused.append((inquire.number, why)),
            self.queues.get,
        )

    def _run(self, job: Callable[[], None]) -> None:
        if not self.has_threads:
            raise RuntimeError
        self.jobs.append(job)

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


def test_many_inquiries_take_few_threads() -> None:
    desk = Desk()
    for number in range(100):
        desk.questions.ask(question("a@h", number))
    assert len(desk.jobs) == MOST_THREADS
    desk.work()
    assert desk.answered == [("a@h", number) for number in range(100)]
    desk.questions.ask(question("a@h", 100))
    assert len(desk.jobs) == 1


def test_peers_are_answered_in_turn() -> None:
    desk = Desk()
    for number in range(3):
        desk.questions.ask(question("a@h", number))
    desk.questions.ask(question("b@h", 7))
    desk.work()
    assert desk.answered == [("a@h", 0), ("b@h", 7), ("a@h", 1), ("a@h", 2)]


def test_inquiries_beyond_the_limit_of_one_peer_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions_file, "MOST_WAITING", 3)
    desk = Desk()
    for number in range(5):
        desk.questions.ask(question("a@h", number))
    desk.questions.ask(question("b@h", 9))
    assert desk.refused == [(3, TOO_MANY), (4, TOO_MANY)]
    desk.work()
    assert len(desk.answered) == 4


def test_bytes_of_waiting_inquiries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions_file, "MOST_WAITING_BYTES", 100)
    desk = Desk()
    for number in range(3):
        desk.questions.ask(question("a@h", number, size=60))
    assert [number for number, _ in desk.refused] == [1, 2]
    desk.work()
    desk.questions.ask(question("a@h", 4, size=60))
    desk.work()
    assert desk.answered == [("a@h", 0), ("a@h", 4)]


def test_inquiries_without_a_thread_left_are_refused() -> None:
    desk = Desk()
    desk.has_threads = False
    desk.questions.ask(question("a@h", 1))
    assert desk.refused == [(1, NO_THREAD)]
    desk.has_threads = True
    desk.questions.ask(question("a@h", 2))
    desk.work()
    assert desk.answered == [("a@h", 2)]


def test_inquiries_of_a_busy_peer_wait_and_others_are_answered() -> None:
    desk = Desk()
    slow = desk.queues["slow@h"] = Outbox("slow@h")
    slow.put(Send(None, "server", Payload(bytes(HIGH_WATER_BYTES))))
    desk.questions.ask(question("slow@h", 1))
    desk.questions.ask(question("b@h", 2))
    desk.work()
    assert desk.answered == [("b@h", 2)]
    slow.written = slow.enqueued
    slow.waiters.wake()
    desk.work()
    assert desk.answered == [("b@h", 2), ("slow@h", 1)]
    assert not slow.waiters


class TestAFlood:
    def test_flood_is_answered_by_two_threads(self, nodes: LocalNodes) -> None:
        victim, honest = nodes.start("victim"), nodes.start("honest")
        waiting = Running(victim, receive)
        as_process(honest, lambda: Node.ping("victim"))
        before = threading.active_count()
        with Hostile(victim) as evil:
            ask = Payload(encode((evil.victim_pid(waiting.pid), ["status"])))
            flood = evil.bytes_of(*(Ask(Pid(1), number, "info", ask) for number in range(1, 5001)))
            sending = threading.Thread(target=evil.socket.sendall, args=(flood,))
            sending.start()
            most = 0
            answers: list[Answer] = []
            while len(answers) < 5000:
                answers.append(evil.next(Answer))
                most = max(most, threading.active_count())
            assert most <= before + 1 + MOST_THREADS
            assert {answer.outcome for answer in answers} == {"value"}
            assert sorted(answer.number for answer in answers) == list(range(1, 5001))
            assert as_process(honest, lambda: Node.ping("victim")) == "pong"
        there = seen_from(honest, victim, waiting.pid)
        in_kernel(honest, honest.kernel.router.send, None, there, "enough")

    def test_flood_beyond_the_limit_is_refused_with_a_sentence(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(questions_file, "MOST_WAITING", 0)
        victim = nodes.start("victim")
        with Hostile(victim) as evil:
            told = evil.decoded(evil.asks_info(Pid(1)))
        assert told == Raised("PyxError", TOO_MANY)
