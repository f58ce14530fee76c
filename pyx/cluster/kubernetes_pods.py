"""`kubernetes`: a node in each pod that the API of Kubernetes lists; `--seed kubernetes:app=pyx`.

As libcluster's strategy Kubernetes with the pods' lookup, and with a watch: pods that come are found at once.
A headless service, read by `dns:`, needs neither this nor a permission; see `docs/clusters.md`.  Needs the
extra `pyxnode[kubernetes]`, and a service account that may list, and better also watch, pods.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.pod_nodes import MODES, PodNodes
from pyx.cluster.polling import pause, shortened
from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import (
    check_names,
    choice_of,
    first_and_rest,
    flag_of,
    seconds_of,
    text_of,
    text_or_none,
)
from pyx.errors import PyxError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a pod has its token, the certificate of the API's authority, and its namespace."""
ANSWER_SECONDS: Final = 10.0
"""The time that the API has for a list."""
WATCH_SECONDS: Final = 300
"""A watch ends after that time, and a list follows."""
_SILENT_SECONDS: Final = 90.0
"""The API sends a bookmark each minute; a watch that is silent for longer is a dead connection."""


class KubernetesPods:
    """Finds the pods of its setting `selector`; see `Strategy`.

    Settings: `selector`, of labels, or `gus@selector`; `namespace`, by default the pod's own; `mode`, by
    which nodes are named: `"ip"`, `"dns"` (`gus@10-0-0-5.ns.pod.DOMAIN`) or `"hostname"`
    (`gus@HOSTNAME.SERVICE.ns.svc.DOMAIN`, in a StatefulSet); `domain`, of the cluster (`cluster.local`);
    `ready`, False to find pods that are not ready too; `interval`; `url`, of the API, where it is not to be
    taken from the kubeconfig or the service account; `account`, the directory of the latter.
    """

    seed_setting: Final = "selector"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        names = ("selector", "namespace", "mode", "domain", "ready", "interval", "url", "account")
        check_names(config, *names)
        first, self._selector = first_and_rest(text_of(config, "selector", "app=pyx"), here)
        self._namespace = text_or_none(config, "namespace", "shop")
        self._interval = seconds_of(config)
        self._url = text_or_none(config, "url", "https://10.0.0.1:6443")
        self._account = text_of(config, "account", ACCOUNT, default=ACCOUNT)
        self._pods = PodNodes(
            first,
            choice_of(config, "mode", MODES),
            text_of(config, "domain", "cluster.local", default="cluster.local"),
            only_ready=flag_of(config, "ready", default=True),
        )
        self._news = asyncio.Event()
        self._is_watching = False
        try:
            import kr8s.asyncio  # noqa: F401 - here, so that a missing library is one line at the start
        except ImportError:
            msg = "it needs the library kr8s: pip install 'pyxnode[kubernetes]'"
            raise ValueError(msg) from None

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields a node for each pod: whole once an interval, and what is new at once.

        However a watch ends, a pause and a list follow; without the permission to watch that is all.

        Raises:
            PyxError: the API cannot be asked for a list; the sentence has its reason.
        """
        api = await self._connected()
        try:
            namespace = self._namespace
            if namespace is None:
                namespace = await asyncio.to_thread(self._own_namespace, api.namespace)
            while True:
                version = await self._list(api, namespace)
                yield Sighting(self._pods.nodes)
                self._news.clear()
                self._is_watching = False
                watch = asyncio.get_running_loop().create_task(self._watch(api, namespace, version))
                watch.add_done_callback(lambda _: self._news.set())
                try:
                    while not watch.done():
                        is_news = await self._is_news()
                        if is_news or self._is_watching:  # else nothing has confirmed the list
                            yield Sighting(self._pods.nodes, whole=not is_news)
                finally:
                    watch.cancel()
                    await asyncio.wait({watch})  # its connection is closed now
                await pause(self._interval)
        finally:
            await _close(api)

    async def _is_news(self) -> bool:
        """Waits for an event of the watch, for an interval; returns False if there was none."""
        try:
            async with asyncio.timeout(shortened(self._interval)):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    async def _connected(self) -> Any:
        import kr8s.asyncio

        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                # With an account it is never the API of another topology, which kr8s gives to who names none.
                return await kr8s.asyncio.api(url=self._url, serviceaccount=self._account)
        except Exception as error:  # of kr8s, httpx, ssl, the resolver, the files
            raise _unanswered(error) from error

    def _own_namespace(self, named: str) -> str:
        """Returns the namespace of the pod; kr8s reads that of a kubeconfig alone."""
        if named != "default":
            return named
        try:
            return Path(self._account, "namespace").read_text().strip() or named
        except OSError:
            return named

    async def _list(self, api: Any, namespace: str) -> str:
        """Lists the pods; returns the version of the list."""
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                api.call_api(url="pods", namespace=namespace, params=self._params()) as response,
            ):
                answer = response.json()
            self._pods.listed(answer["items"])
            return str(answer["metadata"].get("resourceVersion", ""))
        except Exception as error:
            raise _unanswered(error) from error

    async def _watch(self, api: Any, namespace: str, version: str) -> None:
        """Follows the events since *version*, until the watch is over."""
        params = self._params(
            watch="true",
            resourceVersion=version,
            allowWatchBookmarks="true",
            timeoutSeconds=str(WATCH_SECONDS),
        )
        waits = (ANSWER_SECONDS, _SILENT_SECONDS, ANSWER_SECONDS, ANSWER_SECONDS)  # the second one: to read
        # Whatever it raises (a connection that ends, 403, 429): the list that follows has the sentence.
        with contextlib.suppress(Exception):
            async with api.call_api(
                url="pods", namespace=namespace, params=params, stream=True, timeout=waits
            ) as response:
                self._is_watching = True
                async for line in response.aiter_lines():
                    if not self._pods.changed(json.loads(line)):
                        return
                    self._news.set()

    def _params(self, **more: str) -> dict[str, str]:
        return {"labelSelector": self._selector, **more}


async def _close(api: Any) -> None:
    session = api._session  # noqa: SLF001 - kr8s has no way to close it, and opens another one if it must
    if session is not None:
        await session.aclose()


def _unanswered(error: Exception) -> PyxError:
    """Returns what is wrong with the API, in one sentence."""
    code = getattr(getattr(error, "response", None), "status_code", None)
    text = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        return PyxError(f"the API of Kubernetes gave no answer within {ANSWER_SECONDS:g} s")
    if isinstance(error, ValueError) and text == "Unable to find valid credentials":
        return PyxError("there is neither a kubeconfig nor the service account of a pod")
    if code == 401:
        return PyxError(f"the API of Kubernetes refuses the token (401): {text}")
    if code == 403:
        return PyxError(f"the API of Kubernetes does not permit to list pods (403): {text}")
    if code is not None:
        return PyxError(f"the API of Kubernetes has answered {code}: {text}")
    return PyxError(f"the API of Kubernetes cannot be asked: {type(error).__name__}: {text}")
