"""helpers.py, help_pages.py, facts.py, documentation.py: the output; `test_app.py` has what needs a node."""

from __future__ import annotations

import builtins
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from pyx import (
    Agent,
    Application,
    DynamicSupervisor,
    GenServer,
    PartitionSupervisor,
    Process,
    Registry,
    Supervisor,
    Sys,
    Task,
    errors,
    handle,
    pg,
    rpc,
    send,
)
from pyx.nodes import Node
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


def make_module() -> ModuleType:
    """Returns a module with two functions of its own, a private one, and an imported one."""
    module = ModuleType("stock", "Keeps the stock.\n\nMore about it.")
    source = (
        "from json import dumps\n"
        "def add(product, *, qty: int = 1) -> None:\n    'Adds a product.'\n"
        "def status(): pass\n"
        "def _hidden(): pass\n"
    )
    exec(source, module.__dict__)
    return module


def test_helper_names_are_not_python_builtins(helpers: Helpers) -> None:
    taken = {name for name in helpers.names() if name in vars(builtins)}
    assert taken <= {"exit", "quit"}  # those of `site`, made for prompts; pyx replaces them


def test_h_lists_every_helper_on_one_line(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.h()
    lines = capsys.readouterr().out.splitlines()
    for name in helpers.names():
        assert sum(line.startswith(f"  {name}(") for line in lines) == 1
    assert all(len(line) <= 88 for line in lines)


def test_h_of_a_function_shows_its_call_and_docstring(
    helpers: Helpers, capsys: pytest.CaptureFixture[str]
) -> None:
    helpers.h(make_module().add)
    assert capsys.readouterr().out == "add(product, *, qty=1)\n  Adds a product.\n"


def test_h_of_a_module_or_public_class_lists_its_functions(
    helpers: Helpers, capsys: pytest.CaptureFixture[str]
) -> None:
    helpers.h(make_module())
    assert capsys.readouterr().out == (
        "stock\n  Keeps the stock.\n\n  More about it.\n"
        "  add(product, *, qty=1)  Adds a product.\n  status()\n"
    )
    helpers.h(Node)
    assert "\n  ping(node)  " in capsys.readouterr().out


def test_h_of_a_class_of_servers_lists_its_client_functions(
    helpers: Helpers, capsys: pytest.CaptureFixture[str]
) -> None:
    class Shop(GenServer):
        @handle.call
        def sell(self, name: str, qty: int = 1) -> int:
            """Sells something."""
            return qty

    helpers.h(Shop)
    shown = capsys.readouterr().out
    assert shown.endswith("Shop\n  no documentation\n  sell(server, /, name, qty=1)  Sells something.\n")


@pytest.mark.parametrize(
    "thing",
    [
        Agent,
        Application,
        DynamicSupervisor,
        GenServer,
        PartitionSupervisor,
        Registry,
        Supervisor,
        Sys,
        Task,
        Task.Supervisor,
        handle,
        pg,
    ],
)
def test_h_of_a_behaviour_shows_how_it_is_used(
    helpers: Helpers, capsys: pytest.CaptureFixture[str], thing: Any
) -> None:
    helpers.h(thing)
    example = [line for line in capsys.readouterr().out.splitlines() if line.startswith("      ")]
    name = thing.__qualname__.replace("TaskSupervisor", "Task.Supervisor")
    assert [line for line in example if f"{name}." in line]


def test_h_shows_the_source_if_asked(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.h(make_module, source=True)
    shown = capsys.readouterr().out
    assert shown.startswith("make_module()\n  Returns a module")
    assert shown.endswith("    return module\n")
    helpers.h(len, source=True)
    assert capsys.readouterr().out.endswith("\nthe source is not known\n")
    helpers.h(pytest.approx(1), source=True)
    assert "\nclass ApproxScalar" in capsys.readouterr().out


def test_h_of_a_value_shows_its_type(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.h(5)
    assert capsys.readouterr().out.startswith("int\n")


def test_repr_of_a_helper_shows_its_call(helpers: Helpers) -> None:
    assert (
        repr(helpers.names()["flush"])
        == "flush()  Shows all messages in the shell's mailbox, and removes them."
    )


def test_wrong_arguments_are_answered_with_the_call(helpers: Helpers) -> None:
    names = helpers.names()
    with pytest.raises(TypeError, match=r"^call it as r\(module\): missing a required argument: 'module'$"):
        names["r"]()
    for name, helper in names.items():
        with pytest.raises(TypeError, match=rf"^call it as {name}\(") as refused:
            helper(1, 2, 3, 4, 5, nope=6) if name not in {"pid", "tc"} else helper()
        assert "Helpers" not in str(refused.value)


def test_i_without_a_value_is_about_the_last_one(
    helpers: Helpers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert helpers.evaluator is not None
    with pytest.raises(errors.PyxError, match=r"^there is no value yet"):
        helpers.i()
    helpers.evaluator.evaluate("6 * 7")
    helpers.i()
    assert capsys.readouterr().out == "value  42\ntype   int\n"
    assert helpers.names()["i"].usage == "i(thing=...)"


def test_h_of_a_str_looks_a_name_up(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    assert helpers.evaluator is not None
    helpers.evaluator.evaluate("def price(name): 'The price.'")
    helpers.h("price")
    helpers.h("Process.delete")
    helpers.h("while")
    shown = capsys.readouterr().out
    assert shown.startswith("price(name)\n  The price.\nProcess.delete(key)\n")
    assert 'The "while" statement' in shown


def test_c_binds_the_module_of_a_file(helpers: Helpers, tmp_path: Path) -> None:
    assert helpers.evaluator is not None
    (tmp_path / "from_a_file.py").write_text("x = 1\n")
    module = helpers.c(str(tmp_path / "from_a_file.py"))
    assert helpers.evaluator.names["from_a_file"] is module
    assert helpers.c([str(tmp_path / "from_a_file.py")]) == [module]


def test_directories_are_shown(
    helpers: Helpers, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "shop.py").touch()
    helpers.cd(str(tmp_path))
    helpers.pwd()
    helpers.ls()
    assert capsys.readouterr().out == f"{tmp_path}\n{tmp_path}\nshop.py\n"


@pytest.mark.parametrize("most", [0, -1, "x", None, True, 1.5])
def test_tables_take_a_number_of_rows(most: Any, helpers: Helpers) -> None:
    for table in (helpers.ps, helpers.top):
        with pytest.raises(TypeError, match=r"^most is a whole number above 0, not"):
            table(None, most)


@pytest.mark.parametrize("seconds", [0, -1.0, "x", float("inf"), float("nan")])
def test_top_looks_for_a_number_of_seconds(seconds: Any, helpers: Helpers) -> None:
    with pytest.raises(TypeError, match=r"^seconds is a number above 0, not"):
        helpers.top(seconds=seconds)


def test_edit_in_a_remote_shell_says_what_to_do(helpers: Helpers) -> None:
    helpers.is_remote = True
    with pytest.raises(errors.PyxError, match="where a remote shell has no terminal") as refused:
        helpers.edit(Process.info)
    assert refused.value.hint == "open the file in an editor there, then type r(module) here"


def test_nl_in_a_remote_shell_asks_at_no_terminal_of_the_attached_node(helpers: Helpers) -> None:
    helpers.is_remote = True
    with pytest.raises(errors.PyxError, match="a remote shell has no terminal on ") as refused:
        helpers.nl("json")
    assert refused.value.hint == "leave it by exit(), and type nl(module) at your own prompt"


def test_i_shows_type_length_and_exports(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.i("text")
    assert capsys.readouterr().out == "value   'text'\ntype    str\nlength  4\n"
    helpers.i(make_module())
    assert "exports  add, status\n" in capsys.readouterr().out


def test_exports_shows_functions_in_columns(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.exports(make_module())
    assert capsys.readouterr().out == "add(product, *, qty=1)  status()\n"
    helpers.exports("string")
    assert "capwords(s, sep=None)" in capsys.readouterr().out


def test_exports_of_an_int_raises_a_sentence(helpers: Helpers) -> None:
    with pytest.raises(TypeError, match="exports takes a module, a module's name or a class, not 5"):
        helpers.exports(5)


@pytest.mark.parametrize("thing", [pyx, Node, Process, Process.flag, rpc.multicall, errors, send])
@pytest.mark.parametrize("width", [40, 80])
def test_output_is_not_wider_than_the_terminal(
    thing: Any, width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal cuts a wider line in the middle of a word."""
    helpers = Helpers(Project(str(tmp_path), print, print), lambda: width)
    helpers.h(thing)
    helpers.h()
    if not callable(thing):
        helpers.exports(thing)
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if len(line) > width and " " in line.strip()] == []


def test_prose_about_a_keyword_is_not_wider_than_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Helpers(Project(str(tmp_path), print, print), lambda: 40).h("lambda")
    prose = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert [line for line in prose if len(line) > 40 and " " in line] == []


def test_wrapped_list_items_are_indented_deeper(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_pid_and_ref_read_printed_text(helpers: Helpers) -> None:
    assert helpers.pid("0.5.0") == helpers.pid("#PID<0.5.0>") == helpers.pid(0, 5, 0) == Pid(5)
    assert helpers.ref("0.1.2") == Ref((1 << 32) | 2)
    with pytest.raises(ValueError, match="not a printed pid"):
        helpers.pid("five")


def test_v_returns_earlier_values(helpers: Helpers) -> None:
    assert helpers.evaluator is not None
    helpers.evaluator.evaluate("6 * 7")
    assert helpers.v(1) == helpers.v() == 42


def test_exit_raises_system_exit_with_its_code(helpers: Helpers) -> None:
    with pytest.raises(SystemExit) as raised:
        helpers.exit(3)
    assert raised.value.code == 3


def test_r_and_recompile_show_what_changed(
    helpers: Helpers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reloaded: list[Any] = []

    def reload(_self: Project, module: str) -> str:
        reloaded.append(module)
        return f"reloaded {module}"

    monkeypatch.setattr(Project, "reload", reload)
    monkeypatch.setattr(Project, "recompile", lambda _self: [])
    helpers.r("stock")
    helpers.recompile()
    assert reloaded == ["stock"]
    assert capsys.readouterr().out == "reloaded stock\nnothing changed\n"


class TestExit:
    @pytest.mark.parametrize("code", [None, 0, 3])
    def test_exit_with_an_int_raises_system_exit(self, code: int | None, helpers: Helpers) -> None:
        for helpers.at_prompt in (False, True):
            with pytest.raises(SystemExit) as raised:
                helpers.exit(code)
            assert raised.value.code == code

    @pytest.mark.parametrize("reason", ["normal", ("shutdown", 1)])
    def test_exit_with_a_reason_raises_exit_at_a_prompt_and_ends_a_program(
        self, reason: object, helpers: Helpers
    ) -> None:
        with pytest.raises(SystemExit):
            helpers.exit(reason)
        helpers.at_prompt = True
        with pytest.raises(errors.Exit) as raised:
            helpers.exit(reason)
        assert raised.value.reason == reason


HOSTILE = """
class Attributes:
    def __getattr__(self, name): raise RuntimeError(name)
class Documented:
    @property
    def __doc__(self): raise RuntimeError
class Signed:
    __signature__ = property(lambda self: 1 / 0)
    def __call__(self, a): pass
class Lying:
    __class__ = property(lambda self: 1 / 0)
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError(name)
class Made(metaclass=Meta): pass
class Homeless: pass
Homeless.__module__ = 5
def numbered(): pass
numbered.__doc__ = 5
values = [Attributes(), Documented(), Signed(), Lying(), Made, Made(), Homeless, numbered]
"""


def test_h_and_i_bear_what_the_code_of_a_thing_raises(
    helpers: Helpers, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "hostile"}
    exec(HOSTILE, names)
    shown: Any = []
    for value in names["values"]:
        helpers.h(value, source=True)
        shown.append(capsys.readouterr().out.splitlines()[:2])
        helpers.i(value)
        assert capsys.readouterr().out.startswith("value ")
    raised, none = "  no documentation: reading it raised RuntimeError", "  no documentation"
    assert shown == [
        ["Attributes", none],
        ["Documented", raised],
        ["Signed(...)", none],
        ["Lying", "  no documentation: reading it raised ZeroDivisionError"],
        ["Meta(...)", raised],
        ["Made", raised],
        ["Homeless()", none],
        ["numbered()", none],
    ]
    module = ModuleType("hostile")
    vars(module).update(names)
    helpers.h(module)
    helpers.exports(module)
    shown = capsys.readouterr().out
    assert "  Lying()" in shown
    assert "  numbered()" in shown


def test_h_names_a_helper_as_it_is_called(helpers: Helpers, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.h(helpers.names()["pwd"])
    assert capsys.readouterr().out.startswith("pwd()\n  Shows the current directory")
