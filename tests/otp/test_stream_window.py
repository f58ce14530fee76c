"""stream_window.py: How many tasks of a stream run, which result is next, whose time is over."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyx.otp.stream_window import NOTHING_YET, StreamWindow


def window(most: int = 2, timeout: float | None = None, *, ordered: bool = True) -> StreamWindow[str]:
    return StreamWindow(most, timeout, ordered=ordered)


def taken(window: StreamWindow[Any]) -> list[Any]:
    """All results that can be given out now."""
    found = []
    while (result := window.take()) is not NOTHING_YET:
        found.append(result)
    return found


def test_as_many_tasks_run_as_may() -> None:
    stream = window(2)
    assert stream.starts()
    stream.started("a", 0)
    assert stream.starts()
    stream.started("b", 0)
    assert not stream.starts()
    assert stream.running == ["a", "b"]
    stream.settled("b", "B")
    assert stream.starts()
    assert stream.running == ["a"]


def test_results_keep_the_order_of_the_items() -> None:
    stream = window(3)
    for key in "abc":
        stream.started(key, 0)
    stream.settled("c", "C")
    stream.settled("b", "B")
    assert taken(stream) == []
    stream.settled("a", "A")
    assert taken(stream) == ["A", "B", "C"]
    assert taken(stream) == []


def test_results_without_order_come_as_they_are_there() -> None:
    stream = window(3, ordered=False)
    for key in "abc":
        stream.started(key, 0)
    stream.settled("c", "C")
    assert taken(stream) == ["C"]
    stream.settled("b", "B")
    stream.settled("a", "A")
    assert taken(stream) == ["B", "A"]


def test_task_that_waits_for_its_turn_makes_room_for_the_next() -> None:
    stream = window(2)
    stream.started("slow", 0)
    for key in "abc":
        assert stream.starts()
        stream.started(key, 0)
        stream.settled(key, key.upper())
    assert taken(stream) == []


def test_stream_is_over_when_all_is_given_out() -> None:
    stream = window(2)
    assert not stream.is_over()
    stream.started("a", 0)
    stream.has_no_more_items()
    assert not stream.starts()
    assert not stream.is_over()
    stream.settled("a", "A")
    assert not stream.is_over()
    assert taken(stream) == ["A"]
    assert stream.is_over()


def test_stream_of_no_items_is_over_at_once() -> None:
    stream = window()
    stream.has_no_more_items()
    assert stream.is_over()


def test_time_of_each_task_begins_with_it() -> None:
    stream = window(2, 1.0)
    stream.started("a", 10.0)
    stream.started("b", 10.5)
    assert stream.next_deadline == 11.0
    assert stream.expired(10.9) == []
    assert stream.expired(11.0) == ["a"]
    assert stream.expired(11.5) == ["a", "b"]
    stream.settled("a", ("exit", "timeout"))
    assert stream.next_deadline == 11.5


def test_task_without_a_limit_never_expires() -> None:
    stream = window(1, None)
    stream.started("a", 10.0)
    assert stream.next_deadline is None
    assert stream.expired(1e9) == []


@given(st.integers(1, 5), st.booleans(), st.integers(0, 12), st.data())
def test_each_result_is_given_out_once_and_no_more_tasks_run_than_may(
    most: int, ordered: bool, items: int, data: st.DataObject
) -> None:
    stream: StreamWindow[int] = StreamWindow(most, None, ordered=ordered)
    given_out: list[int] = []
    settled: list[int] = []
    next_item = 0
    while not stream.is_over():
        while stream.starts():
            if next_item == items:
                stream.has_no_more_items()
                break
            stream.started(next_item, 0)
            next_item += 1
        assert len(stream.running) <= most
        if stream.running:
            key = data.draw(st.sampled_from(stream.running))
            stream.settled(key, key)
            settled.append(key)
        given_out += taken(stream)
    assert given_out == (list(range(items)) if ordered else settled)
    assert sorted(given_out) == list(range(items))
