"""Carries bytes between nodes, and decides nothing.

In: names to dial, signals queued for a peer, sockets that strangers opened.  Out: callbacks to whoever owns
the node (a stranger proved himself, signals came, a connection is lost), always on the transport's loop.

A node has one door (`unix_door` for this host alone, `tcp_door` for others), the `listener` behind it.  Here
live the sockets, the files of this host (who runs under which name, the cookie) and the one event loop
that reads.  What to answer a peer is `core`'s, what its bytes mean is `wire`'s.  Never imported here:
`runtime` and whatever stands above it.
"""
