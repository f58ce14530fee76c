"""What surprises in IEx and OTP about links, monitors, exits and the loss of nodes; and what pyx does.

Every detail is proven by a conversation in `test_iex_parity.py`.  Where pyx differs, `pyx` and `why` are the
other two columns of the README's table "Differs from IEx", and `iex` is the first.  Not here: details of the
shell, of rpc's results, of names and cookies.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Detail(NamedTuple):
    """One thing a user of IEx may rely on, or stumble over."""

    id: str
    iex: str
    """What IEx does."""
    pyx: str = ""
    """What pyx does instead; empty where it does the same."""
    why: str = ""

    @property
    def is_followed(self) -> bool:
        """True where pyx does the same."""
        return not self.pyx


DETAILS: Final = (
    # ------------------------------------------------------------ connections
    Detail(
        "joining one joins all",
        "connecting to one member of a mesh connects to all",
    ),
    Detail(
        "anything connects",
        "a message, monitor, link or call to a node that is not connected connects first, without a word",
    ),
    Detail("hidden", "a hidden node is told of nobody and nobody of it; it sees all its peers as hidden"),
    Detail(
        "disconnect",
        "`Node.disconnect` may take the whole mesh apart (`global`)",
        "ends that one connection",
        "pyx never cuts a healthy link on account of a third",
    ),
    Detail(
        "half-right cookie",
        "a node that only one of two members lets in makes these two lose each other",
        "the two stay connected; the newcomer has one peer",
        "pyx never cuts a healthy link on account of a third",
    ),
    Detail(
        "overlapping partitions",
        "a node that sees both halves of a partition is cut off from both",
        "it keeps both, says so once in the log and in `Node.info()`",
        "connections that work are worth more than a picture that is simple",
    ),
    Detail("disconnect of a stranger", "`Node.disconnect` of a node that is not connected is false"),
    # ------------------------------------------------------------ messages
    Detail(
        "send never fails",
        "`send` is silent about every lost destination except a plain local name that nobody has",
    ),
    Detail("order", "messages keep their order from one sender to one receiver"),
    Detail("no resend", "what is lost with a connection stays lost; nothing is sent again"),
    Detail("late reply", "the reply of a call that timed out never litters the mailbox"),
    Detail("names are local", "a registered name belongs to its node; elsewhere it is `{name, node}`"),
    # ------------------------------------------------------------ monitors
    Detail("monitor of the dead", "a monitor of a dead process is a reference and a DOWN with `noproc`"),
    Detail("monitor by name", "DOWN of a monitor by name says `{name, node}`"),
    Detail("monitor out of reach", "a monitor of what cannot be reached is a DOWN with `noconnection`"),
    Detail("monitors stack", "monitors stack, one DOWN each; so do `Node.monitor` calls; links do not"),
    Detail("node monitor out of reach", "`Node.monitor` of a node out of reach is a `nodedown` at once"),
    # ------------------------------------------------------------ links and exits
    Detail(
        "link to the dead",
        "a link to a dead local process raises, or is an EXIT with `noproc` if exits are trapped",
    ),
    Detail("normal end", "a normal end takes nobody along; who traps exits gets `{:EXIT, pid, :normal}`"),
    Detail("exit normal to another", "`Process.exit(other, :normal)` does nothing"),
    Detail("exit normal to oneself", "`Process.exit(self(), :normal)` ends the caller"),
    Detail("kill", "`kill` cannot be trapped, and is seen by others as `killed`"),
    Detail("kill from inside", "`exit(:kill)` from inside is an ordinary reason, and travels as `kill`"),
    Detail(
        "spawn out of reach",
        "`Node.spawn` out of reach gives a dead local pid; `spawn_link` an exit too",
    ),
    Detail(
        "crash",
        "an uncaught raise is the reason `{exception, stack}`, a throw `{{:nocatch, value}, stack}`",
        "`Raised(type, text, traceback)`",
        "it can be read and matched on a node that lacks the class; Python has no throw",
    ),
    Detail(
        "crash is logged",
        "a crash is logged where it ran and at its terminal; `exit(reason)` is not",
    ),
    Detail(
        "shell",
        "a linked crash replaces the shell: new pid, no bindings",
        "it is shown; pid and bindings stay",
        "nothing is lost by a crash elsewhere",
    ),
    # ------------------------------------------------------------ a node is lost
    Detail(
        "noconnection",
        "the end of a node is `noconnection`, however its processes died",
    ),
    Detail(
        "survivor",
        "who is linked to a lost node dies; who was merely spawned from there lives",
    ),
    Detail(
        "nodedown comes last",
        "the order of `nodedown`, DOWN and EXIT is not fixed",
        "DOWN and EXIT come first, each once",
        "who hears `nodedown` has heard the rest",
    ),
    Detail("nobody reconnects", "nobody connects to a lost node by himself; the next message does"),
    Detail("another life", "a restarted node's old pids are dead, though they print the same"),
    Detail(
        "frozen peer",
        "a silent peer is given up after 60 seconds; a ping to it takes 7",
        "after 15 (`--tick`); a ping takes 5",
        "a process that hangs is noticed while one still remembers what one did",
    ),
    Detail(
        "nodedown for every reason",
        "`{:badrpc, :nodedown}` covers no such node, a wrong cookie, no name of one's own, death in mid-call",
        "`RpcNoConnection`, whose reason tells these apart",
        "the asker is the one who can mend it",
    ),
    Detail(
        "orphan",
        "printing to a dead terminal kills the printing process",
        "it prints on its own node",
        "an orphan did nothing wrong",
    ),
)
"""Followed where nothing is said of pyx."""
