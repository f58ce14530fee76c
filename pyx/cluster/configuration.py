"""Seeds and tables of pyproject.toml, checked, as topologies.

    --seed gus@10.0.0.5         static: that node
    --seed dns:pyx.default.svc  KIND:ARG, a strategy and its first setting
    [tool.pyx.cluster.k8s]      a table: strategy, prune, and the settings of the strategy

A kind is one of those below, an entry point of the group `pyx.cluster`, or in a table a class by its dotted
name (`"package.module:Class"`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from pyx.cluster.cluster_errors import ClusterInvalid
from pyx.errors import NodeNameInvalid, PyxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyx.cluster.sighting import Strategy

STRATEGIES: Final = {
    "static": "pyx.cluster.static_nodes:StaticNodes",
    "hosts": "pyx.cluster.hosts_file:HostsFile",
    "local": "pyx.cluster.local_nodes:NodesOfThisUser",
    "dns": "pyx.cluster.dns_addresses:DnsAddresses",
    "srv": "pyx.cluster.srv_records:SrvRecords",
    "kubernetes": "pyx.cluster.kubernetes_pods:KubernetesPods",
    "lan": "pyx.cluster.lan_services:LanServices",
}
"""The kinds of pyx's own, by name; each is imported when it is configured."""

ENTRY_POINTS: Final = "pyx.cluster"

SEEDS: Final = "seed"
"""The topology of all nodes that `--seed` names one by one."""


class ConfiguredTopology(NamedTuple):
    """One topology, whose settings are checked."""

    name: str
    strategy: Callable[[str, Mapping[str, Any]], Strategy]
    """A class."""
    config: Mapping[str, Any]
    prune: bool
    kind: str


def configured(tables: Mapping[str, Any], here: str) -> list[ConfiguredTopology]:
    """Returns the topologies of tables, by their names.

    Raises:
        ClusterInvalid: a setting is missing or wrong; the sentence names the topology.
    """
    if not hasattr(tables, "items") or not tables:
        msg = f"a dict of topologies is wanted, by their names, and not {tables!r}"
        raise ClusterInvalid("cluster", msg, hint='{"k8s": {"strategy": "dns", "query": "pyx.default.svc"}}')
    return [_configured(f"cluster {name}", str(name), table, here) for name, table in tables.items()]


def configured_seeds(seeds: Sequence[str | Mapping[str, Any]], here: str) -> list[ConfiguredTopology]:
    """Returns the topologies of the option `seeds`: texts as of `--seed`, and tables that have a `name`.

    Raises:
        ClusterInvalid: a seed has a wrong form, or a setting that is wrong.
    """
    topologies: list[ConfiguredTopology] = []
    nodes: list[str] = []
    if isinstance(seeds, (str, bytes)) or not isinstance(seeds, Iterable):
        raise ClusterInvalid("the seeds", f"a list is wanted, like ['local:'], and not {seeds!r}")
    for seed in seeds:
        if not isinstance(seed, str):
            if not hasattr(seed, "items"):
                raise ClusterInvalid("the seeds", f"each is a text or a table, and not {seed!r}")
            name = seed.get("name")
            if type(name) is not str or not name:
                raise ClusterInvalid(f"the seed {dict(seed)!r}", "a table of a seed has a name")
            settings = {key: value for key, value in seed.items() if key != "name"}
            topologies.append(_configured(f"cluster {name}", str(name), settings, here))
        elif (kind := kind_of_seed(seed)) is None:
            nodes.append(seed)
        else:
            where = f"the seed {seed!r}"
            strategy = _class_of(kind, where)
            setting = getattr(strategy, "seed_setting", "argument")
            argument = seed.partition(":")[2]
            config = {setting: argument} if argument else {}
            topologies.append(_checked(where, seed, strategy, config, here, kind=kind))
    if nodes:
        strategy = _class_of("static", "the seeds")
        topologies.insert(0, _checked("the seeds", SEEDS, strategy, {"nodes": nodes}, here, kind="static"))
    named: dict[str, ConfiguredTopology] = {}
    for topology in topologies:
        if named.setdefault(topology.name, topology) != topology:
            raise ClusterInvalid(
                f"cluster {topology.name}", "its name is that of other seeds too: choose another"
            )
    return list(named.values())


def kind_of_seed(seed: str) -> str | None:
    """Returns the kind of a seed; None for the name of a node, whose host may have colons (IPv6)."""
    kind, colon, _ = seed.partition(":")
    return kind if colon and "@" not in kind else None


def _configured(where: str, name: str, table: Any, here: str) -> ConfiguredTopology:
    if not hasattr(table, "items"):
        raise ClusterInvalid(where, f"its settings are a table, not {table!r}")
    config = dict(table)
    kind = config.pop("strategy", None)
    prune = config.pop("prune", False)
    if type(kind) is not str or not kind:
        raise ClusterInvalid(where, f"strategy is missing: there are {', '.join(STRATEGIES)}")
    if type(prune) is not bool:
        raise ClusterInvalid(where, f"prune is true or false, not {prune!r}")
    strategy = _class_of(kind, where)
    if prune and not getattr(strategy, "prunes", True):
        raise ClusterInvalid(where, f"prune cannot be had with {kind}: what it does not hear may be there")
    return _checked(where, name, strategy, config, here, prune=prune, kind=kind)


def _checked(
    where: str,
    name: str,
    strategy: Callable[[str, Mapping[str, Any]], Strategy],
    config: Mapping[str, Any],
    here: str,
    *,
    kind: str,
    prune: bool = False,
) -> ConfiguredTopology:
    """Makes the strategy once, which checks its settings."""
    try:
        strategy(here, config)
    except NodeNameInvalid as error:
        raise ClusterInvalid(
            where, f"{error.name!r} is not a node name: {error.problem}", hint=error.hint
        ) from error
    except PyxError:
        raise
    except KeyError as error:
        raise ClusterInvalid(where, f"the setting {error} is missing") from error
    except SystemExit as error:
        raise ClusterInvalid(where, f"the strategy {kind} has raised SystemExit: {error}") from error
    except Exception as error:  # the class may be the user's
        raise ClusterInvalid(where, str(error) or type(error).__name__) from error
    return ConfiguredTopology(name, strategy, config, prune, kind)


def _class_of(kind: str, where: str) -> Callable[[str, Mapping[str, Any]], Strategy]:
    """Returns the class of a strategy; raises ClusterInvalid."""
    target = STRATEGIES.get(kind) or (kind if ":" in kind else _entry_point(kind))
    if target is None:
        known = ", ".join(sorted(STRATEGIES))
        raise ClusterInvalid(
            where,
            f"there is no strategy {kind!r}: there are {known}",
            hint=f"others are classes 'package.module:Class', or entry points of the group {ENTRY_POINTS}",
        )
    module, _, name = target.partition(":")
    if not (module and name):
        raise ClusterInvalid(where, f"strategy is {kind!r}, and a class is 'package.module:Class'")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:  # the module may be the user's, and a script
        raise ClusterInvalid(where, f"cannot import {module}: {type(error).__name__}: {error}") from error
    if not callable(found) or not hasattr(found, "sightings"):
        raise ClusterInvalid(where, f"{target} is not a class with a method `sightings`")
    return cast("Callable[[str, Mapping[str, Any]], Strategy]", found)


def _entry_point(kind: str) -> str | None:
    from importlib.metadata import entry_points

    return next((point.value for point in entry_points(group=ENTRY_POINTS, name=kind)), None)
