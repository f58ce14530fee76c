"""The carrier of a node that meets other hosts (`--name`): TCP, always inside TLS 1.3.

Other nodes ask the EPMD of the host in the node's name for its port; or the port is the same on all nodes
(`--port N`), and EPMD is not used.  EPMD's answer is a hint: the handshake compares the dialled name.

The certificate is made when the first connection is accepted: `cryptography` takes 45 ms and 13 MB to load
[measured: CPU time, CPython 3.11], for which no prompt has to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.net import epmd_client, tcp
from pyx.net.addresses import address_of
from pyx.net.error_words import in_words
from pyx.net.pending_connections import is_here
from pyx.net.tls_stream import TlsHandshakeStream, handshake_limit
from pyx.terms import host_of, is_long
from pyx.wire.epmd import extra_of_pyx
from pyx.wire.handshake.tls import TlsMachine, dialling_context

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

_MIXED: Final = "it has a short name, and this node a long one (--name): the two do not mix"


class TcpCarrier:
    """The carrier of `--name`.  Made on any thread.

    Args:
        name: the full name of the node.
        hidden: True for a hidden node.
        listen: an address of this host; None: the address of the name's host part.
        port: the port of all nodes, without EPMD; 0: any port, registered with EPMD.
        registers: False if the carrier of Erlang nodes registers the name with EPMD, with both ports.
        trouble: takes a sentence about a problem of the registration.
    """

    def __init__(
        self,
        name: str,
        *,
        hidden: bool,
        listen: str | None,
        port: int,
        registers: bool = True,
        trouble: Callable[[str], None],
    ) -> None:
        self._name = name
        self._hidden = hidden
        self._listen = listen
        self._common_port = port
        self._registers = registers and not port
        self._trouble = trouble
        self._accepting: asyncio.Future[tuple[ssl.SSLContext, bytes]] | None = None
        """The TLS context with the certificate, and the certificate's hash."""
        self._dialling = dialling_context()
        self._turns = handshake_limit()
        self._registration: epmd_client.Registration | None = None
        self.address = ""
        """The address it listens on, once open."""
        self.port = port

    @property
    def is_beyond_this_host(self) -> bool:
        """True if processes of other hosts can connect."""
        return not is_here(self.address)

    async def open(self) -> socket.socket:
        """Listens, and registers the port with EPMD.

        Raises:
            NameTaken: EPMD knows a running node of that name.
            PyxError: the address is not this host's, the port is taken, or no EPMD answers.
        """
        self.address = self._listen or await address_of(host_of(self._name))
        listening = tcp.listen(self.address, self._common_port)
        self.port = listening.getsockname()[1]
        if self._registers:
            try:
                self._registration = await epmd_client.register(
                    self._name.partition("@")[0],
                    self.port,
                    hidden=self._hidden,
                    beyond=host_of(self._name) if self.is_beyond_this_host else None,
                    extra=extra_of_pyx(self.port),
                    trouble=self._trouble,
                )
            except BaseException:
                listening.close()
                raise
        return listening

    async def close(self) -> None:
        """Withdraws the registration."""
        if self._registration is not None:
            await self._registration.close()

    async def accepted(self, connection: socket.socket) -> TlsHandshakeStream:
        """See `Carrier`; the first connections wait for the certificate, which a thread makes."""
        if self._accepting is None or (self._accepting.done() and self._accepting.exception() is not None):
            thread = ThreadPoolExecutor(1, "pyx-certificate")
            self._accepting = asyncio.get_running_loop().run_in_executor(thread, _certified_context)
            thread.shutdown(wait=False)
        try:
            # One of several that wait may be cancelled: the others wait on.
            context, sha256 = await asyncio.shield(self._accepting)
        except Exception as error:  # whatever it is, the log shows it
            msg = f"no certificate could be made for it ({in_words(error)})"
            raise PyxError(msg) from error
        return TlsHandshakeStream(connection, TlsMachine(context, certificate_sha256=sha256), self._turns)

    async def connect(self, name: str) -> socket.socket:
        """Returns a connection to the node *name*; raises PyxError with the reason."""
        first, _, host = name.partition("@")
        if not is_long(host):
            raise PyxError(_MIXED)
        asked = (
            epmd_client.HOME if is_here(host) else host
        )  # all of 127.0.0.0/8 is this host, and has one EPMD
        return await tcp.connect(host, self._common_port or await self._port_of(first, asked))

    @staticmethod
    async def _port_of(first: str, asked: str) -> int:
        entry = await epmd_client.look_up(first, asked)
        if entry is None:
            from pyx.net.close_names import close_name, question  # only where a node is not found

            others: list[str] = []
            with contextlib.suppress(PyxError):
                others = [one for one, _ in await epmd_client.names(asked)]
            msg = f"EPMD on {asked} knows no node of that name{question(close_name(first, others))}"
            raise PyxError(msg)
        if not entry.is_pyx:
            raise PyxError("it is an Erlang node", hint="start this one with --beam")
        return entry.port_of_pyx

    def dialled(self, connection: socket.socket) -> TlsHandshakeStream:
        """See `Carrier`."""
        return TlsHandshakeStream(connection, TlsMachine(self._dialling), self._turns)


def _certified_context() -> tuple[ssl.SSLContext, bytes]:
    """Returns the TLS context of accepted connections with a new certificate in it, and that one's hash."""
    from pyx.net.certificate import listening_context, make_certificate

    certificate = make_certificate()
    return listening_context(certificate), certificate.sha256
