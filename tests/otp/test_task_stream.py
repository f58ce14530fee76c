"""task_stream.py, stream_window.py: Streams of tasks as their consumers see them."""

from __future__ import annotations

import contextlib
import gc
import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    Exit,
    NotAProcess,
    Process,
    Raised,
    Task,
    TaskNotMine,
    TaskTimeout,
    WouldBlock,
    aio,
    receive,
    self,
    send,
    spawn,
    spawn_monitor,
)
from pyx.execution.context import require
from pyx.primitives import drain
from tests.local_nodes import HANG, LocalNodes, Running, as_process, until
from tests.otp.test_task import as_a_task, traps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from pyx.runtime.local_node import LocalNode


@pytest.fixture
def node(nodes: LocalNodes) -> LocalNode:
    """A node without a name."""
    return nodes.make()


def own_pid() -> Any:
    return self()


def same(value: Any) -> Any:
    return value


def never(_: Any = None) -> Any:
    return receive("never")


def exits(reason: Any) -> Any:
    if reason != "fine":
        raise Exit(reason)
    return reason


def raises(_: Any) -> None:
    raise ValueError("boom")


def holds_nothing() -> None:
    """The running process has no monitors, aliases, links and messages."""
    process = require("test").process
    assert dict(process.monitors) == {}
    assert dict(process.aliases) == {}
    assert drain() == []


def others() -> set[Any]:
    """The processes of this node without the running one."""
    return set(Process.list()) - {own_pid()}


def settled_with_nothing_left(story: Callable[[], Any]) -> Callable[[], Any]:
    """A story after which no process, monitor, alias or message is left."""

    def checked() -> Any:
        before = others()
        value = story()
        until(lambda: others() == before)
        holds_nothing()
        return value

    return checked


class Gates:
    """Lets tasks end in the order of the test: each waits for the gate of its number."""

    def __init__(self, count: int) -> None:
        self.events = [threading.Event() for _ in range(count)]
        self.started: list[int] = []

    def run(self, number: int) -> int:
        self.started.append(number)
        assert self.events[number].wait(HANG)
        return number


class TestOrder:
    def test_k12_results_come_in_order(self, node: LocalNode) -> None:
        def story() -> Any:
            return list(Task.async_stream(range(5), same, max_concurrency=2))

        assert as_process(node, settled_with_nothing_left(story)) == [("ok", each) for each in range(5)]

    def test_k12_slowest_first_stays_first(self, node: LocalNode) -> None:
        gates = Gates(4)

        def story() -> Any:
            stream = Task.async_stream(range(4), gates.run, max_concurrency=2)
            releasing = spawn(release)
            found = list(stream)
            Process.exit(releasing, "kill")
            return found

        def release() -> None:
            for number in (1, 2, 3, 0):
                until(lambda number=number: number in gates.started)  # type: ignore[misc]
                gates.events[number].set()

        assert as_process(node, settled_with_nothing_left(story)) == [("ok", each) for each in range(4)]
        assert sorted(gates.started) == [0, 1, 2, 3]

    def test_without_order_results_come_as_they_are_there(self, node: LocalNode) -> None:
        gates = Gates(2)

        def story() -> Any:
            stream = Task.async_stream(range(2), gates.run, max_concurrency=2, ordered=False)
            gates.events[1].set()
            first = next(stream)
            gates.events[0].set()
            return [first, *stream]

        assert as_process(node, settled_with_nothing_left(story)) == [("ok", 1), ("ok", 0)]

    def test_empty_stream_has_no_results(self, node: LocalNode) -> None:
        assert as_process(node, settled_with_nothing_left(lambda: list(Task.async_stream([], same)))) == []

    def test_further_arguments_follow_the_item(self, node: LocalNode) -> None:
        def story() -> Any:
            return (
                list(Task.async_stream([1, 2], divmod, 2)),
                list(Task.async_stream([1, 2], "builtins", "divmod", [2])),
                list(Task.async_stream([4, 9], "math", "sqrt")),
            )

        divided = [("ok", (0, 1)), ("ok", (1, 0))]
        assert as_process(node, settled_with_nothing_left(story)) == (
            divided,
            divided,
            [("ok", 2.0), ("ok", 3.0)],
        )

    def test_async_def_runs_as_a_task_too(self, node: LocalNode) -> None:
        async def body(item: int) -> int:
            await aio.sleep(0)
            return item

        def story() -> Any:
            return list(Task.async_stream([1, 2], body))

        assert as_process(node, settled_with_nothing_left(story)) == [("ok", 1), ("ok", 2)]


