"""The kernel: decides what follows from each call of a process and each signal of a peer.

One object of parts, which share one object of tables; the inputs are the methods of the parts, and those
here.  All are called with the kernel's lock held; after each, `Router.collect` returns the effects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx import signals as sig
from pyx.core.awaited_replies import AwaitedReplies
from pyx.core.effects import Hangup, Log
from pyx.core.membership import Membership
from pyx.core.node_loss import NodeLoss
from pyx.core.pending_requests import PendingRequests
from pyx.core.policy import allows
from pyx.core.printing import Printing
from pyx.core.process_exits import ProcessExits
from pyx.core.process_signals import ProcessSignals
from pyx.core.registry import Registry
from pyx.core.requests import Requests
from pyx.core.routing import Router
from pyx.core.sessions import Sessions
from pyx.core.space_parts import SPACE_PARTS, SpaceParts
from pyx.core.tables import THE_NODE, Tables
from pyx.errors import ProtocolError
from pyx.options import RPC_POLICIES
from pyx.printable import on_one_line
from pyx.terms import Incarnation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.core.broadcasts import Broadcasts
    from pyx.core.gen_calls import GenCalls
    from pyx.core.groups import Groups
    from pyx.core.keys import Keys
    from pyx.core.peers import Peer
    from pyx.core.presence_diffs import PresenceDiffs
    from pyx.core.processes import ProcessRecord
    from pyx.core.starts import Starts
    from pyx.signals import Signal
    from pyx.terms import Pid

_LONGEST_REASON = 200
"""Characters of a peer's reason that get into this node's log."""


def load_late_parts() -> None:
    """Loads the modules of the parts that are made at their first use, and that a start does without.

    To be called before the first kernel call that may need one: nothing is imported under the kernel's lock.
    `pyx.otp` does so, and the runtime before the first session with a peer.
    """
    from pyx.core import broadcasts, gen_calls, groups, keys, presence_diffs, starts  # noqa: F401 - for the functions below


class Kernel:
    """Processes, names, links, monitors, requests and peers of one node.

    Args:
        policy: `"open"`, `"exported"` or `"off"`: which code peers may run here.
    """

    keys: Keys
    groups: Groups
    broadcasts: Broadcasts
    presence_diffs: PresenceDiffs
    gen_calls: GenCalls
    starts: Starts

    if not TYPE_CHECKING:  # for mypy, any attribute would be one of these

        def __getattr__(self, name: str) -> object:
            """Makes one of these parts when it is asked for first; a start makes none of them."""
            if name in {"gen_calls", "starts"}:
                part = self._new_part(name)
            elif name in SPACE_PARTS:
                part = getattr(self.spaces, name)
            else:
                raise AttributeError(name)
            setattr(self, name, part)
            return part

    def _new_part(self, name: str) -> GenCalls | Starts:
        if name == "starts":
            from pyx.core.starts import Starts

            return Starts(self.pending, self.process_signals)
        from pyx.core.gen_calls import GenCalls

        return GenCalls(self.tables, self.replies, self.router, self.exits, self.process_signals)

    def __init__(self, *, policy: str = "open") -> None:
        if policy not in RPC_POLICIES:
            msg = f"policy {policy!r} is none of {', '.join(RPC_POLICIES)}"
            raise ValueError(msg)
        self.tables = tables = Tables(policy=policy)
        self.replies = AwaitedReplies(tables)
        self.router = Router(tables, self.replies)
        self.registry = Registry(tables)
        self.spaces = SpaceParts(tables, self.router)
        self.printing = Printing(tables, self.router)
        self.pending = PendingRequests(tables, self.router)
        self.exits = ProcessExits(tables, self.registry, self.spaces, self.pending)
        self.process_signals = ProcessSignals(tables, self.replies, self.router, self.spaces, self.exits)
        self.requests = Requests(tables, self.router, self.pending, self.process_signals)
        self.membership = Membership(tables, self.router)
        self.node_loss = NodeLoss(
            tables,
            self.replies,
            self.router,
            self.spaces,
            self.process_signals,
            self.requests,
            self.membership,
        )
        self.sessions = Sessions(
            tables,
            self.router,
            self.spaces,
            self.pending,
            self.process_signals,
            self.membership,
            self.node_loss,
        )

    # ------------------------------------------------------------ the node

    def node_started(self, name: str, creation: int, *, hidden: bool) -> None:
        """Makes this process a node; pids and references made before keep their meaning here.

        Args:
            name: full, `"gus@host"`.
            creation: 32 random bits, not 0.
            hidden: third nodes are not told of this one, nor this one of them.
        """
        self.tables.name = name
        self.tables.creation = creation
        self.tables.hidden = hidden
        self.tables.here = Incarnation(name, creation)

    def node_stopped(self) -> None:
        """Disconnects from every peer: their processes are `noconnection`, those of this node live on."""
        tables = self.tables
        peers = list(tables.peers.values())
        for peer in peers:
            peer.invitations.clear()  # or the end of one dial would begin the next
        for peer in peers:
            self.sessions.disconnect(peer.name, "net_kernel_terminated")
        tables.name = ""
        tables.creation = 0
        tables.hidden = False
        tables.here = None
        tables.backoff.clear()

    def abandon(self, number: int) -> object:
        """Gives up the request or the call of a server of that number; see there."""
        given_up = self.gen_calls.abandon(number) if number in self.replies.awaited else None
        return given_up or self.requests.abandon(number)

    # ------------------------------------------------------------ signals of peers

    def signals_received(self, peer: Peer, signals: Sequence[Signal], now: float) -> None:
        """Applies the signals that came over a session, in order; ignored when that session is over.

        An empty batch shows that the peer lives: part of a signal came.  A signal that breaks the protocol,
        or that this kernel fails at, ends that session and nothing else: what came before it is applied.
        """
        state = peer.state
        if state != "up":
            return
        peer.last_received = now
        mark = None
        late = self.tables.fan_outs.latest
        self.tables.fan_outs.given = 0
        try:
            at, end = 0, len(signals)
            while at < end:
                signal = signals[at]
                if type(signal) is sig.Send:
                    at = self.router.receive_messages(signals, at, peer)
                    continue
                if type(signal) is sig.Answer:
                    if late and (asked := self.pending.get(signal.number)) and asked.caller:
                        self.router.precede(signal.frm, asked.caller)
                    self.pending.answered(peer, signal.number, signal.outcome, signal.payload)
                    at += 1
                    continue
                if type(signal) is sig.GenReply:
                    if late:
                        self.router.precede(signal.frm, signal.to)
                    self.gen_calls.replied(signal.to, signal.body, peer)
                    at += 1
                    continue
                if type(signal) is sig.GenCall:
                    self.gen_calls.called(peer, signal)
                    at += 1
                    continue
                if type(signal) is sig.Call:
                    self.requests.called(peer, signal)
                    at += 1
                    continue
                if mark is None:  # the signals above put nothing into the peer's queue, or charge it for that
                    mark = peer.out.mark()
                self.receive_signal(peer, signal)
                if peer.state != "up":
                    return
                at += 1
        except ProtocolError as error:
            self._break_off(peer, f"it broke the protocol: {error}")
        except Exception as error:  # a fault of the kernel: other peers must not suffer from it
            where = _place_of(error)
            self.tables.effects.append(Log("error", f"cannot apply a signal of {peer.name}: {where}"))
            self._break_off(peer, f"its signal cannot be applied: {where}")
        finally:
            if mark is not None:
                peer.out.charge(mark)

    def _break_off(self, peer: Peer, reason: str) -> None:
        """Ends a session on account of a signal that came over it."""
        self._settle_anyhow()  # of what follows from the signals before, one may fail as well
        if peer.state != "gone":
            self.sessions.lose(peer, reason)
            self.tables.effects.append(Hangup(peer, gracefully=False))

    def _settle_anyhow(self) -> None:
        """`settle`, though a signal fails: the signals behind it are applied all the same."""
        settled = False
        while not settled:
            try:
                self.process_signals.settle()
                settled = True
            except Exception as error:  # that signal is not in the queue any more
                self.tables.effects.append(Log("error", f"cannot apply a signal: {_place_of(error)}"))

    def continue_exits(self) -> None:
        """Gives out the next portion of exit notices; see `ContinueExits`."""
        self.tables.exit_notices.continues()
        self._settle_anyhow()

    def receive_signal(self, peer: Peer, signal: Signal) -> None:
        """Applies one signal of a peer and what follows from it; the frequent ones have a shorter way.

        Those are messages, calls and answers, from which nothing follows (`signals_received`).
        """
        match signal:
            case (
                sig.Monitor()
                | sig.Demonitor()
                | sig.Link()
                | sig.Unlink()
                | sig.UnlinkAck()
                | sig.ExitSignal()
                | sig.ExitTo()
            ):
                # A peer acts for its own processes only: links and monitors end with the node of the other.
                if signal.frm.node == peer.name:
                    self.process_signals.apply(signal)
            case sig.Down():
                self.process_signals.down_received(signal, peer.name)
            case sig.Leader(frm, to):
                self._receive_leader(peer, signal, frm, to)
            case sig.Spawn() | sig.Ask():
                if signal.frm.node == peer.name:
                    self.requests.requested(peer, signal)
            case sig.Spawned(number, pid):
                self.requests.spawned(peer, number, pid)
            case sig.Ping(number):
                self.router.enqueue(peer, sig.Pong(number))
            case sig.Publish():
                self.broadcasts.published(peer, signal)
            case sig.Held() | sig.Let() | sig.Holdings():
                if peer.shares_holdings:
                    self._receive_keys(peer, signal)
            case sig.Pong(number):
                if peer.is_ready:
                    self.pending.answered(peer, number, "pong", None)
                else:
                    peer.early_pongs.append(number)
            case sig.Print(frm, to, text):
                self.printing.show(to, frm, text)
            case sig.Crashed(frm, to, text):
                report = f"[error] Process {frm} on node {frm.node} raised an exception\n{text}"
                self.printing.show(to, frm, report)
            case sig.Dropped(frm, why):
                words = on_one_line(why, _LONGEST_REASON)
                text = f"{peer.name} dropped a message for {frm} that it cannot read: {words}"
                self.tables.effects.append(Log("warning", text, f"dropped by {peer.name}"))
            case sig.Nodes(names):
                if not peer.hidden:
                    self.membership.nodes_received(peer, names)
            case sig.Goodbye():
                self.sessions.lose(peer, "it left")
                self.tables.effects.append(Hangup(peer, gracefully=False))
            case (
                sig.Tick()
                | sig.Discover()
                | sig.Send()
                | sig.Call()
                | sig.Answer()
                | sig.GenCall()
                | sig.GenReply()
            ):
                pass
        self.process_signals.settle()

    def _receive_keys(self, peer: Peer, signal: sig.Held | sig.Let | sig.Holdings) -> None:
        """Notes what the processes of a peer hold."""
        if type(signal) is sig.Held:
            self.groups.held_received(peer, signal)
        elif type(signal) is sig.Let:
            self.groups.let_received(peer, signal)
        elif type(signal) is sig.Holdings:
            self.groups.holdings_received(peer, signal)
            peer.last_piece = peer.last_received
            if signal.is_last:
                self.sessions.holdings_are_here(peer)

    def _receive_leader(self, peer: Peer, signal: Signal, frm: Pid, to: Pid) -> None:
        """Lets a peer's process choose the group leader of one here, or warns.

        The output of that process goes there and nowhere else, so this is more than to observe: where peers
        may not run code of their choice, only the process's present leader may.
        """
        policy = self.tables.policy
        process = self.tables.find(to)
        if allows(policy, sig.Call, marked=False) or process is None or process.leader == frm:
            self.process_signals.apply(signal)
        else:
            text = f"{peer.name} may not choose where {to} prints (--rpc {policy})"
            self.tables.effects.append(Log("warning", text, f"leader by {peer.name}"))

    def payload_dropped(self, process: ProcessRecord, origin: Incarnation, why: str) -> None:
        """Reports a payload that a process could not decode to its node of origin, if that is connected."""
        peer = self.tables.peers.get(origin.name)
        if peer is not None and peer.state == "up" and peer.creation == origin.creation:
            self.router.enqueue(peer, sig.Dropped(process.pid, why[:_LONGEST_REASON]))

    # ------------------------------------------------------------ facts about processes

    def facts(self, process: ProcessRecord) -> dict[str, object]:
        """Returns what `Process.info` shows of a process, as far as the kernel knows it."""
        return {
            "registered_name": process.name,
            "initial_call": process.initial_call,
            "message_queue_len": len(process.mailbox),
            "links": list(process.links),
            "monitors": list(process.monitors.values()),
            "monitored_by": [
                *(watcher.pid for watcher in process.monitored_by),
                *(frm for frm, _, _ in process.callers.values()),
            ],
            "trap_exit": process.trap_exit,
            "group_leader": process.leader or THE_NODE,
            "kind": process.kind,
        }


def _place_of(error: Exception) -> str:
    """Returns which error was raised where; without its text, which may be a peer's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} in {trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}"
