"""server_calls.py, call_request.py, multi_calls.py, call_failures.py, awaitable_servers.py: Calls."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from pyx import (
    CallError,
    CallExited,
    CallingSelf,
    CallNoConnection,
    CallNoProcess,
    CallRefused,
    CallTimeout,
    CallUndefined,
    EncodeError,
    NodeBusy,
    Process,
    Raised,
    Reentered,
    RemoteError,
    WouldBlock,
    aio,
    receive,
    spawn,
)
from pyx import self as own_pid
from pyx.core.tables import THE_NODE
from pyx.otp import server_calls
from pyx.otp.call_request import CallRequest
from pyx.otp.multi_calls import abcast, multi_call
from pyx.otp.server_calls import cast, reply, system_call, whereis
from pyx.otp.via import via
from pyx.primitives import drain
from pyx.runtime import sending, start_stop
from pyx.runtime.request import wait
from pyx.signals import Payload
from pyx.terms import Pid, Ref
from tests.local_nodes import HANG, LocalNodes, Running, as_process, in_kernel, seen_from, until, wait_for
from tests.otp.hand_written import RAISED, serve, serve_async, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode


def call(server: Any, what: Any, timeout: float | None = HANG) -> Any:
    return wait("GenServer.call", server_calls.call(server, what, timeout))


def stop(server: Any, reason: Any = "normal", timeout: float | None = HANG) -> Any:
    return wait("GenServer.stop", server_calls.stop(server, reason, timeout))


def kill(node: LocalNode, pid: Pid, reason: str = "kill") -> None:
    in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, reason)


def pid_at(viewer: LocalNode, owner: LocalNode, pid: Pid) -> Pid:
    """Returns a pid of *owner* as *viewer* knows it."""
    return pid if viewer is owner else seen_from(viewer, owner, pid)


def leaves_nothing(*nodes: LocalNode) -> bool:
    """Returns True once no kernel keeps anything of a call: the other node is told a moment later."""

    def keeps_nothing(node: LocalNode) -> bool:
        tables, callers = node.kernel.tables, [one.callers for one in node.kernel.tables.processes.all()]
        return not (tables.unanswered_calls or node.kernel.replies.awaited or tables.monitors or any(callers))

    until(lambda: all(map(keeps_nothing, nodes)))
    return True


def from_a_thread(node: LocalNode, function: Callable[[], Any]) -> Any:
    """Runs *function* on a thread that is not a process, as a web handler is."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(HANG)


def from_a_loop(node: LocalNode, function: Callable[[], Any]) -> Any:
    """Runs it on another thread, beside a coroutine of any event loop."""
    return asyncio.run(asyncio.to_thread(function))


CALLERS = [as_process, from_a_thread, from_a_loop]


@pytest.fixture(params=["here", "there"])
def two(request: pytest.FixtureRequest, nodes: LocalNodes) -> tuple[LocalNode, LocalNode]:
    """The node of the callers, which is that of this OS process, and the node of the servers."""
    a = nodes.start("a")
    return (a, a) if request.param == "here" else (a, nodes.start("b"))


@pytest.fixture(params=[serve, serve_async], ids=["def", "async def"])
def body(request: pytest.FixtureRequest) -> Any:
    return request.param


def named(node: LocalNode, name: str = "bucket") -> tuple[str, str]:
    return name, node.kernel.tables.name


