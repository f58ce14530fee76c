"""prompt_settings.py, settings_files.py: The settings of a prompt, in a project's file and in the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.shell.prompt_settings import read_settings
from pyx.shell.settings_files import SettingsFileInvalid, project_table, user_table
from pyx.shell.shell_options import Settings
from pyx.shell.theme import BOTH

if TYPE_CHECKING:
    from pathlib import Path


THEMES = "both, dark, light, ansi, none"
ENTRIES = "preload, theme, editing-mode, switch-interval"


class SettingsFiles:
    """A project and a user's config.toml, and the warnings about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users = folder / "config.toml"
        self.warned: list[str] = []

    def read(self, project: str = "", user: str | None = None) -> Settings:
        (self.folder / "pyproject.toml").write_text(f"[tool.pyx]\n{project}")
        if user is not None:
            self.users.write_text(user)
        return read_settings(str(self.folder), self.users, self.warned.append)[1]


@pytest.fixture
def files(tmp_path: Path) -> SettingsFiles:
    return SettingsFiles(tmp_path)


def test_settings_of_a_project_hold(files: SettingsFiles) -> None:
    found = files.read(
        'preload = ["math", "os.path"]\ntheme = "dark"\nediting-mode = "vi"\nswitch-interval = 0.01\n'
    )
    assert found == Settings(("math", "os.path"), "dark", "vi", 0.01)
    assert files.warned == []


def test_user_decides_about_taste_and_the_project_about_its_code(files: SettingsFiles) -> None:
    text = 'preload = ["{0}"]\ntheme = "{1}"\nediting-mode = "{2}"\nswitch-interval = {3}\n'
    found = files.read(text.format("shop", "dark", "vi", 0.01), text.format("math", "light", "emacs", 1))
    assert found == Settings(("math", "shop"), "light", "emacs", 0.01)


def test_default_theme_is_the_one_for_dark_and_light(files: SettingsFiles) -> None:
    assert files.read() == Settings()
    assert Settings().theme == BOTH.name


@pytest.mark.parametrize(
    ("entry", "warning"),
    [
        ('theme = "drak"', f"theme is 'drak', and not one of {THEMES}: did you mean 'dark'?"),
        ("theme = []", f"theme is [], and not one of {THEMES}"),
        ('editing-mode = "VI"', "editing-mode is 'VI', and not one of emacs, vi: did you mean 'vi'?"),
        ("preload = 'math'", "preload is 'math', and not a list of names of modules, as [\"math"),
        ('preload = ["a b"]', "preload is ['a b'], and not a list of names"),
        ("switch-interval = 0", "switch-interval is 0, and not a number of seconds from 0.000001 to 1"),
        ("switch-interval = nan", "switch-interval is nan, and not a number"),
        ("switch-interval = true", "switch-interval is True, and not a number"),
        ("editing_mode = 'vi'", "has no entry 'editing_mode': did you mean 'editing-mode'?"),
        ("aplication = 'a:b'", "has no entry 'aplication': did you mean 'application'?"),
        ("colour = 1", f"has no entry 'colour': known are {ENTRIES}, application, cluster"),
    ],
)  # fmt: skip
def test_wrong_entry_is_named_with_its_file_and_what_is_allowed(
    entry: str, warning: str, files: SettingsFiles
) -> None:
    assert files.read(f'{entry}\n[tool.pyx.cluster.x]\nstrategy = "dns"\n') == Settings()
    (line,) = files.warned
    assert line.startswith(f"{files.folder}/pyproject.toml: [tool.pyx] {warning}")
    assert "\n" not in line


def test_users_file_has_no_table_and_no_application(files: SettingsFiles) -> None:
    assert files.read(user='application = "a:b"\n[tool.pyx]\ntheme = "dark"\n') == Settings()
    assert files.warned == [
        f"{files.users}: application belongs in [tool.pyx] of a project's pyproject.toml",
        f"{files.users}: has no entry 'tool': known are {ENTRIES}",
    ]


def test_users_file_that_is_not_toml_costs_a_warning(files: SettingsFiles) -> None:
    assert files.read('theme = "dark"', "theme =") == Settings(theme="dark")
    (line,) = files.warned
    assert line.startswith(f"{files.users} is not TOML: ")


def test_absent_files_say_nothing(tmp_path: Path) -> None:
    assert user_table(tmp_path / "config.toml") is None
    assert project_table(str(tmp_path)) is None
    assert read_settings(None, None, print) == (None, Settings())


def test_project_file_that_cannot_be_read_ends_the_start(files: SettingsFiles) -> None:
    with pytest.raises(SettingsFileInvalid, match="is not TOML") as refused:
        files.read("theme =")
    assert refused.value.hint == "mend it, or start with --no-start"
