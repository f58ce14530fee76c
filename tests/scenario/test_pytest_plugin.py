"""pytest_plugin.py: scenarios as items of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.inner_pytest import run_pytest

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path
from tests.scenario.transcripts import BAD, GOOD

pytestmark = pytest.mark.usefixtures("good_scenario")


class TestPytest:
    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        plugin = [] if _installed() else ["-p", "pyx.scenario.pytest_plugin"]
        return run_pytest(".", *plugin, *words)

    def test_file_is_one_item_with_the_report_of_replay(self, folder: Path) -> None:
        (folder / "scenarios/bad.pyxt").write_text(BAD)
        (folder / "README.md").write_text(f"# Hello\n\n```pyx\n{GOOD}```\n")
        done = self.run("scenarios", "README.md", "--junitxml", "out.xml")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "2 passed" in done.stdout
        assert "1 failed" in done.stdout
        assert "scenario bad.pyxt" in done.stdout
        assert "  - 2\n  + 1\n" in done.stdout
        assert "Traceback" not in done.stdout
        (message,) = (found.get("message", "") for found in ET.parse("out.xml").iter("failure"))
        assert message.startswith("FAIL scenarios/bad.pyxt:2  a@vm: ")

    def test_scenarios_run_under_xdist(self, folder: Path) -> None:
        (folder / "scenarios/other.pyxt").write_text(GOOD)
        done = self.run("scenarios", "-n", "1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 passed" in done.stdout

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("empty.pyxt", "", "empty.pyxt: nothing to play: no line of it starts a node"),
            ("quoted.md", "> ```pyx\n> $ pyx --sname a\n> pyx(a@vm)1> 1\n> 2\n> ```\n", "  - 2\n  + 1\n"),
            ("other.md", f"```pyxt\n{BAD}```\n", "unknown language 'pyxt' of a block"),
        ],
    )
    def test_file_that_cannot_be_played_fails(self, folder: Path, name: str, text: str, words: str) -> None:
        (folder / name).write_text(text)
        done = self.run(name)
        assert done.returncode == 1, done.stdout + done.stderr
        assert words in done.stdout

    def test_unreadable_file_is_one_failure(self, folder: Path) -> None:
        (folder / "secret.md").write_text(f"```pyx\n{GOOD}```\n")
        (folder / "conftest.py").write_text(  # for root every file is readable
            "import pathlib\n"
            "real = pathlib.Path.open\n"
            "def open(path, *words, **more):\n"
            "    if path.name == 'secret.md':\n"
            "        raise PermissionError(13, 'Permission denied')\n"
            "    return real(path, *words, **more)\n"
            "pathlib.Path.open = open\n"
        )
        done = self.run("secret.md", "scenarios")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "secret.md: the file cannot be read: Permission denied" in done.stdout
        assert "1 failed, 1 passed" in done.stdout

    def test_skipped_blocks_are_a_warning(self, folder: Path) -> None:
        (folder / "t.md").write_text(f"```pyx\n{GOOD}```\n\n```text\n{BAD}```\n")
        done = self.run("t.md")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ScenarioWarning: 1 block of t.md is not played: it is not ```pyx" in done.stdout

    def test_items_can_be_selected_by_name(self) -> None:
        assert "1 deselected" in self.run("scenarios", "-k", "other").stdout


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(point.value == "pyx.scenario.pytest_plugin" for point in entry_points(group="pytest11"))