class TestCall:
    @pytest.mark.parametrize("caller", CALLERS)
    def test_g12_reply_comes_to_any_thread(
        self, two: tuple[LocalNode, LocalNode], body: Any, caller: Any, both_ways: bool
    ) -> None:
        a, b = two
        pid = started(b, "bucket", body)
        for server in (pid_at(a, b, pid), named(b)):
            for value in (33, ("a", 1), {"list": [1, 2]}, None, "x" * 100_000, [b"\xff"]):
                answer = caller(a, lambda server=server, value=value: call(server, ("echo", value)))
                assert answer == value
        assert leaves_nothing(a, b)

    def test_call_with_the_bare_name_of_a_node_and_by_a_local_name(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        started(a, "bucket")
        assert call("bucket", ("echo", 1)) == call(("bucket", "a"), ("echo", 1)) == 1

    def test_call_works_before_the_node_has_a_name(self, node: LocalNode) -> None:
        started(node, "bucket")
        assert call("bucket", ("echo", 1)) == call(("bucket", "nonode@nohost"), ("echo", 1)) == 1

    def test_caller_that_is_a_process_is_known_by_its_pid(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")
        assert call(named(b), "who") == THE_NODE
        assert as_process(a, lambda: call(named(b), "who") == own_pid())

    def test_caller_gets_a_copy(self, node: LocalNode) -> None:
        started(node, "bucket")
        value = [1, [2]]
        assert call("bucket", ("echo", value)) == value
        assert call("bucket", ("echo", value)) is not value

    def test_g13_time_out_leaves_nothing_and_its_late_reply_vanishes(
        self, two: tuple[LocalNode, LocalNode], body: Any
    ) -> None:
        a, b = two
        started(b, "bucket", body)

        def caller() -> list[Any]:
            with pytest.raises(CallTimeout) as caught:
                call(named(b), "keep", 0.01)
            assert (caught.value.server, caught.value.request) == (
                ("bucket", b.kernel.tables.name),
                "keep",
            )
            assert caught.value.timeout == 0.01
            assert call(named(b), "kept") == 1  # the server goes on
            return drain()

        assert as_process(a, caller) == []
        assert leaves_nothing(a, b)

    def test_g14_no_such_process(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        pid = started(b)
        kill(b, pid)
        for server in (pid_at(a, b, pid), named(b, "nothing")):
            with pytest.raises(CallNoProcess) as caught:
                call(server, "x", None)
            assert (caught.value.server, caught.value.reason) == (server, "noproc")
        with pytest.raises(LookupError):
            call("nothing", "x")
        assert leaves_nothing(a, b)

    def test_g15_node_that_is_not_there(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        with pytest.raises(CallNoConnection) as caught:
            call(("bucket", "zoe"), "x", None)
        assert (caught.value.node, caught.value.server) == ("zoe@test", ("bucket", "zoe@test"))
        with pytest.raises(ConnectionError):
            call(("bucket", "zoe"), "x", None)

    def test_g15_node_that_is_lost_in_the_call(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        started(b, "bucket")
        waiting = Running(a, lambda: call(named(b), "keep"))
        until(lambda: bool(b.kernel.tables.unanswered_calls))
        start_stop.stop(b)
        with pytest.raises(CallNoConnection):
            waiting.outcome()
        assert leaves_nothing(a, b)

    def test_g16_process_that_calls_itself(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")

        def caller() -> None:
            Process.register(own_pid(), "me")
            for server in (own_pid(), "me", ("me", "a"), via(Registry, own_pid())):
                with pytest.raises(CallingSelf):
                    call(server, "x", None)
                with pytest.raises(CallingSelf):
                    stop(server, "x", None)
                with pytest.raises(CallingSelf):
                    CallRequest(server, "x")

        as_process(a, caller)

    def test_g17_reply_from_another_process(self, node: LocalNode) -> None:
        def lends() -> None:
            match receive():
                case ("$gen_call", frm, _):
                    spawn(reply, frm, "from elsewhere")
            receive("never")

        started(node, "bucket", lends)
        assert call("bucket", "x") == "from elsewhere"

    def test_reply_by_a_plain_message(self, two: tuple[LocalNode, LocalNode], body: Any) -> None:
        a, b = two
        started(b, "bucket", body)
        assert call(named(b), ("by hand", {"a": 1})) == {"a": 1}
        assert leaves_nothing(a, b)

    def test_second_reply_vanishes(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")

        def caller() -> list[Any]:
            assert call(named(b), ("twice", 1)) == 1
            assert call(named(b), ("echo", 2)) == 2
            return drain()

        assert as_process(a, caller) == []

    def test_message_that_is_not_a_reply(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")
        for garbage in ("x", (1, 2), (Ref(4711), 2)):
            with pytest.raises(CallError, match="sent a reply that cannot be read") as caught:
                call(named(b), ("garbage", garbage))
            assert caught.value.reason == "unreadable"
        assert leaves_nothing(a, b)

    def test_g18_server_that_is_killed_while_a_caller_waits(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        pid = started(b, "bucket")
        waiting = Running(a, lambda: call(named(b), "keep"))
        until(lambda: any(one.callers for one in b.kernel.tables.processes.all()))
        kill(b, pid)
        with pytest.raises(CallExited) as caught:
            waiting.outcome()
        assert (caught.value.reason, caught.value.server) == ("killed", named(b))
        assert leaves_nothing(a, b)

    def test_g10_server_that_ends_normally_without_a_reply(self, two: tuple[LocalNode, LocalNode]) -> None:
        _, b = two
        for reason in ("normal", ("shutdown", [1]), "noproc"):
            started(b, "bucket")
            with pytest.raises(CallExited) as caught:
                call(named(b), ("exit", reason))
            assert caught.value.reason == reason

    def test_g9_reply_before_the_end_is_the_value(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")
        assert call(named(b), ("bye", "so long")) == "so long"
        assert leaves_nothing(a)

    def test_g7_server_that_crashes_names_its_exception(self, two: tuple[LocalNode, LocalNode]) -> None:
        _, b = two
        started(b, "bucket")
        with pytest.raises(CallExited, match="by ValueError: boom") as caught:
            call(named(b), "crash")
        assert caught.value.reason.type == "ValueError"
        cause = caught.value.__cause__
        assert isinstance(cause, RemoteError)
        assert (cause.type, cause.text, cause.node) == ("ValueError", "boom", b.kernel.tables.name)
        assert "hand_written.py" in cause.traceback

    def test_g30_call_connects_silently(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        started(b, "bucket")
        assert b.kernel.tables.name not in a.kernel.tables.peers
        assert call(("bucket", "b"), ("echo", 1)) == 1

    def test_g29_what_is_not_a_server(self, node: LocalNode) -> None:
        for wrong in (None, 3, ("a", 1), ["a"], b"a"):
            with pytest.raises(TypeError, match="a pid, a registered name, "):
                call(wrong, "x")
        with pytest.raises(TypeError, match="a server is a pid, a registered name, "):
            call(Ref(3), "x")

    def test_request_that_is_not_data_says_where(self, two: tuple[LocalNode, LocalNode]) -> None:
        _, b = two
        started(b, "bucket")
        with pytest.raises(EncodeError, match=r"cannot send request\[1\]"):
            call(named(b), ("echo", threading.Lock()))
        with pytest.raises(TypeError, match="timeout is a number of seconds"):
            call(named(b), "x", "soon")  # type: ignore[arg-type]

    def test_request_that_the_server_cannot_read_is_refused(
        self, two: tuple[LocalNode, LocalNode], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a, b = two
        started(b, "bucket")
        call(named(b), ("echo", 1))
        monkeypatch.setattr(server_calls, "_body", lambda *_, **__: Payload(b"\xc1"))
        with pytest.raises(CallRefused, match="the request cannot be read there: malformed payload"):
            call(named(b), "x")
        assert leaves_nothing(a, b)

    def test_finalizer_inside_a_kernel_call_may_reply_and_not_call(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = two
        started(b, "bucket")
        late = CallRequest(named(b), "keep")
        assert call(named(b), ("echo", 1)) == 1
        with a.kernel_call as kernel:
            with pytest.raises(Reentered):
                call(named(b), ("echo", 1))
            [awaited] = kernel.replies.awaited.values()
            reply((THE_NODE, awaited.ref), "by a finalizer")
            assert not late.done()
        assert late.result(HANG) == "by a finalizer"
        assert call(named(b), "kept") == 1
        assert leaves_nothing(a, b)

    def test_call_in_an_event_loop_names_its_twin(self, node: LocalNode) -> None:
        async def main() -> None:
            call("bucket", "x")

        with pytest.raises(WouldBlock, match=r"GenServer\.call\(\) would block"):
            asyncio.run(main())

    def test_killed_caller_leaves_nothing(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")
        waiting = Running(a, lambda: call(named(b), "keep", None))
        until(lambda: any(one.callers for one in b.kernel.tables.processes.all()))
        kill(a, waiting.pid)
        with pytest.raises(pyx.ProcessKilled):
            waiting.outcome()
        until(lambda: not a.kernel.replies.awaited)
        until(lambda: not any(one.callers for one in b.kernel.tables.processes.all()))
        assert call(named(b), "kept") == 1

    def test_call_stands_among_the_other_messages_of_its_caller(
        self, two: tuple[LocalNode, LocalNode], body: Any
    ) -> None:
        a, b = two
        counted = started(b, "counter", count_until_called)

        def caller() -> int:
            to = pid_at(a, b, counted)
            for _ in range(100):
                pyx.send(to, "one")
            answer: int = call(to, "how many")
            return answer

        assert as_process(a, caller) == 100

    def test_reply_is_found_at_once_behind_a_full_mailbox(self, node: LocalNode) -> None:
        started(node, "bucket")

        def caller() -> tuple[Any, int]:
            for number in range(10_000):
                pyx.send(own_pid(), number)
            return call("bucket", ("echo", 1)), len(drain())

        assert as_process(node, caller) == (1, 10_000)


def count_until_called() -> None:
    count = 0
    while True:
        match receive():
            case "one":
                count += 1
            case ("$gen_call", frm, _):
                reply(frm, count)


class Registry:
    """Resolves a name to itself: a pid, or None."""

    @staticmethod
    def whereis_name(term: Any, /) -> Pid | None:
        return term if isinstance(term, Pid) else None

    @staticmethod
    def register_name(_term: Any, _pid: Pid, /) -> Pid | None:
        return None

    @staticmethod
    def unregister_name(_term: Any, /) -> None:
        pass


class TestVia:
    def test_call_cast_and_whereis_resolve_it(self, node: LocalNode) -> None:
        pid = started(node)
        name, nothing = via(Registry, pid), via(Registry, "nothing")
        assert call(name, ("echo", 1)) == 1
        assert (whereis(name), whereis(nothing)) == (pid, None)
        assert cast(nothing, "x") == "ok"
        with pytest.raises(CallNoProcess, match="there is no process via") as caught:
            call(nothing, "x")
        assert caught.value.server == nothing


class TestDeclaredFailures:
    def test_declared_exception_arrives_as_the_builtin_class(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")
        with pytest.raises(KeyError) as caught:
            call(named(b), "raised")
        assert caught.value.args == ("eggs",)
        cause = caught.value.__cause__
        assert isinstance(cause, RemoteError)
        assert (cause.node, cause.traceback) == (b.kernel.tables.name, RAISED.traceback)
        assert leaves_nothing(a, b)

    @pytest.mark.parametrize(
        ("raised", "error"),
        [
            (Raised("ValueError", "no stock"), ValueError("no stock")),
            (Raised("KeyError", "<object>"), KeyError("<object>")),
            (Raised("TimeoutError", ""), TimeoutError("")),
            (Raised("shop.Empty", "none"), None),
            (Raised("StopIteration", ""), None),
            (Raised("KeyboardInterrupt", ""), None),
            (Raised("UnicodeDecodeError", "x"), None),
            (Raised("print", "x"), None),
        ],
        ids=repr,
    )
    def test_exception_that_cannot_be_made_here_is_a_remote_error(
        self, node: LocalNode, raised: Raised, error: Exception | None
    ) -> None:
        started(node, "bucket")
        with pytest.raises((RemoteError, ValueError, KeyError, TimeoutError)) as caught:
            call("bucket", ("raised", raised))
        if error is None:
            assert isinstance(caught.value, RemoteError)
            assert (caught.value.type, caught.value.text) == (raised.type, raised.text)
        else:
            assert (type(caught.value), caught.value.args) == (type(error), error.args)

    def test_unknown_and_refused_requests(self, two: tuple[LocalNode, LocalNode]) -> None:
        _, b = two
        started(b, "bucket")
        with pytest.raises(CallUndefined) as undefined:
            call(named(b), "what")
        assert undefined.value.handlers == ["echo", "twice"]
        with pytest.raises(CallRefused, match="it runs with --rpc off"):
            call(named(b), "refused")

    def test_malformed_failure(self, node: LocalNode) -> None:
        started(node, "bucket")
        for value in (("$gen_raised", 1), ("$gen_undefined", [1]), ("$gen_refused", None)):
            with pytest.raises(CallError, match="sent a reply that cannot be read: it is malformed"):
                call("bucket", ("echo", value))


class TestCast:
    def test_g19_cast_is_always_ok(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        dead = started(a)
        kill(a, dead)
        for server in (dead, "nothing", ("nothing", "a"), ("nothing", "zoe")):
            assert cast(server, "x") == "ok"

    def test_cast_arrives(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")

        def caller() -> Any:
            cast(named(b), ("tell", own_pid(), "hello"))
            return receive(timeout=HANG)

        assert as_process(a, caller) == "hello"

    def test_g25_abcast(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        started(a, "bucket"), started(b, "bucket")

        def caller() -> list[Any]:
            assert abcast(["a", "b", "zoe"], "bucket", ("tell", own_pid(), "hello")) == "abcast"
            return [receive(timeout=HANG), receive(timeout=HANG)]

        assert as_process(a, caller) == ["hello", "hello"]


class TestReply:
    def test_reply_checks_its_caller(self, node: LocalNode) -> None:
        for wrong in (None, Pid(3), (Pid(3), 4), (1, Ref(3))):
            with pytest.raises(TypeError, match="a caller is"):
                reply(wrong, 1)  # type: ignore[arg-type]

    def test_reply_that_is_not_data_says_where(self, node: LocalNode) -> None:
        with pytest.raises(EncodeError, match=r"cannot send reply\[0\]"):
            reply((Pid(3), Ref(4)), [threading.Lock()])

    def test_reply_to_an_alias_comes_as_a_message(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        to = pid_at(a, b, started(b))

        def client() -> Any:
            ref = Process.alias()
            pyx.send(to, ("$gen_call", (own_pid(), ref), ("echo", {"a": 1})))
            return receive((ref, ...), timeout=HANG)[1]

        assert as_process(a, client) == {"a": 1}


class TestRequest:
    def test_result_is_fetched_on_any_thread(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")
        sent = [CallRequest(named(b), ("echo", number)) for number in range(10)]
        assert [one.result(HANG) for one in sent] == list(range(10))
        assert from_a_thread(a, sent[0].result) == 0
        with pytest.raises(CallUndefined):
            CallRequest(named(b), "what").result(HANG)
        assert leaves_nothing(a, b)

    def test_result_that_is_late_can_be_asked_for_again(self, two: tuple[LocalNode, LocalNode]) -> None:
        _, b = two
        started(b, "bucket")
        late = CallRequest(named(b), "keep")
        with pytest.raises(CallTimeout):
            late.result(0.001)
        assert not late.done()
        assert call(named(b), "kept") == 1
        assert late.result(HANG) == "late"

    def test_cancelled_request_leaves_nothing(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")
        late = CallRequest(named(b), "keep")
        assert call(named(b), ("echo", 1)) == 1
        assert late.cancel()
        assert leaves_nothing(a, b)
        assert call(named(b), "kept") == 1

    def test_request_that_nothing_knows_any_more_leaves_nothing(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = two
        started(b, "bucket")
        CallRequest(named(b), "keep")
        assert call(named(b), ("echo", 1)) == 1
        gc.collect()
        assert leaves_nothing(a, b)
        assert call(named(b), "kept") == 1

    def test_request_with_a_callback_is_known_until_that_was_called(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = two
        started(b, "bucket")
        results: SimpleQueue[Any] = SimpleQueue()
        CallRequest(named(b), "keep").add_done_callback(lambda request: results.put(request.result()))
        gc.collect()
        assert call(named(b), "kept") == 1
        assert results.get(timeout=HANG) == "late"
        assert leaves_nothing(a, b)

    @pytest.mark.parametrize("reason", ["normal", "kill"])
    def test_request_is_given_up_when_its_process_ends(
        self, two: tuple[LocalNode, LocalNode], reason: str
    ) -> None:
        a, b = two
        started(b, "bucket")
        sent: SimpleQueue[CallRequest] = SimpleQueue()

        def ask() -> None:
            sent.put(CallRequest(named(b), "keep"))
            assert call(named(b), ("echo", 1)) == 1
            if reason == "kill":
                Process.exit(own_pid(), "kill")
                receive("never")

        Running(a, ask)
        with pytest.raises(concurrent.futures.CancelledError):
            sent.get(timeout=HANG).result(HANG)
        until(lambda: not a.kernel.replies.awaited)  # the transport's thread gives up for the dead
        assert leaves_nothing(a, b)
        assert call(named(b), "kept") == 1

    def test_callback_of_a_request_that_is_given_up_does_not_keep_its_process(
        self, two: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = two
        started(b, "bucket")
        called: list[bool] = []

        def raises(request: concurrent.futures.Future[Any]) -> None:
            called.append(request.cancelled())
            own_pid()  # ends by ProcessKilled

        def ask() -> None:
            for _ in range(2):
                CallRequest(named(b), "keep").add_done_callback(raises)

        as_process(a, ask)  # returns when the process has ended
        assert called == [True, True]
        until(lambda: not a.kernel.replies.awaited)  # the transport's thread gives up for the dead
        assert leaves_nothing(a, b)

    def test_request_to_a_node_that_is_far_beyond_its_mark_is_refused(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        started(b, "bucket")
        assert call(named(b), ("echo", 1)) == 1
        monkeypatch.setattr(sending, "REFUSED_BYTES", -1)
        with pytest.raises(NodeBusy):
            CallRequest(named(b), ("echo", 1))
        assert call(named(b), ("echo", 2)) == 2  # waits for its reply in any case
        assert leaves_nothing(a, b)

    def test_request_can_be_awaited(self, two: tuple[LocalNode, LocalNode]) -> None:
        _, b = two
        started(b, "bucket")

        async def main() -> Any:
            sent = CallRequest(named(b), ("echo", 1))
            with pytest.raises(WouldBlock):
                sent.result()
            return await sent

        assert asyncio.run(main()) == 1


class TestMultiCall:
    def test_g25_replies_and_bad_nodes(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        nodes.start("c")
        started(a, "bucket"), started(b, "bucket")

        def ask(what: Any, timeout: float | None = None) -> Any:
            return wait("", multi_call(["a", "zoe", "b", "c"], "bucket", what, timeout))

        assert ask(("echo", 1)) == ({"a@test": 1, "b@test": 1}, ["zoe@test", "c@test"])
        replies, bad_nodes = ask("what")
        assert {node: type(error) for node, error in replies.items()} == {
            "a@test": CallUndefined,
            "b@test": CallUndefined,
        }
        assert bad_nodes == ["zoe@test", "c@test"]
        assert ask("keep", 0.01) == ({}, ["a@test", "zoe@test", "b@test", "c@test"])
        assert leaves_nothing(a, b)
        with pytest.raises(TypeError, match=r"^multi_call takes a list of nodes, not 'a'"):
            wait("", multi_call("a", "bucket", "what"))

    def test_node_that_goes_down_meanwhile_is_bad(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        started(a, "bucket")
        counting = started(b, "bucket", count_until_called)
        asking = Running(a, lambda: wait("", multi_call(["a", "b"], "bucket", ("echo", 1), None)))
        assert asking.outcome() == ({"a@test": 1, "b@test": 0}, [])
        kill(b, counting)
        started(b, "bucket")
        asking = Running(a, lambda: wait("", multi_call(["a", "b"], "bucket", "keep", None)))
        until(lambda: bool(b.kernel.tables.unanswered_calls))
        start_stop.stop(b)
        assert call("bucket", "kept") == 1
        assert asking.outcome() == ({"a@test": "late"}, ["b@test"])

    def test_all_nodes_are_called_without_a_list(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        started(a, "bucket"), started(b, "bucket")
        assert call(("bucket", "b"), ("echo", 1)) == 1
        replies, _ = wait("", multi_call(None, "bucket", ("echo", 1), HANG))
        assert replies == {"a@test": 1, "b@test": 1}


class TestStop:
    def test_g22_stop_waits_for_the_end(self, two: tuple[LocalNode, LocalNode], body: Any) -> None:
        a, b = two
        for reason in ("normal", "shutdown", ("shutdown", {"a": 1})):
            pid = started(b, "bucket", body)
            assert stop(named(b), reason) == "ok"
            assert in_kernel(b, b.kernel.tables.find, pid) is None
        assert leaves_nothing(a, b)

    def test_g22_no_process_no_node(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        with pytest.raises(CallNoProcess):
            stop(named(b, "nothing"))
        with pytest.raises(CallNoConnection):
            stop(("bucket", "zoe"))
        assert leaves_nothing(a, b)

    def test_server_that_ends_for_another_reason(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        pid = started(b, "bucket", lambda: receive("never"))
        stopping = Running(a, lambda: stop(named(b), "shutdown"))
        until(lambda: bool(in_kernel(b, b.kernel.tables.find, pid).monitored_by))  # type: ignore[union-attr]
        kill(b, pid)
        with pytest.raises(CallExited) as caught:
            stopping.outcome()
        assert caught.value.reason == "killed"
        assert leaves_nothing(a, b)

    def test_time_out_gives_up(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket", lambda: receive("never"))
        with pytest.raises(CallTimeout):
            stop(named(b), timeout=0.001)
        until(lambda: not any(one.monitored_by for one in b.kernel.tables.processes.all()))
        assert leaves_nothing(a, b)


class TestSystemCall:
    def test_it_is_a_request_of_sys(self, two: tuple[LocalNode, LocalNode], both_ways: bool) -> None:
        _, b = two
        started(b, "bucket")
        assert wait("Sys.get_state", system_call(named(b), "get_state", HANG)) == 0


class TestWhereis:
    def test_g26_every_form(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        pid = started(a, "bucket")
        assert (whereis("bucket"), whereis("nothing"), whereis(pid)) == (pid, None, pid)
        assert whereis(("bucket", "a")) == pid
        assert whereis(("nothing", "a")) is None
        assert whereis(("bucket", "zoe")) == ("bucket", "zoe@test")


class TestTwins:
    @pytest.mark.parametrize("as_a_task", [True, False])
    def test_coroutines_call_cast_and_stop(
        self, two: tuple[LocalNode, LocalNode], as_a_task: bool, both_ways: bool
    ) -> None:
        a, b = two
        started(b, "bucket")
        over, outcome = threading.Event(), list[Any]()

        async def main() -> None:
            values = await asyncio.gather(
                *(aio.GenServer.call(named(b), ("echo", number)) for number in range(20))
            )
            assert await aio.GenServer.cast(named(b), "x") == "ok"
            assert await aio.GenServer.cast("nothing", "x") == "ok"
            replies, _ = await aio.GenServer.multi_call([b.kernel.tables.name], "bucket", ("echo", 1))
            with pytest.raises(CallTimeout):
                await aio.GenServer.call(named(b), "keep", 0.001)
            with pytest.raises(CallExited):
                await aio.GenServer.call(named(b), "crash")
            started(b, "bucket")
            assert await aio.GenServer.stop(named(b)) == "ok"
            outcome.append((values, replies))

        async def process() -> None:
            try:
                await main()
            finally:
                over.set()

        if as_a_task:
            a.processes.spawn(process, ())
            wait_for(over)
        else:
            asyncio.run(main())
        assert outcome == [(list(range(20)), {b.kernel.tables.name: 1})]
        assert leaves_nothing(a, b)

    def test_cancelled_call_leaves_nothing(self, two: tuple[LocalNode, LocalNode]) -> None:
        a, b = two
        started(b, "bucket")

        async def main() -> None:
            waiting = asyncio.ensure_future(aio.GenServer.call(named(b), "keep"))
            await aio.GenServer.call(named(b), ("echo", 1))
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        asyncio.run(main())
        assert leaves_nothing(a, b)
        assert call(named(b), "kept") == 1
