"""takeover.py: `--stop-at` hands a node's shell to the terminal."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING

import pexpect
import pytest

from pyx.errors import PyxError
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
from tests.scenario.transcripts import GOOD

HANG = 120.0


class TestTakeover:
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

    def test_shell_goes_on_where_the_steps_stopped(self, player: Player) -> None:
        user = User(["x + 1\n", "if x:\n", "    print('yes')\n", "\n", "spawn(print, 'from a process')\n"])
        user.takes_over(player, "a")
        assert user.shown[:2] == ["2\n", "yes\n"]
        assert user.prompts[:4] == ["pyx(a@vm)3> ", "pyx(a@vm)4> ", "...(a@vm)4> ", "...(a@vm)4> "]

    def test_output_of_processes_appears_while_a_line_is_read(self, player: Player) -> None:
        user = User(["spawn(print, 'from a process')\n"], waits_for="from a process\n")
        user.takes_over(player, None)
        assert "from a process\n" in user.shown

    def test_completions_come_from_the_node(self, player: Player) -> None:
        offered: list[Completion] = []

        class Curious(User):
            def read_line(self, prompt: str) -> str:
                offered.append(self.takeover.complete("self_made_na", 12))
                return super().read_line(prompt)

        Curious(["self_made_name = 1\n"]).takes_over(player, "a")
        assert offered == [Completion(0, []), Completion(0, ["self_made_name"])]

    def test_line_of_one_session_is_reached_without_the_others(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        story = "## {0}\n\n```pyx\n$ pyx --sname {0}\npyx({0}@vm)1> x = '{0}'\npyx({0}@vm)2> x\n```\n"
        (folder / "t.md").write_text("".join(story.format(name) for name in "abc"))
        monkeypatch.setattr("sys.stdin", io.StringIO("Node.self(), x\n"))
        assert main(["t.md", "--stop-at", "13"]) == 0
        assert "pyx(b@vm)2> ('b@vm', 'b')\npyx(b@vm)3> " in capsys.readouterr().out

    def test_shell_of_a_node_works_at_a_terminal(self, folder: Path) -> None:
        (folder / "t.pyxt").write_text(GOOD + "pyx(a@vm)2> x = 1\npyx(a@vm)3> x\n2\n")
        words = ["-m", "pyx", "replay", "t.pyxt", "--stop-at", "5", "--shell", "a"]
        environment = {**os.environ, "HOME": str(folder), "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
        user = pexpect.spawn(sys.executable, words, env=environment, encoding="utf-8", timeout=120)
        try:
            user.expect_exact("pyx(a@vm)3> ")
            user.send("[x, Node.self()]\r")
            user.expect_exact("[1, 'a@vm']")
            user.send("print(6 * 7), all(True for _ in iter(int, 1))\r")  # which notices a signal at any time
            user.expect_exact("42")
            user.sendintr()
            user.expect_exact("KeyboardInterrupt")
            user.expect_exact("pyx(a@vm)4> ")
            user.sendeof()
            user.expect_exact("1 passed")
            user.expect(pexpect.EOF)
        finally:
            user.close(force=True)
        assert user.exitstatus == 0

    def test_unknown_node_is_refused(self, player: Player) -> None:
        with pytest.raises(PyxError, match=r"^no node b runs at this line; running are: a@vm$"):
            Takeover(player, "b")


class User:
    """Types lines and leaves; before that waits for the line *waits_for*, if there is one."""

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
