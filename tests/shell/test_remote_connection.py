"""remote_connection.py, remote_questions.py, remote_session.py, remote_evaluator.py: at no terminal."""

from __future__ import annotations

import random
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from pyx import Process, self
from pyx.errors import RpcNoConnection, RpcRefused
from pyx.shell.completion import Completion
from pyx.shell.remote_connection import SILENT_SECONDS, RemoteAnswer, RemoteConnection
from pyx.shell.remote_evaluator import RemoteEvaluator
from pyx.shell.remote_questions import RemoteQuestions
from pyx.shell.remote_shell import RemoteShell
from tests.local_nodes import HANG, LocalNodes, as_process, until

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the attached node, with the events `waits` and `go_on`."""
    program = ModuleType("program")
    program.go_on, program.waits = threading.Event(), threading.Event()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "program", program)
    return program


class Client:
    """A connection, with what it has reported."""

    def __init__(self, node: str) -> None:
        self.reports: list[Any] = []
        self.news = threading.Event()
        self.connection = RemoteConnection(node, self._report, self._report_job, self._report)

    def _report(self, news: Any) -> None:
        self.reports.append(news)
        self.news.set()

    def _report_job(self, *news: Any) -> None:
        self._report(news)

    def evaluates(self, source: str) -> RemoteAnswer:
        return self.connection.evaluate(source, 80, self._report, lambda: 7)


def attached(nodes: LocalNodes, use: Callable[[Client], Any]) -> Any:
    """Attaches a process of this OS process's node to that node itself, and returns what *use* returns."""
    node = nodes.start("server")

    def run() -> Any:
        client = Client("server@test")
        client.connection.open()
        try:
            return use(client)
        finally:
            client.connection.close()

    return as_process(node, run, hang=3 * HANG)


def test_inputs_see_each_other_and_are_counted(nodes: LocalNodes) -> None:
    def use(client: Client) -> None:
        assert client.evaluates("x = 6") == ("value", "")
        assert client.evaluates("x * 7") == ("value", "42")
        assert client.connection.next_statement == 3
        kind, text = client.evaluates("nope")
        assert kind == "error"
        assert text.splitlines()[-1].startswith("NameError: name 'nope' is not defined")
        assert client.connection.next_statement == 3

    attached(nodes, use)


def test_the_process_is_another_one_than_the_asking_one(nodes: LocalNodes) -> None:
    def use(client: Client) -> None:
        assert client.evaluates("self()").text != str(self())
        assert client.evaluates("receive(timeout=0.01)").kind == "error"

    attached(nodes, use)


def test_commands_come_back_to_be_carried_out(nodes: LocalNodes) -> None:
    def use(client: Client) -> None:
        assert client.evaluates("jobs(3, 'interrupt')") == ("command", ("jobs", [3, "interrupt"]))
        assert client.evaluates("clear") == ("command", ("clear", []))
        assert client.evaluates("quit = 5; quit") == ("value", "5")
        assert client.evaluates("exit") == ("exit", "")

    attached(nodes, use)


def test_a_killed_process_is_replaced_and_its_names_are_kept(nodes: LocalNodes) -> None:
    def use(client: Client) -> None:
        client.evaluates("x = 1; pid = self()")
        kind, text = client.evaluates("Process.exit(self(), 'kill')")
        assert kind == "notice"
        assert "killed" in text
        assert client.evaluates("x, pid == self()").text == "(1, False)"

    attached(nodes, use)


def test_a_process_that_is_killed_between_inputs_is_reported_at_once(nodes: LocalNodes) -> None:
    def use(client: Client) -> None:
        client.evaluates("Process.register(self(), 'visitor')")
        pid = Process.whereis("visitor")
        assert pid is not None
        Process.exit(pid, "kill")
        assert client.news.wait(HANG)
        assert "killed" in client.reports[0]
        assert client.evaluates("1").text == "1"

    attached(nodes, use)


