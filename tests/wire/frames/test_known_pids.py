"""known_pids.py: Pids are made once for the same bytes, and bounded in number."""

from __future__ import annotations

import pytest

from pyx.errors import ProtocolError
from pyx.terms import Incarnation, Pid
from pyx.wire.frames.known_pids import KNOWN_PIDS, OwnPids, PeersPids, own_incarnation
from pyx.wire.frames.layout import FROM, TO
from tests.wire.samples import BOB, GUS


def test_pid_of_the_peer_is_made_once() -> None:
    pids = PeersPids(GUS)
    first = pids[FROM.pack(5, 1)]
    assert first == Pid(5, 1, *GUS)
    assert pids[FROM.pack(5, 1)] is first


def test_pid_of_this_node_is_local_and_one_of_an_earlier_start_stays_foreign() -> None:
    pids = OwnPids(BOB)
    assert pids[TO.pack(7, 1, BOB.creation)] == Pid(7, 1)
    assert pids[TO.pack(7, 1, 21)] == Pid(7, 1, BOB.name, 21)


def test_known_pids_are_bounded() -> None:
    peers, own = PeersPids(GUS), OwnPids(BOB)
    for number in range(3 * KNOWN_PIDS):
        assert peers[FROM.pack(number, 0)].number == number
        assert own[TO.pack(number, 0, BOB.creation)].number == number
    assert len(peers) <= KNOWN_PIDS
    assert len(own) <= KNOWN_PIDS


def test_address_without_a_creation_is_refused() -> None:
    with pytest.raises(ProtocolError, match="the creation of an address is 0"):
        own_incarnation(BOB, 0)
    assert own_incarnation(BOB, 21) == Incarnation(BOB.name, 21)
