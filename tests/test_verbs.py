"""The verbs of `noxfile.py`: long proofs name tests and settings that exist, and `.ci/run` runs the check."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
NOXFILE: Final = ast.parse((ROOT / "noxfile.py").read_text())


def constant(name: str) -> Any:
    """A literal of the noxfile, which is not imported: nox need not be installed."""
    values = [
        node.value
        for node in NOXFILE.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    ]
    assert len(values) == 1
    assert values[0] is not None
    return ast.literal_eval(values[0])


def sessions() -> list[str]:
    return [node.name for node in NOXFILE.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]


def test_long_proofs_run_tests_that_exist() -> None:
    for path, _ in constant("PROOFS").values():
        assert (ROOT / path).exists(), path


def test_settings_of_long_proofs_are_read_by_their_tests() -> None:
    for path, settings in constant("PROOFS").values():
        folder = ROOT / path if (ROOT / path).is_dir() else (ROOT / path).parent
        text = "".join(file.read_text() for file in folder.glob("*.py"))
        for name in settings:
            assert f'"{name}"' in text, f"{name} is not read in {folder}"


def test_page_of_the_tests_lists_the_long_proofs() -> None:
    listed = re.findall(r"^\| `(\w+)` \| `PYX_", (ROOT / "tests/README.md").read_text(), re.MULTILINE)
    assert listed == list(constant("PROOFS"))


def test_ci_runs_every_verb_of_the_check_after_the_tests() -> None:
    script = (ROOT / ".ci/run").read_text()
    found = re.search(r"nox --sessions (.*)", script)
    assert found is not None
    assert found[1].split() == list(constant("CHECK"))
    assert set(constant("CHECK")) < set(sessions())
    assert script.index("-m pytest") < found.start()
