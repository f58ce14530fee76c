"""The node's threads: where the kernel's decisions meet sockets, processes and clocks.

In: calls of the public faces (`node`, `process`, `rpc`, `primitives`, `aio`), bytes from `net`, signals of
the operating system.  Out: effects of the kernel carried out, user functions run on threads and tasks.

    local_node   the node of this OS process: one kernel, one lock, everything below; its storeys are `steps`
                 (the way in), `carrying` (effects, carried out), `sending` (messages on their way)
    context      who is running: the current process, and what this thread is in the middle of
    gate         asynchronous exceptions reach user code only (kill, Ctrl-C)
    runners      what runs a process: its gate, its slot to wait on, its unfinished line of output
    threads      `def` processes on warm threads
    tasks        `async def` processes on the process loop
    mail         receive: patterns against a mailbox, waiting included
    patterns     the grammar of receive's patterns
    requests     somebody waits for an answer from a node
    questions    what peers ask about processes here, answered by a few threads
    resting      lines of the log that others can bring about at will
    rex          runs what peers ask for
    portal       the transport's thread and loop
    transport    the kernel's hands among other nodes
    departure    the waits of a node that leaves; `draining` says how long
    seeding      keeps dialling the nodes that were suggested
    output       sys.stdout -> the group leader of whoever prints
    stand_in     what stands before a standard stream, a whole text stream itself
    line_buffer  what one process printed and has not handed over
    stacks       what every thread is in the middle of
    report       tracebacks as their readers want them: the user's frames only

Never imported here: the faces, the shell, the scenarios.  A face that a peer names ("Node", "Process", "rpc")
is looked up by its name when the call comes, like any other module.
"""
