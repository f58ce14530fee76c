"""The StatefulSet of `docs/across-hosts.md` without Kubernetes: a pod is a host in a network namespace.

The command is the manifest's; the headless service is a line for each pod in `/etc/hosts`, where `ip netns`
mounts a file of the namespace.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.local_nodes import until
from tests.pages import manifest_command
from tests.partition.test_namespaces import IP, Switch, switch
from tests.stories.host import PYX

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["switch"]  # a fixture

PORT: Final = "4370"
FILES: Final = Path("/etc/netns")
"""Programs in the namespace NAME see the files of FILES/NAME in /etc."""


class Pods:
    """Pods by number, at 10.77.0.NUMBER."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._home = switch.host.home
        (self._home / "app.py").write_text("")
        (self._home / "cookie").write_text("pyx1-" + "0" * 43)
        (self._home / "cookie").chmod(0o600)
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        for number in (1, 2, 3):
            place = FILES / switch.namespace(number)
            place.mkdir(parents=True)
            (place / "hosts").write_text("".join(f"10.77.0.{each} pyx\n" for each in (1, 2, 3)))
            (place / "nsswitch.conf").write_text("hosts: files\n")

    def starts(self, number: int) -> None:
        """Starts the container, with its environment and its command."""
        words = [word.replace("$(POD_IP)", f"10.77.0.{number}") for word in manifest_command()]
        assert words[0] == "pyx"
        self._running[number] = subprocess.Popen(
            self._inside(number, PYX, *words[1:]),
            env=self._environment(), cwd=self._home, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ends(self, number: int, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends the container by a signal; returns its exit code."""
        pod = self._running.pop(number)
        pod.send_signal(how)
        return pod.wait(60)

    def sees(self, number: int) -> str:
        """Returns `Node.list()` of the node of that pod, as printed by a hidden node that calls it."""
        node = f"app@10.77.0.{number}"
        asking = f"print(rpc.call({node!r}, 'Node', 'list'))"
        name = ("--name", f"asker@10.77.0.{number}", "--listen", "127.0.0.1", "--port", PORT, "--hidden")
        done = subprocess.run(
            self._inside(number, PYX, *name, "-e", asking),
            env=self._environment(), cwd=self._home, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()

    def _inside(self, number: int, *command: str) -> list[str]:
        return [IP, "netns", "exec", self._switch.namespace(number), *command]

    def _environment(self) -> dict[str, str]:
        return self._switch.host.environment(PYX_COOKIE_FILE=str(self._home / "cookie"))

    def close(self) -> None:
        for number in list(self._running):
            self.ends(number, signal.SIGKILL)
        for number in (1, 2, 3):
            shutil.rmtree(FILES / self._switch.namespace(number), ignore_errors=True)
        with contextlib.suppress(OSError):  # other namespaces may have files there
            FILES.rmdir()


@pytest.fixture
def pods(switch: Switch) -> Iterator[Pods]:
    pods = Pods(switch)
    yield pods
    pods.close()


def test_pods_of_the_manifest_find_each_other_and_a_restarted_one(pods: Pods) -> None:
    for number in (1, 2, 3):
        pods.starts(number)
    for number, others in ((1, (2, 3)), (2, (1, 3)), (3, (1, 2))):
        until(lambda number=number, others=others: pods.sees(number) == nodes(*others))  # type: ignore[misc]
    assert pods.ends(3) == 128 + signal.SIGTERM
    until(lambda: pods.sees(1) == nodes(2))
    pods.starts(3)
    until(lambda: pods.sees(1) == nodes(2, 3))
    until(lambda: pods.sees(2) == nodes(1, 3))


def nodes(*numbers: int) -> str:
    return str([f"app@10.77.0.{number}" for number in numbers])
