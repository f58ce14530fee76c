"""Who is who on this node, and what follows from what happens: processes, names, links, monitors, peers.

In come facts (`send`, `process_exited`, `peer_lost`, ...), each with the one lock of the runtime held; out go
effects (`effects.py`), collected after each fact, and appends to the queues they point at: mailboxes, a
peer's `out`, a terminal's `output`.  Feed, then collect: nothing here calls back.

Parts that know nothing of each other: `mailbox`, `processes`, `names`, `links`, `notices`, `peers`, `known`,
`views`.  The kernel that joins them is one object in six storeys, each a file that calls only down:

    kernel      signals from peers, start and stop of the node, facts about processes
    mesh        connections: dialled, claimed, lost, ticking
    sight       who is connected, who wants to know, which peers do not see each other
    requests    calls, spawns, questions, pings: whoever waits is answered once
    bonds       birth and death of processes; links, monitors, exit signals
    post        the way of a message or a signal to its mailbox or its peer; output

Never imported here: sockets, asyncio, threads, clocks, chance; `wire` (a letter is sealed bytes here).  Time,
creations and jitter are arguments.
"""
