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
    def test_merged_blocks_are_ordered_by_time(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.advance(1)
        one.type("send(('x', 'b'), 1)", "1\n")
        clock.advance(1)
        two.type("flush()", "1\n")
        clock.advance(1)
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

    def test_input_during_which_another_shell_typed_gets_blocks(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.advance(1)
        one.enters("receive()")
        clock.advance(1)
        two.type("send(('x', 'a'), 1)", "1\n")
        clock.advance(0.1)
        one.shows("1\n")
        one.prompts()
        assert self.merged(tmp_path, one, two).endswith(
            "pyx(a@vm)1> receive()  # blocks\n\npyx(b@vm)1> send(('x', 'a'), 1)\n1\n\npyx(a@vm)1>\n1\n"
        )

    def test_input_with_a_comment_gets_blocks_on_a_line_of_its_own(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.advance(1)
        one.enters("receive()  # what?")
        one.recorder.on_answer("x")
        clock.advance(1)
        two.type("1", "1\n")
        clock.advance(0.1)
        one.shows("1\n")
        one.prompts()
        merged = self.merged(tmp_path, one, two)
        assert merged.endswith(
            "\n$ type x\npyx(a@vm)1> receive()  # what?\n...(a@vm)1> # blocks\n"
            "\npyx(b@vm)1> 1\n1\n\npyx(a@vm)1>\n1\n"
        )
        assert parse_transcript(merged, "t.pyxt").sessions

    def test_output_of_an_interrupted_input_is_behind_its_interrupt(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = RecordedSession("a@vm", clock), RecordedSession("b@vm", clock)
        clock.advance(1)
        one.enters("while True: print(receive())")
        clock.advance(1)
        two.type("send(('x', 'a'), 1)", "1\n")
        clock.advance(1)
        one.shows("1\n")
        one.recorder.on_interrupt()
        clock.advance(1)
        one.shows("KeyboardInterrupt\n", kind="interrupt")
        assert self.merged(tmp_path, one, two).endswith(
            "\n$ timeout 6s\npyx(a@vm)1> while True: print(receive())  # blocks\n"
            "\npyx(b@vm)1> send(('x', 'a'), 1)\n1\n"
            "\n$ kill -INT a@vm\n\npyx(a@vm)1>\n1\nKeyboardInterrupt\n"
        )

    def test_longest_timeout_stays(self, tmp_path: Path) -> None:
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

    def test_missing_file_is_refused(self) -> None:
        with pytest.raises(TranscriptError, match=r"^nowhere.pyxt: there is no such file or directory$"):
            merge(["nowhere.pyxt"])

    def test_file_without_times_is_refused(self, tmp_path: Path) -> None:
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
