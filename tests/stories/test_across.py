"""Two nodes of two addresses, gus@127.0.0.1 and bob@127.0.0.2: TCP and TLS, as between hosts.

Each test that needs EPMD has its own, at its own port.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests import ports
from tests.net.test_epmd_client import end_epmd
from tests.pages import section

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.stories.host import Host
    from tests.stories.terminal import Shell


USAGE = "hint: pyx --help shows the options\n"


def free_port() -> str:
    """Returns a port as a word of a command line."""
    return str(ports.free_port())


@pytest.fixture
def epmd() -> Iterator[dict[str, str]]:
    """The environment of nodes that share an EPMD, which ends with the last of them."""
    port = free_port()
    yield {"ERL_EPMD_PORT": port}
    end_epmd(int(port))


def shell(host: Host, name: str, *words: str, **variables: str) -> Shell:
    """Starts a node with a long name; returns its shell at the first prompt."""
    shell = host.starts("--name", name, *words, cwd=None, **variables)
    shell.prompt_returns()
    return shell


def names(host: Host, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `pyx names`."""
    return host.run("names", *words, cwd=None, stdin="", **variables)


class TestTwoAddresses:
    def test_two_nodes_find_each_other_by_epmd_and_exchange_messages(
        self, epmd: dict[str, str], lone_host: Host
    ) -> None:
        gus = shell(lone_host, "gus@127.0.0.1", **epmd)
        bob = shell(lone_host, "bob@127.0.0.2", **epmd)
        assert gus.prompt == "pyx(gus@127.0.0.1)1> "
        assert gus.type('Node.ping("bob@127.0.0.2")') == "'pong'"
        bob.comes_to("Node.list()", "['gus@127.0.0.1']")
        assert gus.type('rpc.call("bob@127.0.0.2", "math", "sqrt", [16])') == "4.0"
        assert bob.type('Process.register(self(), "ear")') == "True"
        gus.type('send(("ear", "bob@127.0.0.2"), ("hello", b"x" * 300_000))')
        assert bob.type("len(receive((str, bytes), timeout=60)[1])") == "300000"
        listed = names(lone_host, epmd).stdout.splitlines()
        assert sorted(line.split(" at port ")[0] for line in listed) == ["bob", "gus"]
        assert names(lone_host, epmd, "127.0.0.1").stdout.splitlines() == listed
        gus.kill()
        bob.comes_to("Node.list()", "[]")
        for one in (gus, bob):
            one.close()

    def test_nodes_with_the_same_port_option_need_no_epmd(self, lone_host: Host) -> None:
        port = free_port()
        no_epmd = {"ERL_EPMD_PORT": free_port()}
        gus = shell(lone_host, "gus@127.0.0.1", "--port", port, **no_epmd)
        bob = shell(lone_host, "bob@127.0.0.2", "--port", port, **no_epmd)
        assert bob.type('Node.ping("gus@127.0.0.1")') == "'pong'"
        gus.comes_to("Node.list()", "['bob@127.0.0.2']")
        assert names(lone_host, no_epmd).stdout == ""
        remote = names(lone_host, no_epmd, "127.0.0.1")
        assert remote.returncode == 2
        assert remote.stderr.startswith("pyx: cannot connect to 127.0.0.1 port ")

    def test_wrong_cookie_is_reported_at_the_dialling_node(self, lone_host: Host) -> None:
        lone_host.cookie_file("other", "a cookie of another cluster")
        port = free_port()
        shell(lone_host, "gus@127.0.0.1", "--port", port)
        bob = shell(lone_host, "bob@127.0.0.2", "--port", port, "--cookie-file", "other")
        shown = bob.type('Node.ping("gus@127.0.0.1")')
        assert shown.startswith(
            "[warning] cannot connect to gus@127.0.0.1: the cookie of gus@127.0.0.1 differs from ours"
        )
        assert shown.endswith("\n'pang'")


class TestPage:
    def test_first_session_of_the_page_across_hosts(self, epmd: dict[str, str], lone_host: Host) -> None:
        """The first lines of `docs/across-hosts.md`, at two addresses of this host."""
        page = section("docs/across-hosts.md", "Across hosts").replace("10.0.0.", "127.0.0.")
        gus, bob = re.findall(r"^    pyx --name (\S+)", page, re.MULTILINE)
        [(prompt, typed, shown)] = re.findall(r"^    (pyx\(.*\)1> )(.*)\n    (.*)$", page, re.MULTILINE)
        shell(lone_host, gus, **epmd)
        asks = shell(lone_host, bob, **epmd)
        assert asks.prompt == prompt
        assert asks.type(typed) == shown


