"""breakpoint_questions.py: whose turn a question is, what is an answer, and what ends the waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx import Process, receive
from pyx.shell import breakpoint_questions
from pyx.shell.breakpoint_questions import ask, left, read_line
from pyx.shell.interception import Interception, interception
from pyx.terms import Pid
from tests.local_nodes import HANG, LocalNodes, Running, as_process, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode

LEADER = Pid(1)


@pytest.fixture
def node(nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    """A node whose shell has a prompt."""
    monkeypatch.setattr(interception, "has_prompt", True)
    monkeypatch.setattr(interception, "stdin", None)
    monkeypatch.setattr(breakpoint_questions, "_leads_a_terminal", lambda leader: leader == LEADER)
    yield nodes.make()
    if breakpoint_questions._stop.frm is not None:
        breakpoint_questions._stop.end(breakpoint_questions._stop.frm)


def stopped(node: LocalNode) -> Running:
    """A process that waits, as one in a breakpoint does."""
    return Running(node, lambda: receive(timeout=HANG))


def asked(node: LocalNode, frm: Pid) -> Running:
    """A question that waits for its answer."""
    question = Running(node, lambda: ask(LEADER, frm, "stock.py:12"))
    until(lambda: interception.take is not None)
    return question


@pytest.mark.parametrize(
    ("typed", "answer"), [("y", "enter"), (" YES ", "enter"), ("n", "go on"), ("", "go on")]
)
def test_answer_is_taken_from_the_prompt(
    typed: str, answer: str, node: LocalNode, capsys: pytest.CaptureFixture[str]
) -> None:
    process = stopped(node)
    question = asked(node, process.pid)
    assert interception.takes(typed)
    assert question.outcome() == answer
    assert f"{process.pid} stopped at stock.py:12, enter? [y/N]" in capsys.readouterr().out


def test_words_of_another_node_are_harmless(node: LocalNode, capsys: pytest.CaptureFixture[str]) -> None:
    process = stopped(node)
    question = Running(
        node, lambda: ask(LEADER, process.pid, "\x1b[2Jstock.py:12\npyx(gus@vm)1> " + "x" * 999)
    )
    until(lambda: interception.take is not None)
    assert interception.takes("n")
    assert question.outcome() == "go on"
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert shown.count("\n") == 1
    assert len(shown) < 200


def test_other_inputs_are_the_prompts(node: LocalNode) -> None:
    question = asked(node, stopped(node).pid)
    assert not interception.takes("1 + 1")
    assert interception.takes("n")
    assert question.outcome() == "go on"
    assert not interception.takes("n")


def test_question_without_an_answer_ends(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(breakpoint_questions, "ASK_SECONDS", 0.05)
    assert as_process(node, lambda: ask(LEADER, stopped(node).pid, "stock.py:12")) == "go on"
    assert "goes on: no answer within 0.05 s" in capsys.readouterr().out
    assert interception.take is None


def test_process_that_ends_takes_its_question_along(node: LocalNode) -> None:
    process = stopped(node)
    question = asked(node, process.pid)
    Process.exit(process.pid, "kill")
    assert question.outcome() == "go on"
    assert interception.take is None


def test_one_process_is_debugged_at_a_time(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = stopped(node), stopped(node)
    question = asked(node, first.pid)
    assert interception.takes("y")
    assert question.outcome() == "enter"
    monkeypatch.setattr(breakpoint_questions, "ASK_SECONDS", 0.05)
    answer = as_process(node, lambda: ask(LEADER, second.pid, "stock.py:13"))
    assert answer == "another process is being debugged at its terminal"


def test_lines_are_the_debuggers_until_it_is_left(node: LocalNode) -> None:
    process = stopped(node)
    question = asked(node, process.pid)
    interception.takes("y")
    assert question.outcome() == "enter"
    for typed, line in (("p total", "p total\n"), ("", "\n"), (Interception.END, "")):
        assert interception.takes(typed)
        assert as_process(node, lambda: read_line(LEADER, process.pid)) == line
    assert interception.prompt == "(Pdb) "
    as_process(node, lambda: left(LEADER, process.pid))
    assert not interception.takes("c")
    assert getattr(interception, "prompt") is None  # noqa: B009 - mypy has narrowed it
    assert as_process(node, lambda: read_line(LEADER, process.pid)) == ""


def test_leader_without_a_terminal_is_not_asked(node: LocalNode) -> None:
    assert as_process(node, lambda: ask(Pid(99), Pid(2), "stock.py:12")) == "no terminal shows its output"


def test_shell_without_a_terminal_says_so(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interception, "has_prompt", False)
    assert as_process(node, lambda: ask(LEADER, Pid(2), "stock.py:12")) == "its shell has no terminal"
