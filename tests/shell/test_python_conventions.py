"""python_conventions.py: What programs find at Python's own prompt: prompts, hooks, the last error, `_`."""

from __future__ import annotations

import builtins
import gettext
import io
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.shell.text_sessions import capture, session

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What the inputs leave in `sys` and `builtins` is removed."""
    found = sys.displayhook, sys.excepthook
    yield
    sys.displayhook, sys.excepthook = found
    for module, name in ((builtins, "_"), (sys, "last_exc"), (sys, "last_value"), (sys, "ps1"), (sys, "ps2")):
        vars(module).pop(name, None)


def shown(*inputs: str, **helpers: Any) -> str:
    return capture("".join(f"{line}\n" for line in inputs), sys=sys, **helpers)[0]


class TestPrompts:
    def test_ps1_is_there_at_the_prompt_alone_and_is_the_prompt(self) -> None:
        session(
            "pyx(gus@vm)1> sys.ps1, sys.ps2\n"
            "('pyx(gus@vm)1> ', '...(gus@vm)1> ')\n"
            "pyx(gus@vm)2> str(sys.ps1)\n"
            "'pyx(gus@vm)2> '\n"
            "pyx(gus@vm)3> ",
            sys=sys,
        )
        assert not hasattr(sys, "ps1")
        assert not hasattr(sys, "ps2")

    def test_ps1_of_the_user_is_asked_for_its_text_before_each_input(self) -> None:
        class Counted:
            asked = 0

            def __str__(self) -> str:
                self.asked += 1
                return f"{self.asked}>> "

        text = shown("sys.ps1 = counted", "if 1:", "    2", "", "del sys.ps1", counted=Counted())
        assert text == (
            "pyx(gus@vm)1> sys.ps1 = counted\n1>> if 1:\n...     2\n... \n2>> del sys.ps1\npyx(gus@vm)4> "
        )

    def test_ps2_of_the_user_stands_before_further_lines(self) -> None:
        text = shown("sys.ps1 = sys.ps2 = '\\x01$\\x02 '", "(1,", "2)")
        assert text == "pyx(gus@vm)1> sys.ps1 = sys.ps2 = '\\x01$\\x02 '\n$ (1,\n$ 2)\n(1, 2)\n$ "

    @pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
    def test_ps1_whose_text_cannot_be_made_is_replaced(self, error: type[BaseException]) -> None:
        class Broken:
            def __str__(self) -> str:
                raise error

        assert shown("sys.ps1 = broken", broken=Broken()).endswith("\npyx(gus@vm)2> ")


class TestHooks:
    def test_displayhook_of_the_user_shows_values_and_none(self) -> None:
        text = shown(
            "sys.displayhook = hook", "7", "None", "x = 1", "_", hook=lambda found: out.append(found)
        )
        assert text.count("\n") == 5
        assert out == [7, None, 7]
        del out[:]

    def test_displayhook_that_is_given_back_is_pyxs_and_that_of_python_is_pythons(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = shown(
            "own = sys.displayhook",
            "sys.displayhook = lambda found: (print('->'), own(found))",
            "'a'",
            "sys.displayhook = sys.__displayhook__",
            "'b'",
            "sys.displayhook = own",
            "'c'",
        )
        assert [line for line in text.splitlines() if "pyx(" not in line] == ["->", "'a'", "'c'"]
        assert capsys.readouterr().out == "'b'\n"

    def test_error_of_a_displayhook_is_shown(self) -> None:
        assert shown("sys.displayhook = lambda found: 1 / 0", "7").splitlines()[-2:] == [
            "ZeroDivisionError: division by zero",
            "pyx(gus@vm)3> ",
        ]

    def test_excepthook_of_the_user_gets_the_frames_of_the_user(self) -> None:
        def hook(kind: Any, error: Any, frames: Any) -> None:
            out.append((kind, str(error), frames.tb_frame.f_code.co_filename, frames.tb_next))

        text = shown("sys.excepthook = hook", "1 / 0", hook=hook)
        assert text == "pyx(gus@vm)1> sys.excepthook = hook\npyx(gus@vm)2> 1 / 0\npyx(gus@vm)2> "
        assert out == [(ZeroDivisionError, "division by zero", "<pyx 2>", None)]
        del out[:]

    def test_error_of_an_excepthook_is_shown_beside_the_first_one(self) -> None:
        assert shown("sys.excepthook = lambda *_: unknown", "1 / 0").splitlines()[-5:] == [
            "NameError: name 'unknown' is not defined",
            "",
            "Original exception was:",
            "ZeroDivisionError: division by zero",
            "pyx(gus@vm)2> ",
        ]

    def test_hook_that_leaves_ends_the_shell(self) -> None:
        def leave(*_: object) -> None:
            raise SystemExit(7)

        assert capture("sys.excepthook = leave\n1 / 0\n1\n", sys=sys, leave=leave)[1] == 7
        assert capture("sys.displayhook = leave\n1\n", sys=sys, leave=leave)[1] == 7

    def test_hooks_are_pythons_again_after_the_prompt(self) -> None:
        assert shown("sys.displayhook is sys.__displayhook__").endswith("False\npyx(gus@vm)2> ")
        assert (sys.displayhook, sys.excepthook) == (sys.__displayhook__, sys.__excepthook__)

    def test_ctrl_c_is_one_line_whatever_the_hook(self) -> None:
        def interrupted() -> None:
            raise KeyboardInterrupt

        text = shown("sys.excepthook = out.append", "interrupted()", interrupted=interrupted, out=out)
        assert text.endswith("interrupted()\nKeyboardInterrupt\npyx(gus@vm)2> ")
        assert out == []


out: list[Any] = []


class TestLastError:
    def test_debugger_after_an_error_shows_the_frames_of_the_user(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = shown("def f(x):", "    return 1 / x", "", "f(0)", "type(sys.last_exc), sys.last_type")
        assert "(<class 'ZeroDivisionError'>, <class 'ZeroDivisionError'>)" in text
        monkeypatch.setattr(sys, "stdin", io.StringIO("p x\nup\nup\nq\n"))
        import_module("pdb").pm()
        said = capsys.readouterr().out
        assert "return 1 / x" in said
        assert "(Pdb) 0\n" in said
        assert "*** Oldest frame" in said
        assert "pyx/shell" not in said


class TestUnderscore:
    def test_underscore_of_builtins_is_the_last_value(self) -> None:
        text = shown("'first'", "import builtins; builtins._", "_")
        assert text.count("'first'\n") == 4
        assert not hasattr(builtins, "_")

    def test_underscore_that_a_program_has_installed_stays(self) -> None:
        shown(
            "'first'",
            "gettext.install('shop')",
            "'second'",
            "import builtins; builtins._",
            "'third'",
            gettext=gettext,
        )
        assert builtins.__dict__["_"].__name__ == "gettext"


def test_name_put_into_builtins_is_there_at_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "icecream", None, raising=False)  # removes it at the end
    del vars(builtins)["icecream"]
    assert shown("import builtins; builtins.icecream = 7", "icecream").endswith("\n7\npyx(gus@vm)3> ")


def test_three_words_need_no_parentheses_unless_they_are_the_users() -> None:
    def leave() -> None:
        raise SystemExit(5)

    typed = "clear = 1\nclear\nexit = 2\nexit\ndel exit\n exit \nnever\n"
    text, code = capture(typed, exit=leave, clear=leave)
    assert [line.partition("> ")[2] or line for line in text.splitlines()] == [
        "clear = 1", "clear", "1", "exit = 2", "exit", "2", "del exit", " exit ",
    ]  # fmt: skip
    assert code == 5
