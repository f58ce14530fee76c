"""options.py, start_stop.py: the services of `docs/in-your-service.md`, run as they stand, attached to."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import shlex
import signal
import subprocess
import sysconfig
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.pages import ROOT, blocks
from tests.ports import free_port
from tests.stories.host import PATIENCE_SECONDS, Host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "docs/in-your-service.md"


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)} (extra: service)")


FASTAPI = needs("fastapi", "uvicorn")
DJANGO = needs("django", "gunicorn")


class Service:
    """A service with the programs of the page, in a folder and under a command line of the page."""

    def __init__(self, host: Host, folder: Path, command: list[str]) -> None:
        for block in blocks(PAGE):
            if block.language == "python":
                name = block.text.split("\n", 1)[0].removeprefix("# ")
                (folder / name).write_text(block.text)
        self.port = free_port()
        scripts = sysconfig.get_path("scripts")
        variables = {
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "UVICORN_PORT": str(self.port),
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{self.port}",
        }
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.child = subprocess.Popen(
                command,
                env=host.environment(**variables),
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return json.load(answer)

    def comes_up(self, path: str) -> Any:
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while True:
            try:
                return self.get(path)
            except OSError:
                assert self.child.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.05)

    def stop(self) -> str:
        """Ends it as a supervisor does; returns what it has logged."""
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(PATIENCE_SECONDS)
        return self.log.read_text()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


@pytest.fixture
def services(lone_host: Host, tmp_path: Path) -> Iterator[Any]:
    started: list[Service] = []

    def start(command: str | list[str]) -> Service:
        words = shlex.split(command) if isinstance(command, str) else command
        started.append(Service(lone_host, tmp_path, words))
        return started[-1]

    yield start
    for service in started:
        service.kill()


def command_of(program: str) -> str:
    """The command line of the page that begins with *program*."""
    lines = (ROOT / PAGE).read_text().split("\n")
    return next(line.strip() for line in lines if line.startswith(f"    {program} "))


def in_container() -> list[str]:
    text = next(block.text for block in blocks(PAGE) if block.language == "dockerfile")
    words: list[str] = json.loads(text.rpartition("CMD ")[2])
    return words


def under_systemd() -> str:
    text = next(block.text for block in blocks(PAGE) if block.language == "ini")
    return next(line for line in text.split("\n") if line.startswith("ExecStart=")).removeprefix("ExecStart=")


def assert_quiet(log: str) -> None:
    """Nothing of pyx is in the log of a service, and no traceback."""
    assert "pyx" not in log.replace("/pyx-", "").lower(), log  # the folders of a host begin so
    assert "Traceback" not in log, log
    assert "warning" not in log.lower(), log


def attached(host: Host) -> Any:
    return host.shell("ops")


def test_script_is_a_node(lone_host: Host, services: Any) -> None:
    service = services(command_of("python"))
    ops = attached(lone_host)
    ops.comes_to("Node.ping('worker')", "'pong'")
    ops.comes_to("rpc.call('worker', lambda: __import__('__main__').done != [])", "True")
    service.child.send_signal(signal.SIGINT)
    service.child.wait(PATIENCE_SECONDS)
    assert service.log.read_text().strip().endswith("KeyboardInterrupt")


@FASTAPI
@pytest.mark.parametrize("command", [command_of("uvicorn"), in_container(), under_systemd()], ids=str)
def test_workers_of_uvicorn_share_a_name_and_are_one_mesh(
    command: Any, lone_host: Host, services: Any
) -> None:
    service = services(command)
    assert service.comes_up("/stock/nike") == {"nike": 30}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(service.get("/workers")) < 2:
        assert time.monotonic() < deadline, service.log.read_text()
    ops = attached(lone_host)
    ops.comes_to("Node.ping('billing'), Node.ping('billing-2')", "('pong', 'pong')")
    assert ops.type("rpc.call('billing-2', 'app', 'restock', ['nike', 5])") == "35"
    assert service.get("/processes") in ([], ["running"], ["waiting"])
    assert_quiet(service.stop())


@DJANGO
def test_workers_of_gunicorn_are_nodes(lone_host: Host, services: Any) -> None:
    service = services(command_of("gunicorn"))
    assert service.comes_up("/stock/nike")["nike"] == 30
    ops = attached(lone_host)
    ops.comes_to("Node.ping('shop'), Node.ping('shop-2')", "('pong', 'pong')")
    assert len(service.get("/workers")["pids"]) in {1, 2}
    assert ops.type("rpc.call('shop-2', 'shop', 'Node.self')") == "'shop-2@vm'"
    assert_quiet(service.stop())


class Load:
    """Requests at an even rate on one connection each tenth, on threads of their own; counts what fails."""

    def __init__(self, port: int, per_second: int, threads: int = 4) -> None:
        self._port = port
        self._pause = threads / per_second
        self._over = threading.Event()
        self.answered = 0
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        with contextlib.closing(connection):
            while not self._over.wait(self._pause):
                try:
                    connection.request("GET", "/stock/nike")
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        self.answered += 1
                    else:
                        self.failures.append(str(answer.status))
                except (OSError, http.client.HTTPException) as error:
                    self.failures.append(repr(error))
                    connection.close()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@FASTAPI
def test_service_under_load_is_attached_to_and_no_request_fails(lone_host: Host, services: Any) -> None:
    service = services("uvicorn app:app --log-level warning --timeout-keep-alive 600")
    service.comes_up("/stock/nike")
    load = Load(service.port, per_second=200)
    try:
        ops = attached(lone_host)
        assert ops.type("Node.ping('billing')") == "'pong'"
        assert ops.type("rpc.call('billing', 'app', 'restock', ['nike', 5])") == "35"
        assert ops.type("rpc.call('billing', lambda: __import__('app').stock)") == "{'nike': 35}"
        ops.type("audit = Node.spawn('billing', 'app', 'audit', [])")
        assert ops.sees("enter? [y/N]").endswith("stopped at app.py:20, enter? [y/N]")
        ops.press("y\r")
        ops.sees("-> ")  # from Python 3.13 on it stops at the call of `breakpoint()` first
        ops.press("p total\r")
        ops.sees("35")
        ops.press("c\r")
        ops.prompt_returns()
        remote = lone_host.starts("--remsh", "billing")
        remote.prompt_returns()
        assert remote.type("import app; app.stock") == "{'nike': 35}"
        remote.press("\x04")
        remote.leaves()
    finally:
        load.end()
    assert load.failures == []
    assert load.answered > 0
    assert_quiet(service.stop())
