"""iex_conversation.py, driver_conversation.py: output of iex becomes driver messages."""

from __future__ import annotations

from typing import Any

from pyx.scenario.driver_conversation import DriverConversation
from pyx.scenario.iex_conversation import LONG_QUIET_SECONDS, QUIET_SECONDS, IexConversation

BANNER = "Interactive Elixir (1.14.0) - press Ctrl+C to exit (type h() ENTER for help)\n"


class Iex:
    """A conversation with `iex --sname a`, which is at its first prompt; `now` is the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.conversation = IexConversation("a@vm")
        self.first = self.conversation.received(f"pyx-creation 7\n{BANNER}iex(a@vm)1> ".encode(), 0.0)

    def types(self, number: int, code: str) -> bytes:
        return self.conversation.request(number, "eval", {"code": code, "typed": []})

    def prints(self, text: str) -> list[tuple[Any, ...]]:
        return short(self.conversation.received(text.encode(), self.now))

    def is_quiet(self, seconds: float) -> list[tuple[Any, ...]]:
        self.now += seconds
        return short(self.conversation.waited(self.now))


def short(messages: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (one["source"], one["kind"], one["text"])
        if one["is"] == "out"
        else (one["is"], one.get("id"), one.get("text"))
        for one in messages
    ]


def test_first_prompt_tells_the_incarnation_and_shows_no_banner() -> None:
    assert Iex().first == [
        {"is": "ready", "name": "a@vm", "creation": 7},
        {"is": "prompt", "id": None, "text": "iex(a@vm)1> "},
    ]


def test_next_number_ends_an_input_at_once() -> None:
    iex = Iex()
    assert iex.types(1, "1 + 1") == b"1 + 1\n"
    assert iex.prints("2\n") == [("eval", "print", "2\n")]
    assert iex.prints("iex(a@vm)") == []
    assert iex.prints("2> ") == [("prompt", 1, "iex(a@vm)2> ")]


def test_same_number_ends_an_input_that_failed_once_nothing_comes() -> None:
    iex = Iex()
    iex.types(1, "x")
    shown = iex.prints("** (ArgumentError) errors:\n\n  * 1st argument: no\n\niex(a@vm)1> ")
    assert [text for _, _, text in shown] == ["** (ArgumentError) errors:\n", "\n", "  * 1st argument: no\n"]
    assert iex.is_quiet(QUIET_SECONDS / 2) == []
    assert iex.is_quiet(QUIET_SECONDS) == [("prompt", 1, "iex(a@vm)1> ")]
    assert iex.is_quiet(1.0) == []


def test_prompt_that_the_log_drew_again_does_not_end_an_input() -> None:
    iex = Iex()
    iex.types(1, "Process.sleep(300)")
    assert iex.prints("\n13:07:56.746 [error] x\n** (RuntimeError) y\n\niex(a@vm)1> ") == [
        ("log", "print", "13:07:56.746 [error] x\n"),
        ("log", "print", "** (RuntimeError) y\n"),
    ]
    assert iex.is_quiet(LONG_QUIET_SECONDS / 2) == []
    assert iex.prints(":ok\niex(a@vm)2> ") == [("eval", "print", ":ok\n"), ("prompt", 1, "iex(a@vm)2> ")]


def test_output_at_a_prompt_is_of_others() -> None:
    assert Iex().prints("printed by another\niex(a@vm)1> ") == [("screen", "print", "printed by another\n")]


def test_prompts_of_continuations_do_not_end_an_input() -> None:
    iex = Iex()
    iex.types(1, "{1,\n2}")
    assert iex.prints("...(a@vm)1> {1, 2}\niex(a@vm)2> ") == [
        ("eval", "term", "{1, 2}\n"),
        ("prompt", 1, "iex(a@vm)2> "),
    ]


def test_term_of_several_lines_is_one_output() -> None:
    iex = Iex()
    iex.types(1, "x")
    text = '{:DOWN, #Reference<0.1.2.3>, :process,\n {:bad, "}"}}\n'
    assert iex.prints(f"{text}:ok\n") == [("eval", "term", text), ("eval", "print", ":ok\n")]


def test_line_that_only_begins_like_a_term_is_text() -> None:
    iex = Iex()
    iex.types(1, "x")
    assert iex.prints("[oh\nno\niex(a@vm)2> ")[:2] == [("eval", "print", "[oh\n"), ("eval", "print", "no\n")]


def test_letter_may_come_in_two_parts() -> None:
    iex = Iex()
    iex.types(1, "x")
    whole = "ü\n".encode()
    assert iex.conversation.received(whole[:1], 0.0) == []
    assert short(iex.conversation.received(whole[1:], 0.0)) == [("eval", "print", "ü\n")]


def test_end_of_the_bytes_shows_the_rest() -> None:
    conversation = IexConversation("a@vm")
    taken = "Protocol 'inet_tcp': the name a@vm seems to be in use"
    assert conversation.received(taken.encode(), 0.0) == []
    assert short(conversation.ended()) == [("screen", "print", f"{taken}\n")]


def test_node_of_pyx_speaks_in_lines_of_json() -> None:
    conversation = DriverConversation()
    assert conversation.request(3, "eval", {"code": "1"}) == b'{"do": "eval", "id": 3, "code": "1"}\n'
    assert conversation.received(b'{"is": "left"}\n{"is"', 0.0) == [{"is": "left"}]
    assert conversation.received(b': "x"}\n', 0.0) == [{"is": "x"}]
    assert conversation.waited(9.0) == conversation.ended() == []
