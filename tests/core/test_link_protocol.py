"""link_protocol.py: OTP's link protocol: each row of the table, and the crossings it is for."""

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


def test_an_unlink_is_over_when_it_is_acknowledged() -> None:
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


def test_a_link_that_crosses_our_unlink_is_void_on_both_sides() -> None:
    a, b = Links(), Links()
    a.link(B)
    b.link_received(A)
    assert a.unlink(B, 1)
    assert not b.link(A)  # b takes itself for linked and says nothing, or had it just said LINK:
    a.link_received(B)
    b.unlink_received(A)
    a.ack_received(B, 1)
    assert list(a) == list(b) == []


def test_unlinks_that_cross_leave_nothing() -> None:
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


def test_a_link_anew_overrules_the_unlink_outstanding() -> None:
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


def test_an_old_acknowledgement_does_not_end_a_newer_unlink() -> None:
    a = Links()
    a.link(B)
    a.unlink(B, 1)
    a.link(B)
    a.unlink(B, 2)
    a.ack_received(B, 1)
    a.link_received(B)  # still void: unlink 2 is outstanding
    assert list(a) == []


def test_an_exit_counts_once_and_only_while_linked() -> None:
    a = Links()
    assert not a.exit_received(B)
    a.link(B)
    assert a.exit_received(B)
    assert not a.exit_received(B)
    a.link(B)
    a.unlink(B, 1)
    assert not a.exit_received(B)


def test_a_lost_node_takes_its_links_and_its_unlinks_along() -> None:
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
