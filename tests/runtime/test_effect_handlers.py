"""effect_handlers.py, node_console.py: What each effect of the kernel does; a failing one keeps none back."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from pyx.core import effects as fx
from pyx.core.exit_notices import PORTION
from pyx.core.mailbox import Exited
from pyx.terms import Pid
from tests.local_nodes import in_kernel, until, wait_for

if TYPE_CHECKING:
    import pytest

    from pyx.core.processes import ProcessRecord
    from pyx.runtime.local_node import LocalNode


def test_failing_effect_is_logged_and_the_others_are_handled(
    node: LocalNode, caplog: pytest.LogCaptureFixture
) -> None:
    def decide() -> None:
        node.kernel.tables.console.append((Pid(1), "a line\n"))
        node.kernel.tables.effects.extend((fx.Show(None), fx.Log("warning", "the next one")))

    def broken(_: str, __: Pid) -> None:
        raise BrokenPipeError

    node.output.writer._write = broken
    in_kernel(node, decide)
    assert [record.getMessage() for record in caplog.records] == [
        "cannot handle the effect Show",
        "the next one",
    ]


def test_log_lines_have_their_level(node: LocalNode, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for level in ("info", "warning", "error"):
        in_kernel(node, node.kernel.tables.effects.append, fx.Log(level, f"100% {level}"))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "100% info"),
        ("WARNING", "100% warning"),
        ("ERROR", "100% error"),
    ]


def test_slow_console_does_not_block_the_transport_thread(node: LocalNode) -> None:
    """A console that blocks (Ctrl-S, a full pipe) must not stop the ticks."""
    shown: list[int] = []
    standing, go_on = threading.Event(), threading.Event()

    def slow(_: str, __: Pid) -> None:
        standing.set()
        wait_for(go_on)
        shown.append(threading.get_ident())

    node.output.writer._write = slow
    node.transport_loop.call(in_kernel, node, node.kernel.printing.print_lines, Pid(0), None, "a line\n")
    wait_for(standing)
    assert node.transport_loop.call(lambda: "still there") == "still there"
    go_on.set()
    until(lambda: bool(shown))
    assert shown != [node.transport_loop.call(threading.get_ident)]


def test_back_off_of_a_dial_ends_in_time(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    rested = threading.Event()
    monkeypatch.setattr(node.kernel.sessions, "backoff_ended", lambda _: rested.set())
    in_kernel(node, node.kernel.tables.effects.append, fx.RetryAt("b@test", time.monotonic()))
    wait_for(rested)


def test_dial_without_a_transport_is_ignored(node: LocalNode, caplog: pytest.LogCaptureFixture) -> None:
    in_kernel(node, node.kernel.tables.effects.extend, (fx.Dial("b@test"), fx.CancelDial("b@test")))
    assert caplog.messages == []
    assert node.kernel.tables.effects == []


def test_hangup_closes_the_connection_if_there_is_one(node: LocalNode) -> None:
    closed: list[bool] = []

    class Peer:
        link: Any = None

    class Link:
        def close(self, *, gracefully: bool) -> None:
            closed.append(gracefully)

    peer: Any = Peer()
    in_kernel(node, node.kernel.tables.effects.append, fx.Hangup(peer, gracefully=True))
    peer.connection = Link()
    in_kernel(node, node.kernel.tables.effects.append, fx.Hangup(peer, gracefully=True))
    assert closed == [True]


def test_end_with_many_links_lets_other_kernel_calls_in_between(node: LocalNode) -> None:
    """It goes on by itself until all are told, on a node that was never started too."""

    def bind() -> tuple[ProcessRecord, list[ProcessRecord]]:
        one, *others = (node.kernel.process_signals.process_started("def")[0] for _ in range(3 * PORTION))
        for other in others:
            other.trap_exit = True
            node.kernel.process_signals.link(other, one.pid)
        return one, others

    one, others = in_kernel(node, bind)
    told: list[int] = []

    def end() -> None:
        node.kernel.process_signals.process_exited(one, "boom")
        told.append(sum(len(other.mailbox) for other in others))

    in_kernel(node, end)
    assert told == [PORTION]
    until(lambda: not node.kernel.tables.exit_notices)
    assert [other.mailbox.snapshot() for other in others] == [[Exited(one.pid, "boom")]] * len(others)
