"""A process of the simulator: what it receives, and what must be true of it at that moment.

In the order of the file: a process reads after every kernel call; messages and exit signals keep their order,
arrive once, and at the incarnation that was meant; a monitor fires once and truly; an exit of a link is true,
and an end reaches every link inside the node; `nodedown` comes after the exits and downs of that node.  What
a process does: `acts.py`; checks of answers: `records.py`; checks at rest: `invariants.py`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from pyx.core.mailbox import (
    Called,
    Downed,
    Exited,
    GroupChanged,
    NodeDown,
    NodedownReason,
    NodeInterest,
    NodeUp,
    PresenceChanged,
    Replied,
)
from pyx.signals import Payload
from pyx.terms import Incarnation, Pid, Ref
from tests.simulation.broadcasts import Subscriptions
from tests.simulation.groups import Memberships, node_is_up
from tests.simulation.hostile import NAME as HOSTILE
from tests.simulation.records import Sent, Watch, reason_key

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Reason
    from tests.simulation.host import Host
    from tests.simulation.network import Connection
    from tests.simulation.records import Request

_KEPT_MESSAGES = 6
"""Messages that stay unread in a mailbox, for `demonitor` with flush to find."""


class Actor:
    """One process: what it has sent and received, and its links, monitors and aliases."""

    def __init__(self, host: Host, process: ProcessRecord) -> None:
        self.host = host
        self.world = host.world
        self.process = process
        self.request: Request | None = None
        """The request that started it, if one did."""
        self.doing: tuple[Any, ...] = ()
        """The kernel call that it makes at this moment."""
        self.mark = 0
        """The number of messages it has read."""
        self.reason: str | bytes | None = None
        """The key of its exit reason."""
        self.deaths: list[Reason] = []
        """The reasons of the exit signals that ended it: at most one, if the kernel is right."""
        self.shown: list[tuple[Pid, Reason]] = []
        """Exit signals that a shell has to show."""
        self.sent_to: dict[Actor, list[Sent]] = {}
        """What it has sent by pid, by receiver."""
        self.reached: dict[Actor, int] = {}
        """How many of those have arrived or never will, by receiver."""
        self.latest: dict[Actor, int] = {}
        """The number of the last message or exit signal received from each sender."""
        self.ended: set[Actor] = set()
        """Processes whose end it knows: nothing more may come from them."""
        self.lost_connections: set[Connection] = set()
        """Connections whose loss it knows: nothing more may come over them."""
        self.watches: dict[Ref, Watch] = {}
        self.fired: list[Ref] = []
        """Monitors that have fired."""
        self.remote_links: dict[Pid, Peer | None] = {}
        """Links to other nodes and their sessions, if neither of the two ever unlinked the other."""
        self.unlinked: set[Pid] = set()
        """Pids it has unlinked, and not linked to since."""
        self.changes = 0
        """The number of its links and unlinks."""
        self.linked_ever: set[Actor] = set()
        self.unlinked_ever: set[Actor] = set()
        self.local_links: set[Actor] = set()
        """Linked processes of its node: exact, as no signal is under way there."""
        self.exits_received = 0
        self.trap_changes = 0
        """The number of changes of its trap_exit flag."""
        self.normals: Counter[Actor] = Counter()
        """The number of exit signals `normal` from each sender."""
        self.kills: list[Sent] = []
        """The exit signals `kill` that were sent to it."""
        self.groups = Memberships(self)
        self.subscriptions = Subscriptions(self)
        self.dead_pids: set[Pid] = set()
        """Dead pids that linked spawns without connection have returned."""
        self.node_counts: Counter[str] = Counter()
        self.wants_nodes = False
        self.interest = NodeInterest(with_facts=process.pid.number % 2 == 1)
        self.downs_now: Counter[str] = Counter()
        self.seen_up: dict[str, bool] = {}
        self.aliases: dict[Ref, bool] = {}
        self.may_have_lost_aliases = False
        """True if something of the hostile node has come, which can guess their references."""
        self.calls: list[Called] = []
        """The calls that it has got, and not replied to."""
        self._pid_text = str(process.pid)
        process.waiting = True
        host.actors[process.pid.number, process.pid.serial] = self

    def __repr__(self) -> str:
        return f"{self.host.label}{self._pid_text}"

    @property
    def is_alive(self) -> bool:
        """True while it and its OS process live."""
        return self.process.alive and not self.host.dead

    def pid_for(self, viewer: Host, incarnation: Incarnation | None = None) -> Pid:
        """Its pid as another host writes it; *incarnation*: an earlier one of its node."""
        incarnation = incarnation or self.host.incarnation
        if viewer is self.host and incarnation in {self.host.incarnation, None}:
            return self.process.pid
        if incarnation is None:  # its node is not started, so others know it by the last incarnation
            incarnation = self.host.incarnations[-1]
        return Pid(self.process.pid.number, self.process.pid.serial, *incarnation)

    # ------------------------------------------------------------ after each kernel call

    def reads(self) -> None:
        """Reads what was delivered."""
        process, mailbox = self.process, self.process.mailbox
        # The place among the messages of an exit that a shell shows is not known; but it precedes `nodedown`.
        for frm, reason in self.shown:
            if self._exit_sent(frm, reason) is None:
                self.remote_links.pop(frm, None)
        mailbox.refill()
        index = mailbox.first_index_from(self.mark)
        self.mark = mailbox.mark()
        for entry in list(itertools.islice(mailbox.kept, index, None)):
            self.receives(entry.item)
        if self.may_have_lost_aliases:
            self._forget_used_aliases()
        while len(mailbox.kept) > _KEPT_MESSAGES:
            mailbox.take(0)
        for frm, reason in self.shown:
            self._exit_came(frm, reason)
        self.shown.clear()
        process.waiting = process.alive

    def receives(self, item: Any) -> None:
        """Checks one message."""
        match item:
            case Downed():
                self._monitor_fired(item)
            case Exited(pid, reason):
                self.world.must(self.process.trap_exit, f"{self} got {item} without trapping exits")
                self._exit_came(pid, reason)
            case Called():
                self._was_called(item)
            case Replied(_, body) if body.origin is not None and body.origin.name == HOSTILE:
                self.world.count("reply of the hostile node")
                self.may_have_lost_aliases = True
            case NodeDown(name, node_type, reason):
                facts = ("visible", True) if node_type else ("", False)
                self.world.must(
                    (node_type, reason in get_args(NodedownReason)) == facts, f"{self} got {item}"
                )
                self.world.must(self.interest.with_facts or not node_type, f"{self} got {item} with facts")
                self._node_is_down(name)
            case PresenceChanged():
                self.subscriptions.told(item)
            case GroupChanged():
                self.groups.told(item)
            case NodeUp(name, node_type):
                told = "visible" if self.interest.with_facts else ""
                self.world.must(node_type == told, f"{self} got {item}")
                self.world.must(self.wants_nodes, f"{self} got {item} without asking")
                self.world.must(not self.seen_up.get(name), f"{self} was told twice that {name} is up")
                self.seen_up[name] = True
                node_is_up(self.host, name, f"{self} got {item}")
            case _:
                self._message_came(item)

    def _was_called(self, called: Called) -> None:
        if called.pid.node == HOSTILE:
            self.world.count("call of the hostile node")
            return
        request = self.world.requests.get(bytes(called.body.data))
        if request is None:
            self.world.violated(f"{self} got a call that was never made: {called}")
        must = self.world.must
        must(request.kind == "gen_call" and not request.void, f"{self} got the call {request}")
        must(request.started is None, f"{self} got the call {request}, which {request.started} has got")
        request.started = self
        self.calls.append(called)
        self.world.count("gen_call")

    def step_is_over(self) -> None:
        """Checks that every `nodedown` of this kernel call had a cause."""
        immediately = self.doing[:1] == ("monitor_node",) and Counter(self.doing[1:])
        self.world.must(
            not self.process.alive or not self.downs_now or self.downs_now == immediately,
            f"{self} got {self.downs_now} without a cause",
        )
        self.downs_now.clear()

    # ------------------------------------------------------------ messages and exit signals

    def _message_came(self, item: Any) -> None:
        host = self.host
        if isinstance(item, Payload) and (broadcast := self.world.publications.get(bytes(item.data))):
            self.subscriptions.came(broadcast)
            return
        sent = self.world.sent.get(item.data if isinstance(item, Payload) else item)
        if (
            sent is None
            and isinstance(item, Payload)
            and item.origin is not None
            and item.origin.name == HOSTILE
        ):
            self.world.count("message of the hostile node")
            self.may_have_lost_aliases = True
            return
        if sent is None:
            self.world.violated(f"{self} got a message that was never sent: {item}")
        match sent.way:
            case "name":
                mine = sent.address[0] == self.process.name and sent.address[1] in {
                    "",
                    host.kernel.tables.name,
                }
            case "alias":
                mine = sent.to is self and sent.address.number in self._alias_numbers()
                self._alias_served(sent.address.number)
            case "pid":
                mine = sent.to is self
            case _:
                mine = False
        if not mine:
            self.world.violated(f"{self} got {sent}")
        self._receive(sent)
        self.world.count(f"message by {sent.way}")

    def _receive(self, sent: Sent) -> None:
        """Checks that it comes in order, once, in time, and at the right incarnation."""
        sender, latest = sent.sender, self.latest.get(sent.sender, 0)
        problem = (
            "a dead process has sent" if sent.void
            else "was delivered before" if sent.delivered
            else f"was for {sent.incarnation}" if sent.incarnation not in {None, self.host.incarnation}
            else "comes after the sender's end" if sender in self.ended
            else f"comes after the loss of {sent.connection}" if sent.connection in self.lost_connections
            else f"comes after {latest}" if sent.number < latest
            else f"comes over {self.host.feeding}" if sent.remote and sent.connection is not self.host.feeding
            else ""
        )  # fmt: skip
        if problem:
            self.world.violated(f"{self} got {sent}, which {problem}")
        sent.delivered = True
        self.latest[sender] = sent.number
        if sent.way == "pid" or (sent.way == "exit" and not self.process.keeps_pid):
            self._nothing_is_missing(sender, sent)
        if sent.way == "pid":
            self._links_came_first(sent)
            if self.world.has_groups:
                self.groups.message_came(sent)
                self.subscriptions.message_came(sent)

    def _may_be_now(self, sent: Sent) -> bool:
        """True if it was sent to this process and may arrive at this moment."""
        meant = sent.incarnation in {None, self.host.incarnation} and not sent.void
        carried = sent.connection is not None and sent.connection is self.host.feeding
        return meant and (carried or not sent.remote)

    def _nothing_is_missing(self, sender: Actor, sent: Sent | None) -> None:
        """Checks that all before *sent* (None: before the end) that took the same way has arrived."""
        sent_to = sender.sent_to.get(self, [])
        index = sender.reached.get(self, 0)
        while index < len(sent_to) and sent_to[index] is not sent:
            missing = sent_to[index]
            same_way = missing.connection is self.host.feeding if missing.remote else sender.host is self.host
            if same_way and not missing.delivered and missing.incarnation in {None, self.host.incarnation}:
                self.world.violated(f"{self} never got {missing}, and now {sent or 'the end'}")
            index += 1
        sender.reached[self] = min(index + 1, len(sent_to))

    def _links_came_first(self, sent: Sent) -> None:
        """Checks that the monitors and links that the sender made before this have arrived."""
        must, process, sender = self.world.must, self.process, sent.sender
        if not (process.alive and sender.is_alive) or self.host.kernel.losses:
            return  # a later signal of this kernel call has ended them again
        watchers = {(watcher.pid, watcher.ref.number) for watcher in process.monitored_by}
        seen = sender.pid_for(self.host)
        for watch in sent.watches:
            here = (seen, watch.ref.number) in watchers
            must(here or watch.ref not in sender.watches, f"{self} got {sent} before its monitor {watch}")
        if sent.changes != sender.changes:  # it is not known which of these have arrived
            return
        if sent.linked is True and sender not in self.unlinked_ever:
            must(seen in process.links, f"{self} got {sent} before its link")
        if sent.linked is False and sender not in self.linked_ever:
            must(seen not in process.links, f"{self} got {sent} before its unlink")

    def _forget_used_aliases(self) -> None:
        self.aliases = {ref: once for ref, once in self.aliases.items() if ref in self.process.aliases}
        self.may_have_lost_aliases = False

    def _alias_numbers(self) -> set[int]:
        return {ref.number for ref in self.aliases}

    def _alias_served(self, number: int) -> None:
        for ref, once in list(self.aliases.items()):
            if once and ref.number == number:
                del self.aliases[ref]

    # ------------------------------------------------------------ monitors

    def _monitor_fired(self, item: Downed) -> None:
        must, world = self.world.must, self.world
        watch = self.watches.pop(item.ref, None)
        self.fired.append(item.ref)
        if watch is None:
            world.violated(f"{self} got a DOWN of no monitor of its own, or a second one: {item}")
        if watch.target is None:  # of a spawn whose answer was abandoned
            assert watch.request is not None
            watch.target = item.target
            child = self.world.resolve(self.host, item.target) if isinstance(item.target, Pid) else None
            must(child in {None, watch.request.started}, f"{self} got {item} of {watch}")
        must(item.target == watch.target, f"{self} got {item} of {watch}")
        reason = reason_key(item.reason)
        world.count(f"down {reason if reason in {'noproc', 'noconnection'} else 'real'}")
        if reason == "noconnection" and (watch.is_lost or not self.world.ends.get(reason)):
            must(watch.is_lost, f"{self} got {item}, and the session stands: {watch}")
            # It may have ended with that very reason, and the session in the same kernel call.
            ambiguous = watch.watched is not None and watch.watched.reason == reason
            if watch.peer is not None and watch.peer.connection is not None and not ambiguous:
                self.lost_connections.add(watch.peer.connection.connection)
        elif isinstance(watch.target, Pid):
            self._must_have_ended(watch.target, reason, f"{item}")
        elif reason != "noproc":
            must(world.ends.get(reason), f"{self} got {item}, and no process ended so")
        if isinstance(watch.target, Pid):
            self.groups.has_ended(watch.target)

    def _must_have_ended(self, pid: Pid, reason: str | bytes | None, words: str) -> None:
        """Checks a report that *pid* has ended with *reason* or does not exist."""
        other = self.world.resolve(self.host, pid)
        stale = (
            other is not None
            and bool(pid.node)
            and (other.host.dead or pid.incarnation != other.host.incarnation)
        )
        if reason == "noproc" and (other is None or stale):
            return
        if other is None or other.process.alive:
            self.world.violated(f"{self} got {words}, and {other} lives")
        self.world.must(
            reason in {"noproc", other.reason}, f"{self} got {words}, and it was {other.reason!r}"
        )
        self._nothing_is_missing(other, None)
        self.ended.add(other)

    # ------------------------------------------------------------ exits

    def _exit_came(self, pid: Pid, reason: Reason) -> None:
        if pid.node == HOSTILE:  # it may link itself to any process, and claim that it has ended
            self.world.count("exit of the hostile node")
            return
        key, other = reason_key(reason), self.world.resolve(self.host, pid)
        sent = self._exit_sent(pid, reason)
        if sent is not None:
            if self.process.keeps_pid:  # its place among the messages is not known
                self.world.must(not sent.delivered, f"{self} was shown {sent} twice")
                sent.delivered = True
            else:
                self._receive(sent)
            self.world.count("exit signal")
            return
        if key == "normal" and other is not None and self.normals[other]:
            self.normals[other] -= 1
            return
        self.world.count(f"exit {key if key in {'noproc', 'noconnection', 'normal'} else 'real'}")
        self._link_broke(pid, key, other)

    def _exit_sent(self, pid: Pid, reason: Reason) -> Sent | None:
        """The exit signal of that reason that a process has sent to this one; None if it told of its end."""
        sent = self.world.sent.get(reason_key(reason))
        is_it = sent is not None and sent.to is self and sent.sender is self.world.resolve(self.host, pid)
        return sent if is_it else None

    def _link_broke(self, pid: Pid, key: str | bytes | None, other: Actor | None) -> None:
        self.remote_links.pop(pid, None)
        self.exits_received += 1
        if other is not None:
            self.local_links.discard(other)
            other.local_links.discard(self)
        lost = {peer.name for peer, *_ in self.host.kernel.losses}
        if key == "noconnection" and (pid.node in lost or self.doing == ("link", pid)):
            pass
        elif key == "noconnection" and other is None:
            self.world.must(
                lost or pid in self.dead_pids, f"{self} got an exit of {pid}, and no node was lost"
            )
        else:
            self._must_have_ended(pid, key, f"the exit of {pid} with {key!r}")

    def killed_by(self, reason: Reason) -> None:
        """Notes that an exit signal ended it."""
        self.deaths.append(reason)
        self.ends(reason)

    def ends(self, reason: Reason) -> None:
        """Notes its end."""
        self.reason = reason_key(reason)
        self.world.ends.setdefault(self.reason, []).append(self)
        self.host.died.append(self)
        self.world.note(f"{self} ends with {self.reason!r}")

    def death_is_explained(self) -> None:
        """Checks that the exit signal that ended it was sent, or that of a linked process."""
        must, key = self.world.must, self.reason
        must(reason_key(self.process.reason) == key, f"{self} ended with {self.process.reason!r}")
        if self.deaths:
            must(len(self.deaths) == 1, f"{self} was ended more than once: {self.deaths}")
            sent = self.world.sent.get(key)
            if key == "killed":
                sent = next((kill for kill in self.kills if self._may_be_now(kill)), None)
                linked = [other for other in self.world.ends[key] if other is not None and other is not self]
                if any(other in self.linked_ever or self in other.linked_ever for other in linked):
                    sent = None  # the link may have ended it before that signal
            if sent is not None and sent.to is self:
                self._receive(sent)
            elif key in {"noproc", "noconnection"}:
                pass  # `invariants.py` checks that no live process has lost a link without a cause
            else:
                others = [other for other in self.world.ends[key] if other is not self]
                must(others, f"{self} was ended with {key!r}, and no other process had that reason")
        trapping = {other: other.trap_changes for other in self.local_links if other.process.trap_exit}
        self.host.unreported.append((self, trapping))

    def end_was_reported(self, trapping: dict[Actor, int]) -> None:
        """Checks that all linked processes of its node got its exit; *trapping* trapped exits then."""
        for other in list(self.local_links):  # without those that got it or have unlinked it meanwhile
            quiet = self.reason == "normal" and trapping.get(other) != other.trap_changes
            missed = other.process.alive and not quiet
            self.world.must(not missed, f"{other} is linked to {self} and did not get its exit")
            other.local_links.discard(self)
        self.local_links.clear()

    # ------------------------------------------------------------ nodes

    def _node_is_down(self, name: str) -> None:
        self.world.count("nodedown")
        self.groups.node_is_down(name)
        self.downs_now[name] += 1
        self.seen_up[name] = False
        for watch in self.watches.values():
            self.world.must(
                watch.node != name or not watch.is_lost, f"{self} got nodedown {name} before {watch}"
            )
        for pid in self.remote_links:
            lost = pid.node == name and self._link_is_lost(pid)
            self.world.must(not lost, f"{self} got nodedown {name} before the exit of {pid}")

    def node_is_lost(self, name: str, *, seen_by_all: bool) -> None:
        """Checks, when a session is over, that everything that depended on it was reported."""
        expected = self.node_counts.pop(name, 0) + (self.wants_nodes and seen_by_all)
        count = self.downs_now[name]
        self.world.must(count >= expected, f"{self} got nodedown {name} {count} times, not {expected}")
        self.downs_now[name] -= expected
        self.downs_now += Counter()  # drops the zeros
        for watch in self.watches.values():
            self.world.must(watch.node != name or not watch.is_lost, f"{self} got no DOWN of {watch}")
        for pid in self.remote_links:
            lost = pid.node == name and self._link_is_lost(pid)
            self.world.must(not lost, f"{self} got no exit of its link to {pid}")

    def _link_is_lost(self, pid: Pid) -> bool:
        peer = self.remote_links[pid]
        other = self.world.resolve(self.host, pid)
        quiet = other is not None and other.reason == "normal"  # a normal end may be silent
        return (peer is None or peer.state == "gone") and not quiet

    def links_locally(self, other: Actor) -> None:
        """Notes a link inside one node."""
        self.local_links.add(other)
        other.local_links.add(self)
