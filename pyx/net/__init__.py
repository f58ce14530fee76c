"""Carries bytes between nodes, and decides nothing.

In: names to dial, signals queued for a peer, accepted sockets.  Out: callbacks to the owner of the endpoint
(a peer has authenticated, signals arrived, a connection is lost) on the transport's loop; signals also on a
thread that has borrowed the watch of a connection.

Connections:

    unix_carrier        the carrier of `--sname`: unix sockets in the directory of names
    tcp_carrier         the carrier of `--name`: TCP inside TLS
    beam_carrier        the carrier and the dialect of Erlang nodes, of `--beam`: TCP in clear
    dialects            who runs the handshake of a connection: pyx's own dialect, or Erlang's
    addresses           the address that the host part of a name stands for
    endpoint            accepts and dials
    arrivals            what an endpoint tells its owner, and asks it
    authentication      the handshake of each connection, up to its outcome
    carrier             the protocols of carriers and of their handshakes
    pending_connections  connections before authentication, and which one is dropped first
    stream              the non-blocking byte stream of a connection
    resolver            the addresses of a host name
    tcp                 TCP sockets: dialled, listening
    tls_stream          a TCP connection inside TLS
    certificate         the certificate of one node start
    credentials         the user at the other end of a unix socket
    connection          an authenticated connection: signals out, signals in
    watch               who looks for data: the loop, or for a moment a thread that waits
    bell                wakes a thread that polls for data
    loop_watch          the watch of the loop of `async def` processes
    stall               when a peer that accepts no data is given up
    error_words         the text of a system error, for a sentence
    forks               a forked child closes its copies of the descriptors

The files of this host:

    runtime_directory   where the files of locks and sockets are
    directory           the names of the nodes of this host
    close_names         which running node was meant by a name that no node has
    name_claim          the claim of a name: a lock and a socket, kept in their places
    name_locks          the lock files
    name_guard          a second lock of a name, which has no file that could be removed
    directory_log       the log lines about files that vanish and are restored
    cookie              the cookie, and its file
    erlang_cookie       the cookie of Erlang's dialect, and its file
    home_directory      the home directory of the user

Other hosts:

    epmd_client         registers with EPMD, and asks it
    epmd_server         an EPMD for hosts without Erlang

Decisions about peers are made in `core`, bytes are decoded in `wire`.  Never imported here: `runtime` and the
packages above it.
"""
