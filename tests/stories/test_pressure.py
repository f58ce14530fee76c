"""Back-pressure of a node that is frozen or slow: its senders wait, nothing is lost, memory is bounded.

`tests/net/test_stall.py` tests when a peer that reads nothing is disconnected, and
`tests/runtime/test_mailbox_limits.py` tests mailboxes that grow.
"""

from __future__ import annotations

import ast
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pyx.wire.codec import encode
from tests.net.test_slow_connections import kib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.host import Host
    from tests.stories.terminal import Shell

MIB = 1024 * 1024
MESSAGE = 100_000
HEADING = 200
"""The largest size of a message beyond its bytes."""

MAX_GROWTH = 24 * MIB
"""Of twenty senders, with their threads: each has a new message, an encoded one, and a queued one."""

SENDING = """\
from pyx.errors import NodeBusy
there = ("server", "b@vm")
def message(number):
    return number, bytes({size})
def send_for_ever(number):
    while True:
        send(there, message(number))
async def send_until_busy():
    number = 0
    try:
        while True:
            send(there, message(number))
            number += 1
    except NodeBusy as busy:
        return number, busy.queued, str(busy), busy.hint
async def one_more(number, caller):
    await aio.send(there, message(number))
    send(caller, "went on")
"""


def define(shell: Shell, source: str) -> None:
    """Types the definitions of *source*, each as a block of its own."""
    for node in ast.parse(source).body:
        block = ast.get_source_segment(source, node) or ""
        shell.type(block + ("\n" if "\n" in block else ""))


def value(shell: Shell, code: str) -> Any:
    """Types *code*; returns the shown value."""
    return ast.literal_eval(shell.type(code))


@pytest.fixture
def two(host: Host) -> Iterator[tuple[Shell, Shell]]:
    """A sender with a long tick time, and the receiver, whose shell is registered as `server`."""
    sender, server = host.shell("a", "--tick", "600"), host.shell("b")
    server.type('Process.register(self(), "server")')
    sender.type('Node.connect("b@vm")')
    define(sender, SENDING.format(size=MESSAGE))
    yield sender, server
    sender.close()
    server.close()


def memory(shell: Shell) -> int:
    """Returns the resident bytes of a shell; 0 on other systems than Linux."""
    return 1024 * kib(shell.pid, "VmRSS") if sys.platform == "linux" else 0


def freeze(shell: Shell) -> None:
    """Stops a shell: it reads nothing any more, and its sockets fill up."""
    shell.freeze()


def go_on(shell: Shell) -> None:
    shell.kill(signal.SIGCONT)


QUEUED = 'Node.info()["queued_bytes"]["b@vm"]'
"""A little less than when the last sender was suspended: the socket has still accepted some."""


def receive_all(sender: Shell, server: Shell) -> None:
    """Continues *server* until it has all messages; binds `got` there to their numbers, in order."""
    go_on(server)
    sender.comes_to('Node.info()["queued_bytes"]', "{}")
    assert value(sender, 'Node.ping("b@vm")') == "pong"
    _, count = value(server, 'Process.info(self(), "message_queue_len")')
    server.type(f"got = [receive()[0] for _ in range({count})]")


def test_shell_suspended_by_a_busy_node_says_why_and_ctrl_c_ends_the_wait(two: tuple[Shell, Shell]) -> None:
    sender, server = two
    freeze(server)
    sender.enter("for number in range(1000): send(there, message(number))\n")
    warning = sender.sees("[warning] waiting: b@vm is busy, ")
    assert warning.endswith(" MiB queued (Ctrl-C stops waiting; the message is already queued)")
    sender.blocks()
    assert sender.interrupt().endswith("KeyboardInterrupt")
    assert MIB / 2 < value(sender, QUEUED) < MIB + MESSAGE + HEADING

    # With nosuspend the sender does not wait, and nothing is queued.
    sender.type('while send(there, message(number + 1), nosuspend=True) == "ok": number += 1\n')
    assert MIB <= value(sender, f"before = {QUEUED}; before") < MIB + MESSAGE + HEADING
    assert value(sender, 'send(there, "x", nosuspend=True)') == "nosuspend"
    assert value(sender, 'await aio.send(there, "x", nosuspend=True)') == "nosuspend"
    assert value(sender, f"before == {QUEUED}") is True

    receive_all(sender, server)
    sent = value(sender, "number") + 1
    assert value(server, "len(got), got == list(range(len(got)))") == (sent, True)


