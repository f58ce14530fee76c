"""`Process`: the functions of Elixir's module `Process`: names, information, exits, links, monitors, timers.

See `primitives.py` for spawn, send, receive and self.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pyx.core.tables import THE_NODE
from pyx.errors import AlreadyReceiving, Exit, NoProcess
from pyx.execution import context
from pyx.execution.context import forbid_running_loop, require
from pyx.execution.runner import sleep
from pyx.execution.slots import LockSlot
from pyx.runtime import process_requests
from pyx.runtime.arguments import (
    answer_to_send,
    checked_binaries,
    checked_choice,
    checked_destination,
    checked_mailbox_limit,
    checked_name,
    checked_pid,
    checked_ref,
    checked_seconds,
    node_of_destination,
)
from pyx.runtime.encoding import encoded_reason
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import wait
from pyx.runtime.sending import encode_for
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    import builtins

    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.via_names import Via

__all__ = ["Process"]


class Process:
    """Functions about processes: names, information, exits, links, monitors, aliases, timers, output.

    The class is a namespace and is never instantiated.
    """

    # ------------------------------------------------------------ names

    @staticmethod
    def register(pid: Pid, name: str) -> bool:
        """Registers a process of this node under a name; returns True.

        Raises:
            RegistrationError: the pid is not local or not alive, it has a name already, or the name is taken
                or invalid; the text says which.
        """
        pid = checked_pid(pid)
        with this_node().kernel_call as kernel:
            kernel.registry.register(pid, name)
        return True

    @staticmethod
    def unregister(name: str) -> bool:
        """Removes a registered name; returns True.

        Raises:
            RegistrationError: the name is not registered on this node.
        """
        with this_node().kernel_call as kernel:
            kernel.registry.unregister(name)
        return True

    @staticmethod
    def whereis(name: str | Via) -> Pid | None:
        """Returns the pid registered under *name* on this node (or in the registry of a `via(...)`), or None.

        Raises:
            TypeError: *name* is neither a str nor a `via(...)`.
        """
        if type(name) is not str and hasattr(name, "whereis"):
            return name.whereis()
        name = checked_name(name)
        with this_node().kernel_call as kernel:
            return kernel.registry.whereis(name)

    @staticmethod
    def registered() -> list[str]:
        """Returns all names registered on this node, sorted."""
        with this_node().kernel_call as kernel:
            return kernel.registry.registered()

    # ------------------------------------------------------------ information

    @staticmethod
    def list() -> builtins.list[Pid]:
        """Returns the pids of all processes of this node."""
        with this_node().kernel_call as kernel:
            processes = kernel.tables.processes.all()
        return [process.pid for process in processes]

    @staticmethod
    def info(pid: Pid, key: str | builtins.list[str] | None = None) -> Any:
        """Returns facts about a process of this node or of another one.

        Differs from IEx: the pid may be remote; its node is asked and has 5 s to answer.

        Args:
            pid: any pid.
            key: a key, a list of keys, or None for all keys but `messages`, `message_queue_bytes` (of the
                messages in the mailbox) and `current_stacktrace` (a list of (module, function, line), the
                innermost first); and of a remote process under `--rpc exported` and `off` all but
                `dictionary`.

        Returns:
            `(key, value)` for one key, else a dict in the order of the keys; None if the process is dead.

        Raises:
            ValueError: an unknown key; the text lists the known ones.
            NoConnection: the pid's node cannot be reached, or does not answer in time.
            RpcRefused: `messages` or `dictionary` of a process on a node that does not run with `--rpc open`.
            WouldBlock: the thread runs an event loop (use `await aio.Process.info()`).
        """
        return wait("Process.info", process_requests.info(pid, key))

    @staticmethod
    def is_alive(pid: Pid) -> bool:
        """Returns True if the process is alive.

        Differs from IEx: the pid may be remote; False if its node cannot be reached.
        """
        return wait("Process.is_alive", process_requests.is_alive(pid))

    # ------------------------------------------------------------ exits

    @staticmethod
    def exit(pid: Pid, reason: Any) -> bool:
        """Sends an exit signal; returns True.

        As in OTP: `"kill"` cannot be trapped, and links and monitors see it as `"killed"`; `"normal"` of
        another process is ignored, unless the receiver traps exits; a process ends by its own signal at once,
        also by `"normal"`, unless it traps exits.

        A process that ends so is dead at once: its monitors fire, its name is free, and each function of pyx
        raises ProcessKilled in code of the process that still runs.  The thread of a `def` ends at its next
        line of user code; a call into a library (`queue.get`) or into C (`time.sleep`, `recv`) returns first.
        Code that catches ProcessKilled gets it again; code that still runs after 5 s is listed in
        `Node.info()["stuck"]`.

        Differs from IEx: a shell that exits itself shows `Exit(reason)` as an exception, and goes on.

        Args:
            pid: any pid; a signal to a dead process is lost.
            reason: any data.
        """
        pid = checked_pid(pid)
        runner = context.current.get()
        if runner is not None and pid == runner.process.pid:
            process = runner.process
            if process.keeps_pid and not process.trap_exit and reason != "kill":
                raise Exit(reason)
        node = this_node()
        node.sending.send_exit(pid, encoded_reason(reason, node.max_message_bytes))
        return True

    @staticmethod
    def flag(name: str, value: Any) -> Any:
        """Sets a flag of the running process and returns its old value.

        Args:
            name: `"trap_exit"`, `"max_mailbox"`, or `"binaries"`.
            value: for `"trap_exit"` True to receive exit signals as messages.  For `"max_mailbox"` the number
                of messages that may wait and what happens beyond, or None for no limit: `(n, "warn")` logs a
                line, and again each time the number has doubled (the default, with n = 100,000); `(n,
                "kill")` ends the process, as OTP's `max_heap_size` does; `(n, "block")` makes senders wait,
                which are processes of this node and coroutines in `aio.send` (messages of others are logged
                as by `"warn"`).  For `"binaries"` what becomes of Erlang's binaries in messages of Erlang
                nodes: `"str"`, the default, makes a str of each that is UTF-8; `"bytes"` none.

        Raises:
            ValueError: the flag is unknown, or cannot have that value.
            TypeError: the value of `"trap_exit"` is neither True nor False.
        """
        runner = require("Process.flag()")
        node, process = node_of(runner), runner.process
        if name == "trap_exit":
            traps = checked_choice(value)
            with node.kernel_call as kernel:
                return kernel.process_signals.set_trap_exit(process, traps)
        if name == "max_mailbox":
            limit = checked_mailbox_limit(value)
            with node.kernel_call as kernel:
                old = kernel.process_signals.set_mailbox_limit(process, limit)
            return tuple(old) if old is not None else None
        if name == "binaries":
            before, runner.binaries = runner.binaries, checked_binaries(value)
            return before
        msg = f"unknown flag {name!r}; there are 'trap_exit', 'max_mailbox' and 'binaries'"
        raise ValueError(msg)

    # ------------------------------------------------------------ links and monitors

    @staticmethod
    def link(pid: Pid) -> bool:
        """Links the running process and *pid*; returns True.

        Raises:
            NoProcess: *pid* is local and dead, and the caller does not trap exits, as in IEx (a caller that
                does receives an EXIT message).
        """
        runner = require("Process.link()")
        pid = checked_pid(pid)
        with node_of(runner).kernel_call as kernel:
            is_linked = kernel.process_signals.link(runner.process, pid)
        if not is_linked:
            raise NoProcess(pid)
        return True

    @staticmethod
    def unlink(pid: Pid) -> bool:
        """Removes a link; returns True.  No EXIT message of that link comes after this."""
        runner = require("Process.unlink()")
        pid = checked_pid(pid)
        with node_of(runner).kernel_call as kernel:
            kernel.process_signals.unlink(runner.process, pid)
        return True

    @staticmethod
    def monitor(
        target: Pid | str | tuple[str, str] | Via,
        *,
        alias: Literal["explicit_unalias", "demonitor", "reply_demonitor"] | None = None,
    ) -> Ref:
        """Has the caller receive one `("DOWN", ref, "process", target, reason)` when *target* ends.

        The reason is `"noproc"` for a process that is dead already, and `"noconnection"` for one whose node
        cannot be reached.  Each call makes a monitor of its own.

        Args:
            target: a pid, a registered name, `(name, node)`, or `via(...)`.
            alias: makes the reference an alias too, as OTP: until `unalias` (`"explicit_unalias"`); until the
                monitor has fired or was removed (`"demonitor"`); or until then or the first message to it,
                which removes the monitor as well (`"reply_demonitor"`, for one reply or one DOWN).

        Returns:
            The reference in the message.

        Raises:
            ValueError: *alias* is another value.
        """
        runner = require("Process.monitor()")
        node = node_of(runner)
        dest = checked_destination(node, target)
        if isinstance(dest, Ref):
            msg = f"a monitor watches a pid, a name or (name, node), not {target!r}"
            raise TypeError(msg)
        if alias not in {None, "explicit_unalias", "demonitor", "reply_demonitor"}:
            msg = f"alias is 'explicit_unalias', 'demonitor', 'reply_demonitor' or None, not {alias!r}"
            raise ValueError(msg)
        mark = runner.process.mailbox.mark()  # before: the DOWN may come with the same kernel call
        with node.kernel_call as kernel:
            ref = kernel.process_signals.monitor(runner.process, dest, alias)
        runner.remember(ref, mark)
        return ref

    @staticmethod
    def demonitor(ref: Ref, *, flush: bool = False) -> bool:
        """Removes a monitor; returns True if it was active.

        Args:
            ref: of the monitor.
            flush: remove its DOWN message from the mailbox too.
        """
        runner = require("Process.demonitor()")
        if flush and runner.receiving:
            raise AlreadyReceiving  # a predicate that would take messages from under its own receive
        ref = checked_ref(ref)
        with node_of(runner).kernel_call as kernel:
            return kernel.process_signals.demonitor(runner.process, ref, flush=flush)

    @staticmethod
    def alias() -> Ref:
        """Returns a reference that messages can be sent to until `unalias`; later messages are dropped.

        With an alias as return address, the late reply to a call that timed out stays out of the mailbox (as
        OTP's aliases).
        """
        runner = require("Process.alias()")
        mark = runner.process.mailbox.mark()
        with node_of(runner).kernel_call as kernel:
            ref = kernel.router.alias(runner.process)
        runner.remember(ref, mark)
        return ref

    @staticmethod
    def unalias(ref: Ref) -> bool:
        """Removes an alias; returns True if it was active."""
        runner = require("Process.unalias()")
        ref = checked_ref(ref)
        with node_of(runner).kernel_call as kernel:
            return kernel.router.unalias(runner.process, ref)

    # ------------------------------------------------------------ messages

    @staticmethod
    def send(
        dest: Pid | str | tuple[str, str] | Ref | Via,
        message: Any,
        *,
        noconnect: bool = False,
        nosuspend: bool = False,
    ) -> str:
        """Sends *message*, unless one of the options forbids it; returns a word, as Elixir's.

        Args:
            dest: as for `pyx.send`.
            message: as for `pyx.send`.
            noconnect: do not send if the node of *dest* would have to be connected first.
            nosuspend: do not send if the caller would have to wait for a busy node or process.

        Returns:
            `"ok"`; or `"noconnect"` or `"nosuspend"`, and the message is not sent.

        Raises:
            NodeBusy, EncodeError, NoProcess: as `pyx.send`.
        """
        node = this_node()
        checked = checked_destination(node, dest)
        if noconnect and not node.reaches(node_of_destination(checked)):
            return "noconnect"
        sending = node.sending
        sent = sending.send_unless_busy(checked, message) if nosuspend else sending.send(checked, message)
        return str(answer_to_send(dest, message, sent, nosuspend=True))

    # ------------------------------------------------------------ the process dictionary

    @staticmethod
    def put(key: Any, value: Any) -> Any:
        """Stores a value in the dictionary of the running process; returns the old value, or None."""
        dictionary = require("Process.put()").process.dictionary
        old = dictionary.get(key)
        dictionary[key] = value
        return old

    @staticmethod
    def get(key: Any = ..., default: Any = None) -> Any:
        """Returns the value that `put` stored under *key*, or *default*; without a key a dict of all."""
        dictionary = require("Process.get()").process.dictionary
        return dict(dictionary) if key is ... else dictionary.get(key, default)

    @staticmethod
    def get_keys(value: Any = ...) -> builtins.list[Any]:
        """Returns the keys of the dictionary of the running process; with a *value* those that have it."""
        items = require("Process.get_keys()").process.dictionary.items()
        return [key for key, stored in items if value is ... or stored == value]

    @staticmethod
    def delete(key: Any) -> Any:
        """Removes *key* from the dictionary of the running process; returns the value it had, or None."""
        return require("Process.delete()").process.dictionary.pop(key, None)

    # ------------------------------------------------------------ time

    @staticmethod
    def send_after(dest: Pid | str | tuple[str, str] | Via, message: Any, seconds: float) -> Ref:
        """Sends *message* to *dest* after a delay; returns the reference for `cancel_timer`.

        Differs from IEx: *seconds* are seconds, not milliseconds.
        """
        delay = checked_seconds(seconds, "seconds")
        if delay is None:
            msg = "seconds is a number, not None"
            raise TypeError(msg)
        node = this_node()
        return node.timers.start(delay, *_for_a_timer(node, dest, message))

    @staticmethod
    def send_interval(dest: Pid | str | tuple[str, str] | Via, message: Any, seconds: float) -> Ref:
        """Sends *message* to *dest* every *seconds*, as Erlang's `:timer.send_interval`, without drift.

        The first comes after *seconds*.  It ends with its receiver, if that is a process of this node or a
        name registered here, and else with the process that set it.  Differs from IEx: *seconds* are seconds;
        a message is left out if it is overdue, because the OS process stood still, or if the
        queue of its node (or a mailbox that blocks its senders) is full.

        Args:
            dest: as for `send`.
            message: data, the same each time.
            seconds: 0.001 or more.

        Returns:
            The reference for `cancel_timer` and `read_timer`.

        Raises:
            ValueError: *seconds* is too small.
        """
        from pyx.core.intervals import SHORTEST_INTERVAL_SECONDS  # not before the first prompt

        every = checked_seconds(seconds, "seconds")
        if every is None or every < SHORTEST_INTERVAL_SECONDS or every == math.inf:
            msg = f"an interval is a number of seconds from {SHORTEST_INTERVAL_SECONDS} on, not {seconds!r}"
            raise ValueError(msg)
        node = this_node()
        checked, body = _for_a_timer(node, dest, message)
        return node.timers.start(every, checked, body, repeats=True, owner=context.acting_pid())

    @staticmethod
    def read_timer(ref: Ref) -> float | bool:
        """Returns the seconds until a timer sends (an interval: sends next), or False if it has sent."""
        return this_node().timers.read(checked_ref(ref))

    @staticmethod
    def cancel_timer(ref: Ref) -> float | bool:
        """Cancels a `send_after` or a `send_interval`.

        Returns:
            The seconds that were left, or False if the message was sent, or the interval has ended.
        """
        return this_node().timers.cancel(checked_ref(ref))

    @staticmethod
    def sleep(seconds: float | None) -> None:
        """Blocks for *seconds* (None: for ever); a kill ends the wait at once.

        Raises:
            WouldBlock: the thread runs an event loop (use `await aio.sleep()`).
        """
        forbid_running_loop("Process.sleep()", "aio.sleep()")
        delay = checked_seconds(seconds, "seconds")
        # On a slot of its own, which messages do not wake.
        sleep(context.current.get(), LockSlot(), delay, lambda: False)

    # ------------------------------------------------------------ output

    @staticmethod
    def group_leader(pid: Pid | None = None, leader: Pid | None = None) -> Any:
        """Returns the group leader of the running process, whose terminal shows its output; or sets one.

        Args:
            pid: the process that gets a new leader.
            leader: the pid of that leader; `#PID<0.0.0>` is the node itself.

        Returns:
            Without arguments the leader's pid; with both True.
        """
        if pid is None:
            return context.acting_leader() or THE_NODE
        if leader is None:
            msg = "Process.group_leader takes no argument, or a pid and its new leader"
            raise TypeError(msg)
        frm, pid, leader = context.acting_pid() or THE_NODE, checked_pid(pid), checked_pid(leader)
        with this_node().kernel_call as kernel:
            kernel.process_signals.set_leader(frm, pid, leader)
        return True


def _for_a_timer(node: LocalNode, dest: Any, message: Any) -> tuple[Any, Any]:
    """Returns a destination and a message as `Timers.start` takes them."""
    checked = checked_destination(node, dest)
    to = node_of_destination(checked)
    if to and node.speaks_with_erlang:
        node.sending.encoded(to, message)  # what the node cannot hold is refused here
    return checked, encode_for(to, message, node.max_message_bytes)
