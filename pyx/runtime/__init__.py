"""The node's threads: where the kernel's decisions meet sockets, processes and clocks.

In: calls of the public faces (`node`, `process`, `rpc`, `primitives`, `aio`), bytes from `net`, signals of
the operating system.  Out: effects of the kernel carried out, user functions run on threads and tasks.

The node, one object in four layers:

    local_node   the node of this OS process: one kernel, one lock, all of the following
    sending      messages and lines on their way to a mailbox or to a queue
    carrying     the effects of the kernel, carried out
    steps        the way into the kernel: one step at a time, under the lock
    lifetime     what `Node.start`, `stop` and `info` do
    context      the current process, and what this thread is in the middle of

Processes, and how they end:

    lifecycle       how each kind of process starts, runs user code and ends with a reason
    runners         what runs one process: its gate, its slot to wait on
    threads         `def` processes on warm threads
    tasks           `async def` processes on the process loop, and the tasks they leave behind
    shell_process   the shell as a process: the main thread
    gate            a dead process does not act: every primitive raises
    strike          ProcessKilled in a thread that calls no primitive, in user code only
    protection      which `try` and `with` blocks are around an instruction
    kills           the dead processes whose code still runs, and when they are struck again
    private_loops   the event loop that a `def` process runs itself
    interrupts      Ctrl-C and the program's own signal handlers, outside of pyx only
    user_code       whether a frame runs the user's code, or a library's

Messages and output:

    destinations   arguments of the faces, checked where they are given
    letters        values to letters and back
    mail           receive: patterns against a mailbox, waiting included
    patterns       the grammar of receive's patterns
    suspension     waiting until a queue is lighter
    timers         `Process.send_after`
    output         sys.stdout to the group leader of the process that prints
    stand_in       a whole text stream before a standard one
    line_buffer    what one process printed and has not handed over

Other nodes:

    portal      a thread with an event loop
    transport   the node's doors, connections and ticks
    departure   the waits of a node that leaves
    draining    how long those waits last
    seeding     dials the nodes that were suggested
    requests    waiting for an answer from a node
    calls       calls of functions on nodes, and their ends as values or errors
    reaching    ping, connect, spawn on another node
    inquiry     `Process.info` for any pid
    questions   what peers ask about processes here, answered by a few threads
    rex         runs the functions that peers call

The log, and what is read of a node:

    node_log      the logger `pyx.node`: a loop's lines are written by another thread
    resting       lines that peers can bring about at will rest behind the first
    refusals      when such a line is due
    shortage      what is logged while connections cannot be accepted
    information   what `Process.info` tells of a process here
    lag           how late the transport's loop is
    stacks        the frames of all threads
    report        tracebacks with the user's frames only

Never imported here: the faces, the shell, the scenarios.  A face that a peer names ("Node", "Process", "rpc")
is looked up by its name when the call comes, like any other module.
"""
