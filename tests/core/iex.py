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
    Detail(
        "hidden", "a hidden node is not announced and gets no announcements; it sees all its peers as hidden"
    ),
    Detail(
        "disconnect",
        "`Node.disconnect` may take the whole mesh apart (`global`)",
        "ends that one connection",
        "pyx never ends a healthy connection on account of a third node",
    ),
    Detail(
        "half-right cookie",
        "a newcomer that only one of two members accepts makes these two lose each other",
        "the two stay connected, and the newcomer has one peer",
        "pyx never ends a healthy connection on account of a third node",
    ),
    Detail(
        "overlapping partitions",
        "a node that sees both halves of a partition is disconnected from both",
        "keeps both, and says so once in the log and in `Node.info()`",
        "working connections are worth more than a simple picture",
    ),
    Detail("disconnect without connection", "`Node.disconnect` of a node that is not connected is false"),
    # ------------------------------------------------------------ messages
    Detail(
        "send never fails",
        "`send` is silent about every lost destination except a plain local name that is not registered",
    ),
    Detail("order", "messages keep their order from one sender to one receiver"),
    Detail("no resend", "what is lost with a connection stays lost; nothing is sent again"),
    Detail("late reply", "the reply of a call that timed out never litters the mailbox"),
    Detail("names are local", "a registered name belongs to its node; on another it is `{name, node}`"),
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
    Detail(
        "normal end", "a normal end ends no linked process; one that traps exits gets `{:EXIT, pid, :normal}`"
    ),
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
        "it can be read and matched on a node that does not have the class; Python has no throw",
    ),
    Detail(
        "crash is logged",
        "a crash is logged where it ran and at its terminal; `exit(reason)` is not",
    ),
    Detail(
        "shell",
        "the crash of a linked process replaces the shell: a new pid, and no variables",
        "the crash is shown; pid and variables stay",
        "a crash elsewhere should not lose anything here",
    ),
    # ------------------------------------------------------------ a node is lost
    Detail(
        "noconnection",
        "the end of a node is `noconnection`, however its processes died",
    ),
    Detail(
        "survivor",
        "a process linked to a lost node dies; one merely spawned from there lives",
    ),
    Detail(
        "nodedown comes last",
        "the order of `nodedown`, DOWN and EXIT is not fixed",
        "DOWN and EXIT come first, each once",
        "a process that receives `nodedown` has received the rest",
    ),
    Detail("no reconnecting", "a lost node is not connected again by itself; the next message does it"),
    Detail("another incarnation", "a restarted node's old pids are dead, though they print the same"),
    Detail(
        "frozen peer",
        "a silent peer is given up after 60 seconds; a ping to it takes 7",
        "after 15 to 19 (`--tick`, and up to a quarter of it); a ping takes 5",
        "a node that hangs is noticed while its user still remembers what was done",
    ),
    Detail(
        "nodedown for every reason",
        "`{:badrpc, :nodedown}` covers no such node, a wrong cookie, a nameless caller, death in mid-call",
        "raises `RpcNoConnection`, whose reason tells these apart",
        "the user of the asking node can correct it",
    ),
    Detail(
        "orphan",
        "printing to a dead terminal kills the printing process",
        "it prints on its own node",
        "a process should not end because a terminal has gone",
    ),
    Detail(
        "order of nodes",
        "`Node.list` is in no order",
        "sorted",
        "easier to read",
    ),
    # ------------------------------------------------------------ the public modules and the shell
    Detail(
        "badrpc",
        "`:rpc.call` returns `{:badrpc, reason}`, and a thrown value as if it were a result",
        "raises an exception that names the node, and what is missing or was raised there",
        "a failure must not look like a value",
        ("tests/test_rpc.py::TestCall::test_failures_have_exceptions_of_their_own", "tests/test_errors.py"),
    ),
    Detail(
        "remote pids",
        "`Process.info` and `alive?` of a remote pid raise",
        "they ask that node, within 5 s",
        "that is what a person at a prompt wants to know",
        ("tests/test_process.py::TestInformation::test_info_and_is_alive_of_a_remote_process",),
    ),
    Detail(
        "current function",
        "`current_function` ends with the arity",
        "with the line",
        "a function of Python has one arity, and many lines to wait at",
        ("tests/runtime/test_process_info.py::TestFacts::test_facts_of_a_fresh_process",),
    ),
    Detail(
        "bare names",
        "names are matched as written, so `:b` is not a node",
        "a bare name means this host",
        "on one host the host part says nothing",
        ("tests/stories/test_scenario_modules.py::test_bare_name_gets_the_host_part_of_this_host",),
    ),
    Detail(
        "names that are none",
        "for a name that cannot be a node's: `false`, `:pang`, or a dropped message",
        "`NodeNameInvalid` says what is wrong with it",
        "a typing error should be reported where it was made",
        ("tests/test_nodes.py::TestOtherNodes::test_invalid_node_name_is_refused",),
    ),
    Detail(
        "wrong cookie",
        "a wrong cookie is `false`, and nothing is logged at the asking node",
        "also a warning with the reason at the asking node",
        "the user of the asking node can correct it",
        ("tests/stories/test_nodes.py::TestCookies::test_wrong_cookie_is_reported_at_the_dialling_node",),
    ),
    Detail(
        "stop",
        "`Node.stop` of a node that was named on the command line is refused",
        "it stops, and may be started under another name",
        "the functions that give a name also take it back",
        ("tests/shell/test_app.py::TestPipes::test_node_of_the_command_line_takes_another_name",),
    ),
    Detail(
        "seconds",
        "`Process.send_after` takes milliseconds",
        "seconds",
        "Python's functions take seconds",
        ("tests/test_process.py::TestTime",),
    ),
    Detail(
        "reload",
        "the second reload kills what still runs a module's oldest code",
        "that process goes on, with the code it has",
        "editing a file is not meant to end a process",
        ("tests/shell/test_app.py::TestPipes::test_running_function_keeps_its_code_after_reloads",),
    ),
    Detail(
        "ctrl-c",
        "Ctrl-C opens a menu",
        "interrupts what runs or waits",
        "it must be possible to leave what hangs, without losing anything",
        ("tests/stories/test_interrupts.py::test_ctrl_c_interrupts_a_blocked_call",),
    ),
    Detail(
        "history",
        "history has to be switched on",
        "always on; whole statements, in a file with mode 0600, without those that hold a cookie",
        "nothing has to be typed twice",
        (
            "tests/stories/test_editor.py::TestHistory::test_arrow_up_recalls_statements_of_earlier_sessions",
            "tests/shell/test_history.py::test_file_is_readable_for_its_owner_alone",
        ),
    ),
    Detail(
        "blank line",
        "a blank line evaluates to nil and counts",
        "does nothing",
        "it holds no statement",
        ("tests/shell/test_loop.py::test_blank_line_and_comment_are_not_counted",),
    ),
    Detail(
        "exit at the prompt",
        "`exit(:normal)` at the prompt ends the shell process",
        '`exit("normal")` shows `Exit: normal`; `exit()` and `exit(3)` leave',
        "the pid and the variables end only when the user leaves",
        ("tests/shell/test_app.py::TestPipes::test_exit_of_the_shell_itself_is_shown_and_ends_nothing",),
    ),
    Detail(
        "overdue messages",
        "`:timer.send_interval` sends overdue messages in a burst",
        "`Process.send_interval` leaves them out",
        "a process that stood still needs one tick, and not a thousand",
        ("tests/core/test_intervals.py::test_overdue_messages_are_left_out_and_the_next_one_is_on_the_grid",),
    ),
    Detail(
        "monitor_nodes twice",
        "`:net_kernel.monitor_nodes` with the same options again gives each message once more",
        "it asks for nothing more",
        "who asks twice wants to know, and not to hear twice",
        ("tests/core/test_membership.py::test_each_combination_of_options_is_a_request_of_its_own",),
    ),
    Detail(
        "order of terms",
        "any two terms have an order",
        "pids have OTP's order among pids, references among references",
        "values of two types have no order in Python",
        (
            "tests/test_terms.py::TestPid::test_pids_sort_as_in_otp",
            "tests/test_terms.py::TestRef::test_references_sort_as_in_otp",
        ),
    ),
    Detail(
        "rpc to servers",
        "`:rpc.server_call`, `multi_server_call` and `sbcast`",
        "`GenServer.call((name, node), ...)` and `GenServer.multi_call`",
        "a reply says more than that a message was put into a mailbox",
        ("tests/otp/test_server_calls.py",),
    ),
    Detail(
        "rpc in parallel",
        "`:rpc.parallel_eval`, `block_call` and `pinfo`",
        "`rpc.async_call` for each, `rpc.call`, `Process.info`",
        "they do that already, with any pid and any function",
        (
            "tests/test_rpc.py::TestMulticall",
            "tests/test_process.py::TestInformation::test_info_and_is_alive_of_a_remote_process",
        ),
    ),
    Detail(
        "request ids",
        "`:erpc.send_request`, `receive_response` and collections of request ids",
        "`rpc.async_call` returns a future, for `concurrent.futures.wait` and `asyncio.gather`",
        "Python collects futures by these",
        ("tests/test_rpc.py",),
    ),
    Detail(
        "names of those who may connect",
        "`:net_kernel.allow` names the nodes that may connect",
        "`Node.set_cookie(node, cookie)` gives a peer a cookie of its own",
        "a name alone proves nothing",
        ("tests/test_nodes.py", "tests/runtime/test_cookies.py"),
    ),
    Detail(
        "passive connect",
        "`Node.monitor/3` may wait for the other node to connect",
        "`Node.monitor` connects, and is a `nodedown` at once where it cannot",
        "a process should not wait for what may never come",
        ("tests/test_nodes.py::TestNodeMonitors::test_monitor_of_an_unreachable_node_fires_at_once",),
    ),
    Detail(
        "timers of functions",
        "`:timer.apply_after`, `apply_interval`, `exit_after` and `kill_after` call a function later",
        "`Process.send_after` and `send_interval` send a message",
        "Python has timers that call functions: `threading.Timer`, `loop.call_later`",
        ("tests/test_process.py::TestTime",),
    ),
    Detail(
        "facts about connections",
        "`:net_kernel.node_info` and `nodes_info`",
        "`Node.info()`, and `nodes()` at the prompt",
        "one function for all facts about a node",
        ("tests/shell/test_process_table.py::TestNodes",),
    ),
    Detail(
        "facts of the virtual machine",
        "`Process.info` has memory, heap and reductions; `Process.hibernate`, `Process.flag/3` and the "
        "options of `Process.spawn` are about them",
        "`message_queue_bytes`, `current_stacktrace`, and `top()` with processor time",
        "Python counts no memory by process, and does no garbage collection by process",
        (
            "tests/runtime/test_process_info.py",
            "tests/shell/test_top_table.py::test_processor_time_of_a_thread_is_told",
        ),
    ),
    Detail(
        "files at the prompt",
        '`c("shop.ex")` compiles whatever the file defines, and `import_file` evaluates it at the prompt',
        '`c("shop.py")` loads it as the module `shop`; `pyx -i shop.py` runs it before the prompt',
        "a file of Python is one module, and its names stay in it",
        (
            "tests/shell/test_loaded_files.py",
            "tests/shell/test_helpers.py::test_c_binds_the_module_of_a_file",
        ),
    ),
    # ------------------------------------------------------------ code and shells on other nodes
    Detail(
        "travelling function",
        "a function typed in the shell travels in its evaluated form",
        "as source, with copies of the values it uses, and is compiled there",
        "no code object and no pickle is ever read from a peer",
        (
            "tests/stories/test_remote_shell.py::TestAnAttachedShell::test_functions_typed_there_travel_on_from_there",
            "tests/runtime/test_travelling_functions.py::TestValues::test_globals_are_copies",
        ),
    ),
    Detail(
        "breakpoint",
        "`IEx.pry` evaluates Elixir inside the process, until `respawn`",
        "`breakpoint()` in a process is Python's debugger, at the shell where the process prints, also "
        "on another node; leaving it lets the process go on",
        "Python's users know pdb, and looking at a process should not end it",
        (
            "tests/stories/test_breakpoints.py::test_debugger_runs_at_the_prompt",
            "tests/stories/test_breakpoints.py::test_leaving_the_debugger_lets_the_process_go_on",
        ),
    ),
    Detail(
        "start file",
        "`.iex.exs` of the directory, else the one of the home, is evaluated without a question",
        "the user's `start.py` runs, then the directory's `.pyx.py`, after a question for each content",
        "a directory may come from anywhere",
        (
            "tests/stories/test_prompt_settings.py::test_files_of_user_and_project_come_before_the_first_prompt",
            "tests/shell/test_start_files.py::TestQuestion::test_yes_is_asked_for_once_per_content",
        ),
    ),
    Detail(
        "start file of a remote shell",
        "a remote shell evaluates the `.iex.exs` of the other node's user",
        "a remote shell runs no start file",
        "looking at a node should not change it",
        (
            "tests/stories/test_prompt_settings.py::test_files_of_user_and_project_come_before_the_first_prompt",
        ),
    ),
    Detail(
        "remote shell",
        "`--remsh` needs a name of its own, and its node is visible; `System.halt` in it ends the other node",
        "a hidden name is made; `exit()` and Ctrl-D leave the remote shell",
        "looking at a node should not change it",
        (
            "tests/stories/test_remote_shell.py::TestAttachingFromTheCommandLine::test_without_a_name_a_hidden_one_is_made",
            "tests/stories/test_remote_shell.py::TestAnAttachedShell::test_ctrl_d_leaves_the_remote_shell_only",
        ),
    ),
    Detail(
        "ctrl-c in a remote shell",
        "in a remote shell, a wait that does not end takes the Ctrl-G menu",
        "Ctrl-C interrupts that evaluation; one that waits inside C code is left behind as a job",
        "the prompt must come back, and the node must go on",
        (
            "tests/stories/test_remote_shell.py::TestCtrlC::test_it_interrupts_that_evaluation_at_once",
            "tests/stories/test_remote_shell.py::TestCtrlC::test_a_wait_in_a_library_is_named_and_left_behind_as_a_job",
        ),
    ),
    Detail(
        "end of a remote shell's process",
        "a remote shell whose process ends is gone",
        "it gets another process, and keeps its names",
        "a local prompt keeps its names too",
        (
            "tests/stories/test_remote_shell.py::TestAnAttachedShell::test_a_kill_of_its_process_gives_it_another_one",
        ),
    ),
    Detail(
        "rpc-eval",
        "`--rpc-eval` prints nothing by itself",
        "prints the value",
        "that is what it was asked for",
        ("tests/stories/test_remote_shell.py::TestRpcEval::test_it_prints_the_value",),
    ),
    # ------------------------------------------------------------ servers
    Detail(
        "declared exceptions",
        "any exception of a handler ends the server",
        "except those that the handler declares (`raises=`): they are raised at the caller",
        "in Python, a refusal is an exception too",
        ("tests/otp/test_genserver.py::test_declared_exception_is_the_callers_and_the_server_goes_on",),
    ),
    Detail(
        "unknown requests",
        "a call or cast that no clause takes ends the server",
        "the caller gets `CallUndefined`, a cast is logged, and the server goes on",
        "a slip elsewhere must not end a state here",
        ("tests/otp/test_genserver.py::test_g21_unknown_request_ends_nothing",),
    ),
    Detail(
        "state of a server",
        "a server's callbacks take the state and return it",
        "the state is `self`",
        "an object of Python has a place for it",
        ("tests/otp/test_server_harness.py::test_harness_runs_init_and_gives_the_object",),
    ),
    Detail(
        "code change",
        "`:sys.change_code` needs a suspended server, the version and extra data",
        "`Sys.change_code(server)` gives the object its reloaded class, and calls `code_change`; asked from"
        " iex it is as in OTP",
        "nothing else has to be changed in Python",
        ("tests/otp/test_server_sys.py::test_change_code_makes_the_server_one_of_the_reloaded_class",),
    ),
    Detail(
        "states of peers",
        "any connected node may see and replace the state of a server",
        "only where `--rpc open` lets it run code of its choice",
        "a state may be private, as a process's messages are",
        ("tests/otp/test_server_sys.py::test_peer_does_not_see_or_change_states_without_rpc_open",),
    ),
    # ------------------------------------------------------------ supervisors
    Detail(
        "errors of supervisors",
        "`Supervisor.start_child` and its relatives return `{:error, reason}`",
        "they raise, with that reason in `reason`",
        "a failure must not look like a value",
        ("tests/otp/test_supervisor.py::test_p19_child_is_terminated_restarted_and_deleted",),
    ),
    Detail(
        "failed calls",
        "a caller exits when a call fails, with `:normal` if the server ended so",
        "it gets an exception: `CallExited` with the reason `'normal'`",
        "that is Python's way to fail; uncaught, it ends the caller all the same",
        (
            "tests/otp/test_server_calls.py::TestCall::test_g10_server_that_ends_normally_without_a_reply",
            "tests/otp/test_server_calls.py::TestCall::test_g14_no_such_process",
        ),
    ),
    Detail(
        "calls outside processes",
        "a call is a message to a process, so only a process calls",
        "any thread and any coroutine may call",
        "a web handler is the commonest caller",
        ("tests/otp/test_server_calls.py::TestCall::test_g12_reply_comes_to_any_thread",),
    ),
    Detail(
        "supervisors without a link",
        "a supervisor is always linked to the process that starts it",
        "`Supervisor.start` makes no link, and works on any thread",
        "a script and a web handler are not processes",
        ("tests/otp/test_supervisor.py::test_thread_that_is_not_a_process_starts_asks_and_does_not_link",),
    ),
    # ------------------------------------------------------------ registries and groups
    Detail(
        "members of a node that comes",
        "the members of a node appear in `:pg` after its `nodeup`, and after `Node.connect` has returned",
        "they are there before `nodeup`, and when `Node.connect` and `Node.ping` return",
        "what is sent to a group in between would be lost",
        (
            "tests/core/test_groups.py::TestSessionBegins::test_and_nodeup_and_connected_come_after_them",
            "tests/otp/test_pg.py::TestRealNodes::test_q7_members_are_there_when_connect_returns",
        ),
    ),
    Detail(
        "members of a node that goes",
        "the members of a lost node leave groups after its `nodedown`",
        "before it",
        "who hears `nodedown` has heard the rest",
        ("tests/core/test_groups.py::TestLeave::test_of_a_lost_node_is_seen_before_down_and_nodedown",),
    ),
    Detail(
        "links to a registry",
        "every registered process is linked to the registry's, whose crash ends them all",
        "no process is linked to it: the kernel drops the entries of a process as it ends",
        "an entry should not cost a process its life",
        ("tests/otp/test_key_registry.py::TestRegistry::test_r12_the_end_of_a_registry_ends_no_holder",),
    ),
    Detail(
        "selecting entries",
        "`Registry.select` and `match` take match specifications",
        "`Registry.select(registry)` returns `(key, pid, value)` for a comprehension",
        "that is Python's way to select",
        ("tests/otp/test_key_registry.py::TestDuplicate::test_r9_select_and_unregister_match",),
    ),
    Detail(
        "keys of dead processes",
        "a key is free once its registry has noticed the end of its holder",
        tests=("tests/otp/test_key_registry.py::TestUnique::test_r3_key_is_free_once_its_holder_ended",),
    ),
    Detail(
        "application callbacks",
        "an application is a module with `start`, `prep_stop` and `stop`",
        "it is a function, which says what is started; or a class with these methods",
        "most have nothing to do at the end that a process of the tree does not do",
        ("tests/otp/test_application.py::test_children_are_started_below_a_supervisor",),
    ),
    Detail(
        "waits for tasks",
        "`Task.await` exits when the task has ended or is late, and in the process of another owner raises",
        "`Task.await_` raises `TaskExited`, `TaskTimeout`, `TaskNotMine`",
        "that is how Python fails; the word is a keyword, hence the underscore",
        (
            "tests/otp/test_task.py::TestAwait::test_k4_exception_of_the_task_is_the_reason",
            "tests/otp/test_task.py::TestAwait::test_k3_late_result_does_not_come_and_the_task_goes_on",
            "tests/otp/test_task.py::TestAwait::test_k7_other_process_than_the_owner_is_refused",
        ),
    ),
    Detail(
        "late tasks go on",
        "a task that is too late for `Task.await` goes on, and its value is dropped; `Task.shutdown` ends it",
        tests=("tests/otp/test_task.py::TestAwait::test_k3_late_result_does_not_come_and_the_task_goes_on",),
    ),
    Detail(
        "tasks of owners that end normally",
        "an async task whose owner ends normally lives on",
        tests=(
            "tests/otp/test_task.py::TestLifetimes::test_k11_task_of_an_owner_that_ends_normally_lives_on",
        ),
    ),
    Detail(
        "output of remote tasks",
        "a task of a supervisor on another node prints there",
        "it prints where it was asked for",
        "so does all that runs elsewhere",
        ("tests/otp/test_supervised_tasks.py::TestThere::test_task_prints_at_its_owner",),
    ),
    Detail(
        "full task supervisors",
        "at `max_children` tasks `Task.Supervisor.start_child` returns an error, and `async` raises",
        "both raise `TooManyChildren`",
        "a failure must not look like a value",
        ("tests/otp/test_supervised_tasks.py::TestHere::test_k17_supervisor_has_max_children",),
    ),
    Detail(
        "work of peers",
        "a connected node may have any function run by a task supervisor or an agent",
        "what `--rpc` allows, as by `rpc.call`",
        "one policy says what others may run here",
        (
            "tests/otp/test_supervised_tasks.py::TestPolicy::test_work_of_a_peer_passes_the_policy",
            "tests/otp/test_agent.py::TestThere::test_function_of_a_peer_passes_the_policy",
        ),
    ),
    Detail(
        "slow updates of agents",
        "an `Agent.update` that takes too long for its caller is carried out",
        tests=("tests/otp/test_agent.py::TestHere::test_a4_update_that_takes_too_long_is_carried_out",),
    ),
    # ------------------------------------------------------------ clusters (libcluster)
    Detail(
        "pruned by an empty answer",
        "libcluster's DNSPoll disconnects every node of a domain when DNS once answers nothing",
        "an empty or failed answer changes nothing; only `prune` disconnects, after two whole answers",
        "a failing resolver must not take healthy connections apart",
        (
            "tests/cluster/test_topology.py::TestPrune::test_l8_error_and_empty_answer_prune_nothing",
            "tests/cluster/test_cluster.py::TestSightings::test_49_error_and_empty_answer_disconnect_nothing",
        ),
    ),
    Detail(
        "lost node of a cluster",
        "libcluster's Epmd does not connect again to a node that is lost",
        "it is dialled again, with pauses, for as long as it is found",
        "a node that restarts should be back without being asked for",
        ("tests/cluster/test_topology.py::TestDial::test_l2_lost_node_is_always_dialled_again",),
    ),
    Detail(
        "strangers of one host",
        "libcluster's LocalEpmd connects to every node of the host, of other users and projects too",
        "`local:` finds the nodes of this user, by a pattern where one is given",
        "strangers would refuse, or should have been refused",
        ("tests/cluster/test_strategies.py::TestLocalNodes::test_l3_nodes_of_this_user_are_found",),
    ),
    Detail(
        "endpoints of Kubernetes",
        "libcluster's Kubernetes reads endpoints or pods (`kubernetes_ip_lookup_mode`)",
        "pods, those that are ready",
        "one list that can be watched; a headless service is read by `dns:`",
        ("tests/cluster/test_kubernetes_pods.py::TestList::test_ready_pods_are_nodes_by_their_addresses",),
    ),
    Detail(
        "reason of a failed connection",
        "libcluster says `unable to connect`, again and again",
        "the reason is said, once for each",
        "the user of the node can correct it",
        ("tests/cluster/test_cluster.py::TestConnections::test_51_wrong_cookie_is_one_line",),
    ),
)
"""Followed where nothing is said of pyx."""
