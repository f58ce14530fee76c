"""What surprises in IEx and OTP about links, monitors, exits, the loss of nodes and the shell; what pyx does.

Every detail is proven by a conversation in `test_iex_parity.py`, or by the tests that it names.  Those where
pyx differs are the table of `docs/differences-from-iex.md`: `iex`, `pyx` and `why` are its columns.
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
    tests: tuple[str, ...] = ()
    """The tests that prove it, where it takes more than the kernel."""

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
        "after 15 to 19 (`--tick`, and up to a quarter of it); a ping takes 5",
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
    Detail(
        "order of nodes",
        "`Node.list` is in no order",
        "sorted",
        "to be read",
    ),
    # ------------------------------------------------------------ the faces and the shell
    Detail(
        "badrpc",
        "`:rpc.call` answers `{:badrpc, reason}`, and a thrown value as if it were a result",
        "an exception that says which node, and what is missing or what it raised there",
        "a failure must not look like a value",
        ("tests/test_rpc.py::TestCall::test_failures_are_told_apart", "tests/test_errors.py"),
    ),
    Detail(
        "remote pids",
        "`Process.info` and `alive?` of a remote pid raise",
        "they ask that node, within 5 s",
        "they are what one wants to know",
        ("tests/test_process.py::TestInformation::test_of_a_process_on_another_node",),
    ),
    Detail(
        "current function",
        "`current_function` ends with the arity",
        "with the line",
        "a function of Python has one arity, and many lines to wait at",
        ("tests/runtime/test_information.py::TestFacts::test_of_a_fresh_process",),
    ),
    Detail(
        "bare names",
        "names are matched as written, `:b` is nobody",
        "a bare name means this host",
        "nobody types host names on one host",
        ("tests/stories/test_article.py::test_a_name_gets_the_hosts_own_part",),
    ),
    Detail(
        "names that are none",
        "a node whose name cannot be one is `false`, `:pang`, a message dropped",
        "`NodeNameInvalid` says what is wrong with it",
        "a slip of the fingers is told to who made it",
        ("tests/test_node.py::TestOthers::test_a_name_that_is_none",),
    ),
    Detail(
        "wrong cookie",
        "a wrong cookie is `false`, without a word at home",
        "also a warning with the reason, where it was asked",
        "the asker is the one who can mend it",
        (
            "tests/stories/test_nodes.py::TestCookies::test_a_wrong_cookie_is_told_to_who_asked_with_the_reason",
        ),
    ),
    Detail(
        "stop",
        "`Node.stop` of a node that was named on the command line is refused",
        "it stops, and may start under another name",
        "a name is given and taken back by the same words",
        ("tests/shell/test_session.py::TestPipes::test_a_node_of_the_command_line_takes_another_name",),
    ),
    Detail(
        "seconds",
        "`Process.send_after` takes milliseconds",
        "seconds",
        "all of Python counts in them",
        ("tests/test_process.py::TestTime",),
    ),
    Detail(
        "reload",
        "the second reload kills what still runs a module's oldest code",
        "it goes on, with the code it has",
        "whoever edits a file means to end nobody",
        ("tests/shell/test_session.py::TestPipes::test_a_running_loop_keeps_its_code",),
    ),
    Detail(
        "ctrl-c",
        "Ctrl-C opens a menu",
        "interrupts what runs or waits",
        "what hangs has to be left, and nothing lost by that",
        ("tests/stories/test_interrupts.py::test_a_blocked_call",),
    ),
    Detail(
        "history",
        "history has to be switched on",
        "whole statements, kept, 0600; none that holds the cookie",
        "what was typed once need not be typed again",
        (
            "tests/stories/test_editor.py::TestHistory::test_of_earlier_sessions_comes_back_statement_by_statement",
            "tests/shell/test_history.py::test_the_file_is_its_owners_alone",
        ),
    ),
    Detail(
        "blank line",
        "a blank line evaluates to nil and counts",
        "does nothing",
        "it says nothing",
        ("tests/shell/test_loop.py::test_a_blank_line_or_a_remark_does_nothing",),
    ),
    Detail(
        "exit at the prompt",
        "`exit(:normal)` at the prompt ends the shell process",
        '`exit("normal")` shows `Exit: normal`; `exit()` and `exit(3)` leave',
        "pid and bindings end when one says so, and only then",
        (
            "tests/shell/test_session.py::TestPipes::test_an_exit_of_the_shell_itself_is_shown_and_ends_nothing",
        ),
    ),
)
"""Followed where nothing is said of pyx."""
