"""Answers of a peer that are malformed or were not asked for: the call fails as documented, nothing else."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Node, Process, RpcError, rpc
from pyx.errors import NoConnection, RpcRefused
from pyx.signals import Answer, Ask, Call, Payload, Ping, Pong, Signal, Spawn, Spawned
from pyx.terms import Pid, Raised
from pyx.wire.codec import encode
from tests.hostile import Hostile
from tests.local_nodes import HANG, LocalNodes, as_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode

FORGED = "x\n2026-01-01 CRITICAL root: backup deleted by admin \x1b[2J"

ANSWERS: dict[str, Callable[[int], Signal]] = {
    "a pong": lambda number: Pong(number),
    "a pid": lambda number: Spawned(number, Pid(1)),
    "no value": lambda number: Answer(number, "value", "word"),
    "a word that is none": lambda number: Answer(number, "bananas", Payload(encode(1))),
    "a loss": lambda number: Answer(number, "noconnection", FORGED),
    "a refusal without a policy": lambda number: Answer(number, "refused", FORGED),
    "a refusal with a payload": lambda number: Answer(number, "refused", Payload(encode("off"))),
    "bytes": lambda number: Answer(number, "value", Payload(b"\xc1")),
    "half a name": lambda number: Answer(number, "undefined", Payload(encode((1, 2)))),
    "an error of numbers": lambda number: Answer(number, "raised", Payload(encode(Raised(1, 2, 3)))),  # type: ignore[arg-type]
    "an error of nothing": lambda number: Answer(number, "raised", Payload(encode(None))),
}


def answered_by(
    victim: LocalNode, kind: type, answer: Callable[[int], Signal], act: Callable[[], Any]
) -> Any:
    """Returns the outcome of *act*, as a process of the victim, when the hostile peer answers so."""
    with Hostile(victim) as evil:

        def answers() -> None:
            request: Any = evil.next(kind)
            evil.sends(answer(request.number))

        thread = threading.Thread(target=answers)
        thread.start()
        try:
            return as_process(victim, act)
        finally:
            thread.join(HANG)


@pytest.fixture
def victim(nodes: LocalNodes) -> LocalNode:
    return nodes.start("victim")


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
class TestMalformedAnswers:
    def test_malformed_answer_to_a_call_is_an_rpc_error(
        self, victim: LocalNode, answer: Callable[[int], Signal]
    ) -> None:
        with pytest.raises(RpcError, match=r"the answer of evil@test (is malformed|cannot be decoded)"):
            answered_by(
                victim, Call, answer, lambda: rpc.call("evil@test", "math", "sqrt", [4], timeout=HANG)
            )

    def test_malformed_answer_to_a_multicall_is_an_error_among_the_results(
        self, victim: LocalNode, answer: Callable[[int], Signal], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)

        def act() -> Any:
            return rpc.multicall(["victim@test", "evil@test"], "math", "sqrt", [4], timeout=HANG)

        (result, error), unanswered = answered_by(victim, Call, answer, act)
        assert (result, unanswered) == (2.0, [])
        assert type(error) is RpcError
        assert "CRITICAL" not in caplog.text

    def test_malformed_answer_to_a_spawn_is_an_rpc_error(
        self, victim: LocalNode, answer: Callable[[int], Signal], caplog: pytest.LogCaptureFixture
    ) -> None:
        if isinstance(answer(1), Spawned):
            return
        with pytest.raises(RpcError, match="the answer of evil@test is malformed"):
            answered_by(victim, Spawn, answer, lambda: Node.spawn("evil@test", "math", "sqrt", [4]))
        assert "CRITICAL" not in caplog.text

    def test_malformed_answer_to_an_inquiry_is_a_noconnection_error(
        self, victim: LocalNode, answer: Callable[[int], Signal]
    ) -> None:
        with pytest.raises(NoConnection, match=r"its answer is malformed|it cannot answer"):
            answered_by(victim, Ask, answer, lambda: Process.info(Pid(1, 0, "evil@test", 666), "status"))

    def test_other_answer_to_a_ping_is_a_pang(
        self, victim: LocalNode, answer: Callable[[int], Signal]
    ) -> None:
        word = "pong" if isinstance(answer(1), Pong) else "pang"
        assert answered_by(victim, Ping, answer, lambda: Node.ping("evil@test")) == word


@pytest.mark.parametrize("facts", [{}, {"status": "waiting"}, [1], "status"])
def test_facts_without_the_keys_asked_for_are_a_noconnection_error(victim: LocalNode, facts: Any) -> None:
    with pytest.raises(NoConnection, match="its answer is malformed"):
        answered_by(
            victim,
            Ask,
            lambda number: Answer(number, "value", Payload(encode(facts))),
            lambda: Process.info(Pid(1, 0, "evil@test", 666), ["status", "kind"]),
        )


@pytest.mark.parametrize("policy", ["exported", "off"])
def test_refusal_by_a_peer_names_its_policy(victim: LocalNode, policy: str) -> None:
    with pytest.raises(RpcRefused) as refused:
        answered_by(
            victim,
            Ask,
            lambda number: Answer(number, "refused", policy),
            lambda: Process.info(Pid(1, 0, "evil@test", 666), "messages"),
        )
    assert refused.value.policy == policy
