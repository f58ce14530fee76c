"""Who is who on this node, and what follows from what happens: processes, names, links, monitors, peers.

In come facts (`send`, `process_exited`, `peer_lost`, ...), each with the one lock of the runtime held; out go
effects (`effects.py`), collected after each fact, and appends to the queues they point at: mailboxes, a
peer's `out`, a terminal's `output`.  Feed, then collect: nothing here calls back.

The kernel is one object in six layers, each a file that calls only those below it:

    kernel            signals from peers, start and stop of the node, facts about processes
    mesh              connections: dialled, claimed, lost, ticking
    membership        which nodes are connected, which processes watch that, which peers do not see each other
    requests          calls, spawns, questions, pings: each is answered once
    process_signals   start and end of processes; links, monitors, exit signals
    routing           the way of a message or a signal to its mailbox or its peer; output

Parts that know nothing of each other, which those layers hold:

    processes         the record of one process, and the table of all
    mailbox           what was delivered to one process and not taken yet
    registry          registered names of processes
    link_protocol     the links of one process, by OTP's link protocol
    exit_notices      what ended processes have yet to tell, in portions
    peers             the connection to another node, from the first dial to its loss
    known_nodes       the names of nodes that were mentioned
    partitions        which nodes the visible peers see
    outbox            what waits to be sent to one peer, and how much that is
    console_queue     lines on their way to a console of this node, and how much that is
    waiters           processes that wait until a queue is lighter
    effects           what the kernel asks of the outside, as values

Never imported here: sockets, asyncio, threads, clocks, chance; `wire` (a payload is encoded bytes here).
Time, creations and jitter are arguments.
"""
