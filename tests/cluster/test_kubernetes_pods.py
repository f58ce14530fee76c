"""kubernetes_pods.py, pod_nodes.py: A node in each pod of a recorded API, served on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from pyx.cluster import kubernetes_pods
from pyx.cluster.kubernetes_pods import KubernetesPods
from pyx.cluster.pod_nodes import PodNodes
from pyx.cluster.sighting import Sighting
from pyx.errors import PyxError
from tests.cluster.finders import HERE, seen
from tests.cluster.kubernetes_api import END, GONE, RecordedApi, event, pod, service_account, status

pytest.importorskip("kr8s", reason="kr8s is not installed: pip install 'pyxnode[kubernetes]'")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STARTING = pod(9, ready="False")
LEAVING = {**pod(8), "metadata": {**pod(8)["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
UNPLACED = pod(7, ready="False", podIP="")
SOON = 0.01
NEVER = 3600.0
"""An interval within which only a watch tells of anything."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RecordedApi]:
    """The API with two namespaces; no kubeconfig of this user is read."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    served = RecordedApi()
    served.pods["default", "app=pyx"] = [pod(5), pod(6), STARTING, LEAVING, UNPLACED]
    served.pods["shop", "app=pyx"] = [pod(1, "shop")]
    yield served
    served.close()


def strategy(api: RecordedApi, **config: Any) -> KubernetesPods:
    return KubernetesPods(HERE, {"selector": "app=pyx", "namespace": "default", "url": api.url, **config})


def pods(api: RecordedApi, **config: Any) -> list[str]:
    """What the strategy finds first."""
    found: list[str] = seen(strategy(api, **config))[0]
    return found


class TestList:
    def test_ready_pods_are_nodes_by_their_addresses(self, api: RecordedApi) -> None:
        assert pods(api) == ["gus@10.0.0.5", "gus@10.0.0.6"]

    def test_pods_that_start_are_found_when_asked_for(self, api: RecordedApi) -> None:
        assert pods(api, ready=False) == [f"gus@10.0.0.{number}" for number in (5, 6, 8, 9)]

    def test_pods_are_named_by_dns(self, api: RecordedApi) -> None:
        found = pods(api, mode="dns")
        assert found == [f"gus@10-0-0-{number}.default.pod.cluster.local" for number in (5, 6)]

    def test_pods_are_named_by_hostname(self, api: RecordedApi) -> None:
        found = pods(api, mode="hostname", domain="k.example")
        assert found == [f"gus@pyx-{number}.pyx.default.svc.k.example" for number in (5, 6)]

    def test_pods_of_another_namespace_and_name_are_found(self, api: RecordedApi) -> None:
        assert pods(api, namespace="shop", selector="bob@app=pyx") == ["bob@10.0.0.1"]

    def test_list_without_a_pod_is_a_whole_sighting_of_nothing(self, api: RecordedApi) -> None:
        api.pods["default", "app=pyx"] = []
        assert pods(api) == []

    @pytest.mark.parametrize(
        ("code", "body", "sentence"),
        [
            (401, json.dumps(status(401, "Unauthorized")), r"refuses the token \(401\): Unauthorized"),
            (
                403,
                json.dumps(status(403, "pods is forbidden")),
                r"does not permit to list pods \(403\): pods is",
            ),
            (410, json.dumps(status(410, "Expired")), "has answered 410: Expired"),
            (429, json.dumps(status(429, "too many requests")), "has answered 429: too many requests"),
            (429, "slow down", "has answered 429: Client error '429"),
            (500, "{}", "has answered 500: Server error '500"),
            (503, "", "has answered 503: Server error '503"),
            (200, "<html>", "cannot be asked: JSONDecodeError"),
            (200, "[]", "cannot be asked: TypeError"),
            (200, '{"items": [{}]}', "cannot be asked: KeyError: 'metadata'"),
        ],
    )
    def test_answer_that_is_no_list_is_one_clear_error(
        self, api: RecordedApi, code: int, body: str, sentence: str
    ) -> None:
        api.failures = [(code, body)] * 4  # kr8s reads the token anew, and asks again, three times
        with pytest.raises(PyxError, match=f"^the API of Kubernetes {sentence}"):
            pods(api)

    def test_api_that_is_not_there_is_one_clear_error(self, api: RecordedApi) -> None:
        with socket.socket() as taken:  # bound and not listening: a dial is refused at once
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(PyxError, match=r"^the API of Kubernetes cannot be asked: ConnectError: "):
                pods(api, url=url)

    def test_api_that_does_not_answer_is_one_clear_error(
        self, api: RecordedApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kubernetes_pods, "ANSWER_SECONDS", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(PyxError, match=r"^the API of Kubernetes gave no answer within 0\.05 s$"):
                pods(api, url=url)

    def test_account_that_is_not_there_is_one_clear_error(self, api: RecordedApi, tmp_path: Path) -> None:
        with pytest.raises(
            PyxError, match=r"^there is neither a kubeconfig nor the service account of a pod$"
        ):
            seen(KubernetesPods(HERE, {"selector": "app=pyx", "account": str(tmp_path / "none")}))


def follow(
    api: RecordedApi, steps: list[Callable[[], Any]], until: Callable[[Sighting], bool], **config: Any
) -> list[Sighting]:
    """What the strategy sees up to a sighting; after each of the first ones the next step is taken."""

    async def collect() -> list[Sighting]:
        found: list[Sighting] = []
        sightings: Any = strategy(api, **config).sightings()
        async for sighting in sightings:
            found.append(sighting)
            if until(sighting):
                await sightings.aclose()
                break
            if steps:
                steps.pop(0)()
        return found

    return asyncio.run(collect())


def nodes(*numbers: int) -> frozenset[str]:
    return frozenset(f"gus@10.0.0.{number}" for number in numbers)


class TestWatch:
    def test_pod_that_becomes_ready_is_found_at_once(self, api: RecordedApi) -> None:
        api.events.put(event("MODIFIED", pod(9)))
        found = follow(api, [], lambda one: one.nodes == nodes(5, 6, 9), interval=NEVER)
        assert [one.whole for one in found] == [True, False]
        assert len(api.lists) == 1

    def test_pod_that_goes_is_missing_in_whole_sightings_an_interval_apart(self, api: RecordedApi) -> None:
        api.events.put(event("DELETED", pod(6)))
        found = follow(api, [], lambda one: one == Sighting(nodes(5)), interval=SOON)
        assert found[0] == Sighting(nodes(5, 6))
        assert len(api.lists) == 1

    @pytest.mark.parametrize(
        "ends",
        [
            pytest.param([END], id="ended by the server"),
            pytest.param([GONE], id="410 Gone"),
            pytest.param([{"type": "ADDED"}], id="rubbish"),
            pytest.param([event("BOOKMARK", {"kind": "Pod", "metadata": {}}), END], id="after a bookmark"),
        ],
    )
    def test_list_follows_a_watch_that_is_over(self, api: RecordedApi, ends: list[Any]) -> None:
        def the_watch_ends() -> None:
            api.pods["default", "app=pyx"] = [pod(2)]
            for end in ends:
                api.events.put(end)

        follow(api, [the_watch_ends], lambda one: one == Sighting(nodes(2)), interval=SOON)
        assert len(api.lists) == 2

    def test_account_that_may_not_watch_lists_again_and_again(self, api: RecordedApi) -> None:
        api.may_watch = False

        def a_pod_comes() -> None:
            api.pods["default", "app=pyx"] = [pod(2)]

        follow(api, [a_pod_comes], lambda one: one == Sighting(nodes(2)), interval=SOON)
        assert len(api.lists) == 2

    def test_watch_ends_with_the_search(self, api: RecordedApi) -> None:
        async def one_sighting() -> int:
            sightings: Any = strategy(api, interval=NEVER).sightings()
            await anext(sightings)
            api.events.put(event("ADDED", pod(3)))
            await anext(sightings)
            await sightings.aclose()
            await asyncio.sleep(0)
            return len(asyncio.all_tasks())

        assert asyncio.run(one_sighting()) == 1


class TestAccount:
    @pytest.fixture
    def secured(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[RecordedApi, Path]]:
        """The API as a pod meets it: TLS by an authority of its own, a token, a namespace."""
        tls = service_account(tmp_path, "first", "shop\n")
        served = RecordedApi(tls)
        served.token = "first"
        served.pods["shop", "app=pyx"] = [pod(1, "shop")]
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(served.port))
        yield served, tmp_path
        served.close()

    def test_namespace_token_and_authority_are_those_of_the_pod(
        self, secured: tuple[RecordedApi, Path]
    ) -> None:
        api, account = secured
        assert seen(KubernetesPods(HERE, {"selector": "app=pyx", "account": str(account)})) == [
            ["gus@10.0.0.1"]
        ]
        assert api.lists[0][0] == "shop"

    def test_token_that_is_rotated_is_read_anew(self, secured: tuple[RecordedApi, Path]) -> None:
        api, account = secured
        api.may_watch = False

        def rotate() -> None:
            (account / "token").write_text("second")
            api.token = "second"

        config = {"selector": "app=pyx", "account": str(account), "interval": SOON}
        assert seen(KubernetesPods(HERE, config), 2, rotate, whole=False) == [["gus@10.0.0.1"]] * 2
        assert {one.token for one in api.lists} == {"first", "second"}

    def test_authority_that_is_not_the_pods_is_one_clear_error(
        self, secured: tuple[RecordedApi, Path], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = tmp_path_factory.mktemp("other")
        service_account(other, "first", "shop")
        with pytest.raises(PyxError, match=r"cannot be asked: ConnectError: .*CERTIFICATE_VERIFY_FAILED"):
            seen(KubernetesPods(HERE, {"selector": "app=pyx", "account": str(other)}))


class TestPodNodes:
    def told(self, *pods: dict[str, Any], mode: str = "ip") -> PodNodes:
        machine = PodNodes("gus", mode, "cluster.local", only_ready=True)
        machine.listed(pods)
        return machine

    def test_pod_that_is_not_ready_any_more_is_gone_until_it_is(self) -> None:
        machine = self.told(pod(5))
        assert machine.changed(event("MODIFIED", pod(5, ready="False")))
        assert machine.nodes == nodes()
        machine.changed(event("MODIFIED", pod(5)))
        assert machine.nodes == nodes(5)

    def test_pod_with_the_name_of_one_before_it_is_another(self) -> None:
        before, after = pod(5), pod(5, podIP="10.0.0.9")
        after["metadata"]["uid"] = "another"
        machine = self.told(before)
        machine.changed(event("ADDED", after))
        machine.changed(event("DELETED", before))
        assert machine.nodes == nodes(9)

    def test_list_takes_the_place_of_all_that_was_known(self) -> None:
        machine = self.told(pod(5))
        machine.listed([pod(6)])
        assert machine.nodes == nodes(6)

    @pytest.mark.parametrize("mode", ["ip", "dns", "hostname"])
    def test_pod_of_which_little_is_said_is_not_found(self, mode: str) -> None:
        bare = {"metadata": {"name": "x"}}
        assert self.told(bare, {**bare, "status": None, "spec": None}, mode=mode).nodes == nodes()

    def test_event_of_a_later_version_changes_nothing(self) -> None:
        machine = self.told(pod(5))
        assert machine.changed(event("NEWS", {}))
        assert not machine.changed(GONE)
        assert machine.nodes == nodes(5)
