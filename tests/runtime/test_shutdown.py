"""shutdown.py: How long a node that leaves waits for its peers: as long as they take something."""

from __future__ import annotations

from pyx.runtime.shutdown import DrainTimeout


class TestANodeThatLeaves:
    def test_waits_as_long_as_something_is_taken(self) -> None:
        draining = DrainTimeout(100.0)
        for second in range(1000):
            assert not draining.is_over(100.0 + second, progress=second // 4, unsent=True, hurried_at=None)

    def test_gives_up_after_five_seconds_without_that(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(100.1, progress=7, unsent=True, hurried_at=None)
        assert not draining.is_over(105.0, progress=7, unsent=True, hurried_at=None)
        assert not draining.is_over(105.05, progress=8, unsent=True, hurried_at=None)
        assert not draining.is_over(110.0, progress=8, unsent=True, hurried_at=None)
        assert draining.is_over(110.06, progress=8, unsent=True, hurried_at=None)

    def test_waits_a_second_for_the_goodbye_of_those_who_have_all(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(100.0, progress=7, unsent=False, hurried_at=None)
        assert not draining.is_over(100.9, progress=7, unsent=False, hurried_at=None)
        assert draining.is_over(101.0, progress=7, unsent=False, hurried_at=None)

    def test_begins_that_second_when_the_last_has_left(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(104.0, progress=7, unsent=True, hurried_at=None)
        assert not draining.is_over(108.0, progress=7, unsent=False, hurried_at=None)
        assert not draining.is_over(108.9, progress=7, unsent=False, hurried_at=None)
        assert draining.is_over(109.0, progress=7, unsent=False, hurried_at=None)

    def test_has_five_seconds_once_it_is_told_to_end(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(104.0, progress=1, unsent=True, hurried_at=None)
        assert not draining.is_over(110.9, progress=2, unsent=True, hurried_at=106.0)
        assert draining.is_over(111.0, progress=3, unsent=True, hurried_at=106.0)

    def test_waits_for_nothing_more_once_it_gave_up(self) -> None:
        draining = DrainTimeout(100.0)
        draining.give_up()
        assert draining.is_over(100.0, progress=1, unsent=True, hurried_at=None)

    def test_has_them_from_its_leave_if_it_was_told_before(self) -> None:
        draining = DrainTimeout(100.0)
        assert not draining.is_over(104.9, progress=1, unsent=True, hurried_at=3.0)
        assert draining.is_over(105.0, progress=2, unsent=True, hurried_at=3.0)
