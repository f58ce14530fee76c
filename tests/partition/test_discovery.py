"""Strategies on networks of their own: `dns` asks a name server on port 53, `lan` hears other hosts.

As root, with `ip`: see `test_namespaces.py`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.partition.test_namespaces import IP, Switch, switch
from tests.partition.test_pods import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["switch"]  # a fixture

ROOT = Path(__file__).parents[2]

ASK = """
import asyncio, json, sys
from pyx.cluster import dns_addresses
from pyx.errors import PyxError

dns_addresses.RESOLVE_SECONDS = float(sys.argv[2])

async def ask(here):
    try:
        return await dns_addresses.addresses_of(sys.argv[1], here)
    except PyxError as error:
        return str(error)

print(json.dumps([asyncio.run(ask(here)) for here in ("gus@10.0.0.1", "gus@fd00::1")]))
"""


@pytest.fixture
def resolving(switch: Switch) -> Iterator[list[str]]:
    """A host whose name server is on its loopback; yields the words that run a command there."""
    pytest.importorskip("dns", reason="dnspython is not installed: pip install 'pyxnode[dns]'")
    name = switch.namespace(1)
    place = FILES / name
    place.mkdir(parents=True)
    (place / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (place / "nsswitch.conf").write_text("hosts: dns\n")
    inside = [IP, "netns", "exec", name]
    with subprocess.Popen(
        [*inside, sys.executable, "-m", "tests.cluster.name_server"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield inside
        server.stdin.close()
    shutil.rmtree(place)


def asked(inside: list[str], domain: str, seconds: float = 20.0) -> Any:
    """What `dns` finds for a node of IPv4 and for one of IPv6."""
    done = subprocess.run(
        [*inside, sys.executable, "-c", ASK, domain, str(seconds)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_name_server_is_asked_for_addresses_of_the_family_of_this_node(resolving: list[str]) -> None:
    assert asked(resolving, "two.pyx") == [["10.0.0.0", "10.0.0.1"], ["fd00::", "fd00::1"]]
    cut = asked(resolving, "long.pyx")
    assert [len(found) for found in cut] == [400, 400]  # asked for again, by TCP
    for domain, sentence in {
        "nothing.pyx": "Name or service not known",
        "empty.pyx": "No address associated with hostname",
        "failing.pyx": "Temporary failure in name resolution",
    }.items():
        assert asked(resolving, domain) == [f"{domain} has no addresses: {sentence}"] * 2
    silent = "silent.pyx has no addresses: no answer within 0.1 s"
    assert asked(resolving, "silent.pyx", 0.1) == [silent] * 2


def test_hosts_of_one_local_network_find_each_other(switch: Switch) -> None:
    pytest.importorskip("zeroconf", reason="zeroconf is not installed: pip install 'pyxnode[lan]'")
    one, two = (
        switch.starts(number, "--name", f"n{number}@10.77.0.{number}", "--port", "4370", "--seed", "lan:")
        for number in (1, 2)
    )
    assert one.type("Cluster.wait(2, timeout=60)") == "['n1@10.77.0.1', 'n2@10.77.0.2']"
    assert two.type("Cluster.wait(2, timeout=60)") == "['n1@10.77.0.1', 'n2@10.77.0.2']"
    assert two.type("Cluster.stop()") == "'ok'"
    one.comes_to("Cluster.info()['topologies']['lan:']['found']", "[]")
