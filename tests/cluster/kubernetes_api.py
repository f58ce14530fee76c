"""The API of Kubernetes on loopback, with recorded answers, for tests."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import queue
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path

END: Any = None
"""In `RecordedApi.events`: the server ends the watch."""


def pod(number: int, namespace: str = "default", *, ready: str = "True", **status: Any) -> dict[str, Any]:
    """A pod as the API of Kubernetes 1.31 describes it, without what is not read."""
    return {
        "metadata": {
            "name": f"pyx-{number}",
            "namespace": namespace,
            "uid": f"5f0c-{namespace}-{number}",
            "labels": {"app": "pyx"},
        },
        "spec": {"hostname": f"pyx-{number}", "subdomain": "pyx"},
        "status": {
            "phase": "Running",
            "podIP": f"10.0.0.{number}",
            "conditions": [{"type": "Ready", "status": ready}],
            **status,
        },
    }


def event(kind: str, about: dict[str, Any]) -> dict[str, Any]:
    """One line of a watch."""
    return {"type": kind, "object": about}


def status(code: int, message: str) -> dict[str, Any]:
    """A refusal as the API words it."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


GONE = event("ERROR", status(410, "too old resource version: 7 (9)"))


class Asked(NamedTuple):
    """One question of a client."""

    namespace: str
    selector: str
    watches: bool
    token: str | None


class RecordedApi:
    """What a test says about the answers, and what was asked; `tls` serves https."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pods: dict[tuple[str, str], list[dict[str, Any]]] = {}
        """By namespace and selector; others are forbidden."""
        self.failures: list[tuple[int, str]] = []
        """Of the next lists: a code and a body each."""
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        """Of the watches; `END` ends one."""
        self.may_watch = True
        self.token: str | None = None
        """The only one that is taken, if there is one."""
        self.asked: list[Asked] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _answers_of(self))
        self.server.daemon_threads = True
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port: int = self.server.server_port
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Ends the server."""
        self.events.put(END)
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    @property
    def lists(self) -> list[Asked]:
        """The questions that were no watches."""
        return [one for one in self.asked if not one.watches]


def _answers_of(api: RecordedApi) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
            if api.token is not None and token != api.token:
                return self.answer(401, status(401, "Unauthorized"))
            match url.path.strip("/").split("/"):
                case ["version"]:
                    return self.answer(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
                case ["api", "v1", "namespaces", namespace, "pods"]:
                    selector, watches = query["labelSelector"], query.get("watch") == "true"
                    api.asked.append(Asked(namespace, selector, watches, token))
                    return self.watch(query) if watches else self.list(namespace, selector)
            return self.answer(404, status(404, f"not recorded: {self.path}"))

        def list(self, namespace: str, selector: str) -> None:
            if api.failures:
                code, body = api.failures.pop(0)
                return self.write(code, body.encode())
            items = api.pods.get((namespace, selector))
            if items is None:
                return self.answer(403, status(403, f'pods is forbidden in the namespace "{namespace}"'))
            metadata = {"resourceVersion": "7"}
            return self.answer(200, {"kind": "PodList", "metadata": metadata, "items": items})

        def watch(self, query: dict[str, str]) -> None:
            if not api.may_watch:
                return self.answer(403, status(403, "pods is forbidden: cannot watch"))
            assert query["resourceVersion"] == "7", query
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            while (line := api.events.get()) is not END:
                self.wfile.write(json.dumps(line).encode() + b"\n")
                self.wfile.flush()
            return None

        def answer(self, code: int, value: Any) -> None:
            self.write(code, json.dumps(value).encode())

        def write(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Answers


def service_account(folder: Path, token: str, namespace: str) -> ssl.SSLContext:
    """Writes what a pod finds in its directory; returns what the API's server holds."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.crt").write_bytes(pem)
    (folder / "token").write_text(token)
    (folder / "namespace").write_text(namespace)
    (folder / "server.pem").write_bytes(pem + secret)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    return tls
