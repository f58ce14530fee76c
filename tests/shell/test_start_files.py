"""start_files.py, start_file_answers.py, own_file.py, preload.py, user_directories.py: What runs before the
first prompt."""

from __future__ import annotations

import builtins
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from pyx.shell.evaluate import Evaluator
from pyx.shell.loop import LineTerminal
from pyx.shell.own_file import FileNotOwn, read_own_file
from pyx.shell.preload import preload
from pyx.shell.start_file_answers import MOST_ANSWERS, AnswersNotKept, StartFileAnswers
from pyx.shell.start_files import StartFile, StartFiles, kept_answers
from pyx.shell.user_directories import config_directory, state_directory

if TYPE_CHECKING:
    from pathlib import Path


class StartingPrompt:
    """The names of a prompt, what it shows before it is there, and the answers that its user gives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept = folder / "state" / "start_files"
        self.names: dict[str, Any] = {"__builtins__": dict(vars(builtins))}
        self.answers: list[str | BaseException] = []
        self.questions: list[str] = []
        self.warned: list[str] = []
        self.shown: list[str] = []

    def run(self, source: str | None = None, *, is_asked: bool = False, mode: int = 0o644) -> None:
        """Runs a start file of *source*; None: the file as it is."""
        path = self.folder / (".pyx.py" if is_asked else "start.py")
        if source is not None:
            path.write_text(source)
            path.chmod(mode)
        evaluator = Evaluator(self.names, run_coroutine=lambda coroutine: coroutine.close())
        terminal = LineTerminal(lambda _: "", self.shown.append)
        StartFiles(
            evaluator, terminal, self._ask, lambda: None, self.warned.append, StartFileAnswers(self.kept)
        ).run(StartFile(path, is_asked))

    def _ask(self, question: str) -> str:
        self.questions.append(question)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def screen(self) -> str:
        return "".join(self.shown)


@pytest.fixture
def prompt(tmp_path: Path) -> StartingPrompt:
    return StartingPrompt(tmp_path)


class TestStartFile:
    def test_its_names_stay_and_the_name_of_the_file_does_not(self, prompt: StartingPrompt) -> None:
        prompt.run("import math\nwhere = __file__\ndef area(r): return math.pi * r * r\n")
        assert prompt.names["where"] == str(prompt.folder / "start.py")
        assert prompt.names["area"](0) == 0
        assert "__file__" not in prompt.names
        assert (prompt.screen, prompt.warned, prompt.questions) == ("", [], [])

    def test_error_shows_the_users_frames_and_keeps_the_names_before_it(self, prompt: StartingPrompt) -> None:
        prompt.run("x = 1\ndef f():\n    1 / 0\nf()\ny = 2\n")
        path = prompt.folder / "start.py"
        lines = [line for line in prompt.screen.splitlines() if line.strip(" ~^")]  # carets differ by version
        assert lines == [
            "Traceback (most recent call last):",
            f'  File "{path}", line 4, in <module>',
            "    f()",
            f'  File "{path}", line 3, in f',
            "    1 / 0",
            "ZeroDivisionError: division by zero",
        ]
        assert prompt.names["x"] == 1
        assert "y" not in prompt.names

    def test_text_that_is_not_python_is_shown_as_such(self, prompt: StartingPrompt) -> None:
        prompt.run("def f(:\n")
        assert prompt.screen.endswith("SyntaxError: invalid syntax\n")
        (prompt.folder / "start.py").write_bytes(b"# coding: utf-8\nx = '\xff'\n")
        prompt.run()
        (line,) = prompt.warned
        assert line.startswith(f"{prompt.folder}/start.py is not Python source: ")

    @pytest.mark.parametrize(("code", "shown"), [("3", "3"), ("", ""), ("'bye'", "'bye'")])
    def test_exit_ends_the_file_and_not_the_shell(
        self, code: str, shown: str, prompt: StartingPrompt
    ) -> None:
        prompt.run(f"import sys\nsys.exit({code})\nx = 1\n")
        assert prompt.screen == f"{prompt.folder}/start.py was ended by exit({shown}); the prompt goes on\n"
        assert "x" not in prompt.names

    def test_ctrl_c_ends_the_file_and_names_it_with_its_line(self, prompt: StartingPrompt) -> None:
        # Not of a text: after Ctrl-C in an `exec` of one Python itself, the runner of tests, exits with 130.
        prompt.run(
            "x = 1\n\ndef f():\n    exec(compile('raise KeyboardInterrupt', '<s>', 'exec'))\nf()\nx = 2\n"
        )
        file = prompt.folder / "start.py"
        assert prompt.screen == f"{file} was interrupted at line 4; the prompt goes on\n"
        assert prompt.names["x"] == 1

    def test_file_that_others_can_write_is_refused_with_the_command_that_mends_it(
        self, prompt: StartingPrompt
    ) -> None:
        path = prompt.folder / "start.py"
        for mode in (0o664, 0o646):
            prompt.run("x = 1\n", mode=mode)
        assert prompt.warned == [
            f"{path} is not run: it can be written by others (mode {mode}); chmod go-w {path}"
            for mode in ("0664", "0646")
        ]
        assert "x" not in prompt.names

    def test_pipe_and_folder_are_refused_and_a_missing_file_is_silent(self, prompt: StartingPrompt) -> None:
        prompt.run()
        assert prompt.warned == []
        os.mkfifo(prompt.folder / "start.py")
        prompt.run()
        (prompt.folder / "start.py").unlink()
        (prompt.folder / "start.py").mkdir()
        prompt.run()
        assert prompt.warned == [
            f"{prompt.folder}/start.py is not run: it is not a regular file",
            f"{prompt.folder}/start.py cannot be read: Is a directory",
        ]

    def test_symbolic_link_is_followed(self, prompt: StartingPrompt) -> None:
        (prompt.folder / "dotfiles.py").write_text("x = 1\n")
        (prompt.folder / "start.py").symlink_to("dotfiles.py")
        prompt.run()
        assert prompt.names["x"] == 1


class TestQuestion:
    def test_yes_is_asked_for_once_per_content(self, prompt: StartingPrompt) -> None:
        prompt.answers = ["y", "yes"]
        prompt.run("x = 1\n", is_asked=True)
        prompt.run(is_asked=True)
        assert prompt.questions == [f"run .pyx.py of this project ({prompt.folder}/.pyx.py)? [y/N] "]
        assert prompt.names["x"] == 1
        prompt.run("x = 2\n", is_asked=True)
        assert prompt.questions[1:] == [
            f"run .pyx.py of this project ({prompt.folder}/.pyx.py, changed)? [y/N] "
        ]
        prompt.run("x = 1\n", is_asked=True)
        assert (prompt.names["x"], len(prompt.questions)) == (1, 2)

    def test_no_is_kept_and_says_how_to_run_the_file_all_the_same(self, prompt: StartingPrompt) -> None:
        prompt.answers = ["no"]
        prompt.run("x = 1\n", is_asked=True)
        assert prompt.screen == ""
        prompt.run(is_asked=True)
        assert prompt.screen == f"{prompt.folder}/.pyx.py is not run, as you answered; --start-file runs it\n"
        assert "x" not in prompt.names

    @pytest.mark.parametrize("answer", ["", "1 + 1", EOFError()])
    def test_anything_else_is_no_and_is_asked_again(
        self, answer: str | BaseException, prompt: StartingPrompt
    ) -> None:
        prompt.answers = [answer, "y"]
        prompt.run("x = 1\n", is_asked=True)
        assert "x" not in prompt.names
        assert not prompt.kept.exists()
        prompt.run(is_asked=True)
        assert prompt.names["x"] == 1

    def test_ctrl_c_at_the_question_is_no(self, prompt: StartingPrompt) -> None:
        prompt.answers = [KeyboardInterrupt()]
        prompt.run("x = 1\n", is_asked=True)
        assert (prompt.screen, prompt.kept.exists()) == ("KeyboardInterrupt\n", False)
        assert "x" not in prompt.names

    def test_answer_holds_for_one_path(self, prompt: StartingPrompt, tmp_path: Path) -> None:
        prompt.answers = ["y"]
        prompt.run("x = 1\n", is_asked=True)
        answers = StartFileAnswers(prompt.kept)
        assert answers.answer(str(tmp_path / ".pyx.py"), b"x = 1\n") is True
        assert answers.answer(str(tmp_path / "other" / ".pyx.py"), b"x = 1\n") is None
        assert answers.answer(str(tmp_path / ".pyx.py"), b"x = 2\n") is None

    def test_answers_that_others_can_read_are_not_used_and_not_changed(self, prompt: StartingPrompt) -> None:
        prompt.answers = ["y", "y"]
        prompt.run("x = 1\n", is_asked=True)
        prompt.kept.chmod(0o644)
        before = prompt.kept.read_bytes()
        prompt.run("x = 2\n", is_asked=True)
        (line,) = prompt.warned
        assert line == (
            f"earlier answers about start files are not used: {prompt.kept}: "
            f"it is open to others (mode 0644); chmod go= {prompt.kept}"
        )
        assert (prompt.names["x"], prompt.kept.read_bytes()) == (2, before)

    def test_answer_that_cannot_be_kept_is_followed_and_says_so(self, prompt: StartingPrompt) -> None:
        (prompt.folder / "state").write_text("a file where the directory belongs")
        prompt.answers = ["y"]
        prompt.run("x = 1\n", is_asked=True)
        assert prompt.names["x"] == 1
        assert "Not a directory" in prompt.warned[0]


class TestAnswers:
    def test_file_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "state" / "start_files"
        StartFileAnswers(path).keep("/a b\n", b"x", allowed=True)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert StartFileAnswers(path).answer("/a b\n", b"x") is True
        assert os.listdir(path.parent) == ["start_files"]

    def test_last_answer_counts_and_the_oldest_are_dropped(self, tmp_path: Path) -> None:
        answers = StartFileAnswers(tmp_path / "start_files")
        answers.keep("/a", b"x", allowed=True)
        answers.keep("/a", b"x", allowed=False)
        assert answers.answer("/a", b"x") is False
        (line,) = (tmp_path / "start_files").read_text().splitlines()
        (tmp_path / "start_files").write_text(f"{line}\n" + "torn\n" * (MOST_ANSWERS - 1))
        answers.keep("/b", b"x", allowed=True)
        assert answers.answer("/a", b"x") is None
        assert answers.answer("/b", b"x") is True

    def test_user_without_a_home_is_asked_each_time(self) -> None:
        answers = StartFileAnswers(None)
        assert answers.answer("/a", b"x") is None
        with pytest.raises(AnswersNotKept):
            answers.keep("/a", b"x", allowed=True)


def test_own_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x")
    assert read_own_file(path) == b"x"
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(FileNotOwn, match="it belongs to user") as refused:
        read_own_file(path)
    assert str(refused.value.hint).startswith("sudo chown ")


def test_preload_imports_each_module_and_says_why_one_is_not(tmp_path: Path, prompt: StartingPrompt) -> None:
    (tmp_path / "pyx_broken.py").write_text("1 / 0\n")
    (tmp_path / "pyx_leaves.py").write_text("raise SystemExit(3)\n")
    evaluator = Evaluator(prompt.names, run_coroutine=lambda coroutine: coroutine.close())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        preload(["pyx_broken", "pyx_missing.x", "pyx_leaves", "os.path"], evaluator, prompt.warned.append)
    assert prompt.warned == [
        "preload of pyx_broken failed: ZeroDivisionError: division by zero",
        "preload of pyx_missing.x failed: ModuleNotFoundError: No module named 'pyx_missing'",
        "preload of pyx_leaves failed: it calls exit()",
    ]
    assert prompt.names["os"] is os


def test_directories_are_those_of_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, "relative/is/ignored")
    assert config_directory() == tmp_path / ".config/pyx"
    assert state_directory() == tmp_path / ".local/state/pyx"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/x")
    monkeypatch.setenv("XDG_STATE_HOME", "/var/x")
    assert (str(config_directory()), str(state_directory())) == ("/etc/x/pyx", "/var/x/pyx")
    assert kept_answers().answer("/a", b"x") is None
