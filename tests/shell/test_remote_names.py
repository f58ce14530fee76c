"""remote_names.py, remote_command.py, prompt_names.py: what an input of a remote shell sees, and asks for."""

from __future__ import annotations

import ast
import builtins
import linecache
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import pyx
from pyx.shell.evaluate import Evaluator, Value, make_main
from pyx.shell.project import Project
from pyx.shell.prompt_names import LATE_NAMES, public_names
from pyx.shell.remote_command import REMOTE_COMMANDS, RemoteCommand
from pyx.shell.remote_names import RemoteNames
from tests.local_nodes import LocalNodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteNames]:
    with LocalNodes(monkeypatch) as nodes:
        nodes.make()
        names = RemoteNames("ops@vm", lambda: 80)
        yield names
        names.close()


def test_its_module_can_be_found_and_is_removed(names: RemoteNames) -> None:
    name = names.names["__name__"]
    assert sys.modules[name].__dict__ is names.names
    linecache.cache[f"<pyx 1{names.where}>"] = (1, None, ["x\n"], "")
    names.close()
    assert name not in sys.modules
    assert f"<pyx 1{names.where}>" not in linecache.cache


def test_two_remote_shells_of_one_node_have_different_file_names(names: RemoteNames) -> None:
    other = RemoteNames("ops@vm", lambda: 80)
    assert (names.where, other.where) == (" via ops@vm", " via ops@vm (2)")
    other.close()


def test_a_module_of_the_program_is_there_by_its_bare_name(
    names: RemoteNames, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shop = ModuleType("shop")
    shop.__file__ = str(tmp_path / "shop.py")
    monkeypatch.setitem(sys.modules, "shop", shop)
    names.bind(ast.parse("shop, json, hugo"))
    assert names.names["shop"] is shop
    assert "json" not in names.names  # a module of the standard library is imported, as everywhere
    assert "hugo" not in names.names


def test_an_import_from_the_project_is_said_to_the_one_who_typed(
    names: RemoteNames,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "shop_of_a_visitor.py").touch()
    at_own_prompt: list[str] = []
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(Project, "installed", None)
    Project(str(tmp_path), at_own_prompt.append, at_own_prompt.append).install()
    names.bind(ast.parse("shop_of_a_visitor"))
    monkeypatch.delitem(sys.modules, "shop_of_a_visitor")
    assert capsys.readouterr().out == "imported shop_of_a_visitor\n"
    assert not at_own_prompt


def test_help_is_text_and_no_pager_takes_the_terminal_of_the_attached_node(
    names: RemoteNames, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pydoc.pager", None)
    names.lower["help"](ast.parse)
    assert capsys.readouterr().out.startswith("Help on function parse in module ast:\n\nparse(source, ")
    names.lower["help"]("for")
    assert "for" in capsys.readouterr().out
    names.lower["help"]()
    assert "recompile()" in capsys.readouterr().out


def test_a_bound_name_is_not_replaced_by_a_module(
    names: RemoteNames, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shop = ModuleType("shop")
    shop.__file__ = str(tmp_path / "shop.py")
    monkeypatch.setitem(sys.modules, "shop", shop)
    names.names["shop"] = 1
    names.bind(ast.parse("shop"))
    assert names.names["shop"] == 1


def test_completion_knows_its_names_and_those_of_a_prompt(names: RemoteNames) -> None:
    names.names["stock"] = {}
    assert names.complete("sto", 3) == (0, ["stock"])
    assert "spawn_link" in names.complete("spa", 3).candidates
    assert "remsh" in names.complete("rem", 3).candidates


def test_completion_knows_the_names_of_a_module_that_no_input_has_read_yet(
    names: RemoteNames, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shop = ModuleType("shop")
    shop.__file__ = str(tmp_path / "shop.py")
    shop.price = 100  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shop", shop)
    assert names.complete("shop.pr", 7) == (5, ["price"])
    assert "shop" not in names.names
    names.names["shop"] = 1
    assert "price" not in names.complete("shop.pr", 7).candidates


@pytest.mark.parametrize("command", REMOTE_COMMANDS)
def test_a_command_is_carried_out_where_it_was_typed(command: object) -> None:
    with pytest.raises(RemoteCommand) as raised:
        command(*(["b@vm"] if command is REMOTE_COMMANDS[0] else []))  # type: ignore[operator]
    assert raised.value.name == command.__name__  # type: ignore[attr-defined]


def test_public_names_are_all_there_are() -> None:
    assert public_names().keys() | LATE_NAMES == set(pyx.__all__)
    assert public_names()["spawn"] is pyx.spawn
    assert "CallError" in LATE_NAMES - public_names().keys()


def test_late_names_are_bound_by_the_input_that_reads_them() -> None:
    main = make_main({**vars(builtins), **public_names()})
    evaluator = Evaluator(main.__dict__, run_coroutine=lambda _: None)
    assert evaluator.evaluate(
        "def kind():\n    class A:\n        a = CallTimeout\n    return A.a\n"
    ) == Value(None, is_expression=False)
    assert evaluator.evaluate("kind()") == Value(pyx.CallTimeout)
    assert evaluator.evaluate("CallError = 1; CallError") == Value(1)
    assert evaluator.evaluate("del CallError; CallError") == Value(pyx.CallError)
