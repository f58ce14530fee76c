"""The network side of a node, on the transport thread: listens, dials, attaches connections to the kernel's
peers, ticks.

See `net` for bytes and sockets.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from typing import TYPE_CHECKING, Final

from pyx.core.peers import PYX
from pyx.core.tables import NO_NODE
from pyx.execution.node_log import log
from pyx.execution.slots import LockSlot
from pyx.net.directory import HostDirectory
from pyx.net.endpoint import Endpoint
from pyx.net.unix_carrier import UnixCarrier
from pyx.runtime.cookies import Cookies
from pyx.runtime.name_files import NameFiles
from pyx.runtime.node_timers import NodeTimers
from pyx.runtime.peer_connections import PeerConnections, load_for_sessions
from pyx.runtime.rate_limited_log import AcceptFailures
from pyx.terms import Incarnation, sort_this_node_as

if TYPE_CHECKING:
    from typing import Literal

    from pyx.core.peers import Peer
    from pyx.net.arrivals import Arrival
    from pyx.net.beam_carrier import BeamCarrier
    from pyx.net.carrier import Carrier
    from pyx.net.cookie import Cookie
    from pyx.net.name_claim import NameClaim
    from pyx.net.tcp_carrier import TcpCarrier
    from pyx.options import NodeOptions
    from pyx.runtime.dispatch import Dispatch
    from pyx.runtime.fault_injection import FaultInjection
    from pyx.runtime.rate_limited_log import RateLimitedLog
    from pyx.wire.handshake.events import Status


_MAY: Final = {
    "open": "every node with the cookie can run code here",
    "exported": "every node with the cookie can call what is marked with @rpc.export here",
    "off": "every node with the cookie can send messages here",
}
"""By policy: what the log says at the start of a node that other hosts can reach."""


class Transport:
    """Makes a process a node: claims the name, and listens from `open` on.

    Args:
        dispatch: of the node.
        limited_log: for connections that are refused.
        name: the full name.
        creation: of this incarnation.
        options: of the node; its `long`, `listen`, `port`, `hidden` and `max_message_bytes` are used here.
        cookie: for all peers that have none of their own.
        erlang_cookie: the same for Erlang nodes; None: this node does not speak with them.
        hosts_are_one: see `LocalNode`.

    Raises:
        NameTaken, RuntimeDirectoryUnsafe, PyxError: the name cannot be had; nothing is left behind.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        limited_log: RateLimitedLog,
        name: str,
        creation: int,
        options: NodeOptions,
        *,
        cookie: Cookie,
        erlang_cookie: Cookie | None = None,
        hosts_are_one: bool = False,
    ) -> None:
        self._dispatch = dispatch
        self._limited_log = limited_log
        self._incarnation = Incarnation(name, creation)
        self._hidden = options.hidden
        self.cookies = Cookies(cookie, erlang_cookie)
        self._claim: NameClaim | None = None
        self._tcp: TcpCarrier | None = None
        self._carrier: Carrier
        name_files: NameFiles | None = None
        if not options.long:
            directory = HostDirectory.of_this_user()
            self._claim = directory.claim(name, creation, os.getpid())
            self._carrier = UnixCarrier(directory, self._claim, hosts_are_one=hosts_are_one)
            name_files = NameFiles(directory, self._claim, name)
        else:
            # With TLS, which a short name does not need.
            from pyx.net.tcp_carrier import TcpCarrier

            self._tcp = self._carrier = TcpCarrier(
                name,
                hidden=options.hidden,
                listen=options.listen,
                port=options.port,
                registers=not options.beam,
                trouble=log.warning,
            )
        self._beam: BeamCarrier | None = None
        if options.beam:
            from pyx.net.beam_carrier import BeamCarrier  # not loaded by nodes without --beam
            from pyx.runtime.rpc_functions import find_module
            from pyx.wire.beam.modules import ERPC

            find_module(ERPC)  # what calls of Erlang nodes run: under --rpc exported a call imports nothing
            self._beam = BeamCarrier(
                self._incarnation, beyond=options.beam_insecure, own=self._tcp, trouble=log.warning
            )
        self._endpoint: Endpoint | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections = PeerConnections(dispatch, self._incarnation, options.max_message_bytes)
        self._faults: FaultInjection | None = None
        self._timers = NodeTimers(dispatch, name_files)
        self.lag, self.ages = self._timers.lag, self._timers.ages
        self._opened = LockSlot()
        self._failure: BaseException | None = None
        self._hurried_at: float | None = None
        """When this node was told to end (monotonic seconds), if it was."""
        self._dial_ended = LockSlot()
        self._accept_failures = AcceptFailures()

    # ------------------------------------------------------------ from the node

    @property
    def speaks_with_erlang(self) -> bool:
        """True for a node that is started with `--beam`."""
        return self._beam is not None

    def open(self, tick_period: float) -> None:
        """Begins to listen; `wait_until_open` returns when the kernel has its name.

        Args:
            tick_period: seconds between two ticks.
        """

        def begin() -> None:
            self._opening = asyncio.get_running_loop().create_task(self._open(tick_period))
            self._opening.add_done_callback(self._opening_ended)

        self._dispatch.transport_loop.call(begin)

    def _opening_ended(self, task: asyncio.Task[None]) -> None:
        self._failure = None if task.cancelled() else task.exception()
        self._opened.wake()

    def wait_until_open(self) -> None:
        """Waits until this process is a node.

        Raises:
            NameTaken, PyxError: it cannot become one: the socket cannot be bound, there is no EPMD, ...
            KeyboardInterrupt: Ctrl-C; and what the handlers of other signals raise.
        """
        try:
            self._opened.wait(None)
        except BaseException:
            from pyx.runtime.shutdown import GOODBYE_SECONDS  # no part of a start

            self._dispatch.transport_loop.call(self._opening.cancel)
            self._opened.wait_through(GOODBYE_SECONDS)
            raise
        if self._failure is not None:
            raise self._failure

    async def _open(self, tick_period: float) -> None:
        self._endpoint = Endpoint(
            self._incarnation, hidden=self._hidden, owner=self, carrier=self._carrier, beam=self._beam
        )
        await self._endpoint.listen()
        self._loop = asyncio.get_running_loop()
        # With the endpoint there, as the kernel may ask for a dial from now on; before anything comes in.
        with self._dispatch.kernel_call as kernel:
            kernel.node_started(*self._incarnation, hidden=self._hidden)
        sort_this_node_as(*self._incarnation)
        self._endpoint.accept()
        if self._tcp is not None and self._tcp.is_beyond_this_host:
            log.warning(
                "%s listens on %s port %d: %s",
                self._incarnation.name,
                self._tcp.address,
                self._tcp.port,
                _MAY[self._dispatch.kernel.tables.policy],
            )
        if self._beam is not None:
            log.warning(
                "%s speaks with Erlang nodes on %s port %d, in clear: any node with their cookie can %s here",
                self._incarnation.name,
                self._beam.address,
                self._beam.port,
                _MAY[self._dispatch.kernel.tables.policy].partition(" can ")[2].removesuffix(" here"),
            )
        self._timers.start(tick_period, self._endpoint)

    def close(self) -> None:
        """Sends a goodbye, waits while the peers accept what is queued, closes everything and frees the name.

        Dropped messages are logged.  See `shutdown.py` for how long that takes.
        """
        from pyx.runtime.shutdown import GOODBYE_SECONDS, Shutdown  # no part of a start

        shutdown = Shutdown(self._incarnation.name, lambda: self._hurried_at)
        shutdown.wait_for_dials(
            lambda: self._dispatch.transport_loop.call(self._waiting_messages), self._dial_ended
        )
        if not self._dispatch.transport_loop.call(self._begin_close):
            shutdown.wait_for_connections(self._connections.node_of, self._connections.all_ended)
        closed = LockSlot()
        self._dispatch.transport_loop.call(self._end_close, closed)
        closed.wait_through(GOODBYE_SECONDS)
        if self._claim is not None:  # its carrier has done so, unless the loop is blocked
            self._claim.release()

    def change_tick(self, tick_period: float) -> None:
        """Ticks every *tick_period* seconds from now on; any thread."""
        self._dispatch.transport_loop.soon(lambda: self._timers.change_period(tick_period))

    def hurry(self) -> None:
        """Bounds the time that a close waits from now on, as the node was told to end; any thread."""
        if self._hurried_at is None:
            self._hurried_at = time.monotonic()

    def _begin_close(self) -> bool:
        self._timers.stop()
        self._connections.is_closing = True
        for name, count in self._waiting_messages().items():
            log.warning("messages for %s are dropped (%d): the dial to it was given up", name, count)
        with self._dispatch.kernel_call as kernel:
            kernel.node_stopped()
        sort_this_node_as(NO_NODE, 0)
        return not self._connections

    def _waiting_messages(self) -> dict[str, int]:
        with self._dispatch.kernel_call as kernel:
            return kernel.sessions.signals_waiting()

    def _end_close(self, closed: LockSlot) -> None:
        for connection in self._connections:
            connection.close(gracefully=False)
        if self._endpoint is not None:
            # The loop keeps only weak references to tasks; this one is short, and kept here until it is done.
            self._closing = asyncio.get_running_loop().create_task(self._endpoint.close())
            self._closing.add_done_callback(lambda _: closed.wake())

    def look_at_dial(self, name: str) -> None:
        """Begins or ends the dial to a node, as the kernel wants it; any thread.

        Two calls may change places, so the kernel is asked on the loop.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._look_at_dial, name)

    def _look_at_dial(self, name: str) -> None:
        assert self._endpoint is not None
        with self._dispatch.kernel_call as kernel:
            number = kernel.sessions.dialling(name)
        self._endpoint.dial(name, number)

    @property
    def faults(self) -> FaultInjection:
        """Makes this node's network bad, for scenarios; only of an open node."""
        if self._faults is None:
            from pyx.runtime.fault_injection import FaultInjection  # for scenarios alone

            assert self._endpoint is not None
            self._faults = FaultInjection(self._dispatch.transport_loop, self._connections, self._endpoint)
            self._connections.faults = self._faults
        return self._faults

    # ------------------------------------------------------------ the owner of the endpoint, on the loop

    def key_for(self, name: str) -> bytes:
        """See `Owner`."""
        return self.cookies.key_for(name)

    def erlang_cookie_for(self, name: str) -> bytes:
        """See `Owner`."""
        return self.cookies.erlang_cookie_for(name)

    def preview(self, name: str) -> Literal["ok", "ok_simultaneous", "nok", "alive"]:
        """See `Owner`."""
        with self._dispatch.kernel_call as kernel:
            answer = kernel.sessions.preview(name)
            peer = kernel.tables.peers.get(name)
        connection = None if peer is None else peer.connection
        if answer != "alive" or connection is None or not connection.is_at_its_end():
            return answer
        with self._dispatch.kernel_call as kernel:  # C nodes give up when they hear `alive`
            answer = kernel.sessions.preview(name)
        return "ok" if answer == "alive" else answer  # the lock of a connection that ends may still be taken

    def claimed(self, name: str, creation: int, *, hidden: bool, dialect: str = PYX) -> tuple[Status, object]:
        """See `Owner`."""
        load_for_sessions()
        now = time.monotonic()
        with self._dispatch.kernel_call as kernel:
            decision = kernel.sessions.peer_claimed(name, creation, hidden=hidden, now=now, dialect=dialect)
            return ("ok" if decision.kind == "accept" else decision.kind), decision.peer

    def established(self, arrival: Arrival) -> None:
        """See `Owner`."""
        load_for_sessions()
        peer: Peer | None
        if arrival.dialled:
            now = time.monotonic()
            with self._dispatch.kernel_call as kernel:
                decision = kernel.sessions.peer_up(
                    arrival.name, arrival.creation, hidden=arrival.hidden, now=now, dialect=arrival.dialect
                )
                peer = decision.peer if decision.kind == "accept" else None
            if peer is None:
                arrival.stream.close()
                return
        else:
            peer = arrival.handle  # type: ignore[assignment]
            assert peer is not None
        self._connections.attach(peer, arrival)
        self._dial_ended.wake()

    def dial_failed(self, name: str, reason: str, hint: str | None) -> None:
        """See `Owner`."""
        words = f"{reason} (hint: {hint})" if hint else reason
        now, jitter = time.monotonic(), random.random()  # noqa: S311 - spreads retries
        with self._dispatch.kernel_call as kernel:
            kernel.sessions.dial_failed(name, words, now, jitter)
        self._dial_ended.wake()

    def connection_refused(self, reason: str) -> None:
        """See `Owner`."""
        from pyx.wire.handshake.failure_texts import (  # loaded with the first handshake
            HUNG_UP,
            HUNG_UP_IN_TLS,
        )

        # Of two nodes that dial each other at once, one gives its dial up, which needs no log line.
        if reason in {HUNG_UP, HUNG_UP_IN_TLS}:
            log.info("a connection was given up before its proof")
            return
        self._limited_log.write("refused connections", logging.WARNING, f"refused a connection: {reason}")

    def cannot_accept(self, number: int) -> None:
        """See `Owner`."""
        if (line := self._accept_failures.failed(number, time.monotonic())) is not None:
            log.error("%s", line)
