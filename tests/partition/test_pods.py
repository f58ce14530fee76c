"""The StatefulSet of `docs/across-hosts.md` without Kubernetes: three pods are three hosts of
namespaces, the command is the manifest's, the headless service is a line for
each in `/etc/hosts` (`ip netns` puts its own file there).
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.pages import manifest_command
from tests.partition.test_namespaces import IP, Switch, switch
from tests.staging import until
from tests.stories.host import PYX

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["switch"]  # a fixture

PORT: Final = "4370"
FILES: Final = Path("/etc/netns")
"""What stands in FILES/NAME stands in /etc for the programs of the namespace of that name."""


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
        """The container starts, with its environment and its command."""
        words = [word.replace("$(POD_IP)", f"10.77.0.{number}") for word in manifest_command()]
        assert words[0] == "pyx"
        self._running[number] = subprocess.Popen(
            self._inside(number, PYX, *words[1:]),
            env=self._environment(), cwd=self._home, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ends(self, number: int, how: signal.Signals = signal.SIGTERM) -> int:
        """The container is told to end; returns its exit code."""
        pod = self._running.pop(number)
        pod.send_signal(how)
        return pod.wait(20)

    def sees(self, number: int) -> str:
        """What the node of that pod has for `Node.list()`, asked by a hidden node beside it."""
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
        with contextlib.suppress(OSError):  # others may have theirs there
            FILES.rmdir()


@pytest.fixture
def pods(switch: Switch) -> Iterator[Pods]:
    pods = Pods(switch)
    yield pods
    pods.close()


def test_the_pods_of_the_manifest_find_each_other_and_one_that_comes_again(pods: Pods) -> None:
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
