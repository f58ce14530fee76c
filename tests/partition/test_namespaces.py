"""Hosts with networks of their own and faults in them: as root, with `ip` and `tc`.

Each host is a network namespace; a bridge in a fourth one is the switch.  A cut is an interface that goes
down: packets are lost without a report to either end.  A filter in the kernel loses packets of one
direction.  `test_faults.py` needs no root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.stories.host import PYX, Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.terminal import Shell

TICK: Final = "1"
"""Seconds until a silent node is down, so that a test does not wait for long."""


IP: Final = shutil.which("ip") or "ip"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Switch:
    """Three hosts, 10.77.0.1 to 3 and fd77::1 to 3, at one switch."""

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
            ip("-n", name, "addr", "add", f"fd77::{number}/64", "dev", "eth", "nodad")
            ip("-n", name, "link", "set", "eth", "up")
            ip("-n", name, "link", "set", "lo", "up")

    def __exit__(self, *_: object) -> None:
        self.host.__exit__()
        for name in self._made:
            found = subprocess.run(["ip", "netns", "pids", name], check=False, capture_output=True)
            for pid in map(int, found.stdout.split()):  # an EPMD that a node has started
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def _namespace(self, suffix: str) -> str:
        name = f"{self._prefix}-{suffix}"
        ip("netns", "add", name)
        self._made.append(name)
        return name

    def namespace(self, number: int) -> str:
        """Returns the name of that host's namespace."""
        return f"{self._prefix}-{number}"

    def shell(self, number: int) -> Shell:
        """Starts the node n*number* on that host; returns its shell."""
        return self.starts(number, "--name", f"n{number}@10.77.0.{number}", "--port", "4370", "--tick", TICK)

    def starts(self, number: int, *words: str, **variables: str) -> Shell:
        """Starts `pyx` with these options on that host; returns its shell at the first prompt."""
        command = [IP, "netns", "exec", self.namespace(number), PYX, *words]
        shell = self.host.starts_command(command, cwd=None, **variables)
        shell.prompt_returns()
        return shell

    def cuts(self, number: int) -> None:
        """Loses all packets to and from that host from now on."""
        ip("-n", f"{self._prefix}-s", "link", "set", f"p{number}", "down")

    def heals(self, number: int) -> None:
        ip("-n", f"{self._prefix}-s", "link", "set", f"p{number}", "up")

    def loses(self, sender: int, receiver: int) -> None:
        """Loses all packets from *sender* to *receiver* from now on, and no others."""
        self._tc(sender, "qdisc", "add", "dev", "eth", "clsact")
        # If the word at 30 (the destination in IPv4 over Ethernet) is that address: drop, else let it pass.
        code = f"4,32 0 0 30,21 0 1 {0x0A4D0000 + receiver},6 0 0 2,6 0 0 4294967295"
        done = self._tc(sender, "filter", "add", "dev", "eth", "egress", "bpf", "da", "bytecode", code)
        if done.returncode:
            pytest.skip(f"the kernel accepts no bpf filter here: {done.stderr.decode().strip()}")

    def loses_nothing(self, sender: int) -> None:
        """Ends the loss of packets from *sender*."""
        assert not self._tc(sender, "qdisc", "del", "dev", "eth", "clsact").returncode

    def _tc(self, number: int, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["tc", "-n", self.namespace(number), *words], check=False, capture_output=True)


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


def a_mesh(switch: Switch) -> list[Shell]:
    """Starts a node on each of the three hosts, all connected; returns their shells."""
    one, two, three = shells = [switch.shell(number) for number in (1, 2, 3)]
    one.type('Node.connect("n2@10.77.0.2")')
    three.type('Node.connect("n2@10.77.0.2")')
    for shell, others in ((one, (2, 3)), (two, (1, 3)), (three, (1, 2))):
        shell.comes_to("Node.list()", names(*others))
    return shells


def names(*numbers: int) -> str:
    return str([f"n{number}@10.77.0.{number}" for number in numbers])


def test_host_that_is_cut_off_leaves_the_mesh_and_joins_it_again(switch: Switch) -> None:
    one, two, three = a_mesh(switch)
    warning = "n1@10.77.0.1 listens on 10.77.0.1 port 4370: every node with the cookie can run code"
    assert warning in one.screen
    assert one.type('Node.monitor("n3@10.77.0.3", True)') == "True"

    switch.cuts(3)
    three.comes_to("Node.list()", "[]")
    one.comes_to("Node.list()", names(2))
    two.comes_to("Node.list()", names(1))
    assert "('nodedown', 'n3@10.77.0.3')" in one.type("flush()")

    switch.heals(3)
    three.comes_to('Node.ping("n1@10.77.0.1")[-1]', "'g'")
    three.comes_to("Node.list()", names(1, 2))
    one.comes_to("Node.list()", names(2, 3))
    two.comes_to("Node.list()", names(1, 3))


def test_loss_of_packets_one_way_ends_that_connection_for_both_and_no_other(switch: Switch) -> None:
    if shutil.which("tc") is None:
        pytest.skip("a loss on one way needs `tc`")
    one, two, three = a_mesh(switch)
    for shell, other in ((one, "n3@10.77.0.3"), (three, "n1@10.77.0.1"), (two, "n3@10.77.0.3")):
        assert shell.type(f'Node.monitor("{other}", True)') == "True"

    switch.loses(3, 1)
    one.comes_to("Node.list()", names(2))
    three.comes_to("Node.list()", names(2))
    assert "('nodedown', 'n3@10.77.0.3')" in one.type("flush()")
    assert "('nodedown', 'n1@10.77.0.1')" in three.type("flush()")
    assert two.type("Node.list()") == names(1, 3)

    switch.loses_nothing(3)
    three.comes_to('Node.ping("n1@10.77.0.1")[-1]', "'g'")
    one.comes_to("Node.list()", names(2, 3))
    three.comes_to("Node.list()", names(1, 2))
    assert "nodedown" not in two.type("flush()")
    assert two.type("Node.list()") == names(1, 3)


@pytest.mark.parametrize("kind", ["own", "epmd"])
def test_hosts_find_each_other_by_epmd_over_ipv6(kind: str, switch: Switch) -> None:
    if kind == "epmd" and shutil.which("epmd") is None:
        pytest.skip("epmd is not on PATH")
    path = {} if kind == "epmd" else {"PATH": os.devnull}
    one, two = (switch.starts(number, "--name", f"n{number}@fd77::{number}", **path) for number in (1, 2))
    assert "n1@fd77::1 listens on fd77::1 port " in one.screen
    assert one.type('Node.ping("n2@fd77::2")') == "'pong'"
    two.comes_to("Node.list()", "['n1@fd77::1']")
    assert two.type('rpc.call("n1@fd77::1", "math", "sqrt", [16])') == "4.0"


def test_node_whose_epmd_serves_its_own_host_alone_warns_that_others_cannot_find_it(switch: Switch) -> None:
    path = {"PATH": os.devnull}
    switch.starts(1, "--name", "home@127.0.0.1", **path)
    one = switch.starts(1, "--name", "n1@10.77.0.1", **path)
    one.sees("[warning] other hosts cannot find n1: EPMD does not answer at 10.77.0.1 port 4369")
    two = switch.starts(2, "--name", "n2@10.77.0.2", **path)
    assert two.type('Node.ping("n1@10.77.0.1")').endswith("\n'pang'")
    assert one.type('Node.ping("n2@10.77.0.2")') == "'pong'"
