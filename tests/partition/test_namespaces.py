"""Hosts with a network of their own, and a cut between them: as root, with `ip`.

Each host is a network namespace; a bridge in a fourth one is the switch.  A cut is an interface that goes
down: nobody is told, and packets vanish.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.stories.host import PYX, Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.terminal import Shell

TICK: Final = "1"
"""Seconds until a silent node is down, so that a test does not wait for long."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Switch:
    """Three hosts, 10.77.0.1 to 3, at one switch."""

    def __init__(self) -> None:
        self._prefix = f"pyx{os.getpid() % 100_000}"
        self._made: list[str] = []
        self.host = Host()

    def __enter__(self) -> Self:
        try:
            self._wire()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wire(self) -> None:
        switch = self._namespace("s")
        ip("-n", switch, "link", "add", "name", "switch0", "type", "bridge")
        ip("-n", switch, "link", "set", "switch0", "up")
        for number in (1, 2, 3):
            name = self._namespace(str(number))
            ip(
                "-n",
                switch,
                "link",
                "add",
                f"p{number}",
                "type",
                "veth",
                "peer",
                "name",
                "eth",
                "netns",
                name,
            )
            ip("-n", switch, "link", "set", f"p{number}", "master", "switch0", "up")
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "eth")
            ip("-n", name, "link", "set", "eth", "up")
            ip("-n", name, "link", "set", "lo", "up")

    def __exit__(self, *_: object) -> None:
        self.host.__exit__()
        for name in self._made:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def _namespace(self, suffix: str) -> str:
        name = f"{self._prefix}-{suffix}"
        ip("netns", "add", name)
        self._made.append(name)
        return name

    def shell(self, number: int) -> Shell:
        """A shell on that host, as the node n*number*."""
        name = f"n{number}@10.77.0.{number}"
        words = ("--name", name, "--port", "4370", "--tick", TICK)
        command = ["ip", "netns", "exec", f"{self._prefix}-{number}", PYX, *words]
        shell = self.host.starts_command(command)
        shell.prompt_returns()
        return shell

    def cuts(self, number: int) -> None:
        """From now on packets to and from that host vanish."""
        ip("-n", f"{self._prefix}-s", "link", "set", f"p{number}", "down")

    def heals(self, number: int) -> None:
        ip("-n", f"{self._prefix}-s", "link", "set", f"p{number}", "up")


@pytest.fixture
def switch() -> Iterator[Switch]:
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and `ip`")
    probe = subprocess.run(
        ["ip", "netns", "add", f"pyx{os.getpid()}-probe"], check=False, capture_output=True
    )
    if probe.returncode:
        pytest.skip(f"no network namespaces here: {probe.stderr.decode().strip()}")
    ip("netns", "del", f"pyx{os.getpid()}-probe")
    with Switch() as switch:
        yield switch


def test_a_host_that_is_cut_off_is_missed_and_found_again(switch: Switch) -> None:
    one, two, three = (switch.shell(number) for number in (1, 2, 3))
    assert "n1@10.77.0.1 listens on 10.77.0.1 port 4370: whoever holds the cookie can run code" in one.screen
    one.type('Node.connect("n2@10.77.0.2")')
    three.type('Node.connect("n2@10.77.0.2")')
    one.comes_to("Node.list()", "['n2@10.77.0.2', 'n3@10.77.0.3']")
    assert one.type('Node.monitor("n3@10.77.0.3", True)') == "True"

    switch.cuts(3)
    three.comes_to("Node.list()", "[]")
    one.comes_to("Node.list()", "['n2@10.77.0.2']")
    two.comes_to("Node.list()", "['n1@10.77.0.1']")
    assert "('nodedown', 'n3@10.77.0.3')" in one.type("flush()")

    switch.heals(3)
    three.comes_to('Node.ping("n1@10.77.0.1")[-1]', "'g'")
    three.comes_to("Node.list()", "['n1@10.77.0.1', 'n2@10.77.0.2']")
    one.comes_to("Node.list()", "['n2@10.77.0.2', 'n3@10.77.0.3']")
    two.comes_to("Node.list()", "['n1@10.77.0.1', 'n3@10.77.0.3']")
