"""link_protocol.py: each row of OTP's link protocol, and the crossings it is for."""

from __future__ import annotations

from pyx.core.link_protocol import Links
from pyx.terms import Pid

A = Pid(1, 0, "a@h", 1)
B = Pid(2, 0, "b@h", 2)


def test_links_do_not_stack() -> None:
    links = Links()
    assert links.link(B)
    assert not links.link(B)
    assert B in links
    assert list(links) == [B]
    assert links.unlink(B, 1)
    assert B not in links
    assert not links.unlink(B, 2)


def test_unlink_ends_with_its_acknowledgement() -> None:
    a, b = Links(), Links()
    a.link(B)
    b.link_received(A)
    a.unlink(B, 1)
    b.unlink_received(A)
    a.ack_received(B, 1)
    assert list(a) == list(b) == []
    b.link(A)
    a.link_received(B)
    assert list(a) == [B]


def test_link_that_crosses_an_unlink_is_void_on_both_sides() -> None:
    a, b = Links(), Links()
    a.link(B)
    b.link_received(A)
    assert a.unlink(B, 1)
    assert not b.link(A)  # b is linked and sends nothing, or it has just sent LINK:
    a.link_received(B)
    b.unlink_received(A)
    a.ack_received(B, 1)
    assert list(a) == list(b) == []


def test_crossing_unlinks_leave_no_state() -> None:
    a, b = Links(), Links()
    a.link(B)
    b.link_received(A)
    a.unlink(B, 1)
    b.unlink(A, 1)
    a.unlink_received(B)
    b.unlink_received(A)
    a.ack_received(B, 1)
    b.ack_received(A, 1)
    a.link_received(B)
    assert list(a) == [B]


def test_new_link_overrules_the_outstanding_unlink() -> None:
    a, b = Links(), Links()
    a.link(B)
    b.link_received(A)
    assert a.unlink(B, 1)
    assert a.link(B)
    b.unlink_received(A)
    b.link_received(A)
    a.ack_received(B, 1)
    assert list(a) == [B]
    assert list(b) == [A]


def test_old_acknowledgement_does_not_end_a_newer_unlink() -> None:
    a = Links()
    a.link(B)
    a.unlink(B, 1)
    a.link(B)
    a.unlink(B, 2)
    a.ack_received(B, 1)
    a.link_received(B)  # still void: unlink 2 is outstanding
    assert list(a) == []


def test_exit_counts_once_and_only_while_linked() -> None:
    a = Links()
    assert not a.exit_received(B)
    a.link(B)
    assert a.exit_received(B)
    assert not a.exit_received(B)
    a.link(B)
    a.unlink(B, 1)
    assert not a.exit_received(B)


def test_lost_node_ends_its_links_and_outstanding_unlinks() -> None:
    a = Links()
    other = Pid(3, 0, "b@h", 2)
    a.link(B)
    a.link(other)
    a.link(Pid(9))
    a.unlink(other, 1)
    assert a.node_lost("b@h") == [B]
    assert a.exit_received(B)
    a.link_received(other)
    assert list(a) == [Pid(9), other]
