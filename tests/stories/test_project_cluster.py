"""declared_cluster.py: `[tool.pyx.cluster.*]` and `--seed KIND:ARG` as users meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host

WAIT = "print(Cluster.wait(2, timeout=60))"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    declare(tmp_path, 'strategy = "local"\npattern = "clu*"')
    return tmp_path


def declare(folder: Path, settings: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.pyx.cluster.team]\n{settings}\n")


def test_nodes_of_a_project_find_each_other(lone_host: Host, project: Path) -> None:
    first = lone_host.shell("clu1", cwd=project)
    second = lone_host.run("--sname", "clu2@vm", "-e", WAIT, cwd=project)
    assert (second.returncode, second.stdout) == (0, "['clu1@vm', 'clu2@vm']\n")
    assert first.type("Cluster.info()['topologies']['team']['strategy']") == "'local'"
    first.comes_to("Node.list()", "[]")


def test_asking_node_does_not_join(lone_host: Host, project: Path) -> None:
    lone_host.shell("clu3", cwd=project)
    asked = lone_host.run("--rpc-eval", "clu3@vm", "Node.list('hidden', 'visible')", cwd=project)
    assert asked.stdout.startswith("['rem-")
    own = lone_host.run("--rpc-eval", "clu3@vm", "Cluster.info()['found']", cwd=project)
    assert own.stdout == "{}\n"


def test_no_start_and_a_node_without_a_name_leave_it(host: Host, project: Path) -> None:
    started = "print('cluster' in Process.registered())"
    assert host.run("--sname", "clu4@vm", "-e", started, cwd=project).stdout == "True\n"
    assert host.run("--sname", "clu4@vm", "--no-start", "-e", started, cwd=project).stdout == "False\n"
    assert host.run("-e", started, cwd=project).stdout == "False\n"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            'strategy = "gossip"',
            "pyx: cluster team: there is no strategy 'gossip': there are dns, hosts, kubernetes, lan",
        ),
        ('strategy = "dns"', "pyx: cluster team: query is missing: one looks like 'pyx.default.svc'\n"),
        ('strategy = "static"\nnodes = ["a b"]', "pyx: cluster team: 'a b' is not a node name: "),
    ],
)
def test_bad_table_is_one_line_and_exit_code_2(settings: str, line: str, host: Host, project: Path) -> None:
    declare(project, settings)
    refused = host.run("--sname", "clu5@vm", "-e", "print('never')", cwd=project)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(line)


@pytest.mark.parametrize(
    ("seed", "line"),
    [
        ("dns:", "pyx: the seed 'dns:': query is missing: one looks like 'pyx.default.svc'\n"),
        ("lan:", "pyx: the seed 'lan:': other hosts reach nodes with long names (--name), and clu6@vm has a"),
    ],
)
def test_bad_seed_is_one_line_and_exit_code_2(seed: str, line: str, host: Host) -> None:
    refused = host.run("--sname", "clu6@vm", "--seed", seed, "-e", "print('never')")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(line)
