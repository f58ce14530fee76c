"""declared_application.py, settings_files.py: what pyproject.toml says about the application of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.shell.declared_application import declared_application
from pyx.shell.settings_files import SettingsFileInvalid, project_table

if TYPE_CHECKING:
    from pathlib import Path


def declared(folder: Path, text: str) -> str | None:
    (folder / "pyproject.toml").write_text(text)
    return declared_in(folder)


def declared_in(folder: Path) -> str | None:
    table = project_table(str(folder))
    return None if table is None else declared_application(table)


def test_application_is_a_module_and_a_function(tmp_path: Path) -> None:
    assert declared(tmp_path, '[tool.pyx]\napplication = "shop:application"\n') == "shop:application"
    assert declared(tmp_path, 'tool.pyx.application = "shop.main:start"\n') == "shop.main:start"


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project]\nname = "application"\ndependencies = ["pyxnode"]\n',
        '[tool.other]\napplication = "x:y" # pyx\n',
        "[tool.pyx]\n# application\n",
    ],
)
def test_project_without_an_application_has_none(text: str, tmp_path: Path) -> None:
    assert declared(tmp_path, text) is None


def test_folder_without_a_project_file_has_none(tmp_path: Path) -> None:
    assert declared_in(tmp_path) is None
    assert declared_in(tmp_path / "nowhere") is None


@pytest.mark.parametrize("value", ["3", '"shop"', '":f"', '"shop:"', '"a b:c"', '"shop:f()"', "[]"])
def test_other_forms_are_refused_with_an_example(value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsFileInvalid, match=r"application in \[tool.pyx\] is") as refused:
        declared(tmp_path, f"[tool.pyx]\napplication = {value}\n")
    assert refused.value.hint == 'application = "shop:application"'


@pytest.mark.parametrize("text", ["[tool.pyx\napplication = 3", "pyx = application"])
def test_file_that_is_not_toml_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsFileInvalid, match=r"pyproject\.toml is not TOML") as refused:
        declared(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_table_that_is_a_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsFileInvalid):
        declared(tmp_path, '[tool]\npyx = "application"\n')


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(SettingsFileInvalid, match="cannot read"):
        declared_in(tmp_path)
