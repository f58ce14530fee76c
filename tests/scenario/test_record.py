"""A live session becomes a transcript, and several become one."""

from __future__ import annotations

import io
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pexpect
import pytest

from pyx.errors import PyxError, TranscriptError
from pyx.scenario.merge import merge
from pyx.scenario.record import Recorder, recording
from pyx.scenario.replay import Replay, Wishes
from pyx.scenario.transcript import parse_transcript
from pyx.shell.loop import prompt_for

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 19, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Session:
    """A person at a node's prompt, written down."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.file = io.StringIO()
        self.clock = clock
        self.name = name
        self.number = 1
        self.recorder = Recorder(self.file, ["--sname", name.partition("@")[0]], clock)
        self.recorder.asked()

    def type(self, source: str, *shown: str, takes: float = 0.0) -> None:
        self.recorder.typed(prompt_for(self.name, self.number), source)
        for text in shown:
            self.recorder.shown(text)
        self.clock.turn(takes)
        self.recorder.asked()
        self.number += 1

    @property
    def text(self) -> str:
        self.recorder.close()
        return self.file.getvalue()


class TestRecording:
    def test_inputs_and_what_they_showed(self) -> None:
        session = Session("gus@vm", Clock())
        session.type("1 + 1", "2\n", takes=0.25)
        session.type("for x in 'ab':\n    print(x)\n", "a\n", "b\n")
        assert session.text == (
            "# 2026-11-24T19:00:00.000 +0.000\n$ pyx --sname gus\n"
            "\n# 2026-11-24T19:00:00.000 +0.250\npyx(gus@vm)1> 1 + 1\n2\n"
            "\n# 2026-11-24T19:00:00.250 +0.000\npyx(gus@vm)2> for x in 'ab':\n"
            "...(gus@vm)2>     print(x)\n...(gus@vm)2>\na\nb\n"
        )

    def test_what_appears_by_itself_is_a_look(self) -> None:
        clock = Clock()
        session = Session("gus@vm", clock)
        session.type("")
        clock.turn(1)
        session.recorder.shown("hello\n")
        clock.turn(1)
        session.recorder.shown("again\n")
        assert session.text.endswith(
            "\n# 2026-11-24T19:00:01.000 +0.000\npyx(gus@vm)1>\nhello\n"
            "\n# 2026-11-24T19:00:02.000 +0.000\npyx(gus@vm)1>\nagain\n"
        )

    def test_colours_go_and_what_would_be_misread_is_protected(self) -> None:
        session = Session("gus@vm", Clock())
        session.type("f()", "\x1b[31m$ red\x1b[0m\n\npyx(x)\n...\n")
        assert session.text.endswith("> f()\n\\$ red\n\\\n\\pyx(x)\n\\...\n")

    def test_lines_in_pieces_are_lines(self) -> None:
        session = Session("gus@vm", Clock())
        session.type("f()", "a", "b\nc")
        assert session.text.endswith("> f()\nab\nc\n")

    def test_a_traceback_is_short(self) -> None:
        session = Session("gus@vm", Clock())
        session.type("f()", 'Traceback (most recent call last):\n  File "x"\nE: no\n')
        assert session.text.endswith("> f()\nTraceback (most recent call last):\n...\nE: no\n")

    def test_it_can_be_read_back(self) -> None:
        session = Session("gus@vm", Clock())
        session.type("x = '''\n# y\n'''")
        session.type("x", "'\\n# y\\n'\n")
        (only,) = parse_transcript(session.text, "t.pyxt").sessions
        assert len(only.steps) == 3

    @pytest.mark.parametrize(
        ("options", "started"),
        [
            ([], "$ pyx"),
            (["--sname", "gus", "-S", "my shop"], "$ pyx --sname gus -S 'my shop'"),
            (["--sname", "gus", "--cookie", "secret", "--hidden"], "$ pyx --sname gus --hidden"),
            (["--cookie=secret", "--sname", "gus"], "$ pyx --sname gus"),
            (
                ["--name", "gus@10.0.0.5", "--port", "4000", "--seed", "x@10.0.0.6"],
                "$ pyx --sname gus@10.0.0.5",
            ),
            (["--name=gus@10.0.0.5"], "$ pyx --sname=gus@10.0.0.5"),
        ],
    )
    def test_it_starts_as_a_replay_can_and_tells_no_secret(self, options: list[str], started: str) -> None:
        file = io.StringIO()
        Recorder(file, options, Clock())
        assert file.getvalue().split("\n")[1] == started
        assert parse_transcript(f"{started}\n", "t.pyxt").sessions

    def test_a_file_that_is_there_is_not_written_over(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        path.write_text("mine\n")
        with (
            pytest.raises(PyxError, match="cannot record to"),
            recording(str(path), []),
        ):
            pass
        assert path.read_text() == "mine\n"

    def test_what_a_person_did_at_a_terminal_replays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        environment = {
            **os.environ,
            "HOME": str(tmp_path),
            "PYX_RUNTIME_DIR": str(tmp_path / "run"),
            "PROMPT_TOOLKIT_NO_CPR": "1",
            "TERM": "xterm",
        }
        words = ["-m", "pyx", "--sname", "gus@vm", "--record", "t.pyxt"]
        person = pexpect.spawn(
            sys.executable, words, env=environment, encoding="utf-8", timeout=30, dimensions=(30, 60)
        )
        try:
            person.expect_exact("pyx(gus@vm)1> ")
            person.send("spawn(print, 'from a process')\r")
            person.expect_exact("pyx(gus@vm)2> ")
            person.send("['x' * 20] * 4\r")
            person.expect_exact("pyx(gus@vm)3> ")
            person.send("1 / 0\r")
            person.expect("ZeroDivisionError: .*by zero")
            person.expect_exact("pyx(gus@vm)3> ")
            person.sendeof()
            person.expect(pexpect.EOF)
        finally:
            person.close(force=True)
        text = (tmp_path / "t.pyxt").read_text()
        assert "pyx(gus@vm)3> 1 / 0\nZeroDivisionError: division by zero\n" in text
        result = Replay(Wishes()).play("t.pyxt")
        assert result.passed, result.text + text


class TestMerging:
    def test_blocks_come_in_the_order_of_their_times(self, tmp_path: Path) -> None:
        clock = Clock()
        one, two = Session("a@vm", clock), Session("b@vm", clock)
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
        one, two = Session("a@vm", clock), Session("b@vm", clock)
        clock.turn(1)
        one.recorder.typed(prompt_for("a@vm", 1), "receive()")
        clock.turn(1)
        two.type("send(('x', 'a'), 1)", "1\n")
        clock.turn(0.1)
        one.recorder.shown("1\n")
        one.recorder.asked()
        assert self.merged(tmp_path, one, two).endswith(
            "pyx(a@vm)1> receive()  # blocks\n\npyx(b@vm)1> send(('x', 'a'), 1)\n1\n\npyx(a@vm)1>\n1\n"
        )

    def test_a_file_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(TranscriptError, match=r"^nowhere.pyxt: there is no such file or directory$"):
            merge(["nowhere.pyxt"])

    def test_a_file_without_times_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "t.pyxt"
        path.write_text("$ pyx --sname a\n")
        with pytest.raises(TranscriptError, match=":1:1: this block does not say when it was"):
            merge([str(path)])

    @staticmethod
    def merged(tmp_path: Path, *sessions: Session) -> str:
        paths: list[str] = []
        for session in sessions:
            path = tmp_path / f"{session.name}.pyxt"
            path.write_text(session.text)
            paths.append(str(path))
        return merge(paths)
