"""The handshake between two nodes: the mutual proof of the cookie, and TLS, as machines without a socket.

    machine         the two sides of the handshake
    party           what feeds one side, of Erlang's handshake too, and cuts its frames
    events          what a side asks for, and says
    hello           the one frame that is read from an unauthenticated peer
    short_frames    the frames of handshakes
    proof           from a cookie to its key, and the MACs by which both ends prove it
    erlang_hello    the first frame of an Erlang node that dialled the port of pyx nodes
    failure_texts   the sentences of a failed proof: a wrong cookie, a wrong name
    tls             TLS 1.3 as a machine

Never imported here: messages and frames of a connection; a socket, an event loop, a thread, a clock.
"""
