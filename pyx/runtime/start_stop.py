"""Start and stop of a named node, and the facts of `Node.info`.  See `transport.py` for its connections."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import importlib
import os
import secrets
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.core.peers import BEAM
from pyx.core.tables import THE_NODE
from pyx.errors import AlreadyStarted, NameTaken, NodeNameInvalid, PyxError
from pyx.execution import stdout_router
from pyx.execution.interrupts import guard_main_thread
from pyx.execution.node_log import log
from pyx.execution.thread_state import interruptible
from pyx.net.cookie import (
    given_cookie,
    given_cookie_file,
    home_cookie_path,
    read_given_cookie,
    read_home_cookie,
)
from pyx.options import MIB
from pyx.runtime import breakpoints
from pyx.runtime.transport import Transport
from pyx.terms import full_name, host_of, is_full_name, is_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.net.cookie import Cookie
    from pyx.options import NodeOptions
    from pyx.runtime.local_node import LocalNode


_MOST_OF_A_NAME: Final = 999
"""Workers of one name on a host, with `numbered`."""


def start(node: LocalNode, options: NodeOptions) -> str:
    """Makes *node* a named node and returns its full name; raises as `Node.start`."""
    if not options.numbered:
        return _start(node, options)
    first, at, host = options.name.partition("@")
    for number in range(2, _MOST_OF_A_NAME + 1):
        try:
            return _start(node, options)
        except NameTaken:
            options = dataclasses.replace(options, name=f"{first}-{number}{at}{host}")
    return _start(node, options)


def start_in_program(node: LocalNode, options: NodeOptions) -> str:
    """The same for a program, whose workers may share a name: a taken one is raised with a hint."""
    try:
        return start(node, options)
    except NameTaken as error:
        hint = "numbered=True lets the workers of a service share a name"
        raise NameTaken(error.name, error.os_pid, hint=hint) from None


def _start(node: LocalNode, options: NodeOptions) -> str:
    forbid_green_threads()
    guard_main_thread()
    breakpoints.install()
    full = _long_name(options.name) if options.long else _short_name(node, options.name)
    clusters = _clusters() if options.seeds else None
    topologies = clusters.checked_seeds(options.seeds, full) if clusters is not None else ()
    secret = _secret(options.cookie, options.cookie_file)
    erlang = _erlang_cookie(options, secret) if options.beam else None
    creation = secrets.randbelow(2**32 - 1) + 1

    with _changing(node):
        if node.kernel.tables.name:
            raise AlreadyStarted(node.kernel.tables.name)
        with node.dispatch.critical_section():
            # First: where no file descriptor is left it raises, and there is nothing to undo yet.
            node.transport_loop.start()
            node.sending.max_message_bytes = options.max_message_bytes
            # Claims a short name at once; a long one is claimed when the transport is open.
            transport = Transport(
                node.dispatch,
                node.limited_log,
                full,
                creation,
                options,
                cookie=secret,
                erlang_cookie=erlang,
                hosts_are_one=node.hosts_are_one,
            )
            node.tasks.use(options.loop)
            node.kernel.tables.set_policy(options.rpc)
            node.kernel.sessions.tick_seconds = options.tick
            node.use_transport(transport)
            _started[node] = transport
            transport.open(options.tick / 4)
        try:
            transport.wait_until_open()
        except BaseException:
            node.use_transport(None)
            node.tasks.use(None)
            _started.pop(node, None)
            transport.close()
            raise
        if clusters is not None:
            node.seeded = clusters.follow_seeds(node, topologies)
    if options.route_output:
        stdout_router.install()
    return full


def _secret(cookie: str | None, cookie_file: str | None) -> Cookie:
    """Returns the cookie, the contents of the file, or the cookie of the home directory.

    Raises:
        CookieUnsafe: other users can read the file, or own it.
        PyxError: there is no file, or no cookie in it.
    """
    if cookie is not None:
        return given_cookie(cookie)
    given = given_cookie_file(cookie_file)
    if given is None:
        return read_home_cookie(home_cookie_path())
    with interruptible():  # it may be a pipe that its writer has not opened yet
        return read_given_cookie(given)


def _erlang_cookie(options: NodeOptions, own: Cookie) -> Cookie:
    """Returns the cookie that Erlang nodes have; logs what is wrong with it.  Raises as `_secret`."""
    from pyx.net.erlang_cookie import read_erlang_cookie, weaknesses  # not loaded by nodes without --beam

    cookie = read_erlang_cookie(options.beam_cookie_file)
    for sentence in weaknesses(cookie, own, beyond=options.beam_insecure):
        log.warning("%s", sentence)
    return cookie


def _short_name(node: LocalNode, name: str) -> str:
    """Returns the full name of a node that only nodes of this host can connect to."""
    full = node.full_name(name)
    if is_long(host_of(full)) and not node.hosts_are_one:
        raise NodeNameInvalid(full, "a host with a dot, or an address, is part of a long name (--name)")
    return full


def _long_name(name: str) -> str:
    """Returns the full name of a node that other hosts can reach; its host is by default this host."""
    if "@" in name:
        full = full_name(name, "host")
    else:
        full_name(name, "host")  # before the resolver is asked
        full = f"{name}@{_host_in_full()}"
    if not is_long(host_of(full)) or not is_full_name(full):
        problem = "a long name has a host with a dot, or an address"
        raise NodeNameInvalid(full, problem, hint="name the host: gus@10.0.0.5, gus@host.example")
    return full


def _host_in_full() -> str:
    """Returns the name of this host by the resolver, or its own name without an answer."""
    with interruptible():  # the resolver may wait for a server
        try:
            return socket.getfqdn()
        except (OSError, UnicodeError):  # the host's own name is not a valid DNS name
            return socket.gethostname()


def _clusters() -> Any:
    """Returns `pyx.cluster`'s module for seeds: above this package, so found by its name, as in `pyx.aio`."""
    return importlib.import_module("pyx.cluster.cluster_start")


