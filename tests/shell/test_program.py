"""program.py: A file as `__main__`: the names it gets, the folder that comes first, its exit code."""

from __future__ import annotations

import builtins
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import pyx
from pyx.errors import PyxError
from pyx.shell.evaluate import Evaluator, make_main
from pyx.shell.program import exit_code, folder_of, leave_out_own_folder, run_file, run_program

WORDS = {name: f"the word {name}" for name in ("send", "flush", "self", "h", "v", "ref")}


def names_after(source: str, tmp_path: Path) -> dict[str, Any]:
    """The globals of a program that has run, but what every module has."""
    (tmp_path / "program.py").write_text(source)
    main = make_main({**vars(builtins), "clear": "a helper of prompts"})
    evaluator = Evaluator(main.__dict__, run_coroutine=lambda _coroutine: None)
    assert run_file(evaluator, str(tmp_path / "program.py"), WORDS) is None
    assert main.__dict__["__builtins__"] is evaluator.lower
    return {name: value for name, value in main.__dict__.items() if not name.startswith("__")}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", set()),
        ("seen = send", {"send"}),
        ("def f(self):\n    return self, send\n", {"send"}),
        ("class A:\n    ref = 1\n    def f(self): return [h for _ in 'ab']\n", {"h"}),
        ("def flush(): pass\nflush()", set()),
        ("import os as send\nsend.getpid()", set()),
        ("def f():\n    global v\n    v = 1\nf(); v", set()),
        ("eval('send') if False else None", set()),
    ],
)
def test_a_word_is_there_where_it_is_read_and_not_bound(source: str, words: set[str], tmp_path: Path) -> None:
    names = names_after(source, tmp_path)
    assert {name: names[name] for name in WORDS if names.get(name) == WORDS[name]} == {
        name: WORDS[name] for name in words
    }


def test_the_helpers_of_a_prompt_are_not(tmp_path: Path) -> None:
    names = names_after("try:\n    clear\nexcept NameError:\n    missing = True\n", tmp_path)
    assert names["missing"]


def test_its_builtins_are_pythons_own(tmp_path: Path) -> None:
    names = names_after(
        "import builtins\nsame = __builtins__ is builtins\ndef f(): return print\n"
        "its = f.__builtins__ is vars(builtins)",
        tmp_path,
    )
    assert (names["same"], names["its"]) == (True, True)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_bytes(b"x = '\xff'")
    evaluator = Evaluator(make_main({}).__dict__, run_coroutine=lambda _coroutine: None)
    with pytest.raises(PyxError, match=r"program\.py is not Python source: "):
        run_file(evaluator, str(tmp_path / "program.py"), {})


class TestFolders:
    def test_is_that_of_the_file_behind_a_link(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "program.py").touch()
        (tmp_path / "link.py").symlink_to(tmp_path / "real" / "program.py")
        monkeypatch.chdir(tmp_path)
        assert folder_of("link.py") == os.path.realpath(tmp_path / "real")

    @pytest.mark.parametrize("file", [None, "-", "/dev/null", "nowhere.py"])
    def test_what_is_not_a_file_has_none(self, file: str | None) -> None:
        assert folder_of(file) is None

    def test_the_commands_own_is_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", ["/venv/bin", "/lib"])
        leave_out_own_folder()
        assert sys.path == ["/lib"]

    def test_the_one_that_pyx_comes_from_is_searched_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        home = str(Path(pyx.__file__).parents[1])
        monkeypatch.setattr(sys, "path", [home, "/lib"])
        leave_out_own_folder()
        assert sys.path == ["/lib", home]


class TestPrograms:
    def run(self, source: str) -> int | None:
        evaluator = Evaluator(make_main(dict(vars(builtins))).__dict__, run_coroutine=lambda _coroutine: None)
        return run_program(evaluator, source, "<stdin>")

    def test_nothing_is_echoed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("1\nx = 2\nx") is None
        assert capsys.readouterr() == ("", "")

    def test_the_first_error_ends_it_on_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("x = 1\nx / 0\nprint('never')") == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err == (
            "Traceback (most recent call last):\n"
            '  File "<stdin>", line 2, in <module>\n'
            "    x / 0\n"
            "    ~~^~~\n"
            "ZeroDivisionError: division by zero\n"
        )

    def test_an_interrupt_is_130(self) -> None:
        assert self.run("raise KeyboardInterrupt") == 130

    def test_its_own_hook_is_told_of_the_error(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told: list[Any] = []
        monkeypatch.setattr(sys, "excepthook", lambda *facts: told.append(facts))
        assert self.run("1 / 0") == 1
        [facts] = told
        assert (facts[0], type(facts[1]), facts[2].tb_lineno) == (ZeroDivisionError, ZeroDivisionError, 1)
        assert capsys.readouterr() == ("", "")

    def test_a_hook_that_leaves_or_fails(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def leaves(*_facts: object) -> None:
            raise SystemExit(7)

        def fails(*_facts: object) -> None:
            raise KeyError("hook")

        monkeypatch.setattr(sys, "excepthook", leaves)
        assert self.run("1 / 0") == 7
        monkeypatch.setattr(sys, "excepthook", fails)
        assert self.run("1 / 0") == 1
        told = capsys.readouterr().err
        assert told.startswith("Error in sys.excepthook:\nTraceback (most recent call last):\n")
        assert told.endswith("\nZeroDivisionError: division by zero\n")
        assert "KeyError: 'hook'\n\nOriginal exception was:\nTraceback" in told


def test_exit_codes_are_pythons(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(None) == 0
    assert exit_code(3) == 3
    assert exit_code(True) == 1
    assert exit_code(-1) == exit_code(2**70) == exit_code(-(2**70)) == 255
    assert exit_code(256) == 0
    assert exit_code("a reason") == 1
    assert exit_code((1, 2)) == 1
    assert capsys.readouterr().err == "a reason\n(1, 2)\n"


def test_an_exit_code_whose_text_raises_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    class Rude:
        def __str__(self) -> str:
            raise ValueError

    assert exit_code(Rude()) == 1
    assert capsys.readouterr().err == "\n"
