"""Each file under `pyx/` has its test file: same place, same name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import pyx

PYX = Path(pyx.__file__).parent
TESTS = Path(__file__).parent

EXCEPTIONS = {
    "__main__.py": "two lines that call `cli.main`; the stories start it",
    "core/effects.py": "a vocabulary: names and fields, no behaviour",
}
"""Files without a test, and why."""

TESTED_WITH = {
    "runtime/current_node.py": "runtime/test_local_node.py",
    "net/name_claim.py": "net/test_directory.py",
    "net/name_locks.py": "net/test_directory.py",
    "net/carrier.py": "net/test_endpoint.py",
    "net/unix_carrier.py": "net/test_endpoint.py",
    "scenario/blocks.py": "scenario/test_record.py",
    "runtime/shutdown.py": "runtime/test_transport.py",
    "scenario/running_nodes.py": "scenario/test_player.py",
    "scenario/replay_cli.py": "scenario/test_replay_command.py",
    "scenario/shell_lines.py": "scenario/test_transcript.py",
    "scenario/parse_error.py": "scenario/test_transcript.py",
    "scenario/directives.py": "scenario/test_transcript.py",
    "scenario/junit.py": "scenario/test_replay_command.py",
    "scenario/merge.py": "scenario/test_record.py",
    "scenario/node_process.py": "scenario/test_player.py",
    "scenario/pytest_plugin.py": "scenario/test_replay_command.py",
    "scenario/replay.py": "scenario/test_replay_command.py",
    "scenario/failure_report.py": "scenario/test_replay_command.py",
    "scenario/sources.py": "scenario/test_transcript.py",
    "scenario/steps.py": "scenario/test_transcript.py",
    "scenario/tokens.py": "scenario/test_bindings.py",
    "scenario/units.py": "scenario/test_match_block.py",
    "scenario/takeover.py": "scenario/test_replay_command.py",
    "shell/history_file.py": "shell/test_history.py",
    "shell/runner_interrupt.py": "scenario/test_recording.py",
    "shell/record_hooks.py": "shell/test_app.py",
}
"""Small files that are one half of an idea, and the test file that tells the whole of it."""


def sources() -> list[str]:
    """The files with code in them, from `pyx/` on; door plates have none."""
    found = []
    for path in sorted(PYX.rglob("*.py")):
        name = path.relative_to(PYX).as_posix()
        if path.name != "__init__.py" or name == "__init__.py":
            found.append(name)
    return found


def mirrored(source: str) -> Path:
    path = Path(source)
    if source == "__init__.py":
        return TESTS / "test_exports.py"
    return TESTS / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("source", [one for one in sources() if one not in {*EXCEPTIONS, *TESTED_WITH}])
def test_has_its_test_file(source: str) -> None:
    assert mirrored(source).is_file(), f"tests/{mirrored(source).relative_to(TESTS)} is missing"


@pytest.mark.parametrize("source", [*EXCEPTIONS, *TESTED_WITH])
def test_exceptions_are_files_and_have_no_test_file(source: str) -> None:
    assert (PYX / source).is_file(), f"{source} is not there any more: take it from the list"
    assert not mirrored(source).is_file(), f"{source} is no exception any more: take it from the list"


@pytest.mark.parametrize("tests", sorted(set(TESTED_WITH.values())))
def test_what_is_tested_with_others_has_that_file(tests: str) -> None:
    assert (TESTS / tests).is_file()


@pytest.mark.parametrize("plate", [path for path in PYX.rglob("__init__.py") if path.parent != PYX], ids=str)
def test_door_plates_hold_no_code(plate: Path) -> None:
    body = ast.parse(plate.read_text()).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)
    text = str(body[0].value.value)
    assert "Never" in text or "never" in text, "a plate says what may never be imported"


@pytest.mark.parametrize("plate", [path for path in PYX.rglob("__init__.py") if path.parent != PYX], ids=str)
def test_door_plates_list_each_file_once(plate: Path) -> None:
    files = {path.stem for path in plate.parent.glob("*.py")} - {"__init__"}
    found = files | {path.parent.name for path in plate.parent.glob("*/__init__.py")}
    rows = re.findall(r"^ {4}(\w+) {2,}\S", plate.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(found)


@pytest.mark.parametrize("path", [*PYX.rglob("*.py"), *TESTS.rglob("*.py")], ids=str)
def test_every_file_opens_by_saying_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no opening sentence"
