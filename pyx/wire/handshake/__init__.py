"""The proof of the cookie between two nodes, and TLS, as machines without a socket.

    hello     the one frame that is read from a stranger
    machine   the mutual proof of the cookie
    key       from a cookie to the key of the handshake
    tls       TLS 1.3 as a machine

Never imported here: messages and frames of a connection; a socket, a loop, a thread, a clock.
"""
