"""Asks one node, for `pyx doctor NODE`: finds it, shakes hands as a hidden node without a claim, pings it.

It goes the way of a node that dials: the same sockets, the same handshake, the same frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

from pyx.doctor.host_nodes import asker, own_short_host
from pyx.doctor.node_conversation import NodeConversation
from pyx.doctor.node_facts import NodeFacts, WayStep
from pyx.errors import ProtocolError, PyxError
from pyx.net import epmd_client
from pyx.net.carrier import PlainHandshakeStream
from pyx.net.cookie import given_cookie_file, home_cookie_path, read_given_cookie, read_private_file
from pyx.net.dialects import PyxDialect
from pyx.net.directory import HostDirectory
from pyx.net.error_words import connection_broke, in_words, system_text
from pyx.net.pending_connections import is_here
from pyx.net.tcp import connect
from pyx.net.tls_stream import TlsHandshakeStream, handshake_limit
from pyx.terms import Incarnation, full_name, host_of, is_long
from pyx.wire.codec import load_for_peers
from pyx.wire.handshake.events import Established, Failed
from pyx.wire.handshake.proof import key_from_cookie
from pyx.wire.handshake.tls import TlsMachine, dialling_context

if TYPE_CHECKING:
    from typing import Literal

    from pyx.net.carrier import HandshakeStream
    from pyx.net.cookie import Cookie

_STEP_SECONDS: Final = 5.0
"""The time limit of each step, as of a dial."""


def node_facts(node: str, *, cookie_file: str | None, port: int) -> NodeFacts:
    """Returns what came of each step.

    Args:
        node: its name; without a host, of this host.
        cookie_file: as `--cookie-file`.
        port: the port of all long-named nodes, without EPMD; 0: EPMD knows it.

    Raises:
        NodeNameInvalid: *node* is not a node name.
    """
    load_for_peers()
    return asyncio.run(_asked(full_name(node, own_short_host()), cookie_file, port))


async def _asked(name: str, cookie_file: str | None, port: int) -> NodeFacts:
    facts = NodeFacts(name, WayStep(False, ""))
    try:
        async with asyncio.timeout(_STEP_SECONDS):
            target, found = await (_on_network(name, port) if is_long(host_of(name)) else _on_host(name))
    except TimeoutError:
        return facts._replace(found=WayStep(False, f"it was not found within {_STEP_SECONDS:g} s"))
    except (PyxError, OSError) as error:
        return facts._replace(found=_failed(error))
    facts = facts._replace(found=found)
    try:
        async with asyncio.timeout(_STEP_SECONDS):
            connection = await _connected(target)
    except TimeoutError:
        return facts._replace(reached=WayStep(False, f"it accepts no connection within {_STEP_SECONDS:g} s"))
    except (PyxError, OSError) as error:
        hint = "is it running, and does a firewall let its port through?"
        return facts._replace(reached=_failed(error)._replace(hint=hint))
    facts = facts._replace(reached=WayStep(True, f"{_shown(target)} accepts connections"))
    me = asker("127.0.0.1" if is_long(host_of(name)) else host_of(name))
    with connection:
        return await _proven(facts, me, _handshake(connection), cookie_file)


def _failed(error: Exception) -> WayStep:
    text = str(error) if isinstance(error, PyxError) else in_words(error)
    return WayStep(False, text, getattr(error, "hint", None) or "")


def _shown(target: str | tuple[str, int]) -> str:
    return target if isinstance(target, str) else f"{target[0]} port {target[1]}"


# ---------------------------------------------------------------- the way there


async def _on_host(name: str) -> tuple[str, WayStep]:
    """Returns the socket of a node with a short name."""
    if host_of(name) != own_short_host():
        msg = f"its host is not this one ({own_short_host()}), and a short name is for one host"
        raise PyxError(msg, hint="nodes of other hosts have long names: --name NAME@ADDRESS")
    directory = HostDirectory.as_it_is()
    path = directory.lookup(name)
    if path is None:
        entry = None
        with contextlib.suppress(PyxError):  # without EPMD there is no Erlang node
            entry = await epmd_client.look_up(name.partition("@")[0], epmd_client.HOME)
        if entry is not None and not entry.is_pyx:
            raise _erlang_node(entry.port)
        msg = f"no node of that name runs on this host: {directory.path} has no lock of it"
        raise PyxError(msg, hint="`pyx names` lists those that run; another PYX_RUNTIME_DIR has other nodes")
    return path, WayStep(True, f"it runs on this host, with its socket in {directory.path}")


async def _on_network(name: str, port: int) -> tuple[tuple[str, int], WayStep]:
    """Returns address and port of a node with a long name."""
    first, _, host = name.partition("@")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"the host {host!r} has no address: {system_text(error)}"
        raise PyxError(msg, hint="is it spelt as the node's own name has it?") from error
    address = str(found[0][4][0])
    at = host if host == address else f"{host} is {address}"
    if port:
        return (address, port), WayStep(True, f"{at}; port {port} is that of all nodes")
    asked = epmd_client.HOME if is_here(host) else host
    entry = await epmd_client.look_up(first, asked)
    if entry is None:
        msg = f"{at}, and EPMD there knows no node {first}"
        raise PyxError(msg, hint="`pyx names HOST` lists those that it knows")
    if not entry.is_pyx:
        raise _erlang_node(entry.port)
    return (address, entry.port_of_pyx), WayStep(True, f"{at}; EPMD there says port {entry.port_of_pyx}")


def _erlang_node(port: int) -> PyxError:
    msg = f"it is an Erlang node, at port {port}"
    return PyxError(msg, hint="start your node with --beam to reach it")


async def _connected(target: str | tuple[str, int]) -> socket.socket:
    if isinstance(target, tuple):
        return await connect(*target)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    while True:
        try:
            connection.connect(target)
        except BlockingIOError:  # its queue of connections is full
            await asyncio.sleep(0.02)
        except BaseException:
            connection.close()
            raise
        else:
            return connection


def _handshake(connection: socket.socket) -> HandshakeStream:
    if connection.family == socket.AF_UNIX:
        return PlainHandshakeStream(connection)
    return TlsHandshakeStream(connection, TlsMachine(dialling_context()), handshake_limit())


# ---------------------------------------------------------------- the proof


class _Asker:
    """What a handshake asks of this side."""

    def __init__(self, cookie: Cookie) -> None:
        self._key = key_from_cookie(cookie.text)

    def key_for(self, _name: str) -> bytes:
        """See `arrivals.Secrets`."""
        return self._key

    def erlang_cookie_for(self, _name: str) -> bytes:
        """See `arrivals.Secrets`: this is pyx's own dialect."""
        raise NotImplementedError

    def preview(self, _name: str) -> Literal["ok"]:
        """See `arrivals.Secrets`."""
        return "ok"