def test_a_process_that_is_killed_just_after_its_answer_is_reported_at_once(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported, go_on = RemoteEvaluator._report, threading.Event()

    def report(self: RemoteEvaluator, number: int, answer: tuple[str, Any]) -> None:
        reported(self, number, answer)
        if number == 1:
            go_on.wait(HANG)  # the process is still at its first input

    monkeypatch.setattr(RemoteEvaluator, "_report", report)

    def use(client: Client) -> None:
        client.evaluates("Process.register(self(), 'visitor')")
        pid = Process.whereis("visitor")
        assert pid is not None
        Process.exit(pid, "kill")
        assert client.news.wait(HANG)
        go_on.set()
        assert "killed" in client.reports[0]
        assert client.evaluates("1").text == "1"

    attached(nodes, use)


def test_an_evaluation_that_is_left_behind_is_a_job_until_it_ends(
    nodes: LocalNodes, program: ModuleType
) -> None:
    def leave(client: Client) -> None:
        assert program.waits.wait(HANG)
        client.connection._tell("leave", 2, 7)

    def use(client: Client) -> None:
        client.evaluates("import program; kept = 1")
        leaving = threading.Thread(target=leave, args=(client,))
        leaving.start()
        kind, (job, place) = client.evaluates("program.waits.set()\nprogram.go_on.wait()\ny = 1")
        leaving.join()
        assert (kind, job) == ("left", 7)
        assert place.split()[-1].startswith("program.")
        assert client.evaluates("kept").text == "1"
        client.connection.interrupt_job(7)
        assert client.evaluates("2").text == "2"  # it does not stop inside the wait
        assert client.reports == []
        program.go_on.set()
        assert client.news.wait(HANG)
        assert client.reports == [(7, "interrupt", "KeyboardInterrupt\n")]

    attached(nodes, use)


def test_an_interrupt_that_code_swallows_is_repeated_where_it_waits_on(
    nodes: LocalNodes, program: ModuleType
) -> None:
    swallowing = (
        "try:\n    program.waits.set()\n    receive('never')\nexcept KeyboardInterrupt:\n    receive()\n"
    )

    def interrupt(client: Client) -> None:
        assert program.waits.wait(HANG)
        client.connection._tell("interrupt", 2)

    def use(client: Client) -> None:
        client.evaluates("import program")
        interrupting = threading.Thread(target=interrupt, args=(client,))
        interrupting.start()
        assert client.evaluates(swallowing).kind == "interrupt"
        interrupting.join()

    attached(nodes, use)


@pytest.mark.parametrize("is_behind", [False, True], ids=["before", "behind"])
def test_ctrl_c_around_the_sending_of_an_input_interrupts_it(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, is_behind: bool
) -> None:
    def use(client: Client) -> None:
        tell = client.connection._tell
        told: list[str] = []

        def interrupted_once(what: str, *rest: Any) -> None:
            told.append(what)
            if len(told) > 1 or is_behind:
                tell(what, *rest)
            if len(told) == 1:
                raise KeyboardInterrupt

        client.evaluates("runs = 0")
        monkeypatch.setattr(client.connection, "_tell", interrupted_once)
        assert client.evaluates("runs += 1; receive('never')").kind == "interrupt"
        assert told == ["evaluate", "evaluate", "interrupt"]
        assert int(client.evaluates("runs").text) <= 1
        assert client.evaluates("1 + 1") == ("value", "2")

    attached(nodes, use)


def test_second_ctrl_c_behind_the_sending_of_the_first_leaves_the_input_behind(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, program: ModuleType
) -> None:
    def use(client: Client) -> None:
        tell = client.connection._tell
        told: list[str] = []

        def interrupted_twice(what: str, *rest: Any) -> None:
            told.append(what)
            tell(what, *rest)
            if told in (["evaluate"], ["evaluate", "evaluate", "interrupt"]):
                raise KeyboardInterrupt

        client.evaluates("import program")
        monkeypatch.setattr(client.connection, "_tell", interrupted_twice)
        assert client.evaluates("program.go_on.wait()").kind in ("left", "interrupt")
        assert told == ["evaluate", "evaluate", "interrupt", "interrupt", "leave"]
        program.go_on.set()
        assert client.evaluates("1 + 1") == ("value", "2")

    attached(nodes, use)


def test_completion_is_of_the_names_there(nodes: LocalNodes) -> None:
    def use(client: Client) -> None:
        client.evaluates("stock_of_shoes = 1")
        until(lambda: "stock_of_shoes" in client.connection.complete("stock", 5).candidates)
        client.evaluates("def sold(name, price=1): ...\n")
        until(lambda: client.connection.signature("sold") == ("sold", ["name", "price=1"]))
        assert client.connection.signature("nope") is None

    attached(nodes, use)


def test_a_node_that_refuses_says_what_to_do(nodes: LocalNodes) -> None:
    node = nodes.start("ops")
    nodes.start("server", rpc="off")
    with pytest.raises(RpcRefused) as refused:
        as_process(node, lambda: Client("server@test").connection.open())
    assert "--rpc open" in (refused.value.hint or "")


def test_a_node_that_is_not_there_is_named(nodes: LocalNodes) -> None:
    node = nodes.start("ops")
    with pytest.raises(RpcNoConnection):
        as_process(node, lambda: Client("nope@test").connection.open())


class TestQuestions:
    def test_a_request_without_an_answer_in_time_offers_nothing(self) -> None:
        asked: list[int] = []
        completions = RemoteQuestions[Any]()
        assert completions.ask(asked.append) is None
        assert completions.ask(asked.append) is None
        assert asked == [1]  # one in flight

    def test_a_late_answer_makes_room_for_the_next_request(self) -> None:
        completions = RemoteQuestions[Any]()
        completions.ask(lambda _: None)
        completions.answered(1, Completion(0, ["late"]))
        answer = Completion(0, ["now"])
        assert completions.ask(lambda number: completions.answered(number, answer)) == answer


@pytest.mark.parametrize("seed", range(2))
def test_interrupts_at_any_moment_end_an_input_and_nothing_else(nodes: LocalNodes, seed: int) -> None:
    """A KeyboardInterrupt that leaves pyx half done would show as another outcome, or stop the process."""
    dice = random.Random(seed)
    codes = (
        "sum(range(20000))",
        "for i in range(2000): x = i\n",
        "receive(timeout=0.002)",
        "[send(self(), i) for i in range(50)]; flush()",
        "for i in range(30): print(i)\n",
        "import json\nfor i in range(100): json.dumps({'a': [i] * 10})\n",
        "await aio.sleep(0.002)",
        "rpc.call(Node.self(), 'math', 'sqrt', [4])",
    )

    def use(client: Client) -> None:
        pid = client.evaluates("self()").text
        for number in range(2, 200):
            over = threading.Event()
            pause = dice.random() * 0.004
            interrupting = threading.Thread(target=_interrupt, args=(client.connection, number, pause, over))
            interrupting.start()
            kind, text = client.evaluates(dice.choice(codes))
            over.set()
            interrupting.join()
            assert kind in {"value", "interrupt"} or "ReceiveTimeout" in text
        assert client.evaluates("self()").text == pid
        assert client.reports == []

    attached(nodes, use)


def _interrupt(connection: RemoteConnection, number: int, pause: float, over: threading.Event) -> None:
    over.wait(pause)
    connection._tell("interrupt", number)


def test_node_that_has_said_where_an_input_waits_is_not_called_silent(
    nodes: LocalNodes, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float | None] = []

    def use(client: Client) -> RemoteAnswer:
        wait = client.connection._wait

        def waits(timeout: float | None) -> bool:
            limits.append(timeout)
            if len(limits) == 1:
                assert program.waits.wait(HANG)
                raise KeyboardInterrupt
            if len(limits) == 3:
                program.go_on.set()
            return wait(HANG)

        monkeypatch.setattr(client.connection, "_wait", waits)
        answer = client.evaluates("import program; program.waits.set(); program.go_on.wait()")
        assert "program.go_on.wait()" in client.reports[0]
        return answer

    assert attached(nodes, use) == ("interrupt", "KeyboardInterrupt\n")
    assert limits[:3] == [None, SILENT_SECONDS, None]


def test_input_is_left_behind_while_its_node_is_silent_and_its_end_is_told_later(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session takes nothing until `go_on`, as on a frozen node."""
    go_on, ended = threading.Event(), threading.Event()
    monkeypatch.setattr("pyx.shell.remote_connection.SILENT_SECONDS", 0.0)
    evaluate = RemoteEvaluator.evaluate

    def frozen(self: RemoteEvaluator, given: Any) -> None:
        go_on.wait(HANG)
        evaluate(self, given)

    monkeypatch.setattr(RemoteEvaluator, "evaluate", frozen)

    def use(client: Client) -> None:
        connection = client.connection
        waits = iter([KeyboardInterrupt, None, KeyboardInterrupt])  # Ctrl-C, silence, Ctrl-C
        wait = connection._wait

        def told(timeout: float | None) -> bool:
            happens = next(waits, ...)
            if happens is None:
                return False
            if happens is KeyboardInterrupt:
                raise KeyboardInterrupt
            return wait(timeout)

        monkeypatch.setattr(connection, "_wait", told)

        def job_ended(*news: Any) -> None:
            client.reports.append(news)
            ended.set()

        monkeypatch.setattr(connection, "_on_job", job_ended)
        assert client.evaluates("6 * 7") == ("left", (7, "server@test does not answer"))
        assert client.reports == [None]
        go_on.set()
        assert client.evaluates("1 + 1").text == "2"
        assert ended.wait(HANG)
        assert client.reports[-1] in [(7, "value", "42"), (7, "interrupt", "KeyboardInterrupt\n")]

    attached(nodes, use)


class TestFaultsOfPyx:
    """A fault there or here is one line, and the next input is evaluated."""

    def test_of_an_evaluation_there(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
        def use(client: Client) -> None:
            with monkeypatch.context() as broken:
                broken.setattr("pyx.shell.remote_evaluator.render", None)
                kind, text = client.evaluates("7")
            assert kind == "error"
            assert text.startswith("pyx: internal error: TypeError: 'NoneType' object is not callable; ")
            assert text.endswith("; its traceback is in the log of server@test\n")
            assert text.count("\n") == 1
            assert client.evaluates("8").text == "8"

        attached(nodes, use)

    def test_of_a_completion_there(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
        def use(client: Client) -> None:
            with monkeypatch.context() as broken:
                broken.setattr("pyx.shell.remote_names.complete", None)
                broken.setattr("pyx.shell.remote_names.call_signature", None)
                assert client.connection.complete("Nod", 3) == Completion(3, [])
                assert client.connection.signature("print") is None
                assert client.evaluates("8").text == "8"

        attached(nodes, use)

    def test_of_the_prompt_here(self) -> None:
        terminal = Mock(read=Mock(side_effect=["1", "2", EOFError]))
        shell = RemoteShell("server@vm", Mock(terminal=terminal), Mock(), lambda: 2)
        answers: list[Any] = [RuntimeError("not\ntext"), RemoteAnswer("error", "shown\n")]
        shell.connection.evaluate = Mock(side_effect=answers)  # type: ignore[method-assign]
        assert shell.run().reason == "exit"
        said = "at the prompt of jobs(1) `import pdb; pdb.pm()` looks at it"
        assert [call.args for call in terminal.show.call_args_list] == [
            (f"pyx: internal error: RuntimeError: not\\ntext; {said}\n", "notice"),
            ("shown\n", "error"),
        ]
