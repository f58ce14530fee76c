"""file_names.py: Files and directories in the text of a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.shell.completion import NameSources, complete
from tests.shell.completed import completed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("report.txt", ".hidden", "a b's.txt", "{x}.txt"):
        (tmp_path / name).touch()
    (tmp_path / "rooms" / "attic").mkdir(parents=True)
    return tmp_path


def test_path_in_a_string_completes_and_a_directory_ends_with_a_slash(folder: Path) -> None:
    text = f'open("{folder}/r'
    sources = NameSources({}, {})
    assert complete(text, len(text), sources) == (len(text) - 1, ["report.txt", "rooms/"])
    assert completed('open("ro') == ["rooms/"]
    assert completed('open(mode="r", file="rooms/') == ["attic/"]
    assert completed('x = "./re') == ["report.txt"]
    assert completed('"~') == ["~/"]
    assert completed('"~/ro') == ["rooms/"]
    assert completed('Path(".') == [".hidden"]


def test_quotes_and_braces_in_a_name_are_escaped(folder: Path) -> None:
    assert completed("open('a ") == ["a b\\'s.txt"]
    assert completed("open('a b\\'") == ["a b\\'s.txt"]
    assert completed('open("a ') == ["a b's.txt"]
    assert completed("open(r'a ") == []
    assert completed('open(f"{{') == ["{{x}}.txt"]


@pytest.mark.parametrize("text", ['print("re', '"', '"text/', "'\\", 'open(b"re', '"/nope/'])
def test_other_text_completes_to_no_files(folder: Path, text: str) -> None:
    assert completed(text) == []