def _own_cookie(file: str | None) -> Cookie:
    named = given_cookie_file(file)
    if named is not None:
        return read_given_cookie(named)
    path = home_cookie_path()
    try:
        return read_private_file(path)
    except FileNotFoundError:
        msg = f"there is no cookie here yet: {path} is made at the start of a node"
        raise PyxError(msg, hint="copy that of the node, or name it: --cookie-file F") from None


async def _proven(
    facts: NodeFacts, me: Incarnation, handshake: HandshakeStream, cookie_file: str | None
) -> NodeFacts:
    try:
        async with asyncio.timeout(_STEP_SECONDS):
            dialect = PyxDialect(me, hidden=True)
            proof = await dialect.prove(facts.name, handshake, _Asker(_own_cookie(cookie_file)))
            outcome = proof.outcome
            if isinstance(outcome, Failed):
                return facts._replace(proven=WayStep(False, outcome.reason, outcome.hint or ""))
            assert isinstance(outcome, Established)
            stream, further = handshake.stream()
    except TimeoutError:
        return facts._replace(
            proven=WayStep(
                False, f"it did not answer within {_STEP_SECONDS:g} s", "is it stopped, or overloaded?"
            )
        )
    except (PyxError, ProtocolError) as error:
        return facts._replace(proven=_failed(error))
    except OSError as error:
        return facts._replace(proven=WayStep(False, connection_broke(error)))
    facts = facts._replace(proven=WayStep(True, "both nodes have proven the same cookie"))
    there = Incarnation(outcome.name, outcome.creation)
    conversation = NodeConversation(stream, me, there)
    try:
        async with asyncio.timeout(_STEP_SECONDS):
            return facts._replace(answers=await conversation.answers(proof.machine.trailing_data + further))
    except TimeoutError:
        return facts._replace(lost=f"it does not answer within {_STEP_SECONDS:g} s")
    except (PyxError, ProtocolError) as error:
        return facts._replace(lost=str(error))
    except OSError as error:
        return facts._replace(lost=connection_broke(error))
