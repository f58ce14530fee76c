"""peers.py: the session with another node."""

from __future__ import annotations

from pyx.core.peers import Peer


def test_repr_of_a_session_names_its_node_number_and_state() -> None:
    assert repr(Peer("b@h", 3, dialled=True)) == "<Peer b@h session 3 dialling>"
