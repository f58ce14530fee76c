"""merge.py: several recordings become one transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.errors import TranscriptError
from pyx.scenario.merge import merge
from pyx.scenario.transcript import parse_transcript

if TYPE_CHECKING:
    from pathlib import Path
from tests.scenario.recorded import Clock, RecordedSession


class TestMerging:
    def test_blocks_come_in_the_order_of_their_times(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.turn(1)
        one.type("send(('x', 'b'), 1)", "1\n")
        clock.turn(1)
        two.type("flush()", "1\n")
        clock.turn(1)
        one.type("2", "2\n")
        merged = self.merged(tmp_path, one, two)
        prompts = [line for line in merged.split("\n") if line.startswith(("pyx(", "$"))]
        assert prompts == [
            "$ pyx --sname a",
            "$ pyx --sname b",
            "pyx(a@vm)1> send(('x', 'b'), 1)",
            "pyx(b@vm)1> flush()",
            "pyx(a@vm)2> 2",
        ]
        assert "# 2026" not in merged

    def test_an_input_that_waited_for_another_shell_blocks(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.turn(1)
        one.enters("receive()")
        clock.turn(1)
        two.type("send(('x', 'a'), 1)", "1\n")
        clock.turn(0.1)
        one.shows("1\n")
        one.asked()
        assert self.merged(tmp_path, one, two).endswith(
            "pyx(a@vm)1> receive()  # blocks\n\npyx(b@vm)1> send(('x', 'a'), 1)\n1\n\npyx(a@vm)1>\n1\n"
        )

    def test_one_with_a_remark_does_too(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.turn(1)
        one.enters("receive()  # what?")
        one.recorder.on_answer("x")
        clock.turn(1)
        two.type("1", "1\n")
        clock.turn(0.1)
        one.shows("1\n")
        one.asked()
        merged = self.merged(tmp_path, one, two)
        assert merged.endswith(
            "\n$ type x\npyx(a@vm)1> receive()  # what?\n...(a@vm)1> # blocks\n"
            "\npyx(b@vm)1> 1\n1\n\npyx(a@vm)1>\n1\n"
        )
        assert parse_transcript(merged, "t.pyxt").sessions

    def test_what_an_interrupted_input_showed_stands_behind_the_interrupt(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.turn(1)
        one.enters("while True: print(receive())")
        clock.turn(1)
        two.type("send(('x', 'a'), 1)", "1\n")
        clock.turn(1)
        one.shows("1\n")
        one.recorder.on_interrupt()
        clock.turn(1)
        one.shows("KeyboardInterrupt\n", kind="interrupt")
        assert self.merged(tmp_path, one, two).endswith(
            "\n$ timeout 6s\npyx(a@vm)1> while True: print(receive())  # blocks\n"
            "\npyx(b@vm)1> send(('x', 'a'), 1)\n1\n"
            "\n$ kill -INT a@vm\n\npyx(a@vm)1>\n1\nKeyboardInterrupt\n"
        )

    def test_the_longest_time_that_was_needed_stays(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        one.type("f()", takes=10)
        two.type("g()", takes=4)
        two.type("h()", takes=20)
        lines = self.merged(tmp_path, one, two).split("\n")
        assert [line for line in lines if line.startswith(("$ timeout", "pyx"))] == [
            "$ timeout 20s",
            "pyx(a@vm)1> f()",
            "pyx(b@vm)1> g()",
            "$ timeout 40s",
            "pyx(b@vm)2> h()",
        ]

    def test_a_file_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(TranscriptError, match=r"^nowhere.pyxt: there is no such file or directory$"):
            merge(["nowhere.pyxt"])

    def test_a_file_without_times_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        path.write_text("$ pyx --sname a\n")
        with pytest.raises(TranscriptError, match=":1:1: this block has no time"):
            merge([str(path)])

    @staticmethod
    def merged(tmp_path: Path, *sessions: RecordedSession) -> str:
        paths: list[str] = []
        for session in sessions:
            path = tmp_path / f"{session.name}.pyxt"
            path.write_text(session.text)
            paths.append(str(path))
        return merge(paths)
