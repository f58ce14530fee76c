"""A process of the simulator: what it hears, and what must be true of it at that moment.

In the order of the file: a process reads after every step; messages and exit signals keep their order, arrive
once, and at the life that was meant; a monitor fires once, truly; an exit of a link is true, and an end
reaches every link inside the node; `nodedown` comes after all other bad news of that node.  Not here: what a
process does (`acts.py`), what it is answered (`records.py`), and what must be true when all is quiet
(`invariants.py`).
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

from pyx.core.mailbox import Downed, Exited, NodeDown, NodeUp
from pyx.signals import Payload
from pyx.terms import Incarnation, Pid, Ref
from tests.simulation.hostile import NAME as HOSTILE
from tests.simulation.records import Told, Watch, reason_key

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Reason
    from tests.simulation.host import Host
    from tests.simulation.network import Connection
    from tests.simulation.records import Request

_KEPT_MESSAGES = 6
"""So much stays unread in a mailbox, for `demonitor` with flush to find."""


class Actor:
    """One process: what it was told, what it holds, and what it knows."""

    def __init__(self, host: Host, process: ProcessRecord) -> None:
        self.host = host
        self.world = host.world
        self.process = process
        self.request: Request | None = None
        """What started it, if a request did."""
        self.doing: tuple[Any, ...] = ()
        """What it asks of the kernel at this moment."""
        self.mark = 0
        """How many messages it has read."""
        self.reason: str | bytes | None = None
        """The key of the reason it ended with."""
        self.deaths: list[Reason] = []
        """The reasons of the exit signals that ended it: one, if all is well."""
        self.shown: list[tuple[Pid, Reason]] = []
        """What a shell is to show."""
        self.spoke: dict[Actor, list[Told]] = {}
        """What it told whom, by pid."""
        self.reached: dict[Actor, int] = {}
        """How many of those have arrived, or never will."""
        self.latest: dict[Actor, int] = {}
        """The number of the last thing heard from each."""
        self.ended: set[Actor] = set()
        """Whose end it knows: nothing more may come from them."""
        self.deaf: set[Connection] = set()
        """The connections whose loss it knows: nothing more may come over them."""
        self.watches: dict[Ref, Watch] = {}
        self.fired: list[Ref] = []
        """Monitors that have."""
        self.wishes: dict[Pid, Peer | None] = {}
        """Whom it linked to, in which session, while neither of the two ever unlinked the other."""
        self.unlinked: set[Pid] = set()
        """Whom it has unlinked, and not linked to since."""
        self.changes = 0
        """How often it linked and unlinked."""
        self.linked_ever: set[Actor] = set()
        self.unlinked_ever: set[Actor] = set()
        self.bound: set[Actor] = set()
        """Processes of its node it is linked to: exactly, as nothing is under way there."""
        self.exits_heard = 0
        self.trap_changes = 0
        """How often it began or ceased to trap exits."""
        self.normals: Counter[Actor] = Counter()
        """How many exit signals `normal` each has sent."""
        self.kills: list[Told] = []
        """The exit signals `kill` that were sent to it."""
        self.nobodies: set[Pid] = set()
        """The pids it was given for processes it would have been linked to, had they come to be."""
        self.node_counts: Counter[str] = Counter()
        self.wants_nodes = False
        self.downs_now: Counter[str] = Counter()
        self.seen_up: dict[str, bool] = {}
        self.aliases: dict[Ref, bool] = {}
        self._pid_text = str(process.pid)
        process.waiting = True
        host.actors[process.pid.number, process.pid.serial] = self

    def __repr__(self) -> str:
        return f"{self.host.label}{self._pid_text}"

    @property
    def is_alive(self) -> bool:
        """True while it lives, and its OS process does."""
        return self.process.alive and not self.host.dead

    def pid_for(self, viewer: Host, incarnation: Incarnation | None = None) -> Pid:
        """Its pid as another host writes it; *life* is an earlier one of its node."""
        incarnation = incarnation or self.host.incarnation
        if viewer is self.host and incarnation in {self.host.incarnation, None}:
            return self.process.pid
        if incarnation is None:  # its node has no name at this moment, so others know it by the last one
            incarnation = self.host.incarnations[-1]
        return Pid(self.process.pid.number, self.process.pid.serial, *incarnation)

    # ------------------------------------------------------------ after each step

    def looks(self) -> None:
        """Reads what has come."""
        process, mailbox = self.process, self.process.mailbox
        # Where among the messages a shell showed an exit is not known; a lost node's come before `nodedown`.
        lost = {peer.name for peer, *_ in self.host.kernel.losses}
        for frm, reason in [shown for shown in self.shown if shown[0].node in lost]:
            self._exit_came(frm, reason)
        mailbox.refill()
        index = mailbox.first_index_from(self.mark)
        self.mark = mailbox.mark()
        for entry in list(itertools.islice(mailbox.kept, index, None)):
            self.hears(entry.item)
        while len(mailbox.kept) > _KEPT_MESSAGES:
            mailbox.take(0)
        for frm, reason in [shown for shown in self.shown if shown[0].node not in lost]:
            self._exit_came(frm, reason)
        self.shown.clear()
        process.waiting = process.alive

    def hears(self, item: Any) -> None:
        """One message."""
        match item:
            case Downed():
                self._monitor_fired(item)
            case Exited(pid, reason):
                self.world.must(self.process.trap_exit, f"{self} heard {item} without trapping exits")
                self._exit_came(pid, reason)
            case NodeDown(name):
                self._node_is_down(name)
            case NodeUp(name):
                self.world.must(self.wants_nodes, f"{self} heard {item} without asking")
                self.world.must(not self.seen_up.get(name), f"{self} heard twice that {name} is up")
                self.seen_up[name] = True
            case _:
                self._message_came(item)

    def step_is_over(self) -> None:
        """Nothing of this step is left unexplained."""
        immediately = self.doing[:1] == ("monitor_node",) and Counter(self.doing[1:])
        self.world.must(
            not self.process.alive or not self.downs_now or self.downs_now == immediately,
            f"{self} heard {self.downs_now} for nothing",
        )
        self.downs_now.clear()

    # ------------------------------------------------------------ messages and exit signals

    def _message_came(self, item: Any) -> None:
        host = self.host
        told = self.world.told.get(item.data if isinstance(item, Payload) else item)
        if (
            told is None
            and isinstance(item, Payload)
            and item.origin is not None
            and item.origin.name == HOSTILE
        ):
            self.world.count("message of the villain")
            # It may have come by an alias for one message: whoever knows the reference, or guesses it, may.
            self.aliases = {ref: once for ref, once in self.aliases.items() if ref in self.process.aliases}
            return
        if told is None:
            self.world.violated(f"{self} got something that nobody sent: {item}")
        match told.way:
            case "name":
                mine = told.address[0] == self.process.name and told.address[1] in {
                    "",
                    host.kernel.tables.name,
                }
            case "alias":
                mine = told.to is self and told.address.number in self._alias_numbers()
                self._alias_served(told.address.number)
            case "pid":
                mine = told.to is self
            case _:
                mine = False
        if not mine:
            self.world.violated(f"{self} got {told}")
        self._heard(told)
        self.world.count(f"message by {told.way}")

    def _heard(self, told: Told) -> None:
        """Order, once, in time, at the right life."""
        sender, latest = told.sender, self.latest.get(told.sender, 0)
        problem = (
            "was said by the dead" if told.void
            else "was heard before" if told.delivered
            else f"was for {told.incarnation}" if told.incarnation not in {None, self.host.incarnation}
            else "comes after the sender's end" if sender in self.ended
            else f"comes after the loss of {told.connection}" if told.connection in self.deaf
            else f"comes after {latest}" if told.number < latest
            else f"comes over {self.host.feeding}" if told.remote and told.connection is not self.host.feeding
            else ""
        )  # fmt: skip
        if problem:
            self.world.violated(f"{self} heard {told}, which {problem}")
        told.delivered = True
        self.latest[sender] = told.number
        if told.way == "pid" or (told.way == "exit" and not self.process.keeps_pid):
            self._nothing_is_missing(sender, told)
        if told.way == "pid":
            self._bonds_came_first(told)

    def _may_be_now(self, told: Told) -> bool:
        """True for what was said to it, and comes at this moment."""
        meant = told.incarnation in {None, self.host.incarnation} and not told.void
        carried = told.connection is not None and told.connection is self.host.feeding
        return meant and (carried or not told.remote)

    def _nothing_is_missing(self, sender: Actor, told: Told | None) -> None:
        """What was said before *told* (None: before the end), and took the same way, has arrived."""
        spoke = sender.spoke.get(self, [])
        index = sender.reached.get(self, 0)
        while index < len(spoke) and spoke[index] is not told:
            missing = spoke[index]
            same_way = missing.connection is self.host.feeding if missing.remote else sender.host is self.host
            if same_way and not missing.delivered and missing.incarnation in {None, self.host.incarnation}:
                self.world.violated(f"{self} never heard {missing}, and now {told or 'the end'}")
            index += 1
        sender.reached[self] = min(index + 1, len(spoke))

    def _bonds_came_first(self, told: Told) -> None:
        """The monitors and links that the sender made before it sent this are here."""
        must, process, sender = self.world.must, self.process, told.sender
        if not (process.alive and sender.is_alive) or self.host.kernel.losses:
            return  # what came behind it in this step has ended the bonds again
        watchers = {(watcher.pid, watcher.ref.number) for watcher in process.monitored_by}
        seen = sender.pid_for(self.host)
        for watch in told.watches:
            here = (seen, watch.ref.number) in watchers
            must(here or watch.ref not in sender.watches, f"{self} heard {told} before its monitor {watch}")
        if told.changes != sender.changes:  # nor is it known how far these have come
            return
        if told.linked is True and sender not in self.unlinked_ever:
            must(seen in process.links, f"{self} heard {told} before its link")
        if told.linked is False and sender not in self.linked_ever:
            must(seen not in process.links, f"{self} heard {told} before its unlink")

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
            world.violated(f"{self} heard of no monitor of its own, or twice: {item}")
        if watch.target is None:  # of a spawn whose pid nobody waited for
            assert watch.request is not None
            watch.target = item.target
            child = self.world.resolve(self.host, item.target) if isinstance(item.target, Pid) else None
            must(child in {None, watch.request.started}, f"{self} heard {item} of {watch}")
        must(item.target == watch.target, f"{self} heard {item} of {watch}")
        reason = reason_key(item.reason)
        world.count(f"down {reason if reason in {'noproc', 'noconnection'} else 'real'}")
        if reason == "noconnection" and (watch.is_lost or not self.world.ends.get(reason)):
            must(watch.is_lost, f"{self} heard {item}, and the session stands: {watch}")
            # It may have ended with that very word, and the session in the same step.
            ambiguous = watch.serves is not None and watch.serves.reason == reason
            if watch.peer is not None and watch.peer.connection is not None and not ambiguous:
                self.deaf.add(watch.peer.connection.connection)
        elif isinstance(watch.target, Pid):
            self._must_have_ended(watch.target, reason, f"{item}")
        elif reason != "noproc":
            must(world.ends.get(reason), f"{self} heard {item}, and nobody ended so")

    def _must_have_ended(self, pid: Pid, reason: str | bytes | None, words: str) -> None:
        """*pid* is said to have ended with *reason*, or not to be there."""
        other = self.world.resolve(self.host, pid)
        stale = (
            other is not None
            and bool(pid.node)
            and (other.host.dead or pid.incarnation != other.host.incarnation)
        )
        if reason == "noproc" and (other is None or stale):
            return
        if other is None or other.process.alive:
            self.world.violated(f"{self} heard {words}, and {other} lives")
        self.world.must(
            reason in {"noproc", other.reason}, f"{self} heard {words}, and it was {other.reason!r}"
        )
        self._nothing_is_missing(other, None)
        self.ended.add(other)

    # ------------------------------------------------------------ exits

    def _exit_came(self, pid: Pid, reason: Reason) -> None:
        if pid.node == HOSTILE:  # it may link itself to anybody, and say that it has ended
            self.world.count("exit of the villain")
            return
        key, other = reason_key(reason), self.world.resolve(self.host, pid)
        told = self.world.told.get(key)
        if told is not None and told.sender is other and told.to is self:
            if self.process.keeps_pid:  # where among its messages it was shown is not known
                self.world.must(not told.delivered, f"{self} was shown it twice: {told}")
                told.delivered = True
            else:
                self._heard(told)
            self.world.count("exit signal")
            return
        if key == "normal" and other is not None and self.normals[other]:
            self.normals[other] -= 1
            return
        self.world.count(f"exit {key if key in {'noproc', 'noconnection', 'normal'} else 'real'}")
        self._link_broke(pid, key, other)

    def _link_broke(self, pid: Pid, key: str | bytes | None, other: Actor | None) -> None:
        self.wishes.pop(pid, None)
        self.exits_heard += 1
        if other is not None:
            self.bound.discard(other)
            other.bound.discard(self)
        lost = {peer.name for peer, *_ in self.host.kernel.losses}
        if key == "noconnection" and (pid.node in lost or self.doing == ("link", pid)):
            pass
        elif key == "noconnection" and other is None:
            self.world.must(lost or pid in self.nobodies, f"{self} heard of {pid}, and nothing was lost")
        else:
            self._must_have_ended(pid, key, f"the exit of {pid} with {key!r}")

    def dies(self, reason: Reason) -> None:
        """An exit signal ended it."""
        self.deaths.append(reason)
        self.is_over(reason)

    def is_over(self, reason: Reason) -> None:
        """It has ended, whatever by."""
        self.reason = reason_key(reason)
        self.world.ends.setdefault(self.reason, []).append(self)
        self.host.died.append(self)
        self.world.note(f"{self} ends with {self.reason!r}")

    def death_is_explained(self) -> None:
        """Somebody had to want the exit signal that ended it; and all who are linked to it inside heard."""
        must, key = self.world.must, self.reason
        must(reason_key(self.process.reason) == key, f"{self} ended with {self.process.reason!r}")
        if self.deaths:
            must(len(self.deaths) == 1, f"{self} was ended more than once: {self.deaths}")
            told = self.world.told.get(key)
            if key == "killed":
                told = next((kill for kill in self.kills if self._may_be_now(kill)), None)
                linked = [other for other in self.world.ends[key] if other is not None and other is not self]
                if any(other in self.linked_ever or self in other.linked_ever for other in linked):
                    told = None  # it may as well have been ended by the link, before that signal
            if told is not None and told.to is self:
                self._heard(told)
            elif key in {"noproc", "noconnection"}:
                pass  # `invariants.py` sees that nobody who lives has lost a link for nothing
            else:
                others = [other for other in self.world.ends[key] if other is not self]
                must(others, f"{self} was ended with {key!r}, and nobody had that reason")
        hears_normal = {other: other.trap_changes for other in self.bound if other.process.trap_exit}
        self.host.untold.append((self, hears_normal))

    def end_was_told(self, hears_normal: dict[Actor, int]) -> None:
        """All who are linked to it inside the node have heard of its end; *hears_normal* trapped exits."""
        for other in list(self.bound):  # who has heard, or unlinked it meanwhile, is not in there any more
            quiet = self.reason == "normal" and hears_normal.get(other) != other.trap_changes
            missed = other.process.alive and not quiet
            self.world.must(not missed, f"{other} is linked to {self} and did not hear of its end")
            other.bound.discard(self)
        self.bound.clear()

    # ------------------------------------------------------------ nodes

    def _node_is_down(self, name: str) -> None:
        self.world.count("nodedown")
        self.downs_now[name] += 1
        self.seen_up[name] = False
        for watch in self.watches.values():
            self.world.must(
                watch.node != name or not watch.is_lost, f"{self} heard nodedown {name} before {watch}"
            )
        for pid in self.wishes:
            lost = pid.node == name and self._link_is_lost(pid)
            self.world.must(not lost, f"{self} heard nodedown {name} before the exit of {pid}")

    def node_is_lost(self, name: str, *, seen_by_all: bool) -> None:
        """The session with a node is over; everything that depended on it must have been heard."""
        expected = self.node_counts.pop(name, 0) + (self.wants_nodes and seen_by_all)
        heard = self.downs_now[name]
        self.world.must(heard >= expected, f"{self} heard nodedown {name} {heard} times, not {expected}")
        self.downs_now[name] -= expected
        self.downs_now += Counter()  # drops the zeros
        for watch in self.watches.values():
            self.world.must(watch.node != name or not watch.is_lost, f"{self} did not hear of {watch}")
        for pid in self.wishes:
            lost = pid.node == name and self._link_is_lost(pid)
            self.world.must(not lost, f"{self} did not hear of the loss of its link to {pid}")

    def _link_is_lost(self, pid: Pid) -> bool:
        peer = self.wishes[pid]
        other = self.world.resolve(self.host, pid)
        quiet = other is not None and other.reason == "normal"  # it ended so, and nobody had to hear
        return (peer is None or peer.state == "gone") and not quiet

    def binds(self, other: Actor) -> None:
        """The two are linked, inside one node."""
        self.bound.add(other)
        other.bound.add(self)
