"""An impostor accepts in the place of bob, with another certificate and one error in the handshake.

gus, which dials, refuses it, logs the reason, and keeps no resources.  The impostor is in `impostor.py`;
`test_white_box.py` tests a dialler with an error.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

import pytest

from pyx.net.arrivals import Arrival
from pyx.wire.handshake.hello import DIALLER, PROTOCOL_VERSION, pack_hello
from tests.local_nodes import until
from tests.net.endpoint_nodes import DialFailed
from tests.net.impostor import (
    BOB,
    HELLO,
    Impostor,
    bob_with,
    framed,
    stops,
    with_decision,
    with_hello,
    with_older_tls,
)
from tests.net.test_tcp_carrier import Net, net, short_timeout
from tests.net.test_white_box import descriptors

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["net", "short_timeout"]  # fixtures


HUNG_UP: Final = "it hung up"
LATE: Final = "it did not answer within 0.3 s"
COOKIE: Final = f"the cookie of {BOB} differs from ours"
NONSENSE: Final = "its decision is malformed"


WHOLE: Final = framed(pack_hello(HELLO))

WRONG: Final[dict[str, tuple[Callable[[], Impostor], str]]] = {
    "tls of an old version": (with_older_tls, "it does not speak TLS 1.3"),
    "hello with a wrong tag": (lambda: with_hello(lambda _: b"\0\1x"), "it does not speak pyx's protocol"),
    "hello that is empty": (lambda: with_hello(lambda _: b"\0\0"), "it does not speak pyx's protocol"),
    "hello cut short": (lambda: with_hello(lambda _: framed(WHOLE[2:-3])), "its hello is cut short"),
    "hello too long": (
        lambda: with_hello(lambda _: framed(WHOLE[2:] + b"more")),
        "its hello is 4 bytes too long",
    ),
    "hello over the limit": (
        lambda: with_hello(lambda _: b"\xff\xff"),
        "it announced a frame of 65535 bytes; the limit is 1024",
    ),
    "hello with a name that is not text": (
        lambda: with_hello(lambda _: WHOLE.replace(b"bob", b"b\xffb")),
        "its hello holds a name that is not ASCII",
    ),
    "hello with another name": (
        lambda: bob_with(name="cat@127.0.0.2"),
        f"it is called cat@127.0.0.2, not {BOB}",
    ),
    "hello with my own name": (lambda: bob_with(name="gus@127.0.0.1"), "it has this node's own name"),
    "hello of an old version": (
        lambda: bob_with(lowest=0, highest=0),
        f"it speaks pyx protocol 0, this node {PROTOCOL_VERSION}",
    ),
    "hello of a version to come": (
        lambda: bob_with(lowest=PROTOCOL_VERSION + 1, highest=9),
        f"it speaks pyx protocol {PROTOCOL_VERSION + 1} to 9, this node {PROTOCOL_VERSION}",
    ),
    "hello with unknown flags": (lambda: bob_with(flags=4), "it requires what this node lacks (flags 0x4)"),
    "hello without a creation": (lambda: bob_with(creation=0), "its creation is 0"),
    "hello of a dialler": (lambda: bob_with(role=DIALLER), "it sent this side's own kind of hello back"),
    "my own hello": (lambda: with_hello(framed), "it sent this side's own kind of hello back"),
    "my own nonce": (
        lambda: with_hello(lambda hello: framed(pack_hello(HELLO._replace(nonce=hello[16:48])))),
        "it sent this node's own nonce back",
    ),
    "a refusal instead of a hello": (lambda: with_hello(lambda _: b"\0\1\5"), "it refused the connection"),
    "decision with a wrong tag": (lambda: with_decision(lambda _: framed(b"\3\0" + bytes(32))), NONSENSE),
    "decision cut short": (lambda: with_decision(lambda _: framed(b"\4\0" + bytes(31))), NONSENSE),
    "decision too long": (lambda: with_decision(lambda _: framed(b"\4\0" + bytes(33))), NONSENSE),
    "decision of an unknown status": (lambda: with_decision(lambda _: framed(b"\4\3" + bytes(32))), NONSENSE),
    "decision of zeros": (lambda: with_decision(lambda _: framed(b"\4\0" + bytes(32))), COOKIE),
    "my own proof as the decision": (
        lambda: with_decision(lambda proof: framed(b"\4\0" + proof[1:])),
        COOKIE,
    ),
    "my own frame sent back": (lambda: with_decision(framed), NONSENSE),
    "decision by another cookie": (lambda: Impostor(b"o" * 32), COOKIE),
    "a refusal instead of a decision": (lambda: with_decision(lambda _: b"\0\1\5"), COOKIE),
    "end in tls": (lambda: stops("tls"), "it hung up during the TLS handshake"),
    "end after tls": (lambda: stops("hello"), HUNG_UP),
    "end in the hello": (lambda: stops("hello", 20), HUNG_UP),
    "end after the hello": (lambda: stops("decision"), HUNG_UP),
    "end in the decision": (lambda: stops("decision", 20), HUNG_UP),
}

SILENT: Final = {
    "in tls": lambda: stops("tls", silent=True),
    "after tls": lambda: stops("hello", silent=True),
    "in the hello": lambda: stops("hello", 20, silent=True),
    "after the hello": lambda: stops("decision", silent=True),
    "in the decision": lambda: stops("decision", 20, silent=True),
}


def dial_to(impostor: Impostor, net: Net) -> Arrival | DialFailed:
    """Returns the outcome of gus's dial to the impostor; no descriptor of it is left."""
    gus = net.node("gus@127.0.0.1")
    before = descriptors()
    with socket.create_server(("127.0.0.2", net.port)) as listening:
        listening.setblocking(False)
        answering = net.loop_thread.call(
            lambda: asyncio.get_running_loop().create_task(impostor.answer(listening))
        )
        outcome = gus.reaches(BOB)
        if isinstance(outcome, Arrival):
            outcome.stream.close()
        until(answering.done)
    until(lambda: not gus.endpoint._dials and descriptors() == before)
    return outcome


@pytest.mark.parametrize("what", WRONG)
def test_wrong_answer_is_not_accepted(what: str, net: Net) -> None:
    make, reason = WRONG[what]
    outcome = dial_to(make(), net)
    assert isinstance(outcome, DialFailed)
    assert outcome.reason == reason


@pytest.mark.usefixtures("short_timeout")
@pytest.mark.parametrize("where", SILENT)
def test_dial_to_a_silent_peer_is_given_up(where: str, net: Net) -> None:
    outcome = dial_to(SILENT[where](), net)
    assert isinstance(outcome, DialFailed)
    assert outcome.reason == LATE


def test_peer_with_the_key_is_accepted(net: Net) -> None:
    """The other impostors are therefore refused for their one error alone."""
    assert isinstance(dial_to(Impostor(), net), Arrival)
