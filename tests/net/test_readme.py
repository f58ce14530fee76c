"""What the README says about other hosts: its table of threats names tests that exist, and its manifest for
Kubernetes says what `pyx` understands.  Three pods of that manifest: `tests/partition/test_pods.py`.
"""

from __future__ import annotations

import re
from typing import Final

import pytest

from pyx.cli import _parser
from pyx.net.seeds import DnsSeed, parse_seed
from tests.readme import is_there, rows, section

# ---------------------------------------------------------------- threats


def threats() -> list[tuple[str, list[str]]]:
    """The rows of the table: a threat, and the tests that show what stops it."""
    return [(threat, re.findall(r"`([^`]+)`", tests)) for threat, _, tests in rows("Across hosts")]


@pytest.mark.parametrize(("threat", "tests"), threats())
def test_each_threat_has_its_tests(threat: str, tests: list[str]) -> None:
    assert tests, f"no test shows what stops {threat!r}"
    for test in tests:
        assert is_there(test), f"{test} is not there: the README names it"


def test_the_table_is_read_and_a_test_that_is_gone_is_noticed() -> None:
    assert len(threats()) > 10
    assert is_there("tests/net/test_readme.py::test_each_threat_has_its_tests")
    for gone in (
        "tests/net/test_gone.py",
        "tests/net/test_readme.py::test_gone",
        "tests/net/test_readme.py::MANIFEST",
    ):
        assert not is_there(gone)


# ---------------------------------------------------------------- Kubernetes

MANIFEST: Final = section("In Kubernetes").split("```yaml\n")[1].split("```")[0]


def command() -> list[str]:
    """The container's command: a list in one line, some of it in quotes."""
    (words,) = re.findall(r"^ +command: \[(.*)\]$", MANIFEST, re.MULTILINE)
    return [word.strip('"') for word in re.split(r", (?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", words)]


def one(pattern: str) -> str:
    """The one thing that the manifest says in that place."""
    found = set(re.findall(pattern, MANIFEST))
    assert len(found) == 1, f"{pattern}: {found}"
    return str(found.pop())


class TestTheManifest:
    def test_gives_pyx_words_that_it_understands(self) -> None:
        program, *words = command()
        asked = _parser().parse_args([word.replace("$(POD_IP)", "10.0.0.7") for word in words])
        assert program == "pyx"
        assert (asked.name, asked.port, asked.no_halt, asked.rest) == ("app@10.0.0.7", 4370, True, ["app.py"])
        assert [parse_seed(seed, asked.name) for seed in asked.seed] == [DnsSeed("app", "pyx")]

    def test_means_one_service_one_port_and_one_cookie_throughout(self) -> None:
        service = one(r"kind: Service\nmetadata: \{name: (\S+)\}")
        port = command()[command().index("--port") + 1]
        assert one(r"serviceName: (\S+)") == service
        assert f"dns:{service}" in command()
        assert set(re.findall(r"[pP]ort: (\d+)", MANIFEST)) == {port}
        assert len(set(re.findall(r"\{app: (\w+)\}", MANIFEST))) == 1
        assert one(r"clusterIP: (\S+)") == "None"
        # The secret's one key is the file that the variable names.
        made = re.search(r"create secret generic (\S+) --from-file=(\w+)=", section("In Kubernetes"))
        assert made is not None
        secret, key = made.groups()
        assert one(r"secretName: ([\w-]+)") == secret
        assert one(r"PYX_COOKIE_FILE, value: ([\w/]+)") == f"{one(r'mountPath: ([^,]+)')}/{key}"
        assert one(r"volumeMounts: \[\{name: (\w+)") == one(r"- \{name: (\w+), secret:")
        for variable in re.findall(r"\$\((\w+)\)", " ".join(command())):
            assert f"- {{name: {variable}, valueFrom:" in MANIFEST
