"""What a process of the simulator does: every function of the public API, as the runtime would do it.

Each function takes the acting process, makes the kernel call, and notes what has to follow.  Which function
when: `workload.py`; checks of what follows: `actors.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core.mailbox import Downed
from pyx.core.tables import NO_NODE, THE_NODE
from pyx.errors import RegistrationError
from pyx.signals import Payload
from pyx.terms import Pid, Ref
from pyx.wire.codec import encode
from tests.simulation.actors import Actor
from tests.simulation.records import Request, Sent, Waiter, Watch, reason_key

if TYPE_CHECKING:
    from pyx.core.mailbox import Called
    from pyx.core.peers import Peer
    from pyx.signals import Reason
    from pyx.terms import Incarnation
    from tests.simulation.host import Host
    from tests.simulation.records import Way


def new_process(host: Host, *, shell: bool = False) -> Actor:
    """A process without a parent."""
    process, _ = host.kernel.process_signals.process_started(
        "shell" if shell else "def", keeps_pid=shell, terminal=shell
    )
    return Actor(host, process)


def _peer(me: Actor, node: str) -> Peer | None:
    return me.host.kernel.tables.peers.get(node)


def _incarnation(address: Any) -> Incarnation | None:
    return address.incarnation if isinstance(address, Pid) else None


# ---------------------------------------------------------------- sending


def send(me: Actor, way: Way, address: Pid | Ref | tuple[str, str], to: Actor | None = None) -> None:
    """Sends a message unlike any other; a plain name is written `(name, "")`."""
    host, world, kernel = me.host, me.host.world, me.host.kernel
    node = address[1] if isinstance(address, tuple) else address.node
    here = kernel.tables.is_here(node)
    sent = _sent(me, way, address, to, remote=not here)
    if here and world.random.random() < 0.3:
        body: Any = ("flat", sent.number)
        world.sent[body] = sent
    else:
        body = Payload(encode((sent.number, me.process.pid)))
        world.sent[body.data] = sent
    if way == "pid":
        assert to is not None
        sent.watches = tuple(
            watch
            for watch in me.watches.values()
            if watch.target == address and (not watch.node or watch.peer is _peer(me, node))
        )
        assert isinstance(address, Pid)
        sent.changes = me.changes
        sent.memberships = me.groups.changes
        if address in me.remote_links and me.remote_links[address] is _peer(me, node):
            sent.linked = True
        elif address in me.unlinked:
            sent.linked = False
    dest = address[0] if isinstance(address, tuple) and not node else address
    host.step(kernel.router.send, me.process.pid, dest, body)


def exit_signal(me: Actor, address: Pid, to: Actor, reason: Reason) -> None:
    """`Process.exit(to, reason)`."""
    world, kernel = me.host.world, me.host.kernel
    sent: Sent | None = None
    if reason == "normal":
        to.normals[me] += me.process.alive
    else:
        sent = _sent(me, "exit", address, to, remote=not kernel.tables.is_here(address.node))
        if reason == "kill":  # these all look alike
            me.host.kills.append(sent)
            to.kills.append(sent)
        else:
            world.sent[reason_key(reason)] = sent

    def decide() -> None:
        kernel.process_signals.exit(me.process.pid, address, reason)
        if sent is not None:
            sent.session = _peer(me, address.node)

    me.host.step(decide)


def _sent(me: Actor, way: Way, address: Any, to: Actor | None, *, remote: bool) -> Sent:
    sent = Sent(
        me.host.world.unique(), me, way, address, to, _incarnation(address), remote, not me.process.alive
    )
    # The place among the messages of an exit that a shell shows is not known.
    shown = way == "exit" and to is not None and to.process.keeps_pid
    if to is not None and way in {"pid", "exit"} and not (sent.void or shown):
        me.sent_to.setdefault(to, []).append(sent)
    return sent


# ---------------------------------------------------------------- links and monitors


def link(me: Actor, pid: Pid, to: Actor) -> None:
    """`Process.link`."""
    host, kernel, world = me.host, me.host.kernel, me.host.world
    here = kernel.tables.is_here(pid.node)
    me.changes += 1
    me.linked_ever.add(to)
    me.unlinked.discard(pid)
    if me.process.alive and not here and me not in to.unlinked_ever:
        me.remote_links.setdefault(pid, None)
    me.doing = ("link", pid)
    before = me.exits_received
    coming = bool(kernel.tables.exit_notices) and pid in me.process.links
    was_there = to.host is host and not pid.node and to.process.alive  # until a notice ends it
    held = host.step(kernel.process_signals.link, me.process, pid)
    me.doing = ()
    if pid in me.remote_links:
        me.remote_links[pid] = _peer(me, pid.node)
    there = to.host is host and not pid.node and to.process.alive
    refused = here and not was_there and me.process.alive and not me.process.trap_exit and not coming
    world.must(held is (not refused), f"{me} linked to {to}: {held}")
    is_told = (
        there
        or refused
        or not here
        or not me.process.alive
        or me.exits_received > before
        or kernel.tables.exit_notices
    )
    world.must(is_told, f"{me} linked to {to}, which is dead, and got no exit")
    if there and me.process.alive and to is not me:
        me.links_locally(to)


def unlink(me: Actor, pid: Pid, to: Actor) -> None:
    """`Process.unlink`."""
    me.changes += 1
    me.unlinked_ever.add(to)
    me.unlinked.add(pid)
    me.remote_links.pop(pid, None)
    for other in [other for other in to.remote_links if me.host.world.resolve(to.host, other) is me]:
        del to.remote_links[other]
    if not pid.node:
        me.local_links.discard(to)
        to.local_links.discard(me)
    me.host.step(me.host.kernel.process_signals.unlink, me.process, pid)


def monitor(me: Actor, target: Pid | str | tuple[str, str], to: Actor | None = None) -> None:
    """`Process.monitor`."""
    kernel = me.host.kernel
    named = (target, kernel.tables.name or NO_NODE) if isinstance(target, str) else target
    node = named.node if isinstance(named, Pid) else named[1]
    if kernel.tables.is_here(node):
        node = ""
    alive = me.process.alive

    def decide() -> None:
        ref = kernel.process_signals.monitor(me.process, target)
        if alive:
            me.watches[ref] = Watch(ref, named, node, _peer(me, node), to)

    me.host.step(decide)


def demonitor(me: Actor, ref: Ref, *, flush: bool) -> None:
    """`Process.demonitor`, of one that may have fired."""
    active = me.watches.pop(ref, None)
    kernel, mailbox = me.host.kernel, me.process.mailbox
    others = [item for item in mailbox.snapshot() if not (isinstance(item, Downed) and item.ref == ref)]
    after: list[Any] = []

    def decide() -> bool:
        held = kernel.process_signals.demonitor(me.process, ref, flush=flush)
        after[:] = (
            mailbox.snapshot()
        )  # before the effects: woken by another message, the actor takes some out
        return held

    held = me.host.step(decide)
    me.host.world.must(held is (active is not None), f"{me} took back {ref}: {held}, it had {active}")
    left = [item for item in after if isinstance(item, Downed) and item.ref == ref]
    me.host.world.must(not (flush and left), f"{me} flushed {ref} and kept {left}")
    me.host.world.must(set(others) <= set(after), f"{me} flushed more than {ref}")


def monitor_node(me: Actor, node: str, *, on: bool) -> None:
    """`Node.monitor`."""
    kernel = me.host.kernel
    me.doing = ("monitor_node", node)
    me.host.step(kernel.membership.monitor_node, me.process, node, on)
    me.doing = ()
    if kernel.tables.is_here(node) or not me.process.alive:
        return
    if on and _peer(me, node) is not None:
        me.node_counts[node] += 1
    elif not on and me.node_counts[node]:
        me.node_counts[node] -= 1


def monitor_nodes(me: Actor, *, on: bool) -> None:
    """`Node.monitor_nodes`."""
    me.wants_nodes = on
    me.seen_up.clear()
    me.host.step(me.host.kernel.membership.monitor_nodes, me.process, on, me.interest)


# ---------------------------------------------------------------- names and aliases


def register(me: Actor, name: str) -> None:
    """`Process.register`, which may be refused."""
    try:
        me.host.step(me.host.kernel.registry.register, me.process.pid, name)
    except RegistrationError:
        me.host.world.count("registration refused")


def unregister(me: Actor, name: str) -> None:
    """`Process.unregister`, which may be refused."""
    try:
        me.host.step(me.host.kernel.registry.unregister, name)
    except RegistrationError:
        me.host.world.count("registration refused")


def alias(me: Actor, *, once: bool) -> None:
    """`Process.alias`."""
    me.aliases[me.host.kernel.router.alias(me.process, once=once)] = once


def unalias(me: Actor, ref: Ref) -> None:
    """`Process.unalias`."""
    was = me.aliases.pop(ref, None) is not None
    held = me.host.step(me.host.kernel.router.unalias, me.process, ref)
    me.host.world.must(held is was, f"{me} took back the alias {ref}: {held}")


def alias_for(owner: Actor, ref: Ref, viewer: Host) -> Ref:
    """An alias as another host writes it."""
    if viewer is owner.host:
        return ref
    return Ref(ref.number, *(owner.host.incarnation or owner.host.incarnations[-1]))


# ---------------------------------------------------------------- start and end


def spawn_here(me: Actor, *, linked: bool, monitored: bool) -> None:
    """`spawn`, `spawn_link`, `spawn_monitor`."""
    kernel = me.host.kernel

    def decide() -> None:
        process, ref = kernel.process_signals.process_started(
            "def",
            parent=me.process.pid,
            link_to=me.process if linked else None,
            monitored_by=me.process if monitored else None,
        )
        child = Actor(me.host, process)
        if ref is not None:
            me.watches[ref] = Watch(ref, process.pid, "", None, child)
        if linked:
            me.links_locally(child)

    me.host.step(decide)


def spawn_at(me: Actor, node: str, *, linked: bool, monitored: bool) -> Waiter:
    """`Node.spawn` and its kin."""
    world, kernel = me.host.world, me.host.kernel
    payload = world.unique_payload()
    alive = me.process.alive
    request = world.requests[bytes(payload.data)] = Request("spawn", me, node, link=linked, void=not alive)
    waiter = Waiter(me, "spawn", request)

    def decide() -> None:
        waiter.number, ref = kernel.requests.spawn(
            waiter, me.process.pid, me.process.leader, node, payload, link=linked, monitor=monitored
        )
        request.ref, request.peer = ref, _peer(me, node)
        if ref is not None and alive:
            remote = "" if kernel.tables.is_here(node) else node
            me.watches[ref] = Watch(ref, None, remote, request.peer, None, request)

    me.host.step(decide)
    return waiter


def exits(me: Actor, reason: Reason) -> None:
    """The function of a process returns or raises."""
    if me.process.alive:
        me.ends(reason)
        me.host.step(me.host.kernel.process_signals.process_exited, me.process, reason)


def finish_call(me: Actor) -> None:
    """The function of a call returns."""
    kernel, request = me.host.kernel, me.request
    assert request is not None
    if me.process.alive:
        me.ends("normal")
        me.host.step(kernel.requests.call_finished, me.process, "value", Payload(request.answer))


# ---------------------------------------------------------------- asking


def call(me: Actor, node: str) -> Waiter:
    """`rpc.call`."""
    world, kernel = me.host.world, me.host.kernel
    payload = world.unique_payload()
    request = world.requests[bytes(payload.data)] = Request("call", me, node, void=not me.process.alive)
    request.answer = encode(("answer", world.unique()))
    waiter = Waiter(me, "call", request)

    def decide() -> None:
        frm, leader = me.process.pid, me.process.leader
        waiter.number = kernel.requests.call(waiter, frm, leader, node, payload)
        request.peer = _peer(me, node)

    me.host.step(decide)
    return waiter


def gen_call(me: Actor, dest: Pid | tuple[str, str], *, of_the_node: bool) -> Waiter:
    """`GenServer.call`, of a process or of a thread that is none."""
    world, kernel = me.host.world, me.host.kernel
    node = dest.node if isinstance(dest, Pid) else dest[1]
    payload = world.unique_payload()
    is_void = not me.process.alive and not of_the_node
    request = world.requests[bytes(payload.data)] = Request("gen_call", me, node, void=is_void)
    request.answer = encode(("reply", world.unique()))
    waiter = Waiter(me, "gen_call", request)

    def decide() -> None:
        ref = kernel.tables.make_ref()
        waiter.number = ref.number
        frm = THE_NODE if of_the_node else me.process.pid
        kernel.gen_calls.call(waiter, frm, dest, ref, payload)
        request.peer = _peer(me, node)

    me.host.step(decide)
    return waiter


def gen_reply(me: Actor, called: Called, *, by_hand: bool) -> None:
    """A server's reply: the value alone, or as a message to the reference."""
    kernel = me.host.kernel
    request = me.host.world.requests[bytes(called.body.data)]
    answer = Payload(request.answer)
    if by_hand:
        me.host.step(kernel.router.send, me.process.pid, called.ref, answer)
    else:
        me.host.step(kernel.gen_calls.reply, me.process.pid, called.ref, answer)


