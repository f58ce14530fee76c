"""Sessions with the modules of `scenarios/`: a stock of two shells, a shop of three nodes, files of three."""

from __future__ import annotations

import re
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from tests.stories.host import SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.host import Host
    from tests.stories.terminal import Shell

NIKE = "{'name': 'nike', 'qty': 30}"
ADIDAS = "{'name': 'adidas', 'qty': 35}"


@pytest.fixture
def server(lone_host: Host) -> Shell:
    """A shell in the directory of the user's modules."""
    return lone_host.shell("server", cwd=SCENARIOS / "product_stock")


@pytest.fixture
def gus(lone_host: Host) -> Shell:
    """A shell in another directory, without these modules."""
    return lone_host.shell("gus")


def test_stock_of_one_node_is_used_by_another(server: Shell, gus: Shell) -> None:
    assert server.prompt == "pyx(server@vm)1> "
    assert server.type('pid = spawn(product_stock, "handle_stock", [[]])') == "imported product_stock"
    assert re.fullmatch(r"#PID<0\.\d+\.0>", server.type("pid"))
    assert server.type('Process.register(pid, "product_stock")') == "True"
    assert server.type(f'send("product_stock", ("add", {NIKE}))') == f"('add', {NIKE})"
    assert "'status'" in server.type('send("product_stock", "status")')
    server.sees(f"[{NIKE}]")
    assert server.prompt == "pyx(server@vm)6> "

    assert gus.prompt == "pyx(gus@vm)1> "
    assert gus.type('Node.ping("server@vm")') == "'pong'"
    assert gus.type("Node.list()") == "['server@vm']"
    assert gus.type(f'send(("product_stock", "server@vm"), ("add", {ADIDAS}))') == f"('add', {ADIDAS})"
    assert gus.type('send(("product_stock", "server@vm"), "status")') == "'status'"
    server.sees(f"[{ADIDAS}, {NIKE}]")
    server.prompt_returns()
    assert server.prompt == "pyx(server@vm)6> "

    assert gus.type('rpc.call("server@vm", "os", "getpid", [])') == str(server.pid)
    no_function = "RpcUndefined: server@vm has no function nope in module product_stock"
    assert gus.type('rpc.call("server@vm", "product_stock", "nope", [])') == no_function
    assert gus.prompt == "pyx(gus@vm)6> "
    assert gus.type('rpc.call("server@vm", "nope", "f", [])') == "RpcUndefined: server@vm has no module nope"
    assert gus.prompt == "pyx(gus@vm)6> "
    assert gus.type("product_stock") == "NameError: name 'product_stock' is not defined"

    remote = gus.type('Node.spawn("server@vm", "product_stock", "handle_stock", [[]])')
    assert re.fullmatch(r"#PID<[1-9]\d*\.\d+\.0>", remote)
    gus.type('send(_, "status")')
    gus.sees("[]")  # it runs there and prints here


def test_bare_name_gets_the_host_part_of_this_host(lone_host: Host) -> None:
    shell = lone_host.starts("--sname", "server")
    shell.prompt_returns()
    assert shell.prompt == f"pyx(server@{socket.gethostname().partition('.')[0]})1> "
    assert shell.type('Node.ping("server")') == "'pong'"


def test_replies_go_to_the_sender_of_the_request(server: Shell, gus: Shell) -> None:
    """Requests `("add", frm, product)` and `("status", frm)` have a reply and a log line each."""
    server.type('Process.register(spawn(product_stock.handle_stock, []), "product_stock")')
    assert server.type("self()") == "#PID<0.1.0>"

    added = server.type(f'send("product_stock", ("add", self(), {NIKE}))')
    assert f"('add', #PID<0.1.0>, {NIKE})" in added.split("\n")
    server.sees("#PID<0.1.0> added a new item on stock")
    server.type('_ = send("product_stock", ("status", self()))')
    server.sees("#PID<0.1.0> checked the stock")
    server.type('while Process.info(self(), "message_queue_len")[1] < 2: Process.sleep(0.01)\n')
    assert server.type('Process.info(self(), "messages")') == f"('messages', [[{NIKE}], [{NIKE}]])"
    assert server.type("flush()") == f"[{NIKE}]\n[{NIKE}]"
    assert server.type("flush()") == ""

    gus.type(f'send(("product_stock", "server@vm"), ("add", self(), {ADIDAS}))')
    assert re.fullmatch(r"#PID<[1-9]\d*\.1\.0> added a new item on stock", server.sees("added a new item"))
    assert gus.type("receive(timeout=60)") == f"[{ADIDAS}, {NIKE}]"


