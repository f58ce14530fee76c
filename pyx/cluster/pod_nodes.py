"""The pods that the API of Kubernetes has listed, kept by what it says of them since, and their node names.

A machine: fed with lists and with the events of a watch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODES: Final = ("ip", "dns", "hostname")
"""How nodes are named: see `KubernetesPods`."""


class PodNodes:
    """The nodes of the pods that one selector finds.

    Args:
        first: the first name of all nodes.
        mode: one of `MODES`.
        domain: of the cluster, like `cluster.local`.
        only_ready: False: pods that are not ready, or are about to end, are nodes too.
    """

    def __init__(self, first: str, mode: str, domain: str, *, only_ready: bool) -> None:
        self._first = first
        self._mode = mode
        self._domain = domain
        self._only_ready = only_ready
        self._nodes: dict[str, str] = {}
        """By the uid of the pod."""

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes that there are."""
        return frozenset(self._nodes.values())

    def listed(self, pods: Iterable[Mapping[str, Any]]) -> None:
        """Notes a whole list, in the place of all that was known."""
        self._nodes.clear()
        for pod in pods:
            self._note(pod)

    def changed(self, event: Mapping[str, Any]) -> bool:
        """Notes an event of a watch; returns False if the watch is over, since a version is too old (410)."""
        kind, pod = event["type"], event["object"]
        match kind:
            case "ADDED" | "MODIFIED":
                self._note(pod)
            case "DELETED":
                self._nodes.pop(_uid(pod), None)
            case "ERROR":
                return False
        return True  # BOOKMARK, and what later versions of Kubernetes may say

    def _note(self, pod: Mapping[str, Any]) -> None:
        host = self._host(pod) if _is_ready(pod) or not self._only_ready else None
        if host is None:
            self._nodes.pop(_uid(pod), None)
        else:
            self._nodes[_uid(pod)] = f"{self._first}@{host}"

    def _host(self, pod: Mapping[str, Any]) -> str | None:
        spec, namespace = pod.get("spec") or {}, pod["metadata"].get("namespace")
        address = (pod.get("status") or {}).get("podIP")
        match self._mode:
            case "ip":
                return address or None
            case "dns":
                dashed = address and address.replace(".", "-").replace(":", "-")
                return f"{dashed}.{namespace}.pod.{self._domain}" if dashed else None
        name, service = spec.get("hostname"), spec.get("subdomain")
        return f"{name}.{service}.{namespace}.svc.{self._domain}" if name and service else None


def _uid(pod: Mapping[str, Any]) -> str:
    """Returns what tells a pod from all others; of a StatefulSet the next one has the same name."""
    about = pod["metadata"]
    return str(about.get("uid") or about["name"])


def _is_ready(pod: Mapping[str, Any]) -> bool:
    """Returns True for a pod that is ready and is not about to end."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    is_ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return is_ready and not pod["metadata"].get("deletionTimestamp")
