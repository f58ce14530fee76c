"""`kubernetes`: a node in each pod that the API of Kubernetes lists; `--seed kubernetes:app=pyx`.

As libcluster's strategy Kubernetes.  A headless service, read by `dns:`, needs neither this nor a permission;
see `docs/clusters.md`.  Needs the extra `pyxnode[kubernetes]`, and a service account that may list pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.polling import pause
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names, choice_of, first_and_rest, seconds_of, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_MODES: Final = ("ip", "dns", "hostname")


class KubernetesPods:
    """Finds the pods of its setting `selector`; see `Strategy`.

    Settings: `selector`, of labels, or `gus@selector`; `namespace`, by default the pod's own; `mode`, by
    which nodes are named: `"ip"`, `"dns"` (`gus@10-0-0-5.ns.pod.DOMAIN`) or `"hostname"`
    (`gus@HOSTNAME.SERVICE.ns.svc.DOMAIN`, in a StatefulSet); `domain`, of the cluster (`cluster.local`);
    `ready`, False to find pods that are not ready too; `interval`; `url`, of the API, where it is not to be
    taken from the service account or the kubeconfig.
    """

    seed_setting: Final = "selector"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "selector", "namespace", "mode", "domain", "ready", "interval", "url")
        self._first, self._selector = first_and_rest(text_of(config, "selector", "app=pyx"), here)
        self._namespace: str | None = config.get("namespace")
        self._mode = choice_of(config, "mode", _MODES)
        self._domain = text_of(config, "domain", "cluster.local", default="cluster.local")
        self._only_ready = config.get("ready", True) is not False
        self._interval = seconds_of(config)
        self._url: str | None = config.get("url")
        try:
            import kr8s  # noqa: F401 - looked for here, so that a missing library is one line at the start
        except ImportError:
            msg = "it needs the library kr8s: pip install 'pyxnode[kubernetes]'"
            raise ValueError(msg) from None

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields a node for each pod; raises what kr8s raises where the API cannot be asked."""
        import kr8s.asyncio
        from kr8s.asyncio.objects import Pod  # by its class: the API is not asked which kinds there are

        api = await kr8s.asyncio.api(url=self._url)
        namespace = self._namespace or api.namespace
        while True:
            pods = [
                pod
                async for pod in api.async_get(
                    Pod, namespace=namespace, label_selector=self._selector, raw=True
                )
            ]
            yield Sighting(frozenset(self.nodes_of(pods)))
            await pause(self._interval)

    def nodes_of(self, pods: list[Any]) -> list[str]:
        """Returns the nodes of pods, given as the API describes them."""
        hosts = [self._host(pod) for pod in pods if _is_ready(pod) or not self._only_ready]
        return [f"{self._first}@{host}" for host in hosts if host is not None]

    def _host(self, pod: Any) -> str | None:
        address, spec = pod["status"].get("podIP"), pod["spec"]
        namespace = pod["metadata"]["namespace"]
        match self._mode:
            case "ip":
                return address or None
            case "dns":
                dashed = address and address.replace(".", "-").replace(":", "-")
                return f"{dashed}.{namespace}.pod.{self._domain}" if dashed else None
        name, service = spec.get("hostname"), spec.get("subdomain")
        return f"{name}.{service}.{namespace}.svc.{self._domain}" if name and service else None


def _is_ready(pod: Any) -> bool:
    """Returns True for a pod that is ready and is not about to end."""
    conditions = pod["status"].get("conditions") or ()
    is_ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return is_ready and not pod["metadata"].get("deletionTimestamp")
