"""replay.py, replay_cli.py, junit.py, failure_report.py: `pyx replay` as its user sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree as ET

import pytest

from pyx.errors import PyxError
from pyx.scenario import replay
from pyx.scenario.replay_cli import main, shell_terminal
from pyx.scenario.sandbox import Sandbox
from pyx.shell.terminal import PersonTerminal
from pyx.shell.theme import THEMES

if TYPE_CHECKING:
    from pathlib import Path

    from pyx.scenario.takeover import Takeover
from tests.scenario.transcripts import BAD, GOOD

pytestmark = pytest.mark.usefixtures("good_scenario")


class TestCommand:
    def test_default_is_everything_below_scenarios(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "scenarios/deep/also.pyxt").write_text(GOOD)
        assert main([]) == 0
        assert capsys.readouterr().out.startswith("2 passed: 4 steps, ")

    def test_failure_is_printed_and_counted(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "scenarios/deep/bad.pyxt").write_text(BAD)
        assert main(["scenarios", "--jobs", "2"]) == 1
        shown = capsys.readouterr().out
        assert "FAIL scenarios/deep/bad.pyxt:2  a@vm: " in shown
        assert "\n1 passed, 1 failed: 4 steps, " in shown

    def test_unreadable_file_is_printed_and_counted(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "scenarios/bad.pyxt").write_text("$ pix\n")
        assert main(["-k", "bad"]) == 2
        assert capsys.readouterr().out == (
            "scenarios/bad.pyxt:1:3: unknown command 'pix': a scenario is not a shell script\n"
            "hint: did you mean 'pyx'?\n\n0 passed, 1 cannot be read: 0 steps, 0.0 s\n"
        )

    def test_verbose_prints_the_session_while_it_runs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["scenarios/good.pyxt", "-v"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("$ pyx --sname a\npyx(a@vm)1> print('hello')\nhello\n")
        assert "\nok   scenarios/good.pyxt  2 steps, " in shown

    def test_verbose_output_has_no_control_characters(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "t.pyxt").write_text("$ pyx --sname a\npyx(a@vm)1> print('\\x1b[2J')\n\\x1b[2J (esc)\n")
        assert main(["t.pyxt", "-v"]) == 0
        assert "\n\\x1b[2J\n" in capsys.readouterr().out

    def test_terminal_gets_a_line_for_each_file(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert main([]) == 0
        assert capsys.readouterr().out.startswith("ok   scenarios/good.pyxt  2 steps, ")

    def test_junit_has_a_case_for_each_file(self, folder: Path) -> None:
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

    def test_junit_replaces_characters_that_xml_forbids(self, folder: Path) -> None:
        name = os.fsdecode(b"scenarios/\xff\x01.pyxt")
        (folder / name).write_text(GOOD)
        assert main([name, "--junit", "out.xml"]) == 0
        (suite,) = ET.parse("out.xml").getroot()
        assert [case.get("name") for case in suite] == ["??.pyxt"]

    @pytest.mark.parametrize(
        ("words", "problem"),
        [
            (["-k", "xyz"], "no scenario has 'xyz' in its path"),
            (["--update", "--jitter"], "--update cannot be combined with"),
            (["--junit", "nowhere/out.xml"], "cannot write nowhere/out.xml: No such file or directory"),
            (["--merge"], "--merge needs the recordings to join"),
        ],
    )
    def test_contradictory_options_are_refused(
        self, words: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(PyxError, match=problem):
            main(words)


class TestResults:
    """An error of one file: the others are played, and `--junit` is written."""

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("nowhere", "nowhere: there is no such file or directory"),
            ("scenarios/deep", "scenarios/deep: this directory holds no scenario (*.pyxt)"),
            ("notes.txt", "notes.txt: this is not a scenario (*.pyxt) and not Markdown (*.md)"),
            ("empty.pyxt", "empty.pyxt: nothing to play: no line of it starts a node"),
            ("latin.pyxt", "latin.pyxt:1:1: the file is not UTF-8: invalid continuation byte"),
        ],
    )
    def test_file_that_cannot_be_played_does_not_stop_the_others(
        self, folder: Path, name: str, problem: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "notes.txt").write_text(GOOD)
        (folder / "empty.pyxt").write_text("")
        (folder / "latin.pyxt").write_bytes(b"# caf\xe9 au lait\n" + GOOD.encode())
        assert main([name, "scenarios/good.pyxt", "--junit", "out.xml"]) == 2
        shown = capsys.readouterr().out
        assert shown.startswith(f"{problem}\n")
        assert "\n1 passed, 1 cannot be read: 2 steps, " in shown
        (suite,) = ET.parse("out.xml").getroot()
        assert (suite.get("tests"), suite.get("errors")) == ("2", "1")

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (
                OSError(28, "No space left on device", "/x"),
                "the file cannot be played: No space left on device: /x",
            ),
            (
                RecursionError("too deep"),
                "the replay itself failed: RecursionError: too deep (test_replay_cli.py, ",
            ),
            (UnicodeError("odd"), "the replay itself failed: UnicodeError: odd (test_replay_cli.py, "),
            (RuntimeError(), "the replay itself failed: RuntimeError (test_replay_cli.py, "),
        ],
    )
    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_error_in_one_file_does_not_stop_the_others(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        jobs: str,
        error: Exception,
        sentence: str,
    ) -> None:
        (folder / "bad").mkdir()
        (folder / "bad/bad.pyxt").write_text(GOOD)

        def build(where: Path) -> Sandbox:
            if where.name == "bad":
                raise error
            return Sandbox(where)

        monkeypatch.setattr(replay, "Sandbox", build)
        assert main(["bad", "scenarios", "--junit", "out.xml", "--jobs", jobs]) == 1
        shown = capsys.readouterr().out
        assert f"FAIL bad/bad.pyxt  {sentence}" in shown
        assert "\n1 passed, 1 failed: 2 steps, " in shown
        (suite,) = ET.parse("out.xml").getroot()
        assert (suite.get("tests"), suite.get("failures")) == ("2", "1")

    def test_skipped_blocks_are_counted(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "t.md").write_text(f"```pyx\n{GOOD}```\n\n```text\n{BAD}```\n")
        assert main(["t.md"]) == 0
        assert capsys.readouterr().out.startswith("1 passed, 1 block skipped: 2 steps, ")

    def test_foreign_directories_are_not_searched(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for other in (".venv", ".git", "node_modules/x", "__pycache__", "env"):
            (folder / other).mkdir(parents=True)
            (folder / other / "theirs.pyxt").write_text(BAD)
        (folder / "env/pyvenv.cfg").touch()
        assert main(["."]) == 0
        assert main([".venv"]) == 1  # unless it is named
        assert capsys.readouterr().out.startswith("1 passed: 2 steps, ")


class TestOutput:
    def run(self, *words: str, stdout: Any) -> subprocess.Popen[str]:
        words = (sys.executable, "-m", "pyx", "replay", *words)
        return subprocess.Popen(words, stdout=stdout, stderr=subprocess.PIPE, text=True)

    @pytest.mark.parametrize(
        "words", [("scenarios",), ("scenarios", "-v"), ("scenarios", "-v", "--jobs", "2")]
    )
    def test_closed_pipe_ends_the_replay_silently(self, folder: Path, words: tuple[str, ...]) -> None:
        (folder / "scenarios/also.pyxt").write_text(GOOD)
        reads, writes = os.pipe()
        os.close(reads)
        process = self.run(*words, "--junit", "out.xml", stdout=writes)
        os.close(writes)
        _, stderr = process.communicate(timeout=240)
        assert (process.returncode, stderr) == (2, "")
        (suite,) = ET.parse("out.xml").getroot()
        assert suite.get("tests") == "2"

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")  # noqa: PTH110
    def test_full_disk_is_one_line(self) -> None:
        with open("/dev/full", "w") as full:  # noqa: PTH123
            process = self.run("scenarios", stdout=full)
            _, stderr = process.communicate(timeout=240)
        assert (process.returncode, stderr) == (
            2,
            "pyx: the output cannot be written: No space left on device\n",
        )


def test_shell_of_a_replay_has_the_colours_and_keys_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyx").mkdir()
    (tmp_path / "pyx" / "config.toml").write_text('theme = "dark"\nediting-mode = "vi"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    person, program = os.openpty()
    with os.fdopen(person, "rb", 0), os.fdopen(program, "r") as keys, open(os.dup(program), "w") as screen:  # noqa: PTH123 - of a descriptor
        monkeypatch.setattr(sys, "stdin", keys)
        monkeypatch.setattr(sys, "stdout", screen)
        terminal = shell_terminal(cast("Takeover", None))
        assert isinstance(terminal, PersonTerminal)
        assert terminal.theme is THEMES["dark"]
        assert terminal.editing_mode == "vi"
