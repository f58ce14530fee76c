"""program.py, program_files.py: A program as `__main__`: its names, its first folder, its exit code."""

from __future__ import annotations

import asyncio
import builtins
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import pyx
from pyx.errors import PyxError
from pyx.shell.evaluate import Evaluator, make_main
from pyx.shell.program import exit_code, leave_out_own_folder, run_program
from pyx.shell.program_files import folder_of, run_file

PUBLIC = {name: f"the value {name}" for name in ("send", "flush", "self", "h", "v", "ref")}


def names_after(source: str, tmp_path: Path) -> dict[str, Any]:
    """Runs a program; returns its globals, without those of every module."""
    (tmp_path / "program.py").write_text(source)
    main = make_main({**vars(builtins), "clear": "a helper of prompts"})
    evaluator = Evaluator(main.__dict__, run_coroutine=lambda _coroutine: None)
    assert run_file(evaluator, str(tmp_path / "program.py"), PUBLIC) is None
    assert main.__dict__["__builtins__"] is evaluator.lower
    return {name: value for name, value in main.__dict__.items() if not name.startswith("__")}


@pytest.mark.parametrize(
    ("source", "expected"),
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
def test_public_name_is_bound_if_the_program_reads_and_does_not_bind_it(
    source: str, expected: set[str], tmp_path: Path
) -> None:
    names = names_after(source, tmp_path)
    assert {name: names[name] for name in PUBLIC if names.get(name) == PUBLIC[name]} == {
        name: PUBLIC[name] for name in expected
    }


def test_helpers_of_a_prompt_are_not_bound(tmp_path: Path) -> None:
    names = names_after("try:\n    clear\nexcept NameError:\n    missing = True\n", tmp_path)
    assert names["missing"]


def test_builtins_of_a_program_are_pythons_own(tmp_path: Path) -> None:
    names = names_after(
        "import builtins\nsame = __builtins__ is builtins\ndef f(): return print\n"
        "its = f.__builtins__ is vars(builtins)",
        tmp_path,
    )
    assert (names["same"], names["its"]) == (True, True)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"x = '\xff'", ""), (b"x = 1\ny = '\0'", "line 2 contains a null byte")]
)
def test_file_that_is_not_text_raises_with_its_name(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_bytes(content)
    evaluator = Evaluator(make_main({}).__dict__, run_coroutine=lambda _coroutine: None)
    with pytest.raises(PyxError, match=rf"program\.py is not Python source: {reason}"):
        run_file(evaluator, str(tmp_path / "program.py"), {})


class TestFolder:
    def test_folder_of_a_link_is_that_of_its_target(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "program.py").touch()
        (tmp_path / "link.py").symlink_to(tmp_path / "real" / "program.py")
        monkeypatch.chdir(tmp_path)
        assert folder_of("link.py") == os.path.realpath(tmp_path / "real")

    @pytest.mark.parametrize("file", [None, "-", "/dev/null", "nowhere.py"])
    def test_folder_of_a_pipe_or_missing_file_is_none(self, file: str | None) -> None:
        assert folder_of(file) is None

    def test_folder_of_the_command_is_removed_from_sys_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", ["/venv/bin", "/lib"])
        leave_out_own_folder()
        assert sys.path == ["/lib"]

    def test_folder_of_pyx_itself_moves_to_the_end_of_sys_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        home = str(Path(pyx.__file__).parents[1])
        monkeypatch.setattr(sys, "path", [home, "/lib"])
        leave_out_own_folder()
        assert sys.path == ["/lib", home]


class TestPrograms:
    def run(self, source: str) -> int | None:
        evaluator = Evaluator(make_main(dict(vars(builtins))).__dict__, run_coroutine=lambda _coroutine: None)
        return run_program(evaluator, source, "<stdin>")

    def test_program_echoes_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("1\nx = 2\nx") is None
        assert capsys.readouterr() == ("", "")

    def test_first_error_ends_a_program_with_a_traceback_on_stderr(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
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

    def test_exit_code_of_an_interrupted_program_is_130(self) -> None:
        assert self.run("raise KeyboardInterrupt") == 130

    def test_excepthook_of_the_program_is_called(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        calls: list[Any] = []
        monkeypatch.setattr(sys, "excepthook", lambda *facts: calls.append(facts))
        assert self.run("1 / 0") == 1
        [facts] = calls
        assert (facts[0], type(facts[1]), facts[2].tb_lineno) == (ZeroDivisionError, ZeroDivisionError, 1)
        assert capsys.readouterr() == ("", "")

    def test_excepthook_that_exits_or_fails(
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
        shown = capsys.readouterr().err
        assert shown.startswith("Error in sys.excepthook:\nTraceback (most recent call last):\n")
        assert shown.endswith("\nZeroDivisionError: division by zero\n")
        assert "KeyError: 'hook'\n\nOriginal exception was:\nTraceback" in shown


def test_exit_code_follows_pythons_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(None) == 0
    assert exit_code(3) == 3

    class Rude:
        def __str__(self) -> str:
            raise asyncio.CancelledError  # a BaseException, as a program may have its own

    assert exit_code(Rude()) == 1
    assert capsys.readouterr().err == "\n"
    assert exit_code(True) == 1
    assert exit_code(-1) == exit_code(2**70) == exit_code(-(2**70)) == 255
    assert exit_code(256) == 0
    assert exit_code("a reason") == 1
    assert exit_code((1, 2)) == 1
    assert capsys.readouterr().err == "a reason\n(1, 2)\n"


def test_exit_code_whose_str_raises_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    class Rude:
        def __str__(self) -> str:
            raise ValueError

    assert exit_code(Rude()) == 1
    assert capsys.readouterr().err == "\n"
