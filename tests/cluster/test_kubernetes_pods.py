"""kubernetes_pods.py: A node in each pod of a recorded API, served on loopback."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pyx.cluster.kubernetes_pods import KubernetesPods
from tests.cluster.finders import HERE, seen

pytest.importorskip("kr8s", reason="kr8s is not installed: pip install 'pyxnode[kubernetes]'")

if TYPE_CHECKING:
    from collections.abc import Iterator


def pod(number: int, namespace: str = "default", *, ready: str = "True", **status: Any) -> dict[str, Any]:
    """A pod as the API of Kubernetes 1.31 describes it, without what is not read."""
    return {
        "metadata": {"name": f"pyx-{number}", "namespace": namespace, "labels": {"app": "pyx"}},
        "spec": {"hostname": f"pyx-{number}", "subdomain": "pyx"},
        "status": {
            "phase": "Running",
            "podIP": f"10.0.0.{number}",
            "conditions": [{"type": "Ready", "status": ready}],
            **status,
        },
    }


STARTING = pod(9, ready="False")
LEAVING = {**pod(8), "metadata": {**pod(8)["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
UNPLACED = pod(7, ready="False", podIP="")
RECORDED = {
    ("default", "app=pyx"): [pod(5), pod(6), STARTING, LEAVING, UNPLACED],
    ("shop", "app=pyx"): [pod(1, "shop")],
}


@pytest.fixture
def api() -> Iterator[str]:
    """The API of Kubernetes on loopback, with recorded answers; yields its address."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            match url.path.strip("/").split("/"):
                case ["version"]:
                    self.answer({"major": "1", "minor": "31", "gitVersion": "v1.31.0"})
                case ["api", "v1", "namespaces", namespace, "pods"]:
                    selector = parse_qs(url.query)["labelSelector"][0]
                    items = RECORDED.get((namespace, selector))
                    if items is None:
                        self.answer({"kind": "Status", "message": "pods is forbidden", "code": 403}, 403)
                    else:
                        self.answer({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
                case _:
                    self.answer({"kind": "Status", "message": f"not recorded: {self.path}"}, 404)

        def answer(self, value: Any, code: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class TestKubernetes:
    def pods(self, api: str, **config: Any) -> list[str]:
        found: list[str] = seen(
            KubernetesPods(HERE, {"selector": "app=pyx", "namespace": "default", "url": api, **config})
        )[0]
        return found

    def test_ready_pods_are_nodes_by_their_addresses(self, api: str) -> None:
        assert self.pods(api) == ["gus@10.0.0.5", "gus@10.0.0.6"]

    def test_pods_that_start_are_found_when_asked_for(self, api: str) -> None:
        assert self.pods(api, ready=False) == [
            "gus@10.0.0.5",
            "gus@10.0.0.6",
            "gus@10.0.0.8",
            "gus@10.0.0.9",
        ]

    def test_pods_are_named_by_dns(self, api: str) -> None:
        found = self.pods(api, mode="dns")
        assert found == [f"gus@10-0-0-{number}.default.pod.cluster.local" for number in (5, 6)]

    def test_pods_are_named_by_hostname(self, api: str) -> None:
        found = self.pods(api, mode="hostname", domain="k.example")
        assert found == [f"gus@pyx-{number}.pyx.default.svc.k.example" for number in (5, 6)]

    def test_pods_of_another_namespace_and_name_are_found(self, api: str) -> None:
        assert self.pods(api, namespace="shop", selector="bob@app=pyx") == ["bob@10.0.0.1"]

    def test_refusal_of_the_api_is_an_error_of_the_search(self, api: str) -> None:
        with pytest.raises(Exception, match="pods is forbidden"):
            self.pods(api, namespace="private")

    def test_api_that_does_not_answer_is_an_error_of_the_search(self) -> None:
        with socket.socket() as taken:  # bound and not listening: a dial is refused at once
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(Exception, match=r"attempts failed|[Cc]onnect"):
                self.pods(url)
