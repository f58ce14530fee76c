"""The Markdown pages of the tree: the table of threats names tests that exist, and the manifest for
Kubernetes says what `pyx` understands.  Three pods of that manifest: `tests/partition/test_pods.py`.
"""

from __future__ import annotations

import re

import pytest

from pyx.cli import _parser
from pyx.net.seeds import DnsSeed, parse_seed
from tests.pages import is_there, manifest, manifest_command, rows, section

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
        asked = _parser().parse_args([word.replace("$(POD_IP)", "10.0.0.7") for word in words])
        assert program == "pyx"
        assert (asked.name, asked.port, asked.no_halt, asked.rest) == ("app@10.0.0.7", 4370, True, ["app.py"])
        assert [parse_seed(seed, asked.name) for seed in asked.seed] == [DnsSeed("app", "pyx")]

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
