"""declared_cluster.py, settings_files.py: what pyproject.toml says about the cluster of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.options import NodeOptions
from pyx.shell.declared_cluster import with_declared_cluster
from pyx.shell.settings_files import SettingsFileInvalid, project_table

if TYPE_CHECKING:
    from pathlib import Path


def seeds(folder: Path, text: str, *given: str) -> list[Any]:
    (folder / "pyproject.toml").write_text(text)
    table = project_table(str(folder))
    node = NodeOptions("a", seeds=given)
    return list((node if table is None else with_declared_cluster(node, table)).seeds)


def test_tables_follow_the_seeds_of_the_command_line(tmp_path: Path) -> None:
    text = (
        '[tool.pyx.cluster.k8s]\nstrategy = "dns"\nquery = "pyx"\n'
        '[tool.pyx.cluster.mine]\nstrategy = "local"\n'
    )
    assert seeds(tmp_path, text, "b") == [
        "b",
        {"name": "k8s", "strategy": "dns", "query": "pyx"},
        {"name": "mine", "strategy": "local"},
    ]


@pytest.mark.parametrize("text", ["", "[project]\nname = 'cluster'\n", "[tool.pyx]\n# cluster\n"])
def test_project_without_a_cluster_has_none(text: str, tmp_path: Path) -> None:
    assert seeds(tmp_path, text, "b") == ["b"]


@pytest.mark.parametrize("text", ["cluster = 3", 'cluster = "dns"', 'cluster.strategy = "dns"'])
def test_other_forms_are_refused_with_an_example(text: str, tmp_path: Path) -> None:
    with pytest.raises(
        SettingsFileInvalid, match=r"cluster in \[tool.pyx\] is .*, and not tables"
    ) as refused:
        seeds(tmp_path, f"[tool.pyx]\n{text}\n")
    assert "tool.pyx.cluster.k8s" in str(refused.value.hint)


def test_name_is_that_of_the_table(tmp_path: Path) -> None:
    with pytest.raises(SettingsFileInvalid, match=r"\[tool.pyx.cluster.k8s\] has a setting 'name'"):
        seeds(tmp_path, '[tool.pyx.cluster.k8s]\nstrategy = "local"\nname = "x"\n')
