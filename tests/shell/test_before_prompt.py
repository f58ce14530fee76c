"""before_prompt.py, shell_options.py: Which settings and start files count for which run of `pyx`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pyx.options import NodeOptions
from pyx.shell import before_prompt
from pyx.shell.before_prompt import settings_for, start_files
from pyx.shell.shell_options import Settings, ShellOptions
from pyx.shell.start_files import StartFile

if TYPE_CHECKING:
    from pathlib import Path


class Streams:
    """The standard streams in the place of `sys`; those that are named are not terminals."""

    def __init__(self, *piped: str) -> None:
        self.stdin = SimpleNamespace(isatty=lambda: "stdin" not in piped)
        self.stdout = SimpleNamespace(isatty=lambda: "stdout" not in piped)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a start file and settings, whose user has both too, at a terminal."""
    config = tmp_path / "config" / "pyx"
    config.mkdir(parents=True)
    (config / "start.py").write_text("")
    (config / "config.toml").write_text('theme = "dark"\n')
    (tmp_path / ".pyx.py").write_text("")
    (tmp_path / "pyproject.toml").write_text("[tool.pyx]\nswitch-interval = 0.25\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(before_prompt, "sys", Streams())
    return tmp_path


def options(folder: Path, **given: Any) -> ShellOptions:
    return ShellOptions(directory=str(folder), **given)


def test_prompt_at_a_terminal_has_the_users_file_and_asks_about_the_projects(folder: Path) -> None:
    users, projects = (StartFile(*found) for found in start_files(options(folder)))
    assert users == StartFile(folder / "config/pyx/start.py")
    assert projects == StartFile(folder / ".pyx.py", is_asked=True)


@pytest.mark.parametrize(
    "given",
    [
        {"code": ["1"], "stay": True},
        {"file": "f.py", "stay": True},
        {"driver": (3, 4)},
        {"recorder": object()},
        {"runs_start_files": False},
        {"runs_start_files": False, "start_file": "x.py"},
    ],
)
def test_no_start_file_runs_with_a_program_in_a_scenario_or_in_a_recording(
    given: dict[str, Any], folder: Path
) -> None:
    assert start_files(options(folder, **given)) == []


@pytest.mark.parametrize("name", ["stdin", "stdout"])
def test_pipe_has_the_named_start_file_alone(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(before_prompt, "sys", Streams(name))
    assert start_files(options(folder, stay=True)) == []
    ((path, is_asked),) = start_files(options(folder, stay=True, start_file="x.py"))
    assert (str(path), is_asked) == ("x.py", False)


def test_prompt_has_the_settings_of_user_and_project_and_a_service_those_of_the_project(
    folder: Path,
) -> None:
    node = NodeOptions("a")
    assert settings_for(options(folder), is_interactive=True)[1] == Settings(
        theme="dark", switch_interval=0.25
    )
    service = options(folder, node=node, halt=False)
    assert settings_for(service, is_interactive=False)[1] == Settings(switch_interval=0.25)
    scenario = options(folder, node=node, driver=(3, 4))
    assert settings_for(scenario, is_interactive=True)[1] == Settings(switch_interval=0.25)
    unread = options(folder, node=node, start=False)
    assert settings_for(unread, is_interactive=True) == (None, Settings(theme="dark"))


def test_program_is_told_of_no_setting(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pyproject.toml").write_text("[tool.pyx]\nthem = 3\n[tool.pyx.cluster.a]\n")
    named = options(folder, node=NodeOptions("a"), file="f.py")
    table, settings = settings_for(named, is_interactive=False)
    assert table is not None
    assert (list(table.entries), settings) == (["them", "cluster"], Settings())
    assert settings_for(options(folder, file="f.py"), is_interactive=False) == (None, Settings())
    assert capsys.readouterr().err == ""
