"""`pyx replay` as its user sees it, and the same files under pytest."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pyx.errors import PyxError
from pyx.scenario.command import main
from pyx.scenario.player import Player, Settings
from pyx.scenario.stage import Stage
from pyx.scenario.transcript import parse_transcript
from pyx.scenario.visit import visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = "$ pyx --sname a\npyx(a@vm)1> print('hello')\nhello\n"
BAD = "$ pyx --sname a\npyx(a@vm)1> 1\n2\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios/deep").mkdir(parents=True)
    (tmp_path / "scenarios/good.pyxt").write_text(GOOD)
    return tmp_path


class TestCommand:
    def test_everything_below_scenarios_is_the_default(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "scenarios/deep/also.pyxt").write_text(GOOD)
        assert main([]) == 0
        assert capsys.readouterr().out.startswith("2 passed: 4 steps, ")

    def test_a_failure_is_shown_and_counted(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "scenarios/deep/bad.pyxt").write_text(BAD)
        assert main(["scenarios", "--jobs", "2"]) == 1
        shown = capsys.readouterr().out
        assert "FAIL scenarios/deep/bad.pyxt:2  a@vm: " in shown
        assert "\n1 passed, 1 failed: 4 steps, " in shown

    def test_a_file_that_cannot_be_read(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "scenarios/bad.pyxt").write_text("$ pix\n")
        assert main(["-k", "bad"]) == 2
        assert capsys.readouterr().out == (
            "scenarios/bad.pyxt:1:3: unknown command 'pix' (a scenario is no shell script)\n"
            "hint: did you mean 'pyx'?\n\n0 passed, 1 cannot be read: 0 steps, 0.0 s\n"
        )

    def test_verbose_shows_the_session_as_it_runs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["scenarios/good.pyxt", "-v"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("$ pyx --sname a\npyx(a@vm)1> print('hello')\nhello\n")
        assert "\nok   scenarios/good.pyxt  2 steps, " in shown

    def test_junit(self, folder: Path) -> None:
        (folder / "scenarios/bad.pyxt").write_text(BAD)
        assert main(["--junit", "out.xml"]) == 1
        (suite,) = ET.parse("out.xml").getroot()
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
        bad, good = suite
        assert (bad.get("classname"), bad.get("name"), good.get("name")) == (
            "scenarios",
            "bad.pyxt",
            "good.pyxt",
        )
        message = bad[0].get("message")
        assert message is not None
        assert message.startswith("FAIL scenarios/bad.pyxt:2  a@vm:")
        assert not list(good)

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["nowhere"], "there is no file or directory nowhere"),
            (["scenarios/deep"], r"there is no scenario \(\*.pyxt\) in scenarios/deep"),
            (["-k", "xyz"], "no scenario has 'xyz' in its path"),
            (["--update", "--jitter"], "--update goes with none of"),
        ],
    )
    def test_usage(self, words: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(PyxError, match=complaint):
            main(words)


class TestVisit:
    @pytest.fixture
    def player(self, folder: Path) -> Iterator[Player]:
        (session,) = parse_transcript(GOOD + "pyx(a@vm)2> x = 1\npyx(a@vm)3> x\n1\n", "t.pyxt").sessions
        stage = Stage(folder)
        player = Player(session, stage, Settings(stop_at=5))
        try:
            assert player.run() is None
            yield player
        finally:
            player.close()
            stage.remove()

    def test_a_person_goes_on_where_the_steps_stopped(self, player: Player) -> None:
        lines = iter(["x + 1", "if x:", "    print('yes')", "", "spawn(print, 'from a process')"])
        prompts: list[str] = []
        shown: list[str] = []

        def read_line(prompt: str) -> str:
            prompts.append(prompt)
            try:
                return next(lines)
            except StopIteration:
                raise EOFError from None

        visit(player, "a", read_line, shown.append)
        assert shown[:2] == ["2", "yes"]
        assert "from a process" in shown
        assert prompts[:4] == ["pyx(a@vm)3> ", "pyx(a@vm)4> ", "...(a@vm)4> ", "...(a@vm)4> "]

    def test_nobody_of_that_name(self, player: Player) -> None:
        shown: list[str] = []
        visit(player, "b", input, shown.append)
        assert shown == ["there is no node b here; running: a@vm"]


class TestPytest:
    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        plugin = [] if _installed() else ["-p", "pyx.scenario.pytest_plugin"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *words],
            capture_output=True,
            text=True,
            check=False,
        )

    def test_one_item_a_file_and_the_same_report(self, folder: Path) -> None:
        (folder / "scenarios/bad.pyxt").write_text(BAD)
        (folder / "README.md").write_text(f"# Hello\n\n```pyx\n{GOOD}```\n")
        done = self.run("scenarios", "README.md")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "2 passed" in done.stdout
        assert "1 failed" in done.stdout
        assert "scenario bad.pyxt" in done.stdout
        assert "  - 2\n  + 1\n" in done.stdout
        assert "Traceback" not in done.stdout

    def test_they_can_be_chosen(self) -> None:
        assert "1 deselected" in self.run("scenarios", "-k", "other").stdout


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(point.value == "pyx.scenario.pytest_plugin" for point in entry_points(group="pytest11"))
