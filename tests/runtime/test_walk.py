"""The number of files of pyx that a message enters on its way: few enough to be read in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.runtime.walk import two_nodes, walk_of_a_call, walks_of_a_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_nodes import LocalNodes
    from tests.runtime.walk import Pair

TO_THE_QUEUE: Final = 10
TO_THE_SOCKET: Final = 16
TO_THE_RECEIVER: Final = 17


@pytest.fixture
def pair(nodes: LocalNodes) -> Iterator[Pair]:
    with two_nodes(nodes) as pair:
        yield pair


def test_message_is_queued_through_few_files(pair: Pair) -> None:
    sent, _, _ = walks_of_a_message(pair, streams=True)
    to_the_queue = sent.legs[0].until("Outbox.put")
    assert len(to_the_queue.files) <= TO_THE_QUEUE, to_the_queue.files


def test_lone_message_is_written_to_the_socket_through_few_files(pair: Pair) -> None:
    sent, _, _ = walks_of_a_message(pair, streams=False)
    assert len(sent.files) <= TO_THE_SOCKET, sent.summary(functions=False)


def test_message_is_received_through_few_files(pair: Pair) -> None:
    _, received, _ = walks_of_a_message(pair, streams=False)
    assert len(received.files) <= TO_THE_RECEIVER, received.summary(functions=False)


def test_tracer_sees_both_ends_of_each_walk(pair: Pair) -> None:
    sent, received, _ = walks_of_a_message(pair, streams=False)
    assert sent.files[0] == received.files[-1] == "primitives.py"
    assert any(file.startswith("net/") for file in sent.files)
    assert received.files[0].startswith("net/")
    assert walk_of_a_call(pair).files[0] == "rpc.py"