class TestLaziness:
    def test_k12_two_of_ten_with_two_at_a_time_start_three(self, node: LocalNode) -> None:
        taken: list[int] = []
        gates = Gates(10)

        def items() -> Iterator[int]:
            for item in range(10):
                taken.append(item)
                yield item

        def story() -> Any:
            stream = Task.async_stream(items(), gates.run, max_concurrency=2)
            assert taken == []
            gates.events[0].set()
            first = next(stream)
            assert taken == [0, 1]
            gates.events[1].set()
            second = next(stream)
            stream.close()
            return [first, second]

        assert as_process(node, settled_with_nothing_left(story)) == [("ok", 0), ("ok", 1)]
        assert taken == [0, 1, 2]

    def test_no_more_tasks_run_than_may(self, node: LocalNode) -> None:
        running: list[int] = []
        most: list[int] = []

        def body(item: int) -> None:
            running.append(item)
            most.append(len(running))
            running.remove(item)

        as_process(node, lambda: list(Task.async_stream(range(50), body, max_concurrency=3)))
        assert max(most) <= 3

    @pytest.mark.parametrize("count", [0, -1, 1.5, "2", True])
    def test_number_of_tasks_is_checked(self, count: Any, node: LocalNode) -> None:
        with pytest.raises(ValueError, match="max_concurrency is a number of tasks from 1 on"):
            as_process(node, lambda: Task.async_stream([1], same, max_concurrency=count))

    def test_other_options_are_checked(self, node: LocalNode) -> None:
        with pytest.raises(ValueError, match='on_timeout is "exit" or "kill_task"'):
            as_process(node, lambda: Task.async_stream([1], same, on_timeout="kill"))
        with pytest.raises(ValueError, match="timeout is a number of seconds"):
            as_process(node, lambda: Task.async_stream([1], same, timeout=-1))
        with pytest.raises(TypeError, match="after a module come the name"):
            as_process(node, lambda: list(Task.async_stream([1], "math", "sqrt", 4)))  # type: ignore[call-overload]
        with pytest.raises(TypeError, match=r"after the items come a function, or a module .* not 5"):
            as_process(node, lambda: list(Task.async_stream([1], 5)))  # type: ignore[call-overload]


