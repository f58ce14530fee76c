"""configuration.py, strategy_settings.py, cluster_errors.py, sighting.py: Bad settings are one clear line."""

from __future__ import annotations

import asyncio
import importlib.metadata
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyx import ClusterInvalid, Sighting
from pyx.cluster.configuration import STRATEGIES, configured, configured_seeds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

HERE = "gus@10.0.0.5"


class Consul:
    """A strategy of a third party."""

    seed_setting = "service"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        self.service = config["service"]
        if self.service == "bad":
            raise RuntimeError("no such service")

    async def sightings(self) -> AsyncIterator[Sighting]:
        yield Sighting(frozenset({f"{self.service}@h"}))


DOTTED = f"{__name__}:Consul"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this_module())


def _this_module() -> Any:
    module = type(sys)(__name__)
    module.__dict__["Consul"] = Consul
    return module


def nodes_of(seed: Any, here: str = HERE) -> list[str]:
    """What the strategy of a seed sees first."""
    [topology] = configured_seeds([seed], here)

    async def first() -> Sighting:
        sightings = topology.strategy(here, topology.config).sightings()
        return await anext(aiter(sightings))

    return sorted(asyncio.run(first()).nodes)


class TestSeeds:
    @pytest.mark.parametrize(
        ("seed", "node"),
        [("bob@10.0.0.6", "bob@10.0.0.6"), ("bob", "bob@10.0.0.5"), ("bob@fd00::5", "bob@fd00::5")],
    )
    def test_seed_without_a_kind_is_a_node(self, seed: str, node: str) -> None:
        assert nodes_of(seed) == [node]

    def test_nodes_are_one_topology_and_each_other_kind_is_its_own(self) -> None:
        topologies = configured_seeds(["a", "dns:pyx.svc", "b", "local:", "dns:other.svc"], "gus@vm")
        assert [one.name for one in topologies] == ["seed", "dns:pyx.svc", "local:", "dns:other.svc"]
        assert topologies[0].config == {"nodes": ["a", "b"]}
        assert topologies[1].config == {"query": "pyx.svc"}
        assert not any(one.prune for one in topologies)

    def test_same_seed_twice_is_one_topology(self) -> None:
        assert len(configured_seeds(["dns:pyx.svc", "dns:pyx.svc"], HERE)) == 1

    @pytest.mark.parametrize(
        ("seed", "sentence"),
        [
            ("dns:", "the seed 'dns:': query is missing: one looks like 'pyx.default.svc'"),
            ("dns:a..b", "the seed 'dns:a..b': 'a..b' has no domain: one looks like 'pyx.default.svc'"),
            ("dns:gus@", "the seed 'dns:gus@': 'gus@' has no domain"),
            ("srv:a b", "the seed 'srv:a b': 'a b' has no domain: one looks like '_pyx._tcp.example.org'"),
            ("hosts:", "the seed 'hosts:': file is missing: one looks like '/etc/pyx/hosts'"),
            ("kubernetes:", "the seed 'kubernetes:': selector is missing: one looks like 'app=pyx'"),
            ("consul:pyx", "the seed 'consul:pyx': there is no strategy 'consul': there are dns, hosts, kub"),
            ("local:", "the seed 'local:': it finds nodes with short names \\(--sname\\), and gus@10.0.0.5 "),
            ("lan:eth0", "the seed 'lan:eth0': interface is an address of this host like '10.0.0.5'"),
        ],
    )
    def test_bad_seed_is_one_line(self, seed: str, sentence: str) -> None:
        with pytest.raises(ClusterInvalid, match=f"^{sentence}") as caught:
            configured_seeds([seed], HERE)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("seed", "sentence"),
        [
            ("", "the seeds: '' is not a node name: it is empty"),
            ("b ob@h", "the seeds: 'b ob@h' is not a node name: the part before @"),
            ("dns:b ob@pyx", "the seed 'dns:b ob@pyx': 'b ob' is not a node name: the part before @"),
            ({"strategy": "local"}, "the seed {'strategy': 'local'}: a table of a seed has a name"),
        ],
    )
    def test_bad_name_is_one_line(self, seed: Any, sentence: str) -> None:
        with pytest.raises(ClusterInvalid) as caught:
            configured_seeds([seed], HERE)
        assert str(caught.value).startswith(sentence)

    def test_two_topologies_of_one_name_are_refused(self) -> None:
        table = {"name": "seed", "strategy": "local"}
        with pytest.raises(
            ClusterInvalid, match=r"^cluster seed: its name is that of other seeds too: choose"
        ):
            configured_seeds(["b", table], "gus@vm")
        assert len(configured_seeds([table, dict(table)], "gus@vm")) == 1

    @pytest.mark.parametrize(
        ("seeds", "sentence"),
        [
            ("ab", "a list is wanted, like ['local:'], and not 'ab'"),
            (5, "a list is wanted, like ['local:'], and not 5"),
            ([b"x"], "each is a text or a table, and not b'x'"),
            ([None], "each is a text or a table, and not None"),
        ],
    )
    def test_seeds_are_a_list_of_texts_and_tables(self, seeds: Any, sentence: str) -> None:
        with pytest.raises(ClusterInvalid) as caught:
            configured_seeds(seeds, HERE)
        assert str(caught.value) == f"the seeds: {sentence}"

    def test_lan_needs_a_name_that_other_hosts_reach(self) -> None:
        with pytest.raises(ClusterInvalid, match="other hosts reach nodes with long names"):
            configured_seeds(["lan:"], "gus@vm")

    def test_table_with_a_name_is_a_seed_of_a_program(self) -> None:
        seed = {"name": "k8s", "strategy": "dns", "query": "pyx", "prune": True}
        [topology] = configured_seeds([seed], HERE)
        assert (topology.name, topology.prune, topology.config) == ("k8s", True, {"query": "pyx"})


