"""The node: kernel calls, effects, sending, receiving, requests, transport, start and stop.

Calls of the public modules (`nodes`, `process`, `rpc`, `primitives`, `aio`), bytes from `net` and timers
become kernel calls; the effects of the kernel become woken threads, flushed connections, started processes.

The node and its parts:

    local_node         the node of this OS process, which holds all parts
    dispatch           kernel calls: under the lock, their effects after it, re-entry deferred
    effect_handlers    what each effect of the kernel does
    sending            messages, exit signals and lines of output on their way out, with back-pressure
    fast_send          the most frequent message of a process, sent in one function
    receiving          receive: looks through a mailbox, waiting included
    lifecycle          how each kind of process starts, runs user code and ends with a reason
    timers             `Process.send_after`
    node_console       the console of a node
    rate_limited_log   log lines that peers can cause at will
    transport          the network side: listens, dials, leaves

What they use:

    arguments          checks of the arguments of the public functions
    via_names          names that a registry resolves
    call_forms         the two forms of a call: a function, or a module and a name
    encoding           values to payloads and back
    patterns           what a pattern of `receive` matches
    pattern_compiler   patterns that are tried on many messages, as one function
    travelling_functions  functions that belong to no module, as data: source and values
    function_source    the source of a function, found and compiled again
    arrived_functions  functions that came from another node as source
    arrived_modules    modules that came from another node as source
    rpc_functions      finds the functions that peers call (OTP's `rex`)
    chosen_functions   those that a call names or brings, if the policy on peers' code allows them
    early_start        finds those that are loaded before their process starts
    process_info       what `Process.info` shows of a process of this node, and what peers may see of it
    process_frames     where the code of a process is
    process_ages       how old processes are, by their pids
    inquiry_workers    the threads that answer peers' `Process.info`
    peer_connections   what connections receive, handed to the kernel
    cookies            the cookies of a node
    asker_warnings     warnings about a request, also at the remote shell where it was typed
    node_timers        the ticks of the kernel, and what is done each second
    name_files         the lock and socket of a short name, restored where they vanish
    lag                how late the transport's loop is
    shutdown           the waits of a node that leaves
    fault_injection    a bad network, for scenarios

Among Erlang nodes (`--beam`):

    acquaintance       which dialect a node speaks; connects first, where that is needed
    erlang_payloads    messages and calls for Erlang nodes, encoded at the call
    erpc               runs the functions that Erlang nodes call (OTP's `erpc` and `rex`)
    erlang_functions   the functions of Erlang's module `erlang` that are asked of every node

On top of the node:

    start_stop         `Node.start`, `stop` and `info`
    shell_process      the shell as a process: the main thread
    evaluation_context  the context variables of a prompt's inputs, on its thread and on the process loop
    request            a request under way, waited for by a thread or a coroutine
    round_trips        pings several nodes at once, and measures
    node_requests      ping, connect, spawn on another node
    process_requests   `Process.info` and `is_alive` of any pid
    breakpoints        `breakpoint()` in a process: its shell is asked
    rpc_client         `rpc`: calls of functions on nodes
    rpc_broadcasts     `rpc` to several nodes: abcast, eval_everywhere, pmap

Never imported here: the public modules, the shell, the scenarios.  A public module that a peer names ("Node",
"Process", "rpc") is looked up by its name when the call comes, like any other module.
"""
