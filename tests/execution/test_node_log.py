"""node_log.py: Records of a loop's thread are written on another one, in order, however slow the log."""

from __future__ import annotations

import _thread
import asyncio
import logging
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.execution import node_log
from pyx.execution.node_log import NodeLog
from pyx.execution.thread_state import thread
from tests.local_nodes import HANG, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Handler(logging.Handler):
    """Records lines and the threads that write them; blocks until `may_write` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.threads: set[int] = set()
        self.may_write = threading.Event()
        self.may_write.set()
        self.writes = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.writes.set()
        wait_for(self.may_write)
        self.threads.add(threading.get_ident())
        self.lines.append(record.getMessage())


@pytest.fixture
def handler() -> Iterator[Handler]:
    logger = logging.getLogger("tests.node_log")
    handler = Handler()
    logger.addHandler(handler)
    logger.propagate = False
    yield handler
    handler.may_write.set()
    logger.removeHandler(handler)


@pytest.fixture
def log(handler: Handler) -> NodeLog:
    return NodeLog(logging.getLogger("tests.node_log"))


def on_a_loop(action: Callable[[], object]) -> None:
    async def act() -> None:
        action()

    asyncio.run(act())


def test_record_of_a_plain_thread_is_written_on_that_thread(log: NodeLog, handler: Handler) -> None:
    log.warning("%s is down", "bob")
    assert handler.lines == ["bob is down"]
    assert handler.threads == {threading.get_ident()}


def test_records_of_a_loop_are_written_on_another_thread_in_order(log: NodeLog, handler: Handler) -> None:
    on_a_loop(lambda: [log.warning("line %d", number) for number in range(10)])
    log.settle(HANG)
    assert handler.lines == [f"line {number}" for number in range(10)]
    assert threading.get_ident() not in handler.threads


def test_blocked_handler_does_not_stop_a_loop(log: NodeLog, handler: Handler) -> None:
    handler.may_write.clear()
    on_a_loop(lambda: [log.warning("line %d", number) for number in range(10)])
    wait_for(handler.writes)
    assert handler.lines == []
    handler.may_write.set()
    until(lambda: len(handler.lines) == 10)


def test_records_beyond_the_queue_are_counted_in_one_line(
    log: NodeLog, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_log, "MOST_LINES", 3)
    handler.may_write.clear()
    on_a_loop(lambda: [log.warning("line %d", number) for number in range(10)])
    handler.may_write.set()
    until(lambda: len(handler.lines) == 4)
    assert handler.lines[3] == "7 log lines dropped: the log handler was blocked"


def test_record_below_the_level_is_not_queued(log: NodeLog, handler: Handler) -> None:
    logging.getLogger("tests.node_log").setLevel(logging.WARNING)
    log.info("not of interest")
    assert handler.lines == []


def test_settle_gives_up_on_a_blocked_handler(log: NodeLog, handler: Handler) -> None:
    handler.may_write.clear()
    on_a_loop(lambda: log.warning("a line"))
    log.settle(0.01)
    assert handler.lines == []
    assert not log.is_blocked


def test_log_that_has_written_nothing_for_long_is_known_to_be_blocked(
    log: NodeLog, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_log, "REPORT_SECONDS", -1.0)
    handler.may_write.clear()
    on_a_loop(lambda: log.warning("a line"))
    log.settle(0.01)
    assert log.is_blocked
    handler.may_write.set()
    until(lambda: not log.is_blocked)
    assert handler.lines == ["a line"]


def test_settle_waits_for_the_report_of_a_crash(log: NodeLog) -> None:
    """A program may end as soon as it receives the DOWN, while the report is being logged."""
    happened: list[str] = []
    begun, goes_on = threading.Event(), threading.Event()

    def reports() -> None:
        with log.report():
            begun.set()
            wait_for(goes_on)
            happened.append("logged")

    def ends() -> None:
        log.settle(HANG)
        happened.append("ended")

    reporting, ending = threading.Thread(target=reports), threading.Thread(target=ends)
    reporting.start()
    wait_for(begun)
    ending.start()
    goes_on.set()
    reporting.join()
    ending.join()
    assert happened == ["logged", "ended"]


def test_report_of_a_crash_is_written_before_the_process_goes_on(log: NodeLog, handler: Handler) -> None:
    def crashes() -> None:
        with log.report():
            for number in range(10):
                log.error("crash %d", number)
                assert handler.lines[-1] == f"crash {number}"

    crashes()
    assert len(handler.lines) == 10


def test_blocked_handler_holds_back_one_crash_and_no_other(
    log: NodeLog, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler.may_write.clear()
    monkeypatch.setattr(node_log, "REPORT_SECONDS", 0.01)
    with log.report():
        log.error("crash 1")
    monkeypatch.setattr(node_log, "REPORT_SECONDS", HANG)
    with log.report():
        log.error("crash 2")
    assert handler.lines == []
    handler.may_write.set()
    until(lambda: len(handler.lines) == 2)
    with log.report():
        log.error("crash 3")
    assert handler.lines == ["crash 1", "crash 2", "crash 3"]


def test_report_is_written_where_the_system_has_no_thread_left(
    log: NodeLog, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", none_left)
    with log.report():
        log.error("crash")
    assert handler.lines == ["crash"]


def test_blocked_handler_does_not_stop_a_thread_that_reads_for_the_node(
    log: NodeLog, handler: Handler
) -> None:
    handler.may_write.clear()
    thread.state.runs_transport = True
    try:
        log.warning("node bob@vm is down")
    finally:
        thread.state.runs_transport = False
    assert handler.lines == []
    handler.may_write.set()
    until(lambda: handler.lines == ["node bob@vm is down"])


def test_filter_that_raises_loses_its_own_record_alone(
    log: NodeLog, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(record: logging.LogRecord) -> bool:
        if record.args == (1,):
            raise LookupError("a filter's own")
        return True

    shown: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda _, error, __: shown.append(str(error)))
    handler.addFilter(raises)
    on_a_loop(lambda: [log.warning("line %d", number) for number in range(3)])
    until(lambda: handler.lines == ["line 0", "line 2"])
    assert shown == ["a filter's own"]


def test_logged_exception_has_its_traceback(log: NodeLog, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tests.node_log").propagate = True
    try:
        int("x")
    except ValueError:
        log.exception("could not do it")
    assert "could not do it" in caplog.text
    assert "ValueError: invalid literal" in caplog.text