def test_shop_of_three_nodes(lone_host: Host, server: Shell) -> None:
    store = lone_host.shell("store", cwd=SCENARIOS / "product_stock")
    customer = lone_host.shell("customer", cwd=SCENARIOS / "product_stock")
    server.type('Process.register(spawn(product_stock, "handle_stock", [[]]), "product_stock")')

    assert store.type('Node.connect("server@vm")') == "True"
    assert store.type('pos = spawn(pos.ask, ("product_stock", "server@vm"))') == "imported pos"
    assert store.type('Process.register(pos, "pos")') == "True"
    store.type(f'send(("product_stock", "server@vm"), ("add", self(), {NIKE}))')
    assert store.type("receive(timeout=60)") == f"[{NIKE}]"
    assert re.fullmatch(r"#PID<[1-9]\d*\.1\.0> added a new item on stock", server.sees("added a new item"))

    assert customer.type('Node.connect("store@vm")') == "True"
    customer.type("while len(Node.list()) < 2: Process.sleep(0.01)\n")
    assert (
        customer.type("Node.list()") == "['server@vm', 'store@vm']"
    )  # the mesh connects it to the server, too
    customer.type('send(("pos", "store@vm"), ("ask", self(), "nike"))')
    assert customer.type("receive(timeout=60)") == f"('print', {NIKE})"
    assert re.fullmatch(r"#PID<[1-9]\d*\.1\.0> wants to know if there is nike", store.sees("wants to know"))
    server.sees("checked the stock")
    customer.type('send(("pos", "store@vm"), ("ask", self(), "puma"))')
    assert customer.type("receive(timeout=60)") == "('print', 'There is no Product puma')"

    # An empty mailbox, a stray message, and an answer to an earlier request.
    assert customer.type("pos.show_msg(timeout=0)") == "imported pos\nNo answer yet"
    customer.type('send(("pos", "store@vm"), [{"name": "puma", "qty": 1}])')
    store.sees("the store does not understand")
    customer.type('send(("pos", "store@vm"), ("ask", self(), "puma"))')
    assert customer.type("pos.show_msg()") == "There is no Product puma"


class TestFiles:
    """A file that is saved on one replica is read on the others."""

    @pytest.fixture
    def replicas(self, lone_host: Host, tmp_path: Path) -> tuple[Shell, Shell, Shell]:
        shutil.copy(SCENARIOS / "files" / "files.py", tmp_path)
        one, two, three = (lone_host.shell(name, cwd=tmp_path) for name in ("one", "two", "three"))
        two.type('Node.connect("one@vm")')
        three.type('Node.connect("one@vm")')
        return one, two, three

    def test_file_of_one_node_is_read_on_another(self, replicas: tuple[Shell, Shell, Shell]) -> None:
        one, two, three = replicas
        assert one.type('files.save("hello.txt", "saved on one")') == "imported files\n12"
        assert two.type('rpc.call("one@vm", "files", "read", ["hello.txt"])') == "'saved on one'"
        assert three.type('rpc.call("one@vm", files.names)') == "imported files\n['hello.txt']"
        assert three.type("files.names()") == "[]"
        missing = three.type('rpc.call("two@vm", "files", "read", ["hello.txt"])')
        assert missing.startswith("RemoteError: FileNotFoundError: [Errno 2] No such file or directory")
        assert "on two@vm:" in missing
        assert "files.py" in missing
        assert "/pyx/" not in missing

    def test_process_streams_a_file_to_another_node(self, replicas: tuple[Shell, Shell, Shell]) -> None:
        one, _, three = replicas
        assert one.type('files.save("big.bin", bytes(range(256)) * 4096)') == "imported files\n1048576"
        assert three.type('files.fetch("one@vm", "big.bin")') == "imported files\n1048576"
        same = '(files.ROOT / Node.self() / "big.bin").read_bytes() == bytes(range(256)) * 4096'
        assert three.type(same) == "True"
        three.type('files.fetch("two@vm", "big.bin")')
        three.sees("OSError: two@vm did not send big.bin: ")
