"""The decisions of a node: its processes, names, links, monitors and peers, and what follows from each event.

In come events (`send`, `process_exited`, `peer_lost`, ...), each with the one lock of the runtime held; out
go effects, collected after each call, and entries in the queues that they point at: mailboxes, the queue of a
peer, the lines of a terminal.  Nothing here calls back; time, creations and jitter are arguments.

Never imported: sockets, asyncio, threads, clocks, chance; `wire` (a payload is encoded bytes here).

The kernel is one object of parts, which share one object of tables.  Each part calls only those above it in
this list:

    tables              the tables that all parts share
    awaited_replies     calls of servers without a reply yet: how each ends
    routing             the way of a message or a signal to a mailbox or to the queue of a peer
    registry            registered names
    broadcasts          broadcasts: to the subscribers of a topic, and as one signal to each peer
    presence_diffs      what these are told of changes in a space of presences
    keys                keys that processes of this node hold, in spaces
    groups              the same on all visible nodes: what peers hold, and who is told of changes
    space_parts         these four, made at their first use; the kernel makes gen_calls and starts likewise
    printing            output of processes, to the terminal of their group leader
    pending_requests    requests that wait for an answer, and the way of an answer to its waiter
    process_exits       the end of a process
    process_signals     the start of a process; links, monitors, exit signals
    requests            calls, spawns, questions, pings
    gen_calls           calls of servers: a monitor, a message and an alias in one step
    starts              starts that are waited for: a process is ready, or its end answers
    membership          connected and known nodes, node monitors, announcements to peers
    sessions            sessions with peers: dialled, claimed, lost, ticking
    node_loss           what follows from a lost node: DOWN and EXIT, then `nodedown`
    kernel              the parts put together; signals of peers; start and stop of the node

The values and machines that they use:

    effects             what the kernel asks of the runtime
    processes           the record of a process, and the table of them
    spaces              spaces and their entries; what one process, or one peer, has in them
    holder_blocks       the entries of a key that many processes hold
    mailbox             messages that were delivered to a process and not taken yet
    link_protocol       the links of one process, by OTP's link protocol
    monitors            the table of monitors of processes here
    intervals           when an interval of `Process.send_interval` is due, and when it has ended
    exit_notices        what ended processes have yet to tell, in portions
    fan_outs            broadcasts that are not in all mailboxes yet, in portions
    policy              which code of a peer's choice may run
    peers               the session with another node
    outbox              signals that wait to be sent to a peer, and their size
    console_queue       lines that wait for a console, and their size
    waiters             processes that wait until a queue is below its low-water mark
    backoff             how long a node that could not be reached is not dialled
    known_nodes         names of nodes that were mentioned
    partitions          which nodes the visible peers see
"""