def stop(node: LocalNode) -> bool:
    """Closes all connections and gives up the name; returns False if there was none."""
    with _changing(node), _without_cluster_of_seeds(node), node.dispatch.critical_section():
        transport = node.transport
        if transport is None:
            return False
        transport.close()
        node.use_transport(None)
        node.tasks.use(None)
        _started.pop(node, None)
        return True


@contextlib.contextmanager
def _without_cluster_of_seeds(node: LocalNode) -> Iterator[None]:
    """Ends the search for the seeds, and so the dials, before the body."""
    cluster, node.seeded = node.seeded, None
    if cluster is not None:
        with node.kernel_call as kernel:
            kernel.process_signals.exit(THE_NODE, cluster, "kill")
    yield


@contextlib.contextmanager
def _changing(node: LocalNode) -> Iterator[None]:
    """Runs one start or stop of a node at a time; another one waits until it is over.

    Raises:
        KeyboardInterrupt: Ctrl-C, while it waits.
    """
    with interruptible():
        node.changing.acquire()
    try:
        yield
    finally:
        node.changing.release()


def forbid_green_threads() -> None:
    """Raises PyxError in a program whose threads gevent or eventlet has replaced.

    The event loops of pyx need threads of the operating system: a greenlet that waits for another one stops
    all of them.
    """
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    for patched, name in (
        (gevent is not None and gevent.is_module_patched("threading"), "gevent"),
        (eventlet is not None and eventlet.is_monkey_patched("thread"), "eventlet"),
    ):
        if patched:
            msg = f"{name} has replaced the threads of this program, and a node needs those of the system"
            raise PyxError(msg, hint=f"run the node in a program without {name}")


def hurry() -> None:
    """Limits the time that the nodes of this OS process wait for their peers when they stop."""
    for transport in list(_started.values()):
        transport.hurry()


_started: Final[dict[LocalNode, Transport]] = {}
"""The named nodes of this OS process, which are stopped when the interpreter ends."""


def _stop_all() -> None:
    for node in list(_started):
        stop(node)


atexit.register(_stop_all)
os.register_at_fork(after_in_child=_started.clear)  # a forked child is not a node


def info(node: LocalNode) -> dict[str, Any]:
    """Returns the facts of `Node.info`."""
    with node.kernel_call as kernel:
        facts: dict[str, Any] = {
            "name": kernel.tables.name or None,
            "host": host_of(kernel.tables.name) or None,
            "creation": kernel.tables.creation or None,
            "hidden": kernel.tables.hidden,
            "policy": kernel.tables.policy,
            "tick": kernel.sessions.tick_seconds,
            "max_message_mib": node.max_message_bytes // MIB,
            "nodes": kernel.membership.nodes(("visible",)),
            "hidden_nodes": kernel.membership.nodes(("hidden",)),
            "erlang_nodes": sorted(
                peer.name for peer in kernel.tables.peers.values() if peer.dialect == BEAM
            ),
            "partitions": kernel.membership.partitions(),
            "queued_bytes": kernel.router.queued(),
            "processes": len(kernel.tables.processes.all()),
            "registered": kernel.registry.registered(),
            "cluster": dict(node.cluster_counts),
        }
    transport = node.transport
    facts["loop_lag"] = transport.lag.worst(time.monotonic()) if transport is not None else None
    facts["threads"] = threading.active_count()
    facts["dying_threads"] = len(node.processes.kills)
    facts["stuck"] = node.processes.kills.stuck()
    return facts
