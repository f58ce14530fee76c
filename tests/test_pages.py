"""The Markdown pages of the tree: links lead somewhere; files, tests, options and variables that are named
exist; their sessions are played; the picture shows the session of the README; `pyx` understands the manifest
for Kubernetes.  Three pods of that manifest: `tests/partition/test_pods.py`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

import pyx
from docs.session_svg import PICTURE, picture
from pyx.cli_parser import parser
from pyx.cluster.configuration import configured_seeds
from tests.pages import (
    ROOT,
    USER_PAGES,
    all_pages,
    anchors,
    blocks,
    commands,
    is_there,
    links,
    manifest,
    manifest_command,
    prose_of,
    rows,
    section,
    spans,
    text,
    tree_files,
)

PAGES: Final = all_pages()

# ---------------------------------------------------------------- links and names


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page} links to {link}"
        assert target.resolve().is_relative_to(ROOT), f"{page} links to {link}, outside the tree"
        if anchor:
            assert anchor in anchors(target.resolve().relative_to(ROOT).as_posix()), f"{page} links to {link}"


def test_a_link_and_a_heading_are_read() -> None:
    assert "docs/messages.md" in links("README.md")
    assert "the-cookie" in anchors("docs/across-hosts.md")


EXAMPLES: Final = {
    "gunicorn.conf.py",
    *("__main__.py", "app.py", "conftest.py", "shop.py", "till.py", "worker.py", "gus.pyxt", "server.pyxt"),
    *("scenarios/shop.pyxt", "shop.pyxt", "x.py"),
    *(".pyx.py", "start.py", "config.toml", "pyx/start.py", "pyx/config.toml"),
}
"""Names of files that the pages make up."""

_FILE: Final = re.compile(r"[\w./-]*\w\.(?:py|md|pyxt|toml|yml|yaml|svg)")
_FOLDER: Final = re.compile(r"[a-z_]+/(?:[\w-]+/)*")


@pytest.mark.parametrize("page", PAGES)
def test_each_file_that_is_named_exists(page: str) -> None:
    names = {path.name for path in tree_files()}
    for span in spans(page):
        places = [ROOT / span, (ROOT / page).parent / span]
        if span.startswith("tests/") and "::" in span:
            assert is_there(span), f"{page} names the test {span}"
        elif _FILE.fullmatch(span) and span not in EXAMPLES:
            is_known = span in names if "/" not in span else any(place.is_file() for place in places)
            assert is_known, f"{page} names the file {span}"
        elif _FOLDER.fullmatch(span):
            assert any(place.is_dir() for place in places), f"{page} names the folder {span}"


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(text("README.md").splitlines()) <= 150


def test_the_readme_has_the_two_commands_that_do_all_set_up() -> None:
    lines = text("README.md").splitlines()
    assert len([line for line in lines if re.fullmatch(r"    python3 -m venv .* -m pytest -n 2", line)]) == 1
    assert len([line for line in lines if re.fullmatch(r"    python3 -m venv .*/pyx --sname gus", line)]) == 1


# ---------------------------------------------------------------- sessions and pictures


@pytest.mark.parametrize("page", PAGES)
def test_each_block_with_a_prompt_is_a_session_that_is_played(page: str) -> None:
    for block in blocks(page):
        if re.search(r"^pyx\(\S*\)\d*> ", block.text, re.MULTILINE):
            assert block.language == "pyx", f"{page} has a session that is not played:\n{block.text}"
        if block.language == "python":
            compile(block.text, page, "exec")


@pytest.mark.parametrize("page", PAGES)
def test_no_paragraph_stands_twice_and_no_session_outside_of_a_block(page: str) -> None:
    prose = prose_of(page)
    paragraphs = [one for one in prose.split("\n\n") if len(one) > 80]
    assert [one for one, times in Counter(paragraphs).items() if times > 1] == []
    assert re.findall(r"^pyx\(\S*\)\d*> .*", prose, re.MULTILINE) == []


def test_the_check_of_the_pages_plays_all_pages_with_sessions() -> None:
    pytest.importorskip("nox", reason="the task runner is not installed")
    import noxfile

    with_sessions = {page for page in PAGES if any(block.language == "pyx" for block in blocks(page))}
    in_a_service = {"docs/in-your-service.md"}  # its programs run in `tests/stories/test_services.py`
    assert with_sessions >= set(USER_PAGES) - in_a_service
    assert with_sessions <= set(noxfile._pages())


def test_the_picture_shows_the_session_of_the_readme() -> None:
    assert PICTURE.read_text() == picture(), "python docs/session_svg.py draws it anew"


# ---------------------------------------------------------------- options and variables

_OPTION: Final = re.compile(r"(?<![\w-])(--[a-z][a-z-]+|-[a-zA-Z])(?![\w-])")


def options_of(*command: str) -> set[str]:
    """The options in the help text of a command of `pyx`."""
    shown = subprocess.run(
        [sys.executable, "-m", "pyx", *command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    return set(_OPTION.findall(shown.partition("options:")[2].partition("examples:")[0]))


def test_each_option_that_a_page_names_exists_and_each_option_is_in_a_page() -> None:
    existing = options_of() | options_of("replay") | options_of("doctor")
    assert {"--sname", "-S", "--seed", "--jitter"} <= existing
    named: set[str] = set()
    for page in USER_PAGES:
        for command in commands(page):
            if command.startswith(("pyx ", "$ pyx ", "-")):
                options = set(_OPTION.findall(command))
                assert options <= existing, f"{page} names {options - existing} in {command!r}"
                named |= options
    assert existing - named == set(), "options that no page explains"


def test_each_environment_variable_is_in_the_page_of_operations() -> None:
    read: set[str] = set()
    for path in Path(pyx.__file__).parent.rglob("*.py"):
        read |= set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', path.read_text()))
        read |= set(re.findall(r'"([A-Z_]+)"(?: not)? in os\.environ', path.read_text()))
    assert {"PYX_COOKIE_FILE", "ERL_EPMD_PORT"} <= read
    documented = section("docs/operations.md", "Environment variables")
    assert {name for name in read if name not in documented} <= {"HOME", "PYTHONPATH", "XDG_RUNTIME_DIR"}


# ---------------------------------------------------------------- threats


def threats() -> list[tuple[str, list[str]]]:
    """The rows of the table: a threat, and the tests that show what stops it."""
    table = rows("docs/across-hosts.md", "Threats")
    return [(threat, re.findall(r"`([^`]+)`", tests)) for threat, _, tests in table]


@pytest.mark.parametrize(("threat", "tests"), threats())
def test_each_threat_has_its_tests(threat: str, tests: list[str]) -> None:
    assert tests, f"no test shows what stops {threat!r}"
    for test in tests:
        assert is_there(test), f"docs/across-hosts.md names {test}, which does not exist"


def test_the_table_is_read_and_a_missing_test_is_noticed() -> None:
    assert len(threats()) > 10
    assert is_there("tests/test_pages.py::test_each_threat_has_its_tests")
    for gone in ("tests/test_gone.py", "tests/test_pages.py::test_gone", "tests/test_pages.py::threats"):
        assert not is_there(gone)


# ---------------------------------------------------------------- Kubernetes


def one(pattern: str) -> str:
    """The one thing that the manifest says in that place."""
    found = set(re.findall(pattern, manifest()))
    assert len(found) == 1, f"{pattern}: {found}"
    return str(found.pop())


class TestTheManifest:
    def test_command_is_understood_by_pyx(self) -> None:
        program, *words = manifest_command()
        asked = parser().parse_args([word.replace("$(POD_IP)", "10.0.0.7") for word in words])
        assert program == "pyx"
        assert (asked.name, asked.port, asked.no_halt, asked.rest) == ("app@10.0.0.7", 4370, True, ["app.py"])
        [topology] = configured_seeds(asked.seeds, asked.name)
        assert (topology.kind, topology.config) == ("dns", {"query": "pyx"})

    def test_one_service_one_port_and_one_cookie_are_named_throughout(self) -> None:
        service = one(r"kind: Service\nmetadata: \{name: (\S+)\}")
        port = manifest_command()[manifest_command().index("--port") + 1]
        assert one(r"serviceName: (\S+)") == service
        assert f"dns:{service}" in manifest_command()
        assert set(re.findall(r"[pP]ort: (\d+)", manifest())) == {port}
        assert len(set(re.findall(r"\{app: (\w+)\}", manifest()))) == 1
        assert one(r"clusterIP: (\S+)") == "None"
        # The secret's one key is the file that the variable names.
        page = section("docs/across-hosts.md", "In Kubernetes")
        made = re.search(r"create secret generic (\S+) --from-file=(\w+)=", page)
        assert made is not None
        secret, key = made.groups()
        assert one(r"secretName: ([\w-]+)") == secret
        assert one(r"PYX_COOKIE_FILE, value: ([\w/]+)") == f"{one(r'mountPath: ([^,]+)')}/{key}"
        assert one(r"volumeMounts: \[\{name: (\w+)") == one(r"- \{name: (\w+), secret:")
        for variable in re.findall(r"\$\((\w+)\)", " ".join(manifest_command())):
            assert f"- {{name: {variable}, valueFrom:" in manifest()
