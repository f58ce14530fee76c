"""recorder.py, recorded_blocks.py: a live session becomes a transcript."""

from __future__ import annotations

import ast

import pytest

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.match_line import expected_line, match_line
from pyx.scenario.recorder import Recorder
from pyx.scenario.steps import Directives, Input, SendSignal, Start, Type
from pyx.scenario.transcript import parse_transcript
from pyx.terms import Incarnation
from tests.scenario.recorded import Clock, MemoryFile, RecordedSession

VIEW = NodeView(Incarnation("gus@vm", 1), {})


class TestRecording:
    def test_inputs_are_recorded_with_their_output(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("1 + 1", "2\n", takes=0.25)
        session.type("for x in 'ab':\n    print(x)\n", "a\n", "b\n")
        assert session.text == (
            "# 2026-11-24T19:00:00.000 +0.000\n$ pyx --sname gus\n"
            "\n# 2026-11-24T19:00:00.000 +0.250\npyx(gus@vm)1> 1 + 1\n2\n"
            "\n# 2026-11-24T19:00:00.250 +0.000\npyx(gus@vm)2> for x in 'ab':\n"
            "...(gus@vm)2>     print(x)\n...(gus@vm)2>\na\nb\n"
        )

    def test_input_is_in_the_file_while_it_runs(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.enters("os._exit(3)")
        assert session.file.text.endswith("\npyx(gus@vm)1> os._exit(3)\n")
        session.shows("no\n")
        assert session.text.endswith("\npyx(gus@vm)1> os._exit(3)\nno\n")

    def test_output_of_the_start_is_below_its_line(self) -> None:
        file = MemoryFile()
        recorder = Recorder(file, "$ pyx", now=Clock())
        recorder.on_output("# a module is hidden\nby another\n", "log", "print")
        assert file.text == ""
        recorder.on_prompt("pyx(1)> ")
        assert file.text == "# 2026-11-24T19:00:00.000 +0.000\n$ pyx\n\\# a module is hidden\nby another\n"

    def test_output_of_a_start_that_differs_in_a_replay_is_prose(self) -> None:
        file = MemoryFile()
        recorder = Recorder(file, "$ pyx --sname a@10.0.0.5", starts_alike=False, now=Clock())
        recorder.on_output("[warning] listens\n", "log", "print")
        recorder.on_prompt("pyx(a@10.0.0.5)1> ")
        assert file.text.endswith("\n# [warning] listens\n")
        assert parse_transcript(file.text, "t.pyxt").sessions

    def test_output_without_an_input_is_an_empty_prompt(self) -> None:
        clock = Clock()
        session = RecordedSession("gus@vm", clock)
        session.type("")
        clock.advance(1)
        session.shows("hello\n", "<0.5.0>")
        clock.advance(1)
        session.shows("again\n", "<0.5.0>")
        assert session.text.endswith(
            "\n# 2026-11-24T19:00:01.000 +0.000\npyx(gus@vm)1>\nhello\n"
            "\n# 2026-11-24T19:00:02.000 +0.000\npyx(gus@vm)1>\nagain\n"
        )

    def test_output_before_the_first_input_is_an_empty_prompt(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.shows("hello\n", "<0.5.0>")
        assert session.text.endswith("\npyx(gus@vm)1>\nhello\n")

    def test_output_at_an_idle_prompt_is_written_in_time(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        for number in range(2500):
            session.shows(f"{number}\n", "<0.5.0>")
        assert "\n2000\n" in session.file.text
        lines = [line for line in session.text.split("\n") if line.isdecimal()]
        assert lines == [str(number) for number in range(2500)]

    def test_output_after_the_end_is_left_out(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("1", "1\n")
        session.shows("before\n", "log")
        session.recorder.on_leave()
        session.shows("at exit\n", "log")
        assert session.text.endswith("\npyx(gus@vm)2>\nbefore\n")

    def test_colours_are_removed_and_misleading_lines_protected(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("f()", "\x1b[31m$ red\x1b[0m\n\npyx(x)\n...\n\r1%\r100%\n\x07\n   ```\n")
        assert session.text.endswith("> f()\n\\$ red\n\\\n\\pyx(x)\n\\...\n100%\n\\x07 (esc)\n\\   ```\n")

    def test_lines_in_pieces_are_whole_lines(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.enters("f()")
        session.shows("a")
        session.shows("other\n", "<0.5.0>")
        session.shows("b\nc")
        session.shows("5\n", kind="echo")
        assert session.text.endswith("> f()\nab\nc\nother\n5\n")

    def test_frames_of_a_traceback_are_an_ellipsis(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("f()", 'Traceback (most recent call last):\n  File "x"\nE: no\n')
        assert session.text.endswith("> f()\nTraceback (most recent call last):\n...\nE: no\n")

    def test_blanks_of_an_input_stay(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("x = '''a  \n   \n\n'''  ")
        assert "1> x = '''a  \n...(gus@vm)1>    \n...(gus@vm)1>\n...(gus@vm)1> '''  \n" in session.text

    @pytest.mark.parametrize(
        "remark", ["# ignore", "# eventually 2s", "# unorderd", "# blocks", "# # ignore"]
    )
    def test_comment_like_a_directive_is_recorded_as_a_comment(self, remark: str) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type(f"1 + 1  {remark}", "2\n")
        session.type(remark)
        (only,) = parse_transcript(session.text, "t.pyxt").sessions
        codes = [step.code for step in only.steps if isinstance(step, Input)]
        assert [ast.parse(code).body != [] for code in codes] == [True, False]
        assert all(step.directives == Directives() for step in only.steps if isinstance(step, Input))

    def test_carriage_returns_end_lines_of_an_input(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("x = 1\r\ny = 2\rz = 3")
        assert "1> x = 1\n...(gus@vm)1> y = 2\n...(gus@vm)1> z = 3\n" in session.text

    def test_input_that_no_file_can_hold_is_prose(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("x = '\udcc3'", "UnicodeEncodeError: surrogates not allowed\n")
        assert session.text.endswith(
            "\n# This cannot be typed again:\n# x = '\\udcc3' (esc)\n"
            "# UnicodeEncodeError: surrogates not allowed\n"
        )

    def test_recorded_input_with_prose_inside_is_parsed(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("x = '''\n# y\n'''")
        session.type("x", "'\\n# y\\n'\n")
        (only,) = parse_transcript(session.text, "t.pyxt").sessions
        assert len(only.steps) == 3

    def test_slow_block_gets_a_timeout(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type("f()", takes=2.0)
        session.type("g()", takes=7.25)
        session.type("h()", takes=6.0)
        session.clock.advance(10)
        session.shows("late\n", "<0.5.0>")
        lines = [line for line in session.text.split("\n") if line and not line.startswith("#")][1:]
        assert lines == [
            "pyx(gus@vm)1> f()",
            "$ timeout 15s",
            "pyx(gus@vm)2> g()",
            "pyx(gus@vm)3> h()",
            "$ timeout 32s",
            "pyx(gus@vm)4>",
            "late",
        ]
        (only,) = parse_transcript(session.text, "t.pyxt").sessions
        assert len(only.steps) == 7

    def test_answers_to_input_are_above_their_input(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.enters("[input('a? '), input()]")
        for answer in ("gus", "", " x ", "\x1b[A", "y (esc)"):
            session.recorder.on_answer(answer)
        session.shows("a? gus\n\n")
        assert session.text.endswith(
            "\n$ type gus\n$ type\n$ type \\x20x  (esc)\n$ type \\x1b[A (esc)\n$ type \\x79 (esc) (esc)\n"
            "pyx(gus@vm)1> [input('a? '), input()]\na? gus\n\\\n"
        )
        (only,) = parse_transcript(session.text, "t.pyxt").sessions
        typed = [step.text for step in only.steps if isinstance(step, Type)]
        assert typed == ["gus", "", " x ", "\x1b[A", "y (esc)"]


class TestCtrlC:
    def test_interrupted_input_gets_blocks_and_an_empty_prompt(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.enters("print('a'); receive()")
        session.shows("a\n")
        session.clock.advance(1)
        session.recorder.on_interrupt()
        session.recorder.on_interrupt()
        session.clock.advance(0.5)
        session.shows("KeyboardInterrupt\n", kind="interrupt")
        assert session.text.endswith(
            "\n# 2026-11-24T19:00:00.000 +1.000\npyx(gus@vm)1> print('a'); receive()  # blocks\na\n"
            "\n# 2026-11-24T19:00:01.000 +0.000\n$ kill -INT gus@vm\n"
            "\n# 2026-11-24T19:00:01.500 +0.000\npyx(gus@vm)1>\nKeyboardInterrupt\n"
        )

    def test_blocks_behind_a_comment_is_a_line_of_its_own(self) -> None:
        session = RecordedSession("", Clock())
        session.enters("receive()  # what?")
        session.recorder.on_interrupt()
        text = session.text
        assert "\npyx(1)> receive()  # what?\n...(1)> # blocks\n\n" in text
        assert "\n$ kill -INT\n" in text
        (only,) = parse_transcript(text, "t.pyxt").sessions
        assert [type(step) for step in only.steps] == [Start, Input, SendSignal, Input]
        assert isinstance(only.steps[1], Input)
        assert only.steps[1].directives.blocks

    def test_ctrl_c_at_the_prompt_is_not_recorded(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.recorder.on_interrupt()
        session.prompts()
        session.type("1", "1\n")
        assert session.text.endswith(
            "$ pyx --sname gus\n\n# 2026-11-24T19:00:00.000 +0.000\npyx(gus@vm)1> 1\n1\n"
        )


SECRET = "pyx1-Ab3dEf6hIj9lMn2pQr5tUv8x"


class TestCookies:
    def test_cookie_that_is_typed_is_replaced(self) -> None:
        session = RecordedSession("gus@vm", Clock())
        session.type(f"Node.set_cookie('{SECRET}')", "True\n")
        session.type("Node.get_cookie().text", f"'{SECRET}'\n")
        session.type("Node.get_cookie()", "Cookie(sha256 ab12…)\n")
        assert "> Node.set_cookie('1-not-recorded-1-not-recorded')\nTrue\n" in session.text
        assert "> Node.get_cookie().text\n'[..]'\n" in session.text
        assert "> Node.get_cookie()\nCookie(sha256 [..])\n" in session.text

    def test_new_cookie_is_removed_from_written_blocks(self) -> None:
        cookies: list[str] = []
        session = RecordedSession("gus@vm", Clock(), cookies)
        session.type(f"c = '{SECRET}'; c", f"'{SECRET}'\n")
        session.enters("s(c)")
        cookies.append(SECRET)
        session.shows("True\n")
        text = session.text
        assert "> c = '1-not-recorded-1-not-recorded'; c\n'[..]'\n" in text
        assert text.endswith("> s(c)\nTrue\n")

    @pytest.mark.parametrize(
        ("shown", "written"),
        [
            (f"it is {SECRET}", "it is [..]"),
            (f"$ {SECRET} [..]", "? * * (glob)"),
            (f"{SECRET}\x07", "*? (glob)"),
            (f"a [..] {SECRET} (re)", "? * * (re) (glob)"),
        ],
    )
    def test_line_with_a_cookie_is_a_pattern(self, shown: str, written: str) -> None:
        session = RecordedSession("gus@vm", Clock(), [SECRET])
        session.type("f()", f"{shown}\n")
        assert session.text.endswith(f"> f()\n{written}\n")
        line = expected_line(written)
        assert match_line(line, shown.replace(SECRET, "pyx1-another"), Bindings(), VIEW)

    def test_cookie_that_input_read_is_replaced(self) -> None:
        session = RecordedSession("gus@vm", Clock(), [SECRET])
        session.enters("Node.set_cookie(input())")
        session.recorder.on_answer(SECRET)
        session.shows(f"{SECRET}\nTrue\n")
        assert SECRET not in session.text
