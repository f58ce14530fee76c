"""genserver.py, server_loop.py, served_object.py, running_server.py, handler_table.py: OTP's `gen_server`.

The label of a test is that of a behaviour executed on Elixir 1.14; each is shown on a thread and on the
process loop.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    CallError,
    CallExited,
    CallingSelf,
    CallNoProcess,
    CallTimeout,
    CallUndefined,
    Continue,
    Exit,
    GenServer,
    Ignore,
    NoReply,
    Pid,
    Process,
    Raised,
    Ref,
    Registry,
    ServerAlreadyStarted,
    StartFailed,
    Stop,
    Sys,
    aio,
    handle,
    self,
    send,
    spawn,
    via,
)
from pyx.atoms import Atom
from pyx.errors import EncodeError, WouldBlock
from pyx.otp.server_calls import system_call
from pyx.runtime.request import wait
from pyx.signals import GenCall, GenReply, Payload
from pyx.wire.codec import encode
from tests.hostile import Hostile
from tests.local_nodes import HANG, Running, as_process, end_of, until
from tests.otp.servers import (
    AsyncStock,
    AsyncTrapping,
    Bare,
    Recorder,
    Stock,
    Trapping,
    is_mailbox_empty,
    received,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

KINDS = pytest.mark.parametrize("kind", [Stock, AsyncStock], ids=["def", "async def"])
TRAPPING = pytest.mark.parametrize("kind", [Trapping, AsyncTrapping], ids=["def", "async def"])


@pytest.fixture
def run(node: LocalNode) -> Callable[[Callable[[], Any]], Any]:
    """Runs a function as a process of the node; returns its value."""
    return lambda function: as_process(node, function)


# ---------------------------------------------------------------- the start


@KINDS
def test_start_returns_the_pid_of_a_process_of_its_kind(run: Any, kind: type[Stock]) -> None:
    pid = kind.start({"nike": 30}, name="stock")
    assert Process.whereis("stock") == pid
    assert Process.info(pid, "kind")[1] == ("async def" if kind is AsyncStock else "def")
    assert Process.info(pid, "initial_call")[1] == (kind.__module__, f"{kind.__name__}.init", 1)
    assert kind.add("stock", "nike", 3) == 33


@KINDS
def test_g1_stop_in_init_is_the_reason_and_a_trapping_parent_gets_the_exit(
    run: Any, kind: type[Stock]
) -> None:
    def parent() -> None:
        Process.flag("trap_exit", True)
        with pytest.raises(StartFailed) as failed:
            kind.start_link(["bad_thing"])
        assert failed.value.reason == "bad_thing"
        assert received(("EXIT", Pid, "bad_thing"))
        with pytest.raises(StartFailed):
            kind.start(["bad_thing"])
        assert is_mailbox_empty()

    run(parent)


def test_g2_ignore_returns_none_and_a_trapping_parent_gets_the_exit(run: Any) -> None:
    class Unwanted(GenServer):
        def init(self) -> Any:
            return Ignore

    def parent() -> None:
        Process.flag("trap_exit", True)
        assert Unwanted.start_link() is None
        assert received(("EXIT", Pid, "normal"))

    run(parent)


@KINDS
def test_g3_exception_in_init_is_the_reason_and_is_reported(
    run: Any, kind: type[Stock], caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def init(self) -> None:
            raise ValueError("boom")

    with pytest.raises(StartFailed, match="did not start: ValueError: boom") as failed:
        Failing.start(name="stock")
    assert isinstance(failed.value.reason, Raised)
    until(lambda: "did not start" in caplog.text)
    assert "(stock) did not start\nTraceback" in caplog.text


def test_g3_rubbish_of_init_is_the_reason(run: Any) -> None:
    class Odd(GenServer):
        def init(self) -> Any:
            return "rubbish"

    with pytest.raises(StartFailed) as failed:
        Odd.start()
    assert failed.value.reason == ("bad_return_value", "rubbish")


def test_g11_what_only_init_may_return_ends_the_server(run: Any) -> None:
    class Odd(GenServer):
        @handle.call
        def odd(self) -> Any:
            return Continue

    with pytest.raises(CallExited) as failed:
        Odd.odd(Odd.start())
    assert failed.value.reason[0] == "bad_return_value"


def test_arguments_without_an_init_that_takes_them_are_refused(run: Any) -> None:
    class Bare(GenServer): ...

    with pytest.raises(StartFailed, match="Bare was started with arguments, and has no `init`"):
        Bare.start({"nike": 30})
    Bare.start()


def test_genserver_itself_is_not_started(run: Any) -> None:
    class Stock(GenServer): ...

    with pytest.raises(TypeError, match="derive a class from it"):
        GenServer.start()
    with pytest.raises(TypeError, match=r"write Stock\.start_link\(\.\.\.\)$"):
        GenServer.start_link(Stock, {"nike": 30})


def test_g3_init_that_is_too_slow_is_killed(run: Any) -> None:
    class Slow(GenServer):
        def init(self) -> None:
            Process.sleep(None)

    with pytest.raises(StartFailed, match="'timeout'"):
        Slow.start(name="slow", timeout=0.01)
    assert Process.whereis("slow") is None


@KINDS
def test_g4_taken_name_runs_no_init(run: Any, kind: type[Stock]) -> None:
    pid = kind.start(name="stock")
    with pytest.raises(ServerAlreadyStarted) as refused:
        kind.start([ValueError("init must not run")], name="stock")
    assert refused.value.pid == pid


@pytest.mark.parametrize("is_async", [False, True])
def test_g5_continue_runs_before_a_message_that_came_while_init_ran(run: Any, is_async: bool) -> None:
    class Continuing(GenServer):
        def init(self, boss: Pid) -> Any:
            self.boss = boss
            send(self_pid(), "early")
            return Continue("first")

        def handle_continue(self, argument: Any) -> None:
            send(self.boss, ("continue", argument))

        def handle_info(self, message: Any) -> None:
            send(self.boss, ("info", message))

    class AsyncContinuing(Continuing):
        async def handle_cast(self, request: Any) -> None:
            raise NotImplementedError

    def parent() -> list[Any]:
        (AsyncContinuing if is_async else Continuing).start(self())
        return [received(), received()]

    assert run(parent) == [("continue", "first"), ("info", "early")]


def self_pid() -> Pid:
    return self()


def down_of(ref: Ref) -> Any:
    """Returns the reason in the DOWN of a monitor, which comes."""
    return received(("DOWN", ref, "process", ..., ...))[4]


@KINDS
def test_g6_timeout_comes_after_silence_and_any_message_cancels_it(run: Any, kind: type[Stock]) -> None:
    def parent() -> None:
        pid = kind.start(None, self())
        assert kind.waits(pid, 0.01) == "ok"
        assert received() == "timeout"
        Sys.suspend(pid)
        waiting, other = kind.waits.request(pid, 0.05), kind.total.request(pid)
        Sys.resume(pid)
        assert waiting.result(HANG) == "ok"
        assert other.result(HANG) == 0  # this call, which is there before the silence begins, cancels it
        Process.send_after(pid, "after", 0.1)
        assert received() == "after"  # no timeout came

    run(parent)


def test_g6_timeout_of_init(run: Any) -> None:
    class Impatient(GenServer):
        def init(self, boss: Pid) -> Any:
            self.boss = boss
            return NoReply(timeout=0.01)

        def handle_info(self, message: Any) -> None:
            send(self.boss, message)

    def parent() -> Any:
        Impatient.start(self())
        return received()

    assert run(parent) == "timeout"


@KINDS
def test_process_on_the_loop_starts_servers_by_the_twins(
    run: Any, node: LocalNode, kind: type[Stock]
) -> None:
    async def parent() -> Any:
        Process.flag("trap_exit", True)
        pid = await aio.GenServer.start_link(kind, {"nike": 1}, name="stock")
        assert await kind.add.aio(pid, "nike") == 2
        with pytest.raises(WouldBlock, match=r"add\.aio"):
            kind.add(pid, "nike")
        with pytest.raises(StartFailed):
            await aio.GenServer.start_link(kind, ["bad_thing"])
        assert (await aio.receive(timeout=60))[2] == "bad_thing"
        assert await aio.GenServer.stop(pid) == "ok"
        return await aio.receive(("EXIT", pid, ...), timeout=60)

    async def main() -> Any:
        outcome.append(await parent())

    outcome: list[Any] = []
    pid, _ = node.processes.spawn(main, ())
    assert end_of(node, pid) in {"normal", "noproc"}
    assert outcome[0][2] == "normal"


@KINDS
def test_nothing_is_left_of_hundreds_of_servers(run: Any, node: LocalNode, kind: type[Stock]) -> None:
    def churn(number: int) -> None:
        for index in range(number):
            pid = kind.start({"nike": index}, name="stock")
            assert kind.add("stock", "nike") == index + 1
            if index % 3 == 0:
                GenServer.stop(pid)
            elif index % 3 == 1:
                kind.stop_with(pid, "shutdown", "bye")
            else:
                ref = Process.monitor(pid)
                Process.exit(pid, "kill")
                down_of(ref)

    run(lambda: churn(30))
    tables = node.kernel.tables
    gc.collect()
    before = len(gc.get_objects())
    run(lambda: churn(300))
    assert tables.names == {}
    until(lambda: not tables.processes)
    until(lambda: gc.collect() < 0 or len(gc.get_objects()) < before + 300)


# ---------------------------------------------------------------- failures of handlers


@KINDS
def test_g7_exception_ends_the_server_after_terminate_and_its_caller_is_told(
    run: Any, kind: type[Stock], caplog: pytest.LogCaptureFixture
) -> None:
    def parent() -> None:
        pid = kind.start({"nike": 1}, self(), name="stock")
        ref = Process.monitor(pid)
        with pytest.raises(CallExited, match="ValueError: boom") as exited:
            kind.crash("stock")
        assert isinstance(exited.value.reason, Raised)
        match received(("terminate", ...))[1]:
            case Raised(type="ValueError", text="boom"):
                pass
            case other:
                pytest.fail(f"terminate got {other}")
        assert down_of(ref).text == "boom"

    run(parent)
    until(lambda: "ended" in caplog.text)
    assert "(stock) ended\nTraceback (most recent call last):\n  File" in caplog.text
    assert "raise ValueError" in caplog.text
    assert "server_loop.py" not in caplog.text  # the user's frames alone
    assert "last message: call 'crash' from #PID<" in caplog.text
    assert "state: {'items': {'nike': 1}" in caplog.text


NOT_EXCEPTIONS = [asyncio.CancelledError(), GeneratorExit(), KeyboardInterrupt(), BaseException("odd")]
"""What is not an `Exception`: a handler that awaits a cancelled future raises the first one."""


@KINDS
@pytest.mark.parametrize("error", NOT_EXCEPTIONS, ids=repr)
def test_g7_exception_of_any_class_ends_the_server_after_terminate(
    run: Any, kind: type[Stock], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def handle_call(self, request: Any, frm: Any) -> Any:
            raise error

    def parent() -> None:
        pid = Odd.start({"nike": 1}, self(), name="stock")
        with pytest.raises(CallExited) as exited:
            GenServer.call(pid, "odd")
        name = exited.value.reason.type
        assert name.rpartition(".")[2] == type(error).__name__
        assert received(("terminate", ...))[1].type == name

    run(parent)
    until(lambda: "state: {'items': {'nike': 1}" in caplog.text)
    assert "last message: call 'odd' from #PID<" in caplog.text


@KINDS
@pytest.mark.parametrize("error", NOT_EXCEPTIONS, ids=repr)
def test_g3_exception_of_any_class_in_init_is_reported(
    run: Any, kind: type[Stock], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def init(self) -> None:
            raise error

    with pytest.raises(StartFailed):
        Odd.start()
    until(lambda: "Odd) did not start" in caplog.text)


@KINDS
@pytest.mark.parametrize("error", [*NOT_EXCEPTIONS, SystemExit(3)], ids=repr)
def test_exception_of_any_class_in_terminate_keeps_no_last_reply_and_no_report_back(
    run: Any, kind: type[Stock], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def terminate(self, reason: Any) -> None:
            raise error

    assert Odd.stop_with(Odd.start(), "normal", "bye") == "bye"
    until(lambda: "Odd) ended" in caplog.text)
    assert "last message: call ('stop_with', 'normal', 'bye')" in caplog.text


@pytest.mark.parametrize("seconds", ["1", -1, float("nan"), True])
@KINDS
def test_timeout_that_is_not_seconds_is_the_failure_of_its_handler(
    run: Any, kind: type[Stock], seconds: Any
) -> None:
    def parent() -> None:
        with pytest.raises(CallExited, match="timeout is a number of seconds"):
            kind.waits(kind.start(None, self()), seconds)
        assert received(("terminate", ...))[1].type in {"TypeError", "ValueError"}

    run(parent)


@KINDS
def test_g8_result_may_be_raised(run: Any, kind: type[Stock]) -> None:
    pid = kind.start()
    assert run(lambda: kind.thrown(pid)) == "thrown"


@KINDS
def test_g9_last_reply_comes_from_a_dead_server(run: Any, kind: type[Stock]) -> None:
    def parent() -> None:
        for _ in range(20):
            pid = kind.start(name="stock")
            assert kind.stop_with("stock", "normal", "bye") == "bye"
            assert not Process.is_alive(pid)
            assert Process.whereis("stock") is None

    run(parent)


@KINDS
def test_g10_end_without_a_reply_is_the_callers_failure(
    run: Any, kind: type[Stock], caplog: pytest.LogCaptureFixture
) -> None:
    def parent() -> None:
        for ending in (kind.stop_with, kind.leave):
            with pytest.raises(CallExited) as exited:
                ending(kind.start(), "normal")
            assert exited.value.reason == "normal"

    run(parent)
    assert "ended" not in caplog.text


@KINDS
def test_g11_bad_return_ends_the_server(run: Any, kind: type[Stock]) -> None:
    def parent() -> None:
        pid = kind.start(None, self())
        ref = Process.monitor(pid)
        assert kind.misbehave(pid) == "ok"
        assert received(("terminate", ...))[1] == ("bad_return_value", "rubbish")
        assert down_of(ref) == ("bad_return_value", "rubbish")

    run(parent)


@KINDS
def test_declared_exception_is_the_callers_and_the_server_goes_on(run: Any, kind: type[Stock]) -> None:
    pid = kind.start({"nike": 1})

    def caller() -> None:
        with pytest.raises(KeyError, match="nope"):
            kind.take(pid, "nope")
        assert kind.take(pid, "nike") == 1

    run(caller)


@KINDS
def test_reply_that_is_not_data_is_refused_at_the_caller_and_the_server_goes_on(
    run: Any, kind: type[Stock]
) -> None:
    pid = kind.start()

    def caller() -> None:
        with pytest.raises(EncodeError, match=r"^cannot send reply\['lock'\]: <unlocked") as refused:
            kind.unsendable(pid)
        assert refused.value.path == "reply['lock']"
        assert refused.value.hint
        assert kind.total(pid) == 0

    run(caller)


# ---------------------------------------------------------------- callers


def test_g12_late_reply_vanishes(run: Any) -> None:
    def caller() -> None:
        pid = Recorder.start(self())
        with pytest.raises(CallTimeout):
            GenServer.call(pid, "later", timeout=0.01)
        frm = received(("from", ...))[1]
        GenServer.reply(frm, "late")
        assert is_mailbox_empty()

    run(caller)


@KINDS
def test_g13_server_goes_on_after_its_caller_has_given_up(run: Any, kind: type[Stock]) -> None:
    def caller() -> None:
        pid = kind.start()
        with pytest.raises(CallTimeout):
            kind.silent.within(0.01)(pid)
        kind.clear(pid)
        assert kind.add(pid, "nike") == 1
        assert is_mailbox_empty()

    run(caller)


def test_g14_dead_pid_and_unknown_name_fail_at_once(run: Any) -> None:
    pid = Stock.start()
    GenServer.stop(pid)
    for server in (pid, "nothing"):
        with pytest.raises(CallNoProcess):
            run(lambda server=server: Stock.total.within(None)(server))


@KINDS
def test_g16_server_that_calls_itself_dies_of_it(run: Any, kind: type[Stock]) -> None:
    class Mirror(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def handle_call(self, request: Any, frm: Any) -> Any:
            return GenServer.call(self_pid(), request) if kind is Stock else Stop("calling_self")

    def caller() -> None:
        with pytest.raises(CallingSelf):
            Stock.total(self())
        with pytest.raises(CallExited) as exited:
            GenServer.call(Mirror.start(), "look")
        assert "CallingSelf" in str(exited.value) or exited.value.reason == "calling_self"

    run(caller)


@KINDS
def test_g17_reply_comes_from_another_process_or_later(run: Any, kind: type[Stock]) -> None:
    class Delegating(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def handle_call(self, request: Any, frm: Any) -> Any:
            spawn(GenServer.reply, frm, "from elsewhere")
            return NoReply

    pid = Delegating.start()
    assert run(lambda: GenServer.call(pid, "who")) == "from elsewhere"
    assert run(lambda: Delegating.soon(pid)) == "from continue"


@KINDS
def test_g17_reply_comes_from_a_coroutine(run: Any, kind: type[Stock]) -> None:
    pid = kind.start()
    request = kind.silent.request(pid)
    frm = Sys.get_state(pid)["waiting"]
    assert asyncio.run(aio.GenServer.reply(frm, "late")) == "ok"
    assert request.result(timeout=60) == "late"


@KINDS
def test_g18_kill_while_a_caller_waits(run: Any, node: LocalNode, kind: type[Stock]) -> None:
    pid = kind.start()
    caller = Running(node, lambda: kind.silent.within(None)(pid))
    until(lambda: "waiting" in state_of(pid))
    Process.exit(pid, "kill")
    with pytest.raises(CallExited) as exited:
        caller.outcome()
    assert exited.value.reason == "killed"


def state_of(pid: Pid) -> Any:
    from pyx import Sys

    return Sys.get_state(pid)


def test_g19_cast_to_no_server_is_ok(run: Any) -> None:
    pid = Stock.start()
    GenServer.stop(pid)
    for server in (pid, "nothing", ("nothing", "nowhere@test")):
        assert Stock.clear(server) == "ok"
        assert GenServer.cast(server, "clear") == "ok"


# ---------------------------------------------------------------- what no handler takes


@pytest.mark.parametrize("is_async", [False, True])
def test_g20_unexpected_message_is_logged_once_for_each_kind(
    run: Any, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class AsyncBare(Bare):
        async def handle_continue(self, argument: Any) -> None:
            raise NotImplementedError

    pid = (AsyncBare if is_async else Bare).start()
    for message in ("hello", "hello", ("odd", 1), ("odd", 2)):
        send(pid, message)
    with pytest.raises(CallUndefined):  # the server lives, and has taken them
        run(lambda: GenServer.call(pid, "what"))
    lines = [record.getMessage() for record in caplog.records if "has no handle_info" in record.message]
    assert [line.partition(" for ")[2] for line in lines] == ["'hello'", "('odd', 1)"]
    assert all(record.levelno == logging.ERROR for record in caplog.records)


@KINDS
def test_g21_unknown_request_ends_nothing(
    run: Any, kind: type[Stock], caplog: pytest.LogCaptureFixture
) -> None:
    pid = kind.start()

    def caller() -> None:
        with pytest.raises(CallUndefined) as undefined:
            GenServer.call(pid, "what")
        assert {"add", "take", "total"} <= set(undefined.value.handlers)
        with pytest.raises(CallUndefined, match=r"it has take\(name\)"):
            GenServer.call(pid, ("take", 1, 2, 3))
        with pytest.raises(CallUndefined):
            GenServer.call(pid, 7)
        GenServer.cast(pid, "what")
        assert kind.total(pid) == 0

    run(caller)
    assert "has no handler for cast 'what'" in caplog.text


# ---------------------------------------------------------------- the end


@TRAPPING
def test_g22_stop_returns_after_terminate(run: Any, kind: type[Stock]) -> None:
    def parent() -> None:
        for reason in ("normal", "shutdown"):
            pid = kind.start(None, self())
            assert GenServer.stop(pid, reason) == "ok"
            assert received() == ("terminate", reason)
            with pytest.raises(CallNoProcess):
                GenServer.stop(pid)

    run(parent)


@KINDS
def test_g23_exit_signals_of_others_call_no_terminate(run: Any, kind: type[Stock]) -> None:
    def parent() -> None:
        pid = kind.start(None, self())
        Process.exit(pid, "normal")
        assert kind.total(pid) == 0  # ignored
        ref = Process.monitor(pid)
        Process.exit(pid, "shutdown")
        assert received() == ("DOWN", ref, "process", pid, "shutdown")
        assert is_mailbox_empty()

    run(parent)


@TRAPPING
def test_g24_end_of_the_parent_ends_a_trapping_server(run: Any, node: LocalNode, kind: type[Stock]) -> None:
    def watcher() -> None:
        def parent(boss: Pid) -> None:
            send(boss, ("pid", kind.start_link(None, boss)))
            received("leave")
            raise Exit("shutdown")

        other = spawn(parent, self())
        server = received(("pid", ...))[1]
        ref = Process.monitor(server)
        Process.exit(server, "from another")  # of any other process it is a message
        match received(("EXIT", ..., ...)):
            case ("EXIT", frm, "from another"):
                assert frm == self()
        send(other, "leave")
        assert received(("terminate", ...)) == ("terminate", "shutdown")
        assert down_of(ref) == "shutdown"

    run(watcher)


@KINDS
@pytest.mark.parametrize("reason", ["shutdown", ("shutdown", "moved"), "normal"])
def test_planned_end_is_not_reported(
    run: Any, kind: type[Stock], reason: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def parent() -> None:
        with pytest.raises(CallExited):
            kind.stop_with(kind.start(), reason)

    run(parent)
    assert "ended" not in caplog.text


@KINDS
def test_other_reason_is_reported_without_a_traceback(
    run: Any, kind: type[Stock], caplog: pytest.LogCaptureFixture
) -> None:
    def parent() -> None:
        with pytest.raises(CallExited):
            kind.stop_with(kind.start(name="stock"), "out of stock")

    run(parent)
    until(lambda: "(stock) ended\nreason: 'out of stock'\nlast message: call" in caplog.text)


@KINDS
def test_state_that_cannot_be_shown_keeps_no_report_back(
    run: Any, kind: type[Stock], caplog: pytest.LogCaptureFixture
) -> None:
    class Secretive(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def __getstate__(self) -> Any:
            raise RuntimeError("secret")

    def parent() -> None:
        with pytest.raises(CallExited, match="boom"):
            Secretive.crash(Secretive.start())

    run(parent)
    until(lambda: "last message: call 'crash'" in caplog.text)
    assert "state: RuntimeError('secret')" in caplog.text


@KINDS
def test_exception_in_terminate_is_the_reason(run: Any, kind: type[Stock]) -> None:
    class Careless(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def terminate(self, reason: Any) -> None:
            raise RuntimeError("no")

    def parent() -> None:
        with pytest.raises(CallExited) as exited:
            Careless.stop_with(Careless.start(), "normal")
        assert exited.value.reason.type == "RuntimeError"

    run(parent)


# ---------------------------------------------------------------- requests


@KINDS
def test_request_of_a_method_is_its_name_and_arguments(run: Any, kind: type[Stock]) -> None:
    pid = kind.start()

    def caller() -> None:
        assert GenServer.call(pid, ("add", "nike", 3)) == 3
        assert GenServer.call(pid, "total") == 3
        assert kind.add(pid, "nike", qty=2) == 5
        assert kind.add(pid, name="nike") == 6
        assert kind.add(pid, "nike", note="new") == 7
        assert state_of(pid) == {"items": {"nike": 7}, "boss": None, "note": "new"}

    run(caller)


@KINDS
def test_atoms_are_names_of_requests(run: Any, kind: type[Stock]) -> None:
    pid = kind.start()

    def caller() -> None:
        assert GenServer.call(pid, (Atom("add"), "nike", 3)) == 3
        assert GenServer.call(pid, Atom("total")) == 3
        ref = Process.alias()
        send(pid, (Atom("$gen_call"), (self(), ref), Atom("total")))
        assert received((ref, ...)) == (ref, 3)
        send(pid, (Atom("$gen_cast"), Atom("clear")))
        assert kind.total(pid) == 0

    run(caller)


def test_message_that_cannot_be_compared_is_an_ordinary_one(run: Any) -> None:
    def parent() -> None:
        pid = Stock.start(None, self())
        for message in (Incomparable(), (Incomparable(), (self(), 1), 2), ("EXIT", Incomparable(), 1)):
            send(pid, message)
            assert type(received()) is type(message)
        for request in (Incomparable(), (Incomparable(), 1)):
            with pytest.raises(CallUndefined):
                GenServer.call(pid, request)
            with pytest.raises(TypeError, match="not to be compared"):
                wait("Sys", system_call(pid, request))
        assert Stock.total(pid) == 0

    run(parent)


@dataclass(frozen=True)
class Incomparable:
    """Data that refuses to be compared."""

    number: int = 1

    def __eq__(self, other: object) -> bool:
        raise TypeError("not to be compared")

    def __hash__(self) -> int:
        return 1


def test_arguments_that_a_handler_does_not_take_are_refused_at_the_caller(run: Any) -> None:
    pid = Stock.start()
    add: Any = Stock.add
    for args, kwargs in (((), {}), (("a", 1, 2), {}), (("a",), {"x": 1})):
        with pytest.raises(TypeError):
            add(pid, *args, **kwargs)


def test_callbacks_of_otp_alone_make_a_server(run: Any) -> None:
    def parent() -> None:
        pid = Recorder.start(self())
        assert GenServer.call(pid, ("get", 1)) == ("called", ("get", 1))
        GenServer.cast(pid, {"any": "data"})
        assert received() == ("cast", {"any": "data"})

    run(parent)


@KINDS
def test_client_function_is_awaited_by_its_twin(run: Any, kind: type[Stock]) -> None:
    pid = kind.start({"nike": 1})

    async def main() -> int:
        return await kind.add.aio(pid, "nike") + await kind.add.within(1).aio(pid, "nike")

    assert asyncio.run(main()) == 2 + 3
    assert run(lambda: asyncio.run(main())) == 4 + 5


@KINDS
def test_request_is_sent_now_and_its_reply_awaited_later(run: Any, kind: type[Stock]) -> None:
    pid = kind.start({"nike": 1})

    def caller() -> None:
        request = kind.add.request(pid, "nike")
        assert request.result(timeout=60) == 2

    run(caller)


def test_async_handler_may_await_while_messages_wait_in_order(run: Any) -> None:
    class Resting(GenServer):
        def init(self) -> None:
            self.done: list[int] = []

        @handle.call
        async def rest(self, number: int) -> list[int]:
            await aio.sleep(0.001)
            self.done.append(number)
            return self.done

    pid = Resting.start()

    def caller() -> Any:
        requests = [Resting.rest.request(pid, number) for number in range(3)]
        return requests[2].result(timeout=60)

    assert run(caller) == [0, 1, 2]


def test_raw_message_of_a_call_is_answered_to_its_alias(run: Any) -> None:
    def caller() -> None:
        pid, ref = Stock.start({"nike": 1}), Process.alias()
        send(pid, ("$gen_call", (self(), ref), "total"))
        assert received() == (ref, 1)

    run(caller)


def test_malformed_request_is_an_ordinary_message(run: Any) -> None:
    def parent() -> None:
        pid = Stock.start(None, self())
        for message in (("$gen_call", "nothing", "total"), ("$gen_call",), ("$gen_cast", 1, 2)):
            send(pid, message)
            assert received() == message

    run(parent)


# ---------------------------------------------------------------- names in a registry, other nodes


@KINDS
def test_name_in_a_registry_is_taken_before_init_runs(run: Any, kind: type[Stock]) -> None:
    def parent() -> None:
        Registry.start_link(keys="unique", name="shops")
        name = via(Registry, ("shops", "stock"))
        pid = kind.start({"nike": 1}, name=name)
        assert name.whereis() == pid
        assert kind.add(name, "nike") == 2
        with pytest.raises(ServerAlreadyStarted) as refused:
            kind.start([ValueError("init must not run")], name=name)
        assert refused.value.pid == pid
        GenServer.stop(name)
        assert name.whereis() is None

    run(parent)


@KINDS
def test_caller_whose_node_reads_nothing_makes_the_server_wait_and_ends_it_not(
    nodes: LocalNodes, kind: type[Stock]
) -> None:
    there = nodes.start("there")
    asked: list[int] = []

    class Large(kind):  # type: ignore[valid-type,misc] # the class is a parameter
        def handle_call(self, request: Any, frm: Any) -> bytes:
            asked.append(request)
            return bytes(2**20)

    pid = as_process(there, lambda: Large.start({"nike": 1}))
    with Hostile(there) as evil:
        caller = Pid(7, 0, *evil.incarnation)
        for number in range(20):  # beyond what is queued for a sender that cannot wait
            ref = Ref(number, *evil.incarnation)
            evil.sends(GenCall(caller, evil.victim_pid(pid), ref, False, Payload(encode(number))))
        until(lambda: there.kernel.router.queued().get("evil@test", 0) > 2**19)
        assert len(asked) < 20
        for number in range(20):
            reply = evil.next(GenReply)
            assert reply.to.number == number
    assert asked == list(range(20))
    assert as_process(there, lambda: kind.total(pid)) == 1


@KINDS
def test_server_of_another_node_is_called_alike(
    nodes: LocalNodes, kind: type[Stock], caplog: pytest.LogCaptureFixture
) -> None:
    here, there = nodes.start("here"), nodes.start("there")
    as_process(there, lambda: kind.start({"nike": 1}, name="stock"))
    server = ("stock", "there")

    def caller() -> None:
        assert kind.add(server, "nike", note="new") == 2  # connects, silently [G30]
        with pytest.raises(KeyError):
            kind.take(server, "nope")
        with pytest.raises(EncodeError, match="lock"):
            kind.unsendable(server)
        assert kind.clear(server) == "ok"
        assert kind.total(server) == 0
        assert GenServer.multi_call(["there", "here"], "stock", "total", 5.0) == (
            {"there@test": 0},
            ["here@test"],
        )
        assert GenServer.abcast(["there", "here"], "stock", "clear") == "abcast"
        assert GenServer.whereis(server) == ("stock", "there@test")
        with pytest.raises(CallExited, match="ValueError: boom"):
            kind.crash(server)
        assert is_mailbox_empty()

    as_process(here, caller)
    until(lambda: "last message: call 'crash' from #PID<" in caplog.text)
    assert " on here@test\n" in caplog.text


# ---------------------------------------------------------------- the class


def test_class_is_not_called() -> None:
    with pytest.raises(TypeError, match=r"start it by Stock.start_link\(...\)"):
        Stock()


def test_init_is_not_spelled_as_that_of_python() -> None:
    with pytest.raises(TypeError, match="`init`"):

        class Wrong(GenServer):
            def __init__(self) -> None:
                raise NotImplementedError


def test_handler_of_a_base_class_may_be_replaced(run: Any) -> None:
    class Doubling(Stock):
        @handle.call
        def total(self) -> int:
            return 2 * sum(self.items.values())

    class Mute(Stock):
        total = None  # type: ignore[assignment] # no handler any more

    assert run(lambda: Doubling.total(Doubling.start({"nike": 1}))) == 2
    with pytest.raises(CallUndefined):
        run(lambda: GenServer.call(Mute.start(), "total"))


def test_messages_of_a_server_are_its_own(run: Any, node: LocalNode) -> None:
    pid = Stock.start()
    assert isinstance(pid, Pid)
    GenServer.stop(pid)
    assert end_of(node, pid) == "noproc"
    assert issubclass(CallUndefined, CallError)
