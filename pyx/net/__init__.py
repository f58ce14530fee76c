"""Carries bytes between nodes, and decides nothing.

In: names to dial, signals queued for a peer, sockets that strangers opened.  Out: callbacks to the owner of
the node (a stranger proved himself, signals came, a connection is lost), always on the transport's loop.

A node has one door, and the listener behind it:

    unix_carrier        the door of `--sname`: a unix socket in the directory of names
    tcp_carrier         the door of `--name`: TCP inside TLS
    endpoint            connections that come in and that are dialled, up to the proof
    carrier             one such connection and its handshake
    admission           how many unproven connections may stay, and which goes first
    stream              a non-blocking connection, to read and to write
    tcp                 TCP sockets: dialled, listening
    tls_stream          a TCP connection inside TLS
    certificate         the certificate of one node start
    credentials         the user at the other end of a unix socket
    connection          an established session: signals out, signals in
    stall               when a peer that takes nothing is given up
    error_words         an error of the system, in words for a sentence
    forks               a forked child closes its copies of the descriptors

The files of this host:

    runtime_directory   where locks and sockets are
    directory           which nodes run here, under which names
    name_claim          the right of this process to its name, kept while it lives
    name_locks          the lock files
    name_guard          a second sign that a name is held, which cannot be removed
    directory_log       what the log says while such files vanish and come back
    cookie              the secret, and the file it is in
    home_directory      the home directory of this user, if there is one

Other hosts:

    epmd_client         this node's conversation with EPMD
    epmd_server         a small EPMD for hosts without Erlang
    seeds               which nodes `--seed` dials, and when

What to answer a peer is `core`'s, what its bytes mean is `wire`'s.  Never imported here: `runtime` and the
packages above it.
"""
