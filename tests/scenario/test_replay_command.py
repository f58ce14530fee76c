"""failure_report.py, junit.py, pytest_plugin.py, replay.py, replay_cli.py, takeover.py: `pyx replay` as its
user sees it, and the same files under pytest.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pexpect
import pytest

from pyx.errors import PyxError
from pyx.scenario import replay
from pyx.scenario.player import Player, PlayerSettings
from pyx.scenario.replay_cli import main
from pyx.scenario.sandbox import Sandbox
from pyx.scenario.takeover import Takeover
from pyx.scenario.transcript import parse_transcript
from pyx.shell.completion import Completion
from pyx.shell.loop import LineTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANG = 10.0
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
            "scenarios/bad.pyxt:1:3: unknown command 'pix': a scenario is not a shell script\n"
            "hint: did you mean 'pyx'?\n\n0 passed, 1 cannot be read: 0 steps, 0.0 s\n"
        )

    def test_verbose_shows_the_session_as_it_runs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["scenarios/good.pyxt", "-v"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("$ pyx --sname a\npyx(a@vm)1> print('hello')\nhello\n")
        assert "\nok   scenarios/good.pyxt  2 steps, " in shown

    def test_what_is_shown_is_not_obeyed_by_the_terminal(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "t.pyxt").write_text("$ pyx --sname a\npyx(a@vm)1> print('\\x1b[2J')\n\\x1b[2J (esc)\n")
        assert main(["t.pyxt", "-v"]) == 0
        assert "\n\\x1b[2J\n" in capsys.readouterr().out

    def test_a_terminal_gets_a_line_for_each_file(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert main([]) == 0
        assert capsys.readouterr().out.startswith("ok   scenarios/good.pyxt  2 steps, ")

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

    def test_names_that_xml_does_not_know(self, folder: Path) -> None:
        name = os.fsdecode(b"scenarios/\xff\x01.pyxt")
        (folder / name).write_text(GOOD)
        assert main([name, "--junit", "out.xml"]) == 0
        (suite,) = ET.parse("out.xml").getroot()
        assert [case.get("name") for case in suite] == ["??.pyxt"]

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["-k", "xyz"], "no scenario has 'xyz' in its path"),
            (["--update", "--jitter"], "--update goes with none of"),
            (["--junit", "nowhere/out.xml"], "cannot write nowhere/out.xml: No such file or directory"),
            (["--merge"], "--merge needs the recordings to join"),
        ],
    )
    def test_usage(self, words: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(PyxError, match=complaint):
            main(words)


class TestAFileIsOneResult:
    """Whatever is wrong with it: the others are played, and `--junit` is written."""

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("nowhere", "nowhere: there is no such file or directory"),
            ("scenarios/deep", "scenarios/deep: no scenario (*.pyxt) is in this directory"),
            ("notes.txt", "notes.txt: this is neither *.pyxt nor Markdown (*.md)"),
            ("empty.pyxt", "empty.pyxt: nothing to play: no line of it starts a node"),
            ("latin.pyxt", "latin.pyxt:1:1: the file is not UTF-8: invalid continuation byte"),
        ],
    )
    def test_what_cannot_be_played(
        self, folder: Path, name: str, complaint: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "notes.txt").write_text(GOOD)
        (folder / "empty.pyxt").write_text("")
        (folder / "latin.pyxt").write_bytes(b"# caf\xe9 au lait\n" + GOOD.encode())
        assert main([name, "scenarios/good.pyxt", "--junit", "out.xml"]) == 2
        shown = capsys.readouterr().out
        assert shown.startswith(f"{complaint}\n")
        assert "\n1 passed, 1 cannot be read: 2 steps, " in shown
        (suite,) = ET.parse("out.xml").getroot()
        assert (suite.get("tests"), suite.get("errors")) == ("2", "1")

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (
                OSError(28, "No space left on device", "/x"),
                "it cannot be played: No space left on device: /x",
            ),
            (
                RecursionError("too deep"),
                "the runner failed: RecursionError: too deep (test_replay_command.py, ",
            ),
            (UnicodeError("odd"), "the runner failed: UnicodeError: odd (test_replay_command.py, "),
            (RuntimeError(), "the runner failed: RuntimeError (test_replay_command.py, "),
        ],
    )
    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_what_goes_wrong_while_it_is_played(
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

    def test_directories_that_are_of_others_are_left_out(
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
    def test_a_reader_that_leaves_ends_it_without_a_word(self, folder: Path, words: tuple[str, ...]) -> None:
        (folder / "scenarios/also.pyxt").write_text(GOOD)
        reads, writes = os.pipe()
        os.close(reads)
        runner = self.run(*words, "--junit", "out.xml", stdout=writes)
        os.close(writes)
        _, said = runner.communicate(timeout=60)
        assert (runner.returncode, said) == (2, "")
        (suite,) = ET.parse("out.xml").getroot()
        assert suite.get("tests") == "2"

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")  # noqa: PTH110
    def test_a_full_disk_is_one_line(self) -> None:
        with open("/dev/full", "w") as full:  # noqa: PTH123
            runner = self.run("scenarios", stdout=full)
            _, said = runner.communicate(timeout=60)
        assert (runner.returncode, said) == (
            2,
            "pyx: the output cannot be written: No space left on device\n",
        )


class TestVisit:
    @pytest.fixture
    def player(self, folder: Path) -> Iterator[Player]:
        (session,) = parse_transcript(GOOD + "pyx(a@vm)2> x = 1\npyx(a@vm)3> x\n1\n", "t.pyxt").sessions
        sandbox = Sandbox(folder)
        player = Player(session, sandbox, PlayerSettings(stop_at=5))
        try:
            assert player.run() is None
            yield player
        finally:
            player.close()
            sandbox.remove()

    def test_a_person_goes_on_where_the_steps_stopped(self, player: Player) -> None:
        person = Person(
            ["x + 1\n", "if x:\n", "    print('yes')\n", "\n", "spawn(print, 'from a process')\n"]
        )
        person.takes_over(player, "a")
        assert person.shown[:2] == ["2\n", "yes\n"]
        assert person.prompts[:4] == ["pyx(a@vm)3> ", "pyx(a@vm)4> ", "...(a@vm)4> ", "...(a@vm)4> "]

    def test_what_others_show_appears_while_nothing_is_typed(self, player: Player) -> None:
        person = Person(["spawn(print, 'from a process')\n"], waits_for="from a process\n")
        person.takes_over(player, None)
        assert "from a process\n" in person.shown

    def test_what_could_stand_there_is_asked_of_the_node(self, player: Player) -> None:
        offered: list[Completion] = []

        class Curious(Person):
            def read_line(self, prompt: str) -> str:
                offered.append(self.takeover.complete("self_made_na", 12))
                return super().read_line(prompt)

        Curious(["self_made_name = 1\n"]).takes_over(player, "a")
        assert offered == [Completion(0, []), Completion(0, ["self_made_name"])]

    def test_a_line_of_one_story_is_reached_without_the_others(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        story = "## {0}\n\n```pyx\n$ pyx --sname {0}\npyx({0}@vm)1> x = '{0}'\npyx({0}@vm)2> x\n```\n"
        (folder / "t.md").write_text("".join(story.format(name) for name in "abc"))
        monkeypatch.setattr("sys.stdin", io.StringIO("Node.self(), x\n"))
        assert main(["t.md", "--stop-at", "13"]) == 0
        assert "pyx(b@vm)2> ('b@vm', 'b')\npyx(b@vm)3> " in capsys.readouterr().out

    def test_a_person_at_a_terminal(self, folder: Path) -> None:
        (folder / "t.pyxt").write_text(GOOD + "pyx(a@vm)2> x = 1\npyx(a@vm)3> x\n2\n")
        words = ["-m", "pyx", "replay", "t.pyxt", "--stop-at", "5", "--shell", "a"]
        environment = {**os.environ, "HOME": str(folder), "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
        person = pexpect.spawn(sys.executable, words, env=environment, encoding="utf-8", timeout=10)
        try:
            person.expect_exact("pyx(a@vm)3> ")
            person.send("[x, Node.self()]\r")
            person.expect_exact("[1, 'a@vm']")
            person.send("print(6 * 7); receive()\r")
            person.expect_exact("42")
            person.sendintr()
            person.expect_exact("KeyboardInterrupt")
            person.expect_exact("pyx(a@vm)4> ")
            person.sendeof()
            person.expect_exact("1 passed")
            person.expect(pexpect.EOF)
        finally:
            person.close(force=True)
        assert person.exitstatus == 0

    def test_nobody_of_that_name(self, player: Player) -> None:
        with pytest.raises(PyxError, match=r"^no node b runs here; there are: a@vm$"):
            Takeover(player, "b")


class Person:
    """Types lines and leaves, once a line has been seen if there is one to wait for."""

    takeover: Takeover

    def __init__(self, lines: list[str], waits_for: str | None = None) -> None:
        self._lines = iter(lines)
        self._waits_for = waits_for
        self._seen = threading.Event()
        self.prompts: list[str] = []
        self.shown: list[str] = []

    def takes_over(self, player: Player, name: str | None) -> None:
        self.takeover = Takeover(player, name)
        self.takeover.run(LineTerminal(self.read_line, self.see))

    def read_line(self, prompt: str) -> str:
        self.prompts.append(prompt)
        line = next(self._lines, "")
        if not line and self._waits_for is not None:
            assert self._seen.wait(HANG)
        return line

    def see(self, text: str) -> None:
        self.shown.append(text)
        if text == self._waits_for:
            self._seen.set()


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
        done = self.run("scenarios", "README.md", "--junitxml", "out.xml")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "2 passed" in done.stdout
        assert "1 failed" in done.stdout
        assert "scenario bad.pyxt" in done.stdout
        assert "  - 2\n  + 1\n" in done.stdout
        assert "Traceback" not in done.stdout
        (message,) = (found.get("message", "") for found in ET.parse("out.xml").iter("failure"))
        assert message.startswith("FAIL scenarios/bad.pyxt:2  a@vm: ")

    def test_several_at_a_time(self, folder: Path) -> None:
        (folder / "scenarios/other.pyxt").write_text(GOOD)
        done = self.run("scenarios", "-n", "2")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 passed" in done.stdout

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("empty.pyxt", "", "empty.pyxt: nothing to play: no line of it starts a node"),
            ("quoted.md", "> ```pyx\n> $ pyx --sname a\n> pyx(a@vm)1> 1\n> 2\n> ```\n", "  - 2\n  + 1\n"),
            ("other.md", f"```pyxt\n{BAD}```\n", "unknown language 'pyxt' of a block"),
        ],
    )
    def test_what_does_not_run_does_not_pass(self, folder: Path, name: str, text: str, words: str) -> None:
        (folder / name).write_text(text)
        done = self.run(name)
        assert done.returncode == 1, done.stdout + done.stderr
        assert words in done.stdout

    def test_a_file_that_cannot_be_read_is_one_failure(self, folder: Path) -> None:
        (folder / "secret.md").write_text(f"```pyx\n{GOOD}```\n")
        (folder / "conftest.py").write_text(  # for root every file is readable
            "import pathlib\n"
            "real = pathlib.Path.open\n"
            "def open(path, *words, **more):\n"
            "    if path.name == 'secret.md':\n"
            "        raise PermissionError(13, 'Permission denied')\n"
            "    return real(path, *words, **more)\n"
            "pathlib.Path.open = open\n"
        )
        done = self.run("secret.md", "scenarios")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "secret.md: the file cannot be read: Permission denied" in done.stdout
        assert "1 failed, 1 passed" in done.stdout

    def test_skipped_blocks_are_a_warning(self, folder: Path) -> None:
        (folder / "t.md").write_text(f"```pyx\n{GOOD}```\n\n```text\n{BAD}```\n")
        done = self.run("t.md")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ScenarioWarning: 1 block of t.md is not played: it is not ```pyx" in done.stdout

    def test_they_can_be_chosen(self) -> None:
        assert "1 deselected" in self.run("scenarios", "-k", "other").stdout


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(point.value == "pyx.scenario.pytest_plugin" for point in entry_points(group="pytest11"))