class TestFailures:
    def test_k13_stream_raises_when_a_task_takes_too_long(self, node: LocalNode) -> None:
        def story() -> None:
            stream = Task.async_stream([1, 2], never, timeout=0.01, max_concurrency=2)
            with pytest.raises(TaskTimeout, match=r"has no result after 0.01 s") as raised:
                next(stream)
            assert raised.value.hint is not None
            assert "kill_task" in raised.value.hint
            assert list(stream) == []

        as_process(node, settled_with_nothing_left(traps(story)))
        as_process(node, settled_with_nothing_left(story))

    def test_k13_task_that_takes_too_long_is_killed_if_asked_for(self, node: LocalNode) -> None:
        def body(item: int) -> int:
            return item if item != 2 else never()

        def items() -> Iterator[int]:
            before = len(others())
            for item, running in ((1, 0), (2, 1), (3, 1)):
                yield item
                until(lambda running=running: len(others()) == before + running)  # type: ignore[misc]

        def story() -> Any:
            return list(
                Task.async_stream(items(), body, timeout=0.02, on_timeout="kill_task", max_concurrency=4)
            )

        expected = [("ok", 1), ("exit", "timeout"), ("ok", 3)]
        assert as_process(node, settled_with_nothing_left(traps(story))) == expected
        assert as_process(node, settled_with_nothing_left(story)) == expected

    def test_k14_process_that_traps_exits_gets_the_reason(self, node: LocalNode) -> None:
        def story() -> Any:
            return list(Task.async_stream(["fine", "bad", "normal", "fine"], exits, max_concurrency=2))

        assert as_process(node, settled_with_nothing_left(traps(story))) == [
            ("ok", "fine"),
            ("exit", "bad"),
            ("exit", "normal"),
            ("ok", "fine"),
        ]

    def test_k14_process_that_does_not_trap_exits_ends(self, node: LocalNode) -> None:
        def consume() -> None:
            list(Task.async_stream(["fine", "bad", "fine"], exits))
            receive("never")

        def story() -> Any:
            _, watch = spawn_monitor(consume)
            return receive(("DOWN", watch, ..., ..., ...), timeout=HANG)[4]

        assert as_process(node, settled_with_nothing_left(story)) == "bad"

    def test_exception_and_missing_function_are_reasons(self, node: LocalNode) -> None:
        def story() -> Any:
            return [
                *Task.async_stream([1], raises),
                *Task.async_stream([1], "math", "nope"),
                *Task.async_stream([1], lambda _: object()),
            ]

        answers = as_process(node, settled_with_nothing_left(traps(story)))
        assert [kind for kind, _ in answers] == ["exit"] * 3
        assert all(isinstance(reason, Raised) for _, reason in answers)
        assert [reason.type for _, reason in answers] == ["ValueError", "UndefinedFunction", "EncodeError"]

    def test_failure_of_the_items_ends_the_tasks(self, node: LocalNode) -> None:
        def items() -> Iterator[int]:
            yield 1
            yield 2
            raise ValueError("no more")

        def story() -> None:
            with pytest.raises(ValueError, match="no more"):
                list(Task.async_stream(items(), never, max_concurrency=3))

        as_process(node, settled_with_nothing_left(traps(story)))


class TestClosing:
    def test_tasks_of_a_stream_that_is_closed_are_killed(self, node: LocalNode) -> None:
        def body(item: int) -> int:
            return item if item == 0 else never()

        def story() -> None:
            with contextlib.closing(Task.async_stream(range(10), body, max_concurrency=4)) as stream:
                assert next(stream) == ("ok", 0)

        as_process(node, settled_with_nothing_left(traps(story)))
        as_process(node, settled_with_nothing_left(story))

    def test_results_that_are_there_are_dropped_with_it(self, node: LocalNode) -> None:
        def story() -> None:
            before = others()
            stream = Task.async_stream(range(4), same, max_concurrency=4)
            assert next(stream) == ("ok", 0)
            until(lambda: others() == before)  # all have ended, and their messages are in the mailbox
            stream.close()

        as_process(node, settled_with_nothing_left(traps(story)))
        as_process(node, settled_with_nothing_left(story))

    def test_items_end_with_the_stream(self, node: LocalNode) -> None:
        ended: list[str] = []

        def items() -> Iterator[int]:
            try:
                yield from range(9)
            finally:
                ended.append("items")

        def story() -> None:
            stream = Task.async_stream(items(), same, max_concurrency=1)
            assert next(stream) == ("ok", 0)
            stream.close()
            assert ended == ["items"]

        as_process(node, settled_with_nothing_left(story))

    def test_inner_and_outer_halt(self, node: LocalNode) -> None:
        def story() -> Any:
            found = []
            with contextlib.closing(Task.async_stream(range(4), same, max_concurrency=2)) as outer:
                for _, item in itertools.islice(outer, 2):
                    with contextlib.closing(Task.async_stream(range(9), same, max_concurrency=2)) as inner:
                        found += [(item, each) for _, each in itertools.islice(inner, 2)]
            return found

        assert as_process(node, settled_with_nothing_left(story)) == [(0, 0), (0, 1), (1, 0), (1, 1)]

    def test_generator_that_is_collected_elsewhere_ends_its_tasks(self, node: LocalNode) -> None:
        held: list[Any] = []

        def story() -> None:
            before = others()
            stream = Task.async_stream([0, 1, 2], body, max_concurrency=3)
            assert next(stream) == ("ok", 0)
            held.append(stream)
            del stream
            thread = threading.Thread(target=lambda: (held.clear(), gc.collect()))
            thread.start()
            until(lambda: not thread.is_alive())
            until(lambda: others() == before)
            process = require("test").process
            assert dict(process.monitors) == {}
            assert dict(process.aliases) == {}

        def body(item: int) -> int:
            return item if item == 0 else never()

        as_process(node, settled_with_nothing_left(traps(story)))