class TestTables:
    @pytest.mark.parametrize(
        ("table", "sentence"),
        [
            ({"query": "pyx"}, "strategy is missing: there are static, hosts, local, dns, srv"),
            ({"strategy": "gossip"}, "there is no strategy 'gossip'"),
            ({"strategy": "dns", "query": "pyx", "prune": "yes"}, "prune is true or false, not 'yes'"),
            ({"strategy": "dns", "query": 3}, "query is a text like 'pyx.default.svc', not 3"),
            ({"strategy": "dns", "query": "pyx", "interval": 0}, "interval is a number of seconds above 0"),
            (
                {"strategy": "dns", "query": "pyx", "polling_interval": 5},
                "there is no setting 'polling_interval': there are interval, query",
            ),
            ({"strategy": "static", "nodes": []}, r"nodes is a list like \['gus@10.0.0.5'\], not \[\]"),
            ({"strategy": "lan", "prune": True}, "prune cannot be had with lan"),
            (
                {"strategy": "lan", "interface": "x"},
                "interface is an address of this host like '10.0.0.5', not 'x'",
            ),
            (
                {"strategy": "kubernetes", "selector": "app=pyx", "mode": "name"},
                "mode is one of 'ip', 'dns', 'hostname', not 'name'",
            ),
            ({"strategy": "no.such.module:Class"}, "cannot import no.such.module: ModuleNotFoundError"),
            ({"strategy": "consul:"}, "strategy is 'consul:', and a class is 'package.module:Class'"),
            ({"strategy": ":Class"}, "strategy is ':Class', and a class is 'package.module:Class'"),
            ({"strategy": "json:loads"}, "json:loads is not a class with a method `sightings`"),
            ({"strategy": DOTTED}, "the setting 'service' is missing"),
            ({"strategy": DOTTED, "service": "bad"}, "no such service"),
            (7, "its settings are a table, not 7"),
        ],
    )
    def test_bad_table_is_one_line(self, table: Any, sentence: str) -> None:
        with pytest.raises(ClusterInvalid, match=f"^cluster k8s: {sentence}") as caught:
            configured({"k8s": table}, HERE)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("tables", [{}, ["dns"], None, 3])
    def test_topologies_are_a_dict(self, tables: Any) -> None:
        with pytest.raises(ClusterInvalid, match=r"^cluster: a dict of topologies is wanted"):
            configured(tables, HERE)


class TestThirdParties:
    def test_class_is_named_by_its_module(self) -> None:
        [topology] = configured({"c": {"strategy": DOTTED, "service": "shop"}}, HERE)
        assert topology.strategy is Consul

    def test_exit_of_a_class_or_its_module_is_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a_script.py").write_text("raise SystemExit(3)\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ClusterInvalid, match=r"^cluster x: cannot import a_script: SystemExit: 3$"):
            configured({"x": {"strategy": "a_script:Class"}}, HERE)

        def leaves(*_: Any) -> None:
            raise SystemExit(4)

        monkeypatch.setattr(Consul, "__init__", leaves)
        with pytest.raises(
            ClusterInvalid, match=r"^cluster x: the strategy .*Consul has raised SystemExit: 4$"
        ):
            configured({"x": {"strategy": DOTTED}}, HERE)

    def test_entry_point_is_a_kind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        point = importlib.metadata.EntryPoint("consul", DOTTED, "pyx.cluster")

        def entry_points(*, group: str, name: str) -> list[Any]:
            assert group == "pyx.cluster"
            return [point] if name == "consul" else []

        monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
        assert nodes_of("consul:shop") == ["shop@h"]

    @pytest.mark.parametrize(
        ("kind", "library", "config"),
        [
            ("srv", "dns", {"query": "pyx"}),
            ("kubernetes", "kr8s", {"selector": "app=pyx"}),
            ("lan", "zeroconf", {}),
        ],
    )
    def test_missing_library_is_one_line_with_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch, kind: str, library: str, config: dict[str, Any]
    ) -> None:
        for module in [one for one in sys.modules if one.partition(".")[0] == library]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, library, None)
        extra = {"srv": "dns"}.get(kind, kind)
        with pytest.raises(ClusterInvalid, match=rf"it needs the library \w+: pip install 'pyxnode\[{extra}"):
            configured({"x": {"strategy": kind, **config}}, HERE)


def test_kind_loads_no_other_kind() -> None:
    code = (
        "import sys; from pyx.cluster.configuration import configured_seeds; "
        "configured_seeds(['bob@vm'], 'gus@vm'); "
        "print([m for m in sys.modules if m.split('.')[0] in ('dns', 'kr8s', 'zeroconf')], "
        "'pyx.cluster.lan_services' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[] False\n"


def test_every_kind_of_pyx_is_a_strategy() -> None:
    for kind, target in STRATEGIES.items():
        module, _, name = target.partition(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found.seed_setting, str), kind
        assert found.sightings.__doc__
