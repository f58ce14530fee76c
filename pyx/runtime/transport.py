"""The network side of a node, on the transport thread: listens, dials, attaches connections to the kernel's
peers, ticks.

Not here: bytes and sockets (`net`), decisions (`core`).
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import random
import time
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.execution.node_log import log
from pyx.execution.slots import LockSlot
from pyx.net.connection import CLOSED_HERE, Connection
from pyx.net.cookie import given_cookie
from pyx.net.directory import HostDirectory
from pyx.net.directory_log import DirectoryLog
from pyx.net.endpoint import Arrival, Endpoint
from pyx.net.unix_carrier import UnixCarrier
from pyx.runtime.drain_timeout import GOODBYE_SECONDS
from pyx.runtime.lag import EVERY_SECONDS, Lag
from pyx.runtime.rate_limited_log import AcceptFailures
from pyx.runtime.seeding import Seeding
from pyx.runtime.shutdown import Shutdown
from pyx.terms import Incarnation
from pyx.wire.frames.reassembly import node_budget
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.handshake.machine import HUNG_UP
from pyx.wire.handshake.proof import key_from_cookie

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.core.peers import Peer
    from pyx.net.carrier import Carrier
    from pyx.net.cookie import Cookie
    from pyx.net.name_claim import NameClaim
    from pyx.net.seeds import Seed
    from pyx.net.tcp_carrier import TcpCarrier
    from pyx.options import NodeOptions
    from pyx.runtime.dispatch import Dispatch
    from pyx.runtime.rate_limited_log import RateLimitedLog
    from pyx.signals import Signal
    from pyx.wire.handshake.machine import Status


_SHORT_COOKIE: Final = 20
"""Characters: fewer can be guessed, by an impostor whom one node dialled once, however long a try takes."""

_MAY: Final = {
    "open": "whoever holds the cookie can run code here",
    "exported": "whoever holds the cookie can call what is marked with @rpc.export here",
    "off": "whoever holds the cookie can send messages here",
}
"""What a node that is reached from other hosts says at its start, by its policy."""


class Transport:
    """What makes a process a node: claims the name, listens from `open` on.

    Args:
        dispatch: of the node.
        limited_log: for connections that are refused.
        name: the full name.
        creation: of this life.
        options: of the node; its `long`, `listen`, `port` and `hidden` are used here.
        cookie: for all peers that have none of their own (`set_cookie`).
        hosts_are_one: see `LocalNode`.
        seeds: nodes to dial of its own accord.

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
        hosts_are_one: bool = False,
        seeds: Sequence[Seed] = (),
    ) -> None:
        self._dispatch = dispatch
        self._limited_log = limited_log
        self._max_message_bytes = options.max_message_bytes
        self._incarnation = Incarnation(name, creation)
        self._hidden = options.hidden
        self.cookie = cookie
        self.cookies = {cookie.text}
        """All that were ever in force here, towards one peer too: what is written down must not show them."""
        self._key = _key(cookie.text)
        self._keys: dict[str, bytes] = {}
        self._claim: NameClaim | None = None
        self._directory: HostDirectory | None = None
        self._upkeep = DirectoryLog(name)
        self._beyond: TcpCarrier | None = None
        self._carrier: Carrier
        if not options.long:
            directory = self._directory = HostDirectory.of_this_user()
            self._claim = directory.claim(name, creation, os.getpid())
            self._carrier = UnixCarrier(directory, self._claim, hosts_are_one=hosts_are_one)
        else:
            from pyx.net.tcp_carrier import TcpCarrier  # with TLS and cryptography, which nobody else needs

            self._beyond = self._carrier = TcpCarrier(
                name,
                hidden=options.hidden,
                listen=options.listen,
                port=options.port,
                trouble=log.warning,
            )
        self._endpoint: Endpoint | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._seeding = Seeding(dispatch, seeds, name) if seeds else None
        self._reassembly_budget = node_budget(self._max_message_bytes)
        self.lag = Lag(time.monotonic())
        self._links: dict[Connection, str] = {}
        self._cut_off: frozenset[str] = frozenset()
        self._delay: Callable[[], float] | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._measuring: asyncio.TimerHandle | None = None
        self._opened = LockSlot()
        self._failure: BaseException | None = None
        self._is_closing = False
        self._told: float | None = None
        """When this node was told to end, if it was."""
        self._all_gone = LockSlot()
        self._dial_ended = LockSlot()
        self._accept_failures = AcceptFailures()

    # ------------------------------------------------------------ from the node

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
        """Returns when this process is a node.

        Raises:
            NameTaken, PyxError: it cannot become one: the socket cannot be bound, there is no EPMD, ...
            KeyboardInterrupt: Ctrl-C; and what the handlers of other signals raise.
        """
        try:
            self._opened.wait(None)
        except BaseException:
            self._dispatch.transport_loop.call(self._opening.cancel)
            self._opened.wait_through(GOODBYE_SECONDS)
            raise
        if self._failure is not None:
            raise self._failure

    async def _open(self, tick_period: float) -> None:
        self._endpoint = Endpoint(self._incarnation, hidden=self._hidden, owner=self, carrier=self._carrier)
        await self._endpoint.listen()
        self._loop = asyncio.get_running_loop()
        # With the endpoint there, as the kernel may ask for a dial from now on; before anyone is let in.
        with self._dispatch.kernel_call as kernel:
            kernel.node_started(*self._incarnation, hidden=self._hidden)
        self._endpoint.accept()
        if self._beyond is not None and self._beyond.is_beyond_this_host:
            log.warning(
                "%s listens on %s port %d: %s",
                self._incarnation.name,
                self._beyond.address,
                self._beyond.port,
                _MAY[self._dispatch.kernel.tables.policy],
            )
        self._tick(tick_period)
        self._measure()
        if self._seeding is not None:
            self._seeding.start()

    def close(self) -> None:
        """Says goodbye, waits while the peers take what is queued, closes everything, and gives the name up.

        What is dropped is logged.  See `drain_timeout.py` for how long that takes.
        """
        departure = Shutdown(self._incarnation.name, lambda: self._told)
        departure.wait_for_dials(
            lambda: self._dispatch.transport_loop.call(self._waiting_messages), self._dial_ended
        )
        if not self._dispatch.transport_loop.call(self._begin_close):
            departure.wait_for_links(self._links, self._all_gone)
        closed = LockSlot()
        self._dispatch.transport_loop.call(self._end_close, closed)
        closed.wait_through(GOODBYE_SECONDS)
        if self._claim is not None:  # its door has done so, unless the loop stands still
            self._claim.release()

    def hurry(self) -> None:
        """The node was told to end: a close waits a bounded time from now on; any thread."""
        if self._told is None:
            self._told = time.monotonic()

    def _begin_close(self) -> bool:
        for timer in (self._ticking, self._measuring):
            if timer is not None:
                timer.cancel()
        if self._seeding is not None:
            self._seeding.stop()
        self._is_closing = True
        for name, count in self._waiting_messages().items():
            log.warning("messages for %s are dropped (%d): the dial to it was given up", name, count)
        with self._dispatch.kernel_call as kernel:
            kernel.node_stopped()
        return not self._links

    def _waiting_messages(self) -> dict[str, int]:
        with self._dispatch.kernel_call as kernel:
            return kernel.mesh.signals_waiting()

    def _end_close(self, closed: LockSlot) -> None:
        for link in list(self._links):
            link.close(gracefully=False)
        if self._endpoint is not None:
            # The loop keeps only weak references to tasks; this one is short, and kept here until it is done.
            self._closing = asyncio.get_running_loop().create_task(self._endpoint.close())
            self._closing.add_done_callback(lambda _: closed.wake())

    def look_at_dial(self, name: str) -> None:
        """The dial to that node is wanted, or no longer wanted; any thread.

        Two that say so may change places: it is the kernel that is asked, when the loop's turn comes.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._look_at_dial, name)

    def _look_at_dial(self, name: str) -> None:
        assert self._endpoint is not None
        with self._dispatch.kernel_call as kernel:
            number = kernel.mesh.dialling(name)
        self._endpoint.dial(name, number)
        if number is None and self._seeding is not None:
            self._seeding.dial_failed(name, "the dial was given up")

    def set_cookie(self, text: str, peer: str | None) -> None:
        """The cookie for one peer, or for all that have none of their own; for handshakes from now on.

        Raises PyxError if it cannot be one.
        """
        cookie = given_cookie(text)
        self.cookies.add(cookie.text)
        key = _key(cookie.text)  # slow for a weak cookie, on purpose: on the caller's thread
        if peer is None:
            self.cookie, self._key = cookie, key
        else:
            self._keys[peer] = key

    # ------------------------------------------------------------ a bad network, for scenarios alone

    def cut_off(self, names: frozenset[str]) -> None:
        """Nothing passes between this node and these until the next call: links stand still, dials hang.

        What was under way arrives when the cut is over, unless the silence has ended the session by then: as
        over TCP.
        """
        self._dispatch.transport_loop.call(self._cut, names)

    def _cut(self, names: frozenset[str]) -> None:
        self._cut_off = names
        assert self._endpoint is not None
        self._endpoint.unreachable = names
        for link, name in self._links.items():
            if name in names:
                link.hold()
            else:
                link.release()

    def delay_frames(self, delay: Callable[[], float]) -> None:
        """Lets each link stand still for a while after each read: *delay* gives the seconds."""
        self._delay = delay

    def _go_on(self, link: Connection) -> None:
        if self._links.get(link) not in self._cut_off:
            link.release()

    # ------------------------------------------------------------ net.listener.Owner, on the loop

    def key_for(self, name: str) -> bytes:
        """See `Owner`."""
        return self._keys.get(name, self._key)

    def claimed(self, name: str, creation: int, *, hidden: bool) -> tuple[Status, object]:
        """See `Owner`."""
        now = time.monotonic()
        with self._dispatch.kernel_call as kernel:
            verdict = kernel.mesh.peer_claimed(name, creation, hidden=hidden, now=now)
            return ("ok" if verdict.kind == "accept" else verdict.kind), verdict.peer

    def established(self, arrival: Arrival) -> None:
        """See `Owner`."""
        peer: Peer | None
        if arrival.dialled:
            now = time.monotonic()
            with self._dispatch.kernel_call as kernel:
                verdict = kernel.mesh.peer_up(arrival.name, arrival.creation, hidden=arrival.hidden, now=now)
                peer = verdict.peer if verdict.kind == "accept" else None
            if peer is None:
                arrival.stream.close()
                return
        else:
            peer = arrival.handle  # type: ignore[assignment]
            assert peer is not None
        self._attach(peer, arrival)

    def _attach(self, peer: Peer, arrival: Arrival) -> None:

        def signals_came(signals: list[Signal]) -> None:
            now = time.monotonic()
            with self._dispatch.kernel_call as kernel:
                kernel.signals_received(peer, signals, now)
            if self._delay is not None:
                link.hold()
                asyncio.get_running_loop().call_later(self._delay(), self._go_on, link)

        def lost(reason: str) -> None:
            self._links.pop(link, None)
            peer.connection = None  # its buffer is free at once
            if link.is_closing and (unsent := link.unsent_bytes):
                why = "it did not take them in time" if reason == CLOSED_HERE else reason
                log.warning("%s bytes for %s are dropped: %s", f"{unsent:,}", arrival.name, why)
            now = time.monotonic()
            with self._dispatch.kernel_call as kernel:
                kernel.mesh.peer_lost(peer, reason, now)
            if self._seeding is not None and arrival.name not in self._links.values():
                self._seeding.node_down(arrival.name)
            if self._is_closing and not self._links:
                self._all_gone.wake()

        there = Incarnation(arrival.name, arrival.creation)
        link = Connection(
            asyncio.get_running_loop(),
            arrival.stream,
            SignalStream(
                self._incarnation,
                there,
                max_payload_bytes=self._max_message_bytes,
                budget=self._reassembly_budget,
            ),
            peer.out,
            signals_came,
            lost,
            trouble=functools.partial(log.error, "%s: %s", arrival.name),
            first=arrival.first,
        )
        self._links[link] = arrival.name
        peer.connection = link
        if arrival.name in self._cut_off:
            link.hold()
        if self._seeding is not None:
            self._seeding.node_up(arrival.name)
        link.start(arrival.trailing)
        self._dial_ended.wake()
        if peer.state == "gone":  # lost between the verdict and here, when nobody could hang it up
            link.close(gracefully=False)

    def dial_failed(self, name: str, reason: str, hint: str | None) -> None:
        """See `Owner`."""
        words = f"{reason} (hint: {hint})" if hint else reason
        now, jitter = time.monotonic(), random.random()  # noqa: S311 - spreads retries
        with self._dispatch.kernel_call as kernel:
            kernel.mesh.dial_failed(name, words, now, jitter)
        self._dial_ended.wake()
        if self._seeding is not None:
            self._seeding.dial_failed(name, words)

    def connection_refused(self, reason: str) -> None:
        """See `Owner`."""
        if reason == HUNG_UP:  # of two nodes that dial each other at once, one gives its dial up: no news
            log.info("a connection was given up before its proof")
            return
        self._limited_log.write("refused connections", logging.WARNING, f"refused a connection: {reason}")

    def cannot_accept(self, number: int) -> None:
        """See `Owner`."""
        if (line := self._accept_failures.failed(number, time.monotonic())) is not None:
            log.error("%s", line)

    # ------------------------------------------------------------ ticks

    def _tick(self, period: float) -> None:
        self._ticking = asyncio.get_running_loop().call_later(period, self._tick, period)
        now = time.monotonic()
        with self._dispatch.kernel_call as kernel:
            kernel.mesh.tick(now)

    def _measure(self) -> None:
        self.lag.looked(time.monotonic())
        self._measuring = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._measure)
        self._look_after_name()

    def _look_after_name(self) -> None:
        """New nodes find this one by files, which others than pyx may remove."""
        claim, directory, endpoint = self._claim, self._directory, self._endpoint
        if claim is None or directory is None or endpoint is None or self._is_closing:
            return
        try:
            restored = claim.restore()
        except PyxError as error:
            line = self._upkeep.failed(error, directory.path)
        else:
            if restored is None:
                return
            if restored.listening is not None:
                endpoint.listen_on(restored.listening)
            line = self._upkeep.restored(restored.gone, directory.path)
        if line is not None:
            log.log(line.level, "%s", line.text)


def _key(cookie: str) -> bytes:
    """The key of a cookie; a short one is warned about."""
    if len(cookie) < _SHORT_COOKIE:
        log.warning(
            "the length of the cookie is %d; one under %d can be guessed: let pyx make it (~/.pyx.cookie)",
            len(cookie),
            _SHORT_COOKIE,
        )
    return key_from_cookie(cookie)