class TestConsumers:
    def test_zipped_streams_do_not_mix(self, node: LocalNode) -> None:
        def story() -> Any:
            first = Task.async_stream(range(3), same, max_concurrency=2)
            second = Task.async_stream("abc", same, max_concurrency=2)
            return list(zip(first, second, strict=True))

        assert as_process(node, settled_with_nothing_left(story)) == [
            (("ok", number), ("ok", letter)) for number, letter in enumerate("abc")
        ]

    def test_messages_that_look_alike_stay(self, node: LocalNode) -> None:
        fakes = [("DOWN", None, "process", None, "fake"), ("DOWN", 1, 2, 3, 4), (1, 2), "DOWN", ("a", "b")]

        def story() -> Any:
            for fake in fakes:
                send(own_pid(), fake)
            found = list(Task.async_stream(range(3), same, max_concurrency=2))
            assert drain() == fakes
            return found

        assert as_process(node, settled_with_nothing_left(story)) == [("ok", each) for each in range(3)]

    def test_stream_made_by_one_process_is_consumed_by_another(self, node: LocalNode) -> None:
        streams = [as_process(node, lambda: Task.async_stream(range(3), same))]
        found = as_process(node, settled_with_nothing_left(lambda: list(streams[0])))
        assert found == [("ok", each) for each in range(3)]

    def test_stream_is_consumed_by_one_process(self, node: LocalNode) -> None:
        streams: list[Any] = []

        def first() -> None:
            streams.append(Task.async_stream(range(3), same, max_concurrency=1))
            assert next(streams[0]) == ("ok", 0)
            streams.append("begun")
            receive("enough", timeout=HANG)

        running = Running(node, first)
        until(lambda: len(streams) == 2)
        with pytest.raises(TaskNotMine, match=f"belongs to {running.pid}"):
            as_process(node, lambda: next(streams[0]))
        as_process(node, lambda: send(running.pid, "enough"))
        running.outcome()

    def test_thread_that_is_not_a_process_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(NotAProcess, match=r"Task\.async_stream"):
            list(Task.async_stream([1], same))


class TestCoroutines:
    def test_twin_is_an_asynchronous_generator(self, node: LocalNode) -> None:
        async def items() -> AsyncIterator[int]:
            for item in range(3):
                await aio.sleep(0)
                yield item

        async def story() -> Any:
            Process.flag("trap_exit", True)
            found = [each async for each in aio.Task.async_stream(range(3), same, max_concurrency=2)]
            found += [each async for each in aio.Task.async_stream(items(), same)]
            found += [each async for each in aio.Task.async_stream(["bad"], exits)]
            holds_nothing()
            return found

        expected = [("ok", each) for each in range(3)]
        assert as_a_task(node, story) == [*expected, *expected, ("exit", "bad")]

    def test_twin_that_is_closed_ends_its_tasks(self, node: LocalNode) -> None:
        async def story() -> None:
            before = others()
            async with contextlib.aclosing(aio.Task.async_stream([1, 2], never, max_concurrency=2)) as stream:
                with pytest.raises(TimeoutError):
                    await _within(stream)
            while others() != before:
                await aio.sleep(0.001)
            holds_nothing()

        async def _within(stream: Any) -> None:
            import asyncio

            async with asyncio.timeout(0.05):
                await anext(stream)

        as_a_task(node, story)

    def test_plain_stream_would_block_the_loop(self, node: LocalNode) -> None:
        async def story() -> None:
            with pytest.raises(WouldBlock) as raised:
                list(Task.async_stream([1], same))
            assert raised.value.twin == "aio.Task.async_stream()"

        as_a_task(node, story)
