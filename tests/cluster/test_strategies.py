"""hosts_file.py, local_nodes.py, dns_addresses.py, polling.py: What the simple strategies find."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyx.cluster import dns_addresses
from pyx.cluster.dns_addresses import DnsAddresses, addresses_of
from pyx.cluster.hosts_file import HostsFile, nodes_in
from pyx.cluster.local_nodes import NodesOfThisUser
from pyx.errors import PyxError
from tests.cluster.finders import HERE, seen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_nodes import LocalNodes

SOON = 0.001


class TestHostsFile:
    def test_lines_are_nodes_and_hosts(self) -> None:
        text = "bob@10.0.0.6  # a node\n\n# a comment\n10.0.0.7\n'shop.example'.\n"
        assert list(nodes_in(text, "gus")) == ["bob@10.0.0.6", "gus@10.0.0.7", "gus@shop.example"]

    def test_file_is_read_again(self, tmp_path: Path) -> None:
        file = tmp_path / "hosts"
        file.write_text("10.0.0.6\n")
        strategy = HostsFile(HERE, {"file": str(file), "interval": SOON})
        found = seen(strategy, 2, lambda: file.write_text("10.0.0.6\n10.0.0.7\n"))
        assert found == [["gus@10.0.0.6"], ["gus@10.0.0.6", "gus@10.0.0.7"]]

    def test_file_may_be_in_the_home_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "hosts").write_text("10.0.0.7\n")
        assert seen(HostsFile(HERE, {"file": "~/hosts"})) == [["gus@10.0.0.7"]]
        with pytest.raises(ValueError, match=r"^file is '~nosuchuser/hosts', and there is no such home"):
            HostsFile(HERE, {"file": "~nosuchuser/hosts"})

    def test_file_that_cannot_be_read_is_one_clear_error(self, tmp_path: Path) -> None:
        with pytest.raises(PyxError, match=r"^cannot read .*/none: No such file or directory$"):
            seen(HostsFile(HERE, {"file": str(tmp_path / "none")}))
        (tmp_path / "odd").write_bytes(b"\xff\xfe")
        with pytest.raises(PyxError, match=r"^cannot read .*/odd: 'utf-8' codec can't decode"):
            seen(HostsFile(HERE, {"file": str(tmp_path / "odd")}))


class TestLocalNodes:
    def test_l3_nodes_of_this_user_are_found(self, nodes: LocalNodes) -> None:
        for name in ("a", "shop-1", "shop-2", "rem-3fa9c1"):
            nodes.start(name)
        assert seen(NodesOfThisUser("a@test", {})) == [["a@test", "shop-1@test", "shop-2@test"]]
        assert seen(NodesOfThisUser("a@test", {"pattern": "shop-*"})) == [["shop-1@test", "shop-2@test"]]


class TestDns:
    def test_each_address_is_a_node_and_the_domain_is_asked_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = iter([["10.0.0.5", "10.0.0.6"], ["10.0.0.7"]])

        async def answer(domain: str, here: str) -> list[str]:
            assert (domain, here) == ("pyx.default.svc", HERE)
            return next(answers)

        monkeypatch.setattr(dns_addresses, "addresses_of", answer)
        strategy = DnsAddresses(HERE, {"query": "pyx.default.svc", "interval": SOON})
        assert seen(strategy, 2) == [["gus@10.0.0.5", "gus@10.0.0.6"], ["gus@10.0.0.7"]]

    def test_nodes_of_another_name_are_looked_for(self) -> None:
        assert seen(DnsAddresses(HERE, {"query": "bob@localhost"})) == [["bob@127.0.0.1"]]

    def test_addresses_are_of_the_family_of_this_node(self) -> None:
        assert asyncio.run(addresses_of("::1", "gus@fd00::5")) == ["::1"]
        with pytest.raises(PyxError, match=r"^::1 has no addresses: "):
            asyncio.run(addresses_of("::1", HERE))

    @pytest.mark.parametrize("domain", ["no-such-domain.invalid", "a..b"])
    def test_domain_without_addresses_is_one_clear_error(self, domain: str) -> None:
        with pytest.raises(PyxError, match=f"^{domain} has no addresses: "):
            asyncio.run(addresses_of(domain, HERE))
