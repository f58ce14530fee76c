"""shutdown.py: How long a node that leaves waits for its peers: as long as they take something."""

from __future__ import annotations

from pyx.runtime.shutdown import DrainTimeout


class TestDrainTimeout:
    def test_wait_lasts_while_a_peer_takes_something(self) -> None:
        draining = DrainTimeout(100.0)
        for second in range(1000):
            assert not draining.is_over(100.0 + second, progress=second // 4, unsent=True, hurried_at=None)

    def test_wait_ends_after_five_seconds_without_progress(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(100.1, progress=7, unsent=True, hurried_at=None)
        assert not draining.is_over(105.0, progress=7, unsent=True, hurried_at=None)
        assert not draining.is_over(105.05, progress=8, unsent=True, hurried_at=None)
        assert not draining.is_over(110.0, progress=8, unsent=True, hurried_at=None)
        assert draining.is_over(110.06, progress=8, unsent=True, hurried_at=None)

    def test_wait_for_the_goodbye_ends_after_one_second(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(100.0, progress=7, unsent=False, hurried_at=None)
        assert not draining.is_over(100.9, progress=7, unsent=False, hurried_at=None)
        assert draining.is_over(101.0, progress=7, unsent=False, hurried_at=None)

    def test_wait_for_the_goodbye_begins_when_all_was_sent(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(104.0, progress=7, unsent=True, hurried_at=None)
        assert not draining.is_over(108.0, progress=7, unsent=False, hurried_at=None)
        assert not draining.is_over(108.9, progress=7, unsent=False, hurried_at=None)
        assert draining.is_over(109.0, progress=7, unsent=False, hurried_at=None)

    def test_node_told_to_end_waits_five_seconds(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(104.0, progress=1, unsent=True, hurried_at=None)
        assert not draining.is_over(110.9, progress=2, unsent=True, hurried_at=106.0)
        assert draining.is_over(111.0, progress=3, unsent=True, hurried_at=106.0)

    def test_wait_ends_when_it_is_given_up(self) -> None:
        draining = DrainTimeout(100.0)
        draining.give_up()
        assert draining.is_over(100.0, progress=1, unsent=True, hurried_at=None)

    def test_node_told_to_end_before_it_leaves_waits_five_seconds_from_then(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(104.9, progress=1, unsent=True, hurried_at=3.0)
        assert draining.is_over(105.0, progress=2, unsent=True, hurried_at=3.0)