class TestSeeds:
    def test_seed_is_dialled_until_it_is_up_and_again_when_it_is_lost(self, lone_host: Host) -> None:
        port = free_port()
        gus = shell(lone_host, "gus@127.0.0.1", "--port", port, "--seed", "bob@127.0.0.2")
        gus.sees("[warning] cluster seed: bob@127.0.0.2 cannot be reached: cannot connect to 127.0.0.2 port ")
        bob = shell(lone_host, "bob@127.0.0.2", "--port", port)
        bob.comes_to("Node.list()", "['gus@127.0.0.1']")
        bob.kill()
        again = shell(lone_host, "bob@127.0.0.2", "--port", port)
        again.comes_to("Node.list()", "['gus@127.0.0.1']")

    def test_dns_seed_is_dialled_at_all_its_addresses(self, lone_host: Host) -> None:
        port = free_port()
        gus = shell(lone_host, "gus@127.0.0.1", "--port", port)
        shell(lone_host, "bob@127.0.0.2", "--port", port, "--seed", "dns:gus@localhost")
        gus.comes_to("Node.list()", "['bob@127.0.0.2']")


class TestLongAndShortNames:
    def test_long_and_short_names_do_not_connect(self, lone_host: Host) -> None:
        gus = shell(lone_host, "gus@127.0.0.1", "--port", free_port())
        bob = lone_host.shell("bob")
        for asking, other in ((gus, "bob@vm"), (bob, "gus@127.0.0.1")):
            why, answer = asking.type(f'Node.ping("{other}")').split("\n")
            assert why.startswith(f"[warning] cannot connect to {other}: it has a ")
            assert why.endswith("the two do not mix")
            assert answer == "'pang'"

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (
                ["--name", "gus@vm"],
                (
                    "'gus@vm' is not a node name: a long name has a host with a dot, or an address\n"
                    "hint: name the host: gus@10.0.0.5, gus@host.example\n"
                ),
            ),
            (
                ["--name", "gus@127.0.0.1", "--sname", "gus"],
                "--sname and --name cannot be combined: they are for this host and for other hosts\n",
            ),
            (
                ["--sname", "gus", "--listen", "127.0.0.1"],
                "--listen and --port need a long name\nhint: use --name NAME@ADDRESS\n",
            ),
            (
                ["--name", "gus@127.0.0.1", "--port", "0"],
                f"argument --port: '0' is not a port: a number from 1 to 65535\n{USAGE}",
            ),
            (
                ["--name", "gus@192.0.2.7", "--port", "5000"],
                "cannot listen on 192.0.2.7 port 5000: Cannot assign requested address\n",
            ),
        ],
    )
    def test_wrong_options_are_refused_in_one_line(self, words: list[str], message: str, host: Host) -> None:
        done = host.run(*words, "-e", "1")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"pyx: {message}")

    def test_long_name_in_use_is_refused(self, epmd: dict[str, str], lone_host: Host) -> None:
        holder = shell(lone_host, "gus@127.0.0.1", **epmd)
        second = lone_host.run("--name", "gus@127.0.0.1", "-e", "1", stdin="", cwd=None, **epmd)
        assert (second.returncode, second.stderr) == (3, "pyx: the name gus is in use by another node\n")
        holder.close()


def test_pyx_names_lists_nodes_with_short_names(lone_host: Host) -> None:
    no_epmd = {"ERL_EPMD_PORT": free_port()}
    short = lone_host.shell("short")
    done = names(lone_host, no_epmd)
    assert (done.stdout, done.stderr) == (f"short@vm (pid {short.pid})\n", "")
    assert names(lone_host, no_epmd, "one", "two").stderr == (
        "pyx: names takes at most one host\nhint: pyx names 10.0.0.5\n"
    )


class TestStartupWarnings:
    def test_node_that_listens_beyond_this_host_warns_with_address_and_rpc_policy(self, host: Host) -> None:
        port = free_port()
        words = ("--name", "gus@127.0.0.1", "--listen", "0.0.0.0", "--port", port, "-e", "1")
        listens = f"[warning] gus@127.0.0.1 listens on 0.0.0.0 port {port}: every node with the cookie can "
        assert host.run(*words).stderr == f"{listens}run code here\n"
        assert host.run("--rpc", "off", *words).stderr == f"{listens}send messages here\n"
        marked = host.run("--rpc", "exported", *words).stderr
        assert marked == f"{listens}call what is marked with @rpc.export here\n"

    def test_node_that_listens_on_this_host_only_warns_of_nothing(self, host: Host) -> None:
        done = host.run("--name", "gus@127.0.0.1", "--port", free_port(), "-e", "print(Node.self())")
        assert (done.stdout, done.stderr) == ("gus@127.0.0.1\n", "")

    def test_short_cookie_is_warned_about(self, host: Host) -> None:
        host.cookie_file("short", "nineteen characters")
        host.cookie_file("long", "twenty of characters")
        words = ("--sname", "gus@vm", "-e", "1", "--cookie-file")
        warning = (
            "[warning] the length of the cookie is 19; one under 20 can be guessed: "
            "let pyx make it (~/.pyx.cookie)\n"
        )
        assert host.run(*words, "short").stderr == warning
        assert host.run(*words, "long").stderr == ""


def test_node_with_a_short_name_imports_nothing_for_tcp(host: Host) -> None:
    code = (
        "import sys\n"
        "print([name for name in ('cryptography', 'pyx.wire.handshake.tls', 'pyx.net.tcp_carrier',"
        " 'pyx.net.epmd_client') if name in sys.modules])"
    )
    done = host.run("--sname", "light@vm", "-e", code)
    assert (done.stdout, done.stderr) == ("[]\n", "")