def cast(me: Actor, node: str) -> None:
    """`rpc.cast`."""
    payload = me.host.world.unique_payload()
    me.host.world.requests[bytes(payload.data)] = Request("call", me, node, void=not me.process.alive)
    me.host.step(me.host.kernel.requests.call, None, me.process.pid, None, node, payload)


def ping(me: Actor, node: str) -> Waiter:
    """`Node.ping`."""
    waiter = Waiter(me, "ping", node=node)
    waiter.number = me.host.step(me.host.kernel.requests.ping, waiter, node, me.host.world.now)
    return waiter


def info(me: Actor, node: str) -> Waiter:
    """`Process.info` of a process of that node."""
    waiter = Waiter(me, "info")
    payload = me.host.world.unique_payload()
    kernel = me.host.kernel
    waiter.number = me.host.step(kernel.requests.info, waiter, me.process.pid, node, "info", payload)
    return waiter


def connect(me: Actor, node: str) -> Waiter:
    """`Node.connect`."""
    waiter = Waiter(me, "connect", node=node)
    me.host.step(me.host.kernel.sessions.connect, waiter, node, me.host.world.now)
    return waiter


def disconnect(me: Actor, node: str) -> None:
    """`Node.disconnect`."""
    me.host.step(me.host.kernel.sessions.disconnect, node)


def abandon(waiter: Waiter) -> None:
    """A time-out or Ctrl-C ends the wait."""
    if not waiter.done and waiter.kind != "connect":
        waiter.abandoned = True
        waiter.actor.host.step(waiter.actor.host.kernel.abandon, waiter.number)
