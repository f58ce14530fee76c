"""helpers.py: What the helpers show; those that need a node are in `test_session`."""

from __future__ import annotations

import builtins
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from pyx import Process, errors, rpc, send
from pyx.node import Node
from pyx.shell.evaluate import Evaluator, make_main
from pyx.shell.helpers import Helpers
from pyx.shell.project import Project
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def helpers(tmp_path: Path) -> Helpers:
    project = Project(str(tmp_path), lambda _text: None, lambda _text: None)
    made = Helpers(project, lambda: 80)
    made.evaluator = Evaluator(make_main(dict(vars(builtins))).__dict__, run_coroutine=lambda _: None)
    return made


def a_module() -> ModuleType:
    """A module with two functions of its own, a private one, and one from elsewhere."""
    module = ModuleType("stock", "Keeps the stock.\n\nMore about it.")
    source = (
        "from json import dumps\n"
        "def add(product, *, qty: int = 1) -> None:\n    'Adds a product.'\n"
        "def status(): pass\n"
        "def _hidden(): pass\n"
    )
    exec(source, module.__dict__)
    return module


def test_no_helper_takes_the_name_of_a_python_builtin(helpers: Helpers) -> None:
    taken = {name for name in helpers.names() if name in vars(builtins)}
    assert taken <= {"exit"}  # site's, made for prompts; ours replaces it


def test_h_lists_every_helper_on_one_line(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.h()
    lines = capsys.readouterr().out.splitlines()
    for name in helpers.names():
        assert sum(line.startswith(f"  {name}(") for line in lines) == 1
    assert all(len(line) <= 88 for line in lines)


def test_h_of_a_function_shows_how_to_call_it(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.h(a_module().add)
    assert capsys.readouterr().out == "add(product, *, qty=1)\n  Adds a product.\n"


def test_h_of_a_module_or_face_lists_its_functions(
    helpers: Helpers, capsys: pytest.CaptureFixture[str]
) -> None:
    helpers.h(a_module())
    assert capsys.readouterr().out == (
        "stock\n  Keeps the stock.\n\n  More about it.\n"
        "  add(product, *, qty=1)  Adds a product.\n  status()\n"
    )
    helpers.h(Node)
    assert "\n  ping(node)  " in capsys.readouterr().out


def test_h_of_a_value_is_about_its_type(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.h(5)
    assert capsys.readouterr().out.startswith("int\n")


def test_a_helper_without_parentheses_says_how_it_is_called(helpers: Helpers) -> None:
    assert repr(helpers.names()["flush"]) == "flush()  Shows and drops every message that waits here."


def test_i_shows_what_a_thing_is(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.i("text")
    assert capsys.readouterr().out == "value   'text'\ntype    str\nlength  4\n"
    helpers.i(a_module())
    assert "exports  add, status\n" in capsys.readouterr().out


def test_exports_shows_functions_in_columns(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.exports(a_module())
    assert capsys.readouterr().out == "add(product, *, qty=1)  status()\n"
    helpers.exports("string")
    assert "capwords(s, sep=None)" in capsys.readouterr().out


def test_exports_of_what_has_none_is_one_sentence(helpers: Helpers) -> None:
    with pytest.raises(TypeError, match="exports takes a module, a module's name or a class, not 5"):
        helpers.exports(5)


@pytest.mark.parametrize("thing", [pyx, Node, Process, Process.flag, rpc.multicall, errors, send])
@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_wider_than_the_terminal(
    thing: Any, width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal would cut such a line in the middle of a word."""
    helpers = Helpers(Project(str(tmp_path), print, print), lambda: width)
    helpers.h(thing)
    helpers.h()
    if not callable(thing):
        helpers.exports(thing)
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if len(line) > width and " " in line.strip()] == []


def test_what_is_cut_goes_on_deeper(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    def sell() -> None:
        """Sells.  This is prose, so its lines are joined and cut where the terminal ends, which is
        not where they are cut here.

        Args:
            short: this line fits, and the one below it too:
                as it stands.
            long: this one is wider than the eighty columns that the terminal has, so that it goes
                on below.
        """

    helpers.h(sell)
    assert capsys.readouterr().out.split("\n")[1:] == [
        "  Sells.  This is prose, so its lines are joined and cut where the terminal",
        "  ends, which is not where they are cut here.",
        "",
        "  Args:",
        "      short: this line fits, and the one below it too:",
        "          as it stands.",
        "      long: this one is wider than the eighty columns that the terminal has, so",
        "          that it goes on below.",
        "",
    ]


def test_pids_and_references_are_read_back(helpers: Helpers) -> None:
    assert helpers.pid("0.5.0") == helpers.pid("#PID<0.5.0>") == helpers.pid(0, 5, 0) == Pid(5)
    assert helpers.ref("0.1.2") == Ref((1 << 32) | 2)
    with pytest.raises(ValueError, match="not a printed pid"):
        helpers.pid("five")


def test_v_gives_earlier_values(helpers: Helpers) -> None:
    assert helpers.evaluator is not None
    helpers.evaluator.evaluate("6 * 7")
    assert helpers.v(1) == helpers.v() == 42


def test_exit_leaves_with_a_code(helpers: Helpers) -> None:
    with pytest.raises(SystemExit) as leaving:
        helpers.exit(3)
    assert leaving.value.code == 3


def test_r_and_recompile_say_what_they_did(
    helpers: Helpers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []

    def reload(_self: Project, module: str) -> str:
        told.append(module)
        return f"reloaded {module}"

    monkeypatch.setattr(Project, "reload", reload)
    monkeypatch.setattr(Project, "recompile", lambda _self: [])
    helpers.r("stock")
    helpers.recompile()
    assert told == ["stock"]
    assert capsys.readouterr().out == "reloaded stock\nnothing changed\n"


class TestExit:
    @pytest.mark.parametrize("code", [None, 0, 3])
    def test_leaves_with_an_exit_code(self, code: int | None, helpers: Helpers) -> None:
        for helpers.at_prompt in (False, True):
            with pytest.raises(SystemExit) as leaving:
                helpers.exit(code)
            assert leaving.value.code == code

    @pytest.mark.parametrize("reason", ["normal", ("shutdown", 1)])
    def test_of_a_reason_stays_at_a_prompt_and_ends_a_program(self, reason: object, helpers: Helpers) -> None:
        with pytest.raises(SystemExit):
            helpers.exit(reason)
        helpers.at_prompt = True
        with pytest.raises(errors.Exit) as raised:
            helpers.exit(reason)
        assert raised.value.reason == reason
