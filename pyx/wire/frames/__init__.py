"""Signals <-> frames of one connection: heads, fragments, and the order in which they leave.

    signal_stream   signals to bytes and back, between two nodes: the door of the files up to `frame`
    layout          the kinds of frames, and how each is laid out
    head_limits     a signal cut to what a peer takes
    writer          one signal to the head and the payload of its frame
    reader          the head and the payload of a frame to one signal
    sender_check    what a peer may say
    scheduler       in which order frames leave, and in how many pieces
    fragments       how large frames are cut
    reassembly      the pieces put together again
    frame           where one frame ends and the next begins

Never imported here: the handshake; a socket, a loop, a thread, a clock.
"""