def test_each_suspended_sender_has_one_message_above_the_high_water_mark(two: tuple[Shell, Shell]) -> None:
    sender, server = two
    before = memory(sender)
    freeze(server)
    sender.type("pids = [spawn(send_for_ever, number) for number in range(20)]")
    sender.comes_to('{Process.info(pid, "status")[1] for pid in pids}', "{'waiting'}")
    assert MIB / 2 < value(sender, QUEUED) < MIB + 20 * (MESSAGE + HEADING)
    assert memory(sender) - before < MAX_GROWTH
    sender.type('for pid in pids: Process.exit(pid, "kill")\n')
    assert MIB / 2 < value(sender, QUEUED) < MIB + 20 * (MESSAGE + HEADING)
    receive_all(sender, server)
    assert value(server, "sorted(set(got)) == list(range(20))") is True


def test_coroutines_get_node_busy_at_16_mib_or_await_aio_send(two: tuple[Shell, Shell]) -> None:
    sender, server = two
    freeze(server)
    count, queued, text, hint = value(sender, "await send_until_busy()")
    assert 16 * MIB < queued <= 16 * MIB + MESSAGE + HEADING
    assert text == f"b@vm is busy, {queued / MIB:.1f} MiB queued"
    assert "await aio.send(...)" in hint
    assert value(sender, f"{QUEUED} <= {queued}") is True  # the refused message is not queued

    sender.type(f"waits = spawn(one_more, {count}, self())")
    sender.comes_to('Process.info(waits, "status")[1]', "'waiting'")
    assert value(sender, 'Process.info(self(), "message_queue_len")') == ("message_queue_len", 0)

    go_on(server)
    assert value(sender, "receive()") == "went on"
    receive_all(sender, server)
    assert value(server, f"got.remove({count}); got == list(range({count}))") is True
    assert sender.type("flush()") == ""


def test_message_that_is_too_long_for_its_receiver_is_dropped_and_logged_on_both_nodes(
    lone_host: Host,
) -> None:
    small, large = lone_host.shell("small", "--max-message", "1"), lone_host.shell("large")
    small.type('Process.register(self(), "server")')
    limit = "at most 1,048,576 are allowed (--max-message)"

    # The sender logs it; the connection stays.
    large.type('Node.connect("small@vm")')
    large.type('send(("server", "small@vm"), "before"); _ = send(("server", "small@vm"), bytes(3_000_000))')
    large.type('send(("server", "small@vm"), "after")')
    got = small.type("receive(), receive()")
    assert got.startswith(
        "[warning] dropped a message from large@vm to #PID<0.1.0> that cannot be read: too "
    )
    assert got.endswith("('before', 'after')")
    large.sees(
        "[warning] small@vm dropped a message for #PID<1.1.0> that it cannot read: too long: "
        f"{len(encode(bytes(3_000_000))):,} "
    )
    assert value(small, 'Process.info(self(), "undecodable")') == ("undecodable", 1)
    called = large.type('rpc.call("small", "builtins", "len", [bytes(2_000_000)])')
    length = len(encode(("builtins", "len", [bytes(2_000_000)])))
    assert called == f"RemoteError: DecodeError: too long: {length:,} bytes, {limit}\non small@vm"
    assert value(large, "Node.list()") == ["small@vm"]

    # A message above the limit of the sender's own node is not sent at all.
    refused = small.type('send(("server", "large@vm"), bytes(1_048_576))')
    assert refused.replace("\n", "").startswith(
        "EncodeError: cannot send message: <class 'bytes'> is too long: at least "
        f"{len(encode(bytes(1_048_576))):,} bytes, at most "
        "1,048,576 are allowed (--max-message)"
    )
