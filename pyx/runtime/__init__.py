"""The node's threads: where the kernel's decisions meet sockets, processes and clocks.

In: calls of the public faces (`node`, `process`, `rpc`, `primitives`, `aio`), bytes from `net`, signals of
the operating system.  Out: effects of the kernel carried out, user functions run on threads and tasks.

The node, one object in four layers:

    local_node         the node of this OS process: one kernel, one lock, all of the following
    sending            messages and lines on their way to a mailbox or to a queue
    effect_handlers    the effects of the kernel, carried out
    current_node       the node on which a process runs
    dispatch           the way into the kernel: one step at a time, under the lock
    start_stop         what `Node.start`, `stop` and `info` do

Processes, and how they end:

    lifecycle          how each kind of process starts, runs user code and ends with a reason
    shell_process      the shell as a process: the main thread

Messages and output:

    arguments          arguments of the faces, checked where they are given
    encoding           values to payloads and back
    receiving          receive: patterns against a mailbox, waiting included
    patterns           the grammar of receive's patterns
    timers             `Process.send_after`

Other nodes:

    transport          the node's doors, connections and ticks
    shutdown           the waits of a node that leaves
    drain_timeout      how long those waits last
    seeding            dials the nodes that were suggested
    pending_answer     waiting for an answer from a node
    remote_calls       calls of functions on nodes, and their ends as values or errors
    reaching           ping, connect, spawn on another node
    inquiry            `Process.info` for any pid
    inquiry_workers    what peers ask about processes here, answered by a few threads
    rex                runs the functions that peers call

The log, and what is read of a node:

    rate_limited_log   lines that peers can bring about at will rest behind the first
    refusals           when such a line is due
    accept_failures    what is logged while connections cannot be accepted
    process_info       what `Process.info` tells of a process here
    lag                how late the transport's loop is

Never imported here: the faces, the shell, the scenarios.  A face that a peer names ("Node", "Process", "rpc")
is looked up by its name when the call comes, like any other module.
"""
